"""Rule lds-race: two waves touch the same LDS byte, one writes, and nothing orders them.

Independent of the simulated timing. Between two barriers of a workgroup nothing orders its waves, so an
access is alive in every barrier interval from its issue to the wait that completes it: a read whose
``lgkmcnt`` wait stands behind the barrier may happen on either side of it. Two accesses of different
waves race if they share a byte and an interval and one of them writes; but for two atomics, and for two
executions of one instruction that store the same value (data that several waves hold, as compilers store
it): whichever comes last, the byte is the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.check.waits import span_of
from wavesim.emulate.observe import LdsAccess
from wavesim.program import Finding, Severity
from wavesim.trace import Kind, Trace, WaveTrace

_Line = tuple[str, int]

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class _Alive:
    access: LdsAccess
    first: int
    last: int


def lds_races(trace: Trace, accesses: Sequence[LdsAccess], lds_bytes: int) -> Iterator[Finding]:
    """One finding per writing instruction that races, in program order; it names the first other one.
    Where lines of the program are several instructions each, one finding per pair of lines."""
    by_wave: dict[int, list[LdsAccess]] = defaultdict(list)
    for access in accesses:
        by_wave[access.wave].append(access)
    pairs: dict[tuple[int, int], tuple[LdsAccess, LdsAccess, int]] = {}
    for workgroup in sorted({wave.workgroup for wave in trace.waves}):
        alive: list[_Alive] = []
        for position, wave in enumerate(trace.waves):
            if wave.workgroup == workgroup:
                alive.extend(_intervals(trace, wave, by_wave[position]))
        for first, second, byte in _racing(alive, lds_bytes):
            low, high = sorted((first, second), key=lambda access: (access.index, access.wave))
            pairs.setdefault((low.index, high.index), (low, high, byte))
    instructions: Counter[_Line] = Counter(_line(trace, index) for index in range(len(trace.code)))
    groups: dict[tuple[_Line, _Line | None], list[tuple[int, int]]] = defaultdict(list)
    for key in sorted(pairs):
        low, high, _ = pairs[key]
        writer, other = (low, high) if low.write else (high, low)
        line = _line(trace, writer.index)
        # a line of a tile program is many instructions: then by pairs of lines
        groups[line, _line(trace, other.index) if instructions[line] > 1 else None].append(key)
    for (_, other_line), keys in groups.items():
        yield _finding(trace, *pairs[keys[0]], count=len(keys), lines=other_line is not None)


def _line(trace: Trace, index: int) -> _Line:
    """File and line of an instruction; an instruction without a place is a line of its own."""
    span = trace.program.instructions[index].span
    return (span.file, span.line) if span is not None else ("", index)


def races_at_all(trace: Trace, accesses: Sequence[LdsAccess], lds_bytes: int) -> bool:
    """Whether any two accesses race; ends at the first that do."""
    by_wave: dict[int, list[LdsAccess]] = defaultdict(list)
    for access in accesses:
        by_wave[access.wave].append(access)
    for workgroup in sorted({wave.workgroup for wave in trace.waves}):
        alive: list[_Alive] = []
        for position, wave in enumerate(trace.waves):
            if wave.workgroup == workgroup:
                alive.extend(_intervals(trace, wave, by_wave[position]))
        if any(True for _ in _racing(alive, lds_bytes)):
            return True
    return False


def _intervals(trace: Trace, wave: WaveTrace, accesses: list[LdsAccess]) -> Iterator[_Alive]:
    """The barrier intervals in which each access may take place."""
    kinds = [entry.kind for entry in trace.code]
    rows = wave.code
    barrier_rows = np.flatnonzero(np.isin(rows, [i for i, k in enumerate(kinds) if k is Kind.BARRIER]))
    for from_memory in (False, True):
        chosen = [access for access in accesses if access.from_memory is from_memory]
        if not chosen:
            continue
        completed_at = completion_rows(trace, wave, memory=from_memory)
        for access in chosen:
            first = int(np.searchsorted(barrier_rows, access.row))
            last = int(np.searchsorted(barrier_rows, completed_at.get(access.row, NEVER)))
            yield _Alive(access, first, last)


def completion_rows(trace: Trace, wave: WaveTrace, *, memory: bool) -> dict[int, int]:
    """For each operation's row, the row of the wait that completes it (absent: none does)."""
    counted = [
        index
        for index, entry in enumerate(trace.code)
        if (
            entry.vm_increment
            if memory
            else entry.lgkm_increment and entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE)
        )
    ]
    operations = np.flatnonzero(np.isin(wave.code, counted))
    open_from = 0
    done: dict[int, int] = {}
    waits = [index for index, entry in enumerate(trace.code) if entry.kind is Kind.WAIT]
    for row in np.flatnonzero(np.isin(wave.code, waits)).tolist():
        entry = trace.code[int(wave.code[row])]
        count = entry.wait_vmcnt if memory else entry.wait_lgkmcnt
        if count is None:
            continue
        through = int(np.searchsorted(operations, row)) - count
        for operation in operations[open_from : max(through, open_from)].tolist():
            done[operation] = row
        open_from = max(through, open_from)
    return done


def _racing(alive: list[_Alive], lds_bytes: int) -> Iterator[tuple[LdsAccess, LdsAccess, int]]:
    if not alive:
        return
    last_interval = max(each.first for each in alive)
    starting: dict[int, list[_Alive]] = defaultdict(list)
    for each in alive:
        starting[each.first].append(each)
    current: list[_Alive] = []
    for interval in range(last_interval + 1):
        current = [each for each in current if each.last >= interval] + starting[interval]
        yield from _races_in([each.access for each in current], lds_bytes)


def _races_in(accesses: list[LdsAccess], lds_bytes: int) -> Iterator[tuple[LdsAccess, LdsAccess, int]]:
    writers: npt.NDArray[np.uint64] = np.zeros(lds_bytes, np.uint64)
    readers: npt.NDArray[np.uint64] = np.zeros(lds_bytes, np.uint64)
    harmless = _OneValue(lds_bytes)
    touched = []
    for access in accesses:
        bytes_touched = access.touched()
        bytes_touched = bytes_touched[(bytes_touched >= 0) & (bytes_touched < lds_bytes)]
        touched.append(bytes_touched)
        mask = writers if access.write else readers
        mask[bytes_touched] |= np.uint64(1 << access.wave)
        if access.write:
            harmless.store(access, bytes_touched)
    several = (writers & (writers - np.uint64(1))) != 0
    if several.any():
        several &= harmless.differs() | (readers != 0)
    racy = (writers != 0) & (several | ((readers & ~writers) != 0))
    if not racy.any():
        return
    yield from _pairs_on(accesses, touched, racy)


class _OneValue:
    """Which bytes only atomics write, or one instruction with one value."""

    def __init__(self, lds_bytes: int) -> None:
        self._stored: npt.NDArray[np.int64] = np.full(lds_bytes, -1, np.int64)
        self._differs: npt.NDArray[np.bool_] = np.zeros(lds_bytes, np.bool_)
        self._atomic: npt.NDArray[np.bool_] = np.zeros(lds_bytes, np.bool_)

    def store(self, access: LdsAccess, touched: npt.NDArray[np.int64]) -> None:
        """A write to the bytes ``touched`` (those of the access that are inside)."""
        if access.atomic:
            self._atomic[touched] = True
            return
        if access.values is None or len(access.values) != len(touched):
            self._differs[touched] = True
            self._stored[touched] = 0
            return
        wanted = access.values.astype(np.int64) | access.index << 8
        before = self._stored[touched]
        self._differs[touched[(before >= 0) & (before != wanted)]] = True
        self._stored[touched] = wanted

    def differs(self) -> npt.NDArray[np.bool_]:
        """Whether the order of the writes can matter, by byte."""
        return self._differs | self._atomic & (self._stored >= 0)


def _pairs_on(
    accesses: list[LdsAccess], touched: list[npt.NDArray[np.int64]], racy: npt.NDArray[np.bool_]
) -> Iterator[tuple[LdsAccess, LdsAccess, int]]:
    """Racing pairs by static instruction: for each byte its first writer against every other access."""
    first_writer = np.full(len(racy), -1, np.int64)
    involved = [number for number, bytes_touched in enumerate(touched) if racy[bytes_touched].any()]
    for number in reversed(involved):
        if accesses[number].write:
            first_writer[touched[number][racy[touched[number]]]] = number
    seen: set[tuple[int, int]] = set()
    for number in involved:
        places = touched[number][racy[touched[number]]]
        for writer in np.unique(first_writer[places]).tolist():
            if writer < 0 or accesses[writer].wave == accesses[number].wave:
                continue
            if accesses[writer].atomic and accesses[number].atomic:
                continue
            key = (accesses[writer].index, accesses[number].index)
            if key not in seen:
                seen.add(key)
                yield accesses[writer], accesses[number], int(places[first_writer[places] == writer][0])


def _finding(
    trace: Trace, first: LdsAccess, second: LdsAccess, byte: int, *, count: int, lines: bool
) -> Finding:
    program = trace.program
    words = ["writes" if access.write else "reads" for access in (first, second)]
    names = [program.instructions[access.index].opcode for access in (first, second)]
    waves = [trace.waves[access.wave].wave for access in (first, second)]
    more = ""
    if count > 1 and lines:
        more = f"; so do {count - 1} more pairs of instructions of these two lines"
    elif count > 1:
        more = f"; {count - 1} more instructions race with the same one"
    return Finding(
        rule="lds-race",
        severity=Severity.ERROR,
        message=(
            f"{names[0]} of wave {waves[0]} {words[0]} LDS byte {byte} (0x{byte:x}) and {names[1]} of wave "
            f"{waves[1]} {words[1]} it, with no barrier between them that both have completed before" + more
        ),
        spans=(span_of(program, first.index), span_of(program, second.index)),
        waves=tuple(sorted(set(waves))),
        fix="wait for the first access (s_waitcnt), then s_barrier, before the second",
    )
