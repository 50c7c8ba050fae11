"""Loops in the text of a HIP source: where the body of one ends, so that something can be put in there.

No parser of C++: comments, strings and lines for the preprocessor are passed over, and brackets are matched.
That finds ``for``, ``while`` and ``do`` as they are written. A loop that a macro makes is not found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from wavesim.errors import SourceSpan
from wavesim.program import Program

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|R"(?P<raw>[^()\\\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'"
    r"|^[ \t]*\#(?:\\\n|[^\n])*"
    r"|(?P<token>[A-Za-z_]\w*|[(){};])",
    re.DOTALL | re.MULTILINE,
)
"""Comments, strings, characters and lines for the preprocessor, which are no tokens; and what is one."""
_CLOSES = {"(": ")", "{": "}"}


class NoPlace(Exception):
    """Why builtins cannot be put into a source."""


@dataclass(frozen=True, slots=True)
class SourceLoop:
    """Characters of a text: of a loop's first one and behind its last one, and of its body's."""

    begin: int
    end: int
    body_begin: int
    body_end: int


@lru_cache(16)
def tokens_of(text: str) -> tuple[tuple[str, int], ...]:
    """Words, brackets and semicolons of a text, and where they begin."""
    return tuple((each["token"], each.start()) for each in _TOKEN.finditer(text) if each["token"])


@lru_cache(16)
def loops_of(text: str) -> tuple[SourceLoop, ...]:
    """The loops of a text, in the order in which they begin."""
    tokens = tokens_of(text)
    found: list[SourceLoop] = []
    tails: set[int] = set()
    for number, (word, begin) in enumerate(tokens):
        if word not in ("for", "while", "do") or number in tails:
            continue
        first = number + 1
        if word != "do":
            last = closing_of(tokens, first) if _word(tokens, first) == "(" else None
            if last is None:
                continue
            first = last + 1
        last = closing_of(tokens, first) if _word(tokens, first) == "{" else _semicolon(tokens, first)
        if last is None:
            continue
        if word == "do":
            tails.add(last + 1)
        before, after = tokens[first - 1][1] + len(tokens[first - 1][0]), tokens[first][1]
        body_begin = after if _word(tokens, first) == "{" else before
        if text[body_begin : tokens[last][1]].strip():  # it has a body: no while at the end of a macro's do
            found.append(SourceLoop(begin, tokens[last][1] + 1, body_begin, tokens[last][1] + 1))
    return tuple(found)


def _word(tokens: Sequence[tuple[str, int]], number: int) -> str:
    return tokens[number][0] if number < len(tokens) else ""


def closing_of(tokens: Sequence[tuple[str, int]], first: int) -> int | None:
    """The number of the bracket that closes the one at ``first``."""
    opened = tokens[first][0]
    depth = 0
    for number in range(first, len(tokens)):
        depth += (tokens[number][0] == opened) - (tokens[number][0] == _CLOSES[opened])
        if not depth:
            return number
    return None


def _semicolon(tokens: Sequence[tuple[str, int]], first: int) -> int | None:
    """The end of a statement without braces; none where it is another compound one."""
    number = first
    while number < len(tokens):
        word = tokens[number][0]
        if word == ";":
            return number
        if word in ("for", "while", "do", "if", "switch", "{", "}", ")"):
            return None
        closing = closing_of(tokens, number) if word == "(" else number
        if closing is None:
            return None
        number = closing + 1
    return None


def loop_at(text: str, line: int, column: int = 0) -> SourceLoop | None:
    """The innermost loop that a place is in; the first one of the line where no column is known."""
    place = offset_of(text, line, column)
    if place is None:
        return None
    inside = [each for each in loops_of(text) if each.begin <= place < each.end]
    if not inside and not column:
        inside = [each for each in loops_of(text) if line_of(text, each.begin) == line][:1]
    return max(inside, key=lambda each: each.begin, default=None)


def offset_of(text: str, line: int, column: int = 0) -> int | None:
    """Which character of a text a place is; ``None`` where it has no such line."""
    starts = [0, *(each.end() for each in re.finditer("\n", text))]
    return starts[line - 1] + max(0, column - 1) if 0 < line <= len(starts) else None


def line_of(text: str, offset: int) -> int:
    """The line of a character of a text, from 1."""
    return text.count("\n", 0, offset) + 1


def source_loop(text: str, path: Path, program: Program, head: int, tail: int) -> SourceLoop:
    """The source of a compiled loop: where the line table has its branch, or else its compares.

    Other instructions may come from functions that were inlined; their lines are in other loops.

    Args:
        text: the source.
        path: its file.
        program: what it became.
        head: the first instruction of the loop.
        tail: its branch.

    Raises:
        NoPlace: the text has no such loop.
    """
    inside = program.instructions[head : tail + 1]
    compares = [each for each in inside if each.opcode.startswith("s_cmp")]
    places = [each.source for each in (inside[-1], *reversed(compares))]
    known = [each for each in places if each is not None and each.line]
    for place in (each for each in known if Path(each.file) == path):
        found = loop_at(text, place.line, place.column)
        if found is not None:
            return found
    label = next((name for name, index in program.labels.items() if index == head), str(head))
    where = f"; its branch is from {known[0]}" if known else ""
    raise NoPlace(f"{path}: the loop at {label} was not found in the source{where}")


def span_at(path: Path, text: str, offset: int) -> SourceSpan:
    """The line of a character of the text of ``path``."""
    return SourceSpan(str(path), line_of(text, offset))


def with_at_end(text: str, loop: SourceLoop, statements: Sequence[str]) -> str:
    """The text with statements at the end of a loop's body, each on its own line."""
    line = text[text.rfind("\n", 0, loop.begin) + 1 :]
    indent = line[: len(line) - len(line.lstrip(" \t"))] + "  "
    added = "".join(f"\n{indent}{each}" for each in statements)
    end = loop.body_end
    if text[loop.body_begin] == "{":
        before = text[: end - 1].rstrip(" \t")
        return f"{before.removesuffix(chr(10))}{added}\n{indent[:-2]}{text[end - 1 :]}"
    return f"{text[: loop.body_begin]} {{{text[loop.body_begin : end]}{added}\n{indent[:-2]}}}{text[end:]}"
