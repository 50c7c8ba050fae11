"""Groups of lanes as machine files write them: ``"0-3,20"``."""

from __future__ import annotations


def lanes(group: str) -> tuple[int, ...]:
    """Lane numbers of a group: ``"0-3,20"`` is (0, 1, 2, 3, 20).

    Raises:
        ValueError: not such a text.
    """
    numbers: list[int] = []
    for part in group.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(part) > 8:
            raise ValueError(group)
        numbers.extend(range(int(first), int(last if dash else first) + 1))
    return tuple(numbers)
