"""A launch file for a kernel, made from its metadata, for a person to fill in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from wavesim.front.launch.file import MATRIX_TYPES, SCALAR_TYPES
from wavesim.front.launch.signature import Parameter
from wavesim.front.launch.unfilled import UNFILLED
from wavesim.front.lds_use import uses_lds
from wavesim.front.occupancy import UNSTATED_THREADS, occupancy, required_threads
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.program import KernelArgument, KernelMetadata, Program

_SIZES = {"8": 1, "16": 2, "32": 4, "64": 8}


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
        f"# Launch of {program.name} on {program.arch}. Fill in every {UNFILLED}.",
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
    known = stated if len(stated) == len(visible) else [None] * len(visible)
    names = set[str]()
    for number, (argument, parameter) in enumerate(zip(visible, known, strict=True)):
        name = _name(parameter.name if parameter else argument.name, number, names)
        lines.append(_commented(f"  {name}: {_value(argument, parameter)}", _what(argument, parameter)))
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
    if required:
        return required, "threads; the kernel was compiled for no other workgroup"
    if 0 < most < UNSTATED_THREADS:
        return most, "threads; the largest workgroup that the kernel was compiled for"
    return 0, f"threads of a workgroup, at most {UNSTATED_THREADS}"


def _name(stated: str, number: int, taken: set[str]) -> str:
    """The argument's name without what clang appends, as a word of its own."""
    name = re.sub(r"\W+", "_", stated.removesuffix(".coerce")).strip("_")
    if not name or name[0].isdigit() or name in taken:
        name = f"arg{number}"
    taken.add(name)
    return name


def _is_pointer(argument: KernelArgument) -> bool:
    return argument.kind == "global_buffer" or argument.address_space == "global"


def _value(argument: KernelArgument, parameter: Parameter | None) -> str:
    if parameter is not None and parameter.fields:
        return "{" + ", ".join(f"{each.name}: {_field(each)}" for each in parameter.fields) + "}"
    if _is_pointer(argument):
        return _field(replace(parameter or Parameter("", "", True, True), pointer=True))
    if argument.size_bytes in _SIZES.values():
        return _field(parameter or Parameter("", "", False, False))
    return f"{{{UNFILLED}: {UNFILLED}}}"


def _field(parameter: Parameter) -> str:
    if parameter.fields:
        return "{" + ", ".join(f"{each.name}: {_field(each)}" for each in parameter.fields) + "}"
    dtype = parameter.dtype or UNFILLED
    if parameter.pointer:
        return f'"{dtype}[{UNFILLED},{UNFILLED}]:{"random" if parameter.const else "unwritten"}"'
    return f"{dtype}:{UNFILLED}"


def _what(argument: KernelArgument, parameter: Parameter | None) -> str:
    """What the argument is, and which types it can have."""
    size = argument.size_bytes
    if parameter is not None and parameter.fields:
        return f"struct of {size} bytes"
    if _is_pointer(argument):
        types = "" if parameter and parameter.dtype else f", TYPE one of {', '.join(MATRIX_TYPES[:8])}, ..."
        return f"pointer: TYPE[ROWS,COLS]:INIT, or TYPE[N]:INIT{types}"
    if parameter is not None and parameter.dtype:
        return f"{size} bytes by value"
    types = ", ".join(name for name in SCALAR_TYPES if _SIZES[name[1:]] == size)
    if not types:
        return (
            f"struct of {size} bytes: its fields in order, FIELD: TYPE:VALUE or a pointer's TYPE[ROWS,COLS]"
        )
    return f"{size} bytes by value: TYPE:VALUE, TYPE one of {types}, or a struct"
