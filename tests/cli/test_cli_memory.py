"""run --memory: predicted global memory in the report, and the same from both engines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli

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
