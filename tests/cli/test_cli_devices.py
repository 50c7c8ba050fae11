"""Commands take the names that people use: ``--arch MI325X``, upper or lower case."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from trace_folders import four_waves, write_folder

from wavesim import api
from wavesim.asm.text.parse import parse_program
from wavesim.cli.main import COMMANDS, cli
from wavesim.cli.paths import MachineName
from wavesim.errors import UserError
from wavesim.mcp.request import Request, run_options
from wavesim.sweeps.spec import read_spec

GEMM = "kernels/8wave.yaml"


def test_run_takes_a_device(root: Path) -> None:
    """Compute units and memory are the device's; the code is its architecture's."""
    runner = CliRunner()
    kernel = str(root / GEMM)
    arguments = ["run", kernel, "--set", "K=256", "--json"]
    result = runner.invoke(cli, [*arguments, "--arch", "mi308x"], catch_exceptions=False)
    data = json.loads(result.stdout)
    assert (data["machine"], data["arch"]) == ("MI308X", "gfx942")
    assert data["throughput"]["compute_units"] == 80
    with pytest.raises(UserError, match=r"unknown architecture or device 'mi309'[^;]*; devices: MI210"):
        runner.invoke(cli, [*arguments, "--arch", "mi309"], catch_exceptions=False)


def test_lower_and_compile_take_the_architecture_of_a_device(root: Path) -> None:
    text = (
        CliRunner()
        .invoke(cli, ["lower", str(root / GEMM), "--arch", "MI355x"], catch_exceptions=False)
        .output
    )
    assert '.amdgcn_target "amdgcn-amd-amdhsa--gfx950"' in text
    hip = str(root / "kernels" / "hip" / "8wave.hip")
    said = CliRunner().invoke(cli, ["compile", hip, "--arch", "mi355x"], catch_exceptions=False).output
    assert "gfx950" in said


def test_a_trace_is_replayed_on_a_device_and_listed(root: Path, tmp_path: Path) -> None:
    """The memory's latencies are the device's; the listing is assembly that parses."""
    folder = write_folder(tmp_path / "trace", four_waves())
    (tmp_path / "here.yaml").write_text("base: MI300A\n")
    for arguments in (["--arch", "mi300a"], ["--machine", str(tmp_path / "here.yaml")]):
        said = CliRunner().invoke(cli, ["replay", str(folder), "--json", *arguments], catch_exceptions=False)
        assert json.loads(said.stdout)["arch"] == "gfx942"
    both = ["replay", str(folder), "--arch", "mi300a", "--machine", str(tmp_path / "here.yaml")]
    with pytest.raises(UserError, match="exclude each other"):
        CliRunner().invoke(cli, both, catch_exceptions=False)
    written = tmp_path / "kernel.s"
    listing = ["trace", "listing", str(folder), "--arch", "MI325X", "-o", str(written)]
    assert CliRunner().invoke(cli, listing, catch_exceptions=False).exit_code == 0
    assert parse_program(written.read_text(), "kernel.s").arch == "gfx942"


@pytest.mark.parametrize(
    "words",
    [
        ["run", "kernels/lessons/one_read.s", "--block", "64"],
        ["check", "kernels/lessons/one_read.s", "--block", "64"],
        ["explain", "kernels/lessons/one_read.s", "--block", "64"],
        ["compare", "kernels/lessons/one_read.s", "kernels/lessons/two_waves.s"],
        ["loops", GEMM],
        ["launch", "kernels/lessons/one_read.s"],
        ["lower", GEMM],
        ["compile", "kernels/hip/8wave.hip"],
        ["tune", "kernels/lessons/strong_wait.s", "--candidates", "1"],
        ["swizzle", "--tile", "64x64", "--type", "bf16", "--read", "mfma16x16x16", "--write", "b128"],
        ["report", "kernels/lessons/two_waves.s", "-o", os.devnull],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("device", ["MI300X", "mi300x"])
def test_a_device_is_taken_wherever_an_architecture_is(words: list[str], device: str) -> None:
    result = CliRunner().invoke(cli, [*words, "--arch", device], catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("function", "more"),
    [
        (api.run, {}),
        (api.check, {}),
        (api.explain, {}),
        (api.compare, {}),
        (api.loops, {}),
        (api.launch_skeleton, {}),
        (api.tune, {"candidates": 1}),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_so_does_python(function: Callable[..., object], more: dict[str, object], root: Path) -> None:
    assert function(root / "kernels/lessons/strong_wait.s", arch="mi300X", **more) is not None


def test_so_do_programs_and_sweeps(root: Path, tmp_path: Path) -> None:
    asked = Request(file="kernels/lessons/strong_wait.s", arch="mi300X")
    assert run_options(asked, root, tmp_path)[1].arch == "MI300X"
    (row,) = read_spec({"kernels": [str(root / GEMM)], "arch": ["mi300x"]}).cells()
    assert row[1].arch == "MI300X"


def test_every_arch_is_a_machines_name() -> None:
    """So the commands that the test above does not run do, too; validate names one for a folder."""
    found = {}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        for part, each in inner.items():
            found |= {f"{name} {part}": p.type for p in each.params if "--arch" in p.opts}
    assert len(found) >= 15
    assert [name for name, kind in found.items() if not isinstance(kind, MachineName)] == ["validate "]
