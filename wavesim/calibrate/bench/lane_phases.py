"""Lane phases: which lanes the LDS serves together, and over how many banks, from clocks alone.

All lanes go to one bank, each to a row of its own: every lane costs a clock. Two lanes that ask for the same
dword cost one clock less if they are served together, and none less if they are not. A program with many
such pairs tells how many of them are together, so a right guess (the stock table) is confirmed by a few
programs, and a wrong one is put right by halving.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from struct import pack

import numpy as np

from wavesim.calibrate.bench.benchmark import LDS_BYTES, Benchmark, register, repeat
from wavesim.calibrate.bench.samples import Progress, Samples, run
from wavesim.calibrate.bench.template import Body
from wavesim.calibrate.device.base import Device
from wavesim.isa.banks import array_clk
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import LDS_KINDS, LDS_WIDTHS_BYTES, LanePhases, Machine

ACCESSES = 48
"""Accesses in a row: a pair served together shows as so many clocks."""

ROW_BYTES = {32: 128, 64: 256}
"""Banks -> bytes after which the same bank comes again."""

MAX_OFF = 0.35
"""A number of pairs further from a whole one than this is not a number of pairs."""

Pair = tuple[int, int]
Pairs = tuple[Pair, ...]
Clocks = Callable[[str, int, Pairs, int], float]
"""Kind, bytes per lane, pairs with a common dword, bytes from row to row -> clk of the program."""


class Inconsistent(Exception):
    """Clocks that no partition of the lanes explains."""


@dataclass(frozen=True)
class FoundPhases:
    """What was found for one kind and width: ``phases`` is None where the clocks do not say."""

    phases: LanePhases | None
    why: str = ""


def phase_benchmark(kind: str, width: int, pairs: Pairs, row_bytes: int) -> Benchmark:
    """The program: accesses of ``width`` bytes per lane, lane n in row n, the second lane of a pair in
    the first one's row."""
    rows = list(range(LANES))
    for first, second in pairs:
        rows[second] = rows[first]
    registers = width // 4
    target = register(16, registers)
    access = f"ds_read_b{8 * width} {target}, v4" if kind == "read" else f"ds_write_b{8 * width} v4, {target}"
    # a write that finds the LDS idle leaves in whole slots, so a slow read goes before the first one
    slow = ["ds_read_b32 v15, v6"] if kind == "write" else []
    setup = [
        "v_lshlrev_b32_e32 v5, 2, v0",
        "v_lshlrev_b32_e32 v6, 8, v0",  # one bank for all, of 32 and of 64
        "global_load_dword v4, v5, s[4:5]",
        *[f"v_mov_b32_e32 v{16 + number}, 0" for number in range(registers)],
    ]
    body = Body(
        [*slow, *repeat(ACCESSES, access)],
        setup,
        ["s_waitcnt lgkmcnt(0)"],
        lds_bytes=LDS_BYTES,
        data=pack(f"<{LANES}I", *(row * row_bytes for row in rows)),
        operations=ACCESSES,
    )
    return Benchmark(f"phases_{kind}_b{8 * width}", "lanes that are served together", (), body)


def sample_name(kind: str, width: int, pairs: Pairs, row_bytes: int) -> str:
    """Under which the clocks of a program are kept."""
    named = ",".join(f"{first}={second}" for first, second in pairs)
    return f"phases_{kind}_b{8 * width}_{row_bytes}:{named}"


def find_phases(stock: Machine, clocks: Clocks) -> dict[tuple[str, int], FoundPhases]:
    """Phases of every kind and width, in the order of the machine file; a KeyError of ``clocks`` (samples
    without the program) leaves a kind and width undetermined."""
    found = {}
    for kind in LDS_KINDS:
        for width in LDS_WIDTHS_BYTES:
            try:
                found[kind, width] = FoundPhases(_find(stock.lds_phases[kind, width], kind, width, clocks))
            except KeyError:
                found[kind, width] = FoundPhases(None, "the samples do not say")
            except Inconsistent as problem:
                found[kind, width] = FoundPhases(None, str(problem))
    return found


def from_samples(samples: Samples) -> Clocks:
    """Clocks that were kept."""

    def clocks(kind: str, width: int, pairs: Pairs, row_bytes: int) -> float:
        return float(samples.median(sample_name(kind, width, pairs, row_bytes))[0])

    return clocks


def measure_phases(
    device: Device,
    stock: Machine,
    samples: Samples,
    *,
    repeats: int,
    progress: Progress | None = None,
    save: Callable[[Samples], None] | None = None,
) -> None:
    """Run what is needed to find the phases and is not among the samples yet. Which program comes next
    depends on the clocks of the last one: about 40 if the stock table is right, up to 100 for each kind and
    width where it is not.

    Raises:
        DeviceError: the device fails.
    """
    kept = from_samples(samples)

    def clocks(kind: str, width: int, pairs: Pairs, row_bytes: int) -> float:
        name = sample_name(kind, width, pairs, row_bytes)
        if len(samples.clk.get(name, [])) < repeats:
            if progress is not None:
                place = 4 * LDS_KINDS.index(kind) + LDS_WIDTHS_BYTES.index(width)
                progress(f"lane phases of {kind} b{8 * width}", place / 8)
            samples.clk[name] = run(device, phase_benchmark(kind, width, pairs, row_bytes), repeats)
            if save is not None:
                save(samples)
        return kept(kind, width, pairs, row_bytes)

    find_phases(stock, clocks)


def with_phases(machine: Machine, found: Mapping[tuple[str, int], FoundPhases]) -> Machine:
    """The machine with the phases that were found; where they are the stock ones, it is the same machine."""
    phases = dict(machine.lds_phases)
    for key, each in found.items():
        if each.phases is not None and not same_phases(each.phases, phases[key]):
            phases[key] = each.phases
    if phases == dict(machine.lds_phases):
        return machine
    array_clk = {(kind, width): each.conflict_free_clk(width) for (kind, width), each in phases.items()}
    return replace(
        machine, lds_phases=phases, parameters=replace(machine.parameters, lds_array_clk=array_clk)
    )


def same_phases(one: LanePhases, other: LanePhases) -> bool:
    """Whether they are the same, in whatever order: the clocks of an access do not depend on it."""
    return one.banks == other.banks and set(map(frozenset, one.phases)) == set(map(frozenset, other.phases))


def _find(stock: LanePhases, kind: str, width: int, clocks: Clocks) -> LanePhases:
    row_bytes = ROW_BYTES[64]
    base = clocks(kind, width, (), row_bytes)

    def together(pairs: Sequence[Pair]) -> Iterator[Pair]:
        """Which of the disjoint pairs are served together."""
        if not pairs:
            return
        off = (base - clocks(kind, width, tuple(pairs), row_bytes)) / ACCESSES
        count = round(off)
        if abs(off - count) > MAX_OFF or not 0 <= count <= len(pairs):
            raise Inconsistent(f"{len(pairs)} pairs of lanes show as {off:.2f} that are served together")
        if count == len(pairs):
            yield from pairs
        elif count:
            half = len(pairs) // 2
            yield from together(pairs[:half])
            yield from together(pairs[half:])

    parts = _Parts()
    for begin in (0, 1):
        guess = [
            (lanes[place], lanes[place + 1])
            for lanes in stock.phases
            for place in range(begin, len(lanes) - 1, 2)
        ]
        for first, second in together(guess):
            parts.join(first, second)
    while (pairs := parts.unknown_pairs()) != []:
        parts.compared |= {parts.names(pair) for pair in pairs}
        for first, second in together(pairs):
            parts.join(first, second)
    phases = parts.groups()
    if len(phases) == LANES:
        raise Inconsistent("no two lanes share a dword; nothing can be said")
    # rows of 128 bytes are on one bank of 32, or on two of 64 in turn: then there are fewer conflicts
    rows = np.arange(LANES) * ROW_BYTES[32]
    expected = {banks: array_clk(LanePhases(phases, banks), rows, width) for banks in ROW_BYTES}
    seen = LANES - (base - clocks(kind, width, (), ROW_BYTES[32])) / ACCESSES
    banks = min(expected, key=lambda each: abs(expected[each] - seen))
    if abs(expected[banks] - seen) > MAX_OFF or expected[32] == expected[64]:
        raise Inconsistent(f"conflicts of {seen:.2f} clk are those of neither 32 nor 64 banks")
    return LanePhases(phases, banks)


class _Parts:
    """Lanes known to be served together, and which of these sets were compared."""

    def __init__(self) -> None:
        self.part = list(range(LANES))  # each lane's set, named by its lowest lane
        self.compared: set[tuple[int, int]] = set()

    def join(self, first: int, second: int) -> None:
        """Two lanes turned out to be served together: so are their sets."""
        low, high = sorted((self.part[first], self.part[second]))
        if low == high:
            return
        self.part = [low if name == high else name for name in self.part]
        self.compared = {
            tuple(sorted(low if name == high else name for name in names))  # type: ignore[misc]
            for names in self.compared
        }

    def names(self, pair: Pair) -> tuple[int, int]:
        """The two sets of a pair of lanes, the lower name first."""
        low, high = sorted((self.part[pair[0]], self.part[pair[1]]))
        return low, high

    def unknown_pairs(self) -> list[Pair]:
        """Disjoint pairs of lanes, one from each of two sets that were not compared yet."""
        free: dict[int, list[int]] = {}
        for lane in reversed(range(LANES)):
            free.setdefault(self.part[lane], []).append(lane)
        names, pairs = sorted(free), []
        for number, low in enumerate(names):
            for high in names[number + 1 :]:
                if free[low] and free[high] and (low, high) not in self.compared:
                    pair = free[low].pop(), free[high].pop()
                    pairs.append(pair)
        return pairs

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The sets, by their lowest lane."""
        return tuple(
            tuple(lane for lane in range(LANES) if self.part[lane] == name) for name in sorted(set(self.part))
        )
