"""The line on a terminal that says how far a command is, and `--quiet`, which leaves it out."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from wavesim.visible import uncovered, visible

PROGRESS_AFTER_S = 1.0
TICK_S = 0.5

_QUIET = "wavesim.quiet"


def quiet() -> bool:
    """Whether the command that runs was asked not to say how far it is."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def quiet_option() -> click.Option:
    """``--quiet``."""

    def note(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.meta[_QUIET] = value

    return click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=note,
        help="Do not say on standard error how far the command is.",
    )


@contextmanager
def progress_line(what: str) -> Iterator[Callable[[str, float], None] | None]:
    """A line on a terminal's standard error, shown once the work has lasted over a second.

    Gives the function to call with (stage, share done), or ``None`` where nobody would see it.
    """
    if quiet() or not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    shown = [0.0, 0]
    terminal = uncovered(sys.stderr)

    def report(stage: str, share: float) -> None:
        now = time.monotonic()
        if now - started < PROGRESS_AFTER_S or now - shown[0] < 0.1:
            return
        shown[0] = now
        done = f" {100 * share:3.0f} %" if share > 0 else ""
        text = visible(f"{what}: {stage}{done}  {now - started:.0f} s").replace("\n", "\\n")
        shown[1] = max(shown[1], len(text))
        terminal.write(f"\r{text:<{int(shown[1])}}")
        terminal.flush()

    try:
        yield report
    finally:
        if shown[1]:
            terminal.write("\r" + " " * int(shown[1]) + "\r")
            terminal.flush()


@contextmanager
def working_line(what: str, stage: str) -> Iterator[None]:
    """The same line for work that does not say how far it is: the seconds go on.

    A timer of the process moves it, not a thread, because the work may fork.
    """
    with progress_line(what) as report:
        timed = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        if report is None or not timed:
            yield
            return
        before = signal.signal(signal.SIGALRM, lambda number, frame: report(stage, 0.0))
        signal.setitimer(signal.ITIMER_REAL, PROGRESS_AFTER_S, TICK_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
