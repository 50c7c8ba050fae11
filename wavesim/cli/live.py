"""How far a search is: a small table on a terminal, kept up to date, or else a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from wavesim.cli.progress import PROGRESS_AFTER_S, quiet
from wavesim.visible import uncovered, visible

if TYPE_CHECKING:
    from wavesim.tuning.state import Progress, State

LINE_EVERY_S = 30.0
"""Between plain lines."""

REFRESH_S = 0.1
_BAR = 24


class _Helped:
    """What gained how much so far, by the stage that found it."""

    def __init__(self) -> None:
        self.gained_clk: dict[str, float] = {}
        self._best_clk: float | None = None

    def note(self, state: State) -> None:
        before = state.before_clk if self._best_clk is None else self._best_clk
        if state.stage == "compiling" and "compiling" not in self.gained_clk:
            before = state.before_clk  # another search, of what a compiler makes
            self.gained_clk["compiling"] = 0.0
        if state.best_clk < before:
            self.gained_clk[state.stage] = self.gained_clk.get(state.stage, 0.0) + before - state.best_clk
        self._best_clk = state.best_clk

    def __str__(self) -> str:
        said = [f"{stage} {-clk:,.0f}" for stage, clk in self.gained_clk.items() if clk]
        return ", ".join(said) or "nothing yet"


def state_rows(state: State, helped: str, asked: bool) -> list[tuple[str, str]]:
    """A search as rows of a name and what it is; clocks are per pass of the loop."""
    gain = 1 - state.best_clk / state.before_clk if state.before_clk else 0.0
    rate = state.tried / state.seconds if state.seconds > 0 else 0.0
    rows = [
        ("stage", f"{state.stage}, {state.seconds:.0f} s"),
        ("before", f"{state.before_clk:,.0f} clk a pass"),
        ("best", f"{state.best_clk:,.0f} clk a pass, {100 * gain:.1f} % fewer; {state.changed}"),
    ]
    if state.bound:
        room = state.before_clk - state.bound_clk
        share = (state.before_clk - state.best_clk) / room if room > 0 else 1.0
        done = round(_BAR * min(max(share, 0.0), 1.0))
        bar = "#" * done + "." * (_BAR - done)
        rows.append(("bound", f"{state.bound_clk:,.0f} ({state.bound})  [{bar}]"))
    rows += [("candidates", f"{state.tried:,}, {rate:,.0f}/s"), ("helped", helped)]
    again = "proving the best so far; Ctrl-C again ends all"
    last = again if asked else "Ctrl-C: prove the best so far, and end"
    return [*rows, ("", last)]


@contextmanager
def shown_search(what: str, asked: Callable[[], bool], said: Callable[[State], str]) -> Iterator[Progress]:
    """Gives what a search tells its states to.

    Args:
        what: the command.
        asked: whether the search was asked to end.
        said: a state as one line, for where there is no terminal.
    """
    helped, started = _Helped(), time.monotonic()
    if quiet():
        yield helped.note
        return
    if not sys.stderr.isatty():
        yield _plain_lines(what, said, helped, started, sys.stderr)
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    console = Console(file=uncovered(sys.stderr), highlight=False)
    live = Live(console=console, auto_refresh=False, transient=True)  # no thread: the search forks
    shown = [0.0]

    def report(state: State) -> None:
        helped.note(state)
        now = time.monotonic()
        if now - started < PROGRESS_AFTER_S or now - shown[0] < REFRESH_S:
            return
        shown[0] = now
        if not live.is_started:
            live.start()
        table = Table.grid(padding=(0, 2))
        for name, text in state_rows(state, str(helped), asked()):
            table.add_row(name, Text(visible(text)))
        live.update(Group(Text(visible(what), "bold"), table), refresh=True)

    try:
        yield report
    finally:
        if live.is_started:
            live.stop()


def _plain_lines(
    what: str, said: Callable[[State], str], helped: _Helped, started: float, stream: TextIO
) -> Progress:
    last = [started]

    def report(state: State) -> None:
        helped.note(state)
        now = time.monotonic()
        if now - last[0] >= LINE_EVERY_S:
            last[0] = now
            stream.write(visible(f"{what}: {now - started:.0f} s: {said(state)}; helped: {helped}") + "\n")
            stream.flush()

    return report
