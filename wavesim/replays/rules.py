"""Replays with rules left out, to show what each is worth: the names are the timing model's."""

from __future__ import annotations

from collections.abc import Sequence

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules import BY_NAME, RULES, Rule, without
from wavesim.trace import Trace

__all__ = ["BY_NAME", "RULES", "Rule", "leave_out"]


def leave_out(
    names: Sequence[str], trace: Trace, parameters: TimingParameters
) -> tuple[Trace, TimingParameters]:
    """Trace and parameters without the named rules.

    Raises:
        UserError: no such rule.
    """
    return trace, without(parameters, names)
