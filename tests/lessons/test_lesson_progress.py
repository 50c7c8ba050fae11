"""What a reader answered is kept, whole, and a file that is something else is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.errors import UserError
from wavesim.lessons import Answer, Progress, lessons


def test_answers_and_finished_lessons_come_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "wavesim" / "lessons.json"
    progress = Progress.read(path)
    progress.say("one-read", "Predict", Answer("20"))
    progress.say("one-read", "Predict", Answer("20", False, "56 clk"))
    progress.finish("one-read")
    again = Progress.read(path)
    assert again == progress
    assert again.answer("one-read", "Predict") == Answer("20", False, "56 clk")
    first, second, *_ = lessons()
    assert again.next_of((first, second)) is second
    assert [each.name for each in path.parent.iterdir()] == ["lessons.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "done": 3}'])
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lessons.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"lessons\.json: cannot read"):
        Progress.read(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    progress = Progress.read(tmp_path / "file" / "lessons.json")
    with pytest.raises(UserError, match="cannot be made"):
        progress.finish("one-read")
