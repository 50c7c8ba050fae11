"""Trace, timing parameters and Timeline are flat: arrays, which pickle as they are, and no object per row."""

from __future__ import annotations

import pickle
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavesim.pipeline.run import Run, RunOptions, run_kernel

ROOT = Path(__file__).resolve().parents[2]
TRACE_BYTES, TIMELINE_BYTES = 32, 128
"""What a dynamic instruction may take: pickled it is 28, and with its clocks and stalls 103."""


@pytest.fixture(scope="module")
def run() -> Run:
    return run_kernel(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "1024"}))


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if is_dataclass(one):
        names = [each.name for each in fields(one)]
        return type(one) is type(other) and all(equal(getattr(one, n), getattr(other, n)) for n in names)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(equal, one, other))
    if hasattr(one, "items"):
        return list(one) == list(other) and all(equal(value, other[key]) for key, value in one.items())
    return bool(one == other)


def test_they_come_back_equal(run: Run) -> None:
    for value in (run.timeline.trace, run.timeline, run.machine.parameters):
        assert equal(pickle.loads(pickle.dumps(value)), value)


def test_what_comes_back_is_timed_alike(run: Run) -> None:
    from wavesim.timing import simulate

    trace, parameters = pickle.loads(pickle.dumps((run.timeline.trace, run.machine.parameters)))
    assert equal(simulate(trace, parameters).waves, run.timeline.waves)


def test_a_row_takes_few_bytes(run: Run) -> None:
    trace = run.timeline.trace
    rest = len(pickle.dumps((trace.program, trace.code)))
    for value, most in ((trace, TRACE_BYTES), (run.timeline, TIMELINE_BYTES)):
        assert (len(pickle.dumps(value)) - rest) / trace.instruction_count < most
