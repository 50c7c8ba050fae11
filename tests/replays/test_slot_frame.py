"""The cut of a trace's slots is found from its ports and barriers; its clocks come into one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from tests.timing import builders as b
from wavesim.isa.load import load_machine
from wavesim.replays.slot_frame import find_cuts, in_one_frame
from wavesim.timing import simulate
from wavesim.trace import Timeline

PARAMETERS = load_machine("gfx950").parameters
CODE = b.one_chunk([b.load(), b.lds_read(), b.barrier(), b.valu()])
LOAD, READ, BARRIER, VALU = range(4)


def measured(rows: Sequence[Sequence[tuple[int, int, int]]], cut: int = 0, from_clk: int = 0) -> Timeline:
    """One workgroup, a wave for each SIMD. ``rows``: (code, issue, end) of each instruction.

    From a clock on the trace cuts its slots behind SIMD ``cut - 1``.
    """
    waves = [b.wave([code for code, _, _ in mine], simd=simd, number=simd) for simd, mine in enumerate(rows)]
    timed = []
    for simd, mine in enumerate(rows):
        clk = np.array([[issue, end] for _, issue, end in mine], np.int64).reshape(-1, 2)
        clk -= 4 * ((simd < cut) & (clk[:, :1] >= from_clk))
        timed.append((clk[:, 0], clk[:, 1]))
    trace = b.trace(CODE, waves, "gfx950")
    made = simulate(
        replace(trace, waves=tuple(b.wave([VALU], simd=n, number=n) for n in range(len(rows)))), PARAMETERS
    )
    like = [
        replace(
            made.waves[simd],
            first_clk=int(issue[0]) if len(issue) else 0,
            last_clk=int(end[-1]) if len(end) else 0,
            attempt_clk=issue.copy(),
            issue_clk=issue.copy(),
            end_clk=end.copy(),
            done_clk=issue.copy(),
        )
        for simd, (issue, end) in enumerate(timed)
    ]
    return replace(made, trace=trace, waves=tuple(like), measured=True)


def loads_in_turn(count: int) -> list[list[tuple[int, int, int]]]:
    """Four SIMDs whose loads follow each other slot by slot, in changing order."""
    order = [simd for turn in range(count) for simd in Random(turn).sample(range(4), 4)]
    clk = [[400 + 4 * place for place, each in enumerate(order) if each == simd] for simd in range(4)]
    return [[(LOAD, each, each + 4) for each in mine] for mine in clk]


def cuts_of(timeline: Timeline) -> list[int]:
    return find_cuts(timeline, PARAMETERS)[1].tolist()


@pytest.mark.parametrize("cut", range(4))
def test_the_port_of_global_memory_tells_the_cut(cut: int) -> None:
    """One load a slot. SIMDs below the cut bear clocks that are 4 too small, and get them back."""
    found = in_one_frame(measured(loads_in_turn(20), cut), PARAMETERS)
    true = measured(loads_in_turn(20))
    for one, other in zip(found.waves, true.waves, strict=True):
        assert one.issue_clk.tolist() == other.issue_clk.tolist()
        assert one.end_clk.tolist() == other.end_clk.tolist()
    assert any("slots behind" in note for note in found.notes) == bool(cut)


def test_an_lds_port_tells_nothing_of_other_pairs() -> None:
    """SIMDs 0 and 1 read in turn. SIMD 3, of the other pair, reads in SIMD 0's slots: that is no sign."""
    reads = [[(READ, clk + 4 * (simd == 1), clk + 8) for clk in range(0, 800, 8)] for simd in range(4)]
    assert cuts_of(measured([reads[0], reads[1], [], reads[3]], cut=1)) == [1]
    assert cuts_of(measured([reads[0], [], [], reads[3]], cut=1)) == [0]


@pytest.mark.parametrize("cut", range(4))
def test_barriers_tell_the_cut(cut: int) -> None:
    """SIMD s arrives last: later ones leave at its arrival + 4, the others at + 8 (docs/model §8)."""
    rows: list[list[tuple[int, int, int]]] = [[] for _ in range(4)]
    for number in range(40):
        last, begin = number % 4, 100 * number + 100
        for simd in range(4):
            rows[simd].append((BARRIER, begin + 40 * (simd == last), begin + (44 if simd > last else 48)))
    assert cuts_of(measured(rows, cut)) == [cut]


def test_the_cut_may_change() -> None:
    """No two loads fall together before clock 900 with cut 0, none after it with cut 3."""
    begin, cuts = find_cuts(measured(loads_in_turn(60), 3, from_clk=900), PARAMETERS)
    assert cuts.tolist() == [0, 3]
    assert 860 <= begin[1] <= 940
    moved = in_one_frame(measured(loads_in_turn(60), 3, from_clk=900), PARAMETERS)
    assert all((np.diff(wave.issue_clk) >= 0).all() for wave in moved.waves)


def test_jitter_changes_nothing() -> None:
    """Three loads that bear another's clock are no cut, and without ports and barriers there is none."""
    rows = loads_in_turn(60)
    rows[1][10:13] = rows[0][10:13]
    assert cuts_of(measured(rows)) == [0]
    alone = measured([[(VALU, 4 * clk, 4 * clk + 4) for clk in range(9)]])
    assert in_one_frame(alone, PARAMETERS) is alone
