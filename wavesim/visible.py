"""Text for people: what a file says is shown, and never steers the terminal that shows it.

Names of files, kernels and arguments, sources of numbers and messages of compilers come from elsewhere. A
terminal would obey an escape sequence in them, and text that runs backwards reads as something else. So both
standard streams escape every such character; what colours its own text does so behind :func:`uncovered`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TextIO, cast

from wavesim.errors import UserError

_UNUSUAL = re.compile(r"[^\t\n\x20-\x7e]")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Unicode's categories of what steers or hides: control and format characters (invisible ones, changes of
direction), halves of characters, which no encoding can write, and separators of lines and paragraphs."""


@cache
def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def visible(text: str) -> str:
    r"""The text with each character that steers or hides written as its escape: ``\x1b``, ``\u202e``."""

    def shown(match: re.Match[str]) -> str:
        character = match[0]
        hidden = _is_hidden(character)
        return character.encode("unicode_escape").decode("ascii") if hidden else character

    return _UNUSUAL.sub(shown, text)


def visible_json(text: str) -> str:
    """The same for JSON, where the escapes are its own and mean the same text as before."""
    return _UNUSUAL.sub(lambda match: json.dumps(match[0])[1:-1] if _is_hidden(match[0]) else match[0], text)


class _Stream:
    """A standard stream that stays quiet once its reader has gone, and says what it cannot write."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._gone = False
        self._failed: UserError | None = None

    def write(self, text: str) -> int:
        if isinstance(text, bytes):  # how click asks whether a stream is a binary one
            raise TypeError("a text stream")
        if not text:
            return 0
        encoding = self._stream.encoding or "utf-8"
        self._try(lambda: self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding)))
        return len(text)

    def write_utf8(self, text: str) -> None:
        """Writes the text as UTF-8 bytes, whatever the locale."""
        buffer = getattr(self._stream, "buffer", None)
        if buffer is None:  # no file behind it, as in a notebook
            self.write(text)
            return
        self.flush()
        self._try(lambda: buffer.write(text.encode("utf-8", "backslashreplace")))
        self._try(buffer.flush)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, action: Any) -> None:
        if self._failed is not None:
            raise self._failed
        if self._gone:
            return
        try:
            action()
        except BrokenPipeError:
            self._discard()
        except OSError as error:
            self._discard()
            if self._name == "standard output":  # else there is nowhere left to say it
                self._failed = UserError(f"{self._name} cannot be written: {error.strerror or error}")
                raise self._failed from None

    def _discard(self) -> None:
        """What is still buffered goes nowhere, so that the end of the process is quiet, too."""
        self._gone = True
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


class _VisibleStream(_Stream):
    """A standard stream on which nothing that is written can steer the terminal."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream, name)
        self.uncovered = _Stream(stream, name)

    def write(self, text: str) -> int:
        super().write(visible(text) if isinstance(text, str) else text)
        return len(text)


def uncovered(stream: TextIO) -> TextIO:
    """The stream for text that has colours of its own; whoever uses it calls :func:`visible` before."""
    return cast(TextIO, getattr(stream, "uncovered", stream))


@contextmanager
def visible_streams() -> Iterator[None]:
    """Within it, standard output and standard error are such streams."""
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # for streams that the caller has closed
        output = _VisibleStream(before[0] or nowhere, "standard output")
        errors = _VisibleStream(before[1] or nowhere, "standard error")
        sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, errors)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
