"""YAML with places: plain data, and for every key and value the line and column it stands at.

Only data is read: no tags, no anchors and aliases, no merge keys, one document per file, keys are
text or whole numbers, a key stands once. Scalars follow the YAML 1.2 core schema, so ``on``, ``no``
and ``1:30`` are text and ``1e3`` is a number. libyaml does the parsing where PyYAML was built with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.limits import MAX_INPUT_BYTES
from wavesim.source_text import KeyPath, Marks, plain_scalar, read_text, too_large

MAX_DEPTH = 64
"""Deepest nesting that is read: far above what any file needs, far below what recursion stands."""

_DEPTH_MESSAGE = f"nested deeper than {MAX_DEPTH} levels"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(path: str | Path, text: str | None = None) -> tuple[Any, Marks]:
    """Reads a YAML file, or ``text`` under the name ``path``.

    Returns:
        The plain data (dict, list, str, int, float, bool, None; an empty file is None) and its places.

    Raises:
        UserError: unreadable, not UTF-8, not YAML, or YAML beyond what the module's docstring allows.
        LimitExceeded: larger than ``MAX_INPUT_BYTES`` or nested deeper than ``MAX_DEPTH``.
    """
    file = str(path)
    if text is None:
        text = read_text(Path(path))
    elif len(text) > MAX_INPUT_BYTES:
        raise too_large(file)
    builder = _Builder(file)
    try:
        data = builder.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        span = SourceSpan(file, mark.line + 1, mark.column + 1) if mark else SourceSpan(file)
        if _DEPTH_PROBLEM in (error.problem or ""):
            raise _too_deep(text, file, span) from None
        context = f" ({error.context})" if error.context else ""
        raise UserError(f"not valid YAML: {error.problem or 'syntax error'}{context}", span) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        raise UserError(f"not valid YAML: {error.reason}", SourceSpan(file, line)) from None
    return data, Marks(file, builder.values, builder.keys)


_DEPTH_PROBLEM = "maximum nesting depth"
"""libyaml's words (PyYAML 6.0.4 and later) for text nested deeper than its own limit of 1,000 levels."""


def _too_deep(text: str, file: str, span: SourceSpan) -> LimitExceeded:
    """libyaml looks ahead and can reach its own depth limit first, at a place of its own.

    PyYAML's Python parser hands out the levels one by one, so our limit names the same place as ever.
    """
    try:
        _Builder(file).document(yaml.parse(text, Loader=yaml.SafeLoader))
    except LimitExceeded as ours:
        return ours
    except (yaml.YAMLError, UserError):
        pass
    return LimitExceeded(_DEPTH_MESSAGE, span)


class _Builder:
    """Builds plain data from parser events, noting places on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[KeyPath, tuple[int, int]] = {}
        self.keys: dict[KeyPath, tuple[int, int]] = {}

    def document(self, events: Iterator[Any]) -> object:
        following: Callable[[], Any] = events.__next__
        following()  # stream start
        event = following()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        data = self.value(following(), following, ())
        following()  # document end
        event = following()
        if not isinstance(event, yaml.StreamEndEvent):
            self.refuse(event, "a second document starts here", "one document per file")
        return data

    def value(self, event: Any, following: Callable[[], Any], path: KeyPath) -> object:
        mark = event.start_mark
        self.values[path] = (mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.AliasEvent):
            self.refuse(event, f"alias *{event.anchor}", "aliases are not supported: write the value out")
        if event.tag not in (None, "!"):
            self.refuse(event, f"tag {event.tag}", "tags are not supported: leave it out")
        if isinstance(event, yaml.ScalarEvent):
            return plain_scalar(event.value) if event.implicit[0] else event.value
        if len(path) >= MAX_DEPTH:
            raise LimitExceeded(_DEPTH_MESSAGE, self.span(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(following, path)
        return self.mapping(following, path)

    def sequence(self, following: Callable[[], Any], path: KeyPath) -> list[object]:
        items: list[object] = []
        while not isinstance(event := following(), yaml.SequenceEndEvent):
            items.append(self.value(event, following, (*path, len(items))))
        return items

    def mapping(self, following: Callable[[], Any], path: KeyPath) -> dict[str | int, object]:
        entries: dict[str | int, object] = {}
        while not isinstance(event := following(), yaml.MappingEndEvent):
            key = self.key(event)
            key_path = (*path, key)
            if key in entries:
                line = self.keys[key_path][0]
                self.refuse(event, f"duplicate key {key!r}", f"it stands on line {line} already")
            self.keys[key_path] = (event.start_mark.line + 1, event.start_mark.column + 1)
            entries[key] = self.value(following(), following, key_path)
        return entries

    def key(self, event: Any) -> str | int:
        if not isinstance(event, yaml.ScalarEvent) or event.tag not in (None, "!"):
            self.refuse(event, "this cannot be a key", "a key is text or a whole number")
        key = plain_scalar(event.value) if event.implicit[0] else event.value
        if isinstance(key, bool) or not isinstance(key, str | int):
            self.refuse(event, f"{event.value!r} cannot be a key", "a key is text or a whole number")
        if key == "<<" and event.implicit[0]:
            self.refuse(event, "merge key <<", "merging is not supported: write the keys out")
        return key

    def span(self, event: Any) -> SourceSpan:
        return SourceSpan(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def refuse(self, event: Any, message: str, hint: str) -> NoReturn:
        raise UserError(message, self.span(event), hint)
