"""Random traces: both engines give the same Timeline, and every Timeline tiles its waves' clocks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import permutations
from random import Random

import builders as b
import numpy as np
import pytest
import random_traces
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing import simulate
from wavesim.timing.compare import differences
from wavesim.timing.model.shared_slot import have_room
from wavesim.timing.rules import plain_inputs
from wavesim.trace import Category, CodeEntry, Spin, Timeline, Trace

ARCHES = st.sampled_from(("gfx90a", "gfx942", "gfx950"))
SEEDS = st.integers(0, 2**32)


def both(trace: Trace, p: TimingParameters) -> tuple[Timeline, Timeline]:
    simpy = simulate(trace, p, engine="simpy")
    return simpy, simulate(trace, p, engine="compiled")


def assert_same(one: Timeline, other: Timeline) -> None:
    assert list(differences(one, other)) == []


def assert_tiles(timeline: Timeline) -> None:
    """Stalls and holds of complete waves without polling fill [first_clk, last_clk) exactly."""
    for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
        if trace.spins or (wave.issue_clk < 0).any():
            continue
        stalled = np.zeros(len(trace) + 1, np.int64)
        np.add.at(stalled, wave.stall_row, wave.stall_clk)
        clk = wave.first_clk
        for row, (issue, end) in enumerate(zip(wave.issue_clk, wave.end_clk, strict=True)):
            assert issue == clk + stalled[row], (wave.wave, row)
            assert end >= issue + 4
            clk = int(end)
        assert clk == wave.last_clk


def assert_grants(timeline: Timeline, p: TimingParameters) -> None:
    """Per slot: one instruction of a category per SIMD, one LDS per pair, one VMEM per compute unit."""
    if "arbitration" in p.rules_off:
        return
    plain, p = plain_inputs(timeline.trace, p)  # two VALU that a rule would keep apart may share a slot
    used: dict[tuple[object, ...], list[CodeEntry]] = defaultdict(list)
    pair_of = {simd: pair for pair, simds in enumerate(p.structure_simd_pairs) for simd in simds}
    for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
        if trace.spins:
            continue
        for index, issue in zip(trace.code.tolist(), wave.issue_clk.tolist(), strict=True):
            if issue < 0:  # never issued: the run is stuck
                break
            entry = plain.code[index]
            assert issue % p.issue_slot_clk == 0
            place: object = {Category.LDS: ("pair", pair_of[wave.simd]), Category.VMEM: "unit"}.get(
                entry.category, wave.simd
            )
            if entry.category is not Category.INTERNAL:
                used[entry.category, place, issue].append(entry)
    for (category, _, _), there in used.items():
        shared = category is Category.VALU and len(there) == 2
        shared = shared and any(have_room(a.share, c.share, p) for a, c in permutations(there))
        assert len(there) <= (p.issue_valu_per_slot if shared else 1)


@settings(max_examples=150)
@given(SEEDS, ARCHES)
@example(31847370, "gfx90a")  # it gets stuck
def test_engines_agree_on_random_traces(seed: int, arch: str) -> None:
    random = Random(seed)
    p = random_traces.random_parameters(random, arch)
    simpy, compiled = both(random_traces.random_trace(random, arch), p)
    assert_same(simpy, compiled)
    assert_tiles(compiled)
    assert_grants(compiled, p)


@pytest.mark.parametrize("first", range(0, 2000, 250))
def test_engines_agree_on_two_thousand_traces(first: int) -> None:
    """The same ones in every run, whatever hypothesis draws: gfx90a, gfx942 and gfx950 in turn."""
    for seed in range(first, first + 250):
        random = Random(seed)
        arch = ("gfx90a", "gfx942", "gfx950")[seed % 3]
        p = random_traces.random_parameters(random, arch)
        simpy, compiled = both(random_traces.random_trace(random, arch), p)
        assert list(differences(simpy, compiled)) == [], f"seed {seed}"


STARVED = ((5245, "ds_write_b32"), (2309, "buffer_store_dwordx4"))
"""Random traces in which polls keep the store that they wait for from ever issuing."""


@pytest.mark.parametrize(("seed", "store"), STARVED)
def test_a_poll_that_starves_its_store_gives_up(seed: int, store: str) -> None:
    """On gfx950, without two rules: the store of wave 4 finds its port taken in every slot that it could
    have, by the polls of other waves. Both engines end, and name the fault."""
    random = Random(seed)
    p = random_traces.random_parameters(random, "gfx950")
    trace = random_traces.random_trace(random, "gfx950")
    p = replace(p, rules_off=frozenset({"lds_alternation", "dual_valu"}))
    simpy, compiled = both(trace, p)
    assert_same(simpy, compiled)
    assert not compiled.complete
    assert simpy.notes == compiled.notes
    assert f"wave 0 polls for {store} of wave 4, which its polls kept from issuing" in compiled.notes[0]


def test_a_barrier_that_is_never_complete_ends_the_run() -> None:
    """A wave whose trace stops without s_endpgm stays expected: the other waits to the end of the run."""
    code = b.one_chunk([b.valu(), b.barrier(), b.endpgm(), b.lds_read(8)])
    trace = b.trace(code, [b.wave([0, 1, 2]), b.wave([0, 3, 3], simd=1, number=1)])
    simpy, compiled = both(trace, b.parameters())
    assert_same(simpy, compiled)
    assert not compiled.complete
    assert compiled.waves[0].issue_clk.tolist() == [0, -1, -1]
    assert compiled.waves[0].last_clk == compiled.clk_total


def test_a_stuck_wave_that_arrived_late_for_its_bytes() -> None:
    """The run ends with the last arrival, the fetch before it included: reasons still tile the clocks."""
    code = b.laid_out([b.branch(), *[b.valu()] * 9, b.barrier(), b.endpgm()])
    trace = b.trace(code, [b.wave([0, 10, 11]), b.wave([1], simd=1, number=1)])
    simpy, compiled = both(trace, b.parameters())
    assert_same(simpy, compiled)
    assert compiled.clk_total == 20
    assert compiled.waves[0].stall_clk.sum() == 16


def test_two_waves_that_poll_for_each_other_end_the_run() -> None:
    code = b.laid_out([b.valu(), b.cbranch(), b.lds_write(8), b.endpgm()])
    waves = [b.wave([0, 1, 2, 3], simd=n, number=n, spins=(Spin(0, 1, 1 - n, 2),)) for n in range(2)]
    simpy, compiled = both(b.trace(code, waves), b.parameters())
    assert_same(simpy, compiled)
    assert not compiled.complete


def test_waves_without_instructions() -> None:
    code = b.one_chunk([b.barrier(), b.endpgm()])
    simpy, compiled = both(b.trace(code, [b.wave([], start_clk=6), b.wave([0, 1], number=1)]), b.parameters())
    assert_same(simpy, compiled)
    assert compiled.waves[0].last_clk == 8
