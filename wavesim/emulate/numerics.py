"""Checks the results: the expected product in float64 against what the kernel stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.registry import Array
from wavesim.emulate.run import Execution
from wavesim.errors import UserError
from wavesim.kernel.launch import Expectation, Launch

TOLERANCES = {"f32": 1e-5, "f64": 1e-12, "i32": 0.0, "bf16": 2.0**-8, "f16": 2.0**-11, "i8": 0.0}
"""Largest max|C - ref| / max|ref| that counts as correct, by the result's type (f32: conventions.md;
narrower types: half a unit in the last place of the largest element)."""

SHOWN = 16
"""Wrong elements that are listed."""


@dataclass(frozen=True, slots=True)
class WrongElement:
    """A result element outside the tolerance; ``got`` is None where nothing was stored."""

    row: int
    column: int
    got: float | None
    expected: float
    workgroup: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Numerics:
    """Outcome of the check.

    ``checked`` is false where the launch expects nothing (then ``ok`` is true) or the execution did not
    end (then ``ok`` is false). ``wrong_elements`` are the first few of ``wrong_count``.
    """

    ok: bool
    max_rel_error: float | None
    checked: bool
    message: str
    wrong_elements: tuple[WrongElement, ...] = ()
    wrong_count: int = 0
    element_count: int = 0


def reference_tile(execution: Execution, expect: Expectation, tile: tuple[int, int, int, int]) -> Array:
    """The expected elements of a result tile in float64, from the inputs as they were at the launch."""
    row, column, rows, columns = tile
    left, right = execution.matrices[expect.left], execution.matrices[expect.right]
    inner = left.argument.cols
    a = left.launched_region(row, 0, rows, inner).astype(np.float64)
    if expect.transpose_right:
        b = right.launched_region(column, 0, columns, inner).astype(np.float64).T
    else:
        b = right.launched_region(0, column, inner, columns).astype(np.float64)
    return np.asarray(a @ b)


def check_numerics(execution: Execution, launch: Launch) -> Numerics:
    """Compare the tiles of ``launch.expect`` with a float64 reference.

    Raises:
        UserError: the expectation names no matrices of the launch, or their shapes do not fit.
    """
    expect = launch.expect
    if expect is None:
        return Numerics(True, None, False, "no expected result is known")
    _require_shapes(execution, expect)
    if not execution.complete:
        return Numerics(False, None, False, "the kernel did not run to its end")
    result = execution.matrices[expect.result]
    tiles = [(group, tile) for group, tile in expect.tiles.items() if tile[2] > 0 and tile[3] > 0]
    references = [reference_tile(execution, expect, tile) for _, tile in tiles]
    scale = max((float(np.abs(reference).max()) for reference in references), default=0.0)
    tolerance = TOLERANCES.get(result.argument.dtype, 1e-5)
    worst, count, elements = 0.0, 0, 0
    wrong: list[WrongElement] = []
    for (group, tile), reference in zip(tiles, references, strict=True):
        got = result.region(*tile).astype(np.float64)
        stored = result.written_region(*tile)
        with np.errstate(invalid="ignore"):
            error = np.abs(got - reference)
        bad = ~(error <= tolerance * scale) | ~stored
        usable = error[stored & np.isfinite(error)]
        worst = max(worst, float(usable.max()) if usable.size else 0.0)
        if not (np.isfinite(error) | ~stored).all():
            worst = float("inf")
        count += int(bad.sum())
        elements += reference.size
        wrong.extend(_listed(bad, got, stored, reference, tile, group, SHOWN - len(wrong)))
    relative = worst / scale if scale else worst
    if not elements:
        return Numerics(True, None, False, "no tile of the result is simulated")
    if count:
        missing = sum(each.got is None for each in wrong)
        hint = f"; of the first {len(wrong)} wrong ones {missing} were never stored" if missing else ""
        return Numerics(
            False,
            relative,
            True,
            f"{count} of {elements} elements are wrong{hint}",
            tuple(wrong),
            count,
            elements,
        )
    return Numerics(True, relative, True, f"{elements} elements within {tolerance:g}", (), 0, elements)


def _listed(
    bad: npt.NDArray[np.bool_],
    got: Array,
    stored: npt.NDArray[np.bool_],
    reference: Array,
    tile: tuple[int, int, int, int],
    group: tuple[int, int, int],
    room: int,
) -> list[WrongElement]:
    rows, columns = np.nonzero(bad)
    return [
        WrongElement(
            tile[0] + row,
            tile[1] + column,
            float(got[row, column]) if stored[row, column] else None,
            float(reference[row, column]),
            group,
        )
        for row, column in zip(rows[: max(room, 0)].tolist(), columns[: max(room, 0)].tolist(), strict=True)
    ]


def _require_shapes(execution: Execution, expect: Expectation) -> None:
    for name in (expect.result, expect.left, expect.right):
        if name not in execution.matrices:
            raise UserError(f"the expected result names matrix {name}, which the launch does not have")
    left, right = execution.matrices[expect.left].argument, execution.matrices[expect.right].argument
    result = execution.matrices[expect.result].argument
    inner, width = (right.cols, right.rows) if expect.transpose_right else (right.rows, right.cols)
    if left.cols != inner:
        raise UserError(f"{left.name} has {left.cols} columns, but {right.name} has {inner} inner elements")
    for tile in expect.tiles.values():
        row, column, rows, columns = tile
        limits = min(left.rows, result.rows), min(width, result.cols)
        if row < 0 or column < 0 or row + rows > limits[0] or column + columns > limits[1]:
            raise UserError(f"tile {tile} of the expected result reaches outside the matrices")
