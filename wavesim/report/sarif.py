"""Findings as SARIF 2.1.0, the form that code hosts and editors read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wavesim import __version__
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """One SARIF run with a result per finding; further places are related locations."""
    rules = sorted({finding.rule for finding in findings})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "wavesim",
                        "version": __version__,
                        "rules": [{"id": rule, "helpUri": f"docs/checks.md#{rule}"} for rule in rules],
                    }
                },
                "results": [_result(finding, rules) for finding in findings],
            }
        ],
    }


def _result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    text = finding.message + (f"; {finding.fix}" if finding.fix else "")
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": LEVELS[finding.severity],
        "message": {"text": text},
    }
    if finding.spans:
        result["locations"] = [_location(finding.spans[0])]
        if len(finding.spans) > 1:
            result["relatedLocations"] = [_location(span) for span in finding.spans[1:]]
    if finding.waves:
        result["properties"] = {"waves": list(finding.waves)}
    return result


def _location(span: SourceSpan) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": span.file}}
    if span.line:
        place["region"] = {"startLine": span.line, **({"startColumn": span.column} if span.column else {})}
    return {"physicalLocation": place}
