"""A launch file for a kernel, made from its metadata, for a person to fill in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from wavesim.asm.names import short_name
from wavesim.front.launch.file import MATRIX_TYPES, SCALAR_TYPES
from wavesim.front.launch.signature import Parameter
from wavesim.front.launch.structs import filled
from wavesim.front.launch.unfilled import UNFILLED
from wavesim.front.lds_use import uses_lds
from wavesim.front.occupancy import UNSTATED_THREADS, occupancy, required_threads
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.program import KernelArgument, KernelMetadata, Program
from wavesim.words import clipped

_SIZES = {"8": 1, "16": 2, "32": 4, "64": 8}
LINE_WIDTH = 100
Value: TypeAlias = "str | dict[str, Value] | list[Value]"
MOST_LISTED = 4
"""Numbers of an array that are listed one by one; a longer one is ``TYPE*COUNT:VALUE``."""


def skeleton(program: Program, machine: Machine, stated: Sequence[Parameter] = ()) -> str:
    """The text of a launch file in which what is not known is :data:`UNFILLED`, with a comment. The loader
    refuses it until that is filled in.

    Args:
        program: the kernel.
        machine: what it is to run on.
        stated: the parameters as the source states them; left out where they are not as many as the kernel's.
    """
    metadata = program.metadata
    threads, why = _workgroup(metadata)
    fits = [each.message for each in occupancy(program, machine, -(-(threads or LANES) // LANES))]
    lines = [
        f"# Launch of {clipped(short_name(program.name))} on {program.arch}. Fill in every {UNFILLED}.",
        *(f"# {text}" for text in fits),
        f"kernel: {program.name}",
        _commented(f"workgroup: {threads or UNFILLED}", why),
        _commented(f"grid: [{UNFILLED}, {UNFILLED}]", "workgroups in x and y"),
        "# position: [0, 0]  # which of them is simulated",
    ]
    if uses_lds(program) and not metadata.lds_bytes:
        lines.append(_commented(f"lds: {UNFILLED}", "bytes; the kernel uses LDS and declares none"))
    visible = [each for each in metadata.arguments if not each.kind.startswith("hidden_")]
    lines.append("arguments:" if visible or metadata.kernarg_bytes else "arguments: {}")
    said = stated if len(stated) == len(visible) else [None] * len(visible)
    known = [_known(*each) for each in zip(visible, said, strict=True)]
    values = _named(known, "", set())
    for argument, parameter, (name, value) in zip(visible, known, values, strict=True):
        lines += _lines(name, value, _what(argument, parameter))
    if not visible and metadata.kernarg_bytes:
        comment = f"{metadata.kernarg_bytes} bytes of arguments, of which the file does not say more"
        lines.append(_commented(f"  arg0: {UNFILLED}", comment))
    lines.append("# expect: C = A @ B.T  # the result, or another formula")
    return "\n".join(lines) + "\n"


def _commented(text: str, comment: str) -> str:
    return f"{text}  # {comment}" if comment else text


def _workgroup(metadata: KernelMetadata) -> tuple[int, str]:
    """Threads, 0 where they are not known, and how that is known."""
    required, most = required_threads(metadata), metadata.workgroup_size
    more = "; [X, Y] if not all are in x" if metadata.workitem_id_dimensions > 1 else ""
    if required:
        return required, "threads; the kernel was compiled for no other workgroup"
    if 0 < most < UNSTATED_THREADS:
        return most, f"threads{more}; the largest workgroup that the kernel was compiled for"
    return 0, f"threads of a workgroup, at most {UNSTATED_THREADS}{more}"


def _name(stated: str, number: int, taken: set[str]) -> str:
    """The argument's name without what clang appends, as a word of its own."""
    name = re.sub(r"\W+", "_", stated.removesuffix(".coerce")).strip("_")
    if not name or name[0].isdigit() or name in taken:
        name = f"arg{number}"
    taken.add(name)
    return name


def _is_pointer(argument: KernelArgument) -> bool:
    return argument.kind == "global_buffer" or argument.address_space == "global"


def _known(argument: KernelArgument, stated: Parameter | None) -> Parameter:
    """What is known of an argument: what the source states of one of that size, else the metadata's word."""
    if stated is not None and stated.size_bytes == argument.size_bytes and _can_be_stated(stated):
        return stated
    name = stated.name if stated is not None else argument.name
    return Parameter(name, "", _is_pointer(argument), True, argument.size_bytes)


def _can_be_stated(parameter: Parameter) -> bool:
    if parameter.count:
        return _can_be_stated(parameter.fields[0])
    if parameter.fields:
        fields = filled(parameter)
        return fields is not None and all(map(_can_be_stated, fields))
    return parameter.size_bytes in _SIZES.values()


def _value(parameter: Parameter, matrices: set[str]) -> Value:
    """The value of an argument or a field. ``matrices``: names that are taken."""
    if parameter.count:
        element = parameter.fields[0]
        if parameter.name.startswith("pad_"):
            return f"u8*{parameter.count}:0"
        if parameter.count > MOST_LISTED and not element.fields and not element.pointer:
            return f"{element.dtype or UNFILLED}*{parameter.count}:{UNFILLED}"
        return [_value(element, matrices)] * parameter.count
    if parameter.fields:
        return dict(_named(filled(parameter) or (), parameter.name, matrices))
    if not parameter.pointer and parameter.size_bytes not in _SIZES.values():
        return f"{{{UNFILLED}: {UNFILLED}}}"
    dtype = parameter.dtype or UNFILLED
    if parameter.pointer:
        return f'"{dtype}[{UNFILLED},{UNFILLED}]:{"random" if parameter.const else "unwritten"}"'
    return f"{dtype}:{UNFILLED}"


def _lines(name: str, value: Value, comment: str, indent: str = "  ") -> Iterator[str]:
    """A value under its name, on one line where it fits."""
    on_one = f"{indent}{name}: {_flow(value)}"
    if isinstance(value, str) or len(on_one) <= LINE_WIDTH:
        yield _commented(on_one, comment)
        return
    yield _commented(f"{indent}{name}:", comment)
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inside:
        yield from _lines(str(key), each, "", indent + "  ")


def _flow(value: Value) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_flow(each)}' for name, each in value.items())}}}"
    return value if isinstance(value, str) else f"[{', '.join(map(_flow, value))}]"


def _named(fields: Sequence[Parameter], struct: str, matrices: set[str]) -> Iterator[tuple[str, Value]]:
    """Names and values of a struct's fields. A pointer whose name another has is called by its struct, too:
    no two matrices may have one name."""
    names = set[str]()
    for number, field in enumerate(fields):
        name = _name(field.name, number, names)
        if field.pointer or (field.count and field.fields[0].pointer):
            if name in matrices:
                name = f"{_name(struct, number, names)}_{name}"
            matrices.add(name)
        yield name, _value(field, matrices)


def _what(argument: KernelArgument, parameter: Parameter) -> str:
    """What the argument is, and which types it can have."""
    size = argument.size_bytes
    if parameter.fields:
        return f"struct of {size} bytes"
    if parameter.pointer:
        types = "" if parameter.dtype else f", TYPE one of {', '.join(MATRIX_TYPES[:8])}, ..."
        return f"pointer: TYPE[ROWS,COLS]:INIT, or TYPE[N]:INIT{types}"
    if parameter.dtype:
        return f"{size} bytes by value"
    types = ", ".join(name for name in SCALAR_TYPES if _SIZES[name.lstrip("bfiu")] == size)
    if not types:
        return (
            f"struct of {size} bytes: its fields in order, FIELD: TYPE:VALUE or a pointer's TYPE[ROWS,COLS]"
        )
    return f"{size} bytes by value: TYPE:VALUE, TYPE one of {types}, or a struct"
