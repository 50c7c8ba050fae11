"""The MFMA table of isa/mfma.csv: shape, passes and wait states of every matrix instruction, by architecture.

LLVM spells the same instruction differently on different architectures and takes old spellings on new
ones; a lookup finds every spelling.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.machine import CONFIDENCES
from wavesim.isa.paths import data_dir
from wavesim.isa.timing_parameters import MfmaTiming
from wavesim.source_text import read_text

_NAME = re.compile(r"(v_mfma_[fi]\d+_\d+x\d+x\d+)(?:_(\d+)b)?(_?)(xf32|bf16|f16|f32|f64|i8)(_1k)?")
_NUMBERS = {
    "m": "m",
    "n": "n",
    "k": "k",
    "blocks": "blocks",
    "passes": "passes",
    "flops": "flops",
    "waits_srcC_same": "waits_srcc_same",
    "waits_srcC_overlap": "waits_srcc_overlap",
    "waits_srcAB": "waits_srcab",
    "waits_valu": "waits_valu",
    "waits_mem": "waits_memory",
    "waits_war_valu_write_srcC": "waits_war_srcc",
}
"""Column of the table -> field of :class:`MfmaRow`."""


@dataclass(frozen=True, slots=True)
class MfmaRow:
    """One matrix instruction. ``mfma_format`` is ``fp8`` or ``fp4`` in the two rows of an f8f6f4 opcode
    (with or without an 8-bit operand), else empty. ``waits_*``: wait states that software must leave,
    see isa/mfma.csv. ``flops``: of one wave's instruction."""

    arch: str
    opcode: str
    mfma_format: str
    m: int
    n: int
    k: int
    blocks: int
    passes: int
    flops: int
    hazard_class: str
    waits_srcc_same: int
    waits_srcc_overlap: int
    waits_srcab: int
    waits_valu: int
    waits_memory: int
    waits_war_srcc: int
    source: str
    confidence: str
    note: str


@cache
def mfma_rows(arch: str) -> tuple[MfmaRow, ...]:
    """The rows of ``arch`` in the order of the file (none for an unknown architecture).

    Raises:
        UserError: a row of the table is not complete.
    """
    return tuple(row for row in _all_rows() if row.arch == arch)


@cache
def _all_rows() -> tuple[MfmaRow, ...]:
    path = data_dir("isa") / "mfma.csv"
    numbered = [
        (number, line)
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line and not line.startswith("#")
    ]
    reader = csv.DictReader(line for _, line in numbered)
    return tuple(
        _row(fields, SourceSpan(str(path), number))
        for fields, (number, _) in zip(reader, numbered[1:], strict=True)
    )


def _row(fields: Mapping[str, str], span: SourceSpan) -> MfmaRow:
    numbers: dict[str, int] = {}
    for column, field in _NUMBERS.items():
        text = fields.get(column) or ""
        if not text.isdecimal():
            raise UserError(f"{column}: {text!r}", span, "a whole number")
        numbers[field] = int(text)
    if fields.get("confidence") not in CONFIDENCES or not fields.get("source"):
        raise UserError(
            f"source {fields.get('source')!r}, confidence {fields.get('confidence')!r}",
            span,
            f"a source, and one of {', '.join(CONFIDENCES)}",
        )
    opcode, _, variant = fields["opcode"].partition(" [")
    mfma_format = "" if not variant else "fp8" if variant.startswith("any") else "fp4"
    return MfmaRow(
        arch=fields["arch"],
        opcode=opcode,
        mfma_format=mfma_format,
        hazard_class=fields["hazard_class"],
        source=fields["source"],
        confidence=fields["confidence"],
        note=fields["note"] or "",
        **numbers,
    )


def spellings(row: MfmaRow) -> tuple[str, ...]:
    """Every spelling of the opcode: gfx90a's ``..16x16x16bf16_1k`` and gfx942's ``..16x16x16_bf16`` are one
    instruction, as are ``..32x32x4f16`` and ``..32x32x4_2b_f16``."""
    match = _NAME.fullmatch(row.opcode)
    if not match:
        return (row.opcode,)
    shape, _, separator, dtype, suffix = match.groups()
    names = [row.opcode]
    # gfx90a's bf16 without _1k is another instruction (half the K), which nothing later has
    if separator:
        names.append(shape + dtype + ("_1k" if dtype == "bf16" else ""))
    elif dtype != "bf16" or suffix:
        names.append(shape + (f"_{row.blocks}b_" if row.blocks > 1 else "_") + dtype)
    return tuple(names)


@cache
def mfma_timings(arch: str) -> Mapping[str, MfmaTiming]:
    """What timing needs of each matrix instruction of ``arch``, by every spelling of its opcode."""
    table: dict[str, MfmaTiming] = {}
    narrow = {row.opcode: row for row in mfma_rows(arch) if row.mfma_format == "fp4"}
    for row in mfma_rows(arch):
        if row.mfma_format == "fp4":
            continue
        fp4 = narrow.get(row.opcode)
        timing = MfmaTiming(
            row.opcode, row.passes, fp4.passes if fp4 else 0, row.flops, fp4.flops if fp4 else 0
        )
        for name in spellings(row):
            table.setdefault(name, timing)
    return MappingProxyType(table)


def find_mfma(arch: str, opcode: str) -> tuple[MfmaRow, ...]:
    """The rows of ``opcode`` in any spelling: two for f8f6f4 (fp8 first), none if unknown."""
    return tuple(row for row in mfma_rows(arch) if opcode in spellings(row))
