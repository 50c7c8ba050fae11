"""The published traces: the figures of their own table must come out exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.asm.tools import code_bytes
from wavesim.isa.load import load_machine
from wavesim.replays.att.clip import cut, without_lonely_barriers
from wavesim.replays.att.imported import ImportedTrace
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.kernel import print_listing, traced_kernel
from wavesim.replays.att.latencies import derive_latencies, memory_order, scalar_latencies
from wavesim.replays.compare import main_loop, side
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.replays.validate import FORCED_ROWS
from wavesim.trace import Kind

TRACES = Path(__file__).parents[3] / "shared" / "traces"

TABLE: dict[str, tuple[int, int | None, int, float, int, int, int, int]] = {
    # folder: waves, loop head's code id, passes, clk/iteration, p10, median, p90, whole span
    "gfx942_gemm_2048cube": (8, 323, 31, 1537.5, 1528, 1528, 1528, 57752),
    "gfx942_gemm_256x256x64_pingpong": (8, 513, 127, 4285.4, 4160, 4196, 4528, 573196),
    "gfx942_gemm_256x256x64_bfi": (8, 514, 127, 5088.1, 4412, 5104, 5668, 670676),
    "gfx942_gemm_256x256x64_rolled": (8, 380, 128, 8657.7, 8096, 8552, 9288, 1157324),
    "gfx942_gemm_256x128x64_r32": (8, 506, 128, 4104.7, 3644, 4104, 4620, 557052),
    "gfx942_gemm_128x128x64_4waves_per_simd": (16, 379, 128, 3318.3, 2564, 3224, 4144, 461700),
    "gfx950_mxfp4gemm_8wave_hack0": (8, 436, 31, 4061.1, 3420, 3912, 4660, 132828),
    "gfx950_mxfp4gemm_8wave_hack1": (8, 448, 31, 3212.1, 3024, 3148, 3416, 107952),
}

_CACHE: dict[str, ImportedTrace] = {}


def imported(name: str, arch: str = "auto") -> ImportedTrace:
    if not (TRACES / name).is_dir():
        pytest.skip("../shared/traces is not beside the checkout")
    if name not in _CACHE:
        _CACHE[name] = import_trace(TRACES / name, arch)
    return _CACHE[name]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_the_table_of_the_traces_is_reproduced(name: str) -> None:
    waves, head, passes, mean, p10, median, p90, span = TABLE[name]
    trace = imported(name)
    (unit,) = trace.units
    assert len(unit.trace.waves) == waves
    place = main_loop(unit.timeline)
    assert place is not None
    at = trace.program.instructions[place].span
    assert at is not None
    assert at.line == head
    figures = side(unit.timeline, place, load_machine(trace.arch).parameters)
    assert figures.iterations == passes
    assert figures.clk_per_iteration == pytest.approx(mean, abs=0.05)
    assert (figures.p10, figures.median, figures.p90) == (p10, median, p90)
    assert figures.span_clk == span


def test_the_whole_kernel_trace_has_its_span() -> None:
    trace = imported("gfx942_gemm_1024cube")
    assert trace.units[0].timeline.clk_total == 18624


@pytest.mark.parametrize(
    "name", ["gfx942_gemm_2048cube", "gfx942_gemm_128x128x64_4waves_per_simd", "gfx950_mxfp4gemm_8wave_hack1"]
)
def test_the_measured_timeline_tiles_every_wave(name: str) -> None:
    for timed in imported(name).units[0].timeline.waves:
        rows = timed.end_clk - timed.issue_clk
        assert (rows >= 0).all()
        assert timed.stall_clk.sum() + rows.sum() == timed.last_clk - timed.first_clk
        before = np.concatenate([[timed.first_clk], timed.end_clk[:-1]])
        assert (timed.attempt_clk >= before).all()
        assert (timed.issue_clk >= timed.attempt_clk).all()


def test_two_workgroups_are_told_apart() -> None:
    waves = imported("gfx942_gemm_128x128x64_4waves_per_simd").units[0].trace.waves
    assert [wave.workgroup for wave in waves] == [0] * 8 + [1] * 8
    assert {wave.slot for wave in waves[:8]} == {0, 1}


EXACT_FROM_WAITS = {"gfx942_gemm_256x128x64_r32": 1103, "gfx942_gemm_256x256x64_pingpong": 58}
"""M1: number of vmcnt waits that really stalled."""


@pytest.mark.parametrize("name", sorted(EXACT_FROM_WAITS))
def test_returns_are_in_order_and_as_many_as_published(name: str) -> None:
    from wavesim.replays.att.latencies import _from_waits

    unit = imported(name).units[0]
    parameters = load_machine("gfx942").parameters
    exact, _ = _from_waits(unit.timeline, memory_order(unit.timeline, parameters))
    seen = exact[exact >= 0]
    assert len(seen) == EXACT_FROM_WAITS[name]
    assert (np.diff(seen) >= 0).all()


HACKS = [f"gfx950_mxfp4gemm_8wave_hack{number}" for number in (0, 1, 2, 5)]


@pytest.mark.parametrize("name", HACKS)
def test_what_waits_saw_is_surer_than_the_limit_in_flight(name: str) -> None:
    from wavesim.replays.att.latencies import _from_waits

    unit = imported(name).units[0]
    parameters = load_machine("gfx950").parameters
    exact, _ = _from_waits(unit.timeline, memory_order(unit.timeline, parameters))
    derived = derive_latencies(unit.timeline, parameters)
    assert np.abs(derived.return_clk - exact)[exact >= 0].max() <= 4


@pytest.mark.parametrize("name", HACKS)
def test_gfx950_gemms_are_met_instruction_by_instruction(name: str) -> None:
    (result,) = replay(
        imported(name), load_machine("gfx950"), memory_mode("measured"), forced_rows=FORCED_ROWS
    )
    assert result.forced is not None
    assert result.forced.share < 0.06
    assert abs(result.error) < 0.006


def test_latencies_respect_what_was_seen() -> None:
    unit = imported("gfx942_gemm_256x128x64_r32").units[0]
    parameters = load_machine("gfx942").parameters
    derived = derive_latencies(unit.timeline, parameters)
    assert derived.conflicts == 0
    assert (np.diff(derived.return_clk) >= derived.order.service_clk[1:]).all()
    assert (derived.latency_clk >= 0).all()
    assert derived.latency_clk.max() < 5000


def test_shifted_latencies_come_from_later_passes() -> None:
    unit = imported("gfx942_gemm_2048cube").units[0]
    derived = derive_latencies(unit.timeline, load_machine("gfx942").parameters)
    head = main_loop(unit.timeline)
    assert head is not None
    shifted = derived.shifted(unit.trace, head, 1)
    per_pass = 32  # four loads of each of eight waves
    inside = slice(10 * per_pass, 20 * per_pass)
    assert (shifted[inside] == derived.latency_clk[11 * per_pass : 21 * per_pass]).all()
    assert (shifted[:16] == derived.latency_clk[:16]).all()


def test_a_shift_keeps_each_access_in_its_role() -> None:
    """Two workgroups a CU, 64 loads a pass; the two do not pass in step, so the loop's ends hold fewer."""
    unit = imported("gfx942_gemm_128x128x64_4waves_per_simd").units[0]
    derived = derive_latencies(unit.timeline, load_machine("gfx942").parameters)
    head = main_loop(unit.timeline)
    assert head is not None
    shifted = derived.shifted(unit.trace, head, 1)
    inside = slice(640, 6400)
    assert (shifted[inside] == derived.latency_clk[640 + 64 : 6400 + 64]).all()


def test_cold_scalar_loads_show_their_latency() -> None:
    latencies = scalar_latencies(imported("gfx942_gemm_2048cube").units[0].timeline)
    assert all(500 < latency.max() < 700 for latency in latencies)


def test_a_trace_that_breaks_off_is_cut_after_the_last_common_barrier() -> None:
    timeline = imported("gfx942_gemm_2048cube").units[0].timeline
    assert without_lonely_barriers(timeline) is timeline  # all its waves end
    barrier = np.array([entry.kind is Kind.BARRIER for entry in timeline.trace.code])
    broken = cut(timeline, [3000 + 400 * (number % 2) for number in range(len(timeline.waves))])
    counts = {int(barrier[wave.code].sum()) for wave in broken.trace.waves}
    assert len(counts) > 1
    whole = without_lonely_barriers(broken)
    assert {int(barrier[wave.code].sum()) for wave in whole.trace.waves} == {min(counts)}
    assert all(
        len(wave.code) == len(timed.issue_clk)
        for wave, timed in zip(whole.trace.waves, whole.waves, strict=True)
    )


@pytest.mark.parametrize("name", sorted(path.name for path in TRACES.glob("gfx*")))
def test_the_listing_of_a_trace_assembles(name: str) -> None:
    """LLVM takes it; branches lead where they led, and every instruction lies where it lay."""
    trace = imported(name, "gfx950" if name.startswith("gfx950") else "gfx942")
    kernel = traced_kernel(trace)
    text = print_listing(kernel, name)
    assert len(code_bytes(text, trace.arch)) >= kernel.program.addresses[-1] + kernel.program.sizes[-1]
    again = parse_program(text, f"{name}.s")
    assert again.addresses == kernel.program.addresses
    for old, new in enumerate(kernel.index):
        assert again.instructions[new].same_code(trace.program.instructions[old])
        assert again.addresses[new] == trace.program.addresses[old] - trace.program.addresses[0]


def test_ends_of_waves_are_returns_in_order_with_those_of_loads() -> None:
    """elementwise_mul: each of 484 waves loads, waits, stores and ends; s_endpgm waits for the store."""
    from wavesim.replays.att.latencies import _from_ends, _from_waits

    unit = imported("gfx950_elementwise_mul").units[0]
    order = memory_order(unit.timeline, load_machine("gfx950").parameters)
    exact, bound = _from_waits(unit.timeline, order)
    assert (exact >= 0).sum() == 484
    _from_ends(unit.timeline, order, exact, bound)
    assert (exact >= 0).all()
    assert (np.diff(exact) >= 0).all()
