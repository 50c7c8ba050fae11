"""Payload: what the browser needs of a run or a replay, as plain data and compressed columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wavesim.analyze.activity import Activity, activity_of_code
from wavesim.analyze.stalls import issued_rows
from wavesim.asm.printer import print_instruction
from wavesim.errors import SourceSpan, UnknownInstruction
from wavesim.explanation.explanation import Explanation
from wavesim.glossary import entries
from wavesim.inputs import note_input
from wavesim.pipeline.run import Run
from wavesim.program import Finding
from wavesim.program.dataflow import effects
from wavesim.replays.att.occupancy import MARK_SAYS
from wavesim.replays.compute_unit import ReplayResult
from wavesim.report.figures import FIGURES
from wavesim.report.json.run import Json, finding_json, run_json
from wavesim.report.page.columns import ColumnWriter
from wavesim.report.page.explained import explained
from wavesim.report.palette import colour_name, colour_of_reason, colours
from wavesim.report.text.first_screen import FirstScreen, said_first
from wavesim.report.text.unknowns import unknown_lines
from wavesim.trace import REASON_NAMES, CodeEntry, Reason, Timeline, WaveTimeline
from wavesim.words import signed_percent

MOST_ROWS = 300_000
"""Dynamic instructions a report holds; a longer run is cut there and says so."""

LARGEST_SOURCE_BYTES = 2_000_000
WAVE_COLUMNS = (
    *("code", "attempt", "issue", "end", "done"),
    *("stall_row", "stall_reason", "stall_clk", "stall_by_wave", "stall_by_row"),
)

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """One timeline of the report, with the texts beside it.

    ``head`` is the code index of its loop's first instruction, if there is a loop.
    ``first`` is the first screen (none for a replay), ``figures`` the run's JSON report (empty for a
    replay) and ``shares`` its lines of :data:`FIGURES`;
    ``facts`` are a replay's lines of label and text; ``explanation`` is what ``explain`` found.
    """

    title: str
    timeline: Timeline
    head: int | None = None
    clk_per_iteration: float | None = None
    from_clk: int = 0
    to_clk: int = 0
    first: FirstScreen | None = None
    figures: dict[str, Json] = field(default_factory=dict)
    shares: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    explanation: Explanation | None = None
    notes: tuple[str, ...] = ()


def run_panel(
    run: Run,
    findings: Sequence[Finding] | None = None,
    explanation: Explanation | None = None,
    notes: Sequence[str] = (),
    *,
    checked: bool = False,
) -> Panel:
    """The panel of one kernel's run, with what ``check`` and ``explain`` found where that is given;
    ``checked``: ``check`` executed it too."""
    analysis = run.analysis
    found = tuple(dict.fromkeys((*run.findings, *(findings or ()))))
    if explanation is not None:  # of more edits than those tried at a glance
        run = explanation.run
    figures = run_json(run)
    figures["verdict"] = str(run.verdict_with(findings or (), checked=checked))
    return Panel(
        title=f"{run.kernel.name} on {analysis.arch}",
        timeline=run.timeline,
        head=analysis.loop.head if analysis.loop else None,
        clk_per_iteration=analysis.loop.clk_per_iteration if analysis.loop else None,
        from_clk=analysis.steady.from_clk,
        to_clk=analysis.steady.to_clk,
        first=said_first(run, findings or (), checked=checked),
        figures=figures,
        shares=tuple(
            (figure.label, f"{figure.shown(analysis)}{run.mark(figure.key)}; {figure.note(analysis)}")
            for figure in FIGURES
            if figure.value(analysis) is not None
        ),
        findings=found,
        explanation=explanation,
        notes=(*notes, *unknown_lines(run.unknowns), *analysis.notes),
    )


def replay_panels(result: ReplayResult) -> tuple[Panel, Panel]:
    """Measured and simulated side of a replay, for one clock axis."""
    loop_error = result.error_clk_per_iteration
    mark = result.mark
    facts = [("memory", str(result.memory)), ("error of the span", signed_percent(result.error_span) + mark)]
    if loop_error is not None:
        facts.insert(1, ("error of clk/iteration", signed_percent(loop_error) + mark))
    sides = []
    for name, timeline, side in (
        ("measured", result.measured_timeline, result.measured),
        ("simulated", result.simulated_timeline, result.simulated),
    ):
        per_iteration = side.clk_per_iteration
        sides.append(
            Panel(
                title=f"{name}: {result.kernel} on {result.arch}, {result.unit}",
                timeline=timeline,
                head=result.head,
                clk_per_iteration=per_iteration,
                to_clk=int(per_iteration * 2) if per_iteration else timeline.clk_total,
                facts=(("span", f"{timeline.clk_total} clk{mark}"), *facts),
                notes=(*([MARK_SAYS] if mark else []), *result.notes),
            )
        )
    return sides[0], sides[1]


def panel_json(panel: Panel, columns: ColumnWriter) -> dict[str, Json]:
    """One panel as plain data; arrays go to ``columns`` and are named by number."""
    timeline = panel.timeline
    cut = _cut_clk(timeline)
    waves = [_wave_json(timeline, position, cut, columns) for position in range(len(timeline.waves))]
    places = sorted({each for entry in timeline.trace.code for each in _spans(entry)}, key=str)
    found = [span for finding in panel.findings for span in finding.spans]
    files = list(dict.fromkeys(span.file for span in (*places, *found) if span.line))
    return {
        "title": panel.title,
        "measured": timeline.measured,
        "clk_total": timeline.clk_total,
        "cut_clk": cut,
        "from_clk": panel.from_clk,
        "to_clk": panel.to_clk,
        "head": panel.head,
        "clk_per_iteration": panel.clk_per_iteration,
        "code": [_code_json(entry, timeline) for entry in timeline.trace.code],
        "labels": {str(index): name for name, index in timeline.trace.program.labels.items()},
        "files": {name: lines for name in files if (lines := _source(name)) is not None},
        "waves": list(waves),
        "busy": _busy_json(timeline, cut, columns),
        "first": asdict(panel.first) if panel.first is not None else None,
        "figures": panel.figures,
        "shares": [list(pair) for pair in panel.shares],
        "facts": [list(pair) for pair in panel.facts],
        "findings": [finding_json(each) for each in panel.findings],
        "explanation": explained(panel.explanation, columns) if panel.explanation else None,
        "notes": list(panel.notes),
    }


def vocabulary() -> dict[str, Json]:
    """Names the script shows: reasons with the colour of each wait, the activities, and the words that have
    an entry in the glossary. Colours are variables of the style sheet under the same names."""
    return {
        "reasons": [REASON_NAMES[reason] for reason in Reason],
        "reason_colours": [colour_of_reason(reason) for reason in Reason],
        "activities": [colour_name(activity) for activity in Activity],
        "legend": [[name, glyph.meaning] for name, glyph in colours().items() if glyph.meaning],
        "words": {name: each.text for each in entries() for name in (each.word, *each.also)},
    }


def _cut_clk(timeline: Timeline) -> int:
    """The clock up to which rows are kept: all of them, or the first :data:`MOST_ROWS`."""
    issue = np.concatenate([wave.issue_clk[: issued_rows(wave)] for wave in timeline.waves])
    if len(issue) <= MOST_ROWS:
        return timeline.clk_total
    return int(np.partition(issue, MOST_ROWS)[MOST_ROWS])


def _kept_rows(wave: WaveTimeline, cut: int) -> int:
    return int(np.searchsorted(wave.issue_clk[: issued_rows(wave)], cut))


def _to_blame(timeline: Timeline, position: int, cut: int) -> tuple[Int64, Int64]:
    """Position and row of whoever is to blame for each stall; -1 for nobody, and for rows that are cut off.

    A measured timeline does not say: nobody.
    """
    wave = timeline.waves[position]
    nobody = np.full(len(wave.stall_row), -1, np.int64)
    if len(wave.stall_by_wave) != len(wave.stall_row):
        return nobody, nobody
    kept = np.array([_kept_rows(each, cut) for each in timeline.waves], np.int64)
    known = (wave.stall_by_wave >= 0) & (wave.stall_by_row < kept[wave.stall_by_wave])
    return np.where(known, wave.stall_by_wave, -1), np.where(known, wave.stall_by_row, -1)


def _wave_json(timeline: Timeline, position: int, cut: int, columns: ColumnWriter) -> dict[str, Json]:
    wave, trace = timeline.waves[position], timeline.trace.waves[position]
    rows = _kept_rows(wave, cut)
    stalls = wave.stall_row < rows
    by_wave, by_row = _to_blame(timeline, position, cut)
    issue = wave.issue_clk[:rows]
    done = wave.done_clk[:rows] if len(wave.done_clk) >= rows else issue
    arrays: dict[str, npt.NDArray[np.integer]] = {
        "code": trace.code[:rows],
        "attempt": issue - wave.attempt_clk[:rows],
        "issue": issue,
        "end": wave.end_clk[:rows] - issue,
        "done": np.maximum(done - issue, 0),
        "stall_row": wave.stall_row[stalls],
        "stall_reason": wave.stall_reason[stalls],
        "stall_clk": wave.stall_clk[stalls],
        "stall_by_wave": by_wave[stalls],
        "stall_by_row": by_row[stalls],
    }
    return {
        "wave": wave.wave,
        "workgroup": wave.workgroup,
        "simd": wave.simd,
        "slot": wave.slot,
        "first_clk": wave.first_clk,
        "last_clk": wave.last_clk,
        **{name: columns.add(arrays[name]) for name in WAVE_COLUMNS},
    }


def _busy_json(timeline: Timeline, cut: int, columns: ColumnWriter) -> list[Json]:
    found: list[Json] = []
    for name, index in sorted(timeline.busy, key=lambda key: (key[0] != "mfma", key)):
        if name == "memory":  # accesses overlap; their lengths are the loads' own
            continue
        span = timeline.busy[name, index]
        kept = span.start_clk < cut
        found.append(
            {
                "resource": name,
                "index": index,
                "start": columns.add(span.start_clk[kept]),
                "clk": columns.add((span.end_clk - span.start_clk)[kept]),
                "wave": columns.add(span.wave[kept]),
                "row": columns.add(span.row[kept]),
            }
        )
    return found


def _code_json(entry: CodeEntry, timeline: Timeline) -> dict[str, Json]:
    instruction = entry.instruction
    try:
        used = effects(instruction, timeline.trace.arch)
        reads, writes = _register_names(used.reads), _register_names(used.writes)
    except UnknownInstruction:  # a measured listing may hold one; it is shown, without arrows
        reads, writes = [], []
    return {
        "text": print_instruction(instruction),
        "kind": entry.kind.value,
        "category": entry.category.value,
        "activity": int(activity_of_code(entry)),
        "places": [_place(span) for span in _spans(entry) if span.line],
        "reads": reads,
        "writes": writes,
        "lgkm": entry.lgkm_increment,
        "vm": entry.vm_increment,
        "wait_lgkm": entry.wait_lgkmcnt,
        "wait_vm": entry.wait_vmcnt,
        "comment": instruction.comment,
    }


def _register_names(registers: frozenset[tuple[str, int]]) -> list[Json]:
    return [f"{file}{index}" for file, index in sorted(registers) if file != "exec"]


def _spans(entry: CodeEntry) -> tuple[SourceSpan, ...]:
    """Source place first where it is known (HIP), then the assembly's or the tile program's."""
    return tuple(span for span in (entry.instruction.source, entry.instruction.span) if span is not None)


def _place(span: SourceSpan) -> Json:
    return [span.file, span.line]


def _source(name: str) -> Json:
    """The lines of a file, or ``None`` where it cannot be shown (a listing inside a trace, too large)."""
    path = Path(name)
    try:
        if path.suffix == ".json" or path.stat().st_size > LARGEST_SOURCE_BYTES:
            return None
        note_input(path)
        return list(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return None
