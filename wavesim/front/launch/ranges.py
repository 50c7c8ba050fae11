"""Numbers that a launch can have: work-items, workgroups, the position of one, rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from wavesim.errors import SourceSpan, UserError

MAX_WORKGROUP = 1024
"""Work-items, the most that the hardware takes."""
MAX_GRID = 1 << 31
"""Workgroups along an axis; also rows or columns of a matrix."""
MAX_GRID_THREADS = 1 << 32
"""Work-items along an axis are fewer: ``grid_size_x`` of an HSA kernel dispatch packet is a uint32."""


def check_ranges(
    workgroup: Sequence[int],
    grid: Sequence[int],
    position: Sequence[int],
    tile: Sequence[int],
    places: Mapping[str, SourceSpan],
    span: SourceSpan,
) -> None:
    """Refuses numbers that no launch can have, at their key's place or at ``span``.

    Raises:
        UserError: one of them.
    """
    at = places.get("workgroup", span)
    in_range("workgroup", workgroup, 1, MAX_WORKGROUP, 3, at)
    in_range("workgroup", [prod(workgroup)], 1, MAX_WORKGROUP, 1, at)
    in_range("position", position, 0, MAX_GRID - 1, 3, places.get("position", span))
    in_range("grid", grid, 1, MAX_GRID, 3, places.get("grid", span))
    for axis, groups, size in zip("xyz", grid, (*workgroup, 1, 1), strict=False):
        count = groups * size
        if count >= MAX_GRID_THREADS:
            raise UserError(
                f"grid: {count} threads in {axis}",
                places.get("grid", span),
                f"at most {MAX_GRID_THREADS - 1}: the dispatch packet has 32 bits for them",
            )
    in_range("tile", tile, 0, MAX_GRID, 4, places.get("tile", span))
    for axis, place, count in zip("xyz", position, (*grid, 1, 1), strict=False):
        if place >= count:
            raise UserError(
                f"position: {axis} = {place} in a grid of {count}",
                places.get("position", span),
                f"{axis} is 0 to {count - 1}",
            )


def in_range(key: str, values: Sequence[int], low: int, high: int, most: int, span: SourceSpan) -> None:
    """Refuses more than ``most`` values, and values outside of ``low`` to ``high``.

    Raises:
        UserError: such a value.
    """
    if len(values) > most:
        raise UserError(f"{key}: {len(values)} numbers", span, f"at most {most}")
    for value in values:
        if not low <= value <= high:
            raise UserError(f"{key}: {value}", span, f"{low} to {high}")
