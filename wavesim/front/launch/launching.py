"""The launch section of a kernel file: grid, simulated workgroups, expected result, machine values."""

from __future__ import annotations

from types import MappingProxyType

from wavesim.errors import UserError
from wavesim.front.launch.model import Expectation, Launch, MatrixArgument, Position, Tile, corners
from wavesim.front.tile.affine import Value
from wavesim.front.tile.declarations import Declarations, Reader, look_up
from wavesim.front.tile.node import Node
from wavesim.isa.kinds import LANES
from wavesim.isa.memory_roles import LATENCY, ROLES
from wavesim.limits import MAX_WAVES


def read_launch(
    node: Node, reader: Reader, declared: Declarations, position: tuple[int, int] | None = None
) -> Launch:
    """The launch that ``node`` describes; ``position`` in place of its own, if given.

    Raises:
        UserError: a value that cannot be used.
    """
    node.keys(("grid", "position", "workgroups_per_cu", "expect", "tile", "machine"), "launch")
    grid = _pair(node.need("grid"), reader, 1, 1 << 31)
    stated = node.get("position")
    first = position or (_pair(stated, reader, 0, 1 << 31) if stated else (0, 0))
    for axis, (place, size) in enumerate(zip(first, grid, strict=True)):
        if place >= size:
            raise (stated or node).error(f"position: {'xy'[axis]} = {place} in a grid of {size}")
    count = reader.optional(node, "workgroups_per_cu", 1, 1, MAX_WAVES // declared.waves)
    start = first[0] + first[1] * grid[0]
    if start + count > grid[0] * grid[1]:
        raise node.error(f"{count} workgroups from {first} on: the grid ends before")
    groups = tuple(((start + n) % grid[0], (start + n) // grid[0], 0) for n in range(count))
    return Launch(
        arguments=tuple(
            MatrixArgument(each.name, each.dtype, each.rows, each.cols, each.init, each.seed)
            for each in declared.matrices.values()
        ),
        workgroup_size=declared.waves * LANES,
        grid=(*grid, 1),
        workgroups=groups,
        expect=_expectation(node, reader, declared, groups, (*grid, 1)),
        machine_overrides=MappingProxyType(_machine(node.get("machine"), reader)),
        states_sharing=node.get("workgroups_per_cu") is not None,
    )


def _pair(node: Node, reader: Reader, low: int, high: int) -> tuple[int, int]:
    items = node.items(node.name)
    if len(items) != 2:
        raise node.error(f"{node.name}: {len(items)} numbers", f"two: {node.name}: [x, y]")
    return reader.number(items[0], low, high), reader.number(items[1], low, high)


def _expectation(
    node: Node, reader: Reader, declared: Declarations, groups: tuple[Position, ...], grid: Position
) -> Expectation | None:
    expect = node.get("expect")
    if expect is None:
        return None
    expect.keys(("result", "left", "right", "transpose_right"), "expect")
    parts = {
        key: look_up(expect.need(key), declared.matrices, "matrix") for key in ("result", "left", "right")
    }
    flag = expect.get("transpose_right")
    if flag is not None and not isinstance(flag.data, bool):
        raise flag.error("transpose_right: must be true or false")
    transposed = flag is None or flag.data is True
    result, left, right = parts["result"], parts["left"], parts["right"]
    inner, outer = (right.cols, right.rows) if transposed else (right.rows, right.cols)
    if left.cols != inner or (result.rows, result.cols) != (left.rows, outer):
        raise expect.error(
            f"{left.rows}x{left.cols} times {inner}x{outer} is not {result.rows}x{result.cols}",
            "result = left x right, right transposed unless transpose_right: false",
        )
    tile = node.need("tile")
    tile.keys(("row", "col", "rows", "cols"), "tile")
    tiles: dict[Position, Tile] = {}
    for group in groups:
        place = _tile(tile, reader, group)
        if place[0] + place[2] > result.rows or place[1] + place[3] > result.cols:
            raise tile.error(f"tile {list(place)} of workgroup {group[:2]} is not inside {result.name}")
        tiles[group] = place
    others: dict[Position, Tile] = {}
    for group in corners(grid):
        place = _tile(tile, reader, group)
        if place[0] + place[2] <= result.rows and place[1] + place[3] <= result.cols:
            others[group] = place
    return Expectation(
        result.name,
        left.name,
        right.name,
        transposed,
        MappingProxyType(tiles),
        corners=MappingProxyType(others),
    )


def _tile(tile: Node, reader: Reader, group: Position) -> Tile:
    """The result tile of a workgroup: first row, first column, rows, columns."""
    outer_names = reader.names
    reader.names = {**outer_names, "grid_x": Value(group[0]), "grid_y": Value(group[1])}
    try:
        row, col, rows, cols = (
            reader.number(tile.need(key), 0, 1 << 31) for key in ("row", "col", "rows", "cols")
        )
    finally:
        reader.names = outer_names
    return row, col, rows, cols


def _machine(node: Node | None, reader: Reader) -> dict[str, int | str]:
    if node is None:
        return {}
    found: dict[str, int | str] = {}
    for key, each in node.mapping("machine"):
        if "." not in key:
            raise UserError(
                f"unknown key {key!r} in machine", each.span, "keys of the machine file: memory.latency_clk"
            )
        role = key == LATENCY and each.data in ROLES
        found[key] = str(each.data) if role else reader.number(each, 0, 1 << 31)
    return found
