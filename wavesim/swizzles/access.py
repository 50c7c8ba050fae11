"""The tile in LDS and who writes and reads what of it: the bytes that each lane of each access asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.kinds import LANES

Bytes = npt.NDArray[np.int64]

TYPES = {"bf16": 2, "f16": 2, "f32": 4, "fp8": 1, "bf8": 1, "i8": 1}
"""Bytes of an element."""

WIDTHS = {"b32": 4, "b64": 8, "b128": 16}
"""Bytes that a lane reads or writes at once."""

MOST_ACCESSES = 40
"""Of a wave, in a pass: each has registers of its own in the generated kernel."""

_SHAPE = re.compile(r"mfma(\d{1,3})x(\d{1,3})x(\d{1,4})")
_TILE = re.compile(r"(\d{1,5})x(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Access:
    """One access of all waves, each with its part: byte ``row`` and ``column`` (within the row) of the tile
    by wave and lane, shape [waves, 64]."""

    kind: str
    width_bytes: int
    row: Bytes
    column: Bytes


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of ``rows`` x ``columns`` elements in LDS.

    All waves write it, 64 lanes side by side along the rows, as data comes from global memory; then each
    wave reads its share of the MFMA fragments, ``reads`` times with another wave's share. A fragment of an
    instruction M x N x K: lane l has, of row l mod M, the l div M th part of K.
    """

    rows: int
    columns: int
    dtype: str
    m: int
    k: int
    write_bytes: int
    waves: int = 4
    reads: int = 2

    @property
    def element_bytes(self) -> int:
        """Bytes of an element."""
        return TYPES[self.dtype]

    @property
    def row_bytes(self) -> int:
        """Bytes of a row without padding."""
        return self.columns * self.element_bytes

    @property
    def lane_bytes(self) -> int:
        """Bytes of a fragment that a lane holds."""
        return self.m * self.k * self.element_bytes // LANES

    @property
    def read_bytes(self) -> int:
        """Bytes that a lane reads at once: at most 16."""
        return min(self.lane_bytes, max(WIDTHS.values()))

    @property
    def unit_bytes(self) -> int:
        """Bytes that stay together: of the wider of both accesses."""
        return max(self.read_bytes, self.write_bytes)

    @property
    def writes(self) -> int:
        """Write accesses of a wave in a pass."""
        return self.rows * self.row_bytes // (LANES * self.waves * self.write_bytes)

    @property
    def steps(self) -> int:
        """Fragments side by side in a row."""
        return self.columns // self.k

    @property
    def fragments(self) -> int:
        """Fragments of a wave in one round of reads."""
        return self.rows // self.m * self.steps // self.waves

    @property
    def parts(self) -> int:
        """Read accesses of a fragment."""
        return self.lane_bytes // self.read_bytes

    def accesses(self) -> Iterator[Access]:
        """Those of a pass in their order: writes, then reads."""
        wave, lane = np.indices((self.waves, LANES))
        thread = wave * LANES + lane
        for number in range(self.writes):
            place = (number * self.waves * LANES + thread) * self.write_bytes
            yield Access("write", self.write_bytes, place // self.row_bytes, place % self.row_bytes)
        for turn in range(self.reads):
            for number in range(self.fragments):
                fragment = number * self.waves + (wave + turn) % self.waves
                row = fragment // self.steps * self.m + lane % self.m
                column = fragment % self.steps * self.k * self.element_bytes
                column = column + lane // self.m * self.lane_bytes
                for part in range(self.parts):
                    yield Access("read", self.read_bytes, row, column + part * self.read_bytes)


def read_tile(tile: str, dtype: str, read: str, write: str, waves: int, reads: int) -> Tile:
    """The tile of what was written on the command line.

    Raises:
        UserError: no such tile, type or access, or sizes that do not go into each other.
    """
    size, shape = _TILE.fullmatch(tile), _SHAPE.fullmatch(read)
    if size is None:
        raise UserError(f"--tile {tile!r:.40} is no tile", None, "rows x columns in elements, such as 128x64")
    if shape is None:
        raise UserError(
            f"--read {read!r:.40} is no MFMA", None, "mfma and its shape, M x N x K: mfma16x16x32"
        )
    rows, columns = map(int, size.groups())
    m, _, k = map(int, shape.groups())
    found = Tile(rows, columns, dtype, m, k, WIDTHS[write], waves, reads)
    _refuse(found)
    return found


def _refuse(tile: Tile) -> None:
    size = f"{tile.rows}x{tile.columns}"
    row = tile.row_bytes
    if tile.m not in (4, 16, 32) or tile.k < 1 or tile.m * tile.k * tile.element_bytes % LANES:
        raise UserError(f"an MFMA with {tile.m} rows and K {tile.k} of {tile.dtype} has no whole bytes")
    if row < 16 or row & (row - 1) or tile.rows == 0:
        hint = "columns x element bytes: 32, 64, 128, 256 ..."
        raise UserError(
            f"--tile {size}: a row has {row} bytes, which is no power of two from 16 on", None, hint
        )
    if tile.lane_bytes not in (4, 8, 16, 32):
        raise UserError(f"a lane holds {tile.lane_bytes} bytes of a fragment", None, "4, 8, 16 or 32")
    if tile.rows % tile.m or tile.columns % tile.k or tile.steps & (tile.steps - 1):
        raise UserError(f"--tile {size} is not made of fragments of {tile.m} rows and {tile.k} columns")
    if tile.rows // tile.m * tile.steps % tile.waves:
        count = tile.rows // tile.m * tile.steps
        raise UserError(f"{count} fragments cannot be shared by {tile.waves} waves", None, "fewer --waves")
    if tile.rows * row % (LANES * tile.waves * tile.write_bytes):
        written = LANES * tile.waves * tile.write_bytes
        raise UserError(
            f"--tile {size} has {tile.rows * row} bytes, and all waves write {written} at once",
            None,
            "fewer --waves, or a narrower --write",
        )
    count = tile.writes + tile.reads * tile.fragments * tile.parts
    if count > MOST_ACCESSES:
        raise UserError(
            f"a wave makes {count} accesses in a pass; at most {MOST_ACCESSES} are looked at",
            None,
            "more --waves, fewer --reads, or a smaller --tile of the same row",
        )
