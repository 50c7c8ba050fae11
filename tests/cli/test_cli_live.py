"""How far a search is: a table on a terminal, plain lines elsewhere, and what helped in both."""

from __future__ import annotations

import io
import sys

import pytest

from wavesim.cli import live
from wavesim.cli.live import shown_search, state_rows
from wavesim.tuning.state import State


def state(stage: str, best_clk: float, tried: int = 100) -> State:
    return State(stage, 2000.0, best_clk, 1500.0, "mfma", tried, 4.0, "[as it is]")


STATES = [state("lists", 2000.0), state("lists", 1700.0), state("annealing", 1600.0), state("proof", 1600.0)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_rows_say_best_bound_rate_and_how_to_end() -> None:
    rows = dict(state_rows(state("annealing", 1750.0), "lists -250", asked=False))
    assert rows["best"] == "1,750 clk a pass, 12.5 % fewer; [as it is]"
    assert rows["bound"] == "1,500 (mfma)  [############............]"
    assert rows["candidates"] == "100, 25/s"
    assert "Ctrl-C" in rows[""]
    assert "again" in dict(state_rows(state("annealing", 1750.0), "", asked=True))[""]


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    for name in ("PROGRESS_AFTER_S", "REFRESH_S", "LINE_EVERY_S"):
        monkeypatch.setattr(live, name, 0.0)
    monkeypatch.setattr(sys, "stderr", stream)
    with shown_search("wavesim tune k.s", lambda: False, lambda each: f"{each.best_clk:.0f} clk") as show:
        for each in STATES:
            show(each)
    return stream.getvalue()


def test_a_terminal_shows_what_helped_and_is_left_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    assert "lists -300, annealing -100" in text
    assert "[as it is]" in text
    assert text.endswith("\x1b[2K")  # the last thing done is to erase it


def test_elsewhere_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, io.StringIO()).splitlines()
    assert len(lines) == len(STATES)
    assert lines[-1].endswith("1600 clk; helped: lists -300, annealing -100")
    assert all("\x1b" not in line for line in lines)


def test_what_a_compiler_makes_is_counted_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "STATES", [*STATES, state("compiling", 1900.0)])
    assert "compiling -100" in shown(monkeypatch, io.StringIO())
