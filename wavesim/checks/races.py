"""Rules lds-race and global-race: two waves of a workgroup touch the same byte, one writes, and nothing
orders them.

Independent of the simulated timing: what may happen between the barriers, and the flags that waves poll for,
counts (:mod:`wavesim.checks.ordering`, :mod:`wavesim.checks.flag_order`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from wavesim.checks.flag_order import racing_with_flags
from wavesim.checks.ordering import intervals
from wavesim.checks.race_fix import race_fix
from wavesim.checks.race_pairs import Places, RacingPair, bytes_of, racing_pairs
from wavesim.checks.waits import span_of
from wavesim.emulate.observe import Acquire, GlobalAccess, MemoryAccess
from wavesim.program import Finding, Severity
from wavesim.trace import Trace

_Line = tuple[str, int]
_AT_ONCE = 1024


def lds_races(
    trace: Trace, accesses: Sequence[MemoryAccess], lds_bytes: int, acquires: Sequence[Acquire] = ()
) -> Iterator[Finding]:
    """One finding per writing instruction that races, in program order; it names the first other one.
    Where lines of the program are several instructions each, one finding per pair of lines."""
    places = _inside(lds_bytes)
    pairs = (
        pair for _, found in _by_workgroup(trace, accesses, places, lds_bytes, acquires) for pair in found
    )
    for pair, count, lines in _grouped(trace, pairs):
        yield _finding(trace, pair, pair.place, "LDS", count=count, lines=lines, flags=bool(acquires))


def global_races(
    trace: Trace, accesses: Sequence[GlobalAccess], acquires: Sequence[Acquire] = ()
) -> Iterator[Finding]:
    """The same for global memory, allocation by allocation."""
    regions: dict[str, list[GlobalAccess]] = defaultdict(list)
    for access in accesses:
        regions[access.region].append(access)
    for region, touching in regions.items():
        written = _written_bytes(touching)
        if not len(written):
            continue
        pairs = (
            pair
            for _, found in _by_workgroup(trace, touching, _among(written), len(written), acquires)
            for pair in found
        )
        for pair, count, lines in _grouped(trace, pairs):
            byte = int(written[pair.place])
            yield _finding(trace, pair, byte, region, count=count, lines=lines, flags=bool(acquires))


def _written_bytes(accesses: Sequence[GlobalAccess]) -> npt.NDArray[np.int64]:
    """Bytes that any of them writes, ascending; a part of the accesses at a time, to need little memory."""
    written = np.zeros(0, np.int64)
    writes = [access for access in accesses if access.write]
    for first in range(0, len(writes), _AT_ONCE):
        some = [access.touched() for access in writes[first : first + _AT_ONCE]]
        written = np.unique(np.concatenate([written, *some]))
    return written


def races_at_all(
    trace: Trace, accesses: Sequence[MemoryAccess], lds_bytes: int, acquires: Sequence[Acquire] = ()
) -> bool:
    """Whether any two LDS accesses race; ends at the first that do."""
    found = _by_workgroup(trace, accesses, _inside(lds_bytes), lds_bytes, acquires)
    return any(True for _, pairs in found for _ in pairs)


def _inside(lds_bytes: int) -> Places:
    def places(addresses: npt.NDArray[np.int64], width_bytes: int) -> npt.NDArray[np.int64]:
        touched = bytes_of(addresses, width_bytes)
        if not len(touched) or (addresses.min() >= 0 and addresses.max() + width_bytes <= lds_bytes):
            return touched
        return touched[(touched >= 0) & (touched < lds_bytes)]

    return places


def _among(written: npt.NDArray[np.int64]) -> Places:
    """Places are numbers of the bytes ``written`` (ascending); others cannot race."""

    def places(addresses: npt.NDArray[np.int64], width_bytes: int) -> npt.NDArray[np.int64]:
        touched = bytes_of(addresses, width_bytes)
        at = np.minimum(np.searchsorted(written, touched), len(written) - 1)
        return np.asarray(at[written[at] == touched])

    return places


def _by_workgroup(
    trace: Trace, accesses: Sequence[MemoryAccess], places: Places, size: int, acquires: Sequence[Acquire]
) -> Iterator[tuple[int, Iterator[RacingPair]]]:
    """For each workgroup its racing pairs."""
    by_wave: dict[int, list[MemoryAccess]] = defaultdict(list)
    for access in accesses:
        by_wave[access.wave].append(access)
    for workgroup in sorted({wave.workgroup for wave in trace.waves}):
        members = [place for place, wave in enumerate(trace.waves) if wave.workgroup == workgroup]
        if sum(bool(by_wave[place]) for place in members) < 2:
            continue
        alive = [each for place in members for each in intervals(trace, trace.waves[place], by_wave[place])]
        reads = [acquire for acquire in acquires if acquire.wave in members]
        if not any(wave != read.wave and wave in members for read in reads for wave, _ in read.stores):
            flags = {(read.wave, read.row) for read in reads}
            others = [each for each in alive if each.access.write or _when(each.access) not in flags]
            yield workgroup, racing_pairs(others, places, size)
            continue
        known = {id(each.access): each for each in alive}
        mine = [access for access in accesses if access.wave in members]
        yield workgroup, racing_with_flags(trace, members, known, mine, reads, places, size)


def _when(access: MemoryAccess) -> tuple[int, int]:
    return access.wave, access.row


def _grouped(trace: Trace, found: Iterator[RacingPair]) -> Iterator[tuple[RacingPair, int, bool]]:
    """Pairs to report: one for each writing line, with the number of pairs it stands for and whether those
    are of one pair of lines."""
    pairs: dict[tuple[int, int], RacingPair] = {}
    for pair in found:
        low, high = _in_program_order(pair)
        pairs.setdefault((low.index, high.index), pair)
    instructions: Counter[_Line] = Counter(_line(trace, index) for index in range(len(trace.code)))
    groups: dict[tuple[_Line, _Line | None], list[tuple[int, int]]] = defaultdict(list)
    for key in sorted(pairs):
        low, high = _in_program_order(pairs[key])
        writer, other = (low, high) if low.write else (high, low)
        line = _line(trace, writer.index)
        # a line of a tile program is many instructions: then by pairs of lines
        groups[line, _line(trace, other.index) if instructions[line] > 1 else None].append(key)
    for (_, other_line), keys in groups.items():
        yield pairs[keys[0]], len(keys), other_line is not None


def _in_program_order(pair: RacingPair) -> tuple[MemoryAccess, MemoryAccess]:
    first, second = sorted(
        (pair.writer.access, pair.other.access), key=lambda access: (access.index, access.wave)
    )
    return first, second


def _line(trace: Trace, index: int) -> _Line:
    """File and line of an instruction; an instruction without a place is a line of its own."""
    span = trace.program.instructions[index].span
    return (span.file, span.line) if span is not None else ("", index)


def _finding(
    trace: Trace, pair: RacingPair, byte: int, memory: str, *, count: int, lines: bool, flags: bool
) -> Finding:
    program = trace.program
    first, second = _in_program_order(pair)
    words = ["writes" if access.write else "reads" for access in (first, second)]
    names = [program.instructions[access.index].opcode for access in (first, second)]
    waves = [trace.waves[access.wave].wave for access in (first, second)]
    more = ""
    if count > 1 and lines:
        more = f"; so do {count - 1} more pairs of instructions of these two lines"
    elif count > 1:
        more = f"; {count - 1} more instructions race with the same one"
    in_lds = memory == "LDS"
    where = f"{memory} byte {byte} (0x{byte:x})" if in_lds else f"byte {byte} (0x{byte:x}) of {memory}"
    return Finding(
        rule="lds-race" if in_lds else "global-race",
        # LLVM puts no vmcnt wait before the barrier of a workgroup: it relies on the L1's order
        severity=Severity.ERROR if in_lds or pair.writer.first == pair.other.first else Severity.WARNING,
        message=(
            f"{names[0]} of wave {waves[0]} {words[0]} {where} and {names[1]} of wave "
            f"{waves[1]} {words[1]} it, with no barrier between them that both have completed before" + more
        ),
        spans=(span_of(program, first.index), span_of(program, second.index)),
        waves=tuple(sorted(set(waves))),
        fix=race_fix(trace, pair.writer, pair.other, flags=flags),
    )
