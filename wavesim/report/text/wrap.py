"""Lines of a report: broken sentences, and what differs between two texts."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 80


def wrapped(text: str, first: str = "  ", later: str = "  ") -> Iterator[str]:
    """Lines of at most ``WIDTH`` characters; ``first`` and ``later`` begin them."""
    yield from textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later)


def dropped_lines(why: Sequence[str]) -> Iterator[str]:
    """Why faster ones could not be proven, each reason once; nothing where all could."""
    if why:
        yield f"{len(why)} faster ones were dropped, for they could not be proven:"
    for each in dict.fromkeys(why):
        yield from wrapped(each, "  - ", "    ")


def unified(before: Sequence[str], after: Sequence[str], name: str) -> str:
    """Lines as they were and as they are tuned, as a unified diff."""
    lines = difflib.unified_diff(before, after, f"{name} as it was", f"{name} tuned", lineterm="")
    return "".join(f"{line}\n" for line in lines)
