"""The constants that a kernel file names as free: section ``tune``, with the values that may be tried."""

from __future__ import annotations

from wavesim.errors import LimitExceeded
from wavesim.front.tile.source import Source

MOST_VALUES = 64
"""Of one constant."""


def free_constants(source: Source) -> dict[str, tuple[int, ...]]:
    """Names and values to be tried, in the order in which they stand.

    Raises:
        UserError: no such constant, or something else than a list of whole numbers.
    """
    found: dict[str, tuple[int, ...]] = {}
    known = source.named["constants"]
    for name, node in source.named["tune"].items():
        if name not in known:
            raise node.error(f"tune: the kernel has no constant {name!r}", f"constants: {', '.join(known)}")
        values = []
        for each in node.items(f"tune: {name}"):
            if isinstance(each.data, bool) or not isinstance(each.data, int):
                raise each.error(f"tune: {name}: {each.data!r} is no whole number", f"{name}: [1, 2]")
            values.append(each.data)
        if not values:
            raise node.error(f"tune: {name}: no value to be tried", f"{name}: [1, 2]")
        if len(values) > MOST_VALUES:
            raise LimitExceeded(f"tune: {name}: {len(values)} values; at most {MOST_VALUES}", node.span)
        found[name] = tuple(dict.fromkeys(values))
    return found
