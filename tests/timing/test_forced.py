"""Teacher-forced prediction: exact for the model's own timeline, off where another one differs."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import builders as b
import numpy as np
import random_traces
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.teacher_forced import teacher_forced
from wavesim.timing import simulate
from wavesim.timing.forced import forced_issue_clk
from wavesim.trace import Kind, Timeline, Trace


def moved(timeline: Timeline, wave: int, first_row: int, clk: int) -> Timeline:
    """The timeline with a wave's rows from ``first_row`` on later by ``clk``."""
    waves = list(timeline.waves)
    columns = {}
    for name in ("attempt_clk", "issue_clk", "end_clk"):
        column = getattr(waves[wave], name).copy()
        column[first_row + (name == "attempt_clk") :] += clk
        columns[name] = column
    waves[wave] = replace(waves[wave], last_clk=waves[wave].last_clk + clk, **columns)
    return replace(timeline, waves=tuple(waves))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(("gfx942", "gfx950")))
def test_the_models_own_timeline_is_predicted_exactly(seed: int, arch: str) -> None:
    random = Random(seed)
    trace = random_traces.random_trace(random, arch)
    p = random_traces.random_parameters(random, arch)
    trace = replace(trace, waves=tuple(replace(wave, spins=()) for wave in trace.waves))
    timeline = simulate(trace, p, engine="compiled")
    if not timeline.complete:
        return
    predicted = forced_issue_clk(timeline, trace, p)
    for place, (wave, found) in enumerate(zip(timeline.waves, predicted, strict=True)):
        kinds = np.array([trace.code[index].kind is Kind.BARRIER for index in trace.waves[place].code])
        differ = np.flatnonzero((wave.issue_clk != found) & ~kinds[: len(found)])
        assert not len(differ), (place, int(differ[0]), wave.issue_clk[differ[0]], found[differ[0]])


def forced_of(timeline: Timeline, trace: Trace, p: TimingParameters) -> dict[str, tuple[int, int]]:
    classes = teacher_forced(timeline, trace, p).classes
    return {name: (one.late_clk, one.early_clk) for name, one in classes.items()}


def test_an_error_stays_with_its_instruction() -> None:
    """One read seen 40 clk later than its conditions hold: that read is early, nothing after it is."""
    trace = b.streams([[b.lds_read(), b.nop(), b.lds_read(), b.valu(), b.wait(lgkm=0), b.valu()]])
    p = b.parameters()
    timeline = simulate(trace, p, engine="compiled")
    assert forced_of(timeline, trace, p) == {"lds": (0, 0), "valu": (0, 0), "wait": (0, 0), "other": (0, 0)}
    seen = moved(timeline, 0, 2, 40)
    assert forced_of(seen, trace, p) == {"lds": (0, 40), "valu": (0, 0), "wait": (0, 0), "other": (0, 0)}


def test_what_was_seen_too_soon_is_late_by_the_rest_of_its_condition() -> None:
    """A wait that ended 12 clk before the model's return; one MFMA that began 8 clk into another."""
    trace = b.streams([[b.lds_read(), b.wait(lgkm=0), b.mfma(), b.mfma()]])
    p = b.parameters()
    timeline = simulate(trace, p, engine="compiled")
    assert forced_of(moved(timeline, 0, 1, -12), trace, p)["wait"] == (12, 0)
    assert forced_of(moved(timeline, 0, 3, -8), trace, p)["mfma"] == (8, 0)


def test_only_the_first_instructions() -> None:
    trace = b.streams([[b.valu()] * 40])
    p = b.parameters()
    timeline = simulate(trace, p, engine="compiled")
    found = teacher_forced(timeline, trace, p, most_rows=10)
    assert (found.rows, found.until_clk, found.wave_clk, found.share) == (10, 40, 40, 0.0)


def test_barriers_are_predicted_from_measured_arrivals() -> None:
    trace = b.streams([[b.nop(9), b.barrier(), b.valu()], [b.barrier(), b.valu()]])
    p = b.parameters()
    timeline = simulate(trace, p, engine="compiled")
    assert forced_of(timeline, trace, p)["barrier"] == (0, 0)
    assert forced_of(moved(timeline, 1, 0, 20), trace, p)["barrier"] == (0, 20)
