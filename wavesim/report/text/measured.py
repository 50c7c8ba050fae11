"""The explanation of a measured trace in the terminal and as JSON: its stalls, for whom, and what if not."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from wavesim.explanation.measured import MeasuredExplanation, StalledLine
from wavesim.report.json.left_out import left_out_json
from wavesim.report.json.schemas import headed
from wavesim.report.output import Look, stacked
from wavesim.report.text.ladder import rung_lines, wrapped
from wavesim.trace import REASON_NAMES
from wavesim.words import number, percent, signed_percent

Json = dict[str, Any]
MEASURED = "global-memory latencies stay as measured in every row but memory_latency_0"
"""What the what-ifs rest on."""
MOST_STALLS = 8
TOLD = 0.5
"""Share of the measured stall clocks below which a replay explains too little to go by."""


def measured_lines(found: MeasuredExplanation, look: Look) -> list[Text]:
    """The report of one compute unit, at most ``look.width`` columns."""
    width = look.width
    title = f"What if  {found.pace.unit} of the replay, rated against its own {number(found.pace.clk)}"
    ladder = rung_lines(title, found.ladder, "", width, look.ascii_only)
    if ladder:
        ladder += wrapped(MEASURED, width, 4, "bright_black")
    blocks = [
        _headline(found, width),
        _stalls(found, width),
        _lines(found, width),
        ladder,
        _notes(found, width),
    ]
    lines = stacked(blocks)
    for line in lines:
        line.rstrip()
    return lines


def _clocks(found: MeasuredExplanation) -> tuple[float, float, str]:
    """Measured and replayed clocks, and their unit."""
    real, model = found.replay.measured, found.replay.simulated
    if not found.pace.per_iteration:
        return real.span_clk, model.span_clk, "clk"
    return real.clk_per_iteration or 0.0, model.clk_per_iteration or 0.0, "clk per iteration"


def _headline(found: MeasuredExplanation, width: int) -> list[Text]:
    replay = found.replay
    real, model, unit = _clocks(found)
    title = (
        f"{replay.kernel} on {replay.arch}, {replay.unit}: measured {number(real)} {unit}; its replay, with "
        f"global-memory latencies as measured, {number(model)} ({signed_percent(replay.error)})"
    )
    lines = [Text(part, style="bold") for part in textwrap.wrap(title, width, subsequent_indent="  ")]
    for text in (_most(found), found.diagnosis):
        lines += wrapped(text, width, 4)
    share = percent(found.same_place, 0)
    text = f"{share} of the measured stall clocks stand at the same instructions in the replay"
    if found.same_place < TOLD:
        text = f"Only {text}: of the others the what-ifs tell nothing."
        lines += wrapped(text, width, 4, "yellow")
    else:
        lines += wrapped(f"{text}: so far it tells for whom the waves waited.", width, 4)
    if found.left_out is not None:
        text = f"Not all is seen: {found.left_out}."
        if found.left_out.beside:
            text += " What those waves took from the others is not in the replay."
        lines += wrapped(text, width, 4, "yellow")
    return lines


def _most(found: MeasuredExplanation) -> str:
    """What the trace itself says: the reason and the instruction with most stall clocks."""
    stalls = found.replay.measured.stalls
    if not stalls or not found.lines:
        return "Waves did not stall."
    reason = max(stalls, key=lambda name: (stalls[name], name))
    line = found.lines[0]
    place = f" {line.span.line}" if line.span is not None else ""
    share = percent(stalls[reason] / sum(stalls.values()), 0)
    longest = f"{line.text.split(' ')[0]}{place}"
    return f"Waves stalled most for {reason} ({share} of the measured stall clocks), longest at {longest}."


def _stalls(found: MeasuredExplanation, width: int) -> list[Text]:
    real, model = found.replay.measured.stalls, found.replay.simulated.stalls
    waves = found.replay.waves
    names = sorted(real, key=lambda name: (-real[name], name))[:MOST_STALLS]
    if not names:
        return []
    lines = [
        Text("Stalls  clk per wave over the whole trace, and what the replay's are due to", style="bold")
    ]
    lines.append(Text(f"  {'':<14}{'measured':>12}{'replay':>12}  due to", style="bright_black"))
    for name in names:
        opcodes = found.replay.blamed.get(name, {})
        parts = [f"{opcode} {percent(clk / model[name], 0)}" for opcode, clk in list(opcodes.items())[:2]]
        due = ", ".join(parts)
        if len(due) > width - 42:
            due = parts[0][: width - 42]
        lines.append(
            Text.assemble(
                f"  {name:<14}",
                (f"{real[name] / waves:>12,.0f}", "bold"),
                f"{model.get(name, 0) / waves:>12,.0f}",
                f"  {due}",
            )
        )
    return lines


def _lines(found: MeasuredExplanation, width: int) -> list[Text]:
    if not found.lines:
        return []
    per = "wave and pass of the loop" if found.pace.per_iteration else "wave"
    head = f"Where waves stalled  clk per {per}: measured, in the replay, and for whom there"
    lines = [Text(part, style="bold") for part in textwrap.wrap(head, width, subsequent_indent="  ")]
    room = width - 38
    for each in found.lines:
        place = str(each.span.line) if each.span is not None else str(each.code)
        lines.append(
            Text.assemble(
                f"  {place:>5} {each.text:<{room}.{room}}",
                (f"{number(each.measured_clk):>8}", "bold"),
                f"{number(each.replay_clk):>8}",
                (f"  {each.reason}", "bright_black"),
            )
        )
        due = _due(found, each)
        if due:
            lines += [Text(f"        {part}") for part in textwrap.wrap(due, width - 8)]
    return lines


def _due(found: MeasuredExplanation, line: StalledLine) -> str:
    """For whom, in the replay: the instructions with most clocks."""
    code = found.replay.simulated_timeline.trace.code
    parts = []
    for each in line.culprits[:2]:
        entry = code[each.by_code].instruction
        clk = number(each.clk / found.passes)
        place = f" {entry.span.line}" if entry.span is not None else ""
        same = each.wave == each.by_wave
        whose = "its own" if same else "another wave's"
        parts.append(f"{clk} {REASON_NAMES[each.reason]} due to {whose} {entry.opcode}{place}")
    return "; ".join(parts)


def _notes(found: MeasuredExplanation, width: int) -> list[Text]:
    lines: list[Text] = []
    told = str(found.left_out) if found.left_out is not None else ""
    for note in found.replay.notes:
        if note != told:
            lines += wrapped(f"note: {note}", width, 4, "bright_black")
    return lines


def _line_json(found: MeasuredExplanation, line: StalledLine) -> Json:
    code = found.replay.simulated_timeline.trace.code
    return {
        "code": line.code,
        "line": line.span.line if line.span is not None else None,
        "text": line.text,
        "measured_clk": round(line.measured_clk, 3),
        "replay_clk": round(line.replay_clk, 3),
        "measured_reasons": {name: round(clk, 3) for name, clk in line.by_reason.items()},
        "culprits": [
            {
                "reason": REASON_NAMES[each.reason],
                "clk": round(each.clk / found.passes, 3),
                "by_code": each.by_code,
                "by_opcode": code[each.by_code].instruction.opcode,
                "longest_is_own": each.wave == each.by_wave,
            }
            for each in line.culprits
        ],
    }


def _unit_json(found: MeasuredExplanation) -> Json:
    real, model, _ = _clocks(found)
    return {
        "unit": found.replay.unit,
        "kernel": found.replay.kernel,
        "arch": found.replay.arch,
        "machine": found.machine.name,
        "waves": found.replay.waves,
        "waves_left_out": left_out_json(found.left_out),
        "per_iteration": found.pace.per_iteration,
        "measured_clk": round(real, 3),
        "replay_clk": round(model, 3),
        "error": round(found.replay.error, 5),
        "diagnosis": found.diagnosis,
        "pace_clk": round(found.pace.clk, 3),
        "same_place": round(found.same_place, 5),
        "measured_stalls": dict(found.replay.measured.stalls),
        "replay_stalls": dict(found.replay.simulated.stalls),
        "replay_blamed": {reason: dict(opcodes) for reason, opcodes in found.replay.blamed.items()},
        "lines": [_line_json(found, line) for line in found.lines],
        "what_if": [
            {
                "name": each.name,
                "text": each.text,
                "clk": round(each.clk, 3),
                "gain_clk": round(each.gain_clk, 3),
                "share": round(each.share, 5),
                "exact": each.exact,
                "run_gain_clk": each.run_gain_clk,
                "at_bound": each.at_bound or None,
            }
            for each in found.ladder
        ],
        "notes": list(found.replay.notes),
    }


def measured_json_text(folder: Path, found: Sequence[MeasuredExplanation]) -> str:
    """The JSON report (docs/schema/explain-trace.schema.json)."""
    data = {"trace": str(folder), "units": [_unit_json(each) for each in found]}
    return json.dumps(headed("explain-trace", data), indent=1, ensure_ascii=False) + "\n"
