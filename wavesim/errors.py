"""Places in files, and the one error that a person can fix."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """A place in a file. ``line`` and ``column`` count from 1; 0 means "the file as a whole".

    ``source`` is the place that it was compiled from, for a line of assembly with a line table.
    """

    file: str
    line: int = 0
    column: int = 0
    source: SourceSpan | None = field(default=None, compare=False)

    def __str__(self) -> str:
        place = self.file.replace("\n", "\\n")  # a name is one line
        if self.line:
            place += f":{self.line}" + (f":{self.column}" if self.column else "")
        if self.source is None:
            return place
        return f"{place} ({self.source.file}:{self.source.line})"


class UserError(Exception):
    """Unusable input: one message with its place, what is wrong and what would be right.

    The command line prints ``str(error)`` on stderr and exits with ``exit_code`` (2); it never shows
    a traceback for one.
    """

    exit_code = 2

    def __init__(self, message: str, span: SourceSpan | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        hint = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class UnknownInstruction(UserError):
    """An opcode (or a form of it) that has no data; never costed as zero."""


class LimitExceeded(UserError):
    """A bound on size or run length was passed (see :mod:`wavesim.limits`)."""
