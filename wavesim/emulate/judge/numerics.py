"""Checks the results: the expected product in float64 against what the kernel stored."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from wavesim.emulate.judge.compare import compare, finite_scale, in_range, smallest_normal
from wavesim.emulate.judge.wrong_places import ComparedTile, WrongElement, WrongPlaces, storing_waves
from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.run import Execution
from wavesim.emulate.types import Array
from wavesim.errors import UserError
from wavesim.front.launch.formula import MAX_ELEMENTS, Numbers, evaluate_formula, names_in
from wavesim.front.launch.formula_sizes import formula_sizes
from wavesim.front.launch.model import Expectation, Launch, Position, ScalarArgument

TOLERANCES = {
    **{"f32": 1e-5, "f64": 1e-12, "bf16": 2.0**-8, "f16": 2.0**-11},
    **{
        "fp8": 2.0**-4,
        "e4m3": 2.0**-4,
        "e4m3fnuz": 2.0**-4,
        "bf8": 2.0**-3,
        "e5m2": 2.0**-3,
        "e5m2fnuz": 2.0**-3,
    },
    **dict.fromkeys(("i64", "u64", "i32", "u32", "i16", "u16", "i8", "u8"), 0.0),
}
"""Largest max|C - ref| / max|ref| that counts as correct, by the result's type (f32: conventions.md;
narrower types: half a unit in the last place of the largest element)."""

FORMULA_FACTOR = 4
"""How much more a formula's result may be off: its intermediate values are rounded too."""

KEPT_TILES = 16
KEPT_ELEMENTS = 1 << 18
"""Reference products that are kept, and the elements of each: 32 MB at most."""
_products: dict[Hashable, Array] = {}

SHOWN = 16
"""Wrong elements, and waves with wrong elements, that are listed."""


@dataclass(frozen=True, slots=True)
class Numerics:
    """Outcome of the check.

    ``checked`` is false where the launch expects nothing (then ``ok`` is true) or the execution did not
    end (then ``ok`` is false). ``wrong_elements`` are the first few of ``wrong_count``; ``wrong_places`` are
    all of them by the wave that stored them, for the first waves that have any.
    """

    ok: bool
    max_rel_error: float | None
    checked: bool
    message: str
    wrong_elements: tuple[WrongElement, ...] = ()
    wrong_count: int = 0
    element_count: int = 0
    wrong_places: tuple[WrongPlaces, ...] = ()


Tile = tuple[int, int, int, int]
"""First row, first column, rows and columns of a part of the result."""


def reference_tile(execution: Execution, expect: Expectation, tile: Tile) -> Array:
    """The expected elements of a result tile in float64, from the inputs as they were at the launch, as the
    result's type can hold them."""
    found = _formula_tile(execution, expect, tile) if expect.formula else _product(execution, expect, tile)
    matrix = execution.matrices[expect.result]
    return in_range(found, matrix.argument.dtype, matrix.arch)


def _product(
    execution: Execution, expect: Expectation, tile: Tile, of: Callable[[Array], Array] = np.asarray
) -> Array:
    """``of`` A times ``of`` B. Inputs follow from the arguments alone, and several executions of a kernel are
    judged by the same tiles: the last few are kept."""
    left, right = (execution.matrices[name] for name in (expect.left, expect.right))
    key = left.argument, right.argument, left.arch, expect.transpose_right, tile, of
    found = _products.get(key)
    if found is None:
        a, b = _factors(execution, expect, tile)
        with np.errstate(invalid="ignore", over="ignore"):
            found = np.asarray(of(a) @ of(b))
        found.setflags(write=False)
        if found.size <= KEPT_ELEMENTS:
            if len(_products) >= KEPT_TILES:
                del _products[next(iter(_products))]
            _products[key] = found
    return found


def _factors(execution: Execution, expect: Expectation, tile: Tile) -> tuple[Array, Array]:
    """The rows of A and the columns of B whose product a tile is."""
    row, column, rows, columns = tile
    left, right = execution.matrices[expect.left], execution.matrices[expect.right]
    inner = left.argument.cols
    a = left.launched_region(row, 0, rows, inner).astype(np.float64)
    if expect.transpose_right:
        b = right.launched_region(column, 0, columns, inner).astype(np.float64).T
    else:
        b = right.launched_region(0, column, inner, columns).astype(np.float64)
    return a, b


def _sizes(execution: Execution, expect: Expectation, tile: Tile) -> Array:
    """How large the terms are that the elements of a tile are made of; endless where data are expected, which
    say nothing of it."""
    if {each.name for each in execution.launch.references} & set(names_in(expect.formula or "0")):
        return np.full((tile[2], tile[3]), np.inf)
    if expect.formula:
        return _formula_tile(execution, expect, tile, formula_sizes)
    found = _product(execution, expect, tile, of=np.abs)
    return np.where(np.isnan(found), np.inf, found)


def _formula_tile(
    execution: Execution,
    expect: Expectation,
    tile: Tile,
    evaluate: Callable[[str, Callable[[str], Numbers]], Numbers] = evaluate_formula,
) -> Array:
    """A formula's value: the tile itself, or the whole result, of which the tile is taken."""
    row, column, rows, columns = tile
    matrices = _matrices(execution)
    scalars = {
        each.name: each.value for each in execution.launch.arguments if isinstance(each, ScalarArgument)
    }

    def values(name: str) -> Array:
        if name in scalars:
            return np.asarray(scalars[name], np.float64)
        matrix = matrices[name]
        argument = matrix.argument
        if argument.rows * argument.cols > MAX_ELEMENTS:
            raise UserError(f"expected result: {name} has more than {MAX_ELEMENTS} elements")
        return matrix.launched_region(0, 0, argument.rows, argument.cols).astype(np.float64)

    found = evaluate(expect.formula, values)
    whole = execution.matrices[expect.result].argument
    if found.shape == (whole.rows, whole.cols):
        return np.asarray(found[row : row + rows, column : column + columns])
    if found.shape != (rows, columns) and found.ndim:
        raise UserError(
            f"the expected result has {' x '.join(map(str, found.shape))} elements, "
            f"the tile {rows} x {columns}"
        )
    return np.array(np.broadcast_to(found, (rows, columns)))


def tolerance_of(execution: Execution, expect: Expectation) -> float:
    """Largest relative error that counts as right."""
    of_result = TOLERANCES.get(execution.matrices[expect.result].argument.dtype, 1e-5)
    if not expect.formula or not of_result:
        return of_result
    of_inputs = (TOLERANCES.get(each.argument.dtype, 0.0) for each in _used(execution, expect))
    return FORMULA_FACTOR * max(of_result, *of_inputs, 0.0)


def _used(execution: Execution, expect: Expectation) -> list[VirtualMatrix]:
    """The matrices that the expected result is computed from."""
    names = names_in(expect.formula) if expect.formula else [expect.left, expect.right]
    matrices = _matrices(execution)
    return [matrices[name] for name in names if name in matrices]


def _matrices(execution: Execution) -> dict[str, VirtualMatrix]:
    """Those of the execution, and those that the launch states for what is expected."""
    stated = {each.name: VirtualMatrix(each, execution.trace.arch) for each in execution.launch.references}
    return {**stated, **execution.matrices}


def _unjudged(execution: Execution, expect: Expectation) -> Numerics | None:
    """The outcome where no element of the result can be compared."""
    if not execution.complete:
        return Numerics(False, None, False, "the kernel did not run to its end")
    if not execution.has_numbers:
        return Numerics(True, None, False, "only addresses were executed, no numbers")
    if expect.only_stored and not execution.matrices[expect.result].stored_to:
        return Numerics(False, None, True, f"nothing was stored to {expect.result}")
    return None


def _parts(launch: Launch, expect: Expectation, result: VirtualMatrix) -> list[tuple[Position, Tile]]:
    """The parts of the result that are judged, each with the workgroup that has to store it."""
    if expect.only_stored:
        return [(launch.workgroups[0], result.touched_box())]
    return [(group, tile) for group, tile in expect.tiles.items() if tile[2] > 0 and tile[3] > 0]


def check_numerics(execution: Execution, launch: Launch) -> Numerics:
    """Compare the tiles of ``launch.expect`` with a float64 reference.

    Raises:
        UserError: the expectation names no matrices of the launch, or their shapes do not fit.
    """
    expect = launch.expect
    if expect is None:
        return Numerics(True, None, False, "no expected result is known")
    _require_shapes(execution, expect)
    unjudged = _unjudged(execution, expect)
    if unjudged is not None:
        return unjudged
    result = execution.matrices[expect.result]
    tiles = _parts(launch, expect, result)
    references = [reference_tile(execution, expect, tile) for _, tile in tiles]
    if not sum(reference.size for reference in references):
        return Numerics(True, None, False, "no tile of the result is simulated")
    scale = finite_scale(references)
    tolerance = tolerance_of(execution, expect)
    dtype = result.argument.dtype
    kinds = {dtype, *(each.argument.dtype for each in _used(execution, expect))}
    floor = max(smallest_normal(kind, result.arch) for kind in kinds)
    worst, count, hidden, elements = 0.0, 0, 0, 0
    wrong: list[WrongElement] = []
    places: list[WrongPlaces] = []
    known = result.first_wave is not None  # not where a GPU computed it
    waves = [wave.wave for wave in execution.trace.waves] if known else []
    for (group, tile), reference in zip(tiles, references, strict=True):
        got = result.region(*tile).astype(np.float64)
        stored = result.written_region(*tile)
        if result.observed and not result.stored_to:
            stored = np.zeros_like(stored)
        found = compare(
            got,
            reference,
            tolerance * scale,
            (dtype, result.arch),
            floor,
            lambda tile=tile: _sizes(execution, expect, tile),  # type: ignore[misc]
        )
        bad = found.bad | found.hidden | ~stored
        if expect.only_stored:
            bad &= stored
        worst = max(worst, float(found.error[stored].max(initial=0.0)))
        count += int(bad.sum())
        hidden += int((found.hidden & stored).sum())
        elements += int(stored.sum()) if expect.only_stored else reference.size
        if bad.any() and len(places) < SHOWN:
            compared = ComparedTile(group, tile, bad, got, stored, reference, storing_waves(result, tile))
            wrong += compared.listed(waves, SHOWN - len(wrong))
            places += compared.by_wave(waves)[: SHOWN - len(places)]
    relative = worst / scale if scale else worst
    if not count:
        infinite = sum(int((~np.isfinite(reference)).sum()) for reference in references)
        rest = f"; {infinite} of them are not finite" if infinite and not expect.only_stored else ""
        return Numerics(
            True, relative, True, f"{elements} elements within {tolerance:g}{rest}", (), 0, elements
        )
    missing = sum(each.got is None for each in wrong)
    hint = f"; of the first {len(wrong)} wrong ones {missing} were never stored" if missing else ""
    if hidden:
        hint += f"; {hidden} are small beside the largest, {scale:.3g}, and wrong in themselves"
    if not tolerance and any((np.isfinite(each) & (each != np.rint(each))).any() for each in references):
        hint += f"; {expect.result} holds whole numbers ({dtype}), and not all expected ones are"
    message = f"{count} of {elements} elements are wrong{hint}"
    return Numerics(False, relative, True, message, tuple(wrong), count, elements, tuple(places))


def _require_shapes(execution: Execution, expect: Expectation) -> None:
    if expect.formula:
        whole = execution.matrices[expect.result].argument
        for row, column, rows, columns in expect.tiles.values():
            if row < 0 or column < 0 or row + rows > whole.rows or column + columns > whole.cols:
                raise UserError(f"the tile of the expected result reaches outside {expect.result}")
        return
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
