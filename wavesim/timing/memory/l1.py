"""Lines that a compute unit's L1 has: what its waves loaded shortly before, in the order of their issue.

One tag array for each compute unit. The low bits of a line's number choose its set; of a set, the line that
was used longest ago makes room. A load brings its lines whole; what is stored or changed by an atomic is
dropped, as it goes to the L2. A load that is asked to look at the L2 (sc1; glc on gfx90a) does not find its
lines. An instruction that invalidates the L1 empties it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import Kind
from wavesim.isa.machine import Machine
from wavesim.isa.opcodes import opcode_table
from wavesim.timing.memory.sharing import LINE_BYTES
from wavesim.trace import CodeEntry, Timeline, Trace

Int32 = npt.NDArray[np.int32]

_INVALIDATES = ("buffer_inv", "buffer_wbinvl1")


class _Use(IntEnum):
    """What an instruction does with lines in the L1."""

    NOTHING = 0
    FINDS = 1
    BRINGS = 2  # anew, whatever the L1 has
    DROPS = 3
    EMPTIES = 4


def find_hits(trace: Trace, timeline: Timeline, machine: Machine) -> tuple[Int32, ...]:
    """By wave and instruction, how many of its lines the L1 has; in the order of issue of ``timeline``, a
    timing of the same streams."""
    use = np.array([_use(entry, trace.arch) for entry in trace.code], np.int8)
    hits = tuple(np.zeros(len(wave), np.int32) for wave in trace.waves)
    if not _again(trace, use):
        return hits
    rows = [np.flatnonzero(use[wave.code]) for wave in trace.waves]
    wave = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    row = np.concatenate(rows)
    issue = np.concatenate([timed.issue_clk[own] for timed, own in zip(timeline.waves, rows, strict=True)])
    order = np.argsort(issue, kind="stable")
    tags = _Tags(machine.integer("memory.l1_bytes") // LINE_BYTES, machine.integer("memory.l1_ways"))
    lines = [each.lines.tolist() for each in trace.waves]
    for position, at in zip(wave[order].tolist(), row[order].tolist(), strict=True):
        each = trace.waves[position]
        begin, end = int(each.line_offsets[at]), int(each.line_offsets[at + 1])
        hits[position][at] = tags.use(_Use(use[each.code[at]]), lines[position][begin:end])
    return hits


def _use(entry: CodeEntry, arch: str) -> _Use:
    """What an instruction does with lines in the L1."""
    instruction = entry.instruction
    if instruction.opcode.startswith(_INVALIDATES):
        return _Use.EMPTIES
    info = opcode_table().get(instruction.opcode)
    if entry.kind is Kind.VMEM_STORE or (info is not None and "atomic" in info.flags):
        return _Use.DROPS
    if entry.kind is not Kind.VMEM_LOAD:
        return _Use.NOTHING
    beyond = instruction.modifier("glc" if arch == "gfx90a" else "sc1")
    return _Use.BRINGS if beyond else _Use.FINDS


def _again(trace: Trace, use: npt.NDArray[np.int8]) -> bool:
    """Whether any line is loaded twice."""
    loaded = []
    for wave in trace.waves:
        if len(wave.line_offsets) != len(wave) + 1:
            return False  # nothing is recorded
        of_row = np.repeat(use[wave.code], np.diff(wave.line_offsets))
        loaded.append(wave.lines[(of_row == _Use.FINDS) | (of_row == _Use.BRINGS)])
    lines = np.concatenate(loaded)
    return len(np.unique(lines)) < len(lines)


class _Tags:
    """The lines in the L1 by set, the one that was used longest ago first."""

    def __init__(self, most: int, ways: int) -> None:
        self.ways = min(most, ways)
        self.sets: list[OrderedDict[int, None]] = [OrderedDict() for _ in range(most // self.ways)]

    def use(self, use: _Use, lines: Iterable[int]) -> int:
        """An instruction uses its lines; how many of them it finds."""
        if use is _Use.EMPTIES:
            for held in self.sets:
                held.clear()
            return 0
        found = 0
        for line in lines:
            held = self.sets[line % len(self.sets)]
            if use is _Use.DROPS:
                held.pop(line, None)
            elif line in held:
                held.move_to_end(line)
                found += use is _Use.FINDS
            else:
                held[line] = None
                if len(held) > self.ways:
                    held.popitem(last=False)
        return found
