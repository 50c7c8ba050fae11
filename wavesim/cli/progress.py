"""The line on a terminal that says how far a command is, and `--quiet`, which leaves it out."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from wavesim.visible import uncovered, visible

PROGRESS_AFTER_S = 1.0
TICK_S = 0.5
LEAST_GAP_S = 0.1

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

    Gives the function to call with (stage, share done), or ``None`` where nobody would see it. Where it is
    not called for a while, the seconds go on.
    """
    if quiet() or not sys.stderr.isatty():
        yield None
        return
    line = _Line(what)
    with _ticking(line.again):
        try:
            yield line.report
        finally:
            line.clear()


class _Line:
    """The line, and what it says."""

    def __init__(self, what: str) -> None:
        self._what, self._terminal = what, uncovered(sys.stderr)
        self._started = time.monotonic()
        self._shown, self._width = 0.0, 0
        self._stage, self._share = "begin", 0.0
        self._writing = False

    def report(self, stage: str, share: float) -> None:
        """Say what is being done and how much of it is done, unless that was said just now."""
        self._stage, self._share = stage, share
        now = time.monotonic()
        if now - self._started < PROGRESS_AFTER_S or now - self._shown < LEAST_GAP_S or self._writing:
            return
        self._writing, self._shown = True, now
        done = f" {100 * share:3.0f} %" if share > 0 else ""
        text = visible(f"{self._what}: {stage}{done}  {now - self._started:.0f} s").replace("\n", "\\n")
        self._width = max(self._width, len(text))
        self._terminal.write(f"\r{text:<{self._width}}")
        self._terminal.flush()
        self._writing = False

    def again(self) -> None:
        """The same once more, with the seconds as they are."""
        with suppress(RuntimeError):  # in the midst of another writing to the terminal
            self.report(self._stage, self._share)

    def clear(self) -> None:
        """Leave nothing of it."""
        if self._width:
            self._writing = True
            self._terminal.write("\r" + " " * self._width + "\r")
            self._terminal.flush()


@contextmanager
def _ticking(call: Callable[[], None]) -> Iterator[None]:
    """Calls now and then: a timer of the process does, not a thread, because the work may fork."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda number, frame: call())
    signal.setitimer(signal.ITIMER_REAL, PROGRESS_AFTER_S, TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def working_line(what: str, stage: str) -> Iterator[None]:
    """The same line for work that does not say how far it is."""
    with progress_line(what) as report:
        if report is not None:
            report(stage, 0.0)
        yield
