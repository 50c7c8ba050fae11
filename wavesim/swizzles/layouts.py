"""Layouts of a tile in LDS: where byte (row, column) goes, and how others write the same formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wavesim.swizzles.access import Bytes, Tile

MOST_PAD_BYTES = 64
MOST_ROWS_A_PHASE = 8
TILE_UNITS = (8, 16)
"""Units that a tile program's swizzle may have."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A row is ``row_bytes`` plus ``pad_bytes`` long; its byte ``column`` stands at ``column`` XOR
    ``(row div per_phase mod max_phase) x unit_bytes``. ``max_phase`` 1: no XOR."""

    row_bytes: int
    unit_bytes: int = 16
    per_phase: int = 1
    max_phase: int = 1
    pad_bytes: int = 0

    def address(self, row: Bytes, column: Bytes) -> Bytes:
        """LDS byte addresses from the tile's beginning."""
        phase = row // self.per_phase % self.max_phase
        return row * (self.row_bytes + self.pad_bytes) + (column ^ phase * self.unit_bytes)

    def size_bytes(self, rows: int) -> int:
        """LDS that the tile takes."""
        return rows * (self.row_bytes + self.pad_bytes)

    @property
    def name(self) -> str:
        """In a few letters."""
        if self.pad_bytes:
            return f"pad {self.pad_bytes} B"
        if self.max_phase == 1:
            return "plain"
        over = f"/{self.per_phase}" if self.per_phase > 1 else ""
        return f"xor {self.unit_bytes} B, row{over} % {self.max_phase}"


def layouts(tile: Tile, size_bytes: int) -> Iterator[Layout]:
    """The plain layout, every XOR of whole units, and every padding that keeps accesses aligned, of those
    that fit into ``size_bytes`` of LDS; simple ones first."""
    plain = Layout(tile.row_bytes, tile.unit_bytes)
    found = [plain]
    unit = tile.unit_bytes
    while unit < tile.row_bytes:
        phases = tile.row_bytes // unit
        while phases > 1:
            per_phase = 1
            while per_phase <= MOST_ROWS_A_PHASE and per_phase * phases <= tile.rows:
                found.append(Layout(tile.row_bytes, unit, per_phase, phases))
                per_phase *= 2
            phases //= 2
        unit *= 2
    pads = range(tile.unit_bytes, MOST_PAD_BYTES + 1, tile.unit_bytes)
    found += [Layout(tile.row_bytes, tile.unit_bytes, pad_bytes=pad) for pad in pads]
    yield from (each for each in found if each.size_bytes(tile.rows) <= size_bytes)


def hip_index(layout: Layout, tile: Tile) -> str:
    """The element's index in an array of the tile's type: an expression of ``row`` and ``col``."""
    size = tile.element_bytes
    stride = (layout.row_bytes + layout.pad_bytes) // size
    if layout.max_phase == 1:
        return f"row * {stride} + col"
    rows = f"row / {layout.per_phase}" if layout.per_phase > 1 else "row"
    return f"row * {stride} + (col ^ ({rows} % {layout.max_phase} * {layout.unit_bytes // size}))"


def triton_layout(layout: Layout, tile: Tile) -> tuple[str, str]:
    """The same as Triton's attribute and as Gluon's object."""
    size = tile.element_bytes
    if layout.pad_bytes:
        every, pad = layout.row_bytes // size, layout.pad_bytes // size
        shape = f"[{tile.rows}, {tile.columns}]"
        return (
            f"#ttg.padded_shared<[{every}:+{pad}] {{order = [1, 0], shape = {shape}}}>",
            f"gl.PaddedSharedLayout.with_identity_for([[{every}, {pad}]], {shape}, [1, 0])",
        )
    vec = layout.unit_bytes // size
    per, most = layout.per_phase, layout.max_phase
    return (
        f"#ttg.swizzled_shared<{{vec = {vec}, perPhase = {per}, maxPhase = {most}, order = [1, 0]}}>",
        f"gl.SwizzledSharedLayout(vec={vec}, per_phase={per}, max_phase={most}, order=[1, 0])",
    )


def tile_keys(layout: Layout, tile: Tile) -> str | None:
    """The same as ``lds:`` of a tile program; ``None`` where that has no such layout."""
    base = f"type: {tile.dtype}, rows: {tile.rows}, cols: {tile.columns}"
    if layout.pad_bytes:
        return f"{{{base}, pad_bytes: {layout.pad_bytes}}}"
    if layout.max_phase == 1:
        return f"{{{base}}}"
    if layout.unit_bytes not in TILE_UNITS:
        return None
    shift = layout.per_phase.bit_length() - 1
    more = f", shift: {shift}" if shift else ""
    return f"{{{base}, swizzle: {{unit_bytes: {layout.unit_bytes}, rows: {layout.max_phase}{more}}}}}"
