"""Two VALU instructions of different waves in one slot (docs/model, section 9; gfx950)."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules import valu_banks, valu_classes, valu_scalar_port
from wavesim.trace.code import SlotShare


def have_room(first: SlotShare, second: SlotShare, p: TimingParameters) -> bool:
    """Whether both issue in one slot, ``first`` being first in rank."""
    return (
        valu_classes.permits(first.as_first, second.as_second)
        and valu_scalar_port.permits(first, second)
        and valu_banks.permits(first, second, p)
    )
