"""Memory levels: which cache level each global access finds its lines in, by an LRU model.

The model's single latency is right for a kernel under load. A pointer chase, alone on its compute unit,
finds L1, L2, the Infinity Cache (MALL) or HBM, by what was touched before.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.machine import Machine
from wavesim.trace import Kind, Trace

LINE_BYTES = 128
"""Lines of a Trace are of 128 bytes."""

NAMES = ("l1", "l2", "mall", "hbm")


@dataclass(frozen=True, slots=True)
class MemoryLevels:
    """Latency in clk and size in lines of each level, nearest first; the last one holds everything.

    ``forced`` names a level that every access is taken to find its lines in.
    """

    latency_clk: tuple[int, ...]
    lines: tuple[int, ...]
    forced: str = ""

    @staticmethod
    def of(machine: Machine) -> MemoryLevels:
        """The levels of a machine file."""
        latency = tuple(machine.integer(f"memory.{name}_latency_clk") for name in NAMES)
        sizes = tuple(machine.integer(f"memory.{name}_bytes") // LINE_BYTES for name in NAMES[:-1])
        return MemoryLevels(latency, sizes)

    def applied(self, trace: Trace) -> Trace:
        """The Trace with the latency of each load."""
        return self.with_latencies(trace, self.classified(trace))

    def classified(self, trace: Trace) -> tuple[npt.NDArray[np.int64], ...]:
        """Per wave and row the level in which a load finds its farthest line; -1 for what is no load.

        Waves are taken one after the other, which is exact for the single-wave programs that measure
        latencies.
        """
        kinds = np.array([entry.kind for entry in trace.code], object)
        caches: list[OrderedDict[int, None]] = [OrderedDict() for _ in self.lines]
        found = []
        for wave in trace.waves:
            level = np.full(len(wave.code), -1, np.int64)
            if len(wave.line_offsets):
                for row in np.flatnonzero(kinds[wave.code] == Kind.VMEM_LOAD).tolist():
                    lines = wave.lines[wave.line_offsets[row] : wave.line_offsets[row + 1]].tolist()
                    if lines:
                        level[row] = max(self._find(line, caches) for line in lines)
            found.append(level)
        return tuple(found)

    def with_latencies(self, trace: Trace, classified: tuple[npt.NDArray[np.int64], ...]) -> Trace:
        """The Trace with each load's latency by its level; stores keep the machine's latency."""
        table = np.array(self.latency_clk, np.int32)
        waves = []
        for wave, level in zip(trace.waves, classified, strict=True):
            latency = np.where(level >= 0, table[level], wave.memory_latency_clk).astype(np.int32)
            waves.append(replace(wave, memory_latency_clk=latency))
        return replace(trace, waves=tuple(waves))

    def _find(self, line: int, caches: list[OrderedDict[int, None]]) -> int:
        """Level of one line, which becomes the most recent of every level."""
        if self.forced:
            return NAMES.index(self.forced)
        found = len(self.lines)
        for level in reversed(range(len(self.lines))):
            cache = caches[level]
            if line in cache:
                found = level
                cache.move_to_end(line)
            else:
                cache[line] = None
                if len(cache) > self.lines[level]:
                    cache.popitem(last=False)
        return found
