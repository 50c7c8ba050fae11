"""``wavesim lesson``: the lessons of docs/lessons in the terminal: they ask, and judge the answers."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from wavesim.cli import completion
from wavesim.errors import UserError
from wavesim.lessons import Answer, Command, Lesson, Progress, Question, Section, lessons
from wavesim.lessons.page import ASKS
from wavesim.visible import uncovered

NEXT = "next"


@click.command()
@click.argument("number", required=False, metavar="[NUMBER|NAME|next]", shell_complete=completion.lessons)
@click.option("--all", "at_once", is_flag=True, help="Show everything without asking.")
def lesson(number: str | None, at_once: bool) -> int:
    """Go through a lesson step by step, by its NUMBER or NAME; next: the first not done; without: list them.

    Each lesson asks for a prediction, then runs the command here and now, says how far off the
    prediction was, and explains what comes out. On a terminal it keeps your answers and how far you
    are; the list says where. Lesson commands work on the kernels that come with wavesim.
    """
    found = lessons()
    if number is None:
        _list(found)
        return 0
    ask = not at_once and sys.stdin.isatty()
    progress = Progress.of_user() if ask or number == NEXT else None
    chosen = _chosen(found, number, progress)
    if chosen is None:
        click.echo("All lessons are done. wavesim lesson lists them.")
        return 0
    _Reading(chosen, progress if ask else None).go()
    after = next((each for each in found if each.number == chosen.number + 1), None)
    if after is not None:
        click.echo(f"Next: wavesim lesson {after.number}, {after.title}")
    return 0


def _chosen(found: tuple[Lesson, ...], number: str, progress: Progress | None) -> Lesson | None:
    if number == NEXT and progress is not None:
        return progress.next_of(found)
    for each in found:
        if number in (str(each.number), each.name):
            return each
    raise UserError(
        f"there is no lesson {number}",
        None,
        f"lessons 1 to {len(found)}, or {NEXT}; wavesim lesson lists them",
    )


def _list(found: tuple[Lesson, ...]) -> None:
    progress = Progress.of_user()
    width = max(len(each.title) for each in found)
    for each in found:
        click.echo(f"{each.number:3}  {each.title:{width}}  {_how_far(each, progress)}".rstrip())
    following = progress.next_of(found)
    click.echo("\nwavesim lesson N goes through one of them.")
    if progress.done or progress.answers:
        if following is not None:
            click.echo(f"wavesim lesson next goes on with {following.number}.")
        click.echo(f"Your answers are kept in {progress.path}.")


def _how_far(each: Lesson, progress: Progress) -> str:
    words = ["done"] if each.name in progress.done else ["begun"] if each.name in progress.answers else []
    answer = progress.answer(each.name, ASKS[0])
    if answer is not None and answer.right is not None:
        words.append("predicted right" if answer.right else f"predicted {answer.said}, is {answer.truth}")
    return ", ".join(words)


@dataclass
class _Reading:
    """One way through a lesson. Without ``progress`` nothing is asked and nothing kept."""

    lesson: Lesson
    progress: Progress | None
    waiting: tuple[str, str, Question | None] | None = None
    """The section that asked, what was said, and the question, until the commands that answer it have run."""
    reports: dict[int, Any] = field(default_factory=dict)
    complained: bool = False

    @property
    def needed(self) -> set[int]:
        """The commands whose JSON answers a question."""
        asked = [each.question for each in self.lesson.sections if each.question and self.progress]
        return {number for question in asked for number in question.commands}

    def go(self) -> None:
        _print_markdown(f"# {self.lesson.number}. {self.lesson.title}")
        for section in self.lesson.sections:
            self._show(section)
        if self.progress is not None:
            self._keep(lambda progress: progress.finish(self.lesson.name))

    def _show(self, section: Section) -> None:
        if section.heading:
            _print_markdown(f"## {section.heading}")
        for part in section.parts:
            if isinstance(part, Command):
                self._run(part)
                self._judge()
            else:
                _print_markdown(part)
        if section.heading not in ASKS:
            self._judge(at_last=True)
        elif self.progress is not None:
            self._ask(section)

    def _ask(self, section: Section) -> None:
        """Ask for an answer; Enter alone skips a judged question."""
        assert self.progress is not None
        before = self.progress.answer(self.lesson.name, section.heading)
        question = section.question
        text = "Your answer" if question is None else f"Your answer ({question.asked}; Enter skips)"
        if before is not None:
            click.echo(f"Last time you said: {before.said}")
        while True:
            typed = click.prompt(text, default="", show_default=False).strip()
            said = question.said(typed) if question is not None else typed
            if not typed or said is not None:
                break
            assert question is not None
            click.echo(f"What is asked for is {question.asked}.")
        click.echo("")
        if not typed or not said:
            return
        self._keep(lambda progress: progress.say(self.lesson.name, section.heading, Answer(said)))
        self.waiting = section.heading, said, question

    def _judge(self, at_last: bool = False) -> None:
        """Say how right the answer was, once the reports are there; what needs none: ``at_last``."""
        if self.waiting is None:
            return
        heading, said, question = self.waiting
        needed = question.commands if question is not None else frozenset()
        if not needed <= self.reports.keys() or (not needed and not at_last):
            return
        self.waiting = None
        if question is None:
            click.secho(f"You said: {said}\n", bold=True)
            return
        judged = question.judge(said, self.reports)
        click.secho(f"{judged.text}\n", bold=True)
        answer = Answer(said, judged.right, judged.truth)
        self._keep(lambda progress: progress.say(self.lesson.name, heading, answer))

    def _keep(self, change: Callable[[Progress], None]) -> None:
        """A lesson goes on where nothing can be kept; it says so once."""
        assert self.progress is not None
        try:
            change(self.progress)
        except UserError as error:
            if not self.complained:
                click.echo(f"note: your answers are not kept: {error}", err=True)
            self.complained = True

    def _run(self, command: Command) -> None:
        """Run one of the lesson's wavesim commands, in a folder in which its kernels are.

        Where its trace is not there, what it printed when the page was made is shown.
        """
        from wavesim.isa.paths import data_dir

        click.echo(f"$ {command.line}")
        words = shlex.split(command.line)
        if words[0] != "wavesim":
            raise UserError(f"a lesson runs wavesim commands only, not {words[0]!r:.40}")
        folder = data_dir("kernels").parent
        recorded = any(word.startswith("traces/") for word in words) and not (folder / "traces").is_dir()
        if self.progress is not None:
            # not click.pause: what is typed before it begins to wait is lost
            what = "Enter shows it" if recorded else "Enter runs it"
            click.prompt(what, default="", show_default=False, prompt_suffix=" ... ")
        if recorded:
            where = f"(as printed where the trace is; here there is none in {folder / 'traces'})"
            click.echo(f"{where}\n\n{command.printed}")
            return
        sys.stdout.flush()
        with tempfile.TemporaryDirectory() as name:
            report = Path(name) / "report.json"
            if command.number in self.needed:
                words.append(f"--json={report}")
            subprocess.run([sys.executable, "-m", "wavesim", *words[1:]], cwd=folder, check=False)
            if report.exists():
                self.reports[command.number] = json.loads(report.read_text(encoding="utf-8"))
        click.echo("")


def _print_markdown(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(
        file=uncovered(sys.stdout),
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
    )
    console.print(Markdown(text, hyperlinks=False))
    console.print()
