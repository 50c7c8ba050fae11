"""``wavesim lesson``: lists, refuses, shows every step, and asks on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lesson_pictures import IMAGES, PICTURES

from wavesim.lessons import Lesson, Progress, lessons

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ("Predict", "Run it", "Why", "Exercise", "Solution")


def environment(state: Path) -> dict[str, str]:
    """Nothing is kept in the home of whoever runs the tests."""
    more = {"NO_COLOR": "1", "COLUMNS": "80", "PYTHONUTF8": "1", "TERM": "dumb", "XDG_STATE_HOME": str(state)}
    return {**os.environ, **more}


def wavesim(*words: str, state: Path = Path(os.devnull)) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wavesim", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(state),
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def typing(answers: str, *words: str, state: Path) -> str:
    """What a command prints to one who sits at a terminal and types."""
    outside, inside = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from wavesim.cli.main import main; main()", *words],
        stdin=inside,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environment(state),
        timeout=120,
        check=False,
        preexec_fn=lambda: os.write(outside, answers.encode()) and None,
    )
    os.close(outside)
    os.close(inside)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_lessons_are_numbered_through() -> None:
    found = lessons()
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert len(found) >= 10


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: str(lesson.number))
def test_a_lesson_asks_shows_explains_and_sets_a_solved_exercise(lesson: Lesson) -> None:
    sections = {each.heading: each for each in lesson.sections}
    assert tuple(sections)[-5:] == SECTIONS
    assert sections["Run it"].commands
    assert sections["Solution"].commands
    assert sections["Predict"].question is not None
    assert any("?" in str(part) for part in sections["Predict"].parts)
    assert any("**Source.**" in str(part) for part in sections["Why"].parts)


def test_lesson_kernels_are_short_and_named_in_a_lesson() -> None:
    said = "".join(path.read_text() for path in (ROOT / "docs" / "lessons").glob("*.md"))
    for kernel in (ROOT / "kernels" / "lessons").iterdir():
        assert kernel.name in said, kernel.name
        assert len(kernel.read_text().splitlines()) <= 60, kernel.name


def test_listing() -> None:
    done = wavesim("lesson")
    assert done.returncode == 0
    assert re.search(r"^ +1  One read and its wait$", done.stdout, re.MULTILINE)


def test_a_lesson_by_its_name_has_no_addresses_of_links() -> None:
    said = " ".join(wavesim("lesson", "bank-conflicts", "--all").stdout.split())
    assert "8. Bank conflicts and swizzles" in said
    assert "about 2050 clocks (lesson 5), of which" in said
    assert "The model, section 6 (docs/model/06-lds.md); which lanes" in said


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
    done = wavesim("lesson", "13", "--all")
    assert done.returncode == 0, done.stderr
    assert "as printed where the trace is" in done.stdout
    assert "clk/iteration          4,285.4" in done.stdout


def test_on_a_terminal_it_asks_judges_and_keeps_the_answer(tmp_path: Path) -> None:
    """A guess, Enter for each command, and the exercise."""
    printed = typing("20 clk\n\n\nthird\nfirst\n\n", "lesson", "1", state=tmp_path)
    assert printed.index("Your answer (4, 20, 56 or 300; Enter skips)") < printed.index("one_read on gfx942")
    judged = printed.index("You said 20 clk, it is 56 clk: 36 clk too few, 64 % off.")
    assert printed.index("one_read on gfx942") < judged < printed.index("From R to the first column")
    assert "What is asked for is first or second." in printed
    assert "You said first: right." in printed
    listed = wavesim("lesson", state=tmp_path).stdout
    assert re.search(r"^ +1  One read and its wait +done, predicted 20, is 56 clk$", listed, re.MULTILINE)
    assert "wavesim lesson next goes on with 2." in listed
    assert str(tmp_path / "wavesim" / "lessons.json") in listed
    again = typing("56\n" + "\n" * 5, "lesson", "1", state=tmp_path)
    assert "Last time you said: 20" in again
    assert "You said 56 clk: right." in again


def test_next_is_the_first_that_is_not_done(tmp_path: Path) -> None:
    names = [each.name for each in lessons()]
    progress = Progress(tmp_path / "wavesim" / "lessons.json", done={names[0]})
    progress.finish(names[1])
    assert "3. Two waves on a SIMD" in wavesim("lesson", "next", "--all", state=tmp_path).stdout
    progress.done.update(names)
    progress.finish(names[0])
    assert "All lessons are done." in wavesim("lesson", "next", state=tmp_path).stdout


def test_without_a_terminal_nothing_is_asked_and_nothing_kept(tmp_path: Path) -> None:
    assert "Your answer" not in wavesim("lesson", "1", state=tmp_path).stdout
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_kept_the_lesson_goes_on_and_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "wavesim").write_text("a file where the folder should be")
    printed = typing("20\n" + "\n" * 5, "lesson", "1", state=tmp_path)
    assert printed.count("your answers are not kept") == 1
    assert "it is 56 clk" in printed


def test_the_pictures_are_drawn_from_todays_figures() -> None:
    """Otherwise: python tests/lesson_pictures.py."""
    for name, draw in PICTURES.items():
        assert (IMAGES / f"{name}.svg").read_text(encoding="utf-8") == draw(), name
