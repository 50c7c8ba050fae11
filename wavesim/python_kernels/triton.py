"""Triton and Gluon kernels: compiled by the installed wheel as a GPU would get them, without one."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.array_file import element_bits
from wavesim.isa.archs import ARCHITECTURES
from wavesim.isa.kinds import LANES
from wavesim.python_kernels.kernel import Compiled
from wavesim.python_kernels.values import Value, read_value

INSTALL = "pip install 'wavesim-cdna[triton]'"
_TYPES = {
    **{"fp32": "f32", "fp64": "f64", "fp16": "f16", "bf16": "bf16", "i1": "i8"},
    **{name: name for name in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")},
    **{"fp8e4nv": "e4m3", "fp8e5": "e5m2", "fp8e4b8": "e4m3fnuz", "fp8e5b16": "e5m2fnuz"},
}
"""Triton's names of element types, and those of launch files."""
_NAMES = {mine: theirs for theirs, mine in _TYPES.items() if theirs != "i1"}
_CONSTEXPR = "constexpr"
_BUFFER_BYTES = 1 << 31
"""Larger arrays get no 32-bit offsets, as the just-in-time compiler decides it."""


def jit_function(kernel: Any) -> Any:
    """The jit function inside of what decorators made of it (``@triton.autotune``, ``@triton.heuristics``).

    Raises:
        UserError: none is inside, or Triton is not installed.
    """
    try:
        from triton.runtime.jit import JITFunction
    except ImportError:
        raise UserError("Triton is not installed", None, INSTALL) from None
    inner = kernel
    while not isinstance(inner, JITFunction) and hasattr(inner, "fn"):
        inner = inner.fn
    if not isinstance(inner, JITFunction):
        hint = "a function under @triton.jit or @gluon.jit"
        raise UserError(f"{getattr(kernel, '__name__', kernel)!r:.60} is no kernel of Triton", None, hint)
    return inner


def bind(
    kernel: Any,
    constants: Mapping[str, Any],
    args: Sequence[Any] | Mapping[str, Any],
    signature: Mapping[str, str],
    arch: str,
) -> tuple[list[Value], dict[str, Any]]:
    """The launch's arguments in order, and the constants with the defaults of the parameters.

    Raises:
        UserError: an argument or constant that is missing or that the kernel does not have.
    """
    function = jit_function(kernel)
    names = list(function.arg_names)
    fixed = {each.name for each in function.params if each.is_constexpr} | set(constants)
    _refuse_others([*constants, *signature], names, function)
    free = [name for name in names if name not in fixed]
    if isinstance(args, Mapping):
        _refuse_others(args, names, function)
        given = dict(args)
    else:
        if len(args) > len(free):
            text = f"{len(args)} arguments, where {function.__name__} takes {len(free)}: {', '.join(free)}"
            raise UserError(text, None, "constants go into constants=")
        given = dict(zip(free, args, strict=False))
    known = {**given, **constants}
    for name, parameter in inspect.signature(function.fn).parameters.items():
        if name not in known and parameter.default is not inspect.Parameter.empty:
            known[name] = parameter.default
    missing = [name for name in names if name not in known]
    if missing:
        raise UserError(
            f"{function.__name__}: no value for {', '.join(missing)}", None, _configurations(kernel, missing)
        )
    values = [
        read_value(name, known[name], _stated_type(name, signature), arch)
        for name in names
        if name not in fixed and known[name] is not None
    ]
    taken = {each.name for each in values}
    return values, {name: known[name] for name in names if name not in taken}


def _refuse_others(given: Sequence[str] | Mapping[str, Any], names: Sequence[str], function: Any) -> None:
    for name in given:
        if name not in names:
            text = f"{function.__name__} has no parameter {name!r}"
            raise UserError(text, None, f"it has {', '.join(names)}")


def _configurations(kernel: Any, missing: Sequence[str]) -> str:
    """What an autotuned kernel would try."""
    configurations = getattr(kernel, "configs", None)
    if not configurations:
        return f"constants={{{missing[0]!r}: ...}}, or an argument"
    return "it is autotuned; choose one of " + "; ".join(str(each) for each in configurations[:4])


def _stated_type(name: str, signature: Mapping[str, str]) -> str:
    """A launch file's type for what a signature says: ``*fp32`` or ``i32``."""
    stated = signature.get(name, "")
    if not stated or stated == _CONSTEXPR:
        return ""
    found = _TYPES.get(stated.partition(":")[0].removeprefix("*"))
    if found is None:
        raise UserError(f"signature of {name}: {stated!r}", None, f"one of {', '.join(_TYPES)}, or *TYPE")
    return found


def compile_triton(
    kernel: Any, values: Sequence[Value], constants: Mapping[str, Any], arch: str, options: Mapping[str, Any]
) -> tuple[Compiled, list[Value]]:
    """Assembly of a kernel, specialised to the values as the just-in-time compiler does it: numbers that are
    1 are constants, pointers and multiples of 16 are known to be aligned, arrays of less than 2 GiB take
    32-bit offsets. Beside it the values that the kernel still takes.

    Raises:
        UserError: Triton refuses the kernel; the place is that of its error.
    """
    function = jit_function(kernel)
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, CompilationError
    from triton.compiler import compile as compile_source

    source_of: Any = ASTSource
    if function.is_gluon():
        from triton.experimental.gluon._runtime import GluonASTSource

        source_of = GluonASTSource
    by_name = {each.name: each for each in values}
    signature: dict[str, str] = {}
    fixed = dict(constants)
    known: dict[tuple[int], list[list[object]]] = {}
    for place, parameter in enumerate(function.params):
        value = by_name.get(parameter.name)
        if value is None or (value.number == 1 and not parameter.do_not_specialize and value.is_whole):
            signature[parameter.name] = _CONSTEXPR
            fixed.setdefault(parameter.name, 1)
            continue
        signature[parameter.name] = "*" * value.is_matrix + _name_of(value, arch)
        known[(place,)] = _attributes(value, parameter)
    kept = [each for each in values if signature[each.name] != _CONSTEXPR]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "TRITON_DEFAULT_FP_FUSION")
            source = source_of(function, signature, fixed, known)
            found = compile_source(source, target=GPUTarget("hip", arch, LANES), options=dict(options))
    except CompilationError as error:
        line = getattr(getattr(error, "node", None), "lineno", 0)
        at = function.def_file_line_number + line - 1 if line else function.starting_line_number
        text = (error.error_message or str(error)).strip().replace("\n", "\n  ")
        raise UserError(f"Triton: {text}", SourceSpan(function.file_name, at)) from None
    except Exception as error:  # passes of MLIR end in RuntimeError and others
        span = SourceSpan(function.file_name, function.starting_line_number)
        raise UserError(f"Triton cannot compile {function.__name__}: {error}", span) from None
    metadata = found.metadata
    threads, lds_bytes = metadata.num_warps * LANES, int(metadata.shared)
    return Compiled(metadata.name, found.asm["amdgcn"], ".s", threads, lds_bytes), kept


def _attributes(value: Value, parameter: Any) -> list[list[object]]:
    """What the compiler may take for known of a value that is not constant."""
    if parameter.do_not_specialize:
        return []
    is_multiple = value.is_whole and value.number is not None and value.number % 16 == 0
    found: list[list[object]] = []
    if (value.is_matrix or is_multiple) and not parameter.do_not_specialize_on_alignment:
        found.append(["tt.divisibility", 16])
    if value.is_matrix and value.elements * element_bits(value.dtype) // 8 < _BUFFER_BYTES:
        found.append(["tt.pointer_range", 32])
    return found


def _name_of(value: Value, arch: str) -> str:
    dtype = value.dtype
    if dtype in ("fp8", "bf8"):
        small = {"fp8": ("fp8e4b8", "fp8e4nv"), "bf8": ("fp8e5b16", "fp8e5")}[dtype]
        return small[not ARCHITECTURES[arch].fnuz]
    if dtype == "e8m0":
        return "u8"
    if dtype not in _NAMES:
        raise UserError(
            f"argument {value.name}: Triton has no type for {dtype}", None, "give its bytes as u8"
        )
    return _NAMES[dtype]
