"""Rule tile-coverage: blocks of the expected result never stored, stored twice, or holding another's.

Only where the result is known; for what it holds, where it is wrong. Blocks of 32 x 32 are compared with the
expected blocks at all other places.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from wavesim.checks.waits import span_of
from wavesim.emulate.judge.compare import finite_scale
from wavesim.emulate.judge.numerics import reference_tile, tolerance_of
from wavesim.emulate.matrices import StoredAgain
from wavesim.emulate.run import Execution
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity

BLOCK = 32
"""Rows and columns that are compared at a time: the largest MFMA result."""


def tile_coverage(execution: Execution) -> Iterator[Finding]:
    """Elements never stored, and blocks that hold the product of another place (one finding each)."""
    expect = execution.launch.expect
    if expect is None or not execution.complete:
        return
    result = execution.matrices[expect.result]
    tolerance = tolerance_of(execution, expect)
    for tile in expect.tiles.values():
        if tile[2] <= 0 or tile[3] <= 0:
            continue
        stored = result.written_region(*tile)
        if not stored.all():
            row, column = (int(places[0]) for places in np.nonzero(~stored))
            yield Finding(
                "tile-coverage",
                Severity.ERROR,
                f"{int((~stored).sum())} of {stored.size} elements of {expect.result} are never stored, "
                f"the first at row {tile[0] + row}, column {tile[1] + column}",
                fix="compare the rows and columns that each wave stores with the tile",
            )
        reference = reference_tile(execution, expect, tile)
        got = result.region(*tile).astype(np.float64)
        with np.errstate(invalid="ignore"):
            moved = _moved_blocks(got, stored, reference, tolerance)
        if moved:
            (row, column), (other_row, other_column) = moved[0]
            yield Finding(
                "tile-coverage",
                Severity.ERROR,
                f"rows {tile[0] + row}.. and columns {tile[1] + column}.. of {expect.result} hold "
                f"the product of rows {tile[0] + other_row}.. and columns {tile[1] + other_column}.. "
                f"({len(moved)} such blocks of {BLOCK} x {BLOCK})",
                fix="compare the fragments that a wave reads with the place where it stores",
            )


def stored_by_two_waves(execution: Execution) -> Iterator[Finding]:
    """Elements of the expected result that two waves store, one finding per storing line."""
    expect = execution.launch.expect
    if expect is None:
        return
    matrix = execution.matrices[expect.result]
    program = execution.trace.program
    lines: dict[SourceSpan, list[StoredAgain]] = {}
    for again in matrix.stored_again:
        lines.setdefault(span_of(program, again.instruction), []).append(again)
    for span, stores in lines.items():
        places = np.unique(np.concatenate([each.places for each in stores]))
        pairs = {
            (execution.trace.waves[first].wave, execution.trace.waves[wave].wave)
            for each in stores
            for first, wave in zip(each.first.tolist(), each.waves.tolist(), strict=True)
        }
        row, column = matrix.element_at(int(places[0]))
        first, second = sorted(min(pairs))
        yield Finding(
            "tile-coverage",
            Severity.ERROR,
            f"{len(places)} elements of {expect.result} are stored by two waves, the first at row {row}, "
            f"column {column} by waves {first} and {second}: what one of them computes is lost",
            (span,),
            tuple(sorted({wave for pair in pairs for wave in pair})),
            fix="give each wave its own rows and columns",
        )


def _moved_blocks(
    got: npt.NDArray[np.float64],
    stored: npt.NDArray[np.bool_],
    reference: npt.NDArray[np.float64],
    tolerance: float,
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Origins of wrong blocks, each with the origin of the expected block that it holds."""
    limit = tolerance * finite_scale([reference])
    origins = [
        (row, column)
        for row in range(0, got.shape[0] - BLOCK + 1, BLOCK)
        for column in range(0, got.shape[1] - BLOCK + 1, BLOCK)
    ]
    corners = {origin: reference[origin] for origin in origins}
    moved = []
    for origin in origins:
        place = np.s_[origin[0] : origin[0] + BLOCK, origin[1] : origin[1] + BLOCK]
        block = got[place]
        if not stored[place].all() or np.abs(block - reference[place]).max() <= limit:
            continue
        for other in origins:
            if other == origin or not abs(block[0, 0] - corners[other]) <= limit:
                continue
            expected = reference[other[0] : other[0] + BLOCK, other[1] : other[1] + BLOCK]
            if np.abs(block - expected).max() <= limit:
                moved.append((origin, other))
                break
    return moved
