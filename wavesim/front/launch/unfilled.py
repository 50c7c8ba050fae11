"""The word in a launch skeleton for what its author has to fill in, which the loader refuses."""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.errors import SourceSpan, UserError
from wavesim.source_text import KeyPath, Marks
from wavesim.words import counted

UNFILLED = "FILL_IN"


def refuse_unfilled(data: object, marks: Marks) -> None:
    """Refuse a launch file with something to fill in.

    Raises:
        UserError: at the first place, with how many there are.
    """
    places = list(unfilled(data, marks))
    if places:
        name, span = places[0]
        more = f"{counted(len(places), 'place')} of this file" if len(places) > 1 else "the only place"
        hint = f"{UNFILLED} stands in {more}; its comments say what is right"
        raise UserError(f"{name} is not filled in", span, hint)


def unfilled(data: object, marks: Marks) -> Iterator[tuple[str, SourceSpan]]:
    """What is to be filled in: the name of each value, and its place."""
    for path in _places(data, ()):
        yield (
            next((str(part) for part in reversed(path) if isinstance(part, str)), "launch"),
            marks.span(path),
        )


def _places(data: object, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(key, str) and UNFILLED in key:
                yield (*path, key)
            else:
                yield from _places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _places(value, (*path, index))
    elif isinstance(data, str) and UNFILLED in data:
        yield path
