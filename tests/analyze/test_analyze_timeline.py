"""Figures of hand-built Timelines, and the law that reasons tile every wave's life."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_timeline import MFMA, PingPong, Step, Wave, build, entry, machine

from wavesim.analyze.activity import Activity, wave_activity
from wavesim.analyze.analysis import analyze
from wavesim.analyze.stalls import UNATTRIBUTED
from wavesim.trace import Kind, Reason

CODE = (
    entry(Kind.SALU, "s_mov_b32"),
    entry(Kind.LDS_READ),
    entry(Kind.LDS_WRITE),
    entry(Kind.MFMA),
    entry(Kind.WAIT, wait_lgkmcnt=0),
    entry(Kind.NOP, "s_nop"),
    entry(Kind.COND_BRANCH),
    entry(Kind.ENDPGM, "s_endpgm"),
)

STALLS = st.lists(
    st.tuples(
        st.sampled_from([reason for reason in Reason if reason > Reason.NOP]),
        st.integers(1, 20).map(lambda slots: 4 * slots),
    ),
    max_size=3,
).map(tuple)
STEPS = st.lists(
    st.builds(Step, code=st.integers(0, len(CODE) - 1), stalls=STALLS, hold_clk=st.sampled_from([4, 12, 16])),
    max_size=30,
)
WAVE = st.builds(Wave, steps=STEPS, start_clk=st.integers(0, 50).map(lambda slots: 4 * slots))
WAVES = st.lists(WAVE, min_size=1, max_size=9)


@settings(max_examples=40)
@given(waves=WAVES, tail_clk=st.integers(0, 9))
def test_reasons_tile_every_waves_life(waves: list[Wave], tail_clk: int) -> None:
    timeline = build(CODE, waves, tail_clk=tail_clk)
    analysis = analyze(timeline, machine())
    for wave in analysis.waves:
        assert UNATTRIBUTED not in wave.stalls
        assert sum(wave.stalls.values()) == wave.clk == timeline.clk_total
        assert min(wave.stalls.values()) >= 0
    for group in analysis.groups:
        assert sum(group.stalls.values()) == pytest.approx(timeline.clk_total)
        if group.per_iteration is not None:
            assert sum(group.per_iteration.values()) == pytest.approx(group.iteration_clk)
    assert sorted(wave for group in analysis.groups for wave in group.waves) == list(range(len(waves)))


@settings(max_examples=40)
@given(waves=WAVES)
def test_activity_tiles_every_waves_life(waves: list[Wave]) -> None:
    timeline = build(CODE, waves)
    for position in range(len(waves)):
        for from_clk, to_clk in ((0, timeline.clk_total), (8, 64)):
            found = wave_activity(timeline, position, from_clk, to_clk)
            inside = max(0, min(to_clk, timeline.clk_total) - from_clk)
            assert sum(part.clk for part in found.values()) == inside


@settings(max_examples=40)
@given(waves=WAVES)
def test_a_measured_timeline_without_busy_spans_is_analysed(waves: list[Wave]) -> None:
    analysis = analyze(build(CODE, waves, measured=True), machine())
    assert analysis.busy_estimated
    assert all(0 <= share <= 1 for share in (*analysis.mfma_busy, *analysis.lds_busy))


def loop(iterations: int, clocks: list[int]) -> list[Step]:
    """Head at 1; iteration k lasts ``clocks[k]`` from head issue to head issue."""
    steps = [Step(0)]
    for index in range(iterations):
        steps.append(Step(1, ((Reason.BRANCH, clocks[index - 1] - 8),) if index else ()))
        steps.append(Step(6, taken=index + 1 < iterations))
    return [*steps, Step(7)]


def test_clk_per_iteration_of_all_waves_and_of_one() -> None:
    """Of all: first to last head of any wave over the passes made meanwhile, last ones with their
    end; of one: last minus first head over their number, the median over waves."""
    first = loop(5, [100, 100, 100, 200])
    second = loop(5, [60, 100, 100, 100])
    third = loop(5, [40, 40, 40, 40])
    analysis = analyze(build(CODE, [Wave(first), Wave(second), Wave(third)]), machine())
    (found,) = analysis.loops
    # 500 clk from the first wave's first head to its last; the others have ended their fifth pass by then
    assert found.clk_per_iteration == 500 / ((4 + 5 + 5) / 3)
    assert found.wave_clk_per_iteration == (60 + 100 + 100 + 100) / 4
    singles = [100, 100, 100, 200, 60, 100, 100, 100, 40, 40, 40, 40]
    assert (found.p10, found.median, found.p90) == tuple(np.percentile(singles, (10, 50, 90)))
    assert found.iterations == 5
    assert found.period_iterations is None


def test_period_and_the_iteration_it_holds_from() -> None:
    clocks = [300, 200, *([100, 140] * 8)]
    analysis = analyze(build(CODE, [Wave(loop(len(clocks) + 1, clocks))] * 2), machine())
    (found,) = analysis.loops
    assert (found.period_iterations, found.period_clk, found.from_iteration) == (2, 240, 2)
    assert analysis.steady.exact
    assert analysis.steady.iterations == 16
    assert analysis.steady.clk == 8 * 240


def test_a_drifting_loop_has_no_period() -> None:
    analysis = analyze(build(CODE, [Wave(loop(12, [100 + 4 * index for index in range(11)]))]), machine())
    assert analysis.loops[0].period_iterations is None
    assert not analysis.steady.exact


def test_waves_that_drift_against_each_other_are_not_steady() -> None:
    analysis = analyze(build(CODE, [Wave(loop(12, [100] * 11)), Wave(loop(12, [104] * 11))]), machine())
    assert analysis.loops[0].period_iterations is None


def test_the_outer_loop_comes_first_and_the_inner_counts_its_own_back_edges() -> None:
    code = (*CODE[:7], entry(Kind.COND_BRANCH), CODE[7])
    steps = [Step(0)]
    for _ in range(4):
        steps.append(Step(1))
        for _ in range(3):
            steps += [Step(3, ((Reason.MATRIX_PIPE, 40),)), Step(6, taken=True)]
        steps.append(Step(7, taken=True))
    steps.append(Step(8))
    analysis = analyze(build(code, [Wave(steps)]), machine())
    outer, inner = analysis.loops
    assert (outer.head, outer.depth, outer.iterations) == (1, 0, 4)
    assert (inner.head, inner.depth) == (3, 1)
    assert inner.clk_per_iteration == 48
    assert outer.clk_per_iteration == 4 + 3 * 48 + 4


def test_no_loop_gives_null_figures_and_shares_of_the_whole_run() -> None:
    steps = [Step(0), Step(3), Step(3, ((Reason.MATRIX_PIPE, 12),)), Step(7, ((Reason.DEPENDENCY, 40),))]
    analysis = analyze(build(CODE, [Wave(steps)]), machine())
    assert analysis.loop is None
    assert analysis.bounds is None
    assert analysis.mfma_busy[0] == 32 / analysis.clk_total


def test_overlap_is_the_share_of_read_service_under_the_pairs_two_pipes() -> None:
    reading = [Step(0), Step(1), Step(1, ((Reason.PORT, 4),)), Step(7, ((Reason.DEPENDENCY, 80),))]
    computing = [Step(0), Step(3), Step(7, ((Reason.DEPENDENCY, 80),))]
    analysis = analyze(build(CODE, [Wave(reading, simd=0), Wave(computing, simd=1)]), machine())
    assert analysis.overlap is not None
    assert analysis.overlap.service_clk_per_iteration == 16
    assert analysis.overlap.hidden == 0.5
    assert analysis.overlap.exposed == 0.5
    assert analysis.overlap.hidden_clk_per_iteration == 8


def test_matrix_pipe_lost_only_while_every_wave_of_the_simd_waits_for_lgkmcnt() -> None:
    waiting = [Step(0), Step(1), Step(4, ((Reason.LGKMCNT, 52),)), Step(7)]
    other = [Step(0), Step(3), Step(4, ((Reason.LGKMCNT, 28),)), Step(7)]
    analysis = analyze(build(CODE, [Wave(waiting, simd=0), Wave(other, simd=0)]), machine())
    assert analysis.overlap is not None
    # waits [8, 60) and [8, 36); the pipe is busy [4, 20); the second wave has ended at 44
    assert analysis.overlap.mfma_idle_on_lds_clk == (36 - 20) + (60 - 44)


def test_bounds_sum_the_work_of_all_waves() -> None:
    toy = PingPong()
    analysis = analyze(toy.timeline(), machine())
    assert analysis.bounds is not None
    bounds = analysis.bounds
    assert bounds.mfma == 2 * 8 * 16
    assert bounds.lds_bytes == 8 * 8 * 64 * 8 / 128
    assert bounds.lds_parts == {"port_0": 4 * 8 * 8, "port_1": 4 * 8 * 8, "array": 8 * 8 * 4}
    assert bounds.lds_service == 256
    assert bounds.issue == 2 * 8 * 4
    assert bounds.global_bytes == 0
    assert bounds.binding == "mfma"


def test_waves_of_one_role_are_one_group() -> None:
    analysis = analyze(PingPong().timeline(), machine())
    assert [group.waves for group in analysis.groups] == [(0, 1, 2, 3), (4, 5, 6, 7)]


def test_throughput_at_a_stated_clock() -> None:
    timeline = PingPong().timeline()
    analysis = analyze(timeline, machine(), clock=1.5)
    throughput, found = analysis.throughput, analysis.loop
    assert throughput is not None
    assert found is not None
    flop = 8 * 6 * 8 * 2 * 16**3
    assert throughput.flop == flop
    assert throughput.tflops == pytest.approx(flop / timeline.clk_total * 304 * 1.5e9 / 1e12)
    assert throughput.tflops_steady == pytest.approx(flop / 6 / found.clk_per_iteration * 304 * 1.5e9 / 1e12)


def test_the_period_is_read_off_the_timeline() -> None:
    """From the second iteration on: seven of 100 clk. A period of 20 iterations is found by their lengths."""
    found = analyze(build(CODE, [Wave(loop(9, [60, *[100] * 7]))]), machine()).loops[0]
    assert (found.period_iterations, found.period_clk, found.from_iteration, found.periods) == (1, 100, 1, 7)
    lengths = [100 + 4 * (n * n % 20) + 4 * (n % 20 == 7) for n in range(100)]
    long = analyze(build(CODE, [Wave(loop(101, lengths))]), machine()).loops[0]
    assert (long.period_iterations, long.from_iteration, long.periods) == (20, 0, 5)


def test_a_stuck_wave_keeps_its_clocks() -> None:
    stuck = build(CODE, [Wave([Step(0), Step(4)])], complete=False, tail_clk=40)
    wave = stuck.waves[0]
    wave.issue_clk[1] = wave.end_clk[1] = -1
    analysis = analyze(stuck, machine())
    assert sum(analysis.waves[0].stalls.values()) == stuck.clk_total
    assert analysis.throughput is None
    assert not analysis.complete


def test_mfma_waiting_behind_its_own_mfma_is_computing() -> None:
    timeline = PingPong().timeline()
    found = wave_activity(timeline, 0, 0, timeline.clk_total)
    assert found[Activity.PIPE_WAIT].clk == 0
    assert MFMA in machine().parameters.mfma_table


def test_a_producer_with_a_loop_of_its_own_counts_by_the_consumers_iterations() -> None:
    code = (*CODE[:7], entry(Kind.SALU, "s_add_u32"), entry(Kind.COND_BRANCH), CODE[7])
    consumer = [Step(0)]
    producer = [Step(0)]
    for index in range(12):
        consumer += [Step(3, ((Reason.BRANCH, 92),) if index else ()), Step(6, taken=index < 11)]
    for index in range(24):
        producer += [Step(7, ((Reason.BRANCH, 42),) if index else ()), Step(8, taken=index < 23)]
    timeline = build(code, [Wave([*consumer, Step(9)]), Wave([*producer, Step(9)], simd=1)])
    analysis = analyze(timeline, machine())
    assert [loop.head for loop in analysis.loops] == [7, 3]


def test_waves_outside_the_main_loop_are_cut_at_its_clocks() -> None:
    code = (*CODE[:7], entry(Kind.LDS_WRITE), entry(Kind.COND_BRANCH), CODE[7])
    consumer = [Step(0)]
    producer = [Step(0)]
    for index in range(12):
        consumer += [Step(3, ((Reason.BRANCH, 92),) if index else ()), Step(6, taken=index < 11)]
    for index in range(23):
        producer += [Step(7, ((Reason.BRANCH, 42),) if index else ()), Step(8, taken=index < 22)]
    consumers = [Wave([*consumer, Step(9)], simd=0), Wave([*consumer, Step(9)], simd=1)]
    timeline = build(code, [*consumers, Wave([*producer, Step(9)], simd=2)])
    analysis = analyze(timeline, machine())
    main = analysis.loops[0]
    assert main.head == 3
    assert main.period_iterations == 1
    assert analysis.bounds is not None
    assert analysis.bounds.lds_parts["array"] == 2 * 4  # two writes of the producer in each iteration


def test_idle_pipe_clocks_are_all_given_to_what_the_waves_do() -> None:
    timeline = PingPong().timeline()
    analysis = analyze(timeline, machine())
    assert analysis.bounds is not None
    idle = (1 - analysis.mfma_busy_share) * analysis.steady.clk / analysis.steady.iterations
    assert sum(analysis.mfma_idle.values()) == pytest.approx(idle)
    assert max(analysis.mfma_idle.values()) == next(iter(analysis.mfma_idle.values()))
