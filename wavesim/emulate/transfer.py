"""Moves dwords between a memory and lanes: gathers and scatters of every width and alignment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wavesim.emulate.types import Array

Words = npt.NDArray[np.uint32]


def gatherer(words: Words, offsets: Array, width_bytes: int) -> Callable[[], Array]:
    """A reader of dwords [dwords, ...] at byte ``offsets``; widths under 4 give the zero-extended value.

    What depends on the offsets alone is done once, so that a reader can be kept for offsets that recur.
    ``words`` must go on for a dword after the last access.
    """
    if width_bytes < 4:
        octets = words.view(np.uint8)
        if width_bytes == 1:
            return lambda: octets[offsets].astype(np.uint32)[None]
        after = offsets + 1
        eight = np.uint32(8)
        return lambda: (octets[offsets].astype(np.uint32) | octets[after].astype(np.uint32) << eight)[None]
    dwords = width_bytes // 4
    low = int(np.bitwise_or.reduce(offsets, axis=None)) & 15
    if not low & 3:
        first = offsets >> 2
        if dwords == 1:
            return lambda: words[first][None]
        if dwords in (2, 4) and not low & (width_bytes - 1):
            rows = words.reshape(-1, dwords)
            places = first >> (dwords // 2)
            order = (offsets.ndim, *range(offsets.ndim))
            return lambda: rows.take(places, axis=0).transpose(order)
        parts = np.stack([first + part for part in range(dwords)])
        return lambda: words[parts]
    spread = offsets[..., None] + np.arange(width_bytes)

    def read_unaligned() -> Array:
        octets = np.ascontiguousarray(words.view(np.uint8)[spread])
        return np.moveaxis(octets.view(np.uint32), -1, 0)

    return read_unaligned


def gather(words: Words, offsets: Array, width_bytes: int) -> Array:
    """Dwords [dwords, ...] at byte ``offsets``, read once."""
    return gatherer(words, offsets, width_bytes)()


def scatter(words: Words, offsets: Array, values: Array, width_bytes: int, active: Array | None) -> None:
    """Write dwords ``values`` [dwords, n, 64] at byte ``offsets`` [n, 64] of the active lanes.

    Of lanes with the same address the last wave and lane stays.
    """
    if active is not None:
        offsets, values = offsets[active], values[:, active]
    else:
        offsets, values = offsets.reshape(-1), values.reshape(len(values), -1)
    if not offsets.size:
        return
    if width_bytes < 4:
        octets = words.view(np.uint8)
        for part in range(width_bytes):
            octets[offsets + part] = (values[0] >> np.uint32(8 * part)).astype(np.uint8)
        return
    dwords = width_bytes // 4
    low = int(np.bitwise_or.reduce(offsets, axis=None)) & 15
    if low & 3:
        places = offsets[:, None] + np.arange(width_bytes)
        words.view(np.uint8)[places] = np.ascontiguousarray(values.T).view(np.uint8)
    elif dwords in (2, 4) and not low & (width_bytes - 1):
        words.reshape(-1, dwords)[offsets // width_bytes] = values.T
    else:
        start = offsets >> 2
        for part in range(dwords):
            words[start + part] = values[part]
