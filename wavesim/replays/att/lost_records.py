"""Records that a trace lost in the middle of a wave: an instruction that cannot follow the one before it.

Control passes to the next instruction, or to the target of a branch; only a jump to an address in a register,
a call or a return leads anywhere. If a wave's next record is at none of these places, the decoder lost the
records in between. The shortest way through the code says how many there were at least.

Whole passes of a loop can be lost without a break in the order. Then the wave seems to stand still after the
jump back for as long as a pass takes, where in all traces it goes on within 40 clk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.program import Program, Symbol
from wavesim.replays.att.folder import CLOCK, CODE_ID, DURATION, RawWave
from wavesim.trace import CodeEntry, Kind

Int64 = npt.NDArray[np.int64]

ANYWHERE = ("s_setpc", "s_swappc", "s_call", "s_rfe", "s_trap", "s_cbranch_g_fork", "s_cbranch_i_fork")
"""Beginnings of the opcodes after which the next instruction may be any."""
MOST_STEPS = 100_000
STANDS_STILL_CLK = 100
PASS_SHARE = 0.9
"""A jump back that takes longer than this, and than this share of the shortest pass, hides a pass."""
MOST_TOLD = 4
"""Waves whose losses are listed one by one."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Lost records: between ``row`` of a wave and the next row, at least ``count`` (0: no way is known)."""

    row: int
    count: int


class Successors:
    """Which instructions of a program may follow each one, by their indices."""

    def __init__(self, program: Program, code: Sequence[CodeEntry]) -> None:
        addresses = np.asarray(program.addresses, np.int64)
        at = {int(address): place for place, address in enumerate(addresses)}
        self._next: list[tuple[int, ...]] = []
        self._free = np.zeros(len(code), bool)
        self._known: dict[tuple[int, int], int] = {}
        for place, entry in enumerate(code):
            instruction = entry.instruction
            self._free[place] = instruction.opcode.startswith(ANYWHERE)
            following = at.get(int(addresses[place]) + program.sizes[place])
            places = [] if entry.kind in (Kind.ENDPGM, Kind.BRANCH) or following is None else [following]
            if entry.kind in BRANCH_KINDS:
                target = instruction.operands[0] if instruction.operands else None
                if isinstance(target, Symbol) and target.name in program.labels:
                    places.append(program.labels[target.name])
                else:
                    self._free[place] = True  # a target that the listing does not show
            if following is None and entry.kind not in (Kind.ENDPGM, Kind.BRANCH):
                self._free[place] = True
            self._next.append(tuple(places))

    def lost(self, ids: Int64) -> list[Lost]:
        """The places of a wave's rows (indices of instructions) between which records are missing."""
        pairs, inverse = np.unique(ids[:-1] * np.int64(len(self._next)) + ids[1:], return_inverse=True)
        suspicious = np.zeros(len(pairs), bool)
        for number, pair in enumerate(pairs.tolist()):
            one, other = divmod(pair, len(self._next))
            suspicious[number] = not self._free[one] and other not in self._next[one]
        rows = np.flatnonzero(suspicious[inverse]).tolist()
        return [Lost(row, self._steps(int(ids[row]), int(ids[row + 1]))) for row in rows]

    def _steps(self, one: int, other: int) -> int:
        """Instructions on the shortest way between two, both left out; 0 if there is none."""
        if (one, other) not in self._known:
            self._known[one, other] = self._search(one, other)
        return self._known[one, other]

    def _search(self, one: int, other: int) -> int:
        seen = {one}
        queue = deque((place, 1) for place in self._next[one])
        while queue and len(seen) < MOST_STEPS:
            place, steps = queue.popleft()
            if place in seen:
                continue
            seen.add(place)
            if other in self._next[place]:
                return steps
            queue.extend((each, steps + 1) for each in self._next[place])
        return 0


def whole_part(
    waves: Sequence[RawWave], index: npt.NDArray[np.int32], program: Program, code: Sequence[CodeEntry]
) -> tuple[tuple[RawWave, ...], list[str]]:
    """The waves up to their first lost record, and what is to be said of each that lost some.

    Args:
        waves: as read.
        index: of each row of code.json the instruction's index in the program.
        program: the listing.
        code: its instructions, decoded.
    """
    successors = Successors(program, code)
    passes = _shortest_passes(waves)
    kept: list[RawWave] = []
    told: list[str] = []
    unended = 0
    for wave in waves:
        ids = index[wave.rows[:, CODE_ID]].astype(np.int64)
        places = sorted([*successors.lost(ids), *_lost_passes(wave, passes)], key=lambda lost: lost.row)
        if places:
            told.append(_told(wave, places, code[int(ids[places[0].row])]))
            rows = wave.rows[: places[0].row + 1]
            wave = replace(wave, rows=rows, end_clk=int(rows[-1, CLOCK] + rows[-1, DURATION]))
        elif code[int(ids[-1])].kind is not Kind.ENDPGM:
            unended += 1
        kept.append(wave)
    if len(told) > MOST_TOLD:
        told[MOST_TOLD:] = [f"records are lost in {len(told) - MOST_TOLD} further waves, too"]
    if unended:
        told.append(f"{unended} of {len(waves)} waves end without their s_endpgm: the trace breaks off")
    return tuple(kept), told


Edge = tuple[int, int]
"""Code ids of a jump back and of where it leads."""


def _jumps_back(wave: RawWave) -> Iterator[tuple[Edge, Int64]]:
    """Each jump back of a wave with the rows that take it."""
    ids = wave.rows[:, CODE_ID]
    rows = np.flatnonzero(ids[1:] <= ids[:-1])
    for one, other in dict.fromkeys(zip(ids[rows].tolist(), ids[rows + 1].tolist(), strict=True)):
        yield (one, other), rows[(ids[rows] == one) & (ids[rows + 1] == other)]


def _shortest_passes(waves: Sequence[RawWave]) -> dict[Edge, tuple[int, int]]:
    """Fewest clocks and fewest instructions from one time that a jump back is taken to the next."""
    found: dict[Edge, tuple[int, int]] = {}
    for wave in waves:
        for edge, rows in _jumps_back(wave):
            if len(rows) > 1:
                clk, count = int(np.diff(wave.rows[rows, CLOCK]).min()), int(np.diff(rows).min())
                before = found.get(edge, (clk, count))
                found[edge] = (min(before[0], clk), min(before[1], count))
    return found


def _lost_passes(wave: RawWave, passes: Mapping[Edge, tuple[int, int]]) -> Iterator[Lost]:
    for edge, rows in _jumps_back(wave):
        if edge in passes:
            clk, count = passes[edge]
            stands = wave.rows[rows + 1, CLOCK] - wave.rows[rows, CLOCK] - wave.rows[rows, DURATION]
            least = max(STANDS_STILL_CLK, PASS_SHARE * clk)
            yield from (Lost(row, count) for row in rows[stands >= least].tolist())


def _told(wave: RawWave, places: Sequence[Lost], before: CodeEntry) -> str:
    first = places[0]
    clk = int(wave.rows[first.row + 1, CLOCK] - wave.rows[first.row, CLOCK])
    text = " ".join([before.instruction.opcode, ", ".join(map(str, before.instruction.operands))]).strip()
    count = f"at least {first.count}" if first.count else "nobody knows how many"
    further = len(places) - 1
    more = f", and in {further} further place{'s' * (further != 1)}" if further else ""
    return (
        f"{wave.file}: records are lost after its instruction {first.row + 1} of {len(wave.rows)} (code id "
        f"{int(wave.rows[first.row, CODE_ID])}, `{text}`, clk {int(wave.rows[first.row, CLOCK])}): {count}, "
        f"in {clk} clk{more}; the wave is taken up to there"
    )
