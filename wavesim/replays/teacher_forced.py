"""How far the model is off instruction by instruction, every earlier issue being as measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.compare import CLASSES, class_numbers
from wavesim.trace import Timeline, Trace

FAR_CLK = 1 << 60


@dataclass(frozen=True, slots=True)
class ForcedClass:
    """One class of instructions: wave clocks by which they were predicted too late and too early."""

    count: int
    late_clk: int
    early_clk: int


@dataclass(frozen=True, slots=True)
class TeacherForced:
    """A teacher-forced comparison of the clocks before ``until_clk``, ``wave_clk`` of the waves' lives."""

    until_clk: int
    wave_clk: int
    rows: int
    classes: Mapping[str, ForcedClass]

    @property
    def late(self) -> float:
        """Share of wave clocks by which instructions were predicted too late."""
        return sum(one.late_clk for one in self.classes.values()) / max(1, self.wave_clk)

    @property
    def early(self) -> float:
        """Share of wave clocks by which instructions were predicted too early."""
        return sum(one.early_clk for one in self.classes.values()) / max(1, self.wave_clk)

    @property
    def share(self) -> float:
        """Share of wave clocks issued too late or too early."""
        return self.late + self.early


def teacher_forced(
    measured: Timeline, trace: Trace, parameters: TimingParameters, most_rows: int | None = None
) -> TeacherForced:
    """Predict every instruction with all earlier issues as measured.

    Args:
        measured: the measured timeline.
        trace: its streams with latencies and bank conflicts.
        parameters: the machine's numbers.
        most_rows: look at no more than about this many instructions, from the start; None: at all.
    """
    from wavesim.timing.forced import forced_issue_clk

    until = FAR_CLK
    if most_rows is not None and trace.instruction_count > most_rows:
        until = int(np.sort(np.concatenate([wave.issue_clk for wave in measured.waves]))[most_rows])
    predicted = forced_issue_clk(measured, trace, parameters, until)
    number = class_numbers(trace.code)
    count, late, early = (np.zeros(len(CLASSES)) for _ in range(3))
    for wave, real, model in zip(trace.waves, measured.waves, predicted, strict=True):
        inside = (real.issue_clk < until) & (model >= 0)
        of_class = number[wave.code[inside]]
        error = (model - real.issue_clk)[inside].astype(np.float64)
        count += np.bincount(of_class, minlength=len(CLASSES))
        late += np.bincount(of_class, np.maximum(error, 0), len(CLASSES))
        early += np.bincount(of_class, np.maximum(-error, 0), len(CLASSES))
    lived = sum(max(0, min(wave.last_clk, until) - wave.first_clk) for wave in measured.waves)
    classes = {
        name: ForcedClass(int(count[place]), int(late[place]), int(early[place]))
        for place, name in enumerate(CLASSES)
        if count[place]
    }
    return TeacherForced(min(until, measured.clk_total), lived, int(count.sum()), classes)
