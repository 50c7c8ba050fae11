"""What may stand in a machine file: its sections and keys, what kind each quantity is of, units.

A number that timing uses is declared once, as a field of
:class:`~wavesim.isa.timing_parameters.TimingParameters`. The other ones are declared here. Every stock
machine has every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from wavesim.isa.quantity_kinds import (
    ByOpcode,
    Count,
    GhzByBusy,
    GhzRange,
    Kind,
    LaneGroups,
    Real,
    Size,
    WholeNumber,
    kind_of,
)
from wavesim.isa.timing_parameters import TimingParameters


@dataclass(frozen=True, slots=True)
class Entry:
    """A quantity as it is in the file. Its value is of the kind that its key asks for."""

    value: Any
    unit: str
    source: str
    confidence: str
    note: str = ""


NOT_TIMING: Mapping[str, Mapping[str, object]] = {
    "structure": {  # what the compute unit and the device are made of
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
    "issue": {},  # issue slots and how long an instruction holds its wave
    "mfma": {  # the matrix pipe; passes of each opcode stand in mfma.csv
        "passes": ByOpcode,
    },
    "lds": {  # LDS: sizes, ports, queue, latencies, and who is served together over how many banks
        "size_bytes": Size,
        "granule_bytes": Size,
        "array_bytes_per_clk": Size,
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
    "gap": {},  # clocks between the issues of two instructions of a wave
    "fetch": {},  # instruction fetch
    "counter": {},  # largest values of the wait counters
    "barrier": {},  # when a barrier lets its waves go
    "scalar": {  # scalar memory
        "cold_latency_clk": Size,
    },
    "memory": {  # global memory as a compute unit sees it
        "l1_latency_clk": Size,
        "l1_ways": Size,
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
        "hbm_waiting_share": Real,
        "l2_read_bytes_per_clk": Size,
        "l2_write_bytes_per_clk": Size,
        "mall_read_gbytes_per_s": Size,
        "hbm_read_gbytes_per_s": Size,
        "hbm_write_gbytes_per_s": Size,
        "hbm_channels": Size,
        "hbm_channel_bytes": Size,
    },
    "dispatch": {},  # where and how fast waves start on a compute unit
}
"""Section -> key -> kind, of what timing does not use."""


def parameter_key(field_name: str) -> str:
    """The key of the machine file that a field of TimingParameters comes from."""
    return field_name.replace("_", ".", 1)


def _parameter_kinds() -> dict[str, Kind]:
    hints = get_type_hints(TimingParameters, include_extras=True)
    return {name: kind for name, hint in hints.items() if (kind := kind_of(hint)) is not None}


def _sections() -> dict[str, dict[str, Kind]]:
    sections: dict[str, dict[str, Kind]] = {name: {} for name in NOT_TIMING}
    for name, kind in PARAMETERS.items():
        section, _, key = parameter_key(name).partition(".")
        sections[section][key] = kind
    for section, keys in NOT_TIMING.items():
        for key, hint in keys.items():
            found = kind_of(hint)
            assert found is not None, f"{section}.{key}"
            sections[section][key] = found
    return sections


PARAMETERS: Mapping[str, Kind] = _parameter_kinds()
"""The fields of :class:`TimingParameters` that are a key's value, with their kinds."""

SECTIONS: Mapping[str, Mapping[str, Kind]] = _sections()
"""Section -> key -> what its quantity must be."""

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
    "_ways": "ways",
    "_share": "share",
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
