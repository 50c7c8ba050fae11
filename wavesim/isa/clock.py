"""The shader clock of a device: under a load that lasts or in one short launch, with the range that was seen.

A device under load runs below its peak clock, by how much depends on power, data and, on some, on how densely
MFMA is issued. The machine file says what is known of each; nothing here is computed from a power model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from wavesim.errors import UserError
from wavesim.isa.layers import SET_SOURCE
from wavesim.isa.machine import Machine, Quantity

MODES = {"sustained": "under a load that lasts", "launch": "in one short launch of a device at rest"}
"""Mode -> what it is; keys ``clock.MODE_ghz`` and ``clock.MODE_range_ghz`` of a machine file."""

Choice = float | str
"""GHz, or one of :data:`MODES`."""

SUSTAINED = "sustained"


@dataclass(frozen=True, slots=True)
class Clock:
    """``mode`` is one of :data:`MODES`, ``given`` or ``measured``; ``source`` says who knows it. ``low_ghz``
    and ``high_ghz`` are the range that was seen, both ``ghz`` where there is none."""

    ghz: float
    low_ghz: float
    high_ghz: float
    mode: str
    source: str
    busy_percent: int | None = None

    @property
    def has_range(self) -> bool:
        """Whether a range was seen."""
        return self.low_ghz < self.high_ghz

    def __str__(self) -> str:
        """``sustained, 1.24 to 1.55: GLUON``."""
        if self.mode == "given":
            return self.source
        dense = f" at {self.busy_percent} % MFMA busy" if self.busy_percent is not None else ""
        seen = f", {self.low_ghz:g} to {self.high_ghz:g}" if self.has_range else ""
        return f"{self.mode}{dense}{seen}: {self.source}"


def read_choice(text: str) -> Choice:
    """``1.6``, ``sustained`` or ``launch``.

    Raises:
        UserError: anything else.
    """
    if text in MODES:
        return text
    try:
        ghz = float(text)
    except ValueError:
        ghz = 0.0
    if 0 < ghz < 100:
        return ghz
    raise UserError(f"--clock {text!r:.40} is no clock", None, f"GHz, as 1.6, or {' or '.join(MODES)}")


def given_clock(ghz: float, source: str = "--clock") -> Clock:
    """A clock that somebody states."""
    return Clock(ghz, ghz, ghz, "given", source)


def clock_of(machine: Machine, choice: Choice = SUSTAINED, mfma_busy: float | None = None) -> Clock:
    """The clock of ``machine``.

    Args:
        machine: the device.
        choice: GHz, or the mode.
        mfma_busy: share of time that the matrix pipes are busy, if known; it counts where the device's data
            show what it does.
    """
    if not isinstance(choice, str):
        return given_clock(choice)
    stated = machine.quantities[f"clock.{choice}_ghz"]
    ghz, busy = machine.number(stated.key), None
    low, high = machine.span(f"clock.{choice}_range_ghz")
    curve = machine.quantities["clock.sustained_by_busy_ghz"].value
    own = stated.source == SET_SOURCE
    if choice == SUSTAINED and isinstance(curve, Mapping) and curve and mfma_busy is not None and not own:
        busy = round(100 * mfma_busy)
        ghz = _between(curve, 100 * mfma_busy)
    if own or not low <= ghz <= high:  # the range is of another figure
        low = high = ghz
    return Clock(ghz, low, high, choice, _source(stated), busy)


def _source(stated: Quantity) -> str:
    return f"{stated.source}, assumed" if stated.confidence == "assumed" else stated.source


def _between(curve: Mapping[int, float], percent: float) -> float:
    """The curve at ``percent``: straight between its points, level beyond them."""
    points = sorted(curve.items())
    for (first, one), (last, other) in pairwise(points):
        if first <= percent <= last:
            return one + (other - one) * (percent - first) / (last - first)
    return points[0][1] if percent < points[0][0] else points[-1][1]
