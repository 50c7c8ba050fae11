"""LDS that a kernel uses and does not declare: what the launch adds, as Triton's kernels have it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from wavesim.inputs import note_input
from wavesim.isa.kinds import LANES, LDS_KINDS
from wavesim.isa.opcodes import opcode_table
from wavesim.program import Program

MAX_METADATA_BYTES = 1 << 20
_MOST_LDS_BYTES = 1 << 20
_MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class TritonMetadata:
    """What Triton writes beside a kernel of its cache (``NAME.json``); 0 where it does not say."""

    lds_bytes: int = 0
    workgroup_size: int = 0


def triton_metadata(kernel: Path) -> TritonMetadata:
    """The launch of a kernel in Triton's cache: ``shared`` and ``num_warps`` of the file beside it.

    Any other file, or none, says nothing.
    """
    beside = kernel.with_suffix(".json")
    note_input(beside)
    try:
        if beside.stat().st_size > MAX_METADATA_BYTES:
            return TritonMetadata()
        data = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return TritonMetadata()
    if not isinstance(data, dict) or "triton_version" not in data:
        return TritonMetadata()

    def number(name: str, most: int) -> int:
        value = data.get(name)
        return value if type(value) is int and 0 < value <= most else 0

    lanes = number("warp_size", LANES) or LANES
    return TritonMetadata(
        number("shared", _MOST_LDS_BYTES), number("num_warps", _MOST_THREADS // lanes) * lanes
    )


def uses_lds(program: Program) -> bool:
    """Whether an instruction accesses LDS (permutes and swizzles only pass through it)."""
    table = opcode_table()
    for instruction in program:
        info = table.get(instruction.opcode)
        if info is None or "lane_exchange" in info.flags:
            continue
        to_lds = "_lds_" in instruction.opcode or instruction.modifier("lds") is not None
        if to_lds or info.kind in LDS_KINDS:
            return True
    return False
