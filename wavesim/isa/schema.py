"""What may stand in a machine file: its sections and keys, a pydantic model of each kind of quantity, units.

A new key is declared here and then required of every stock machine. Only the kinds of quantity are models:
a model of every section would double the time that starting takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Confidence = Literal["vendor", "measured", "trace", "inferred", "assumed"]
Width = Literal[4, 8, 12, 16]
MAX_WHOLE = 1 << 30
"""Beyond any count, size or number of clocks that a machine has; clocks are kept in 32 bits."""
Whole = Annotated[int, Field(ge=0, le=MAX_WHOLE)]
Positive = Annotated[int, Field(gt=0, le=MAX_WHOLE)]
MAX_UNITS = 1 << 12
"""Beyond the units or LDS banks of any compute unit, of each of which the engines keep a state."""
Units = Annotated[int, Field(gt=0, le=MAX_UNITS)]
Text = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    """What every quantity carries beside its value; nothing is converted, nothing unknown let through."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    value: Any
    unit: Text
    source: Text
    confidence: Confidence
    note: str = ""


class WholeNumber(Entry):
    """A count or a number of clocks, 0 allowed."""

    value: Whole


class Size(Entry):
    """A whole number above 0."""

    value: Positive


class Count(Entry):
    """How many there are of what each has a state of its own: SIMDs, banks."""

    value: Units


class Real(Entry):
    """A number above 0."""

    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ByVgprs(Entry):
    """Clocks by the VGPRs of the larger of an MFMA's A and B."""

    value: dict[Literal[2, 4, 8], Whole]


class ByOpcode(Entry):
    """Passes by MFMA opcode, where they differ from mfma.csv."""

    value: dict[Annotated[str, Field(pattern=r"^v_s?mfma\w+$")], Annotated[int, Field(gt=0, le=256)]]


class ByWidth(Entry):
    """Clocks by bytes per lane of an LDS access; a missing width takes the next larger one's."""

    value: Annotated[dict[Width, Positive], Field(min_length=1)]


class SimdList(Entry):
    """SIMD numbers in an order."""

    value: list[Whole]


class SimdGroups(Entry):
    """SIMD numbers in groups."""

    value: list[list[Whole]]


class LaneGroups(Entry):
    """Groups of lanes, each as ranges: ``"0-3,20-23"``."""

    value: Annotated[list[str], Field(min_length=1)]


SECTIONS: Mapping[str, Mapping[str, type[Entry]]] = {
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
    },
    "issue": {  # issue slots and how long an instruction holds its wave
        "slot_clk": Size,
        "valu_clk": Size,
        "trans_clk": Size,
        "plain_valu_per_slot": Size,
        "dual_after_mfma_clk": WholeNumber,
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
    "_ghz": "GHz",
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
    "_per_slot": "instructions",
    "_pairs": "SIMDs",
    "_order": "SIMDs",
    "simds": "SIMDs",
}
"""End of a key -> its unit; the first that fits holds."""


def unit_of(key: str) -> str:
    """The unit that ``key`` must be given in."""
    return next(unit for suffix, unit in SUFFIX_UNITS.items() if key.endswith(suffix))
