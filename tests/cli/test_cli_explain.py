"""``wavesim explain``: the report, its width and characters, JSON, exit codes; always the same bytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from json_schemas import validate

from wavesim.explanation.explanation import explain_kernel
from wavesim.explanation.reproduce import what_if_options
from wavesim.pipeline.run import RunOptions, run_kernel

ROOT = Path(__file__).resolve().parents[2]
STRONG = "kernels/lessons/strong_wait.s"


def wavesim(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wavesim", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONUTF8": "1"},
        timeout=120,
        check=False,
    )


def explain(*words: str) -> str:
    done = wavesim("explain", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def report() -> str:
    return explain(STRONG)


def test_the_report_has_its_parts(report: str) -> None:
    assert re.findall(r"^(\w+) ", report, re.MULTILINE)[1:6] == ["verdict", "speed", "why", "try", "next"]
    for part in ("ost goes to", "Critical path", "The chain", "What if", "Exposed latency", "Advice"):
        assert part in report
    assert "in steady state 260 clk per iteration" in " ".join(report.split())
    assert f"{STRONG}:32: wait step by step" in report
    assert re.search(r"Would save \S+ clk per iteration", " ".join(report.split()))
    assert max(len(line) for line in report.split("\n")) <= 80


def test_one_process_or_two_print_the_same_bytes(report: str) -> None:
    assert explain(STRONG, "--processes", "1") == report
    assert explain(STRONG, "--processes", "2") == report


def test_plain_ascii_has_no_other_characters() -> None:
    explain(STRONG, "--ascii", "--width", "60").encode("ascii")


@pytest.mark.parametrize(
    "kernel", [STRONG, "kernels/lessons/one_read.s", "kernels/lessons/double_buffer.yaml"]
)
def test_json_keeps_its_schema_and_adds_up(kernel: str) -> None:
    data: dict[str, Any] = json.loads(explain(kernel, "--json"))
    validate(data, "explain")
    path = data["critical_path"]
    assert sum(link["clk"] for link in path["links"]) == path["clk"] == sum(path["by_cause"].values())
    if data["per_iteration"]:
        assert path["clk"] == path["periods"] * path["period_clk"]
        for group in data["lines"]:
            assert sum(line["clk"] for line in group["lines"]) == pytest.approx(data["steady_clk"])


def test_what_cannot_be_explained() -> None:
    stuck = wavesim("explain", "kernels/seed/v1.yaml")
    assert stuck.returncode == 1
    assert "do not finish" in stuck.stderr
    assert "Traceback" not in stuck.stderr
    missing = wavesim("explain", "nothing.yaml")
    assert missing.returncode == 2
    assert "no such file" in missing.stderr


def test_a_faulty_kernel_is_explained_and_called_so(report: str) -> None:
    assert "This kernel is not right" in explain("kernels/wrong/lds-buffer-overrun.yaml")
    assert "not right" not in report


def test_help_is_quick_and_names_it() -> None:
    assert "explain" in wavesim("--help").stdout
    assert "critical path" in wavesim("explain", "--help").stdout


def test_a_piece_of_a_foreign_kernel_is_explained_with_marks() -> None:
    piece = ("kernels/foreign/piece.s", "--region", ".Lloop:.Ldone", "--waves", "4", "--allow-unknown")
    text = explain(*piece)
    assert text.startswith("piece[.Lloop:.Ldone] on gfx950: ")
    assert re.search(r"^speed +[\d.]+\? clk per iteration", text, re.MULTILINE)
    assert "--apply" not in text.split("\nAdvice")[1]  # a piece has no file of its own
    assert "Not known" in text
    assert "v_softcap_f32" in text


@pytest.mark.parametrize("kernel", [STRONG, "kernels/8wave.yaml", "kernels/8wave_pingpong.yaml"])
def test_each_row_is_what_run_gives_for_its_name(kernel: str) -> None:
    """What ``run --what-if NAME`` does, for every row of the ladder, stagger included."""
    options = RunOptions(settings={"K": "768"} if kernel.endswith(".yaml") else {})
    path = ROOT / kernel
    found = explain_kernel(path, options, processes=1)
    ladder = found.ladder
    assert len(ladder) >= 5
    for row in ladder:
        run = run_kernel(path, what_if_options(path, options, row.name))
        assert run.what_if == row.text
        assert run.analysis.loop is not None
        assert run.analysis.loop.clk_per_iteration == pytest.approx(row.clk)
        assert run.analysis.clk_total == found.run.analysis.clk_total - row.run_gain_clk


def test_a_what_if_run_says_that_it_is_one() -> None:
    done = wavesim("run", STRONG, "--what-if", "free_waits")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("strong_wait on gfx942, if no s_waitcnt ever waited: ")
    assert "timed as if no s_waitcnt ever waited" in " ".join(done.stdout.split())


def test_a_what_if_that_is_none() -> None:
    done = wavesim("run", STRONG, "--what-if", "no_barier")
    assert done.returncode == 2
    assert "did you mean no_barrier?" in done.stderr
    done = wavesim("run", STRONG, "--what-if", "no_bank_conflicts")
    assert done.returncode == 2
    assert "nothing here changes" in done.stderr
