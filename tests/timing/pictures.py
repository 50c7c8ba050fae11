"""A Timeline as text, a line per wave and a character per issue slot: for tests that are to be looked at.

A capital letter is an instruction that issues, ``=`` a further slot that it holds, a small letter or a
sign a slot in which the wave waits. At the end of a line stand the clocks at which data returned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wavesim.trace import Category, Kind, Reason, Timeline

KINDS = {
    Kind.VALU: "V",
    Kind.TRANS: "T",
    Kind.MFMA: "M",
    Kind.LDS_READ: "R",
    Kind.LDS_WRITE: "W",
    Kind.VMEM_LOAD: "G",
    Kind.VMEM_STORE: "G",
    Kind.SALU: "S",
    Kind.SMEM: "S",
    Kind.BRANCH: "J",
    Kind.COND_BRANCH: "J",
    Kind.WAIT: "X",
    Kind.BARRIER: "B",
    Kind.NOP: "N",
    Kind.SLEEP: "N",
    Kind.SETPRIO: "P",
    Kind.ENDPGM: "E",
}
REASONS = {
    Reason.BRANCH: "b",
    Reason.FETCH: "f",
    Reason.DEPENDENCY: "d",
    Reason.BARRIER: "|",
    Reason.LGKMCNT: "l",
    Reason.VMCNT: "v",
    Reason.COUNTER_FULL: "c",
    Reason.MATRIX_PIPE: "m",
    Reason.MFMA_COISSUE: "x",
    Reason.VALU_BUSY: "t",
    Reason.LDS_HOLD: "h",
    Reason.LDS_QUEUE: "q",
    Reason.VMEM_QUEUE: "g",
    Reason.ARBITRATION: "a",
    Reason.PORT: "p",
}
LEGEND = (
    "V VALU, T transcendental, M MFMA, R LDS read, W LDS write, G global memory, S scalar, J branch,",
    "X s_waitcnt, B s_barrier, N s_nop or s_sleep, P s_setprio, E s_endpgm, = further slots of one;",
    "waits: b restart after a branch, f fetch, d dependency, | barrier, l lgkmcnt, v vmcnt, c counter full,",
    "m matrix pipe, x kept out by an MFMA, t VALU busy, h LDS hold, q LDS queue, g memory queue,",
    "a arbitration, p port",
)
SLOT_CLK = 4
MOST_SLOTS = 64
BEFORE_SLOTS = 8
MOST_RETURNS = 6


def lane(timeline: Timeline, position: int) -> str:
    """What a wave does in each slot, from clock 0 to its end."""
    wave, trace = timeline.waves[position], timeline.trace
    slots = [" "] * (wave.last_clk // SLOT_CLK)
    for row, index in enumerate(trace.waves[position].code.tolist()):
        issue, end = int(wave.issue_clk[row]) // SLOT_CLK, int(wave.end_clk[row]) // SLOT_CLK
        slots[issue:end] = KINDS[trace.code[index].kind] + "=" * (end - issue - 1)
        at = issue
        for stall in np.flatnonzero(wave.stall_row == row).tolist()[::-1]:
            length = int(wave.stall_clk[stall]) // SLOT_CLK
            at -= length
            slots[at : at + length] = REASONS[Reason(wave.stall_reason[stall])] * length
    return "".join(slots)


def returns(timeline: Timeline, position: int, from_clk: int) -> list[int]:
    """When the data of a wave's memory instructions is there, from a clock on."""
    wave, trace = timeline.waves[position], timeline.trace
    memory = (Category.LDS, Category.VMEM)
    loads = [entry.category in memory or entry.kind is Kind.SMEM for entry in trace.code]
    done = wave.done_clk[np.array(loads, np.bool_)[trace.waves[position].code]]
    return sorted(done[done >= from_clk].tolist())


def picture(named: Sequence[tuple[str, Timeline]]) -> list[str]:
    """Timelines of the same waves, one below the other; long ones from shortly before a difference on."""
    waves = range(len(named[0][1].waves))
    lanes = {(name, wave): lane(timeline, wave) for name, timeline in named for wave in waves}
    differ = [
        slot
        for wave in waves
        for slot, there in enumerate(zip(*(lanes[name, wave] for name, _ in named), strict=False))
        if len(set(there)) > 1
    ]
    begin = min(differ, default=0) - BEFORE_SLOTS
    begin = begin if begin + 2 * BEFORE_SLOTS > MOST_SLOTS else 0
    width = min(MOST_SLOTS, max(len(slots) - begin for slots in lanes.values()))
    lines = ["clk     " + "".join(f"{SLOT_CLK * slot:<10}" for slot in range(begin, begin + width, 10))]
    for name, timeline in named:
        for wave in waves:
            data = returns(timeline, wave, SLOT_CLK * begin)
            words = [*map(str, data[:MOST_RETURNS]), *["..."] * (len(data) > MOST_RETURNS)]
            slots = lanes[name, wave][begin : begin + width].ljust(width)
            there = "  returns " + " ".join(words) if words else ""
            lines.append(f"{'' if wave else name:<4} w{wave} {slots}{there}")
    return [line.rstrip() for line in lines]
