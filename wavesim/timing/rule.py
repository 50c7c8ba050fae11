"""What a timing rule is: its name, where docs/model states it, its evidence, and what is left without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.gap import Gap
from wavesim.trace import Reason, Trace

UNLIMITED = 1_000_000
"""Entries, bytes per clock or counts that no trace reaches."""

Off = int | Callable[[TimingParameters], object]
"""What a parameter is without a rule: a number, or a function of the machine's numbers."""


@dataclass(frozen=True)
class Rule:
    """A rule of the timing model that can be left out. The docstring of its file says what it does.

    Attributes:
        name: as in :attr:`TimingParameters.rules_off` and ``--without``; the file has this name too.
        section: number of the page of docs/model that states it.
        off: what the model does without it, as the page says.
        evidence: the page below docs/ with the figures that it rests on, and the heading there.
        reasons: reasons of stalls that are this rule's alone: without it no wave waits for them.
        parameters: fields of :class:`TimingParameters`, each with its value without the rule.
        gaps: what both the SimPy model and attribution hold an instruction back by; without the rule they
            are 0.
        trace: gives the Trace without the rule.
        in_engine: the engines ask for the rule by its name.
    """

    name: str
    section: int
    off: str
    evidence: str
    reasons: tuple[Reason, ...] = ()
    parameters: Mapping[str, Off] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    trace: Callable[[Trace], Trace] | None = None
    in_engine: bool = False

    def __post_init__(self) -> None:
        if self.gaps:
            without = dict.fromkeys((gap.clk for gap in self.gaps), 0)
            object.__setattr__(self, "parameters", {**without, **self.parameters})
        assert self.parameters or self.trace or self.in_engine, f"{self.name} cannot be left out"

    def leave_out(self, trace: Trace, given: TimingParameters) -> tuple[Trace, TimingParameters]:
        """Trace and parameters in which the rule has no effect, as far as they can say it."""
        values = {name: off(given) if callable(off) else off for name, off in self.parameters.items()}
        return self.trace(trace) if self.trace else trace, replace(given, **values)  # type: ignore[arg-type]


def every(name: str, value: int) -> Callable[[TimingParameters], object]:
    """A table of the parameters with the same value in every entry."""
    return lambda given: dict.fromkeys(getattr(given, name), value)
