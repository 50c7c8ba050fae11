"""What holds for every trace: reasons tile the clocks, engines agree in long loops, progress rises."""

from __future__ import annotations

from random import Random
from types import ModuleType

import builders as b
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_traces import random_entry, random_parameters, random_trace

from wavesim.timing import ENGINES, simulate
from wavesim.timing.compare import differences
from wavesim.timing.compiled import engine as compiled_engine
from wavesim.timing.model import compute_unit
from wavesim.trace import Reason, Trace

ARCHITECTURES = st.sampled_from(("gfx942", "gfx950"))


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), arch=ARCHITECTURES)
def test_stalls_and_issues_tile_every_wave(engine: str, seed: int, arch: str) -> None:
    random = Random(seed)
    parameters = random_parameters(random, arch)
    trace = random_trace(random, arch)
    timeline = simulate(trace, parameters, engine=engine)
    assert timeline.complete
    for wave, stream in zip(timeline.waves, trace.waves, strict=True):
        begin = np.concatenate(([wave.first_clk], wave.end_clk[:-1]))
        waited = np.bincount(wave.stall_row, weights=wave.stall_clk, minlength=len(stream)).astype(int)
        if stream.spins:  # repeated passes are booked on the rows of the loop
            begin[: stream.spins[0].last + 2] = 0
            waited[: stream.spins[0].last + 2] = wave.issue_clk[: stream.spins[0].last + 2]
        np.testing.assert_array_equal(begin + waited, wave.issue_clk)
        assert (wave.attempt_clk <= wave.issue_clk).all()
        assert (wave.done_clk >= wave.issue_clk).all()
        assert wave.last_clk == wave.end_clk[-1]
        assert not (wave.issue_clk % 4).any()
        assert not (wave.stall_clk % 4).any()
        assert not np.isin(wave.stall_reason, (Reason.ISSUE, Reason.HOLD, Reason.NOP)).any()


def loops(random: Random, arch: str) -> Trace:
    """Waves of one or two roles in long loops with the same barriers."""
    code, plan = [], []
    barriers = random.randint(0, 2)
    for _ in range(random.randint(1, 2)):
        mix = random.choice(("any", "lds", "matrix", "memory"))
        start = len(code)
        code += [random_entry(random, arch, mix) for _ in range(random.randint(0, 3))]
        first = len(code)
        for part in range(barriers + 1):
            code += [random_entry(random, arch, mix) for _ in range(random.randint(1, 8))]
            code += [b.barrier()] if part < barriers else [b.cbranch()]
        last = len(code)
        code += [random_entry(random, arch, mix) for _ in range(random.randint(0, 3))] + [b.endpgm()]
        plan.append((start, first, last, len(code)))
    turns = random.randint(8, 40)
    waves = []
    for workgroup in range(random.choice((1, 1, 2))):
        begin = workgroup * random.randrange(200)
        for number in range(random.choice((1, 2, 4, 8))):
            start, first, last, end = plan[number % len(plan)]
            passes = turns + (random.randint(0, 9) if not barriers else 0)
            rows = [*range(start, first), *list(range(first, last)) * passes, *range(last, end)]
            taken = [first - start + (last - first) * turn - 1 for turn in range(1, passes)]
            conflicts = {row: 32 for row in range(len(rows)) if random.random() < 0.001}
            waves.append(
                b.wave(
                    rows,
                    simd=number % 4,
                    number=number,
                    workgroup=workgroup,
                    start_clk=begin,
                    taken=taken,
                    array_clk=conflicts,
                )
            )
    return b.trace(b.laid_out(code, 4 * random.randrange(8)), waves, arch)


def test_engines_agree_in_long_loops() -> None:
    for seed in range(20):
        random = Random(seed)
        arch = random.choice(("gfx942", "gfx950"))
        parameters = random_parameters(random, arch)
        trace = loops(random, arch)
        one, other = (simulate(trace, parameters, engine=engine) for engine in ENGINES)
        assert list(differences(one, other)) == []


@pytest.mark.parametrize(("engine", "where"), [("simpy", compute_unit), ("compiled", compiled_engine)])
def test_progress_rises(engine: str, where: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, {"simpy": "EVENTS_PER_REPORT", "compiled": "EVENTS_PER_CALL"}[engine], 100)
    shares: list[float] = []
    simulate(
        b.streams([[b.lds_read(4), b.wait(lgkm=0)] * 100] * 4),
        b.parameters(),
        engine=engine,
        progress=shares.append,
    )
    assert len(shares) > 1
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
