"""Runs cells on a Dask cluster. Its workers need wavesim, but none of the sweep's files.

Dask gives the cells of a worker that is gone to others. A cell whose worker ended too often
(``distributed.scheduler.allowed-failures``) may only have waited beside the guilty one. So it runs once more,
alone, and counts as failed if its workers end again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from wavesim.errors import UserError
from wavesim.pipeline.cluster import connected, fingerprint
from wavesim.sweeps.cells import (
    Cell,
    Result,
    cell_text,
    lost,
    read_contents,
    result_from,
    run_cell_elsewhere,
)

AHEAD = 4
"""Cells that each thread of the cluster has waiting, so that none stands idle and little is in flight."""

LEAST_AHEAD = 64

ALONE = "-alone"
"""Ends the key of a cell that runs while nothing else does."""


def run_on_cluster(cells: Iterable[Cell], scheduler: str) -> Generator[Result]:
    """The results of ``cells``, as they come, from the workers of the Dask scheduler at an address.

    Raises:
        UserError: Dask is not installed; no scheduler answers there; it went away.
    """
    with connected(scheduler) as (distributed, client):
        yield from _results(distributed, client, iter(cells), scheduler)


def _results(distributed: Any, client: Any, cells: Iterator[Cell], scheduler: str) -> Iterator[Result]:
    made_by = fingerprint()
    contents: dict[tuple[str, ...], list[tuple[str, bytes]]] = {}
    asked: dict[str, Cell] = {}
    suspects: deque[Cell] = deque()

    def submit(cell: Cell, alone: str = "") -> Any:
        if cell.files not in contents:
            contents[cell.files] = read_contents(cell.files)
        key = f"wavesim-{cell.key}{alone}"
        asked[key] = cell
        return client.submit(run_cell_elsewhere, cell_text(cell), contents[cell.files], made_by, key=key)

    ahead = max(LEAST_AHEAD, AHEAD * sum(client.nthreads().values()))
    first = [submit(cell) for cell in islice(cells, ahead)]
    done = distributed.as_completed(first, loop=client.loop)
    for future in done:
        cell = asked.pop(future.key)
        result: Result | None = None
        try:
            result = result_from(future.result(), cell)
        except distributed.KilledWorker as error:
            if future.key.endswith(ALONE):
                ends = f"{error.allowed_failures + 1} times, with nothing else to do"
                result = lost(cell, f"its worker ended {ends}: killed, or out of memory")
            else:
                suspects.append(cell)
        except (distributed.CancelledError, distributed.comm.CommClosedError, OSError):
            raise UserError(
                f"the Dask scheduler at {scheduler} went away", None, "--resume goes on with what is done"
            ) from None
        except Exception as error:  # of the way there and back: the other cells go on
            result = lost(cell, f"{type(error).__name__}: {error}".replace("\n", " ")[:300])
        if result is not None:
            yield result
        if (following := next(cells, None)) is not None:
            done.add(submit(following))
        elif suspects and not asked:
            done.add(submit(suspects.popleft(), ALONE))
