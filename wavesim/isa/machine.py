"""A machine: one architecture's numbers, each with unit, source and confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wavesim.isa.timing_parameters import TimingParameters

QuantityValue = int | float | bool | str | tuple[int, ...] | tuple[tuple[int, ...], ...] | Mapping[int, int]


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

    def integer(self, key: str) -> int:
        """The value of ``key`` as an integer.

        Raises:
            KeyError: no such key, or it is not a single number.
        """
        value = self.quantities[key].value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise KeyError(f"{key} is not a single number")
        return int(value)
