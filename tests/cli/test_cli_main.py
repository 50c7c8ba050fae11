"""The `wavesim` command itself: suggestions for mistyped commands, an example under each help, files."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wavesim.cli.main import COMMANDS, EXAMPLES, cli

ROOT = Path(__file__).resolve().parents[2]


def commands() -> list[tuple[str, click.Command]]:
    found = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)  # type: ignore[attr-defined]
        inner = command.commands.items() if isinstance(command, click.Group) else ()
        found += [(f"{name} {part}", each) for part, each in inner] or [(name, command)]
    return found


@pytest.mark.parametrize(("name", "command"), commands(), ids=lambda each: str(each))
def test_help_is_complete_and_ends_in_an_example(name: str, command: click.Command) -> None:
    words = name.split()
    text = CliRunner().invoke(cli, [*words, "--help"], terminal_width=80).output
    assert " ".join(text.split()).endswith(f"Example: {EXAMPLES[name]}")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"
    assert shlex.split(EXAMPLES[name])[1 : 1 + len(words)] == words


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rum"], "did you mean: wavesim run?"),
        (["leson", "3"], "did you mean: wavesim lesson?"),
        ([str(ROOT / "kernels/8wave.yaml")], "did you mean: wavesim run "),
        (["xyzzy"], "there are run, check, "),
    ],
)
def test_a_command_that_is_none_gets_a_suggestion(words: list[str], meant: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert meant in result.output


def test_in_a_file_there_are_no_colours_and_no_progress(tmp_path: Path) -> None:
    plain = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    target = tmp_path / "report.txt"
    with target.open("wb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "wavesim", "run", str(ROOT / "kernels/lessons/two_waves.s")],
            stdout=stream,
            stderr=subprocess.PIPE,
            env={**plain, "PYTHONUTF8": "1"},
            timeout=60,
            check=False,
        )
    assert done.stderr == b""
    text = target.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\r" not in text
    assert max(map(len, text.splitlines())) <= 80
