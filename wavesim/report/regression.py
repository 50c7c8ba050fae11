"""Runs against a stored report: what became slower, as a gate for continuous integration."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.pipeline.run import Run
from wavesim.report.json.run import Json
from wavesim.report.json.schemas import schema_file
from wavesim.source_text import read_text
from wavesim.words import number, signed_percent

FIGURES = (("clk_per_iteration", "clk/iteration"), ("clk_total", "clk total"))
"""What is compared, as the report's key and as the tables call it. Fewer clocks are better."""
_HINT = "wavesim run KERNEL --json FILE makes one"


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of a kernel then and now; ``share`` is the growth, 0.02 for 2 % more clocks."""

    kernel: str
    figure: str
    label: str
    before: float
    now: float

    @property
    def share(self) -> float:
        """The growth, as a share of what it was."""
        return self.now / self.before - 1

    def within(self, tolerance: float) -> bool:
        """Whether it grew by no more than ``tolerance``; faster is always within."""
        return self.now <= self.before * (1 + tolerance)


def read_reports(path: Path) -> list[dict[str, Any]]:
    """The reports in a file of ``run --json`` or ``compare --json``.

    Raises:
        UserError: it cannot be read, or holds something else.
    """
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"no JSON: {error.msg}", SourceSpan(str(path), error.lineno), _HINT) from None
    except RecursionError:
        raise UserError("nested too deeply", SourceSpan(str(path)), _HINT) from None
    several = isinstance(data, dict) and data.get("schema") in (schema_file("compare"), "compare")
    reports = data.get("kernels") if several else [data]
    if not isinstance(reports, list) or not all(map(_is_report, reports)):
        raise UserError("no report of a run", SourceSpan(str(path)), _HINT)
    return reports


def _is_report(data: object) -> bool:
    if not isinstance(data, dict) or data.get("schema") != schema_file("run"):
        return False
    texts = all(isinstance(data.get(key), str) for key in ("kernel", "file", "machine"))
    return texts and _clk(data, "clk_total") is not None


def _clk(report: dict[str, Any], key: str) -> float | None:
    value = report.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None


def changes(runs: Sequence[Run], path: Path) -> list[Change]:
    """The figures of ``runs`` against the reports in ``path``, by file and kernel.

    Raises:
        UserError: no report of a kernel, or one of another machine or other work, which says nothing.
    """
    reports = read_reports(path)
    found = []
    for run in runs:
        name, span = run.kernel.name, SourceSpan(str(path))
        report = _report_of(run, reports, span)
        if report["machine"] != run.machine.name:
            message = f"{name} was stored for {report['machine']}, and ran on {run.machine.name}"
            raise UserError(message, span, "give the same --arch or --machine")
        before, now = _flop(report), run.analysis.throughput
        if now is not None and before is not None and before != now.flop:
            message = f"{name} did {before} FLOP when it was stored, and does {now.flop}"
            raise UserError(message, span, "give the same sizes, or store it anew")
        loop = run.analysis.loop
        figures = {
            "clk_per_iteration": loop.clk_per_iteration if loop else None,
            "clk_total": float(run.analysis.clk_total),
        }
        for key, label in FIGURES:
            stored, measured = _clk(report, key), figures[key]
            if stored is not None and measured is not None:
                found.append(Change(name, key, label, stored, measured))
    return found


def _report_of(run: Run, reports: Sequence[dict[str, Any]], span: SourceSpan) -> dict[str, Any]:
    same = [each for each in reports if each["kernel"] == run.kernel.name]
    file = os.path.normpath(run.kernel.file)
    here = [each for each in same if os.path.normpath(each["file"]) == file] or same
    if len(here) != 1:
        names = ", ".join(f"{each['file']} ({each['kernel']})" for each in reports)
        message = f"{'no' if not here else 'more than one'} report of kernel {run.kernel.name}"
        raise UserError(message, span, f"it has {names}")
    return here[0]


def _flop(report: dict[str, Any]) -> int | None:
    throughput = report.get("throughput")
    flop = throughput.get("flop") if isinstance(throughput, dict) else None
    return flop if isinstance(flop, int) else None


def change_lines(found: Sequence[Change], tolerance: float) -> list[str]:
    """A line for each figure, and whether it is within the tolerance."""
    return [
        f"{each.kernel}: {each.label} {number(each.before)} -> {number(each.now)}, "
        f"{signed_percent(each.share)}: {_word(each, tolerance)}"
        for each in found
    ]


def _word(change: Change, tolerance: float) -> str:
    if not change.within(tolerance):
        return f"slower by more than {number(100 * tolerance, 2)} %"
    return "faster" if change.now < change.before else "same" if change.now == change.before else "within"


def changes_json(found: Sequence[Change], tolerance: float) -> Json:
    """The same as plain data."""
    return {
        "tolerance": tolerance,
        "figures": [
            {
                "kernel": each.kernel,
                "figure": each.figure,
                "before": each.before,
                "now": each.now,
                "change": each.share,
                "within": each.within(tolerance),
            }
            for each in found
        ],
    }
