"""What may stand in a machine file: its sections and keys, what kind each quantity is of, units.

A new key is declared here and then required of every stock machine. The kinds are plain Python: models
of a validation library would take as long to import as all of numpy, at each start.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from wavesim.source_text import KeyPath

MAX_WHOLE = 1 << 30
"""Beyond any count, size or number of clocks that a machine has; clocks are kept in 32 bits."""
MAX_UNITS = 1 << 12
"""Beyond the units or LDS banks of any compute unit, of each of which the engines keep a state."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A quantity as it is in the file. Its value is of the kind that its key asks for."""

    value: Any
    unit: str
    source: str
    confidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit: where inside the value, what is there, what would be right."""

    path: KeyPath
    given: object
    right: str


class Kind(Protocol):
    """What a quantity's value must be; nothing is converted."""

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        """What does not fit in the value at ``path``."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in a range."""

    least: int = 0
    most: int = MAX_WHOLE

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Misfit(path, value, "a whole number")
        elif value < self.least:
            yield Misfit(path, value, "a number above 0" if self.least else "0 or more")
        elif value > self.most:
            yield Misfit(path, value, f"{self.most} or less")


@dataclass(frozen=True, slots=True)
class AboveZero:
    """A finite number above 0."""

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Misfit(path, value, "a number")
        elif not abs(value) <= sys.float_info.max:
            yield Misfit(path, value, "a finite number")
        elif value <= 0:
            yield Misfit(path, value, "a number above 0")


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by keys: a few that are named, or all of a range, or names of a form."""

    keys: tuple[int, ...] | range | re.Pattern[str]
    value: Kind
    may_be_empty: bool = True

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if not isinstance(value, dict):
            right = "values by bytes per lane (LDS) or by VGPRs (MFMA), as {4: 8, 8: 12}"
            yield Misfit(path, value, right)
            return
        if not value and not self.may_be_empty:
            yield Misfit(path, value, "at least one entry")
        for key, each in value.items():
            if isinstance(self.keys, re.Pattern):
                if not isinstance(key, str):
                    yield Misfit((*path, key), key, "text")
                elif not self.keys.match(key):
                    yield Misfit((*path, key), key, f"a name like {self.keys.pattern}")
            elif key not in self.keys and isinstance(self.keys, range):
                yield Misfit((*path, key), key, f"{self.keys[0]} to {self.keys[-1]}")
            elif key not in self.keys:
                *most, last = map(str, self.keys)
                yield Misfit((*path, key), key, f"{', '.join(most)} or {last}")
            yield from self.value.misfits(each, (*path, key))


@dataclass(frozen=True, slots=True)
class Lane:
    """Lanes as text (:mod:`wavesim.isa.lane_groups`, which reads it later)."""

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if not isinstance(value, str):
            yield Misfit(path, value, "text")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, each part of the same kind."""

    part: Kind
    may_be_empty: bool = True

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if not isinstance(value, list):
            yield Misfit(path, value, "a list")
            return
        if not value and not self.may_be_empty:
            yield Misfit(path, value, "at least one entry")
        for place, each in enumerate(value):
            yield from self.part.misfits(each, (*path, place))


WholeNumber = Whole()
"""A count or a number of clocks, 0 allowed."""
Size = Whole(1)
"""A whole number above 0."""
Count = Whole(1, MAX_UNITS)
"""How many there are of what each has a state of its own: SIMDs, banks."""
Real = AboveZero()
ByVgprs = Table((2, 4, 8), WholeNumber)
"""Clocks by the VGPRs of the larger of an MFMA's A and B."""
ByOpcode = Table(re.compile(r"^v_s?mfma\w+$"), Whole(1, 256))
"""Passes by MFMA opcode, where they differ from mfma.csv."""
ByWidth = Table((4, 8, 12, 16), Size, may_be_empty=False)
"""Clocks by bytes per lane of an LDS access; a missing width takes the next larger one's."""
GhzRange = Listing(Real, may_be_empty=False)
"""The lowest and the highest clock that was seen."""
GhzByBusy = Table(range(101), Real)
"""Clock by the share of time, in percent, that the matrix pipes are busy."""
SimdList = Listing(WholeNumber)
"""SIMD numbers in an order."""
SimdGroups = Listing(SimdList)
"""SIMD numbers in groups."""
LaneGroups = Listing(Lane(), may_be_empty=False)
"""Groups of lanes, each as ranges: ``"0-3,20-23"``."""


SECTIONS: Mapping[str, Mapping[str, Kind]] = {
    "structure": {  # what the compute unit and the device are made of
        "simds": Count,
        "simd_pairs": SimdGroups,
        "wave_slots_per_simd": Size,
        "wave_lanes": Size,
        "workgroup_waves": Size,
        "compute_units": Size,
        "simd_vgprs": Size,
        "wave_vgprs": Size,
        "vgpr_granule": Size,
        "wave_sgprs": Size,
        "sgpr_granule": Size,
    },
    "clock": {  # shader clock rates
        "peak_ghz": Real,
        "sustained_ghz": Real,
        "sustained_range_ghz": GhzRange,
        "sustained_by_busy_ghz": GhzByBusy,
        "launch_ghz": Real,
        "launch_range_ghz": GhzRange,
    },
    "issue": {  # issue slots and how long an instruction holds its wave
        "slot_clk": Size,
        "valu_clk": Size,
        "trans_clk": Size,
        "multi_slot_valu_clk": Size,
        "valu_per_slot": Size,
        "bank_reads_per_slot": Size,
        "dual_after_mfma_clk": WholeNumber,
        "packed_after_mfma_clk": WholeNumber,
        "sleep_unit_clk": Size,
        "turns_idle_clk": Size,
        "turns_clk": WholeNumber,
        "turn_clk": Size,
    },
    "mfma": {  # the matrix pipe; passes of each opcode stand in mfma.csv
        "pass_clk": Size,
        "passes": ByOpcode,
        "blocks_valu_clk": ByVgprs,
        "blocks_memory_clk": ByVgprs,
        "scale_load_clk": WholeNumber,
    },
    "lds": {  # lDS: sizes, ports, queue, latencies, and who is served together over how many banks
        "size_bytes": Size,
        "granule_bytes": Size,
        "port_bytes_per_clk": Size,
        "array_bytes_per_clk": Size,
        "queue_entries": Size,
        "queue_hold_clk": WholeNumber,
        "subdword_port_clk": WholeNumber,
        "from_memory_bytes_per_clk": WholeNumber,
        "join_from_clk": WholeNumber,
        "join_near_clk": WholeNumber,
        "join_most_clk": WholeNumber,
        "join_clk": WholeNumber,
        "read_latency_clk": WholeNumber,
        "write_latency_clk": ByWidth,
        "write_hold_clk": ByWidth,
        "read_b32_phases": LaneGroups,
        "read_b32_banks": Count,
        "read_b64_phases": LaneGroups,
        "read_b64_banks": Count,
        "read_b96_phases": LaneGroups,
        "read_b96_banks": Count,
        "read_b128_phases": LaneGroups,
        "read_b128_banks": Count,
        "write_b32_phases": LaneGroups,
        "write_b32_banks": Count,
        "write_b64_phases": LaneGroups,
        "write_b64_banks": Count,
        "write_b96_phases": LaneGroups,
        "write_b96_banks": Count,
        "write_b128_phases": LaneGroups,
        "write_b128_banks": Count,
    },
    "gap": {  # clocks between the issues of two instructions of a wave
        "valu_to_memory_clk": WholeNumber,
        "valu_sgpr_to_scalar_clk": WholeNumber,
        "salu_to_cbranch_clk": WholeNumber,
        "salu_to_vmem_clk": WholeNumber,
    },
    "fetch": {  # instruction fetch
        "chunk_bytes": Size,
        "refill_clk": WholeNumber,
        "restart_first_clk": WholeNumber,
        "restart_next_clk": WholeNumber,
        "icache_bytes": Size,
        "icache_line_bytes": Size,
    },
    "counter": {  # largest values of the wait counters
        "lgkm_max": Size,
        "vm_max": Size,
    },
    "barrier": {  # when a barrier lets its waves go
        "release_early_clk": Size,
        "release_late_clk": Size,
        "simd_order": SimdList,
    },
    "scalar": {  # scalar memory
        "load_latency_clk": Size,
    },
    "memory": {  # global memory as a compute unit sees it
        "queue_entries": Size,
        "tail_entries": Size,
        "tail_bytes": Size,
        "bytes_per_clk": Size,
        "min_service_clk": Size,
        "idle_clk": Size,
        "idle_restart_clk": WholeNumber,
        "latency_clk": Size,
        "store_latency_clk": Size,
        "l1_latency_clk": Size,
        "l2_latency_clk": Size,
        "mall_latency_clk": Size,
        "hbm_latency_clk": Size,
        "l1_bytes": Size,
        "l1_line_bytes": Size,
        "l2_bytes": Size,
        "l2_caches": Size,
        "l2_line_bytes": Size,
        "mall_bytes": WholeNumber,
        "hbm_gbytes_per_s": Size,
        "hbm_row_ns": Real,
        "l1_hit_bytes_per_clk": Real,
        "l2_read_bytes_per_clk": Size,
        "l2_write_bytes_per_clk": Size,
        "mall_read_gbytes_per_s": Size,
        "hbm_read_gbytes_per_s": Size,
        "hbm_channels": Size,
        "hbm_channel_bytes": Size,
    },
    "dispatch": {  # how fast waves and workgroups start on a compute unit
        "wave_interval_clk": WholeNumber,
        "workgroup_interval_clk": WholeNumber,
    },
}
"""Section -> key -> what its quantity must be. All keys are required of a stock machine."""

HEADER = ("schema", "base", "name", "arch", "description")
"""Keys beside the sections, all text."""

SUFFIX_UNITS = {
    "passes": "passes",
    "bytes_per_clk": "bytes/clk",
    "_gbytes_per_s": "GB/s",
    "_clk": "clk",
    "_bytes": "bytes",
    "_entries": "entries",
    "_caches": "caches",
    "_channels": "channels",
    "_ghz": "GHz",
    "_ns": "ns",
    "_max": "count",
    "_banks": "banks",
    "_phases": "lanes",
    "_lanes": "lanes",
    "_vgprs": "registers",
    "_sgprs": "registers",
    "_granule": "registers",
    "_units": "CUs",
    "_waves": "waves",
    "_slots_per_simd": "waves",
    "reads_per_slot": "reads",
    "_per_slot": "instructions",
    "_pairs": "SIMDs",
    "_order": "SIMDs",
    "simds": "SIMDs",
}
"""End of a key -> its unit; the first that fits holds."""


def unit_of(key: str) -> str:
    """The unit that ``key`` must be given in."""
    return next(unit for suffix, unit in SUFFIX_UNITS.items() if key.endswith(suffix))
