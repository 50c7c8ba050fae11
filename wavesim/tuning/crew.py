"""Who searches: processes of this machine, or the workers of a Dask cluster. Both give the same results.

What is sent to a worker is a variant as data (:class:`wavesim.tuning.ground.Ground`) and the job. The
kernel's files and compilers are needed here only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from wavesim.errors import UserError
from wavesim.explanation.parallel import cores, run_jobs
from wavesim.limits import Budget, allowing, budget
from wavesim.pipeline.cluster import OTHER_WAVESIM, connected, fingerprint
from wavesim.tuning.ground import Ground, Late

POLL_S = 0.05
"""So often it is asked whether the search is to end."""


@dataclass(frozen=True)
class Job:
    """A method of a :class:`Ground` with its arguments."""

    ground: Ground
    method: str
    arguments: tuple[Any, ...] = ()

    def __call__(self, late: Late) -> Any:
        """Its result."""
        return getattr(self.ground, self.method)(*self.arguments, late)


class GoneAway(Exception):
    """The cluster is not there any more."""


class Crew(Protocol):
    """Does jobs. ``width`` is how many beside each other."""

    @property
    def width(self) -> int:
        """How many beside each other."""

    def results(self, jobs: Sequence[Job], late: Late, seconds: float | None) -> list[Any]:
        """Of all jobs, in their order; ``None`` for one that was given up when it got late.

        Args:
            jobs: what to do.
            late: whether the search is to end.
            seconds: after which it is late for those who cannot be asked.

        Raises:
            GoneAway: nobody is there any more.
        """


class Here:
    """The processes of this machine."""

    @property
    def width(self) -> int:
        """The cores."""
        return cores()

    def results(self, jobs: Sequence[Job], late: Late, seconds: float | None) -> list[Any]:
        """Of all jobs; what is late ends early."""
        for job in jobs:
            job.ground.judge  # noqa: B018 - made once, before the processes fork
        return run_jobs([partial(job, late) for job in jobs])


class _Cluster:
    """The workers of a Dask scheduler."""

    def __init__(self, distributed: Any, client: Any, address: str) -> None:
        self._distributed, self._client, self._address = distributed, client, address
        self._grounds: dict[int, tuple[Ground, Any]] = {}
        self._made_by = fingerprint()

    @property
    def width(self) -> int:
        """The threads of its workers."""
        return sum(self._client.nthreads().values())

    def results(self, jobs: Sequence[Job], late: Late, seconds: float | None) -> list[Any]:
        """Of all jobs. One that took several workers with it is done here."""
        distributed = self._distributed
        try:
            sent = [self._sent(job, seconds) for job in jobs]
            while not late() and not all(future.done() for future in sent):
                time.sleep(POLL_S)
            found = []
            for job, future in zip(jobs, sent, strict=True):
                try:
                    found.append(future.result() if future.done() else future.cancel())
                except distributed.KilledWorker:
                    found.append(job(late))
        except (distributed.CancelledError, distributed.comm.CommClosedError, OSError):
            raise GoneAway(f"the Dask scheduler at {self._address} went away") from None
        except UserError:
            raise
        except Exception as error:  # of the way there and back
            raise UserError(
                f"a worker of {self._address} cannot search: {type(error).__name__}: {error!s:.200}",
                None,
                "every worker needs the same version of wavesim with the extra sweep",
            ) from None
        return found

    def _sent(self, job: Job, seconds: float | None) -> Any:
        key = id(job.ground)
        if key not in self._grounds:
            self._grounds[key] = job.ground, self._client.submit(_kept, job.ground, pure=False)
        asked = job.method, job.arguments, seconds, budget(), self._made_by
        return self._client.submit(_done, self._grounds[key][1], *asked, pure=False)


def _kept(ground: Ground) -> Ground:
    """A variant, which Dask holds for its jobs, and sends again if a worker is lost."""
    return ground


def _done(
    ground: Ground,
    method: str,
    arguments: tuple[Any, ...],
    seconds: float | None,
    allowed: Budget,
    made_by: str,
) -> Any:
    """A job on a worker."""
    if fingerprint() != made_by:
        raise UserError(OTHER_WAVESIM)
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    with allowing(allowed):
        return Job(ground, method, arguments)(lambda: time.monotonic() > end)


@contextmanager
def crew(scheduler: str | None) -> Iterator[Crew]:
    """The crew for a search.

    Raises:
        UserError: Dask is not installed; no scheduler answers at the address.
    """
    if scheduler is None:
        yield Here()
        return
    with connected(scheduler) as (distributed, client):
        yield _Cluster(distributed, client, scheduler)
