"""A value of a kernel file with its place: typed access that refuses with file, line and what is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.source_text import KeyPath, Marks


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a YAML file."""

    data: Any
    marks: Marks
    path: KeyPath

    @property
    def span(self) -> SourceSpan:
        """Where the value stands."""
        return self.marks.span(self.path)

    @property
    def name(self) -> str:
        """The key it stands under."""
        return str(self.path[-1]) if self.path else self.marks.file

    def error(self, message: str, hint: str = "") -> UserError:
        """An error at this value."""
        return self.marks.error(self.path, message, hint)

    def child(self, key: str | int) -> Node:
        """The value under ``key``, which must exist."""
        return Node(self.data[key], self.marks, (*self.path, key))

    def get(self, key: str) -> Node | None:
        """The value under ``key``, if there is one (``key:`` with nothing after it counts as none)."""
        value = self.data.get(key) if isinstance(self.data, dict) else None
        return None if value is None else self.child(key)

    def need(self, key: str) -> Node:
        """The value under ``key``.

        Raises:
            UserError: it is missing.
        """
        found = self.get(key)
        if found is None:
            raise self.error(f"{key}: is missing in {self.name}")
        return found

    def keys(self, allowed: Sequence[str], what: str) -> None:
        """Refuses keys that are not in ``allowed``, and what is no mapping."""
        self.mapping(what)
        for key in self.data:
            if key not in allowed:
                near = get_close_matches(str(key), allowed, n=1)
                hint = f"did you mean {near[0]}?" if near else f"keys: {', '.join(allowed)}"
                raise self.marks.error((*self.path, key), f"unknown key {key!r} in {what}", hint, at_key=True)

    def mapping(self, what: str) -> Iterator[tuple[str, Node]]:
        """Keys and values.

        Raises:
            UserError: not a mapping.
        """
        if not isinstance(self.data, dict):
            raise self.error(f"{what} must be a mapping (key: value), not {kind(self.data)}")
        return ((str(key), self.child(key)) for key in self.data)

    def items(self, what: str) -> list[Node]:
        """The elements of a list.

        Raises:
            UserError: not a list.
        """
        if not isinstance(self.data, list):
            raise self.error(f"{what} must be a list (- ...), not {kind(self.data)}")
        return [self.child(index) for index in range(len(self.data))]

    def text(self, choices: Sequence[str] = ()) -> str:
        """The value as text, one of ``choices`` where given.

        Raises:
            UserError: anything else.
        """
        if not isinstance(self.data, str):
            raise self.error(f"{self.name}: must be text, not {kind(self.data)}")
        if choices and self.data not in choices:
            raise self.error(f"{self.name}: {self.data!r}", f"one of {', '.join(choices)}")
        return self.data

    def expression(self) -> str:
        """The value as the text of an expression: a whole number or text.

        Raises:
            UserError: anything else.
        """
        if isinstance(self.data, bool) or not isinstance(self.data, int | str):
            raise self.error(f"{self.name}: must be a whole number or an expression, not {kind(self.data)}")
        return str(self.data)


def kind(data: object) -> str:
    """What a value is, in the words of YAML."""
    if data is None:
        return "nothing"
    if isinstance(data, bool):
        return "true/false"
    names = {
        int: "a whole number",
        float: "a number with a point",
        str: "text",
        list: "a list",
        dict: "a mapping",
    }
    return names.get(type(data), type(data).__name__)
