"""``wavesim lesson``: lists, refuses, shows every step, and asks on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wavesim.cli.lesson import lessons

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ("Predict", "Run it", "Why", "Exercise", "Solution")


def wavesim(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wavesim", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def test_the_lessons_are_numbered_through() -> None:
    found = lessons()
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert len(found) >= 10


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: str(lesson.number))
def test_a_lesson_asks_shows_explains_and_sets_a_solved_exercise(lesson: object) -> None:
    headings = [heading for heading, _ in lesson.sections]  # type: ignore[attr-defined]
    assert tuple(headings[-5:]) == SECTIONS
    texts = dict(lesson.sections)  # type: ignore[attr-defined]
    assert "```console" in texts["Run it"]
    assert "```console" in texts["Solution"]
    assert "?" in texts["Predict"]
    assert "**Source.**" in texts["Why"]


def test_lesson_kernels_are_short_and_named_in_a_lesson() -> None:
    said = "".join(path.read_text() for path in (ROOT / "docs" / "lessons").glob("*.md"))
    for kernel in (ROOT / "kernels" / "lessons").iterdir():
        assert kernel.name in said, kernel.name
        assert len(kernel.read_text().splitlines()) <= 60, kernel.name


def test_listing() -> None:
    done = wavesim("lesson")
    assert done.returncode == 0
    assert re.search(r"^ +1  One read and its wait$", done.stdout, re.MULTILINE)


def test_a_lesson_that_is_not_there() -> None:
    done = wavesim("lesson", "99")
    assert done.returncode == 2
    assert "there is no lesson 99" in done.stderr


def test_everything_at_once_runs_the_commands() -> None:
    done = wavesim("lesson", "1", "--all")
    assert done.returncode == 0, done.stderr
    assert "one_read on gfx942: 1 workgroup" in done.stdout
    assert "missing-wait" in done.stdout
    assert done.stdout.index("Predict") < done.stdout.index("one_read on gfx942")
    assert "Next: wavesim lesson 2" in done.stdout


def test_what_needs_a_trace_is_shown_as_recorded() -> None:
    if (ROOT / "traces").exists():
        pytest.skip("the traces are here, so the commands run")
    done = wavesim("lesson", "10", "--all")
    assert done.returncode == 0, done.stderr
    assert "as printed where the trace is" in done.stdout
    assert "clk/iteration          4,285.4" in done.stdout


def test_on_a_terminal_it_asks_before_it_shows() -> None:
    outside, inside = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from wavesim.cli.main import main; main()", "lesson", "1"],
        stdin=inside,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1", "TERM": "dumb"},
        timeout=120,
        check=False,
        # the answers: a guess, then Enter for each command and the exercise
        preexec_fn=lambda: os.write(outside, b"56\n" + b"\n" * 8) and None,
    )
    os.close(outside)
    os.close(inside)
    assert done.returncode == 0, done.stdout
    assert done.stdout.index("Your answer") < done.stdout.index("one_read on gfx942: 1 workgroup")
