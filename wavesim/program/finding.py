"""A finding: something wrong, or worth knowing, about a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wavesim.errors import SourceSpan


class Severity(StrEnum):
    """Notes never change an exit code; warnings and errors make it 1."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """``spans`` are the places involved, the one to fix first; ``waves`` the waves seen with it."""

    rule: str
    severity: Severity
    message: str
    spans: tuple[SourceSpan, ...] = ()
    waves: tuple[int, ...] = ()
    fix: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether it makes the verdict bad (exit code 1)."""
        return self.severity is not Severity.NOTE
