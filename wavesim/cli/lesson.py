"""``wavesim lesson``: the lessons of docs/lessons in the terminal, one step after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from wavesim.cli import completion
from wavesim.errors import UserError
from wavesim.visible import uncovered

ASK_AFTER = ("Predict", "Exercise")
"""Sections after which the reader is asked for an answer before anything is shown."""

_BLOCK = re.compile(r"^```console\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Lesson:
    """One page: ``sections`` are (heading, text) in order; the first has no heading."""

    number: int
    title: str
    sections: tuple[tuple[str, str], ...]


def lessons() -> tuple[Lesson, ...]:
    """All lessons, by number."""
    from wavesim.isa.paths import data_dir

    return tuple(read_lesson(path) for path in sorted(data_dir("lessons").glob("[0-9][0-9]-*.md")))


def read_lesson(path: Path) -> Lesson:
    """A lesson from its page."""
    title, _, rest = path.read_text(encoding="utf-8").partition("\n")
    number, _, name = title.removeprefix("# ").partition(". ")
    first, *others = re.split(r"^## ", rest, flags=re.MULTILINE)
    sections = [("", first.strip())]
    for part in others:
        heading, _, text = part.partition("\n")
        sections.append((heading.strip(), text.strip()))
    return Lesson(int(number), name.strip(), tuple(sections))


def _numbers() -> Iterator[tuple[str, str]]:
    return ((str(each.number), each.title) for each in lessons())


@click.command()
@click.argument("number", type=int, required=False, shell_complete=completion.completer(_numbers))
@click.option("--all", "at_once", is_flag=True, help="Show everything without asking.")
def lesson(number: int | None, at_once: bool) -> int:
    """Go through lesson NUMBER step by step; without a number, list the lessons.

    Each lesson asks for a prediction, then runs the command here and now, and explains what comes out. Lesson
    commands work on the kernels that come with wavesim.
    """
    found = {each.number: each for each in lessons()}
    if number is None:
        for each in found.values():
            click.echo(f"{each.number:3}  {each.title}")
        click.echo("\nwavesim lesson N goes through one of them.")
        return 0
    if number not in found:
        raise UserError(
            f"there is no lesson {number}", None, f"lessons 1 to {max(found)}; wavesim lesson lists them"
        )
    ask = not at_once and sys.stdin.isatty()
    _show(found[number], ask)
    if number + 1 in found:
        click.echo(f"Next: wavesim lesson {number + 1}, {found[number + 1].title}")
    return 0


def _show(chosen: Lesson, ask: bool) -> None:
    _print_markdown(f"# {chosen.number}. {chosen.title}")
    for heading, text in chosen.sections:
        if heading:
            _print_markdown(f"## {heading}")
        at = 0
        for block in _BLOCK.finditer(text):
            _print_markdown(text[at : block.start()])
            at = block.end()
            for part in re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                _run(command, printed, ask)
        _print_markdown(text[at:])
        if ask and heading in ASK_AFTER:
            click.prompt("Your answer", default="", show_default=False)


def _print_markdown(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    if text.strip():
        console = Console(
            file=uncovered(sys.stdout), no_color=bool(os.environ.get("NO_COLOR")), highlight=False
        )
        console.print(Markdown(text.strip(), hyperlinks=False))
        console.print()


def _run(command: str, printed: str, ask: bool) -> None:
    """Run one of the lesson's wavesim commands, in a folder in which its kernels are.

    Where its trace is not there, what the command ``printed`` when the page was made is shown.
    """
    import shlex

    from wavesim.isa.paths import data_dir

    click.echo(f"$ {command}")
    words = shlex.split(command)
    if words[0] != "wavesim":
        raise UserError(f"a lesson runs wavesim commands only, not {words[0]!r:.40}")
    folder = data_dir("kernels").parent
    recorded = any(word.startswith("traces/") for word in words) and not (folder / "traces").is_dir()
    if ask:
        # not click.pause: what is typed before it begins to wait is lost
        what = "Enter shows it" if recorded else "Enter runs it"
        click.prompt(what, default="", show_default=False, prompt_suffix=" ... ")
    if recorded:
        click.echo(f"(as printed where the trace is; here there is none in {folder / 'traces'})\n\n{printed}")
        return
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "wavesim", *words[1:]], cwd=folder, check=False)
    click.echo("")
