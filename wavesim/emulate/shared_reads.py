"""What several instructions of a block read from the same registers, read and prepared once.

Matrix instructions multiply each part of A with several parts of B. Where nothing between two of them writes
its registers, the second takes what the first has made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from wavesim.emulate.types import Array


class SharedReads:
    """The reads of one block that is bound instruction by instruction, in its order."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[range, Callable[[], Array]]] = {}

    def reader(self, key: Hashable, rows: range, read: Callable[[], Array]) -> Callable[[], Array]:
        """A reader of what ``read`` makes of VGPR ``rows``; ``key`` says what that is, up to the rows'
        contents. The first reader since they were written reads, the others get the same array."""
        key = key, rows
        known = self._known.get(key)
        if known is not None:
            return known[1]
        kept: list[Array] = []

        def first() -> Array:
            kept[:] = (read(),)
            return kept[0]

        self._known[key] = rows, lambda: kept[0]
        return first

    def clear(self) -> None:
        """Any VGPR may be written here."""
        self._known.clear()

    def written(self, rows: set[int]) -> None:
        """The instruction bound last writes these VGPR rows."""
        stale = [key for key, (known, _) in self._known.items() if not rows.isdisjoint(known)]
        for key in stale:
            del self._known[key]
