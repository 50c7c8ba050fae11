"""The compiled engine's boundary: what C would read wrongly is refused before the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import builders as b
import numpy as np
import pytest
import random_traces
from hypothesis import given
from hypothesis import strategies as st

from wavesim.errors import UserError
from wavesim.timing import compiled, simulate
from wavesim.timing.compare import differences
from wavesim.timing.compiled import engine, library
from wavesim.timing.compiled.forced import sweep
from wavesim.trace import Kind, Reason, Spin, Trace
from wavesim.trace.code import Category

COLUMNS = ("code", "array_clk", "memory_bytes", "memory_latency_clk", "taken")


def trace() -> Trace:
    rows = [b.lds_read(), b.load(), b.wait(lgkm=0, vm=0), b.cbranch()]
    return b.streams([rows, rows])


def changed(**columns: object) -> Trace:
    whole = trace()
    return replace(whole, waves=(replace(whole.waves[0], **columns), *whole.waves[1:]))  # type: ignore[arg-type]


def times(text: str) -> tuple[str, ...]:
    return library.names(getattr(library.load()[0], f"wavesim_{text}")())


def test_both_sides_number_alike() -> None:
    assert times("reasons") == tuple(reason.name.lower() for reason in Reason)
    assert sorted(times("kinds")) == sorted(kind.value for kind in Kind)
    assert sorted(times("categories")) == sorted(category.value for category in Category)


DAMAGE: dict[str, Callable[[np.ndarray[Any, Any]], object]] = {
    "longer": lambda column: np.concatenate((column, column[:1])),
    "shorter": lambda column: column[:-1],
    "empty": lambda column: column[:0],
    "wider": lambda column: column.astype(np.int64),
    "narrower": lambda column: column.astype(np.int16),
    "float": lambda column: column.astype(np.float32),
    "other bytes first": lambda column: column.astype(">i4"),
    "objects": lambda column: column.astype(object),
    "two dimensions": lambda column: column.reshape(-1, 1),
    "no dimension": lambda column: np.array(column[0]),
    "a list": lambda column: column.tolist(),
    "nothing": lambda column: None,
}


@pytest.mark.parametrize(
    ("name", "how"),
    [
        (name, how)
        for name in COLUMNS
        for how in DAMAGE
        if name != "code" or how not in ("longer", "shorter", "empty")  # its length is that of the others
    ],
)
def test_arrays_of_another_shape_or_type(name: str, how: str) -> None:
    column = getattr(trace().waves[0], name)
    with pytest.raises(UserError, match="expected, found"):
        compiled.run(changed(**{name: DAMAGE[how](column)}), b.parameters())


@given(st.sampled_from(COLUMNS[:4]), st.integers(0, 4), st.sampled_from((-2, -(2**31), 5000)))
def test_numbers_outside_what_they_index(name: str, row: int, value: int) -> None:
    column = getattr(trace().waves[0], name).copy()
    column[row] = value
    if value > 0 and name != "code":
        compiled.run(changed(**{name: column}), b.parameters())
        return
    with pytest.raises(UserError, match="values outside"):
        compiled.run(changed(**{name: column}), b.parameters())


@pytest.mark.parametrize(
    "columns",
    [
        {"simd": 4},
        {"simd": -1},
        {"start_clk": -4},
        {"start_clk": 1 << 62},
        {"spins": (Spin(0, 99, 1, 0),)},
        {"spins": (Spin(3, 2, 1, 0),)},
        {"spins": (Spin(-1, 2, 1, 0),)},
        {"spins": (Spin(0, 2, 2, 0),)},
        {"spins": (Spin(0, 2, 1, 99),)},
        {"spins": (Spin(0, 2, 1, -1),)},
    ],
)
def test_waves_that_cannot_be(columns: dict[str, object]) -> None:
    with pytest.raises(UserError):
        compiled.run(changed(**columns), b.parameters())


@pytest.mark.parametrize(
    "changes",
    [
        {"issue_slot_clk": 0},
        {"issue_turn_clk": 0},
        {"memory_bytes_per_clk": 0},
        {"lds_queue_entries": 0},
        {"memory_queue_entries": -1},
        {"memory_tail_entries": 0},
        {"memory_latency_clk": 1 << 41},
        {"memory_latency_clk": -1},
        {"barrier_simd_order": (0, 1, 2)},
        {"structure_simd_pairs": ((0, 1), (2,))},
    ],
)
def test_machines_that_cannot_be(changes: dict[str, object]) -> None:
    with pytest.raises(UserError):
        compiled.run(trace(), b.parameters(**changes))


def test_latencies_by_order_are_checked() -> None:
    for wrong in (np.zeros(3, np.int64), np.zeros((1, 3), np.int32), np.array([-2], np.int32)):
        with pytest.raises(UserError):
            compiled.run(replace(trace(), memory_latency_by_order_clk=wrong), b.parameters())


def test_a_measured_timeline_is_checked() -> None:
    timeline = simulate(trace(), b.parameters(), engine="compiled")
    for wrong in (
        timeline.waves[0].issue_clk[:-1],
        np.full(5, -1),
        timeline.waves[0].issue_clk.astype(np.int32),
    ):
        bad = replace(timeline, waves=(replace(timeline.waves[0], issue_clk=wrong), *timeline.waves[1:]))
        with pytest.raises(UserError):
            sweep(bad, trace(), b.parameters(), 1 << 60)


def test_slices_and_no_waves_are_fine() -> None:
    """Arrays that are not contiguous are copied; a trace without waves takes no time."""
    whole = trace()
    spread = {}
    for name in COLUMNS:
        wide = np.zeros((2 * len(whole.waves[0]),), getattr(whole.waves[0], name).dtype)
        wide[::2] = getattr(whole.waves[0], name)
        spread[name] = wide[::2]
    one, other = (compiled.run(each, b.parameters()) for each in (whole, changed(**spread)))
    assert list(differences(one, other)) == []
    assert compiled.run(replace(whole, waves=()), b.parameters()).clk_total == 0


def test_ctrl_c_is_heard_between_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What interrupts while the engine is in Python ends the run; the next one knows nothing of it."""
    monkeypatch.setattr(engine, "EVENTS_PER_CALL", 10)
    shares: list[float] = []

    def interrupted(share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            raise KeyboardInterrupt

    whole = b.streams([[b.lds_read(4), b.wait(lgkm=0)] * 100] * 4)
    with pytest.raises(KeyboardInterrupt):
        compiled.run(whole, b.parameters(), interrupted)
    assert 0 < shares[-1] < 0.5
    in_portions = compiled.run(whole, b.parameters())
    monkeypatch.undo()
    assert list(differences(in_portions, compiled.run(whole, b.parameters()))) == []


def test_runs_leave_nothing_behind() -> None:
    """Memory does not grow with the number of runs: 400 more take less than 8 MB more."""
    import resource

    cases = []
    for seed in range(20):
        random = Random(seed)
        p = random_traces.random_parameters(random, "gfx950")
        cases.append((random_traces.random_trace(random, "gfx950"), p))
    peak = []
    for _ in range(2):
        for _ in range(20):
            for case, p in cases:
                compiled.run(case, p)
        peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peak[1] - peak[0] < 8192


def test_a_code_timed_again_with_other_numbers_or_as_another_one() -> None:
    """What is kept of a code is without its clocks, and by its identity: an equal one is another."""
    code = (*b.one_chunk([b.mfma(), b.lds_read(), b.valu(), b.load(), b.endpgm()]),)
    first = b.trace(code, [b.wave([0, 1, 2, 3, 4])])
    again = replace(first, code=(*code[:1], replace(code[1], width_bytes=16), *code[2:]))
    for p in (b.parameters("gfx942"), b.parameters("gfx942", lds_read_latency_clk=90, mfma_pass_clk=8)):
        for traced in (first, again, first):
            compiled, simpy = (simulate(traced, p, engine=engine) for engine in ("compiled", "simpy"))
            assert compiled.waves[0].done_clk.tolist() == simpy.waves[0].done_clk.tolist()
