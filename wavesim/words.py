"""Numbers, shares and counts as text, alike in every report and message."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = "-"
"""Stands where there is no figure."""


def number(value: float, digits: int = 1) -> str:
    """A figure without needless zeros: 1024, 1180.5."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | None, digits: int = 1) -> str:
    """A share as per cent."""
    return NOTHING if share is None else f"{100 * share:.{digits}f} %"


def signed_percent(share: float | None, digits: int = 1) -> str:
    """A difference as per cent, with its sign; never -0."""
    return NOTHING if share is None else f"{round(100 * share, digits) + 0.0:+.{digits}f} %"


def bar(share: float, columns: int, ascii_only: bool) -> str:
    """A share as a bar, of ``columns`` if it is 1 or more."""
    return ("#" if ascii_only else "▆") * round(columns * max(0.0, min(1.0, share)))


def counted(count: int, noun: str) -> str:
    """A number with its noun: 1 wave, 2 waves, 3 accesses."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count} {noun}{ending}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: a, b and c."""
    return " and ".join([*filter(None, [", ".join(words[:-1])]), *words[-1:]])


def clipped(name: str, most: int = 100) -> str:
    """A name for a line of text, its end left out if it is longer than ``most``."""
    return name if len(name) <= most else f"{name[: most - 3]}..."
