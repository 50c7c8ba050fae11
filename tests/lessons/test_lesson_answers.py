"""The keys in the lessons' pages: what their commands say today is what the pages teach."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from wavesim.errors import SourceSpan, UserError
from wavesim.lessons import Lesson, Question, lessons
from wavesim.lessons.question import read_question, value

ROOT = Path(__file__).resolve().parents[2]
ASKED = [
    pytest.param(lesson, section.question, id=f"{lesson.number} {section.heading}")
    for lesson in lessons()
    for section in lesson.sections
    if section.question is not None
]
BELIEVED = {
    "one-read": (56, "first"),
    "mfma-passes": (2, 6),
    "two-waves": (1.8, "stays"),
    "double-buffer": (383, 322),
    "half-split": (2049, "behind"),
    "missing-barrier": (7, "8wave_pingpong"),
    "ping-pong": (2300, "yes"),
    "bank-conflicts": (2535, 97),
    "waits": (66, "right"),
    "ping-pong-256": (99.6, 5073),
    "where-a-line-comes-from": (3600, 51),
    "the-clock-falls": (1.13, 192),
    "real-trace": (4285, None),
    "schedule-search": (276, 23),
    "reading-the-bound": (1792, 1152),
}
"""What a reader who knows says to Predict and Exercise."""


@cache
def report(line: str) -> Any:
    words = shlex.split(line)
    done = subprocess.run(
        [sys.executable, "-m", "wavesim", *words[1:], "--json"], cwd=ROOT, capture_output=True, check=False
    )
    return json.loads(done.stdout)


def reports(lesson: Lesson, question: Question) -> dict[int, Any]:
    commands = {each.number: each for section in lesson.sections for each in section.commands}
    return {number: report(commands[number].line) for number in question.commands}


@pytest.mark.parametrize(("lesson", "question"), ASKED)
def test_who_knows_is_right_and_who_does_not_hears_why(lesson: Lesson, question: Question) -> None:
    predict = next(each for each in lesson.sections if each.heading == "Predict")
    known = BELIEVED[lesson.name][question is not predict.question]
    said = question.said(str(known))
    assert said is not None
    found = reports(lesson, question)
    judged = question.judge(said, found)
    assert judged.right, judged.text
    wrong = "1" if question.numeric else next(each for each in question.choices if each != said)
    other = question.judge(wrong, found)
    assert not other.right
    assert judged.truth in other.text
    assert (question.less or question.more or question.why) in other.text


def question(**keys: Any) -> Question:
    return Question(**{"figure": "1:/clk", **keys})


@pytest.mark.parametrize(
    ("typed", "meant"), [("56", "56"), (" 56 clk", "56"), ("1,024", "1024"), ("1.50", "1.5"), ("many", None)]
)
def test_a_number_is_taken_with_its_unit_and_nothing_else_is(typed: str, meant: str | None) -> None:
    assert question().said(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"), [("between", "between"), ("BEF", "before"), ("be", None), ("", None)]
)
def test_a_choice_may_be_cut_short_as_long_as_it_is_the_only_one(typed: str, meant: str | None) -> None:
    asked = Question("behind", choices=("before", "between", "behind"))
    assert asked.said(typed) == meant


def test_a_choice_that_begins_like_another_is_still_one() -> None:
    assert Question("8wave", choices=("8wave", "8wave_pingpong")).said("8wave") == "8wave"


@pytest.mark.parametrize(
    ("said", "right", "words"),
    [
        ("100", True, "You said 100 clk: right."),
        ("109", True, "You said 109 clk, it is 100 clk: near enough."),
        ("50", False, "You said 50 clk, it is 100 clk: 50 clk too few, 50 % off. Low. Both."),
        ("150", False, "You said 150 clk, it is 100 clk: 50 clk too many, 50 % off. High. Both."),
    ],
)
def test_it_says_how_far_off_and_why(said: str, right: bool, words: str) -> None:
    asked = question(unit="clk", less="Low.", more="High.", why="Both.")
    judged = asked.judge(said, {1: {"clk": 100}})
    assert (judged.right, judged.text) == (right, words)


def test_a_figure_is_worked_out_from_left_to_right() -> None:
    found = {1: {"loops": [{"clk": 50}]}, 2: {"clk": 60}}
    assert value("2:/clk over 1:/loops/0/clk - 1 * 100", found) == pytest.approx(20)


@pytest.mark.parametrize("figure", ["1:/none", "1:/loops/7/clk", "2:/clk", "1:/clk by 2"])
def test_a_figure_that_is_not_there_is_refused(figure: str) -> None:
    with pytest.raises(UserError):
        value(figure, {1: {"clk": 1, "loops": []}})


@pytest.mark.parametrize(
    "key",
    ["figure: 1:/clk\nis: 5", "unit: clk", "is: c\nchoices: [a, b]", "figure: 1:/clk\nhow: so"],
)
def test_a_key_that_is_none_is_refused_with_its_place(key: str) -> None:
    with pytest.raises(UserError, match=r"lesson\.md:7"):
        read_question(key, SourceSpan("lesson.md", 7))
