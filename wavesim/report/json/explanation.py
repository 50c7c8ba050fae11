"""The explanation as JSON: the fields of docs/schema/explain.schema.json, in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from wavesim.errors import SourceSpan
from wavesim.explanation.advice import Advice
from wavesim.explanation.explanation import Explanation
from wavesim.explanation.patch import Patch
from wavesim.report.json.run import Json
from wavesim.report.json.schemas import headed
from wavesim.report.json.trust import trust_json


def _span(span: SourceSpan | None) -> Json:
    return None if span is None else {"file": span.file, "line": span.line, "column": span.column}


def _event(event: Sequence[str | int], code: int) -> Json:
    kind, wave, row = event
    return {"kind": kind, "wave": wave, "row": row, "code": code}


def _advice_json(each: Advice) -> Json:
    return {
        "kind": each.kind,
        "text": each.text,
        "places": [_span(span) for span in each.spans],
        "clk": each.clk,
        "gain_clk": each.gain_clk,
        "exact": each.exact,
        "checked": each.how_checked,
        "name": each.name,
        "patch": None if each.patch is None else _patch_json(each.patch),
    }


def _patch_json(patch: Patch) -> Json:
    return {
        "file": patch.file,
        "ending": patch.ending,
        "diff": patch.diff,
        "why_assembly": patch.why_assembly or None,
    }


def explanation_json(found: Explanation) -> dict[str, Json]:
    """The report as plain data (docs/schema/explain.schema.json)."""
    run, path = found.run, found.path
    report: dict[str, Json] = {
        "kernel": run.kernel.name,
        "file": run.kernel.file,
        "arch": run.analysis.arch,
        "machine": run.machine.name,
        "diagnosis": run.diagnosis,
        "to_try": run.to_try,
        "clk": found.pace_clk,
        "steady_clk": found.steady_clk,
        "per_iteration": found.per_iteration,
        "critical_path": {
            "clk": path.clk,
            "periods": path.periods,
            "period_clk": path.period_clk,
            "period_iterations": path.period_iterations,
            "iterations": path.iterations,
            "by_cause": dict(path.by_cause),
            "links": [
                {
                    "after": _event(link.after, link.after_code),
                    "event": _event(link.event, link.code),
                    "clk": link.clk,
                    "cause": link.cause,
                }
                for link in path.links
            ],
            "slack_clk": [
                {"wave": wave, "code": code, "clk": clk} for (wave, code), clk in path.slack_clk.items()
            ],
        },
        "lines": [
            {
                "waves": list(group.waves),
                "lines": [
                    {
                        "place": _span(line.span),
                        "opcode": line.opcode,
                        "instructions": line.instructions,
                        "clk": line.clk,
                        "by_reason": dict(line.by_reason),
                    }
                    for line in table
                ],
            }
            for group, table in zip(run.analysis.groups, found.lines, strict=True)
        ],
        "what_if": [
            {
                "name": each.name,
                "text": each.text,
                "clk": each.clk,
                "gain_clk": each.gain_clk,
                "share": each.share,
                "exact": each.exact,
                "run_gain_clk": each.run_gain_clk,
                "at_bound": each.at_bound or None,
            }
            for each in found.ladder
        ],
        "exposed": [
            {
                "place": _span(each.span),
                "wait": _span(each.wait),
                "opcode": each.opcode,
                "kind": each.kind,
                "loads": each.loads,
                "latency_clk": list(each.latency_clk),
                "exposed_clk": each.exposed_clk,
                "mfmas": each.mfmas,
                "mfma_clk": each.mfma_clk,
            }
            for each in found.exposed
        ],
        "strong_waits": [
            {
                "place": _span(each.span),
                "written": each.written,
                "enough": each.enough,
                "cost_clk": each.cost_clk,
            }
            for each in found.strong_waits
        ],
        "advice": [_advice_json(each) for each in found.advice],
        "tried": found.tried,
        "trust": trust_json(run),
    }
    return headed("explain", report)


def explanation_json_text(found: Explanation) -> str:
    """The JSON report as text."""
    return json.dumps(explanation_json(found), indent=1, ensure_ascii=False) + "\n"
