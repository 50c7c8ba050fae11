"""FlyDSL kernels: compiled by the installed wheel without a GPU, asked by its environment variables.

The host function that launches the kernel is never run. Its grid and the kernel's arguments are read from
what FlyDSL makes of it before lowering (``00_origin.mlir`` of its dump).
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from wavesim.asm.tools import find_tool
from wavesim.emulate.elements import STORAGE
from wavesim.errors import SourceSpan, UserError
from wavesim.python_kernels.kernel import Compiled
from wavesim.python_kernels.mlir_text import Launched, launched
from wavesim.python_kernels.values import Value, read_value

INSTALL = "pip install 'wavesim-cdna[flydsl]'"
_TORCH_TYPES = (
    *("float16", "bfloat16", "float32", "float64"),
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
)
_DL_BFLOAT, _DL_TYPE_OFFSET = 4, 20
"""DLPack's code of bf16, and where a DLTensor has its type's code."""


@contextlib.contextmanager
def importable() -> Iterator[None]:
    """FlyDSL can be imported. It imports torch for its tensors; where there is no torch, a stand-in with the
    few names it asks for is there during the import.

    Raises:
        UserError: FlyDSL is not installed.
    """
    if "torch" in sys.modules or _found("torch"):
        yield
        return
    stand_in: Any = ModuleType("torch")
    stand_in.cuda = ModuleType("torch.cuda")
    stand_in.Tensor, stand_in.cuda.Stream = type("Tensor", (), {}), type("Stream", (), {})
    for name in _TORCH_TYPES:
        setattr(stand_in, name, object())
    sys.modules.update({"torch": stand_in, "torch.cuda": stand_in.cuda})
    try:
        yield
    finally:
        del sys.modules["torch"], sys.modules["torch.cuda"]


def _found(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def compile_flydsl(
    launcher: Any, args: Sequence[Any] | Mapping[str, Any], arch: str
) -> tuple[Compiled, list[Value], tuple[int, int, int]]:
    """Assembly of the kernel that a launcher (``@flyc.jit``) launches, what it takes, and the grid.

    Raises:
        UserError: FlyDSL is not installed or refuses the kernel, or the launch is computed by what is not
            read here.
    """
    if not _found("flydsl"):
        raise UserError("FlyDSL is not installed", None, INSTALL)
    with importable():
        import flydsl.compiler as flyc
        from flydsl.expr.typing import Constexpr, Stream
    inner = getattr(launcher, "func", None)
    if inner is None or type(launcher) is not type(flyc.jit(_nothing)):
        raise UserError(f"{launcher!r:.60} is no launcher of FlyDSL", None, "a function under @flyc.jit")
    signature = inspect.signature(inner)
    try:
        bound = signature.bind(**args) if isinstance(args, Mapping) else signature.bind(*args)
    except TypeError as error:
        raise UserError(f"{inner.__name__}: {error}", None, f"it takes {signature}") from None
    given: dict[str, Any] = {}
    values: list[Value] = []
    for name, what in bound.arguments.items():
        annotation = signature.parameters[name].annotation
        if Constexpr.is_constexpr_annotation(annotation) or annotation is Stream:
            given[name] = what
            continue
        value = read_value(name, what, "", arch)
        values.append(value)
        given[name] = _dynamic(flyc, value, what)
    text, origin = _dumped(launcher, inner, given, arch)
    found = launched(origin, [each.number for each in values], inner.__name__)
    kept = list(_operands(found, values))
    return (
        Compiled(found.kernel, text, ".s", found.block[0] * found.block[1] * found.block[2], found.lds_bytes),
        kept,
        found.grid,
    )


def _nothing() -> None:
    """A function to see what a launcher is."""


def _dynamic(flyc: Any, value: Value, what: Any) -> Any:
    """What FlyDSL gets of an argument: a tensor of any size, as it makes of torch's, or a number."""
    if hasattr(what, "__get_ir_types__"):
        return what
    if not value.is_matrix:
        return value.number
    if hasattr(what, "detach"):
        return what
    return flyc.from_dlpack(_Exported(_array(value), value.dtype)).mark_layout_dynamic()


def _array(value: Value) -> Any:
    """An array of the argument's shape and size of elements."""
    if value.content is not None:
        return value.content.reshape(value.shape)
    return np.empty(value.shape, STORAGE[value.dtype])


@dataclass(frozen=True)
class _Exported:
    """An array for DLPack, with a type that numpy may lack."""

    array: Any
    dtype: str

    def __dlpack__(self, **_: Any) -> Any:
        capsule = self.array.__dlpack__()
        if self.dtype == "bf16":
            pointer = ctypes.pythonapi.PyCapsule_GetPointer
            pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
            ctypes.c_uint8.from_address(pointer(capsule, b"dltensor") + _DL_TYPE_OFFSET).value = _DL_BFLOAT
        return capsule

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def _dumped(launcher: Any, inner: Any, given: Mapping[str, Any], arch: str) -> tuple[str, str]:
    """The assembly and the module before lowering."""
    place = SourceSpan(inner.__code__.co_filename, inner.__code__.co_firstlineno)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        settings = {
            **{"ARCH": arch, "FLYDSL_GPU_ARCH": arch, "COMPILE_ONLY": "1", "FLYDSL_DUMP_IR": "1"},
            **{"FLYDSL_DUMP_DIR": folder, "FLYDSL_DEBUG_ENABLE_DEBUG_INFO": "1"},
            **_with_linker(Path(folder), arch),
        }
        try:
            with _environment(settings), contextlib.redirect_stdout(io.StringIO()):
                launcher(**given)
        except Exception as error:
            raise UserError(f"FlyDSL cannot compile {inner.__name__}: {error}", place) from None
        texts = sorted(Path(folder).rglob("*_final_isa.s"))
        origins = sorted(Path(folder).rglob("00_origin.mlir"))
        if not texts or not origins:
            raise UserError(f"FlyDSL left no assembly of {inner.__name__}", place, "FLYDSL_DUMP_IR=1 should")
        return texts[0].read_text(encoding="utf-8"), origins[0].read_text(encoding="utf-8")


def _with_linker(folder: Path, arch: str) -> dict[str, str]:
    """Where FlyDSL looks for ROCm's linker: LLVM's, where there is no ROCm."""
    if "ROCM_PATH" in os.environ or os.path.exists("/opt/rocm"):
        return {}
    for place in ("llvm/bin", "lib/llvm/bin"):
        home = folder / "rocm" / place
        home.mkdir(parents=True)
        (home / "ld.lld").symlink_to(find_tool("ld.lld", arch))
    return {"ROCM_PATH": str(folder / "rocm")}


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _operands(found: Launched, values: Sequence[Value]) -> Iterator[Value]:
    """The kernel's arguments: of a tensor its pointer, and a struct of the sizes and strides not fixed."""
    for number, operand in enumerate(found.operands):
        if operand.argument is None:
            yield read_value(f"computed{number}", operand.number, operand.dtype, "")
            continue
        value = values[operand.argument]
        yield value
        if not value.is_matrix:
            continue
        fields = list(_layout(operand.layout, value))
        if fields:
            name = f"{value.name}_layout"
            yield replace(value, name=name, is_matrix=False, content=None, fields=tuple(fields))


def _layout(layout: str, value: Value) -> Iterator[int]:
    """The dynamic sizes (32 bits) and strides (64) of ``(?,?):(?,1)``, as dwords."""
    sizes, _, strides = layout.partition(":")
    steps = [int(np.prod(value.shape[place + 1 :])) for place in range(len(value.shape))]
    for text, numbers, dwords in ((sizes, value.shape, 1), (strides, steps, 2)):
        marks = re.sub(r"\{[^}]*\}", "", text).strip("()").split(",")
        for mark, number in zip(marks, numbers, strict=True):
            if mark.startswith("?"):
                yield from (number >> 32 * part & 0xFFFFFFFF for part in range(dwords))
