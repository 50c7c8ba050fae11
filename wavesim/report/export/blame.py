"""Blame: who is responsible for each stall of a wave, by the engine's record, with a name for people."""

from __future__ import annotations

from typing import NamedTuple

from wavesim.trace import Timeline


class Blamed(NamedTuple):
    """Who is to blame: a wave's position in ``Trace.waves``, a row of it, and both in words."""

    wave: int
    row: int
    text: str


def blame(timeline: Timeline, position: int) -> dict[int, Blamed]:
    """Number of a stall of the wave at ``position`` -> who is to blame for it (docs/model §16).

    Stalls for which nobody is to blame are left out; so are all of a measured timeline, which does not say.
    """
    wave = timeline.waves[position]
    found = {}
    pairs = zip(wave.stall_by_wave.tolist(), wave.stall_by_row.tolist(), strict=True)
    for stall, (by_wave, by_row) in enumerate(pairs):
        if by_wave >= 0:
            found[stall] = Blamed(by_wave, by_row, named(timeline, by_wave, by_row))
    return found


def named(timeline: Timeline, wave: int, row: int) -> str:
    """An executed instruction in words: its wave, opcode and row."""
    entry = timeline.trace.code[int(timeline.trace.waves[wave].code[row])]
    whose = timeline.waves[wave]
    return f"g{whose.workgroup}w{whose.wave} {entry.instruction.opcode} (row {row})"
