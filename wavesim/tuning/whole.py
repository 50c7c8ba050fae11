"""A whole search: the parameters of a tile program first, then the schedule of what they give."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wavesim.pipeline.run import RunOptions
from wavesim.tuning.hints import Hints, hints_for
from wavesim.tuning.parameters import Parameters, has_free_constants, tune_parameters
from wavesim.tuning.state import Progress
from wavesim.tuning.tune import CHANGES, PARAMETERS, Tuned, TuneOptions, as_it_was, tune_kernel


def all_changes(path: Path, options: RunOptions) -> frozenset[str]:
    """What may change in a kernel where nothing is said."""
    return frozenset((*CHANGES, PARAMETERS) if has_free_constants(path, options) else CHANGES)


def tune_whole(
    path: Path,
    options: RunOptions,
    wanted: TuneOptions,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Tuned:
    """As :func:`wavesim.tuning.tune.tune_kernel`, which it calls, with ``parameters`` among the changes.

    Raises:
        NotRight: the kernel is wrong as it is; with its findings.
        UserError: unusable kernel, no such loop, or nothing in it may change.
    """
    if PARAMETERS not in wanted.changes:
        return tune_kernel(path, options, wanted, progress, stop)
    begin = time.monotonic()
    rest = replace(wanted, changes=wanted.changes - {PARAMETERS})
    before = as_it_was(path, options, rest)
    found = tune_parameters(path, options, before.original, before.run, progress, stop)
    chosen = replace(options, source=found.best.text)
    if rest.changes:
        if rest.minutes is not None:
            rest = replace(rest, minutes=max(0.0, rest.minutes - (time.monotonic() - begin) / 60))
        known = None if found.better else before
        after = tune_kernel(path, chosen, rest, progress, stop, known)
    else:
        after = as_it_was(path, chosen, rest) if found.better else before
    return _together(before, after, found)


def tune_with_hints(
    path: Path,
    options: RunOptions,
    wanted: TuneOptions,
    emit: str | None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Tuned, Hints | None]:
    """As :func:`tune_whole`; where builtins are to be emitted, their search has half of the time.

    Raises:
        NotRight: the kernel is wrong as it is; with its findings.
        UserError: unusable kernel, no such loop, or nothing in it may change.
    """
    if emit is None:
        return tune_whole(path, options, wanted, progress, stop), None
    if wanted.minutes is not None:
        wanted = replace(wanted, minutes=wanted.minutes / 2)
    tuned = tune_whole(path, options, wanted, progress, stop)
    return tuned, hints_for(path, options, tuned, wanted, progress, stop)


def _together(before: Tuned, after: Tuned, found: Parameters) -> Tuned:
    """The schedule of the best parameters beside the kernel as it was; clocks are per pass of the former."""
    turned = after.unroll / before.unroll
    better = found.better or after.better
    return replace(
        after,
        run=before.run,
        original=before.original,
        before=before.before,
        program=after.program if better else before.run.kernel.program,
        before_clk=tuple(clk * turned for clk in before.before_clk),
        tried=after.tried + len(found.tried) - 1,
        dropped=(*found.dropped, *after.dropped),
        changes=(*found.changes, *after.changes),
        parameters=found,
    )
