"""A calibration finds the secret numbers of a virtual device, and says so where a rule is another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wavesim.analyze.analysis import analyze
from wavesim.calibrate.bench.programs import microbenchmarks
from wavesim.calibrate.bench.quantities import Model, candidates
from wavesim.calibrate.bench.samples import Samples, measure
from wavesim.calibrate.bench.template import program, source
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.calibrate.fit.outcome import machine_file
from wavesim.calibrate.fit.search import FitResult, fit
from wavesim.calibrate.fit.selftest import draw, misses, secret_device
from wavesim.checks.all_paths import check_program
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.timing import simulate

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
REPEATS = 15
DRAWS = (0, 1)
"""Two draws; `python -m benchmarks calibration` makes twenty."""


def calibrated(seed: int) -> tuple[dict[str, int], FitResult, Samples]:
    machine = load_machine("gfx942")
    benchmarks = microbenchmarks(machine)
    secret = draw(machine, benchmarks, seed)
    device = secret_device(machine, secret, seed)
    samples = Samples(device.properties, "2026-01-01")
    measure(device, benchmarks, samples, repeats=REPEATS)
    return secret, fit(machine, benchmarks, samples), samples


ALIKE = {"lds.queue_entries", "lds.queue_hold_clk"}
"""More entries that are held longer can look like fewer that are held for less: not mended yet."""


@pytest.fixture(scope="module", params=DRAWS)
def outcome(request: pytest.FixtureRequest) -> tuple[dict[str, int], FitResult, Samples]:
    return calibrated(request.param)


def test_secret_numbers_are_recovered(outcome: tuple[dict[str, int], FitResult, Samples]) -> None:
    secret, result, _ = outcome
    stock = Model.of(load_machine("gfx942"))
    assert sum(secret[name] != stock.value(name) for name in secret) > 15  # returning the stock values fails
    missed = misses(load_machine("gfx942"), secret, result)
    if missed and {each.split()[0] for each in missed} <= ALIKE:
        pytest.xfail(f"the bursts do not tell them apart since ports serve who asked first: {missed}")
    assert missed == []


def test_the_half_split_is_predicted_within_2_percent(
    outcome: tuple[dict[str, int], FitResult, Samples], tmp_path: Path
) -> None:
    secret, result, samples = outcome
    file = tmp_path / "mine.yaml"
    file.write_text(machine_file(load_machine("gfx942"), result, samples))
    kernel, stock = prepare(KERNELS / "8wave.yaml", RunOptions(settings={"K": "1024"}))
    trace = emulate(kernel.program, kernel.launch, stock).trace

    def pace(parameters) -> float:  # type: ignore[no-untyped-def]
        loop = analyze(simulate(trace, parameters), stock, kernel.launch).loop
        assert loop is not None
        return loop.clk_per_iteration

    true = pace(Model.of(stock).changed(secret).parameters)
    # the latency of a loaded GPU is an input, the same for both; it is not among what was fitted
    loaded_clk = {"memory.latency_clk": stock.parameters.memory_latency_clk}
    mine = load_machine(str(file), loaded_clk).parameters
    assert pace(mine) == pytest.approx(true, rel=0.02)


def test_the_machine_file_has_the_values_and_where_they_come_from(
    outcome: tuple[dict[str, int], FitResult, Samples], tmp_path: Path
) -> None:
    _, result, samples = outcome
    text = machine_file(load_machine("gfx942"), result, samples)
    assert "not a GPU: nothing here was measured" in text
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    machine = load_machine(str(file))
    for each in result.fitted:
        level = each.name.startswith("memory.") and "_latency_clk" in each.name
        if each.determined and not level:
            assert Model(machine.parameters, Model.of(machine).levels).value(each.name) == each.value
    assert machine.quantities["lds.read_latency_clk"].source.startswith("wavesim calibrate on VIRTUAL")


def test_another_rule_is_a_poor_fit_with_the_benchmarks_that_disagree() -> None:
    machine = load_machine("gfx942")
    wanted = ("oldest_first", "oldest_first_mfma", "setprio", "valu_chain", "mfma_f32_16x16x16_bf16", "nop")
    benchmarks = [each for each in microbenchmarks(machine) if each.name in wanted]
    round_robin = replace(machine.parameters, rules_off=frozenset({"oldest_first"}))
    device = VirtualDevice(machine, noise_clk=4, parameters=round_robin)
    samples = Samples(device.properties, "2026-01-01")
    measure(device, benchmarks, samples, repeats=REPEATS)
    result = fit(machine, benchmarks, samples)
    assert not result.good
    assert "oldest_first" in {each.benchmark for each in result.poor}
    assert not {"nop", "valu_chain", "mfma_f32_16x16x16_bf16"} & {each.benchmark for each in result.poor}


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_microbenchmarks_assemble_and_are_clean(arch: str) -> None:
    from wavesim.asm.tools import MissingTool, assemble_object

    for benchmark in microbenchmarks(load_machine(arch)):
        text = source(benchmark.name, benchmark.body, arch)
        try:
            assemble_object(text, arch)
        except MissingTool as missing:
            pytest.skip(str(missing))
        found, _ = check_program(program(benchmark.name, benchmark.body, arch))
        assert [each for each in found if each.is_bad] == [], benchmark.name


def test_samples_come_back_and_measuring_goes_on_where_it_stopped(tmp_path: Path) -> None:
    machine = load_machine("gfx942")
    benchmarks = [each for each in microbenchmarks(machine) if each.name in ("nop", "sleep")]
    device = VirtualDevice(machine)
    samples = Samples(device.properties, "2026-01-01")
    measure(device, benchmarks[:1], samples, repeats=3, save=lambda kept: kept.write(tmp_path / "s.json"))
    again = Samples.read(tmp_path / "s.json")
    assert again.clk == samples.clk
    before = dict(again.clk)
    measure(device, benchmarks, again, repeats=3)
    assert set(again.clk) - set(before) == {benchmarks[1].name}
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(UserError, match="not a samples file"):
        Samples.read(tmp_path / "bad.json")


def test_candidates_hold_the_stock_value_and_its_neighbours() -> None:
    assert 44 in candidates("lds.read_latency_clk", 44)
    assert {40, 48} <= set(candidates("lds.read_latency_clk", 44))
    assert set(range(7, 14)) <= set(candidates("lds.queue_entries", 10))
    assert 288 in candidates("memory.l2_latency_clk", 288)
