"""The terminal report, character by character, on a small synthetic Timeline."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from rich.text import Text
from synthetic_run import ping_pong_run, run_of
from synthetic_timeline import PingPong, Step, Wave, build, entry

from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity
from wavesim.program.verdict import Verdict
from wavesim.report.output import Look, look_for, write_lines
from wavesim.report.text.comparison import comparison_lines
from wavesim.report.text.terminal import report_lines
from wavesim.trace import Kind, Reason

PLACE = SourceSpan("k.yaml", 3)
GOLDEN = Path(__file__).parent / "golden"


def shown(lines: list[Text], look: Look) -> str:
    file = io.StringIO()
    write_lines(lines, file, look)
    return file.getvalue()


@pytest.mark.parametrize(("name", "look"), [("toy.txt", Look()), ("toy.ascii.txt", Look(ascii_only=True))])
def test_the_report_is_as_kept(name: str, look: Look) -> None:
    text = shown(report_lines(ping_pong_run(), look, details=True), look)
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_colour_changes_no_character() -> None:
    plain = shown(report_lines(ping_pong_run(), Look()), Look())
    colored = shown(report_lines(ping_pong_run(), Look()), Look(color=True))
    assert "\x1b[" in colored
    stripped = re.sub("\x1b\\[[0-9;]*m", "", colored)
    assert stripped == plain


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_asked(width: int, ascii_only: bool) -> None:
    look = Look(width=width, ascii_only=ascii_only)
    finding = Finding("demo", Severity.ERROR, "a message of some length " * 6, (PLACE,), (0, 1), "x")
    runs = [run_of(PingPong(iterations=9).timeline(), findings=(finding,)), ping_pong_run(), ping_pong_run()]
    for lines in (*(report_lines(run, look, details=True) for run in runs), comparison_lines(runs, width)):
        text = shown(lines, look)
        assert max(map(len, text.splitlines())) <= width
        if ascii_only:
            text.encode("ascii")


def test_the_verdict_shows() -> None:
    finding = Finding("deadlock", Severity.ERROR, "waves wait", (PLACE,), (0, 4), "reach it")
    stuck = build(
        (entry(Kind.SALU), entry(Kind.BARRIER)), [Wave([Step(0), Step(1)])], complete=False, tail_clk=20
    )
    stuck.waves[0].issue_clk[1] = stuck.waves[0].end_clk[1] = -1
    run = run_of(stuck, findings=(finding,), ok=False)
    assert run.verdict is Verdict.BAD
    text = shown(report_lines(run, Look()), Look())
    assert "bad: deadlock" in text
    assert "wrong numbers" in " ".join(text.split())
    assert "clk in all" in text
    assert "k.yaml:3: error: deadlock: waves wait (waves 0,4)" in text
    assert "fix: reach it" in text


def test_notes_do_not_make_the_verdict_bad() -> None:
    note = Finding("occupancy", Severity.NOTE, "one workgroup per compute unit")
    # a run alone has looked for no race, wait or hazard: it calls nothing good
    assert run_of(PingPong().timeline(), findings=(note,)).verdict is Verdict.UNCHECKED
    assert run_of(PingPong().timeline(), ok=False).verdict is Verdict.BAD
    warning = dataclasses.replace(note, severity=Severity.WARNING)
    assert run_of(PingPong().timeline(), findings=(warning,)).verdict is Verdict.BAD


def test_a_run_without_work_is_reported() -> None:
    for waves in ([], [Wave([])], [Wave([Step(0)])], [Wave([Step(0, ((Reason.DEPENDENCY, 4000),))])] * 9):
        shown(report_lines(run_of(build((entry(Kind.SALU),), waves)), Look()), Look())


def test_ascii_where_the_output_cannot_do_more() -> None:
    assert look_for(io.TextIOWrapper(io.BytesIO(), encoding="latin-1")).ascii_only
    assert not look_for(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).ascii_only
    assert look_for(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) == Look(80, False, False)


def test_many_groups_stand_in_columns_of_one_width() -> None:
    reasons = (Reason.LGKMCNT, Reason.VMCNT, Reason.BARRIER, Reason.FETCH, Reason.PORT)
    waves = [Wave([Step(0), Step(0, ((reason, 1000),))]) for reason in reasons]
    run = run_of(build((entry(Kind.SALU),), waves))
    lines = shown(report_lines(run, Look(), details=True), Look()).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Where the clocks go"))
    head, *rows = lines[start + 1 : start + 8]
    assert max(map(len, lines)) <= 80
    assert head.split() == ["wave", "0", "wave", "1", "wave", "2", "wave", "3"]
    ends = {number for row in rows[:-1] for number, letter in enumerate(row) if letter == "%"}
    assert ends == {31, 47, 63, 79}
