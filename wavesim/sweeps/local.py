"""Runs cells on processes of this machine. A process that ends early loses nothing: its cell goes to another.

Each is ``python -m wavesim.sweeps.worker``: a cell in, a result out, a line of JSON each.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterable
from contextlib import suppress

from wavesim.isa.paths import PACKAGE
from wavesim.sweeps.cells import Cell, Result, cell_text, lost, result_from

TRIES = 3
"""How many processes may end over a cell before it counts as failed."""


class _Worker:
    """A process, and the cell that it works on."""

    def __init__(self, process: subprocess.Popen[bytes], cell: Cell) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self.cells, self.answers = process, process.stdin, process.stdout
        self.give(cell)

    def give(self, cell: Cell) -> None:
        """Hands over a cell; a process that is gone is noticed when its answer is read."""
        self.cell = cell
        with suppress(OSError):
            self.cells.write(cell_text(cell).encode() + b"\n")
            self.cells.flush()

    def answer(self) -> Result | None:
        """The result; ``None``: the process ended without one."""
        line = self.answers.readline()
        return result_from(line.decode(), self.cell) if line.endswith(b"\n") else None

    def stop(self) -> None:
        """Ends the process, whatever it does."""
        self.process.kill()
        with suppress(OSError):  # what it was given last may still be in the buffer
            self.cells.close()
        self.answers.close()
        self.process.wait()


def _start(cell: Cell) -> _Worker:
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", "wavesim.sweeps.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONSAFEPATH": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
    )
    return _Worker(process, cell)


def run_local(cells: Iterable[Cell], processes: int) -> Generator[Result]:
    """The results of ``cells``, as they come, from at most so many processes at a time."""
    with _Pool(cells) as pool:
        for _ in range(processes):
            pool.employ(None)
        while pool.workers:
            for ready, _ in pool.selector.select():
                result = pool.take(ready.data)
                if result is not None:
                    yield result


class _Pool:
    """The processes and the cells that wait for one; first those that another did not survive."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.waiting, self.again = iter(cells), deque[Cell]()
        self.ends: Counter[str] = Counter()
        self.workers: set[_Worker] = set()
        self.selector = selectors.DefaultSelector()

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self.workers):
            self.dismiss(worker)
        self.selector.close()

    def employ(self, worker: _Worker | None) -> None:
        """Gives the next cell to a process or, without one, to a new one; none is kept without work."""
        cell = self.again.popleft() if self.again else next(self.waiting, None)
        if cell is None:
            if worker is not None:
                self.dismiss(worker)
        elif worker is not None:
            worker.give(cell)
        else:
            worker = _start(cell)
            self.workers.add(worker)
            self.selector.register(worker.answers, selectors.EVENT_READ, worker)

    def take(self, worker: _Worker) -> Result | None:
        """A process has answered, or ended: the result of its cell, ``None`` if that is to be tried again."""
        cell, result = worker.cell, worker.answer()
        if result is not None:
            self.employ(worker)
            return result
        self.dismiss(worker)
        self.ends[cell.key] += 1
        if self.ends[cell.key] < TRIES:
            self.again.append(cell)
        else:
            result = lost(cell, f"its process ended {TRIES} times: killed, or out of memory")
        self.employ(None)
        return result

    def dismiss(self, worker: _Worker) -> None:
        """Ends a process."""
        self.selector.unregister(worker.answers)
        self.workers.discard(worker)
        worker.stop()
