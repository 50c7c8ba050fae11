"""A sweep on a real Dask cluster of several processes, some of them killed: nothing lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import wavesim
from wavesim.errors import UserError
from wavesim.sweeps.journal import journal_path
from wavesim.sweeps.run import SweepProgress

WORKERS = 3
SPEC = {
    "kernels": ["kernels/8wave.yaml", "kernels/4wave.yaml"],
    "arch": ["MI300X", "MI325X"],
    "set": {"K": [64, 128, 192, 100]},
    "machine_set": {"memory.latency_clk": [500, 685, 900]},
}
RUNS, REFUSED = 48, 12  # K = 100


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path, workers: int = WORKERS, **settings: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",
            "PYTHONPATH": str(folder),
            **settings,
        }
        self.scheduler = self.start("dask_scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
        self.address = self.found_address()
        self.workers = [self.start_worker() for _ in range(workers)]

    def start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *words, "--scheduler-file", "scheduler.json"],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )

    def found_address(self) -> str:
        file = self.folder / "scheduler.json"
        for _ in range(1200):
            if file.exists() and file.read_text().endswith("}"):
                return str(json.loads(file.read_text())["address"])
            time.sleep(0.05)
        raise AssertionError("no scheduler")

    def start_worker(self, nanny: str = "--no-nanny") -> subprocess.Popen[bytes]:
        return self.start("dask_worker", nanny, "--nthreads", "1", "--no-dashboard")

    def wait_for_workers(self) -> None:
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=120)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="needs Dask (extra sweep)")
    made = Cluster(tmp_path)
    yield made
    made.stop()


def test_a_killed_worker_loses_nothing_and_doubles_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Two workers are killed in the middle, and another one comes; a second sweep is answered anew."""
    output, told = tmp_path / "out.csv", []

    def kill(progress: SweepProgress) -> None:
        told.append(progress.done)
        if progress.done in (5, 20):
            cluster.workers[progress.done // 20].send_signal(signal.SIGKILL)
        if progress.done == 20:
            cluster.workers.append(cluster.start_worker())

    table = wavesim.sweep(SPEC, output, scheduler=cluster.address, resume=True, progress=kill)
    assert [worker.poll() for worker in cluster.workers] == [-9, -9, None, None]
    assert told == list(range(RUNS + 1))
    keys = [json.loads(line)["key"] for line in journal_path(output).read_text().splitlines()]
    assert len(keys) == len(set(keys)) == RUNS - REFUSED
    assert output.read_text() == str(table) == str(wavesim.sweep(SPEC))  # the same as on processes


def test_a_run_that_ends_its_workers_is_given_up_and_none_beside_it(tmp_path: Path) -> None:
    """On one worker, that a nanny starts anew, all runs wait beside the guilty one."""
    pytest.importorskip("distributed", reason="needs Dask (extra sweep)")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, wavesim.sweeps.cells as cells\n"
        "run = cells.run_cell\n"
        "cells.run_cell = lambda cell, root: os._exit(9) if cell.seed == 1 else run(cell, root)\n"
    )
    cluster = Cluster(tmp_path, workers=0, DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION="inf")
    cluster.workers = [cluster.start_worker("--nanny")]
    try:
        cluster.wait_for_workers()
        table = wavesim.sweep(
            {"kernels": "kernels/8wave.yaml", "set": {"K": 64}, "seeds": [1, 2, 3, 4]},
            scheduler=cluster.address,
        )
    finally:
        cluster.stop()
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
