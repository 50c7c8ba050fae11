"""One sentence says what the time goes to: made from the what-ifs in one place, the same in every report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.explanation import diagnosis as module
from wavesim.explanation.diagnosis import UNTIMED, diagnosis
from wavesim.explanation.explanation import explain_kernel
from wavesim.explanation.glance import at_a_glance
from wavesim.explanation.pace import timed
from wavesim.explanation.whatif import Rung
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.report.json.run import run_json

ROOT = Path(__file__).resolve().parents[2]
STRONG = ROOT / "kernels/lessons/strong_wait.s"


@pytest.fixture(scope="module")
def strong() -> Run:
    return run_kernel(STRONG, RunOptions())


def said(run: Run, *rungs: Rung) -> str:
    return diagnosis(run, timed(run)[1], rungs)


def test_the_largest_gain_that_does_not_make_the_run_slower_is_named(strong: Run) -> None:
    text = said(
        strong,
        Rung("no_barrier", "no barriers", 100.0, 193.0, 0.6, True, -40),  # the run as a whole is slower
        Rung("youngest_first", "the youngest won", 120.0, 173.0, 0.6, True, 40),  # an order, no cause
        Rung("lds_latency_0", "LDS were quick", 250.0, 43.0, 0.1, True, 40),
        Rung("free_waits", "no waits", 200.0, 93.0, 0.3, True, 40),
    )
    assert text == (
        "Most goes to waiting at s_waitcnt: 200 in place of 285 clk per iteration if no waits; "
        "next is LDS latency: 250."
    )


def test_without_a_gain_it_says_so(strong: Run) -> None:
    text = said(strong, Rung("free_waits", "no waits", 292.0, 1.0, 0.0, True, 8))
    assert text == "No single cause costs 4 clk."


def test_a_kernel_at_its_bound_is_said_to_be() -> None:
    run = run_kernel(ROOT / "kernels/8wave_256.yaml", RunOptions(settings={"K": "2048"}))
    text = at_a_glance(run).diagnosis
    assert text.startswith(
        "99.1 % of what is possible (matrix pipes) is reached; most goes to the matrix pipe: "
    )


def test_every_report_says_the_same(tmp_path: Path) -> None:
    kernel = str(STRONG)
    sentence = explain_kernel(STRONG, RunOptions(), processes=1).run.diagnosis
    assert sentence.startswith("Most goes to the matrix pipe: ")
    for command in (("run", kernel), ("explain", kernel), ("compare", kernel, kernel)):
        printed = CliRunner().invoke(cli, [*command, "--width", "100"])
        assert sentence in " ".join(printed.output.split())
        data = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
        assert all(each["diagnosis"] == sentence for each in data.get("kernels", [data]))
    page = tmp_path / "page.html"
    for more in ([], ["--no-explain"]):
        assert CliRunner().invoke(cli, ["report", kernel, "-o", str(page), *more]).exit_code == 0
        assert json.dumps(sentence) in page.read_text(encoding="utf-8")


def test_only_what_is_cheap_and_true_is_diagnosed_by_the_way(
    strong: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_a_glance(strong).diagnosis
    assert not at_a_glance(run_kernel(ROOT / "kernels/seed/v1.yaml", RunOptions())).diagnosis  # deadlock
    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_INSTRUCTIONS", 10)
        assert at_a_glance(strong).diagnosis == UNTIMED
    monkeypatch.setattr(module, "default_engine", lambda: "simpy")
    assert at_a_glance(strong).diagnosis == UNTIMED
    assert run_json(at_a_glance(strong))["diagnosis"] is None


def test_a_run_does_not_load_the_graph_library_for_it() -> None:
    code = "import sys, wavesim.explanation.diagnosis; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
