"""Rows beyond an LDS tile are found for the waves that read them, and only for those."""

from __future__ import annotations

from wavesim.errors import SourceSpan
from wavesim.front.tile.affine import Value, variable
from wavesim.front.tile.expressions import Comparison, evaluate, evaluate_condition
from wavesim.front.tile.tile_bounds import for_wave, rows_outside, waves_where

NAMES = {"wave": variable("wave", 0, 7), "lane": variable("lane", 0, 63, vector=True)}
SPAN = SourceSpan("k.yaml", 3)


def test_puts_the_wave_in() -> None:
    value = evaluate("wave / 2 * 32 + wave % 2 + (wave ^ 5) + max(wave, 3)", NAMES)
    for wave in range(8):
        expected = wave // 2 * 32 + wave % 2 + (wave ^ 5) + max(wave, 3)
        assert for_wave(value, wave) == Value(expected)


def test_conditions_choose_waves() -> None:
    condition = evaluate_condition("wave < 4", NAMES)
    assert isinstance(condition, Comparison)
    assert waves_where(condition, range(8)) == {0, 1, 2, 3}
    assert waves_where(condition, {3, 6}) == {3}


def test_rows_of_some_waves_are_outside() -> None:
    row = evaluate("(wave / 2 + 2) * 32", NAMES)
    found = rows_outside(row, 32, 128, range(8), "As", SPAN)
    assert found is not None
    assert found.waves == (4, 5, 6, 7)
    assert "128 to 191" in found.message
    assert rows_outside(row, 32, 128, range(4), "As", SPAN) is None
