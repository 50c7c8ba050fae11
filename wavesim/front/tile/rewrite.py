"""Edits of a kernel file's text: other constants, and reads of LDS laid among MFMAs, statement by statement.

The text stays as it was written, comments included, but for the lines that an edit is about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wavesim.front.tile.node import Node
from wavesim.front.tile.source import Source, read_source
from wavesim.yaml_source import load_yaml

TAKES = ((1, 1), (2, 1), (4, 1), (1, 2), (2, 4))
"""MFMAs and reads that are taken in turn."""


@dataclass(frozen=True)
class Interleaving:
    """A text in which the reads of LDS and MFMAs of a loop are merged; ``said`` says how, ``line`` where."""

    said: str
    line: int
    text: str


def with_constants(text: str, values: Mapping[str, int]) -> str:
    """The text with other values in its section ``constants``; what has no line there gets one."""
    lines = text.split("\n")
    inside, at = False, None
    left = dict(values)
    for number, line in enumerate(lines):
        if line and not line.startswith((" ", "#")):
            inside = line.startswith("constants:")
            at = number + 1 if inside else at
        match = re.match(r"(\s+(\w+)\s*:\s*)([^#]*?)(\s*(?:#.*)?)$", line) if inside else None
        if match and match[2] in left:
            lines[number] = f"{match[1]}{left.pop(match[2])}{match[4]}"
    more = [f"  {name}: {value}" for name, value in left.items()]
    if not more:
        return "\n".join(lines)
    if at is None:
        return "\n".join([*lines, "constants:", *more, ""])
    return "\n".join([*lines[:at], *more, *lines[at:]])


def moved_to(text: str, path: Path, output: Path) -> str:
    """The text for another folder: what it includes beside ``path`` is named from there."""
    data, _ = load_yaml(path, text)
    include = data.get("include") if isinstance(data, dict) else None
    names = [each for each in (include if isinstance(include, list) else [include]) if isinstance(each, str)]
    here, there = path.absolute().parent, output.absolute().parent
    if here == there:
        return text
    head, found, rest = text.partition("include:")
    for name in names:
        if (here / name).is_file():
            rest = rest.replace(name, os.path.relpath(here / name, there), 1)
    return head + found + rest


def interleavings(path: Path, text: str) -> Iterator[Interleaving]:
    """Texts in which reads of LDS and MFMAs that stand beside each other in a loop are merged."""
    source = read_source(path, text)
    program = source.single.get("program")
    if program is None or program.marks.file != str(path):
        return
    lines = text.split("\n")
    for body in _bodies(program.items("program")):
        for run in _runs(body, source):
            chunks = _chunks(run, body, lines)
            if chunks is not None:
                yield from _merged(lines, chunks, [_sort(each, source) for each in run])


def _bodies(statements: Sequence[Node]) -> Iterator[list[Node]]:
    """The bodies of loops, the inner ones first."""
    for each in statements:
        if isinstance(each.data, dict) and "loop" in each.data and each.get("body") is not None:
            body = each.child("body").items("body")
            yield from _bodies(body)
            yield body


def _sort(node: Node, source: Source, depth: int = 0) -> str:
    """``mfma`` or ``lds_read``, if a statement is nothing else; else nothing."""
    if not isinstance(node.data, dict):
        return ""
    for name in ("mfma", "lds_read"):
        if name in node.data:
            return name
    macro = source.named["macros"].get(str(node.data.get("use")))
    if macro is None or depth > len(source.named["macros"]) or not isinstance(macro.data, list):
        return ""
    sorts = {_sort(each, source, depth + 1) for each in macro.items("macro")}
    return sorts.pop() if len(sorts) == 1 else ""


def _runs(body: Sequence[Node], source: Source) -> Iterator[list[Node]]:
    """Neighbours that are reads and MFMAs, with some of both."""
    run: list[Node] = []
    for each in [*body, None]:
        if each is not None and _sort(each, source):
            run.append(each)
            continue
        if len({_sort(one, source) for one in run}) == 2:
            yield run
        run = []


def _chunks(run: Sequence[Node], body: Sequence[Node], lines: Sequence[str]) -> list[tuple[int, int]] | None:
    """First and last line (from 0) of each statement; none where they do not have lines of their own."""
    begins = [each.span.line - 1 for each in run]
    last = next((each for each in body if each.span.line > run[-1].span.line), None)
    end = last.span.line - 1 if last is not None else begins[-1] + 1
    while last is None and end < len(lines) and _indent(lines[end]) > _indent(lines[begins[-1]]):
        end += 1
    while end - 1 > begins[-1] and not _code(lines[end - 1]):
        end -= 1
    if len(set(begins)) != len(begins) or any(not lines[at].lstrip().startswith("- ") for at in begins):
        return None
    return list(zip(begins, [*begins[1:], end], strict=True))


def _code(line: str) -> str:
    return line.split("#")[0].strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" ")) if line.strip() else 0


def _merged(
    lines: Sequence[str], chunks: Sequence[tuple[int, int]], sorts: Sequence[str]
) -> Iterator[Interleaving]:
    space = " " * _indent(lines[chunks[0][0]])
    parts = {
        name: [
            f"    {line}" if line.strip() else line
            for (begin, end), sort in zip(chunks, sorts, strict=True)
            if sort == name
            for line in lines[begin:end]
        ]
        for name in ("mfma", "lds_read")
    }
    for first, second in (("mfma", "lds_read"), ("lds_read", "mfma")):
        for takes in TAKES:
            take = dict(zip(("mfma", "lds_read"), takes, strict=True))
            put = [f"{space}- interleave:"]
            for name in (first, second):
                put += [f"{space}  - take: {take[name]}", f"{space}    body:", *parts[name]]
            text = "\n".join([*lines[: chunks[0][0]], *put, *lines[chunks[-1][1] :]])
            named = {"mfma": f"{takes[0]} MFMA", "lds_read": f"{takes[1]} LDS reads"}
            yield Interleaving(f"{named[first]} and {named[second]} in turn", chunks[0][0] + 1, text)
