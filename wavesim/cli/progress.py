"""The line on a terminal that says how far a command is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wavesim.visible import uncovered, visible

PROGRESS_AFTER_S = 1.0


@contextmanager
def progress_line(what: str) -> Iterator[Callable[[str, float], None] | None]:
    """A line on a terminal's standard error, shown once the work has lasted over a second.

    Gives the function to call with (stage, share done), or ``None`` where nobody would see it.
    """
    if not sys.stderr.isatty():
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
