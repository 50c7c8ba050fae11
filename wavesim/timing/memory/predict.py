"""Where each load's lines come from, and what that costs: latencies and paths of a Trace, predicted.

All compute units run the same kernel, so that each gets an equal share of what the device's memory does in a
clock. That is the fixed point of their demand: no unit can be faster than its share, and one that asks for
less is not slowed down by it. docs/model, section 15, says where every number comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.semantics.memory.addresses import scratch_bytes
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.archs import ARCHITECTURES
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import role_clk
from wavesim.program import Program
from wavesim.timing.memory.sharing import (
    LINE_BYTES,
    LoadSharing,
    Sharing,
    Unshared,
    find_sharing,
    nothing_shared,
)
from wavesim.trace import FOLLOWS, Trace, WaveTrace
from wavesim.trace import MemoryLevel as Level
from wavesim.trace.trace import MEMORY_COLUMNS

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Hits = tuple[Int32, ...]
"""By wave and instruction, how many of its lines the L1 has."""

PAGE_BYTES = 2 << 20
"""What one translation of addresses is for (MGPUSim issue 276, on measurements of AMD devices)."""

INTERVALS = {"gfx942": 0.10}
"""By architecture, half of the interval around predicted clocks: the largest error of the eight gfx942 GEMM
traces, each left out of the fit in turn, rounded up to a whole per cent (docs/prediction.md). An error of one
kernel more of their kind is the largest of nine in one case of nine."""
UNMEASURED_INTERVAL = 0.20
"""The same for an architecture none of whose kernels was measured with its launch known: twice gfx942's, an
assumption."""


class Round(StrEnum):
    """Which workgroups of a compute unit: its first, when nobody has read anything, or later ones."""

    COLD = "cold"
    WARM = "warm"


@dataclass(frozen=True, slots=True)
class LoadOrigin:
    """One static load: ``accesses`` of a compute unit's waves, the shares of them by level, and the clocks
    that each level needs for what all compute units ask of it."""

    code: int
    accesses: int
    share: Mapping[Level, float]
    clk: Mapping[Level, float]


@dataclass(frozen=True)
class MemoryPrediction:
    """``trace`` has the predicted latencies and paths; ``assumed`` says what had to be taken for granted.
    Where the workgroups' lines cannot be told from each other's, that nobody shares any."""

    trace: Trace
    round: Round
    loads: tuple[LoadOrigin, ...]
    rounds: int
    sharing: Sharing
    interval: float
    assumed: tuple[str, ...] = ()

    def meant(self, clk: float) -> tuple[float, float]:
        """The clocks that predicted ``clk`` stand for: their predictions are off by the interval at most."""
        return clk / (1 + self.interval), clk / (1 - self.interval)

    @property
    def share(self) -> dict[Level, float]:
        """Of all loads' accesses, the share whose slowest line comes from each level."""
        total = max(1, sum(each.accesses for each in self.loads))
        return {
            level: sum(each.accesses * each.share[level] for each in self.loads) / total for level in Level
        }

    @property
    def level_clk(self) -> dict[Level, float]:
        """Clocks in which each level alone gives all compute units what the round's loads ask of it."""
        return {level: sum(each.clk[level] for each in self.loads) for level in Level}


@dataclass(frozen=True, slots=True)
class _Rates:
    """Of the device, lines in a clock, for ``units`` compute units; latencies unloaded, clk. Of accesses to
    lines that nobody has read, the share ``waiting`` waits for the DRAM, each for all of them; the others
    find theirs on the way. A byte that is stored takes the device ``store_clk`` for all units' bytes."""

    units: int
    l2: float
    mall: float
    hbm: float
    rows: float
    waiting: float
    store_clk: float
    latency_clk: Mapping[Level, int]

    @staticmethod
    def of(machine: Machine, units: int, held: Level | None) -> _Rates:
        per_clk = 1 / (machine.number("clock.peak_ghz") * LINE_BYTES)
        halves = 2 * machine.integer("memory.hbm_channels")
        l2_bytes = machine.integer("memory.l2_read_bytes_per_clk") * machine.integer("memory.l2_caches")
        l2_written = machine.integer("memory.l2_write_bytes_per_clk") * machine.integer("memory.l2_caches")
        written = machine.integer("memory.hbm_write_gbytes_per_s") / machine.number("clock.peak_ghz")
        if held is Level.L2:
            written = l2_written
        return _Rates(
            units,
            l2_bytes / LINE_BYTES,
            machine.integer("memory.mall_read_gbytes_per_s") * per_clk,
            machine.integer("memory.hbm_read_gbytes_per_s") * per_clk,
            halves / (machine.number("memory.hbm_row_ns") * machine.number("clock.peak_ghz")),
            min(1.0, machine.number("memory.hbm_waiting_share")),
            units / min(written, l2_written),
            {
                Level.L1: machine.integer("memory.l1_latency_clk"),
                Level.L2: machine.integer("memory.l2_latency_clk"),
                Level.MALL: machine.integer("memory.mall_latency_clk"),
                Level.HBM: machine.integer("memory.l2_latency_clk"),  # from there on: the way is the path
            },
        )

    def fresh(self, run_lines: float) -> float:
        """Lines a clock that come from the DRAM: so many rows are opened, each for the lines of a run."""
        return min(self.hbm, self.rows * run_lines)


def predict_memory(
    program: Program,
    launch: Launch,
    machine: Machine,
    trace: Trace,
    round: Round | str = Round.COLD,
    sharing: Sharing | None = None,
    hits: Hits | None = None,
    crowded: bool = False,
) -> MemoryPrediction:
    """Predict what global memory costs every access of an executed stream.

    Args:
        program: the kernel.
        launch: its launch; ``trace`` has its workgroups, which share a compute unit.
        machine: of a device.
        trace: the executed streams, with lines.
        round: of the workgroups that share the compute unit; those that follow are in a later one.
        sharing: of an earlier prediction of the same launch; found here where it is not given.
        hits: lines that the L1 has (:func:`wavesim.timing.memory.l1.find_hits`); none without.
        crowded: the L2 gives a compute unit its share of bytes in a clock and no more. Else that is not
            looked at: all that is asked of it fits the time.

    Raises:
        LimitExceeded: the budget of instructions.
    """
    round = Round(round)
    assumed: list[str] = []
    if machine.name in ARCHITECTURES:
        assumed.append(
            f"the device is {ARCHITECTURES[machine.name].device}, whose figures {machine.name} has"
        )
    if sharing is None:
        try:
            sharing = find_sharing(program, launch, machine, trace)
        except Unshared as error:
            sharing = nothing_shared(launch, machine, trace, error.message)
    assumed += sharing.assumed
    touched = sum(
        VirtualMatrix(each, program.arch).size
        for each in launch.arguments
        if isinstance(each, MatrixArgument)
    )
    held = _held(machine, touched)
    if held is not None:
        assumed.append(f"an earlier launch left all {touched / 2**20:.4g} MiB of the matrices in the {held}")
    rates = _Rates.of(machine, sharing.active_units, held)
    if hits is None:
        hits = tuple(np.zeros(len(wave), np.int32) for wave in trace.waves)
    share_hit = _share_hit(trace, hits)
    scratch = _scratch(program, sharing, machine, trace)

    def costs_of(round: Round) -> tuple[dict[int, _Cost], dict[Level, float]]:
        asked = {
            code: _asked(each, share_hit.get(code, 0.0), sharing, round, held)
            for code, each in sharing.loads.items()
        }
        return _costs(asked, rates, crowded)

    first = sum(wave.start_clk != FOLLOWS for wave in trace.waves)  # they stand before those that follow
    costs, _ = at_first = costs_of(round)
    later = costs_of(Round.WARM) if first < len(trace.waves) else at_first
    waves = []
    for position, wave in enumerate(trace.waves):
        of_wave = at_first if position < first else later
        waves.append(_predicted(wave, position, trace, hits[position], *of_wave, rates, scratch))
    if round is Round.COLD:
        scalar_clk = machine.integer("scalar.cold_latency_clk")
        early = [_first_scalar_loads(each, trace, scalar_clk) for each in waves[:first]]
        waves[:first] = _first_pages(early, trace, machine.integer("memory.hbm_latency_clk"))
    executed = np.bincount(
        np.concatenate([wave.code for wave in trace.waves[:first]]), minlength=len(trace.code)
    )
    loads = tuple(
        LoadOrigin(code, int(executed[code]), cost.share, cost.clk) for code, cost in sorted(costs.items())
    )
    return MemoryPrediction(
        replace(trace, waves=tuple(waves), cold_code=round is Round.COLD),
        round,
        loads,
        sharing.rounds,
        sharing,
        INTERVALS.get(program.arch, UNMEASURED_INTERVAL),
        tuple(assumed),
    )


def _held(machine: Machine, touched_bytes: int) -> Level | None:
    """The cache that holds all matrices, if one does: nothing drives them out between two launches."""
    if touched_bytes <= machine.integer("memory.l2_bytes") * machine.integer("memory.l2_caches"):
        return Level.L2
    return Level.MALL if touched_bytes <= machine.integer("memory.mall_bytes") else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one static load asks of the device in all its passes.

    Attributes:
        load: what workgroups share of it.
        hit: the share of its lines that the L1 has.
        touched: pieces that a compute unit touches beyond its L1.
        fresh: of the pieces that all compute units touch, those that come from the DRAM.
        share_fresh: the share of ``touched`` to pieces that come from the DRAM in this round.
        first: the share of ``touched`` that nobody on the same XCD has touched, and somebody elsewhere has.
    """

    load: LoadSharing
    hit: float
    touched: float
    fresh: float
    share_fresh: float
    first: float


def _asked(load: LoadSharing, hit: float, sharing: Sharing, round: Round, held: Level | None) -> _Asked:
    missing = 1 - hit
    brought = min(1.0, missing * load.own / max(1, sharing.per_unit * load.pieces))
    fresh = (
        0 if held is not None else load.device if round is Round.COLD else min(load.device, load.fresh_later)
    )
    share_fresh = fresh / load.device if load.device else 0.0
    touched = load.own * missing
    first = 0.0
    if held is not Level.L2 and touched:
        first = (1 - share_fresh) * load.xcds * brought / (touched * sharing.active_units)
    return _Asked(load, hit, load.passes * touched, load.passes * fresh * brought, share_fresh, first)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of one static load: the share of its lines that the L1 has, the shares of the others by level, and the
    clocks that each level needs."""

    hit: float
    beyond: Mapping[Level, float]
    clk: Mapping[Level, float]

    @property
    def share(self) -> dict[Level, float]:
        """Of all its lines."""
        return {Level.L1: self.hit, **{level: (1 - self.hit) * each for level, each in self.beyond.items()}}


def _costs(
    asked: Mapping[int, _Asked], rates: _Rates, crowded: bool
) -> tuple[dict[int, _Cost], dict[Level, float]]:
    """The cost of every load, and by level the clocks of the path for a line.

    All loads that wait for the DRAM wait in the same queues: each line of fresh pieces takes the same of it.
    If the L2 is ``crowded``, what it needs beyond the clocks of the others is for those that find it.
    """
    loads = list(asked.values())
    waited = sum(each.touched * each.share_fresh for each in loads)
    dram_clk = {code: each.fresh / rates.fresh(each.load.run_lines) for code, each in asked.items()}
    line_clk = dict.fromkeys(Level, 0.0)
    line_clk[Level.HBM] = sum(dram_clk.values()) / waited / rates.waiting if waited else 0.0
    line_clk[Level.MALL] = rates.units / rates.mall
    costs = {}
    for code, each in asked.items():
        hbm = rates.waiting * each.share_fresh
        first = min(each.first, 1 - hbm)
        beyond = {Level.L2: 1 - hbm - first, Level.MALL: first, Level.HBM: hbm}
        clk = {
            Level.L1: 0.0,
            Level.L2: each.touched * rates.units / rates.l2,
            Level.MALL: each.touched * first * line_clk[Level.MALL],
            Level.HBM: dram_clk[code],
        }
        costs[code] = _Cost(each.hit, beyond, clk)
    total = {level: sum(cost.clk[level] for cost in costs.values()) for level in Level}
    finding = sum(each.touched * costs[code].beyond[Level.L2] for code, each in asked.items())
    if crowded and finding:
        line_clk[Level.L2] = max(0.0, total[Level.L2] - total[Level.MALL] - total[Level.HBM]) / finding
    return costs, line_clk


def _share_hit(trace: Trace, hits: Hits) -> dict[int, float]:
    """By static instruction, the share of the lines it touches that the L1 has."""
    found, touched = np.zeros(len(trace.code)), np.zeros(len(trace.code))
    for wave, of_wave in zip(trace.waves, hits, strict=True):
        if len(wave.line_offsets) > 1:
            found += np.bincount(wave.code, weights=of_wave, minlength=len(trace.code))
            touched += np.bincount(wave.code, weights=np.diff(wave.line_offsets), minlength=len(trace.code))
    return {int(code): float(found[code] / touched[code]) for code in np.flatnonzero(found)}


def _scratch(program: Program, sharing: Sharing, machine: Machine, trace: Trace) -> tuple[Bool, int]:
    """Which instructions access scratch alone, and the mean latency of such a load: what all waves of an XCD
    have in scratch finds the L2 as far as that holds it, else a line under way from HBM (FACTS_2, two
    spilling kernels)."""
    mine = np.array([entry.instruction.opcode.startswith("scratch_") for entry in trace.code], np.bool_)
    units = sharing.active_units / machine.integer("memory.l2_caches")
    waves = sum(wave.start_clk != FOLLOWS for wave in trace.waves)
    held = scratch_bytes(program) * LANES * waves * units
    hit = min(1.0, machine.integer("memory.l2_bytes") / held) if held else 1.0
    near, far = role_clk(machine.integer, "l2"), role_clk(machine.integer, "stream")
    return mine, round(hit * near + (1 - hit) * far)


def _predicted(
    wave: WaveTrace,
    position: int,
    trace: Trace,
    hits: Int32,
    costs: Mapping[int, _Cost],
    line_clk: Mapping[Level, float],
    rates: _Rates,
    scratch: tuple[Bool, int],
) -> WaveTrace:
    kinds = [entry.kind for entry in trace.code]
    load = np.array([kind is Kind.VMEM_LOAD for kind in kinds], np.bool_)[wave.code]
    store = np.array([kind is Kind.VMEM_STORE for kind in kinds], np.bool_)[wave.code]
    rows = np.flatnonzero(load)
    codes = wave.code[rows]
    lines = np.diff(wave.line_offsets)[rows] if len(wave.line_offsets) > 1 else np.zeros(len(rows), np.int64)
    missing = lines - hits[rows]
    beyond = np.zeros((2, len(trace.code)))
    for code, cost in costs.items():
        beyond[:, code] = cost.beyond[Level.HBM], cost.beyond[Level.MALL]
    hbm, mall = beyond[:, codes]
    drawn = _drawn(position, len(rows))
    levels = tuple(Level)
    of_access = np.select(
        [(lines > 0) & (missing == 0), drawn < hbm, drawn >= 1 - mall],
        [levels.index(Level.L1), levels.index(Level.HBM), levels.index(Level.MALL)],
        levels.index(Level.L2),
    )
    path = missing * np.array([line_clk[level] for level in levels])[of_access]
    latency = wave.memory_latency_clk.copy()
    latency[rows] = np.array([rates.latency_clk[level] for level in levels])[of_access]
    latency[store] = rates.latency_clk[Level.L2]
    of_scratch, scratch_clk = scratch
    latency[of_scratch[wave.code] & load] = scratch_clk
    found: dict[str, Any] = {name: np.zeros(len(wave), np.int32) for name in MEMORY_COLUMNS}
    found["memory_path_clk16"][rows] = _clk16(path)
    moved = wave.memory_bytes[rows].astype(np.int64)
    found["memory_hit_bytes"][rows] = moved * hits[rows] // np.maximum(1, lines)
    found["memory_l2_clk16"][rows] = _clk16(missing * rates.units / rates.l2)
    found["memory_level"][rows] = of_access
    stores = np.flatnonzero(store & ~of_scratch[wave.code])
    found["memory_path_clk16"][stores] = _clk16(np.maximum(wave.memory_bytes[stores], 0) * rates.store_clk)
    found["memory_level"][stores] = levels.index(Level.HBM)
    return replace(wave, memory_latency_clk=latency, **found)


def _clk16(clk: Float) -> Int32:
    """In sixteenths of a clock, to the nearest."""
    return np.minimum(np.round(16 * clk), np.iinfo(np.int32).max).astype(np.int32)


def _first_scalar_loads(wave: WaveTrace, trace: Trace, cold_clk: int) -> WaveTrace:
    """A scalar load that a wave executes for the first time finds what the first round's waves have asked for
    together: arguments that the host has just written, and nobody has loaded."""
    scalar = np.array([entry.kind is Kind.SMEM for entry in trace.code], np.bool_)
    rows = np.flatnonzero(scalar[wave.code])
    _, first = np.unique(wave.code[rows], return_index=True)
    latency = wave.memory_latency_clk.copy()
    latency[rows[first]] = cold_clk
    return replace(wave, memory_latency_clk=latency)


def _first_pages(waves: Sequence[WaveTrace], trace: Trace, walk_clk: int) -> list[WaveTrace]:
    """The compute unit's first load of a page waits for its translation, which comes from memory. The waves'
    first instructions go together, so that it is the one with the smallest number in its wave."""
    load = np.array([entry.kind is Kind.VMEM_LOAD for entry in trace.code], np.bool_)
    number, row, page = [], [], []
    for position, wave in enumerate(waves):
        if len(wave.line_offsets) > 1:
            of_line = np.repeat(np.arange(len(wave)), np.diff(wave.line_offsets))
            loaded = np.flatnonzero(load[wave.code[of_line]])
            pages, first = np.unique(wave.lines[loaded] // (PAGE_BYTES // LINE_BYTES), return_index=True)
            number.append(np.full(len(pages), position))
            row.append(of_line[loaded[first]])
            page.append(pages)
    if not page:
        return list(waves)
    numbers, rows, pages = np.concatenate(number), np.concatenate(row), np.concatenate(page)
    order = np.lexsort((numbers, rows))
    _, first = np.unique(pages[order], return_index=True)
    found = list(waves)
    for position, at in zip(numbers[order[first]].tolist(), rows[order[first]].tolist(), strict=True):
        latency = found[position].memory_latency_clk.copy()
        latency[at] = max(latency[at], walk_clk)
        found[position] = replace(found[position], memory_latency_clk=latency)
    return found


def _drawn(position: int, count: int) -> Float:
    """A number in [0, 1) for each access of a wave, in no order that a kernel could have, always the same:
    the finalizer of SplitMix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        value = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(position << 32)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    found: Float = (value >> np.uint64(11)).astype(np.float64) / 2.0**53
    return found
