"""How far a command is: after a second, on a terminal, and not with --quiet."""

from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner
from on_terminal import on_terminal

from wavesim.cli.main import WORKING, cli
from wavesim.cli.progress import quiet, quiet_option

WAITS = "import time; from wavesim.cli.progress import working_line as line\nwith line('mine.s', 'check'): {}"


def on_a_terminal(code: str) -> str:
    return on_terminal([sys.executable, "-c", code])


def test_work_that_does_not_say_how_far_it_is_shows_its_seconds_and_leaves_nothing() -> None:
    shown = on_a_terminal(WAITS.format("time.sleep(1.6)"))
    assert "mine.s: check  1 s" in shown
    assert shown.endswith("\r" + " " * len("mine.s: check  1 s") + "\r")


def test_work_that_says_nothing_for_a_while_shows_its_seconds_too() -> None:
    code = WAITS.replace("working_line", "progress_line").replace(", 'check')", ") as report")
    shown = on_a_terminal(code.format("report('compile', 0.0); time.sleep(1.7)"))
    assert "mine.s: compile  1 s" in shown


def test_short_work_shows_nothing() -> None:
    assert on_a_terminal(WAITS.format("time.sleep(0.1)")) == ""


def command_names() -> list[list[str]]:
    found = []
    for name in sorted(WORKING):
        command = cli.get_command(click.Context(cli), name)
        inner = command.commands if isinstance(command, click.Group) else ()
        found += [[name, each] for each in inner] or [[name]]
    return found


@pytest.mark.parametrize("names", command_names(), ids=" ".join)
def test_every_command_that_may_take_long_can_be_quiet(names: list[str]) -> None:
    assert "-q, --quiet" in CliRunner().invoke(cli, [*names, "--help"]).output


def test_quiet_holds_while_the_command_runs() -> None:
    found: list[bool] = []
    command = click.Command("any", params=[quiet_option()], callback=lambda: found.append(quiet()))
    for words in (["-q"], [], ["--quiet"]):
        CliRunner().invoke(command, words, catch_exceptions=False)
    assert found == [True, False, True]
    assert not quiet()
