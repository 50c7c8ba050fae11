"""Lane phases are found exactly from clocks, whatever they are; where nothing explains the clocks, none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.asm.tools import MissingTool, assemble_object
from wavesim.calibrate.bench.lane_phases import (
    ACCESSES,
    FoundPhases,
    Pairs,
    find_phases,
    from_samples,
    measure_phases,
    phase_benchmark,
    same_phases,
    with_phases,
)
from wavesim.calibrate.bench.quantities import Model
from wavesim.calibrate.bench.samples import Samples
from wavesim.calibrate.bench.template import program, source
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.calibrate.fit.outcome import lane_ranges, machine_file, phase_lines
from wavesim.calibrate.fit.search import FitResult
from wavesim.calibrate.fit.selftest import draw_phases, phase_misses
from wavesim.checks.all_paths import check_program
from wavesim.isa.banks import array_clk
from wavesim.isa.load import lanes, load_machine
from wavesim.isa.machine import LanePhases

STOCK = load_machine("gfx942")
partitions = st.tuples(
    st.permutations(range(64)), st.sampled_from([4, 8, 16, 32, 64]), st.sampled_from([32, 64])
).map(
    lambda drawn: LanePhases(
        tuple(tuple(drawn[0][at : at + drawn[1]]) for at in range(0, 64, drawn[1])), drawn[2]
    )
)


def ideal(phases: LanePhases) -> Callable[[str, int, Pairs, int], float]:
    """The clocks of an LDS that does nothing but serve its banks."""

    def clocks(kind: str, width: int, pairs: Pairs, row_bytes: int) -> float:
        rows = np.arange(64)
        for first, second in pairs:
            rows[second] = rows[first]
        return 100.0 + ACCESSES * array_clk(phases, rows * row_bytes, width)

    return clocks


@settings(max_examples=15, deadline=None)
@given(phases=partitions)
def test_any_partition_is_found(phases: LanePhases) -> None:
    found = find_phases(STOCK, ideal(phases))
    for key, each in found.items():
        assert each.phases is not None, key
        assert same_phases(each.phases, phases), key


def test_the_stock_table_is_confirmed_by_a_few_programs() -> None:
    asked: list[Pairs] = []

    def clocks(kind: str, width: int, pairs: Pairs, row_bytes: int) -> float:
        asked.append(pairs)
        return ideal(STOCK.lds_phases[kind, width])(kind, width, pairs, row_bytes)

    find_phases(STOCK, clocks)
    assert len(asked) <= 8 * 6


@pytest.mark.parametrize(
    ("off", "words"),
    [(lambda pairs: ACCESSES / 2 * len(pairs), "pairs of lanes show as"), (lambda pairs: 0, "no two")],
)
def test_clocks_that_no_partition_explains(off: Callable[[Sequence[object]], float], words: str) -> None:
    found = find_phases(STOCK, lambda kind, width, pairs, row_bytes: 5124.0 - off(pairs))
    assert all(each.phases is None and words in each.why for each in found.values())
    assert with_phases(STOCK, found) is STOCK


def test_secret_tables_of_a_virtual_device_go_into_the_machine_file(tmp_path: Path) -> None:
    other = {("read", 8): FoundPhases(STOCK.lds_phases["read", 16])}
    hidden = with_phases(STOCK, other)
    changed = list(other)
    device = VirtualDevice(hidden, noise_clk=4, seed=3)
    samples = Samples(device.properties, "2026-01-01")
    measure_phases(device, STOCK, samples, repeats=7)
    phases = find_phases(STOCK, from_samples(samples))
    assert phase_misses(hidden, phases) == []
    text = "\n".join(phase_lines(STOCK, phases))
    assert text.count("changed") == len(changed)
    file = tmp_path / "mine.yaml"
    file.write_text(machine_file(STOCK, FitResult((), (), Model.of(STOCK)), samples, phases))
    loaded = load_machine(str(file))
    assert all(same_phases(loaded.lds_phases[key], each) for key, each in hidden.lds_phases.items())
    assert loaded.parameters.lds_array_clk == with_phases(STOCK, phases).parameters.lds_array_clk


@pytest.mark.parametrize("arch", ["gfx90a", "gfx950"])
def test_each_architectures_own_table_is_found_on_its_virtual_device(arch: str) -> None:
    machine = load_machine(arch)
    device = VirtualDevice(machine)
    samples = Samples(device.properties, "2026-01-01")
    measure_phases(device, machine, samples, repeats=1)
    assert phase_misses(machine, find_phases(machine, from_samples(samples))) == []


def test_a_draw_has_other_tables() -> None:
    hidden = draw_phases(STOCK, 2)
    assert any(not same_phases(each, STOCK.lds_phases[key]) for key, each in hidden.lds_phases.items())


def test_samples_without_the_programs_leave_the_stock_table() -> None:
    samples = Samples(VirtualDevice(STOCK).properties, "2026-01-01")
    found = find_phases(STOCK, from_samples(samples))
    assert set(found.values()) == {FoundPhases(None, "the samples do not say")}
    assert "not determined" in "\n".join(phase_lines(STOCK, found))


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_the_programs_assemble_and_are_clean(arch: str) -> None:
    for kind, width in load_machine(arch).lds_phases:
        benchmark = phase_benchmark(kind, width, ((0, 1),), 128)
        try:
            assemble_object(source(benchmark.name, benchmark.body, arch), arch)
        except MissingTool as missing:
            pytest.skip(str(missing))
        found, _ = check_program(program(benchmark.name, benchmark.body, arch))
        assert [each for each in found if each.is_bad] == [], benchmark.name


def test_ranges_of_lanes_read_back() -> None:
    for phases in STOCK.lds_phases.values():
        for each in phases.phases:
            assert lanes(lane_ranges(each)) == tuple(each)
