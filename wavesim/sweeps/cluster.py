"""Runs cells on a Dask cluster. Its workers need wavesim, but none of the sweep's files.

Dask gives the cells of a worker that is gone to others. A cell that takes several workers with it counts as
failed after Dask's own number of them (``distributed.scheduler.allowed-failures``).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from wavesim.errors import UserError
from wavesim.sweeps.cells import (
    Cell,
    Result,
    cell_text,
    fingerprint,
    lost,
    read_contents,
    result_from,
    run_cell_elsewhere,
)

AHEAD = 4
"""Cells that each thread of the cluster has waiting, so that none stands idle and little is in flight."""

LEAST_AHEAD = 64

TIMEOUT_S = 10


def run_on_cluster(cells: Iterable[Cell], scheduler: str) -> Generator[Result]:
    """The results of ``cells``, as they come, from the workers of the Dask scheduler at an address.

    Raises:
        UserError: Dask is not installed; no scheduler answers there; it went away.
    """
    try:
        import distributed
    except ImportError:
        raise UserError(
            "a scheduler needs Dask", None, "pip install 'wavesim-cdna[sweep]', here and for its workers"
        ) from None
    try:
        connect: Any = distributed.Client
        client = connect(scheduler, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"no Dask scheduler answers at {scheduler}: {reason:.200}") from None
    with client:
        yield from _results(distributed, client, iter(cells), scheduler)


def _results(distributed: Any, client: Any, cells: Iterator[Cell], scheduler: str) -> Iterator[Result]:
    made_by = fingerprint()
    contents: dict[tuple[str, ...], list[tuple[str, bytes]]] = {}
    asked: dict[str, Cell] = {}

    def submit(cell: Cell) -> Any:
        if cell.files not in contents:
            contents[cell.files] = read_contents(cell.files)
        asked[cell.key] = cell
        return client.submit(
            run_cell_elsewhere, cell_text(cell), contents[cell.files], made_by, key=f"wavesim-{cell.key}"
        )

    ahead = max(LEAST_AHEAD, AHEAD * sum(client.nthreads().values()))
    first = [submit(cell) for cell in islice(cells, ahead)]
    done = distributed.as_completed(first, loop=client.loop)
    for future in done:
        cell = asked.pop(future.key.removeprefix("wavesim-"))
        try:
            result = result_from(future.result(), cell)
        except distributed.KilledWorker as error:
            result = lost(
                cell, f"its worker ended {error.allowed_failures + 1} times: killed, or out of memory"
            )
        except (distributed.CancelledError, distributed.comm.CommClosedError, OSError):
            raise UserError(
                f"the Dask scheduler at {scheduler} went away", None, "--resume goes on with what is done"
            ) from None
        except Exception as error:  # of the way there and back: the other cells go on
            result = lost(cell, f"{type(error).__name__}: {error}".replace("\n", " ")[:300])
        yield result
        if (following := next(cells, None)) is not None:
            done.add(submit(following))
