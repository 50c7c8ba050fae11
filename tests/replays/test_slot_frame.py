"""The cut of a trace's slots is found from its ports and barriers; its clocks come into one frame."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from tests.timing import builders as b
from wavesim.isa.load import load_machine
from wavesim.replays.att.folder import CLOCK, RawWave
from wavesim.replays.att.slot_frame import find_cuts, in_one_frame

PARAMETERS = load_machine("gfx950").parameters
CODE = b.one_chunk([b.load(), b.lds_read(), b.barrier(), b.valu()])
LOAD, READ, BARRIER, VALU = range(4)
INDEX = np.arange(len(CODE))


def wave(simd: int, rows: list[tuple[int, int, int]]) -> RawWave:
    """``rows``: (code, attempt, end) of each instruction; it issues when it is attempted."""
    array = np.array([[clk, 0, 0, end - clk, code] for code, clk, end in rows], np.int64)
    return RawWave("w.json", 0, 0, simd, 0, 0, int(array[0, CLOCK]), int(array[-1, CLOCK]), array)


def stamped(waves: list[RawWave], cut: int, from_clk: int = 0) -> tuple[tuple[RawWave, ...], ...]:
    """One workgroup as a trace shows it that cuts its slots behind SIMD ``cut - 1`` from a clock on."""
    for each in waves:
        early = (each.simd < cut) & (each.rows[:, CLOCK] >= from_clk)
        each.rows[:, CLOCK] -= 4 * early
    return (tuple(waves),)


def loads_in_turn(count: int, first_clk: int = 400) -> list[RawWave]:
    """Four SIMDs whose loads follow each other slot by slot, in changing order."""
    order = [simd for turn in range(count) for simd in Random(turn).sample(range(4), 4)]
    clocks = {s: [first_clk + 4 * place for place, each in enumerate(order) if each == s] for s in range(4)}
    return [wave(simd, [(LOAD, clk, clk + 4) for clk in clocks[simd]]) for simd in range(4)]


@pytest.mark.parametrize("cut", range(4))
def test_the_port_of_global_memory_tells_the_cut(cut: int) -> None:
    begin, cuts = find_cuts(stamped(loads_in_turn(20), cut), INDEX, CODE, PARAMETERS)
    assert cuts.tolist() == [cut]
    groups, notes = in_one_frame(stamped(loads_in_turn(20), cut), INDEX, CODE, PARAMETERS)
    for found, true in zip(groups[0], loads_in_turn(20), strict=True):
        assert (found.rows == true.rows).all()
    assert bool(notes) == bool(cut)
    assert len(begin) == 1


def test_an_lds_port_tells_nothing_of_other_pairs() -> None:
    """SIMD 1 reads a slot after SIMD 0, SIMD 3 in SIMD 0's slot: 0 and 3 have ports of their own."""
    waves = [
        wave(simd, [(READ, clk + 4 * (simd == 1), clk + 8) for clk in range(0, 800, 8)]) for simd in (0, 1, 3)
    ]
    assert find_cuts(stamped(waves, 1), INDEX, CODE, PARAMETERS)[1].tolist() == [1]
    waves = [wave(simd, [(READ, clk, clk + 8) for clk in range(0, 800, 8)]) for simd in (0, 3)]
    assert find_cuts((tuple(waves),), INDEX, CODE, PARAMETERS)[1].tolist() == [0]


@pytest.mark.parametrize("cut", range(4))
def test_barriers_tell_the_cut(cut: int) -> None:
    """SIMD s arrives last: later ones leave at its arrival + 4, the others at + 8 (docs/model §8)."""
    rows: list[list[tuple[int, int, int]]] = [[] for _ in range(4)]
    for number in range(40):
        last, begin = number % 4, 100 * number
        for simd in range(4):
            arrived = begin + (40 if simd == last else 0)
            rows[simd].append((BARRIER, arrived, begin + (44 if simd > last else 48)))
    waves = [wave(simd, rows[simd]) for simd in range(4)]
    assert find_cuts(stamped(waves, cut), INDEX, CODE, PARAMETERS)[1].tolist() == [cut]


def test_the_cut_may_change() -> None:
    waves = loads_in_turn(60)
    begin, cuts = find_cuts(stamped(waves, 3, from_clk=900), INDEX, CODE, PARAMETERS)
    assert cuts.tolist() == [0, 3]
    assert 860 <= begin[1] <= 940


def test_jitter_changes_nothing() -> None:
    """A few loads that bear another's clock are no cut, and without ports and barriers there is none."""
    waves = loads_in_turn(60)
    waves[1].rows[10:13, CLOCK] = waves[0].rows[10:13, CLOCK]
    assert find_cuts((tuple(waves),), INDEX, CODE, PARAMETERS)[1].tolist() == [0]
    alone = wave(2, [(VALU, 4 * clk, 4 * clk + 4) for clk in range(9)])
    assert in_one_frame(((alone,),), INDEX, CODE, PARAMETERS) == (((alone,),), ())
