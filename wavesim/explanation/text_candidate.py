"""An edit of a kernel's own text that could make it faster: of a tile program, or of HIP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TextCandidate:
    """An edit to be tried.

    Attributes:
        kind, advice: the sort of advice, and what to do.
        lines: that it is about, of the file as it is.
        text: the whole edited file.
        settings: ``--set`` values that do the same.
        builtins: it is an edit of HIP, tried as compiled.
    """

    kind: str
    advice: str
    lines: tuple[int, ...]
    text: str
    settings: Mapping[str, str] = field(default_factory=dict)
    builtins: bool = False
