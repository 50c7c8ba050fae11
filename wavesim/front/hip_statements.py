"""Statements in the text of a HIP source: the one at a place, to put others around it or to move it.

Found as loops are (:mod:`wavesim.front.hip_loops`), by brackets and semicolons. Whether the text is still
what was meant must be seen by compiling it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wavesim.front.hip_loops import closing_of, tokens_of

_PASSED = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/|\#(?![ \t]*pragma)[^\n]*)*", re.DOTALL)
"""What may stand before a statement; a line ``#pragma`` belongs to it."""


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """Characters of a text: a statement from its first one to behind its last one."""

    begin: int
    end: int


def statement_at(text: str, place: int) -> Statement | None:
    """The statement that a character belongs to: a whole ``for`` where its body is one without braces."""
    tokens = tokens_of(text)
    at = max((number for number, (_, begin) in enumerate(tokens) if begin <= place), default=None)
    if at is None:
        return None
    at += tokens[at][0] in ";{}" and tokens[at][1] < place  # such as * at its beginning
    if at == len(tokens):
        return None
    before = _before(tokens, at)
    last = _last(tokens, before + 1)
    if last is None or before < 0:
        return None
    passed = _PASSED.match(text, tokens[before][1] + 1)
    return Statement(passed.end() if passed is not None else place, tokens[last][1] + 1)


def _before(tokens: Sequence[tuple[str, int]], at: int) -> int:
    """What stands before the statement around a token: a semicolon or a brace."""
    depth = 0
    for number in range(at - (tokens[at][0] in ";{}"), -1, -1):
        word = tokens[number][0]
        depth = max(0, depth + (word == ")") - (word == "("))
        if not depth and word in ";{}":
            return number
    return -1


def _last(tokens: Sequence[tuple[str, int]], first: int) -> int | None:
    """The end of the statement that begins at a token."""
    number, loops = first, 0
    while number < len(tokens):
        word = tokens[number][0]
        loops += word == "do"
        following = tokens[number + 1][0] if number + 1 < len(tokens) else ""
        if word == ";" and following != "else":
            return number
        if word == "}":
            return None
        if word in "({":
            closing = closing_of(tokens, number)
            if closing is None:
                return None
            body = word == "{" and (number == first or tokens[number - 1][0] in (")", "else", "do"))
            following = tokens[closing + 1][0] if closing + 1 < len(tokens) else ""
            number = closing
            if body and not loops and following != "else":
                return closing
        number += 1
    return None


def _lines(text: str, each: Statement) -> Statement:
    """The statement with its indent and what follows it in its last line, if it has its lines for itself."""
    start = text.rfind("\n", 0, each.begin) + 1
    stop = text.find("\n", each.end) % (len(text) + 1)
    rest = text[each.end : stop].strip()
    alone = not text[start : each.begin].strip() and (not rest or rest.startswith("//"))
    return Statement(start, stop) if alone else each


def around(text: str, statements: Iterable[Statement], before: str, behind: str) -> str:
    """The text with other statements before and behind each of these."""
    for each in sorted(statements, reverse=True):
        whole = _lines(text, each)
        inner = text[whole.begin : whole.end]
        indent = inner[: len(inner) - len(inner.lstrip(" \t"))]
        gap = f"\n{indent}" if whole != each else " "
        put = f"{indent}{before}{gap}{inner.lstrip(' ' + chr(9))}{gap}{behind}"
        text = text[: whole.begin] + put + text[whole.end :]
    return text


def runs_of(text: str, statements: Iterable[Statement]) -> list[Statement]:
    """Neighbouring statements as one."""
    tokens = [begin for _, begin in tokens_of(text)]
    runs: list[Statement] = []
    for each in sorted(set(statements)):
        if runs and each.end <= runs[-1].end:
            continue
        if runs and not any(runs[-1].end <= begin < each.begin for begin in tokens):
            runs[-1] = Statement(runs[-1].begin, each.end)
        else:
            runs.append(each)
    return runs


def neighbours(text: str, each: Statement) -> tuple[Statement | None, Statement | None]:
    """The statements before and behind one in its block."""
    tokens = tokens_of(text)
    before = max((n for n, (_, begin) in enumerate(tokens) if begin < each.begin), default=-1)
    behind = min((begin for _, begin in tokens if begin >= each.end), default=None)
    earlier = statement_at(text, tokens[before][1]) if before >= 0 and tokens[before][0] == ";" else None
    later = statement_at(text, behind) if behind is not None and text[behind] != "}" else None
    return earlier, later


def swapped(text: str, first: Statement, second: Statement) -> str:
    """The text with two neighbours the other way round, whole lines where they have them."""
    one, two = _lines(text, first), _lines(text, second)
    if (one == first) != (two == second):
        one, two = first, second
    parts = text[: one.begin], text[two.begin : two.end], text[one.end : two.begin], text[one.begin : one.end]
    return "".join((*parts, text[two.end :]))
