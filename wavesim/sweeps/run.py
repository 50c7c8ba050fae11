"""Runs a sweep: the cells that the journal does not have yet, and then the table in the order of the spec."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from wavesim.errors import UserError
from wavesim.explanation.parallel import cores
from wavesim.program.verdict import Verdict
from wavesim.sweeps.cells import Cell, Result
from wavesim.sweeps.cluster import run_on_cluster
from wavesim.sweeps.journal import journal_path, open_journal
from wavesim.sweeps.local import run_local
from wavesim.sweeps.spec import Spec
from wavesim.sweeps.table import Row, SweepTable, writer_for


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep is: runs that are ``done``, the ``known`` ones of the journal among them, of ``total``;
    ``bad``: with a bad verdict or an error; ``per_s`` is the rate of those that were run now."""

    done: int
    total: int
    known: int
    bad: int
    per_s: float


Tell = Callable[[SweepProgress], None]


def run_sweep(
    spec: Spec,
    output: Path | None = None,
    *,
    scheduler: str | None = None,
    processes: int | None = None,
    resume: bool = False,
    tell: Tell = lambda progress: None,
) -> SweepTable:
    """Runs the cells of a sweep and writes their table.

    Args:
        spec: what to run.
        output: the table, .csv or .parquet; beside it lies the journal while the sweep is not done.
        scheduler: address of a Dask scheduler, in place of processes of this machine.
        processes: how many; default: the cores.
        resume: take the results of the journal, and keep it.
        tell: is called after every result.

    Raises:
        UserError: no such table can be written; no scheduler; a journal that cannot be gone on with.
    """
    if resume and output is None:
        raise UserError("--resume needs -o: the journal lies beside the table")
    write = writer_for(output) if output is not None else None
    rows: list[tuple[Row, str]] = []
    wanted: dict[str, Cell] = {}
    for values, cell in spec.cells():
        rows.append((values, key := cell.key))
        wanted[key] = cell
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(journal_path(output), resume=resume)) if output else None
        results = {key: each for key, each in journal.known.items() if key in wanted} if journal else {}
        left = [cell for key, cell in wanted.items() if key not in results]
        counted = _Counted(len(wanted), len(results), tell, sum(map(_is_bad, results.values())))
        for result in stack.enter_context(closing(_run(left, scheduler, processes))):
            if journal is not None:
                journal.add(result)
            results[result.key] = result
            counted.count(result)
        table = _table(spec, rows, results)
        if write is not None:
            write(table)
    return table


def _run(cells: list[Cell], scheduler: str | None, processes: int | None) -> Generator[Result]:
    if scheduler is not None:
        return run_on_cluster(cells, scheduler)
    return run_local(cells, processes or cores())


def _is_bad(result: Result) -> bool:
    return result.verdict == Verdict.BAD


class _Counted:
    """Counts results and tells how far the sweep is."""

    def __init__(self, total: int, known: int, tell: Tell, bad: int) -> None:
        self.total, self.known, self.tell, self.bad = total, known, tell, bad
        self.done, self.started_s = known, time.monotonic()
        self._tell()

    def count(self, result: Result) -> None:
        """One more result."""
        self.done += 1
        self.bad += _is_bad(result)
        self._tell()

    def _tell(self) -> None:
        lasted_s = time.monotonic() - self.started_s
        per_s = (self.done - self.known) / lasted_s if lasted_s > 0 else 0.0
        self.tell(SweepProgress(self.done, self.total, self.known, self.bad, per_s))


def _table(spec: Spec, rows: Iterable[tuple[Row, str]], results: Mapping[str, Result]) -> SweepTable:
    """The results in the order of the spec."""
    filled = []
    for values, key in rows:
        result = results[key]
        figures = (result.figures.get(name) for name in spec.figures)
        filled.append((*values, *figures, result.verdict, result.error))
    axes = tuple(axis.name for axis in spec.axes)
    return SweepTable(axes, spec.figures, tuple(filled), spec)
