"""Places of compiled code: the source line stands beside the assembly line in every kind of output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity
from wavesim.report.export.sarif import sarif
from wavesim.report.json.run import finding_json as run_finding_json
from wavesim.report.text.findings import finding_json

KERNEL = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.file 1 "src" "k.hip"
.loc 1 4 9
ds_read_b32 v1, v0
.loc 1 5 2
v_add_u32_e32 v2, v1, v1
.loc 1 0 0
s_endpgm
"""
READ, USE = (
    SourceSpan("k.s", 5, 0, SourceSpan("src/k.hip", 4, 9)),
    SourceSpan("k.s", 7, 0, SourceSpan("src/k.hip", 5, 2)),
)
FINDING = Finding("missing-wait", Severity.ERROR, "v1 is not there", (USE, READ, SourceSpan("k.s", 8)))


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("k.s").write_text(KERNEL)
    return "k.s"


def test_a_place_shows_both_lines_and_is_still_the_same_place() -> None:
    assert str(USE) == "k.s:7 (src/k.hip:5)"
    assert SourceSpan("k.s", 7) == USE
    assert len({USE, SourceSpan("k.s", 7)}) == 1


def test_text(kernel: str) -> None:
    shown = CliRunner().invoke(cli, ["check", kernel]).output
    assert "k.s:7 (src/k.hip:5): error: " in shown
    assert "also k.s:5 (src/k.hip:4)" in shown


def test_json(kernel: str) -> None:
    document = json.loads(CliRunner().invoke(cli, ["check", "--json", kernel]).output)
    places = next(each for each in document["findings"] if each["rule"] == "missing-wait")["places"]
    assert places[0] == {
        "file": "k.s",
        "line": 7,
        "column": 0,
        "source": {"file": "src/k.hip", "line": 5, "column": 2},
    }
    written = finding_json(FINDING)
    assert [each.get("source", {}).get("line") for each in written["places"]] == [5, 4, None]
    assert run_finding_json(FINDING) == written


def test_sarif_points_at_the_source_and_relates_the_assembly() -> None:
    (result,) = sarif([FINDING])["runs"][0]["results"]
    uris = [each["physicalLocation"]["artifactLocation"]["uri"] for each in result["relatedLocations"]]
    first = result["locations"][0]["physicalLocation"]
    assert first["artifactLocation"]["uri"] == "src/k.hip"
    assert first["region"] == {"startLine": 5, "startColumn": 2}
    assert uris == ["k.s", "src/k.hip", "k.s", "k.s"]
