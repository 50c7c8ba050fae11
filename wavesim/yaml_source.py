"""YAML with places: plain data, and for every key and value the line and column it stands at.

Only data is read: no tags, no anchors and aliases, no merge keys, one document per file, keys are
text or whole numbers, a key stands once. Scalars follow the YAML 1.2 core schema, so ``on``, ``no``
and ``1:30`` are text and ``1e3`` is a number. libyaml does the parsing where PyYAML was built with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.inputs import note_input
from wavesim.limits import MAX_INPUT_BYTES

MAX_DEPTH = 64
"""Deepest nesting that is read: far above what any file needs, far below what recursion stands."""

_DEPTH_MESSAGE = f"nested deeper than {MAX_DEPTH} levels"

KeyPath = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists, from the top."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, object] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".inf": float("inf"),
    "+.inf": float("inf"),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}


@dataclass(frozen=True, slots=True)
class Marks:
    """Places of one file's keys and values, looked up by key path."""

    file: str
    values: Mapping[KeyPath, tuple[int, int]]
    keys: Mapping[KeyPath, tuple[int, int]]

    def span(self, path: KeyPath = ()) -> SourceSpan:
        """Place of the value at ``path``; of the nearest enclosing value if the path does not exist."""
        return self._find(self.values, path)

    def key_span(self, path: KeyPath) -> SourceSpan:
        """Place of the key at ``path`` (of the element, in a list)."""
        place = self.keys.get(path)
        return SourceSpan(self.file, *place) if place else self.span(path)

    def error(self, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False) -> UserError:
        """A :class:`UserError` at the value, or at the key, of ``path``."""
        return UserError(message, self.key_span(path) if at_key else self.span(path), hint)

    def _find(self, places: Mapping[KeyPath, tuple[int, int]], path: KeyPath) -> SourceSpan:
        for length in range(len(path), -1, -1):
            place = places.get(path[:length])
            if place:
                return SourceSpan(self.file, *place)
        return SourceSpan(self.file)


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
        raise _too_large(file)
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


def read_text(path: Path, *, lenient: bool = False) -> str:
    """Reads a UTF-8 text file of bounded size; ``lenient`` replaces what is none (clang 19 writes single
    bytes into comments of debug sections).

    Raises:
        UserError: missing, not a file, unreadable or not UTF-8.
        LimitExceeded: larger than ``MAX_INPUT_BYTES``.
    """
    span = SourceSpan(str(path))
    note_input(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_INPUT_BYTES + 1)
    except FileNotFoundError:
        raise UserError("no such file", span) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise UserError(f"cannot be read: {getattr(error, 'strerror', None) or error}", span) from None
    if len(content) > MAX_INPUT_BYTES:
        raise _too_large(str(path))
    if lenient:
        return content.decode("utf-8-sig", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError("not a UTF-8 text file", SourceSpan(str(path), line)) from None


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


def _too_large(file: str) -> LimitExceeded:
    return LimitExceeded(f"larger than {MAX_INPUT_BYTES // 2**20} MiB", SourceSpan(file))


def plain_scalar(text: str) -> object:
    """The value of an unquoted scalar by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first in "0123456789+-.":
        if _INT.fullmatch(text):
            if text[:2] in ("0x", "0o", "0b"):
                return int(text, 0)
            return int(text) if len(text) <= 400 else text  # int() refuses very long ones
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


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
