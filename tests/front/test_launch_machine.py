"""What a launch says of the machine: the role of the loads, dynamic LDS; and which statement counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
GOOD = "source: x, confidence: assumed"


def latency_clk(path: Path, **options: object) -> int:
    return prepare(path, RunOptions(**options))[1].parameters.memory_latency_clk  # type: ignore[arg-type]


def test_a_ladder_kernel_says_stream_and_the_command_line_may_say_otherwise() -> None:
    kernel = KERNELS / "8wave.yaml"
    assert latency_clk(kernel, settings={"K": "256"}) == 685
    assert latency_clk(kernel, settings={"K": "256", "memory.latency_clk": "l2"}) == 288
    assert latency_clk(kernel, settings={"K": "256", "memory.latency_clk": "400"}) == 400


def test_a_machine_file_with_an_own_latency_goes_before_a_role(tmp_path: Path) -> None:
    kernel, machine = KERNELS / "8wave.yaml", tmp_path / "mine.yaml"
    machine.write_text(f"base: gfx942\nname: mine\nmemory:\n  latency_clk: {{value: 900, {GOOD}}}\n")
    assert latency_clk(kernel, settings={"K": "256"}, machine=str(machine)) == 900
    machine.write_text(f"base: gfx942\nname: mine\nmemory:\n  hbm_latency_clk: {{value: 906, {GOOD}}}\n")
    assert latency_clk(kernel, settings={"K": "256"}, machine=str(machine)) == (494 + 906) // 2


def test_a_launch_file_may_name_a_role(tmp_path: Path) -> None:
    source = (KERNELS / "lessons" / "one_read.s").read_text()
    (tmp_path / "k.s").write_text(source)
    launch = tmp_path / "k.launch.yaml"
    launch.write_text("workgroup: 64\narguments: {}\nmemory: {latency_clk: mall}\n")
    assert latency_clk(tmp_path / "k.s") == 494
    for bad, words in (("mal", "not a whole number"), ("{}", "not a whole number")):
        launch.write_text(f"workgroup: 64\narguments: {{}}\nmemory: {{latency_clk: {bad}}}\n")
        with pytest.raises(UserError, match=words):
            latency_clk(tmp_path / "k.s")
    launch.write_text("workgroup: 64\narguments: {}\nmemory: 5\n")
    with pytest.raises(UserError, match="a mapping is needed"):
        latency_clk(tmp_path / "k.s")


def test_dynamic_lds_comes_on_top_of_the_kernels_own(tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text((KERNELS / "lessons" / "one_read.s").read_text())
    own = prepare(path, RunOptions())[0].program.metadata.lds_bytes
    added = RunOptions(launch=LaunchOptions(dynamic_lds_bytes=4096))
    assert prepare(path, added)[0].program.metadata.lds_bytes == own + 4096
    launch = tmp_path / "k.launch.yaml"
    launch.write_text("workgroup: 64\narguments: {}\nconstants: {N: 8}\nlds: 64*N\n")
    assert prepare(path, RunOptions())[0].program.metadata.lds_bytes == own + 512
    launch.write_text("workgroup: 64\narguments: {}\nlds: -1\n")
    with pytest.raises(UserError, match="lds: -1 bytes"):
        prepare(path, RunOptions())
