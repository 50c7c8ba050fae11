"""A search on a real Dask cluster: the same bytes as on this machine, whatever happens to the workers."""

from __future__ import annotations

import pickle
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from dask_cluster import clustered
from reorders import ROOT, call, prepared

from wavesim.errors import UserError
from wavesim.pipeline.run import RunOptions
from wavesim.report.text.tuning import tuned_assembly, tuning_lines
from wavesim.tuning.crew import Here, Job
from wavesim.tuning.ground import Ground
from wavesim.tuning.score import Judge
from wavesim.tuning.state import State
from wavesim.tuning.tune import LEGS, MOST_TRIES, TRIES, Tuned, TuneOptions, tries_of_legs, tune_kernel

KERNEL = ROOT / "kernels/lessons/strong_wait.s"
WANTED = TuneOptions(minutes=None, candidates=400)


def ground() -> Ground:
    original, (variant, *_) = prepared("lessons/strong_wait.s", {})
    parameters = original.machine.parameters
    return Ground(variant.scheduler, variant.entries, variant.trace, parameters, bound_clk=0.0)


def test_a_variant_is_searched_elsewhere_as_here() -> None:
    """As data, without what the process made ready for itself."""
    here = ground()
    ((own,), _) = here.own(lambda: False)
    assert isinstance(here.judge, Judge)
    there = pickle.loads(pickle.dumps(here))
    assert "judge" not in vars(there)
    jobs = [("own", ()), ("lists", (0, 5)), ("leg", (own, 3, 40, 0.01))]
    found = Here().results([Job(here, *job) for job in jobs], lambda: False, None)
    assert [Job(there, *job)(lambda: False) for job in jobs] == found
    late = Job(there, *jobs[1])(lambda: True)
    assert late[1] == 1  # none after it got late


@pytest.mark.parametrize(("left", "legs"), [(50_000, 4), (200_000, 15), (1_000_000, 78)])
def test_many_candidates_are_more_annealings_beside_each_other(left: int, legs: int) -> None:
    """A cluster has work so, and their number follows from that of the candidates alone."""
    assert tries_of_legs(left, LEGS, MOST_TRIES) == [MOST_TRIES] * legs
    assert len(tries_of_legs(left, LEGS, TRIES)) == LEGS


@pytest.fixture(scope="module")
def alone() -> Tuned:
    found = tune_kernel(KERNEL, RunOptions(), WANTED)
    assert found.better
    return found


def same(found: Tuned, alone: Tuned) -> bool:
    return tuned_assembly(found) == tuned_assembly(alone) and [*tuning_lines(found)] == [*tuning_lines(alone)]


def test_workers_that_are_killed_change_nothing(tmp_path: Path, alone: Tuned) -> None:
    with clustered(tmp_path) as cluster:
        cluster.wait_for_workers()

        def kill(state: State) -> None:
            if state.stage == "annealing" and len(cluster.workers) == 3:
                for worker in cluster.workers[:2]:
                    worker.send_signal(signal.SIGKILL)
                cluster.start_workers(1)

        found = tune_kernel(KERNEL, RunOptions(), replace(WANTED, scheduler=cluster.address), kill)
        assert [worker.poll() for worker in cluster.workers] == [-9, -9, None, None]
    assert same(found, alone)


def test_what_ends_its_workers_is_searched_here(tmp_path: Path, alone: Tuned) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, wavesim.tuning.crew as crew\n"
        "done = crew._done\n"
        "crew._done = lambda ground, method, *more: (\n"
        "    os._exit(9) if method == 'leg' else done(ground, method, *more))\n"
    )
    with clustered(tmp_path, 0, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as cluster:
        cluster.start_workers(2, "--nanny")
        assert same(tune_kernel(KERNEL, RunOptions(), replace(WANTED, scheduler=cluster.address)), alone)


def test_a_scheduler_that_goes_away_ends_the_search_with_the_best_so_far(tmp_path: Path) -> None:
    with clustered(tmp_path) as cluster:

        def kill(state: State) -> None:
            if state.stage == "annealing":
                cluster.scheduler.kill()

        wanted = replace(WANTED, candidates=100_000, scheduler=cluster.address)
        found = tune_kernel(KERNEL, RunOptions(), wanted, kill)
    assert found.better
    assert "the Dask scheduler at" in found.stopped


def test_the_command_says_where_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs Dask (extra sweep)")
    monkeypatch.setattr("wavesim.pipeline.cluster.TIMEOUT_S", 0.2)
    words = ["tune", str(KERNEL), "--scheduler", "tcp://127.0.0.1:9"]
    with pytest.raises(UserError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        call(*words)
