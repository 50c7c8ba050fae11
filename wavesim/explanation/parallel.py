"""Parallel work: independent simulations on the cores that there are, with the same results as one by one."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

Job = Callable[[], Any]

_jobs: Sequence[Job] = ()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _do(number: int) -> Any:
    return _jobs[number]()


def run_jobs(jobs: Sequence[Job], processes: int | None = None) -> list[Any]:
    """The results of ``jobs``, in order.

    They run in forked processes, so that streams need not be copied; one after the other where the system
    cannot fork, where there is one core, or beside other threads (forking would not be safe).

    Args:
        jobs: functions without arguments; their results must be plain values.
        processes: at most so many; default: the cores.
    """
    global _jobs
    count = min(len(jobs), processes or cores() if _can_fork() else 1)
    if count < 2:
        return [job() for job in jobs]
    _jobs = jobs
    try:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(count, mp_context=context) as pool:
            return list(pool.map(_do, range(len(jobs))))
    except (BrokenProcessPool, OSError):  # a process was killed, or none could be had
        return [job() for job in jobs]
    finally:
        _jobs = ()


def _can_fork() -> bool:
    return (
        hasattr(os, "sched_getaffinity")
        and "fork" in multiprocessing.get_all_start_methods()
        and threading.active_count() == 1
    )
