"""Where a result is wrong: its elements by the wave that stored them, with the first of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.types import Array

FIRST = 2
"""Elements that are kept of each place."""


@dataclass(frozen=True, slots=True)
class WrongElement:
    """A result element outside the tolerance; ``got`` is None where nothing was stored, ``wave`` (of its
    workgroup) where no wave stored it."""

    row: int
    column: int
    got: float | None
    expected: float
    workgroup: tuple[int, int, int]
    wave: int | None = None

    def __str__(self) -> str:
        if self.got is None:
            return f"[{self.row}, {self.column}] is never stored"
        by = f" of wave {self.wave}" if self.wave is not None else ""
        return f"[{self.row}, {self.column}]{by} is {self.got:.6g} in place of {self.expected:.6g}"


@dataclass(frozen=True, slots=True)
class WrongPlaces:
    """The wrong ones among the ``of`` elements of a workgroup's tile that one wave stored (the first to
    store each; None: no wave did), the smallest box around them and the first few.

    ``rows`` and ``columns`` of the result are first and last, both inclusive.
    """

    workgroup: tuple[int, int, int]
    wave: int | None
    rows: tuple[int, int]
    columns: tuple[int, int]
    wrong: int
    of: int
    first: tuple[WrongElement, ...]


@dataclass(frozen=True, slots=True)
class ComparedTile:
    """A workgroup's tile (row, column, rows, columns) of the result; arrays are [rows, columns]."""

    workgroup: tuple[int, int, int]
    tile: tuple[int, int, int, int]
    bad: npt.NDArray[np.bool_]
    got: Array
    stored: npt.NDArray[np.bool_]
    reference: Array
    owners: npt.NDArray[np.int64]

    def element(self, row: int, column: int, waves: Sequence[int]) -> WrongElement:
        """The element at a place of the tile."""
        owner = int(self.owners[row, column])
        return WrongElement(
            self.tile[0] + row,
            self.tile[1] + column,
            float(self.got[row, column]) if self.stored[row, column] else None,
            float(self.reference[row, column]),
            self.workgroup,
            waves[owner] if owner >= 0 else None,
        )

    def listed(self, waves: Sequence[int], count: int) -> list[WrongElement]:
        """The first ``count`` wrong elements in memory order; ``waves``: number in its workgroup, by wave."""
        rows, columns = np.nonzero(self.bad)
        places = zip(rows[:count].tolist(), columns[:count].tolist(), strict=True)
        return [self.element(row, column, waves) for row, column in places]

    def by_wave(self, waves: Sequence[int]) -> list[WrongPlaces]:
        """The tile's wrong elements by wave, those of no wave last."""
        found = []
        owners = np.unique(self.owners[self.bad])
        for owner in sorted(owners.tolist(), key=lambda each: (each < 0, each)):
            own = self.owners == owner
            rows, columns = np.nonzero(self.bad & own)
            first = zip(rows[:FIRST].tolist(), columns[:FIRST].tolist(), strict=True)
            found.append(
                WrongPlaces(
                    self.workgroup,
                    waves[owner] if owner >= 0 else None,
                    (self.tile[0] + int(rows.min()), self.tile[0] + int(rows.max())),
                    (self.tile[1] + int(columns.min()), self.tile[1] + int(columns.max())),
                    len(rows),
                    int(own.sum()),
                    tuple(self.element(row, column, waves) for row, column in first),
                )
            )
        return found


def storing_waves(matrix: VirtualMatrix, tile: tuple[int, int, int, int]) -> npt.NDArray[np.int64]:
    """Of each element [rows, columns] of a tile the wave that stored it first (its place in the trace); -1:
    none did."""
    row, column, rows, columns = tile
    if matrix.first_wave is None:
        return np.full((rows, columns), -1, np.int64)
    index = matrix.place_of((row + np.arange(rows))[:, None], column + np.arange(columns))
    return np.asarray(matrix.first_wave[index].astype(np.int64) - 1)
