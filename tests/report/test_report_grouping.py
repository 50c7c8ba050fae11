"""Findings of one pattern are grouped on the terminal; nothing is left out of counts, JSON and SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity
from wavesim.report.text.grouping import form, grouped, lines_text

PAIRS = 42


def finding(
    message: str, line: int = 1, rule: str = "wait-states", severity: Severity = Severity.ERROR
) -> Finding:
    return Finding(rule, severity, message, (SourceSpan("k.s", line),))


def test_a_pattern() -> None:
    one = finding("v_add_u32 uses v4, v5 written by v_mov_b32 after 0 wait states")
    assert form(one) == form(finding("v_add_u32 uses s[4:7] written by v_mov_b32 after 12 wait states"))
    assert form(one) == form(finding("v_add_u32 uses vcc written by v_mov_b32 after 0 wait states"))
    for other in (
        finding("v_add_u32 uses v4, v5 written by v_mov_b64 after 0 wait states"),
        finding("v_add_u32 uses v4, v5 written by v_mov_b32 after 0 wait states", rule="mfma-hazard"),
        finding("v_add_u32 uses v4, v5 written by v_mov_b32 after 0 wait states", severity=Severity.NOTE),
    ):
        assert form(one) != form(other)
    assert [len(group) for group in grouped([one, finding("x", rule="occupancy"), one])] == [2, 1]


def test_runs_of_lines() -> None:
    assert lines_text([finding("", line) for line in (4, 5, 6, 9, 12, 13)]) == "lines 4-6, 9, 12-13"
    assert lines_text([finding("", 4)]) == "line 4"
    assert lines_text([finding("", 2 * line) for line in range(1, 20)]).endswith("14, 16 ...")
    assert lines_text([Finding("wrong-result", Severity.ERROR, "x")]) == ""


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    pairs = "".join(
        f"v_mov_b32 v{place}, 0\nv_mov_b32_dpp v100, v{place} row_shr:1\n" for place in range(1, PAIRS + 1)
    )
    path = tmp_path / "k.s"
    carry = "v_add_co_u32 v3, vcc, v0, v0\nv_addc_co_u32 v4, vcc, v0, v0, vcc\n"
    path.write_text(f'.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\nk:\n{carry}{pairs}s_endpgm\n')
    return path


def check(kernel: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["check", str(kernel), *options], standalone_mode=False)
    if isinstance(done.exception, click.UsageError):
        return 2, done.exception.message
    return int(done.return_value), done.output


def test_the_terminal_shows_the_first_and_how_many(kernel: Path) -> None:
    code, text = check(kernel)
    assert code == 1
    assert text.count("[wait-states]") == 2
    assert f"and {PAIRS - 1} more like it (lines 8, 10" in text
    assert text.rstrip().endswith(f"k: not clean ({PAIRS} errors, 2 notes)")
    one = check(kernel, "--max", "1")[1]
    assert one.count("[wait-states]") == 1
    assert "2 more patterns (2 findings) not shown: --max 0 shows all" in one
    assert f"({PAIRS} errors, 2 notes)" in one
    assert check(kernel, "--max", "0")[1] == text


def test_only_some_rules(kernel: Path) -> None:
    code, text = check(kernel, "--rule", "occupancy")
    assert code == 1  # what is wrong stays wrong
    assert "[wait-states]" not in text
    assert f"{PAIRS + 1} findings of other rules not shown" in text
    assert f"({PAIRS} errors, 2 notes)" in text
    assert check(kernel, "--rule", "occupancy", "--rule", "wait-states")[1] == check(kernel)[1]
    code, text = check(kernel, "--rule", "wait-state")
    assert code == 2
    assert "did you mean wait-states?" in text


def test_json_and_sarif_keep_all(kernel: Path, tmp_path: Path) -> None:
    data = json.loads(check(kernel, "--json", "--max", "1", "--rule", "occupancy")[1])
    assert len(data["findings"]) == PAIRS + 2
    check(kernel, "--sarif", str(tmp_path / "k.sarif"), "--max", "1")
    results = json.loads((tmp_path / "k.sarif").read_text())["runs"][0]["results"]
    assert len(results) == PAIRS + 2


def test_strict(kernel: Path) -> None:
    assert f"({PAIRS + 1} errors, 1 note)" in check(kernel, "--strict")[1]
