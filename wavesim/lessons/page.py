"""A lesson's page: sections of prose, the commands in them, and the key of a section that asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from wavesim.errors import SourceSpan, UserError
from wavesim.lessons.question import Question, read_question

ASKS = ("Predict", "Exercise")
"""Sections after which the reader is asked, before anything more is shown."""

_BLOCK = re.compile(r"^```console\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"^<!-- answer\n(.*?)^-->\n?", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^!\[[^]]*\]\([^)]*\)\n?", re.MULTILINE)
_LINK = re.compile(r"\[([^]]*)\]\(([^)#]*)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Command:
    """A command of a page, numbered through from 1, and what it ``printed`` when the page was made."""

    number: int
    line: str
    printed: str


@dataclass(frozen=True)
class Section:
    """``parts`` are prose (Markdown, without pictures and links) and commands, as they follow each other.

    ``question`` is the key of a section that asks for something that can be judged.
    """

    heading: str
    parts: tuple[str | Command, ...]
    question: Question | None = None

    @property
    def commands(self) -> tuple[Command, ...]:
        """Its commands."""
        return tuple(part for part in self.parts if isinstance(part, Command))


@dataclass(frozen=True)
class Lesson:
    """One page. ``name`` is its file's, without the number; the first section has no heading."""

    number: int
    name: str
    title: str
    sections: tuple[Section, ...]


def lessons() -> tuple[Lesson, ...]:
    """All lessons, by number.

    Raises:
        UserError: the key of a question is not one.
    """
    from wavesim.isa.paths import data_dir

    return tuple(read_lesson(path) for path in sorted(data_dir("lessons").glob("[0-9][0-9]-*.md")))


def read_lesson(path: Path) -> Lesson:
    """A lesson from its page.

    Raises:
        UserError: the key of a question is not one.
    """
    head, _, rest = path.read_text(encoding="utf-8").partition("\n")
    number, _, title = head.removeprefix("# ").partition(". ")
    sections: list[Section] = []
    commands = 0
    line = 2
    for position, text in enumerate(re.split(r"^## ", rest, flags=re.MULTILINE)):
        heading, _, body = text.partition("\n") if position else ("", "", text)
        section = _section(heading.strip(), body, commands, SourceSpan(str(path), line))
        sections.append(section)
        commands += len(section.commands)
        line += text.count("\n")
    return Lesson(int(number), path.stem.partition("-")[2], title.strip(), tuple(sections))


def _section(heading: str, text: str, commands: int, place: SourceSpan) -> Section:
    keys = _KEY.findall(text)
    if len(keys) > 1 or (keys and heading not in ASKS):
        raise UserError("a key of an answer here", place, f"one, in a section {' or '.join(ASKS)}")
    text = _PICTURE.sub("", _KEY.sub("", text))
    parts: list[str | Command] = []
    at = 0
    for block in _BLOCK.finditer(text):
        parts.append(_without_links(text[at : block.start()]))
        at = block.end()
        for shown in re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]:
            line, _, printed = shown.partition("\n")
            commands += 1
            parts.append(Command(commands, line, printed))
    parts.append(_without_links(text[at:]))
    question = read_question(keys[0], place) if keys else None
    return Section(heading, tuple(part for part in parts if part), question)


def _without_links(text: str) -> str:
    """For a terminal: of a link the words, and of one out of the lessons where in a checkout its page is."""

    def words(link: re.Match[str]) -> str:
        return f"{link[1]} (docs/{link[2][3:]})" if link[2].startswith("../") else link[1]

    return _LINK.sub(words, text).strip()
