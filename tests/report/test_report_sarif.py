"""SARIF: every field the 2.1.0 schema requires, help for each rule, and the levels of the exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wavesim.checks.rules import RULES
from wavesim.cli.main import cli
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity
from wavesim.report.export.sarif import sarif

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = (
    Finding(
        "lds-race",
        Severity.ERROR,
        "a races b",
        (SourceSpan("k.s", 7, 2), SourceSpan("k.s", 3)),
        (0, 1),
        "wait",
    ),
    Finding("occupancy", Severity.NOTE, "2 waves", (SourceSpan("k.s"),)),
    Finding("wrong-result", Severity.ERROR, "3 elements are wrong"),
)


def check_document(document: dict[str, Any]) -> None:
    """What the schema requires of the parts used here."""
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    for run in document["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        for rule in driver["rules"]:
            assert rule["id"]
            for text in ("shortDescription", "fullDescription", "help"):
                assert rule[text]["text"]
            assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        for result in run["results"]:
            assert result["message"]["text"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            for location in [*result.get("locations", []), *result.get("relatedLocations", [])]:
                place = location["physicalLocation"]
                assert place["artifactLocation"]["uri"]
                assert place.get("region", {"startLine": 1})["startLine"] >= 1
                assert place.get("region", {}).get("startColumn", 1) >= 1
            numbers = [each["id"] for each in result.get("relatedLocations", [])]
            assert numbers == sorted(set(numbers))


def test_required_fields() -> None:
    document = sarif(FINDINGS)
    check_document(document)
    (race, occupancy, wrong) = document["runs"][0]["results"]
    assert [each["level"] for each in (race, occupancy, wrong)] == ["error", "note", "error"]
    assert race["locations"][0]["physicalLocation"]["region"] == {"startLine": 7, "startColumn": 2}
    assert race["properties"]["waves"] == [0, 1]
    assert "locations" not in wrong


def test_no_findings_is_a_valid_run() -> None:
    check_document(sarif(()))


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_has_its_page(rule: Any) -> None:
    page = ROOT / rule.page
    assert page.is_file(), rule.page
    assert page.read_text(encoding="utf-8").startswith(f"# `{rule.id}`")
    assert re.fullmatch(r"[A-Z]\w+", rule.name)


def test_every_rule_that_the_code_can_raise_is_described() -> None:
    raised = set()
    for path in (ROOT / "wavesim").rglob("*.py"):
        for match in re.finditer(r'(?:Finding\(|_Need\([^"\n]*|rule=)\s*"([a-z-]+)"', path.read_text()):
            raised.add(match.group(1))
    assert raised >= {"missing-wait", "wait-too-strong", "lds-race", "occupancy", "mfma-hazard"}
    assert raised <= set(RULES)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(words), standalone_mode=False)
    assert done.exception is None, done.exception
    return int(done.return_value or 0), done.output


def test_exit_codes_of_the_command(tmp_path: Path) -> None:
    """Notes give 0 and are shown; an error gives 1; both forms carry the same findings."""
    path = tmp_path / "kernel.s"
    load = "kernel:\n\tglobal_load_dword v2, v0, s[0:1]\n"
    end = "\tv_mov_b32 v3, v2\n\ts_endpgm\n"
    idle = "\ts_waitcnt vmcnt(0)\n\tv_mov_b32 v4, 0\n\ts_waitcnt vmcnt(0)\n"
    for text, code, rule in ((load + idle + end, 0, "wait-too-strong"), (load + end, 1, "missing-wait")):
        path.write_text(text)
        given, output = run("check", str(path), "--arch", "gfx942", "--sarif")
        document = json.loads(output)
        check_document(document)
        assert given == code
        assert rule in {each["ruleId"] for each in document["runs"][0]["results"]}
        given, output = run("check", str(path), "--arch", "gfx942", "--json")
        data = json.loads(output)
        assert given == code
        assert data["good"] is (code == 0)
        assert [each["rule"] for each in data["findings"]] == [
            each["ruleId"] for each in document["runs"][0]["results"]
        ]
        given, output = run("check", str(path), "--arch", "gfx942")
        assert given == code
        assert f"[{rule}]" in output
