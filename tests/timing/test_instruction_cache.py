"""Rule instruction_cache (docs/model §3) to the clock: new pages, far branches, loops that do not fit."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import builders as b
import numpy as np
import pytest
import random_traces

from wavesim.timing import ENGINES, simulate
from wavesim.timing.compare import differences
from wavesim.timing.rules import without
from wavesim.trace import Reason, Timeline, Trace

on_both = pytest.mark.parametrize("engine", ENGINES)


def timed(engine: str, trace: Trace, *off: str, cold: bool = True, **changes: object) -> Timeline:
    p = without(b.parameters(trace.arch, **{"fetch_code_offset_bytes": 0, **changes}), off)
    return simulate(replace(trace, cold_code=cold), p, engine=engine)


def stalled_clk(timeline: Timeline, reason: Reason, wave: int = 0) -> int:
    found = timeline.waves[wave]
    return int(found.stall_clk[found.stall_reason == reason].sum())


def into_a_page(waves: int = 1) -> Trace:
    """Instructions of 4 bytes from 64 before a page's end on: the seventeenth is the first of a new page."""
    code = b.laid_out([*[b.salu()] * 40, b.endpgm()], 4032)
    return b.trace(code, [b.wave(range(41), simd=i, number=i, start_clk=40 * i) for i in range(waves)])


@on_both
def test_straight_into_a_new_page(engine: str) -> None:
    """The eighth, at 28, leaves its chunk; the one after the next is of the new page: it comes at 328. What
    follows was fetched ahead."""
    issued = timed(engine, into_a_page()).waves[0].issue_clk.tolist()
    assert issued == [*range(0, 64, 4), *range(328, 328 + 4 * 25, 4)]


@on_both
def test_a_measured_trace_has_its_addresses(engine: str) -> None:
    """Another counts from its kernel's start, in the middle of a page: its code at 4096 begins no page."""
    placed = {"fetch_code_offset_bytes": 2048}
    for provenance, late in (("measured", True), ("emulated", False)):
        trace = replace(into_a_page(), provenance=provenance)
        assert (stalled_clk(timed(engine, trace, **placed), Reason.FETCH) > 0) is late


@on_both
def test_waves_wait_for_the_same_lines(engine: str) -> None:
    """The second wave, 40 clk later, gets what the first has asked for, at the same clock."""
    timeline = timed(engine, into_a_page(2))
    assert [int(wave.issue_clk[16]) for wave in timeline.waves] == [328, 328]
    assert stalled_clk(timeline, Reason.FETCH, 1) == 328 - (40 + 64)


@on_both
def test_code_that_was_executed_before_is_there(engine: str) -> None:
    for timeline in (
        timed(engine, into_a_page(), cold=False),
        timed(engine, into_a_page(), "instruction_cache"),
    ):
        assert timeline.waves[0].issue_clk.tolist() == list(range(0, 164, 4))


@on_both
@pytest.mark.parametrize(("skipped", "clk"), [(127, 20), (511, 300)])
def test_a_branch_beyond_what_is_fetched_ahead(engine: str, skipped: int, clk: int) -> None:
    """1024 bytes after the line that the wave is in are there (512), others (2048) are not."""
    code = b.laid_out([b.cbranch(), *[b.salu()] * skipped, b.salu(), b.endpgm()])
    rows = [0, skipped + 1, skipped + 2]
    timeline = timed(engine, b.trace(code, [b.wave(rows, taken=[0])]))
    assert int(timeline.waves[0].issue_clk[1]) == clk
    assert stalled_clk(timeline, Reason.BRANCH) == clk - int(timeline.waves[0].end_clk[0])


def loop(passes: int) -> Trace:
    """1 KiB, a branch at its end: eight lines of 128 bytes."""
    code = b.laid_out([*[b.salu()] * 255, b.cbranch(), b.endpgm()])
    rows = [*list(range(256)) * passes, 256]
    return b.trace(code, [b.wave(rows, taken=[256 * turn + 255 for turn in range(passes - 1)])])


@on_both
@pytest.mark.parametrize(("held_bytes", "misses"), [(512, 4), (2048, 0)])
def test_a_loop_that_the_cache_does_not_hold(engine: str, held_bytes: int, misses: int) -> None:
    """Pages of two lines. A compute unit has half of the cache. Where that holds four of the nine lines each
    pass asks for every line anew, and waits at each of the four pages; else only the first pass does."""
    changes = {"fetch_icache_bytes": 2 * held_bytes, "fetch_page_bytes": 256}
    waited = []
    for passes in (3, 4):
        timeline = timed(engine, loop(passes), **changes)
        found = timeline.waves[0]
        waited.append(int((found.stall_clk >= 200).sum()))
    assert waited[1] - waited[0] == misses


@pytest.mark.parametrize("first", range(0, 600, 200))
def test_engines_agree_on_cold_and_large_code(first: int) -> None:
    """Random traces with small caches and pages; in many of them waves wait for lines."""
    later = 0
    for seed in range(first, first + 200):
        random = Random(seed)
        arch = ("gfx90a", "gfx942", "gfx950")[seed % 3]
        p, trace = random_traces.random_parameters(random, arch), random_traces.random_trace(random, arch)
        p, trace = random_traces.with_cold_code(random, p, trace)
        simpy, compiled = (simulate(trace, p, engine=engine) for engine in ("simpy", "compiled"))
        assert list(differences(simpy, compiled)) == [], f"seed {seed}"
        plain = simulate(trace, without(p, ["instruction_cache"]))
        later += any(
            not np.array_equal(one.issue_clk, other.issue_clk)
            for one, other in zip(compiled.waves, plain.waves, strict=True)
        )
    assert later > 50
