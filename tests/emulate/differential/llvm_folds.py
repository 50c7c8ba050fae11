"""What LLVM makes of operations on constants: its folder is a second source of what an opcode computes.

Every operation stands in a function of one module that returns the result's bits; opt folds it to a constant.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from compiled_function import llvm

LLVM_TYPES = {
    "f16": "half",
    "f32": "float",
    "f64": "double",
    "i16": "i16",
    "i32": "i32",
    "i64": "i64",
    "i1": "i1",
}
SIZES = {"f16": 16, "f32": 32, "f64": 64, "i16": 16, "i32": 32, "i64": 64, "i1": 1, "v2f16": 32}


@dataclass(frozen=True)
class Fold:
    """An operation in IR and the instruction that computes it.

    ``ir`` is an instruction with {0}, {1}, {2} for the operands; ``kinds`` and ``result`` are types;
    ``text`` is the assembly, as of a Form. ``declare`` is what the module must declare.
    """

    name: str
    ir: str
    kinds: tuple[str, ...]
    result: str
    text: str
    declare: str = ""
    bound: float = 0.0


def intrinsic(
    name: str, kinds: Sequence[str], result: str, text: str, *more: str, bound: float = 0.0
) -> Fold:
    """A call; ``more`` are operands that follow as they are (``i1 true``)."""
    arguments = ", ".join([*(f"{LLVM_TYPES[kind]} {{{at}}}" for at, kind in enumerate(kinds)), *more])
    types = ", ".join([*(LLVM_TYPES[kind] for kind in kinds), *(each.split()[0] for each in more)])
    returned = "<2 x half>" if result == "v2f16" else LLVM_TYPES[result]
    return Fold(
        name,
        f"call {returned} @{name}({arguments})",
        tuple(kinds),
        result,
        text,
        f"declare {returned} @{name}({types})",
        bound,
    )


def operation(word: str, kinds: Sequence[str], result: str, text: str) -> Fold:
    """A plain instruction of two operands of one type."""
    return Fold(
        f"{word}.{kinds[0]}", f"{word} {LLVM_TYPES[kinds[0]]} {{0}}, {{1}}", tuple(kinds), result, text
    )


def conversion(word: str, kind: str, result: str, text: str) -> Fold:
    """A cast."""
    ir = f"{word} {LLVM_TYPES[kind]} {{0}} to {LLVM_TYPES[result]}"
    return Fold(f"{word}.{kind}.{result}", ir, (kind,), result, text)


def _operand(bits: int, kind: str) -> str:
    if kind in ("f16", "f32", "f64"):
        return f"bitcast (i{SIZES[kind]} {bits} to {LLVM_TYPES[kind]})"
    return str(bits)


def _function(number: int, fold: Fold, point: Sequence[int]) -> str:
    operands = [_operand(bits, kind) for bits, kind in zip(point, fold.kinds, strict=True)]
    size = SIZES[fold.result]
    returned = "<2 x half>" if fold.result == "v2f16" else LLVM_TYPES[fold.result]
    lines = [f"%r = {fold.ir.format(*operands)}"]
    if fold.result in ("f16", "f32", "f64", "v2f16"):
        lines.append(f"%b = bitcast {returned} %r to i{size}")
    else:
        lines.append(f"%b = or {returned} %r, 0")
    return f"define i{size} @f{number}() {{\n" + "\n".join(lines) + f"\nret i{size} %b\n}}\n"


_FOLDED = re.compile(r"^define[^@]*@f(\d+)\(\)[^{]*\{\n\s*ret i\d+ (-?\d+|true|false)\n", re.MULTILINE)


def folded(folds: Sequence[Fold], points: Sequence[Sequence[tuple[int, ...]]]) -> list[list[int | None]]:
    """Per fold the result's bits for each of its points; None where LLVM leaves the operation."""
    body, places = [], []
    for at, (fold, some) in enumerate(zip(folds, points, strict=True)):
        for place, point in enumerate(some):
            body.append(_function(len(places), fold, point))
            places.append((at, place))
    declarations = "\n".join(sorted({fold.declare for fold in folds if fold.declare}))
    module = f'target triple = "amdgcn-amd-amdhsa"\n{declarations}\n' + "".join(body)
    command = [llvm("opt"), "-passes=instcombine", "-mcpu=gfx942", "-S", "-o", "-", "-"]
    done = subprocess.run(command, input=module, capture_output=True, text=True, check=True)
    found: list[list[int | None]] = [[None] * len(some) for some in points]
    for number, text in _FOLDED.findall(done.stdout):
        at, place = places[int(number)]
        value = {"true": 1, "false": 0}.get(text) if text in ("true", "false") else int(text)
        assert value is not None
        found[at][place] = value & (1 << SIZES[folds[at].result]) - 1
    return found
