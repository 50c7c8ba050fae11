"""Exposed latencies and lines, on small kernels whose clocks can be added up by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.explanation.exposed import exposed_latencies
from wavesim.explanation.lines import lines_of
from wavesim.explanation.main_loop import steady_of
from wavesim.explanation.parallel import run_jobs
from wavesim.pipeline.run import Run, RunOptions, run_kernel

ROOT = Path(__file__).resolve().parents[2]


def run_of(name: str, **settings: str) -> Run:
    return run_kernel(ROOT / name, RunOptions(settings=settings))


def test_reads_before_one_strong_wait_are_exposed_one_after_the_other() -> None:
    """Eight reads go out 4 clk apart (8 at the port); the wait then stands until the last one's 44 clk are
    over, and an MFMA takes 16."""
    run = run_of("kernels/lessons/strong_wait.s")
    found = exposed_latencies(run.timeline, run.machine.parameters)
    assert [each.span.line for each in found if each.span] == [31, 30, 29, 28, 27, 26, 25, 24]
    last = found[0]
    assert last.wait is not None
    assert last.wait.line == 32
    waited = {
        line.span.line: line
        for line in lines_of(run.timeline, run.analysis, steady_of(run.timeline))[0]
        if line.span
    }
    assert last.exposed_clk == waited[32].by_reason["lgkmcnt"] == 68
    assert last.mfmas == 5  # 68 clk in steps of 16
    assert last.mfma_clk == 16
    assert last.latency_clk == (72, 72)


def test_reads_under_enough_mfmas_are_hidden() -> None:
    run = run_of("kernels/lessons/double_buffer.yaml")
    found = exposed_latencies(run.timeline, run.machine.parameters)
    assert found
    assert all(each.exposed_clk == 0 and each.mfmas == 0 for each in found)


def test_a_run_without_a_loop_is_taken_as_a_whole() -> None:
    """One read of 52 clk, waited for from the slot after its issue on; an MFMA takes 32 clk."""
    run = run_of("kernels/lessons/one_read.s")
    (found, *_) = exposed_latencies(run.timeline, run.machine.parameters)
    assert found.latency_clk == (52, 52)
    assert (found.exposed_clk, found.mfmas, found.mfma_clk) == (48, 2, 32)


@pytest.mark.parametrize("name", ["kernels/8wave.yaml", "kernels/lessons/one_read.s"])
def test_lines_add_up_to_the_iteration_or_the_life(name: str) -> None:
    settings = {"K": "1024"} if name.endswith(".yaml") else {}
    run = run_of(name, **settings)
    tables = lines_of(run.timeline, run.analysis, steady_of(run.timeline))
    for group, table in zip(run.analysis.groups, tables, strict=True):
        total = sum(line.clk for line in table)
        assert sum(sum(line.by_reason.values()) for line in table) == pytest.approx(total)
        if group.iteration_clk is not None:
            assert total == pytest.approx(group.iteration_clk)
        else:
            lives = [run.analysis.waves[position].lifetime_clk for position in group.waves]
            assert total == pytest.approx(sum(lives) / len(lives))


def test_jobs_keep_their_order_and_pass_errors_on() -> None:
    jobs = [lambda number=number: number * number for number in range(7)]
    assert run_jobs(jobs, 1) == run_jobs(jobs, 2) == [0, 1, 4, 9, 16, 25, 36]

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_jobs([fails, fails], 2)
