"""Whether rows that waves read from an LDS tile are inside it, wave by wave."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from wavesim.errors import SourceSpan
from wavesim.front.tile.affine import (
    Operation,
    Value,
    Variable,
    add,
    bounds,
    combine,
    divide,
    modulo,
    multiply,
)
from wavesim.front.tile.expressions import Comparison
from wavesim.program import Finding, Severity

_RELATIONS = {
    "eq": operator.eq,
    "lg": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def for_wave(value: Value, wave: int) -> Value:
    """``value`` with the wave's number put in."""
    if "wave" not in value.variables():
        return value
    result = Value(value.constant)
    for atom, coefficient in value.terms:
        if isinstance(atom, Variable):
            each = Value(wave) if atom.name == "wave" else Value(0, ((atom, 1),))
        else:
            each = _operation(atom, wave)
        result = add(result, multiply(each, Value(coefficient)))
    return result


def _operation(atom: Operation, wave: int) -> Value:
    left, right = for_wave(atom.left, wave), for_wave(atom.right, wave)
    known = {"div": divide, "mod": modulo, "mul": multiply}.get(atom.name)
    return known(left, right) if known is not None else combine(atom.name, left, right)


def waves_where(condition: Comparison, waves: Iterable[int]) -> frozenset[int]:
    """The waves for which a condition can hold (all of them where it is not a matter of the wave alone)."""
    found = set()
    for wave in waves:
        left, right = for_wave(condition.left, wave), for_wave(condition.right, wave)
        known = left.is_constant and right.is_constant
        if not known or _RELATIONS[condition.relation](left.constant, right.constant):
            found.add(wave)
    return frozenset(found)


def rows_outside(
    row: Value, count: int, rows: int, waves: Iterable[int], what: str, span: SourceSpan
) -> Finding | None:
    """A finding if some wave reads below row 0 or beyond the last of ``rows`` rows.

    Args:
        row: first row that a wave reads.
        count: rows it reads.
        rows: of the tile.
        waves: those that come here.
        what: the tile's name.
        span: the statement.
    """
    reach: dict[int, tuple[int, int]] = {}
    for wave in waves:
        low, high = bounds(for_wave(row, wave))
        if low < 0 or high + count > rows:
            reach[wave] = (low, high + count - 1)
    if not reach:
        return None
    first, last = min(low for low, _ in reach.values()), max(high for _, high in reach.values())
    return Finding(
        "lds-buffer-overrun",
        Severity.ERROR,
        f"waves {', '.join(map(str, sorted(reach)))} read rows {first} to {last} of {what}, "
        f"which has rows 0 to {rows - 1}",
        (span,),
        waves=tuple(sorted(reach)),
        fix=f"keep row + {count} at most {rows}",
    )
