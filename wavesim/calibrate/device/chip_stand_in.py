"""ChipStandIn: a STAND-IN for the chip around a virtual device's compute unit; nothing of it is measured.

The timing model has one compute unit. What the others and the memory behind it do is answered from this
table of numbers, which a test may keep secret: at which footprint a level is left, what share of a level's
bandwidth a compute unit gets, at what clock the chip runs and what power it takes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.calibrate.bench.memory_levels import LINE_BYTES
from wavesim.isa.machine import Machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Kind, Timeline, Trace, WaveTrace

L1, L2, MALL, HBM = range(4)
SHARE = 0.3
"""Secret numbers are drawn within so much of the stock ones."""


@dataclass(frozen=True)
class ChipStandIn:
    """The numbers, named as in a machine file; ``latency_clk`` and ``level_bytes`` from L1 on. A cache that
    ``replaces_at_random`` is left gradually, another one all at once."""

    compute_units: int
    l2_caches: int
    latency_clk: tuple[int, ...]
    level_bytes: tuple[int, ...]
    l1_hit_bytes_per_clk: int
    l2_read_bytes_per_clk: float
    l2_write_bytes_per_clk: float
    mall_read_gbytes_per_s: float
    hbm_read_gbytes_per_s: float
    hbm_row_ns: float
    hbm_channels: int
    launch_ghz: float
    sustained_ghz: float
    throttled_ghz: float  # with all matrix pipes busy
    power_w: float = 300.0
    busy_power_w: float = 750.0
    replaces_at_random: bool = False
    fetch: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @staticmethod
    def of(machine: Machine, latency_clk: tuple[int, ...]) -> ChipStandIn:
        """The stock numbers of a machine file; latencies are the device's own."""

        def number(key: str) -> float:
            return machine.number(f"memory.{key}")

        ghz = machine.number("clock.sustained_ghz")
        return ChipStandIn(
            compute_units=machine.integer("structure.compute_units"),
            l2_caches=machine.integer("memory.l2_caches"),
            latency_clk=latency_clk,
            level_bytes=tuple(machine.integer(f"memory.{name}_bytes") for name in ("l1", "l2", "mall")),
            l1_hit_bytes_per_clk=round(number("l1_hit_bytes_per_clk")),
            l2_read_bytes_per_clk=number("l2_read_bytes_per_clk"),
            l2_write_bytes_per_clk=number("l2_write_bytes_per_clk"),
            mall_read_gbytes_per_s=number("mall_read_gbytes_per_s"),
            hbm_read_gbytes_per_s=number("hbm_read_gbytes_per_s"),
            hbm_row_ns=number("hbm_row_ns"),
            hbm_channels=machine.integer("memory.hbm_channels"),
            launch_ghz=machine.number("clock.launch_ghz"),
            sustained_ghz=ghz,
            throttled_ghz=ghz,
        )

    def drawn(self, seed: int, parameters: TimingParameters) -> ChipStandIn:
        """The same with secret numbers."""
        rng = random.Random(f"chip {seed}")

        def near(value: float) -> float:
            return value * rng.uniform(1 - SHARE, 1 + SHARE)

        l1, l2, mall = (round(near(each) / LINE_BYTES) * LINE_BYTES for each in self.level_bytes)
        ghz = near(self.sustained_ghz)
        return replace(
            self,
            level_bytes=(max(l1, 20 << 10), l2, mall),
            # no more than stock: a compute unit has too little in flight to see a faster one
            l1_hit_bytes_per_clk=round(self.l1_hit_bytes_per_clk * rng.uniform(1 - SHARE, 1)),
            l2_read_bytes_per_clk=near(self.l2_read_bytes_per_clk),
            l2_write_bytes_per_clk=near(self.l2_write_bytes_per_clk),
            mall_read_gbytes_per_s=near(self.mall_read_gbytes_per_s),
            hbm_read_gbytes_per_s=near(self.hbm_read_gbytes_per_s),
            hbm_row_ns=near(self.hbm_row_ns),
            launch_ghz=near(self.launch_ghz),
            sustained_ghz=ghz,
            throttled_ghz=ghz * rng.uniform(0.6, 1),
            replaces_at_random=rng.random() < 0.5,
            fetch={
                "fetch_icache_bytes": round(near(parameters.fetch_icache_bytes) / 1024) * 1024,
                "fetch_icache_line_bytes": rng.choice((64, 128)),
                "fetch_prefetch_bytes": rng.choice((512, 1024, 1536)),
                "fetch_miss_clk": round(near(parameters.fetch_miss_clk)),
            },
        )

    def parameters(self, parameters: TimingParameters, footprint_bytes: int) -> TimingParameters:
        """Timing of the compute unit: alone on its instruction cache, code from the beginning of a page."""
        changed: dict[str, Any] = {"fetch_icache_units": 1, "fetch_code_offset_bytes": 0, **self.fetch}
        if 0 < footprint_bytes <= self.level_bytes[L1]:
            changed["memory_bytes_per_clk"] = self.l1_hit_bytes_per_clk
        return replace(parameters, **changed)

    def with_memory(self, trace: Trace, footprint_bytes: int, groups: int, ghz: float) -> Trace:
        """The Trace with each access's latency and path."""
        shares = self._shares(footprint_bytes)
        kinds = np.array([entry.kind for entry in trace.code], object)
        waves = tuple(self._wave(wave, kinds[wave.code], shares, groups, ghz) for wave in trace.waves)
        return replace(trace, waves=waves)

    def _wave(
        self, wave: WaveTrace, kinds: npt.NDArray[np.object_], shares: list[float], groups: int, ghz: float
    ) -> WaveTrace:
        latency = wave.memory_latency_clk.copy()
        path = np.zeros(len(wave), np.int32)
        loads = np.flatnonzero(kinds == Kind.VMEM_LOAD)
        level = np.searchsorted(np.cumsum(shares)[:-1], (np.arange(len(loads)) + 0.5) / max(1, len(loads)))
        latency[loads] = np.array(self.latency_clk)[level]
        if groups > 1:
            for row, found in zip(loads.tolist(), level.tolist(), strict=True):
                lines = wave.lines[wave.line_offsets[row] : wave.line_offsets[row + 1]]
                lone = len(lines) > 1 and int(lines[1]) - int(lines[0]) > 1
                path[row] = round(16 * len(lines) * self._line_clk(found, groups, ghz, lone=lone))
            for row in np.flatnonzero(kinds == Kind.VMEM_STORE).tolist():
                count = int(wave.line_offsets[row + 1] - wave.line_offsets[row])
                line_clk = LINE_BYTES * groups / self.l2_caches / self.l2_write_bytes_per_clk
                path[row] = round(16 * count * line_clk)
        return replace(wave, memory_latency_clk=latency, memory_path_clk16=path)

    def _line_clk(self, level: int, groups: int, ghz: float, *, lone: bool) -> float:
        """Clocks of a line that is a compute unit's share."""
        if level == L1:
            return 0.0
        if level == L2:
            return LINE_BYTES * groups / self.l2_caches / self.l2_read_bytes_per_clk
        if lone:
            return groups * self.hbm_row_ns * ghz / (2 * self.hbm_channels)
        rate = self.mall_read_gbytes_per_s if level == MALL else self.hbm_read_gbytes_per_s
        return LINE_BYTES * groups * ghz / rate

    def _shares(self, footprint_bytes: int) -> list[float]:
        """Of lines that come from each level."""
        left, shares = 1.0, []
        for size in self.level_bytes:
            held = float(footprint_bytes <= size) if size else 0.0
            if self.replaces_at_random and size and footprint_bytes > size:
                held = math.exp(1 - footprint_bytes / size)
            shares.append(left * held)
            left *= 1 - held
        return [*shares, left]

    def ghz(self, busy: float, *, first: bool) -> float:
        """The clock at so large a share of busy matrix pipes."""
        return (
            self.launch_ghz
            if first
            else self.sustained_ghz + busy * (self.throttled_ghz - self.sustained_ghz)
        )

    def watts(self, busy: float) -> float:
        """The power at so large a share of busy matrix pipes."""
        return self.power_w + busy * (self.busy_power_w - self.power_w)


def matrix_busy(timeline: Timeline, parameters: TimingParameters) -> float:
    """Share of the time between a wave's clock reads that the matrix pipes are busy."""
    code = timeline.trace.code
    pipe = [
        parameters.matrix_pipe_clk(entry.instruction.opcode) if entry.kind is Kind.MFMA else 0
        for entry in code
    ]
    reads = np.array([entry.instruction.opcode == "s_memtime" for entry in code])
    busy = sum(int(np.array(pipe)[wave.code].sum()) for wave in timeline.trace.waves)
    span = 0
    for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
        read = wave.issue_clk[reads[trace.code]]
        span = max(span, int(read.max() - read.min()))
    return min(1.0, busy / max(1, span * parameters.structure_simds))
