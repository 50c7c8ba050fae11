"""Findings as SARIF 2.1.0, the form that code hosts and editors read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wavesim._version import __version__
from wavesim.checks.rules import RULES
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """One SARIF run with a result per finding; further places are related locations.

    The location of a compiled line is the line of its source; the assembly is related to it.
    """
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
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, rules) for finding in findings],
            }
        ],
    }


def _rule(name: str) -> dict[str, Any]:
    """A reportingDescriptor; a rule without texts is described by its id alone."""
    rule = RULES.get(name)
    if rule is None:
        return {"id": name}
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.short},
        "fullDescription": {"text": f"{rule.short} {rule.full}"},
        "help": {"text": f"{rule.full} See {rule.page} for a kernel with this fault and how to fix it."},
        "helpUri": rule.page,
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
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
        first = finding.spans[0]
        result["locations"] = [_location(first.source or first)]
        related = [first] if first.source is not None else []
        for span in finding.spans[1:]:
            related += [span] if span.source is None else [span.source, span]
        if related:
            result["relatedLocations"] = [
                {"id": number, **_location(span)} for number, span in enumerate(related)
            ]
    if finding.waves:
        result["properties"] = {"waves": list(finding.waves)}
    return result


def _location(span: SourceSpan) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": span.file}}
    if span.line:
        place["region"] = {"startLine": span.line, **({"startColumn": span.column} if span.column else {})}
    return {"physicalLocation": place}
