"""Which 128-byte lines a global-memory access of each wave touches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.emulate.types import Array

LINE_SHIFT = 7


class LineFinder:
    """Lines of one static instruction; addresses that only moved by whole lines are not computed again."""

    def __init__(self, width_bytes: int) -> None:
        self.width = width_bytes
        self._shape: Array | None = None
        self._counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._relative: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def lines(
        self, addresses: npt.NDArray[np.int64], active: npt.NDArray[np.bool_] | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Number of lines per wave [n], and the lines of all waves in order of waves, ascending in each."""
        if active is not None:
            return self._compute(addresses, active)
        base = addresses[:, :1] >> LINE_SHIFT
        shape = addresses - (base << LINE_SHIFT)
        if self._shape is None or not np.array_equal(shape, self._shape):
            self._shape = shape
            self._counts, self._relative = self._compute(shape, None)
        return self._counts, self._relative + np.repeat(base[:, 0], self._counts)

    def _compute(
        self, addresses: npt.NDArray[np.int64], active: npt.NDArray[np.bool_] | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        first = addresses >> LINE_SHIFT
        last = (addresses + (self.width - 1)) >> LINE_SHIFT
        lines = np.concatenate([first, last], axis=1)
        nothing = np.iinfo(np.int64).max
        if active is not None:
            lines[~np.concatenate([active, active], axis=1)] = nothing
        lines.sort(axis=1)
        fresh = lines != nothing
        fresh[:, 1:] &= lines[:, 1:] != lines[:, :-1]
        return fresh.sum(axis=1), lines[fresh]
