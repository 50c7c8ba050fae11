"""The shader clock: by device, mode and MFMA density, with its range; what fixes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.isa.clock import Clock, clock_of, read_choice
from wavesim.isa.load import load_machine
from wavesim.isa.names import devices


@pytest.mark.parametrize("name", devices())
@pytest.mark.parametrize("mode", ["sustained", "launch"])
def test_every_device_has_both_clocks_and_a_source(name: str, mode: str) -> None:
    machine = load_machine(name)
    clock = clock_of(machine, mode)
    assert clock.low_ghz <= clock.ghz <= clock.high_ghz <= machine.number("clock.peak_ghz")
    assert clock.source
    assert clock.ghz <= clock_of(machine, "launch").ghz


@pytest.mark.parametrize(
    ("busy", "ghz"),
    [(0.0, 1.8), (0.53, 1.8), (1.0, 1.014), (0.765, 1.407)],  # the last: half way from 53 to 100 %
)
def test_dense_mfma_throttles_where_the_devices_data_show_it(busy: float, ghz: float) -> None:
    assert clock_of(load_machine("MI308X"), "sustained", busy).ghz == pytest.approx(ghz)
    assert clock_of(load_machine("MI325X"), "sustained", busy).ghz == 1.63  # its data show no slope


def test_what_is_said_of_it() -> None:
    assert str(clock_of(load_machine("MI300X"))) == "sustained, 1.24 to 1.55: GLUON"
    assert str(clock_of(load_machine("MI308X"), "sustained", 1)) == (
        "sustained at 100 % MFMA busy, 1.014 to 1.8: PYHIP, assumed"
    )
    assert str(clock_of(load_machine("MI300A"))) == "sustained, 1.24 to 2.1: GLUON (MI300X), assumed"
    assert str(clock_of(load_machine("MI300X"), 1.7)) == "--clock"


def test_a_figure_of_ones_own_has_no_range_of_others(tmp_path: Path) -> None:
    mine = load_machine("MI308X", {"clock.sustained_ghz": "1.5"})
    assert clock_of(mine, "sustained", 1.0) == Clock(1.5, 1.5, 1.5, "sustained", "set for this run, assumed")
    path = tmp_path / "mine.yaml"
    path.write_text(
        "base: MI325X\nclock: {sustained_ghz: {value: 1.2, source: my own, confidence: measured}}\n"
    )
    assert clock_of(load_machine(str(path))) == Clock(1.2, 1.2, 1.2, "sustained", "my own")


def test_the_option() -> None:
    assert [read_choice(text) for text in ("1.6", "launch", "sustained")] == [1.6, "launch", "sustained"]
    for text in ("fast", "0", "-1", "nan", "inf", "1e9"):
        with pytest.raises(UserError, match=r"GHz, as 1.6, or sustained or launch"):
            read_choice(text)


def test_tflops_are_at_the_clock(root: Path) -> None:
    """Twice the clock is twice the rate; the JSON says which clock, and what was seen of it."""
    found = []
    for choice in ("launch", "1", "2"):
        arguments = ["run", str(root / "kernels/8wave.yaml"), "--set", "K=256", "--arch", "MI325X", "--json"]
        result = CliRunner().invoke(cli, [*arguments, "--clock", choice], catch_exceptions=False)
        found.append(json.loads(result.stdout))
    launch, one, two = found
    assert two["tflops"] == pytest.approx(2 * one["tflops"])
    assert launch["tflops"] == pytest.approx(2.1 * one["tflops"])
    assert launch["throughput"]["clock_mode"] == "launch"
    assert launch["throughput"]["clock_range_ghz"] == [1.95, 2.1]
    assert (one["clock_ghz"], one["throughput"]["clock_mode"]) == (1.0, "given")
