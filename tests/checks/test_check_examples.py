"""The compiled examples get the verdicts their authors established, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli

LAUNCH = [
    *("--arg", "A=bf16[128,512]", "--arg", "B=bf16[128,512]", "--arg", "C=f32[128,128]:unwritten"),
    *("--arg", "N=128", "--arg", "K=512", "--block", "512", "--expect", "C = A @ B.T"),
]

VERDICTS = {
    "gemm8_asmread.gfx942.s": set(),
    "gemm8_asmread.gfx950.s": set(),
    "gemm8_asmread_fenced.gfx942.s": set(),
    "gemm8_asmread_unroll2_HAZARD.gfx942.s": {"missing-wait"},
    "gemm8_asmread_unroll2_tied.gfx942.s": set(),
    "gemm8_nobarrier_RACE.gfx942.s": {"lds-race"},
    "gemm8_plain.gfx942.s": set(),
    "gemm8_plain_32x32x8.gfx942.s": set(),
}


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(words), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return int(done.return_value or 0), done.output


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str, shared: Path) -> None:
    code, output = call("check", str(shared / "examples" / name), *LAUNCH, "--json")
    data = json.loads(output)
    bad = {finding["rule"] for finding in data["findings"] if finding["severity"] != "note"}
    assert bad == VERDICTS[name]
    assert code == (1 if bad else 0)
    assert data["good"] is not bool(bad)


def test_race_names_both_sites_and_a_byte(shared: Path) -> None:
    path = shared / "examples" / "gemm8_nobarrier_RACE.gfx942.s"
    _, output = call("check", str(path), *LAUNCH, "--sarif")
    results = json.loads(output)["runs"][0]["results"]
    (result, *_) = [each for each in results if each["ruleId"] == "lds-race"]
    lines = path.read_text().split("\n")
    first = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    second = result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"]
    assert "ds_read_b64" in lines[first - 1]
    assert "ds_write_b128" in lines[second - 1]
    assert "LDS byte" in result["message"]["text"]


def test_without_a_launch_the_code_alone_is_checked(shared: Path) -> None:
    path = str(shared / "examples" / "gemm8_asmread_unroll2_HAZARD.gfx942.s")
    code, output = call("check", path)
    assert code == 1
    assert "[missing-wait]" in output
    assert "[lds-race]" not in output


def test_run_of_assembly_checks_the_numbers(shared: Path) -> None:
    path = str(shared / "examples" / "gemm8_plain.gfx942.s")
    code, output = call("run", path, *LAUNCH, "--json", "-")
    data = json.loads(output)
    assert code == 0
    assert data["numerics"]["ok"]
    assert data["bounds"]["mfma"] == 1024
