"""Rules of docs/model one by one on both engines; expected clocks are derived by hand from it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import builders as b
import pytest

from wavesim.errors import LimitExceeded, UserError
from wavesim.limits import Budget, allowing
from wavesim.timing import ENGINES, simulate
from wavesim.trace import CodeEntry, Reason, Spin, Timeline, Trace

Stalls = list[tuple[int, Reason, int]]

ENGINE = ""


@pytest.fixture(params=ENGINES, autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs on both engines."""
    monkeypatch.setattr(sys.modules[__name__], "ENGINE", request.param)


def timed(trace: Trace, **changes: object) -> Timeline:
    return simulate(trace, b.parameters(trace.arch, **changes), engine=ENGINE)


def alone(
    body: Sequence[CodeEntry], arch: str = "gfx942", *, fetch: bool = False, **changes: object
) -> Timeline:
    return timed(b.streams([body], arch, fetch=fetch), **changes)


def same_simd(*bodies: Sequence[CodeEntry], arch: str = "gfx942", **changes: object) -> Timeline:
    """All waves on SIMD 0, the first the oldest."""
    code = b.one_chunk([entry for body in bodies for entry in (*body, b.endpgm())])
    waves, first = [], 0
    for number, body in enumerate(bodies):
        waves.append(b.wave(range(first, first + len(body) + 1), simd=0, number=number))
        first += len(body) + 1
    return timed(b.trace(code, waves, arch), **changes)


def issue(timeline: Timeline, wave: int = 0) -> list[int]:
    clocks: list[int] = timeline.waves[wave].issue_clk.tolist()
    return clocks


def stalls(timeline: Timeline, wave: int = 0) -> Stalls:
    of = timeline.waves[wave]
    return [
        (int(row), Reason(int(why)), int(clk))
        for row, why, clk in zip(of.stall_row, of.stall_reason, of.stall_clk, strict=True)
    ]


# -- §3 fetch


def test_straight_line_fetch() -> None:
    """Eight 4-byte SALU a chunk: chunk 0's last issues at 28, so chunk 2 is there at 48, before it is
    needed at 64. Four 8-byte ones a chunk: the last at 12, chunk 2 needed at 32 and there at 32."""
    assert issue(alone([b.salu()] * 24, fetch=True)) == [4 * i for i in range(25)]
    eight = alone([b.salu(size_bytes=8)] * 12, fetch=True, fetch_refill_clk=24)
    assert issue(eight)[:9] == [0, 4, 8, 12, 16, 20, 24, 28, 36]
    assert stalls(eight)[0] == (8, Reason.FETCH, 4)


def test_branches_restart_fetch() -> None:
    code = b.laid_out([b.salu(), b.salu(), b.cbranch(), b.endpgm()])
    trace = b.trace(code, [b.wave([0, 1, 2, 0, 1, 2, 3], taken=[2])])
    timeline = timed(trace)
    # branch 8 clk after the SALU before it; taken: target at +20; not taken: its own chunk stays
    assert issue(timeline) == [0, 4, 12, 32, 36, 44, 48]
    assert stalls(timeline) == [(2, Reason.DEPENDENCY, 4), (3, Reason.BRANCH, 16), (5, Reason.DEPENDENCY, 4)]


def test_a_branch_not_taken_restarts_the_next_chunk() -> None:
    code = b.laid_out([b.cbranch(), *[b.valu()] * 8, b.endpgm()])
    timeline = timed(b.trace(code, [b.wave(range(10))]))
    assert issue(timeline)[7:] == [28, 32, 36]  # chunk 1 there at 20: in time
    late = timed(
        b.trace(b.laid_out([*[b.valu()] * 7, b.cbranch(), b.valu(), b.endpgm()]), [b.wave(range(10))])
    )
    assert issue(late)[7:] == [28, 48, 52]
    assert (8, Reason.BRANCH, 16) in stalls(late)


# -- §4 gaps


@pytest.mark.parametrize(
    ("body", "gap"),
    [
        ([b.valu(), b.lds_read()], 12),
        ([b.trans(), b.load()], 16),  # its hold is longer than the gap
        ([b.mfma(), b.lds_read()], 4),
        ([b.valu(writes_sgpr=True), b.salu()], 20),
        ([b.valu(writes_sgpr=True), b.smem()], 20),
        ([b.valu(), b.salu()], 4),
        ([b.salu(), b.cbranch()], 8),
        ([b.smem(), b.cbranch()], 4),
        ([b.salu(writes=(3,)), b.load(reads=(3,))], 8),
        ([b.salu(writes=(3,)), b.load(reads=(4,))], 4),
    ],
)
def test_dependency_gaps(body: list[CodeEntry], gap: int) -> None:
    assert issue(alone(body))[1] == gap


# -- §5 matrix pipe


def test_mfma_excludes_a_valu_in_its_slot_only_on_gfx942() -> None:
    timeline = same_simd([b.mfma()], [b.valu()], [b.lds_read()], [b.salu()])
    assert [issue(timeline, wave)[0] for wave in range(4)] == [0, 4, 0, 0]
    assert stalls(timeline, 1) == [(0, Reason.MFMA_COISSUE, 4)]


def test_scaled_mfma_takes_two_slots() -> None:
    scaled = b.mfma(b.MFMA_SCALED, 8, fmt="fp8", scaled=True)
    timeline = same_simd([scaled, scaled], [b.valu()], arch="gfx950")
    pipe = b.parameters("gfx950").matrix_pipe_clk(b.MFMA_SCALED, "fp8")
    first, second = timeline.waves[0].issue_clk[:2]
    assert (first, timeline.waves[0].end_clk[0]) == (0, 8)
    assert timeline.waves[0].done_clk[0] == 4 + pipe
    assert second == pipe  # the scales are loaded while the pipe takes the end of the first one
    assert timeline.waves[0].end_clk[1] == 4 + pipe + 4
    assert issue(timeline, 1)[0] == 4 + 12  # between the two


# -- §6 LDS


def test_writes_hold_their_wave_and_the_pair() -> None:
    timeline = timed(b.streams([[b.lds_write(16), b.valu()], [b.lds_read()]]))
    assert issue(timeline, 0)[:2] == [0, 20]
    assert issue(timeline, 1)[0] == 20
    assert stalls(timeline, 1) == [(0, Reason.PORT, 4), (0, Reason.LDS_HOLD, 16)]


def test_queue_entries_come_back_after_done() -> None:
    timeline = alone([b.lds_read(16)] * 3, lds_queue_entries=2)
    # b128: port 16 clk each; done 16, 32; free at 16 + 36
    assert issue(timeline)[:3] == [0, 4, 52]
    assert stalls(timeline)[0] == (2, Reason.LDS_QUEUE, 44)


def test_a_load_to_lds_takes_the_array_when_it_returns() -> None:
    timeline = alone([b.load(16, to_lds=True), b.wait(vm=0)], memory_latency_clk=100)
    span = timeline.busy["lds_array", 0]
    assert (span.start_clk.tolist(), span.end_clk.tolist()) == ([100], [108])


# -- §7 counters


def test_scalar_and_lds_returns_mix() -> None:
    """The wait for one of two ends with the LDS read, though only the scalar return is known at first."""
    body = [b.lds_read(16), b.lds_read(16), b.smem(1), b.wait(lgkm=1)]
    timeline = alone(body, scalar_load_latency_clk=400)
    assert issue(timeline)[3] == 32 + 44


def test_full_counters_stall() -> None:
    timeline = alone([b.load()] * 3, counter_vm_max=2, memory_latency_clk=100)
    assert stalls(timeline) == [(2, Reason.COUNTER_FULL, 92)]
    timeline = alone([b.smem(2), b.smem(2)], counter_lgkm_max=3, scalar_load_latency_clk=44)
    assert stalls(timeline) == [(1, Reason.COUNTER_FULL, 40)]


# -- §8 barrier


def test_barrier_releases_by_simd_order() -> None:
    """SIMD 0 arrives last: all others stand later in the order and leave early."""
    timeline = timed(b.streams([[b.nop(3), b.barrier()], [b.barrier()], [b.barrier()], [b.barrier()]]))
    ends = [int(wave.end_clk[1 if i == 0 else 0]) for i, wave in enumerate(timeline.waves)]
    assert ends == [24, 20, 20, 20]


def test_an_end_completes_a_barrier() -> None:
    timeline = timed(b.streams([[b.barrier()], [b.nop(9)]]))
    # the other wave ends at 44, later in the order than SIMD 0's: late release
    assert timeline.waves[1].last_clk == 44
    assert timeline.waves[0].end_clk[0] == 52


def test_workgroups_have_their_own_barriers() -> None:
    code = b.one_chunk([b.nop(9), b.barrier(), b.endpgm()])
    waves = [b.wave([0, 1, 2]), b.wave([1, 2], workgroup=1, number=1, simd=1)]
    timeline = timed(b.trace(code, waves))
    assert timeline.waves[1].end_clk[0] == 8


# -- §9 scalar, VALU, control


def test_gfx942_issues_one_valu_per_slot() -> None:
    assert [issue(same_simd([b.valu()], [b.valu()]), w)[0] for w in range(2)] == [0, 4]


def test_transcendentals_hold_the_valu() -> None:
    timeline = same_simd([b.trans()], [b.valu()])
    assert issue(timeline, 1)[0] == 16
    assert stalls(timeline, 1) == [(0, Reason.ARBITRATION, 4), (0, Reason.VALU_BUSY, 12)]


def test_priority_decides_from_its_end() -> None:
    timeline = same_simd([b.salu()] * 3, [b.setprio(1), b.salu(), b.salu()])
    assert issue(timeline, 1)[:3] == [0, 4, 8]
    assert issue(timeline, 0)[:3] == [0, 12, 16]


# -- §10 memory


def test_memory_accepts_and_returns_in_order() -> None:
    timeline = alone([b.load(16)] * 3, memory_latency_clk=100)
    # 1024 bytes at 64 a clock: accepted 16 apart, returned 16 apart
    span = timeline.busy["memory", 0]
    assert span.start_clk.tolist() == [0, 16, 32]
    assert span.end_clk.tolist() == [100, 116, 132]


def test_memory_latency_by_order_of_issue() -> None:
    code = b.one_chunk([b.load(4), b.endpgm()])
    trace = b.trace(
        code,
        [b.wave([0, 0, 1], memory_latency_clk={0: 50, 1: 60})],
        memory_latency_by_order_clk=b.np.array([200, -1], b.np.int32),
    )
    assert timed(trace).waves[0].done_clk[:2].tolist() == [200, 204]


# -- §11 arbitration


def test_one_memory_instruction_per_slot_and_runs_go_on() -> None:
    timeline = timed(b.streams([[b.load(4)] * 2, [b.load(4)] * 2]))
    assert issue(timeline, 0)[:2] == [0, 4]
    assert issue(timeline, 1)[:2] == [8, 12]
    assert stalls(timeline, 1) == [(0, Reason.PORT, 8)]


def test_a_denied_simd_fills_up() -> None:
    """SIMD 1 loses the port; its MFMA, kept out by the read on gfx950, issues instead."""
    code = b.one_chunk([b.lds_read(16), b.endpgm(), b.mfma(b.MFMA_950, 2), b.endpgm()])
    waves = [b.wave([0, 1], simd=simd, number=simd) for simd in (0, 1)]
    waves.append(b.wave([2, 3], simd=1, number=2))
    timeline = timed(b.trace(code, waves, "gfx950"))
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 4, 0]


# -- §12 spins, incomplete traces, limits


def polling(store: list[CodeEntry]) -> Trace:
    code = b.one_chunk([b.lds_read(4), b.wait(lgkm=0), b.cbranch(), b.endpgm(), *store, b.endpgm()])
    spinner = b.wave([0, 1, 2, 3], spins=(Spin(0, 2, 1, len(store) - 1),))
    return b.trace(code, [spinner, b.wave(range(4, 4 + len(store) + 1), simd=1, number=1)])


def test_polling_repeats_until_the_store_is_done() -> None:
    timeline = timed(polling([b.sleep(4), b.lds_write(4)]))
    store, poller = timeline.waves[1], timeline.waves[0]
    assert poller.issue_clk[2] >= store.done_clk[1]
    assert poller.spin_repeats[0] >= 2
    one_pass = poller.end_clk[2] - poller.issue_clk[0]
    assert poller.issue_clk[2] - (one_pass + 16) < store.done_clk[1]  # restart of fetch: 16


def test_polling_in_vain_ends() -> None:
    trace = polling([b.barrier(), b.lds_write(4)])
    timeline = timed(trace)
    assert not timeline.complete
    assert timeline.waves[1].issue_clk[1] == -1


def test_a_barrier_that_is_never_complete() -> None:
    code = b.one_chunk([b.valu(), b.barrier(), b.endpgm()])
    waves = [b.wave([0, 1, 2]), b.wave([0, 0], simd=1, number=1)]  # the second stops without s_endpgm
    timeline = timed(b.trace(code, waves, complete=False))
    assert not timeline.complete
    assert timeline.waves[1].last_clk == 8
    assert timeline.waves[0].issue_clk.tolist() == [0, -1, -1]
    assert timeline.clk_total == 8
    assert stalls(timeline) == [(1, Reason.BARRIER, 4)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_budget_of_clocks(engine: str) -> None:
    trace = b.streams([[b.sleep(127)] * 400])
    with allowing(Budget(clk=100)), pytest.raises(LimitExceeded, match=r"of 100 .*\n.*--max-clk"):
        simulate(trace, b.parameters(), engine=engine)
    assert simulate(trace, b.parameters(), engine=engine).complete


def test_unknown_engines() -> None:
    trace = b.streams([[b.valu()]])
    with pytest.raises(UserError, match="engine"):
        simulate(trace, b.parameters(), engine="quick")


def test_a_stuck_run_ends_with_the_last_arrival() -> None:
    """The barrier stands in a chunk that a branch restarts: its wave arrives at 20 and waits for ever."""
    code = b.laid_out([b.cbranch(), *[b.valu()] * 7, b.barrier(), b.endpgm()])
    waves = [b.wave([0, 8, 9], taken=[0]), b.wave([1], simd=1, number=1)]
    timeline = timed(b.trace(code, waves, complete=False))
    assert stalls(timeline) == [(1, Reason.BRANCH, 16)]
    assert (timeline.waves[0].last_clk, timeline.waves[1].last_clk) == (20, 4)
