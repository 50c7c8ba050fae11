"""Workgroups that follow (docs/model §1): when they start and where, by hand; and both engines agree."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import builders as b
import pytest
import random_traces
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.timing import simulate
from wavesim.timing.compare import differences
from wavesim.trace import FOLLOWS, Room, Timeline, Trace, WaveTrace

AFTER_CLK = 36 + 32
"""gfx942: from an end to the begin of a wave, and from there to its first instruction."""


def ending_at(*ends_clk: int, workgroup: int, first_simd: int = 0, start_clk: int = 0) -> list[WaveTrace]:
    """A workgroup whose waves end so long after the start; code entry n is an s_nop of n slots."""
    return [
        b.wave(
            [clk // 4 - 1, 16], simd=(first_simd + n) % 4, number=n, workgroup=workgroup, start_clk=start_clk
        )
        for n, clk in enumerate(ends_clk)
    ]


def timed(waves: list[WaveTrace], room: Room, units: int = 1) -> Timeline:
    """``units``: compute units that the dispatcher serves."""
    code = b.one_chunk([*(b.nop(n) for n in range(16)), b.endpgm()])
    p = b.parameters(dispatch_engine_units=units)
    return simulate(b.trace(code, waves, room=room), p, engine="both")


def starts(timeline: Timeline, workgroup: int) -> list[tuple[int, int, int]]:
    """SIMD, slot and start of its waves."""
    return [(w.simd, w.slot, w.first_clk) for w in timeline.waves if w.workgroup == workgroup]


def test_a_workgroup_starts_when_the_one_before_it_has_ended() -> None:
    """s_nop to 20, s_endpgm to 24. It starts on the SIMD after that of the one before: 0, 2, 1, 3."""
    waves = [
        *ending_at(20, workgroup=0),
        *ending_at(20, workgroup=1, start_clk=FOLLOWS),
        *ending_at(20, workgroup=2, start_clk=FOLLOWS),
    ]
    found = timed(waves, Room(8, 1))
    assert starts(found, 1) == [(2, 0, 24 + AFTER_CLK)]
    assert starts(found, 2) == [(1, 0, 2 * (24 + AFTER_CLK))]
    assert found.clk_total == 3 * 24 + 2 * AFTER_CLK
    assert found.complete


def test_all_waves_need_room_which_several_workgroups_may_leave() -> None:
    """A SIMD holds two waves. Waves of the first workgroup leave SIMDs 0 and 1 at 8 and 12, waves of the
    second 2 and 3 at 16 and 20: with the last slot the third has room, though neither of the two is over."""
    waves = [
        *ending_at(4, 8, 48, 48, workgroup=0),
        *ending_at(48, 48, 12, 16, workgroup=1),
        *ending_at(4, 4, 4, 4, workgroup=2, start_clk=FOLLOWS),
    ]
    start = 20 + AFTER_CLK
    found = [(simd, clk) for simd, _, clk in starts(timed(waves, Room(2, 8)), 2)]
    assert found == [(2, start), (1, start + 4), (3, start + 8), (0, start + 12)]


def test_lds_holds_a_workgroup_to_its_last_wave() -> None:
    """Room for one workgroup: waves that ended before do not help."""
    waves = [*ending_at(4, 8, 12, 48, workgroup=0), *ending_at(4, 4, 4, 4, workgroup=1, start_clk=FOLLOWS)]
    assert starts(timed(waves, Room(8, 1)), 1)[0][2] == 52 + AFTER_CLK


def test_workgroups_that_could_start_together_keep_apart() -> None:
    """A dispatcher takes 4 clk for a wave and 16 for a workgroup at least, and serves 9 compute units."""
    waves = [*ending_at(8, workgroup=0), *ending_at(8, workgroup=1, first_simd=2)]
    waves += [*ending_at(8, workgroup=2, start_clk=FOLLOWS), *ending_at(8, workgroup=3, start_clk=FOLLOWS)]
    for units, expected in ((1, [12 + AFTER_CLK, 12 + AFTER_CLK + 16]), (9, [144, 288])):
        found = timed(waves, Room(1, 2), units)
        assert [starts(found, number)[0][2] for number in (2, 3)] == expected


def test_a_wave_goes_where_there_is_room() -> None:
    """SIMD 2 is next, but taken; 1 is the one after it. The slot is the lowest that is free."""
    waves = [*ending_at(60, workgroup=0, first_simd=2), *ending_at(4, workgroup=1)]
    waves += ending_at(4, workgroup=2, start_clk=FOLLOWS)
    assert starts(timed(waves, Room(1, 2)), 2) == [(1, 0, 8 + AFTER_CLK)]


def test_what_has_no_room_never_starts() -> None:
    """The first wave waits at a barrier for ever: the run ends, incomplete, with nothing of the second."""
    code = b.one_chunk([b.barrier(), b.endpgm()])
    waves = [b.wave([0, 1]), b.wave([0], number=1, simd=1), b.wave([0, 1], workgroup=1, start_clk=FOLLOWS)]
    found = simulate(b.trace(code, waves, room=Room(8, 1)), b.parameters(), engine="both")
    assert not found.complete
    assert found.waves[2].first_clk == found.clk_total
    assert found.waves[2].issue_clk.tolist() == [-1, -1]


def test_a_follower_without_room_is_refused() -> None:
    code = b.one_chunk([b.endpgm()])
    with pytest.raises(UserError, match="follows"):
        simulate(b.trace(code, [b.wave([0], start_clk=FOLLOWS)]), b.parameters(), engine="compiled")


def test_the_numbers_are_the_machine_s() -> None:
    """Traces: 32 clk from an end to a begin on gfx950 (gfx942 36), and 32 to the first instruction."""
    for arch, after in (("gfx942", 36), ("gfx950", 32)):
        machine = load_machine(arch)
        assert machine.integer("dispatch.after_end_clk") == after
        assert machine.integer("dispatch.first_instruction_clk") == 32


def _random(seed: int) -> tuple[Trace, Random, str]:
    random = Random(seed)
    arch = random.choice(("gfx90a", "gfx942", "gfx950"))
    return random_traces.with_followers(random, random_traces.random_trace(random, arch)), random, arch


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_engines_agree_on_random_traces_with_followers(seed: int) -> None:
    trace, random, arch = _random(seed)
    p = random_traces.random_parameters(random, arch)
    one, other = (simulate(trace, p, engine=engine) for engine in ("simpy", "compiled"))
    assert list(differences(one, other)) == []


def test_no_simd_holds_more_waves_than_it_has_room_for() -> None:
    """Over many traces: at no clock are there more waves or workgroups than ``Room`` says."""
    for seed in range(40):
        trace, random, arch = _random(seed)
        trace = replace(trace, waves=tuple(replace(wave, spins=()) for wave in trace.waves))
        found = simulate(trace, random_traces.random_parameters(random, arch), engine="compiled")
        assert found.complete, seed
        room, first = trace.room, max(w.workgroup for w in trace.waves if w.start_clk != FOLLOWS) + 1
        assert room is not None
        for wave in found.waves:
            there = [w for w in found.waves if w.first_clk <= wave.first_clk < w.last_clk]
            assert sum(w.simd == wave.simd for w in there) <= room.waves_per_simd
            assert len({w.workgroup for w in there}) <= max(first, room.workgroups)
