"""The JSON report: the fields of docs/schema/run.schema.json, in a fixed order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from wavesim._version import __version__
from wavesim.analyze.culprits import Culprit, blamed_stalls
from wavesim.analyze.result import BOUND_NAMES, Analysis, Loop, WaveGroup
from wavesim.errors import SourceSpan
from wavesim.explanation.diagnosis import UNTIMED
from wavesim.pipeline.run import Run
from wavesim.program import Finding
from wavesim.report.figures import FIGURES
from wavesim.report.json.schemas import headed
from wavesim.report.json.trust import trust_json
from wavesim.report.text.unknowns import unknowns_json
from wavesim.report.text.wrong_elements import wrong_json
from wavesim.trace import REASON_NAMES, Timeline

CULPRIT_SHARE = 0.01

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def run_json(run: Run) -> dict[str, Json]:
    """The report as plain data. Shares are 0..1, clocks shader clocks, absent figures null."""
    analysis, kernel = run.analysis, run.kernel
    loop, overlap, bounds, throughput = (
        analysis.loop,
        analysis.overlap,
        analysis.bounds,
        analysis.throughput,
    )
    per_iteration = loop is not None
    report: dict[str, Json] = {
        "wavesim": __version__,
        "kernel": kernel.name,
        "file": kernel.file,
        "arch": analysis.arch,
        "machine": run.machine.name,
        "verdict": str(run.verdict),
        "diagnosis": run.diagnosis if run.diagnosis not in ("", UNTIMED) else None,
        "to_try": run.to_try or None,
        "complete": analysis.complete,
        "races": "not checked",
        "clk_total": analysis.clk_total,
        "instructions": analysis.instructions,
        "clk_per_iteration": loop.clk_per_iteration if loop else None,
        "wave_clk_per_iteration": loop.wave_clk_per_iteration if loop else None,
        "loops": [_loop(each) for each in analysis.loops],
        "steady": {
            "from_clk": analysis.steady.from_clk,
            "to_clk": analysis.steady.to_clk,
            "iterations": analysis.steady.iterations,
            "exact": analysis.steady.exact,
        },
        "mfma_busy": analysis.mfma_busy_share,
        "mfma_busy_per_simd": list(analysis.mfma_busy),
        "mfma_idle": {
            "clk_per_iteration": sum(analysis.mfma_idle.values()) if per_iteration else None,
            "by_cause": _numbers(analysis.mfma_idle) if per_iteration else {},
        },
        "lds_busy": analysis.lds_busy_share,
        "lds_busy_per_pair": list(analysis.lds_busy),
        "overlap": {
            "hidden": overlap.hidden if overlap else None,
            "exposed": overlap.exposed if overlap else None,
            "service_clk_per_iteration": overlap.service_clk_per_iteration
            if overlap and per_iteration
            else None,
            "hidden_clk_per_iteration": overlap.hidden_clk_per_iteration
            if overlap and per_iteration
            else None,
            "exposed_clk_per_iteration": overlap.exposed_clk_per_iteration
            if overlap and per_iteration
            else None,
            "mfma_idle_on_lds_clk": overlap.mfma_idle_on_lds_clk if overlap and per_iteration else None,
            "pairs": [
                {"pair": pair.pair, "service_clk": pair.service_clk, "hidden_clk": pair.hidden_clk}
                for pair in (overlap.pairs if overlap else ())
            ],
        },
        "bounds": {name: bounds.named().get(name) if bounds else None for name in BOUND_NAMES},
        "bound_details": {
            "binding": bounds.binding if bounds else None,
            "issue_by_category": _numbers(bounds.issue_by_category) if bounds else {},
            "lds_parts": _numbers(bounds.lds_parts) if bounds else {},
        },
        "tflops": throughput.tflops if throughput else None,
        "clock_ghz": throughput.clock.ghz if throughput else None,
        "throughput": {
            "flop": throughput.flop,
            "clk": throughput.clk,
            "compute_units": throughput.cus,
            "clock_mode": throughput.clock.mode,
            "clock_range_ghz": [throughput.clock.low_ghz, throughput.clock.high_ghz],
            "clock_source": throughput.clock.source,
            "tflops_loop": throughput.tflops_steady,
            "workgroups": throughput.workgroups,
            "workgroups_per_round": throughput.workgroups_per_round,
            "rounds": throughput.rounds,
            "last_round_share": throughput.last_round_share,
            "tflops_with_tail": throughput.tflops_with_tail,
        }
        if throughput
        else None,
        "numerics": {
            "checked": run.numerics.checked,
            "ok": run.numerics.ok if run.numerics.checked or not run.numerics.ok else None,
            "max_rel_error": _finite(run.numerics.max_rel_error),
            "message": run.numerics.message,
            "wrong": wrong_json(run.numerics.wrong_places),
        },
        "waves": [
            {
                "wave": wave.wave,
                "workgroup": wave.workgroup,
                "simd": wave.simd,
                "slot": wave.slot,
                "first_clk": wave.first_clk,
                "last_clk": wave.last_clk,
                "clk": wave.clk,
                "instructions": wave.instructions,
                "stalls": dict(wave.stalls),
                "culprits": culprits,
            }
            for wave, culprits in zip(analysis.waves, _culprits(run.timeline), strict=True)
        ],
        "groups": [_group(analysis, group) for group in analysis.groups],
        "findings": [finding_json(finding) for finding in run.findings],
        "unknowns": unknowns_json(run.unknowns),
        "memory": _memory(run),
        "trust": trust_json(run),
        "notes": list(analysis.notes),
    }
    for figure in FIGURES:
        report.setdefault(figure.key, figure.value(analysis))
    return headed("run", report)


def _memory(run: Run) -> dict[str, Json] | None:
    """What was predicted of global memory, load by load; nothing where latencies were an input."""
    if run.memory is None:
        return None
    found = run.memory.prediction
    return {
        "round": str(found.round),
        "interval": found.interval,
        "later_round_clk": run.memory.later_clk,
        "later_round_clk_per_iteration": run.memory.later_clk_per_iteration,
        "share": {level.name.lower(): share for level, share in found.share.items()},
        "level_clk": {level.name.lower(): clk for level, clk in found.level_clk.items()},
        "loads": [
            {
                "instruction": load.code,
                "accesses": load.accesses,
                "share": {level.name.lower(): share for level, share in load.share.items()},
            }
            for load in found.loads
        ],
        "assumed": list(found.assumed),
    }


def run_json_text(run: Run) -> str:
    """The report as JSON text: same run, same bytes."""
    return json.dumps(run_json(run), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def finding_json(finding: Finding) -> dict[str, Json]:
    """One finding as plain data."""
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "places": [_span(span) for span in finding.spans],
        "waves": list(finding.waves),
        "fix": finding.fix,
    }


def _span(span: SourceSpan | None) -> Json:
    """A place, or null; ``source`` is there where the line was compiled from another."""
    if span is None:
        return None
    place: dict[str, Json] = {"file": span.file, "line": span.line, "column": span.column}
    return place if span.source is None else {**place, "source": _span(span.source)}


def _culprits(timeline: Timeline) -> list[list[Json]]:
    """Of each wave, whom it waited for: those that cost it at least :data:`CULPRIT_SHARE` of its life."""
    blamed = blamed_stalls(timeline)
    found: list[list[Json]] = []
    for position, wave in enumerate(timeline.waves):
        least_clk = CULPRIT_SHARE * (wave.last_clk - wave.first_clk)
        culprits = blamed.culprits(blamed.wave == position, each_wave=True)
        found.append([_culprit(timeline, each) for each in culprits if each.clk >= least_clk])
    return found


def _culprit(timeline: Timeline, culprit: Culprit) -> dict[str, Json]:
    by, instruction = timeline.waves[culprit.by_wave], timeline.trace.code[culprit.by_code].instruction
    return {
        "reason": REASON_NAMES[culprit.reason],
        "clk": culprit.clk,
        "stalls": culprit.stalls,
        "row": culprit.row,
        "by_workgroup": by.workgroup,
        "by_wave": by.wave,
        "by_row": culprit.by_row,
        "by_opcode": instruction.opcode,
        "by_place": _span(instruction.span),
    }


def _loop(loop: Loop) -> dict[str, Json]:
    return {
        "label": loop.label,
        "place": _span(loop.span),
        "head": loop.head,
        "tail": loop.tail,
        "depth": loop.depth,
        "waves": list(loop.waves),
        "iterations": loop.iterations,
        "clk": loop.clk,
        "clk_per_iteration": loop.clk_per_iteration,
        "wave_clk_per_iteration": loop.wave_clk_per_iteration,
        "unroll": loop.unroll,
        "p10": loop.p10,
        "median": loop.median,
        "p90": loop.p90,
        "period_iterations": loop.period_iterations,
        "period_clk": loop.period_clk,
        "from_iteration": loop.from_iteration,
        "periods": loop.periods,
    }


def _group(analysis: Analysis, group: WaveGroup) -> dict[str, Json]:
    return {
        "waves": [
            {"workgroup": analysis.waves[position].workgroup, "wave": analysis.waves[position].wave}
            for position in group.waves
        ],
        "stalls": _numbers(group.stalls),
        "iteration_clk": group.iteration_clk,
        "stalls_per_iteration": _numbers(group.per_iteration) if group.per_iteration is not None else None,
    }


def _numbers(values: Mapping[str, float]) -> dict[str, Json]:
    return {name: float(value) for name, value in values.items()}


def _finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity: null for both."""
    return float(value) if value is not None and math.isfinite(value) else None
