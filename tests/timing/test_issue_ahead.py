"""Issuing ahead of time changes nothing: the same Timeline as testing every instruction in its own slot."""

from __future__ import annotations

from random import Random
from unittest.mock import patch

import builders as b
import numpy as np
import random_traces
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing import simulate
from wavesim.timing.simpy_ahead import Ahead
from wavesim.trace import Timeline, Trace

COLUMNS = ("attempt_clk", "issue_clk", "end_clk", "done_clk", "stall_row", "stall_reason", "stall_clk")


def never(ahead: Ahead, op: object, ready: int) -> int:
    return -1


def slot_by_slot(trace: Trace, p: TimingParameters) -> Timeline:
    with patch.object(Ahead, "issue", never):
        return simulate(trace, p, engine="simpy", extrapolate=False)


def assert_same(one: Timeline, other: Timeline) -> None:
    assert one.clk_total == other.clk_total
    assert one.complete == other.complete
    for left, right in zip(one.waves, other.waves, strict=True):
        for name in COLUMNS:
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
        assert left.spin_repeats == right.spin_repeats
    assert one.busy.keys() == other.busy.keys()
    for name, uses in one.busy.items():
        for column in ("start_clk", "end_clk", "wave", "row"):
            np.testing.assert_array_equal(getattr(uses, column), getattr(other.busy[name], column))


@settings(max_examples=60, deadline=None)
@given(arch=st.sampled_from(("gfx942", "gfx950")), seed=st.integers(0, 2**32))
def test_ahead_equals_slot_by_slot(arch: str, seed: int) -> None:
    random = Random(seed)
    trace = random_traces.random_trace(random, arch)
    p = random_traces.random_parameters(random, arch)
    assert_same(simulate(trace, p, engine="simpy", extrapolate=False), slot_by_slot(trace, p))


def test_a_wave_alone_is_issued_ahead() -> None:
    """Sixteen MFMAs and as many VALU while the other wave of the SIMD waits for them at a barrier."""
    code = b.one_chunk([*[b.mfma(), b.valu()] * 16, b.barrier(), b.endpgm(), b.barrier(), b.mfma()])
    waves = [b.wave(range(34), simd=0, number=0), b.wave([34, 35, 33], simd=0, number=1)]
    trace = b.trace(code, waves)
    ahead = []
    issue = Ahead.issue

    def counted(self: Ahead, op: object, ready: int) -> int:
        end = issue(self, op, ready)  # type: ignore[arg-type]
        if end >= 0:
            ahead.append(end)
        return end

    with patch.object(Ahead, "issue", counted):
        simulate(trace, b.parameters(), engine="simpy", extrapolate=False)
    assert len(ahead) >= 31
