"""A sweep on a real Dask cluster of several processes, some of them killed: nothing lost or doubled."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import Cluster, clustered

import wavesim
from wavesim.errors import UserError
from wavesim.sweeps.journal import journal_path
from wavesim.sweeps.run import SweepProgress

SPEC = {
    "kernels": ["kernels/8wave.yaml", "kernels/4wave.yaml"],
    "arch": ["MI300X", "MI325X"],
    "set": {"K": [64, 128, 192, 100]},
    "machine_set": {"memory.latency_clk": [500, 685, 900]},
}
RUNS, REFUSED = 48, 12  # K = 100


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with clustered(tmp_path) as made:
        yield made


def test_a_killed_worker_loses_nothing_and_doubles_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Two workers are killed in the middle, and another one comes; a second sweep is answered anew."""
    output, told = tmp_path / "out.csv", []

    def kill(progress: SweepProgress) -> None:
        told.append(progress.done)
        if progress.done in (5, 20):
            cluster.workers[progress.done // 20].send_signal(signal.SIGKILL)
        if progress.done == 20:
            cluster.start_workers(1)

    table = wavesim.sweep(SPEC, output, scheduler=cluster.address, resume=True, progress=kill)
    assert [worker.poll() for worker in cluster.workers] == [-9, -9, None, None]
    assert told == list(range(RUNS + 1))
    keys = [json.loads(line)["key"] for line in journal_path(output).read_text().splitlines()]
    assert len(keys) == len(set(keys)) == RUNS - REFUSED
    assert output.read_text() == str(table) == str(wavesim.sweep(SPEC))  # the same as on processes


def test_a_run_that_ends_its_workers_is_given_up_and_none_beside_it(tmp_path: Path) -> None:
    """On one worker, that a nanny starts anew, all runs wait beside the guilty one."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, wavesim.sweeps.cells as cells\n"
        "run = cells.run_cell\n"
        "cells.run_cell = lambda cell, root: os._exit(9) if cell.seed == 1 else run(cell, root)\n"
    )
    with clustered(tmp_path, 0, DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION="inf") as cluster:
        cluster.start_workers(1, "--nanny")
        cluster.wait_for_workers()
        spec = {"kernels": "kernels/8wave.yaml", "set": {"K": 64}, "seeds": [1, 2, 3, 4]}
        table = wavesim.sweep(spec, scheduler=cluster.address)
    ended = "its worker ended 3 times, with nothing else to do: killed, or out of memory"
    assert table["error"] == [ended, "", "", ""]


def test_a_scheduler_that_goes_away_leaves_what_is_done(cluster: Cluster, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"

    def kill(progress: SweepProgress) -> None:
        if progress.done == 5:
            cluster.scheduler.kill()

    with pytest.raises(UserError, match="went away\n  --resume goes on"):
        wavesim.sweep(SPEC, output, scheduler=cluster.address, progress=kill)
    kept = len(journal_path(output).read_text().splitlines())
    assert kept > 0
    told: list[SweepProgress] = []
    wavesim.sweep(SPEC, output, resume=True, progress=told.append)
    assert told[0].known == kept


def test_where_no_scheduler_answers_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs Dask (extra sweep)")
    monkeypatch.setattr("wavesim.pipeline.cluster.TIMEOUT_S", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(UserError, match=f"no Dask scheduler answers at {address}"):
            wavesim.sweep(SPEC, scheduler=address)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"a scheduler needs Dask\n  pip install 'wavesim-cdna\[sweep\]'"):
        wavesim.sweep(SPEC, scheduler="tcp://127.0.0.1:9")
