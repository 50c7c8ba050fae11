"""A real Dask cluster of several processes on this machine, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WORKERS = 3


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",
            "PYTHONPATH": str(folder),
            **settings,
        }
        self.scheduler = self.start("dask_scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = self.found_address()

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

    def start_workers(self, count: int, nanny: str = "--no-nanny") -> None:
        self.workers += [
            self.start("dask_worker", nanny, "--nthreads", "1", "--no-dashboard") for _ in range(count)
        ]

    def wait_for_workers(self) -> None:
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=120)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@contextmanager
def clustered(folder: Path, workers: int = WORKERS, **settings: str) -> Iterator[Cluster]:
    """A cluster with so many workers; the test is left out where there is no Dask."""
    pytest.importorskip("distributed", reason="needs Dask (extra sweep)")
    cluster = Cluster(folder, **settings)
    try:
        cluster.start_workers(workers)
        yield cluster
    finally:
        cluster.stop()
