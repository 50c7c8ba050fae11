"""run --memory: predicted global memory in the report, and the same from both engines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.words import number

ROOT = Path(__file__).parents[2]
LARGE = ["--set", "M=16384", "--set", "N=16384", "--set", "K=256"]
"""Matrices that no cache holds: 1 GiB of results."""


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, ["run", str(ROOT / "kernels/8wave.yaml"), "--arch", "MI325X", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_dispatch_is_predicted_and_both_engines_agree() -> None:
    found = json.loads(run("--memory", "dispatch", *LARGE, "--engine", "both", "--json"))
    jsonschema.validate(found, json.loads((ROOT / "docs/schema/run.schema.json").read_text()))
    memory, throughput = found["memory"], found["throughput"]
    assert memory["round"] == "cold"
    assert memory["assumed"] == []
    assert 0 < memory["later_round_clk"] < throughput["clk"]
    span = throughput["clk"] + (throughput["rounds"] - 1) * memory["later_round_clk"]
    flop = throughput["workgroups"] * throughput["flop"]
    assert abs(throughput["tflops_with_tail"] - flop / span * found["clock_ghz"] / 1e3) < 1e-6
    assert abs(sum(memory["share"].values()) - 1) < 1e-9


def test_the_report_says_where_lines_come_from_and_what_is_assumed() -> None:
    shown = " ".join(
        run("--details", "--memory", "warm", "--set", "M=1024", "--set", "N=1024", "--set", "K=256").split()
    )
    assert "warm round of workgroups: 100 % of lines find L2" in shown
    assert "an earlier launch left all" in shown


def test_the_levels_of_memory_are_bounds_and_the_tightest_is_named() -> None:
    """The rows of the DRAM limit the first round, far beyond what the path of the unit would allow. Later
    rounds find B in the Infinity Cache."""
    cold = json.loads(run("--memory", "cold", *LARGE, "--json"))
    assert cold["bound_details"]["binding"] == "hbm"
    assert cold["clk_per_iteration"] >= cold["bounds"]["hbm"] > 2 * cold["bounds"]["global_bytes"]
    assert cold["bounds"]["mall"] == 0
    warm = json.loads(run("--memory", "warm", *LARGE, "--json"))
    assert 0 < warm["bounds"]["hbm"] < cold["bounds"]["hbm"]
    assert warm["bounds"]["mall"] > 0
    assert max(warm["bounds"].values()) <= warm["clk_per_iteration"] < cold["clk_per_iteration"]
    unpredicted = json.loads(run("--set", "memory.latency_clk=700", "--set", "K=256", "--json"))
    assert unpredicted["bounds"]["hbm"] is None


def test_the_whole_dispatch_stands_before_its_first_round() -> None:
    text = run("--details", "--clock", "sustained", *LARGE)
    found = json.loads(run("--clock", "sustained", *LARGE, "--json"))
    dispatch, alone = (re.search(rf"^{name} +([\d.]+)", text, re.M) for name in ("dispatch", "TFLOP/s"))
    assert dispatch.start() < alone.start()
    assert float(dispatch[1]) == pytest.approx(found["throughput"]["tflops_with_tail"], rel=1e-3)
    assert float(alone[1]) == pytest.approx(found["tflops"], rel=1e-3)
    later = found["memory"]["later_round_clk_per_iteration"]
    assert later < found["clk_per_iteration"]
    assert f"clk, {number(later)} clk/iteration" in " ".join(text.split())


def test_the_report_has_intervals_of_clocks_and_throughput() -> None:
    """Memory is known to 10 %, the clock of an MI325X from 1.47 to 1.66 GHz of 1.63."""
    text = run("--clock", "sustained", "--json", *LARGE)
    whole = json.loads(text)["throughput"]["tflops_with_tail"]
    per_iteration = json.loads(text)["clk_per_iteration"]
    shown = " ".join(run("--details", *LARGE).split())
    low, high = re.search(r"of memory and clock ([\d.]+) to ([\d.]+)", shown).groups()
    assert float(low) == pytest.approx(whole * 1.47 / 1.63 * 0.9, rel=1e-3)
    assert float(high) == pytest.approx(whole * 1.66 / 1.63 * 1.1, rel=1e-3)
    low, high = re.search(r"; ([\d.]+) to ([\d.]+) clk/iteration", shown).groups()
    assert float(low) == pytest.approx(per_iteration / 1.1, rel=1e-3)
    assert float(high) == pytest.approx(per_iteration / 0.9, rel=1e-3)


def test_a_named_device_is_predicted_unless_a_latency_is_set() -> None:
    small = ["--set", "M=1024", "--set", "N=1024", "--set", "K=256", "--json"]
    assert json.loads(run(*small))["memory"]["round"] == "cold"
    assert json.loads(run(*small, "--set", "memory.latency_clk=700"))["memory"] is None


PLAIN = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.text
.globl plain
.p2align 8
.type plain,@function
plain:
s_load_dwordx2 s[2:3], s[0:1], 0x0
v_lshlrev_b32_e32 v1, 4, v0
s_waitcnt lgkmcnt(0)
global_load_dwordx4 v[8:11], v1, s[2:3]
s_waitcnt vmcnt(0)
s_endpgm
.section .rodata,"a",@progbits
.p2align 6
.amdhsa_kernel plain
.amdhsa_next_free_vgpr 16
.amdhsa_next_free_sgpr 32
.amdhsa_accum_offset 16
.amdhsa_kernarg_size 8
.amdhsa_user_sgpr_kernarg_segment_ptr 1
.end_amdhsa_kernel
"""


@pytest.mark.parametrize(
    ("arch", "device"), [("gfx942", "MI300X"), ("gfx950", "MI355X"), ("gfx90a", "MI210")]
)
def test_an_architecture_is_predicted_as_the_device_whose_figures_it_has(
    arch: str, device: str, tmp_path: Path
) -> None:
    """Unless somebody says what a load takes: the run, the kernel's launch file, or a machine file."""
    kernel, machine = tmp_path / "plain.s", tmp_path / "mine.yaml"
    kernel.write_text(PLAIN.replace("gfx942", arch))

    def memory(*words: str) -> dict[str, object] | None:
        given = [str(kernel), "--block", "64", "--arg", "A=f32[256]:random", "--json", *words]
        done = CliRunner().invoke(cli, ["run", *given])
        assert done.exit_code == 0, done.output
        found: dict[str, object] | None = json.loads(done.output)["memory"]
        return found

    plain, on_device = memory(), memory("--arch", device)
    assert plain is not None
    assert on_device is not None
    assert plain["assumed"] == [f"the device is {device}, whose figures {arch} has", *on_device["assumed"]]
    assert {**plain, "assumed": 0} == {**on_device, "assumed": 0}
    assert memory("--set", "memory.latency_clk=stream") is None
    good = "source: x, confidence: assumed"
    machine.write_text(f"base: {arch}\nname: mine\nmemory:\n  latency_clk: {{value: l2, {good}}}\n")
    assert memory("--machine", str(machine)) is None
    machine.write_text(f"base: {arch}\nname: mine\nmemory:\n  hbm_latency_clk: {{value: 906, {good}}}\n")
    assert memory("--machine", str(machine)) is not None
