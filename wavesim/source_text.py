"""Text of the files that people write: read with a bound, its plain scalars, the places of what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.inputs import note_input
from wavesim.limits import MAX_INPUT_BYTES

KeyPath = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists, from the top."""

Place = tuple[int, int]
"""Line and column, from 1."""

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
    values: Mapping[KeyPath, Place]
    keys: Mapping[KeyPath, Place]

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

    def _find(self, places: Mapping[KeyPath, Place], path: KeyPath) -> SourceSpan:
        for length in range(len(path), -1, -1):
            place = places.get(path[:length])
            if place:
                return SourceSpan(self.file, *place)
        return SourceSpan(self.file)


def read_text(path: Path, *, lenient: bool = False) -> str:
    """Reads a UTF-8 text file of bounded size; ``lenient`` replaces bytes that are not UTF-8 (clang 19
    writes some into comments of debug sections).

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
        raise too_large(str(path))
    if lenient:
        return content.decode("utf-8-sig", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError("not a UTF-8 text file", SourceSpan(str(path), line)) from None


def too_large(file: str) -> LimitExceeded:
    """The error of a file beyond ``MAX_INPUT_BYTES``."""
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
