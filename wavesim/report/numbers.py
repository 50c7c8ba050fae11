"""Numbers as text, alike in every report."""

from __future__ import annotations


def number(value: float, digits: int = 1) -> str:
    """A figure without needless zeros: 1024, 1180.5."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f} %"
