"""A machine: one architecture's numbers, each with unit, source and confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wavesim.isa.timing_parameters import TimingParameters

CUS_KEY = "structure.compute_units"
"""Compute units of the device."""

CONFIDENCES = ("vendor", "measured", "trace", "inferred", "assumed")
"""How well a number is known, best first: documented by AMD; measured by a benchmark; read from thread
traces; follows from other figures or fits traces best; a choice."""

LDS_KINDS = ("read", "write")
LDS_WIDTHS_BYTES = (4, 8, 12, 16)

QuantityValue = (
    int | float | bool | str | tuple[float, ...] | tuple[tuple[int, ...], ...] | Mapping[int, float]
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a machine file. ``confidence``: ``vendor``, ``measured``, ``trace``, ``inferred``
    or ``assumed``."""

    key: str
    value: QuantityValue
    unit: str
    source: str
    confidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LanePhases:
    """Which lanes the LDS serves together for one access kind and width, and over how many banks."""

    phases: tuple[tuple[int, ...], ...]
    banks: int

    def conflict_free_clk(self, width_bytes: int) -> int:
        """Bank-array clocks of an access of all lanes that has no conflicts: every phase's dwords over
        the banks."""
        dwords = -(-width_bytes // 4)
        return sum(-(-len(lanes) * dwords // self.banks) for lanes in self.phases)


@dataclass(frozen=True)
class Machine:
    """A loaded machine file (stock architecture, overlay or calibration).

    ``quantities`` holds every number by dotted key; ``parameters`` the ones timing uses, as integers;
    ``lds_phases`` is keyed by (``"read"`` | ``"write"``, bytes per lane: 4, 8, 12, 16), smaller
    widths count as 4.
    """

    name: str
    arch: str
    file: str
    parameters: TimingParameters
    quantities: Mapping[str, Quantity]
    lds_phases: Mapping[tuple[str, int], LanePhases]
    description: str = ""

    def integer(self, key: str) -> int:
        """The value of ``key`` as an integer.

        Raises:
            KeyError: no such key, or it is not a whole number.
        """
        value = self.number(key)
        if value != int(value):
            raise KeyError(f"{key} is not a whole number")
        return int(value)

    def number(self, key: str) -> float:
        """The value of ``key`` as a number (``clock.sustained_ghz`` is not whole).

        Raises:
            KeyError: no such key, or it is not a single number.
        """
        value = self.quantities[key].value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise KeyError(f"{key} is not a single number")
        return value

    def simds(self, key: str) -> tuple[int, ...]:
        """The SIMDs of ``key``, in their order (``dispatch.wave_simds``)."""
        value = self.quantities[key].value
        assert isinstance(value, tuple)  # its kind says so
        return tuple(int(each) for each in value if isinstance(each, int))

    def span(self, key: str) -> tuple[float, float]:
        """The two numbers of ``key``, such as ``clock.sustained_range_ghz``: the lowest and the highest.

        Raises:
            KeyError: no such key, or it is not a range.
        """
        value = self.quantities[key].value
        match value:
            case (int() | float() as low, int() | float() as high):
                return low, high
        raise KeyError(f"{key} is not a range")

    def lane_phases(self, kind: str, width_bytes: int) -> LanePhases:
        """Phases of an LDS ``read`` or ``write``; a width between two known ones counts as the larger.

        Raises:
            KeyError: unknown kind, or wider than 16 bytes per lane.
        """
        for width in LDS_WIDTHS_BYTES:
            if width >= width_bytes:
                return self.lds_phases[kind, width]
        raise KeyError(f"LDS {kind} of {width_bytes} bytes per lane")

    def waves_per_simd(self, vgprs: int, agprs: int = 0) -> int:
        """How many waves of that many registers fit on a SIMD (0: not even one).

        AGPRs follow the VGPRs in one pool, from the next multiple of 4.
        """
        granule = self.integer("structure.vgpr_granule")
        total = -(-vgprs // 4) * 4 + agprs if agprs else vgprs
        allocated = max(granule, -(-total // granule) * granule)
        if allocated > self.integer("structure.wave_vgprs"):
            return 0
        slots = self.integer("structure.wave_slots_per_simd")
        return min(slots, self.integer("structure.simd_vgprs") // allocated)

    def lds_allocated_bytes(self, size_bytes: int) -> int:
        """LDS that a workgroup asking for ``size_bytes`` takes, in whole granules."""
        granule = self.integer("lds.granule_bytes")
        return -(-size_bytes // granule) * granule
