"""isa/valu_pairs.csv: which VALU instructions have room in one slot beside another (gfx950), by opcode.

The file tells opcodes that were seen, each with its evidence. What it does not tell gets a class by its
structure here: a guess.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.kinds import Kind
from wavesim.isa.machine import CONFIDENCES
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.paths import data_dir
from wavesim.source_text import read_text

CLASSES = ("0", "1", "2")
"""Never, restricted, free."""
NEVER, LONG, PLAIN = (0, 0), (0, 1), (1, 1)
_NUMBERS = ("as_first", "as_second", "first_decisions", "second_decisions")
_WIDE_PRODUCTS = ("v_mul_lo_u32", "v_mul_hi_u32", "v_mul_hi_i32")


@dataclass(frozen=True, slots=True)
class PairRow:
    """An opcode's classes as the first and as the second of two, and how many decisions told each."""

    opcode: str
    as_first: int
    as_second: int
    first_decisions: int
    second_decisions: int
    confidence: str
    source: str


@cache
def pair_rows() -> Mapping[str, PairRow]:
    """The rows of the file by opcode (SDWA forms end in ``_sdwa``).

    Raises:
        UserError: a row is not complete, or an opcode stands twice.
    """
    path = data_dir("isa") / "valu_pairs.csv"
    lines = [
        (number, line)
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line and not line.startswith("#")
    ]
    rows: dict[str, PairRow] = {}
    for fields, (number, _) in zip(csv.DictReader(line for _, line in lines), lines[1:], strict=True):
        span = SourceSpan(str(path), number)
        numbers = [fields[name] or "" for name in _NUMBERS]
        if not set(numbers[:2]) <= set(CLASSES) or not all(text.isdecimal() for text in numbers):
            raise UserError(f"{fields['opcode']}: {numbers}", span, "classes 0, 1 or 2, and two counts")
        if fields["confidence"] not in CONFIDENCES or not fields["source"]:
            hint = f"a source, and one of {', '.join(CONFIDENCES)}"
            raise UserError(f"{fields['opcode']}: no source, or no such confidence", span, hint)
        if fields["opcode"] in rows:
            raise UserError(f"{fields['opcode']} stands twice", span)
        as_first, as_second, firsts, seconds = map(int, numbers)
        rows[fields["opcode"]] = PairRow(
            fields["opcode"], as_first, as_second, firsts, seconds, fields["confidence"], fields["source"]
        )
    return MappingProxyType(rows)


def guessed_classes(info: OpcodeInfo) -> tuple[int, int]:
    """Classes of an opcode that nobody has seen, by its structure.

    As all opcodes of the file that share it: never what computes several values at once, double precision and
    what takes several slots; 64-bit operands and 32-bit products not as the first; others restricted.
    """
    alone = {"packed_f32", "packed", "mix", "f64", "multi_slot"}
    if info.kind is not Kind.VALU or info.flags & alone or "_pk" in info.name or "scalef32" in info.name:
        return NEVER
    wide = any(spec.dwords > 1 and "v" in spec.kinds for spec in info.operands)
    return LONG if wide or info.name in _WIDE_PRODUCTS else PLAIN


def pair_classes(info: OpcodeInfo, form: str) -> tuple[int, int]:
    """(as first, as second) of an opcode in its ``form`` ("", "dpp" or "sdwa"); no DPP form was ever seen."""
    if form == "dpp":
        return NEVER
    row = pair_rows().get(f"{info.name}_sdwa" if form == "sdwa" else info.name)
    if row is not None:
        return row.as_first, row.as_second
    return guessed_classes(info)
