"""The chip around a compute unit: what stand-ins with secret numbers hold is found; whatever a probe is, it
assembles, is clean, and takes the same clocks as a code object."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.asm.tools import MissingTool, assemble_object
from wavesim.calibrate.bench.memory_levels import MemoryLevels
from wavesim.calibrate.bench.samples import Samples
from wavesim.calibrate.bench.template import program, source
from wavesim.calibrate.chip import clock, fetch, levels, streams
from wavesim.calibrate.chip.found import Found
from wavesim.calibrate.chip.measure import PARTS, find_chip
from wavesim.calibrate.chip.probe import Float, Probe, from_samples, measuring
from wavesim.calibrate.device.chip_stand_in import ChipStandIn
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.calibrate.fit.chip_outcome import chip_entries, chip_lines
from wavesim.checks.all_paths import check_program
from wavesim.isa.load import load_machine
from wavesim.isa.machine import Machine

MACHINE = load_machine("gfx942")
REPEATS = 5


def stand_in(machine: Machine) -> ChipStandIn:
    return ChipStandIn.of(machine, MemoryLevels.of(machine).latency_clk)


def found_of(chip: ChipStandIn, *parts: str, machine: Machine = MACHINE) -> dict[str, Found]:
    device = VirtualDevice(machine, noise_clk=4, chip=chip)
    samples = Samples(device.properties, "2026-01-01")
    outcome = find_chip(machine, device.properties, measuring(device, samples, REPEATS), parts)
    again = find_chip(machine, device.properties, from_samples(samples), parts)
    assert again == outcome  # from kept samples the same
    return {each.key: each for part in outcome.values() for each in part.values}


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1 << 20))
def test_secret_capacities_and_bandwidths_are_found(seed: int) -> None:
    chip = stand_in(MACHINE).drawn(seed, MACHINE.parameters)
    found = found_of(chip, "chip_levels", "chip_streams")
    for name, true in zip(("l1", "l2", "mall"), chip.level_bytes, strict=True):
        assert found[f"memory.{name}_bytes"].value == pytest.approx(true, rel=levels.TOLERANCE)
    # a load of 1 KiB takes whole clocks of the compute unit's path
    l1_rate = 1024 / -(-1024 // chip.l1_hit_bytes_per_clk)
    secret = {
        "l1_hit_bytes_per_clk": l1_rate,
        **{
            name: getattr(chip, name)
            for name in (
                "l2_read_bytes_per_clk",
                "l2_write_bytes_per_clk",
                "mall_read_gbytes_per_s",
                "hbm_read_gbytes_per_s",
                "hbm_row_ns",
            )
        },
    }
    for name, true in secret.items():
        assert found[f"memory.{name}"].value == pytest.approx(true, rel=streams.TOLERANCE), name


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1 << 20))
def test_secret_clocks_are_found(seed: int) -> None:
    chip = stand_in(MACHINE).drawn(seed, MACHINE.parameters)
    found = found_of(chip, "chip_clock")
    assert found["clock.launch_ghz"].value == pytest.approx(chip.launch_ghz, rel=clock.TOLERANCE)
    curve = found["clock.sustained_by_busy_ghz"].value
    assert isinstance(curve, dict)
    assert len(curve) == len(clock.DENSITIES)
    for busy, ghz in curve.items():
        assert ghz == pytest.approx(chip.ghz(busy / 100, first=False), rel=clock.TOLERANCE)
    low, high = found["clock.sustained_range_ghz"].value  # type: ignore[misc]
    assert low <= found["clock.sustained_ghz"].value <= high


@pytest.mark.parametrize("seed", [1])
def test_a_secret_instruction_cache_is_found(seed: int) -> None:
    chip = stand_in(MACHINE).drawn(seed, MACHINE.parameters)
    found = found_of(chip, "chip_fetch")
    for key, value in chip.fetch.items():
        name = key.replace("_", ".", 1)
        exact = "line" in key or "prefetch" in key
        tolerance = 0.0 if exact else fetch.TOLERANCE
        assert found[name].value == pytest.approx(value, rel=tolerance), name


@pytest.mark.parametrize(("queue", "tail_bytes"), [(12, 14336), (10, 17408)])
def test_how_many_are_on_their_way_by_width(queue: int, tail_bytes: int) -> None:
    """The compute unit is the timing model, with a secret queue and secret bytes in flight."""
    parameters = replace(MACHINE.parameters, memory_queue_entries=queue, memory_tail_bytes=tail_bytes)
    device = VirtualDevice(MACHINE, noise_clk=4, parameters=parameters)
    read = measuring(device, Samples(device.properties, ""), REPEATS)
    (curve,) = find_chip(MACHINE, device.properties, read, ["chip_flight"])["chip_flight"].curves
    found = {label: int(row[0]) for label, row in zip(curve.labels, curve.rows, strict=True)}
    widths = {"dword": 4, "dwordx2": 8, "dwordx4": 16, "lds_dword": 4}
    assert found == {
        f"global_load_{name}": queue + tail_bytes // (64 * width) for name, width in widths.items()
    }


def test_draws_differ_from_the_stock_numbers_and_from_each_other() -> None:
    stock = stand_in(MACHINE)
    drawn = [stock.drawn(seed, MACHINE.parameters) for seed in range(8)]
    for name in ("level_bytes", "l2_read_bytes_per_clk", "hbm_row_ns", "launch_ghz", "fetch"):
        values = [getattr(each, name) for each in drawn]
        assert all(value != getattr(stock, name) for value in values)
        assert any(value != values[0] for value in values)
    assert {each.replaces_at_random for each in drawn} == {True, False}


@pytest.mark.parametrize("arch", ["gfx90a", "gfx950"])
def test_the_stock_numbers_of_other_architectures_are_found(arch: str) -> None:
    machine = load_machine(arch)
    found = found_of(stand_in(machine), "chip_levels", "chip_streams", "chip_clock", machine=machine)
    assert ("memory.mall_bytes" in found) == (arch == "gfx950")
    for key, each in found.items():
        if isinstance(each.value, float | int) and "sustained" not in key:
            assert each.value == pytest.approx(machine.number(key), rel=0.08), key


def test_more_levels_than_the_model_has_determine_no_capacity() -> None:
    def read(probe: Probe) -> Float:
        size = probe.footprint_bytes
        step = 100 * (1 + sum(size > 1 << bits for bits in (15, 18, 22, 28)))
        return np.array([[16.0 * step, 1.0]])

    part = levels.find_levels(MACHINE, read)
    assert not any(each.determined for each in part.values)
    assert all("5 levels" in each.why for each in part.values)


def test_without_a_miss_nothing_is_said_of_the_instruction_cache() -> None:
    chip = replace(stand_in(MACHINE), fetch={"fetch_miss_clk": 0})
    found = found_of(chip, "chip_fetch")
    assert len(found) == 4
    assert not any(each.determined for each in found.values())


def test_the_entries_load_and_say_stand_in(tmp_path: Path) -> None:
    chip = stand_in(MACHINE).drawn(3, MACHINE.parameters)
    device = VirtualDevice(MACHINE, chip=chip)
    samples = Samples(device.properties, "2026-01-01")
    parts = [name for name in PARTS if name not in ("chip_fetch", "chip_flight")]
    outcome = find_chip(MACHINE, device.properties, measuring(device, samples, REPEATS), parts)
    text = "base: gfx942\n"
    sections: dict[str, list[str]] = {}
    for section, key, entry in chip_entries(MACHINE, outcome, "a source", virtual=True):
        sections.setdefault(section, []).append(f"  {key}: {entry}\n")
    for section, lines in sections.items():
        text += f"{section}:\n" + "".join(lines)
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    machine = load_machine(str(file))
    values = [each for part in outcome.values() for each in part.values]
    assert len(values) == 14
    for each in values:
        assert each.determined, each
        quantity = machine.quantities[each.key]
        assert quantity.confidence == "assumed"
        assert "STAND-IN" in quantity.note
        assert "stock" in quantity.note
        if isinstance(each.value, float | int):
            assert machine.number(each.key) == pytest.approx(each.value)
    assert "a STAND-IN answered" in next(iter(chip_lines(outcome, virtual=True)))
    assert "STAND-IN" not in next(iter(chip_lines(outcome, virtual=False)))


def every_probe(machine: Machine) -> list[Probe]:
    """Each program that a device is asked which always answers the same."""
    asked: dict[str, Probe] = {}

    def noting(probe: Probe) -> Float:
        asked.setdefault(probe.kernel, probe)
        return np.array([[16000.0, 1000.0, 0.0]])

    find_chip(machine, VirtualDevice(machine).properties, noting, PARTS)
    del asked[fetch.loop(fetch.LARGEST_BYTES, 1).kernel]  # the small one is the same, and quicker
    asked["new"] = fetch.new_code(0, 1024)
    return list(asked.values())


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_probes_assemble_and_are_clean(arch: str) -> None:
    probes = every_probe(load_machine(arch))
    assert len(probes) > 10
    for probe in probes:
        try:
            assemble_object(source(probe.kernel, probe.body, arch), arch)
        except MissingTool as missing:
            pytest.skip(str(missing))
        found, _ = check_program(program(probe.kernel, probe.body, arch))
        assert [each for each in found if each.is_bad] == [], probe.name


@pytest.mark.parametrize("size", [fetch.SMALLEST_BYTES, 30 << 10])
def test_the_loop_is_as_long_as_it_says_and_begins_a_page(size: int) -> None:
    found = program("k", fetch.loop(size, 1).body, "gfx942")
    begin, end = found.labels[".Lpass"], found.labels[f".Lat{size // 64 - 1}"]
    assert found.addresses[begin] % 4096 == 0
    assert found.addresses[end] - found.addresses[begin] == size - 64
