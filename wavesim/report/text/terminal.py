"""The terminal report: headline, bounds, stalls, the picture, findings; at most ``look.width`` columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from rich.text import Text

from wavesim.analyze.activity import Activity
from wavesim.analyze.result import BOUND_NAMES, Analysis, WaveGroup
from wavesim.isa.layers import SET_SOURCE
from wavesim.isa.memory_roles import LATENCY
from wavesim.pipeline.memory import PredictedMemory
from wavesim.pipeline.run import Run
from wavesim.pipeline.trust import guessed_times
from wavesim.program import Severity
from wavesim.report.figures import FIGURES, MFMA_BUSY
from wavesim.report.output import Look, stacked
from wavesim.report.text.first_screen import first_screen
from wavesim.report.text.picture import picture
from wavesim.report.text.unknowns import unknown_lines
from wavesim.report.text.wrong_elements import wrong_lines
from wavesim.trace import REASON_NAMES, Kind, MemoryLevel, Reason
from wavesim.words import bar, counted, number, percent

LABEL = 16
IDLE_CAUSES = {
    Activity.MFMA: "MFMA elsewhere",
    Activity.LDS_READ: "LDS reads",
    Activity.LDS_WRITE: "LDS writes",
    Activity.GLOBAL: "global memory",
    Activity.WAIT_LGKM: "lgkmcnt",
    Activity.WAIT_VM: "vmcnt",
    Activity.BARRIER: "barrier release",
    Activity.PIPE_WAIT: "matrix pipe",
    Activity.ALU: "VALU and scalar",
    Activity.OTHER: "other waits",
    Activity.ABSENT: "wave not there",
}
"""What an idle matrix pipe is put down to: what its waves, or those they wait for at a barrier, do."""

NOT_THERE = (REASON_NAMES[Reason.NOT_STARTED], REASON_NAMES[Reason.FINISHED])

SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bright_black"}


def report_lines(run: Run, look: Look, *, details: bool = False, drawn: bool = True) -> list[Text]:
    """The report: the first screen, the picture, what was found; with ``details`` all figures too.

    Where the picture is not ``drawn``, another stands in its place.
    """
    width, ascii_only = look.width, look.ascii_only
    figures = (_headline(run, width), _bounds(run, width, ascii_only), _stalls(run, width)) if details else ()
    blocks = [
        first_screen(run, look),
        wrong_lines(run, width),
        *figures,
        picture(run.timeline, run.analysis, run.machine.parameters, width, ascii_only) if drawn else [],
        _findings(run, width),
    ]
    return stacked(blocks)


def _row(name: str, value: str, note: str, width: int, style: str = "bold") -> list[Text]:
    """``name  value  note``; a note too long for the line goes on below itself."""
    lead = Text.assemble((f"{name:<{LABEL}}", "bright_black"), (value, style))
    indent = LABEL + 10
    if len(value) < 9:
        lead.append(" " * (9 - len(value)))
    lead.append(" ")
    parts = textwrap.wrap(note, max(20, width - max(indent, lead.cell_len))) or [""]
    lines = [lead.append(parts[0])]
    lines += [Text(" " * indent + part) for part in parts[1:]]
    for line in lines:
        line.rstrip()
    return lines


def _headline(run: Run, width: int) -> list[Text]:
    analysis = run.analysis
    title = f"Figures  {analysis.instructions} instructions, {analysis.clk_total}{run.mark('clk_total')} clk"
    lines = [Text(title, style="bold")]
    loop, bounds = analysis.loop, analysis.bounds
    mark = run.mark
    if loop is None:
        lines += _row("clk/iteration", "no loop", "", width)
    else:
        value = number(loop.clk_per_iteration) + mark("clk_per_iteration")
        lines += _row("clk/iteration", value, _loop_note(analysis), width)
    if bounds is not None and loop is not None:
        values = bounds.named()
        top = values[bounds.binding]
        names = " = ".join(name for name, value in values.items() if abs(value - top) < 0.5)
        note = f"{names}; {percent(top / loop.clk_per_iteration)} of it is reached"
        doubt = mark(f"bounds.{bounds.binding}")
        lines += _row("bound", number(top) + doubt, note, width)
    for figure in FIGURES:
        if figure.value(analysis) is not None:
            value = figure.shown(analysis) + mark(figure.key)
            lines += _row(figure.label, value, figure.note(analysis), width)
        if figure is MFMA_BUSY:
            lines += _idle_row(run, width)
    lines += _memory_row(run, width)
    lines += _throughput_rows(run, width)
    numerics = run.numerics
    error = numerics.max_rel_error
    notes = [f"max rel error {error:.1e}"] if error is not None else []
    note = "; ".join([*notes, *([numerics.message] if numerics.message else [])])
    if not numerics.ok:
        lines += _row("numbers", "WRONG" if numerics.checked else "none", note, width, "bold red")
    elif not numerics.checked:
        lines += _row("numbers", "unchecked", note, width, "bold yellow")
    else:
        lines += _row("numbers", "ok", note, width, "bold green")
    bad = any(finding.is_bad for finding in run.findings)
    found = str(len(run.findings)) if run.findings else "none"
    lines += _row("findings", found, "races not checked", width, "bold red" if bad else "")
    guesses = guessed_times(run.timeline.trace)
    if guesses:
        names = ", ".join(f"{name} ({count})" for name, (_, count) in guesses.items())
        note = f"executed, with a time that nobody has measured: {names}; docs/coverage.md says what is taken"
        lines += _row("assumed", counted(len(guesses), "kind"), note, width, "bold yellow")
    return lines


def _loop_note(analysis: Analysis) -> str:
    loop = analysis.loop
    assert loop is not None
    note = "of all waves' work;"
    if loop.clk_per_iteration != loop.wave_clk_per_iteration:
        note += f" one wave's pace {number(loop.wave_clk_per_iteration)}:"
    note += f" p10 {number(loop.p10)}, median {number(loop.median)}, p90 {number(loop.p90)};"
    note += f" {loop.iterations} iterations"
    if loop.unroll > 1:
        note += f" in passes of {loop.unroll}"
    if loop.period_iterations is None:
        return f"{note}, no period"
    every = "1 iteration" if loop.period_iterations == 1 else f"{loop.period_iterations} iterations"
    return f"{note}; repeats every {every} from number {loop.from_iteration} on, {loop.periods} times"


def _idle_row(run: Run, width: int) -> list[Text]:
    """Idle matrix-pipe clocks with the classes that matter (a tenth of them or more)."""
    analysis = run.analysis
    idle = sum(analysis.mfma_idle.values())
    if not idle or analysis.bounds is None or not analysis.bounds.mfma:
        return []
    parts = [
        f"{IDLE_CAUSES[Activity[name.upper()]]} {number(clk)}"
        for name, clk in analysis.mfma_idle.items()
        if clk >= 0.1 * idle
    ]
    note = f"clk/iteration, put down to {', '.join(parts)}"
    return _row("MFMA idle", number(idle) + run.mark("mfma_idle"), note, width)


def _memory_row(run: Run, width: int) -> list[Text]:
    """The latency that global loads were given, and who said so: it decides much, and is an input."""
    if not any(entry.kind is Kind.VMEM_LOAD for entry in run.timeline.trace.code):
        return []
    if run.memory is not None:
        return _predicted_memory_row(run, run.memory, width)
    latency = run.machine.quantities[LATENCY]
    stock = latency.source != SET_SOURCE
    note = f"latency of global loads, an input: {'the machine file has it' if stock else latency.note}"
    return _row("memory", f"{run.machine.parameters.memory_latency_clk} clk", note, width, "")


_FROM = {
    MemoryLevel.L1: "are in the L1",
    MemoryLevel.L2: "find L2",
    MemoryLevel.MALL: "wait for the Infinity Cache",
    MemoryLevel.HBM: "wait for HBM",
}


def _predicted_memory_row(run: Run, memory: PredictedMemory, width: int) -> list[Text]:
    """Where lines come from, what each level would need alone, what the loop may take, and what that rests
    on."""
    found = memory.prediction
    parts = [
        f"{100 * share:.0f} % of lines {_FROM[level]}"
        + (f", which alone needs {found.level_clk[level]:.0f} clk" if found.level_clk[level] else "")
        for level, share in found.share.items()
        if share >= 0.005
    ]
    note = f"{found.round} round of workgroups: " + "; ".join(reversed(parts))
    if run.analysis.loop is not None:
        low, high = found.meant(run.analysis.loop.clk_per_iteration)
        note += f"; {number(low)} to {number(high)} clk/iteration"
    if memory.later_clk is not None:
        note += f"; a later round takes {memory.later_clk} clk"
        if memory.later_clk_per_iteration is not None:
            note += f", {number(memory.later_clk_per_iteration)} clk/iteration"
    note += "".join(f"; assumed: {each}" for each in found.assumed)
    return _row("memory", f"± {100 * found.interval:.0f} %", note, width)


def _throughput_rows(run: Run, width: int) -> list[Text]:
    """TFLOP/s of the simulated workgroups; before it those of the whole dispatch, if its later rounds are not
    like the first."""
    throughput = run.analysis.throughput
    if throughput is None:
        return []
    clock = throughput.clock
    at = f"at {number(clock.ghz, 3)} GHz ({clock}) on {throughput.cus} CUs"
    uncertain, lines = "", []
    if run.memory is not None:
        fewest, most = run.memory.prediction.meant(1.0)
        low, high = clock.low_ghz / clock.ghz / most, clock.high_ghz / clock.ghz / fewest
        whole = throughput.tflops_with_tail
        uncertain = (
            f"; with what is uncertain of memory and clock {number(low * whole)} to {number(high * whole)}"
        )
    rounds = "1 round" if throughput.rounds == 1 else f"{throughput.rounds} rounds"
    launched = f"{throughput.workgroups} workgroups in {rounds}"
    last = f"the last {percent(throughput.last_round_share, 0)} full"
    rates = at
    if throughput.tflops_steady is not None:
        rates += f"; the loop alone {number(throughput.tflops_steady)}"
    if run.analysis.following is not None:
        note = f"TFLOP/s {at}: {throughput.workgroups} workgroups, to the last one{uncertain}"
        shown = number(throughput.tflops_with_tail) + run.mark("tflops")
        lines = _row("dispatch", shown, note, width)
        rates = "while workgroups follow one another"
    elif run.memory is not None and run.memory.later_clk is not None and throughput.workgroups > 1:
        note = f"TFLOP/s {at}: {launched}, a cold one of {throughput.clk} clk and later ones of "
        note += f"{run.memory.later_clk}, {last}{uncertain}"
        shown = number(throughput.tflops_with_tail) + run.mark("tflops")
        lines = _row("dispatch", shown, note, width)
        rates = f"of the cold round alone; {rates.removeprefix(at).removeprefix('; ')}".removesuffix("; ")
    elif throughput.workgroups > 1:
        rates += f"; {launched}, {last}: {number(throughput.tflops_with_tail)}{uncertain}"
    else:
        rates += uncertain
    return lines + _row("TFLOP/s", number(throughput.tflops) + run.mark("tflops"), rates, width)


def _bounds(run: Run, width: int, ascii_only: bool) -> list[Text]:
    analysis = run.analysis
    loop, bounds = analysis.loop, analysis.bounds
    if loop is None or bounds is None:
        return []
    lines = [Text("Bounds  clk per iteration, if this alone were to limit it", style="bold")]
    label = 2 + max(map(len, BOUND_NAMES))
    room = width - label - 12
    values = {"simulated" if not analysis.measured else "measured": loop.clk_per_iteration, **bounds.named()}
    longest = max(values.values())
    for name, value in values.items():
        first = name in ("simulated", "measured")
        line = Text.assemble(
            (f"  {name:<{label}}", ""),
            (f"{number(value):>8}", "bold"),
            f"{run.mark('clk_per_iteration' if first else f'bounds.{name}'):<2}",
            (bar(value / longest if longest else 0.0, room, ascii_only), "bold" if first else ""),
        )
        lines.append(line)
    for line in lines:
        line.rstrip()
    return lines


def _stalls(run: Run, width: int) -> list[Text]:
    """Reasons by wave group: clk per wave and iteration where there is a loop, else over the life."""
    analysis = run.analysis
    groups = analysis.groups
    steady = any(group.per_iteration is not None for group in groups)
    unit = "clk per wave and iteration" if steady else "clk per wave over its life"
    unit += run.mark("stalls")
    columns: list[tuple[str, Mapping[str, float]]] = []
    outside = NOT_THERE if analysis.following is not None else ()
    for group in groups:
        values = group.per_iteration if steady else group.stalls
        if values is not None:
            values = {reason: clk for reason, clk in values.items() if reason not in outside}
        if values is not None:
            columns.append((group_name(analysis, group), values))
    room = max(1, (width - LABEL) // 16)
    lines = [Text.assemble((f"Where the clocks go  {unit}", "bold"))]
    for start in range(0, len(columns), room):
        lines += _stall_table(columns[start : start + room])
    return lines


def _stall_table(tables: list[tuple[str, Mapping[str, float]]]) -> list[Text]:
    totals = [sum(values.values()) for _, values in tables]
    head = Text(f"  {'':<{LABEL - 2}}", style="bright_black")
    for name, _ in tables:
        head.append(f"{name:>16}")
    lines = [head]
    for reason in [*REASON_NAMES.values(), "unattributed"]:
        values = [each.get(reason, 0.0) for _, each in tables]
        if not any(round(value, 1) for value in values):
            continue
        line = Text(f"  {reason:<{LABEL - 2}}")
        for value, total in zip(values, totals, strict=True):
            share = value / total if total else 0.0
            if round(value, 1):
                style = "bold" if share >= 0.1 else ""
                line.append(f"{number(value):>9}", style).append(f"{100 * share:5.0f} %", "bright_black")
            else:
                line.append(f"{'-':>9}       ", "bright_black")
        line.rstrip()
        lines.append(line)
    line = Text(f"  {'total':<{LABEL - 2}}", style="bright_black")
    for total in totals:
        line.append(f"{number(total):>9}       ")
    line.rstrip()
    lines.append(line)
    return lines


def group_name(analysis: Analysis, group: WaveGroup) -> str:
    """``waves 0-3``, ``waves 0,2,5``; with several workgroups ``g0-1 w0-7`` or the number of waves."""
    members = [analysis.waves[position] for position in group.waves]
    waves = sorted({wave.wave for wave in members})
    workgroups = sorted({wave.workgroup for wave in members})
    if len({wave.workgroup for wave in analysis.waves}) == 1:
        text = f"waves {_ranges(waves)}" if len(waves) > 1 else f"wave {waves[0]}"
    else:
        text = f"g{_ranges(workgroups)} w{_ranges(waves)}"
        if len(waves) * len(workgroups) != len(members):
            text = f"{len(members)} waves"
    return text if len(text) <= 15 else f"{len(members)} waves"


def _ranges(numbers: list[int]) -> str:
    """``0-3,5`` for 0, 1, 2, 3, 5."""
    parts: list[list[int]] = []
    for each in numbers:
        if parts and parts[-1][-1] + 1 == each:
            parts[-1].append(each)
        else:
            parts.append([each])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _findings(run: Run, width: int) -> list[Text]:
    lines: list[Text] = []
    for finding in run.findings:
        place = f"{finding.spans[0]}: " if finding.spans else ""
        text = f"{finding.rule}: {finding.message}"
        if finding.waves:
            text += f" (wave{'s' * (len(finding.waves) > 1)} {_ranges(sorted(finding.waves))})"
        style = SEVERITY_STYLE[finding.severity]
        lines += _whole_words(f"{place}{finding.severity}: {text}", width, style)
        if finding.fix:
            lines += _whole_words(f"    fix: {finding.fix}", width)
    for text in unknown_lines(run.unknowns):
        lines += _whole_words(text, width, "yellow")
    for note in run.analysis.notes:
        lines += _whole_words(f"note: {note}", width, "bright_black")
    if lines:
        lines.insert(0, Text("Findings and notes", style="bold"))
    return lines


def _whole_words(text: str, width: int, style: str = "") -> list[Text]:
    """Lines of at most ``width`` characters; a path is cut nowhere, and may be longer."""
    parts = textwrap.wrap(
        text, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return [Text(part, style=style) for part in parts]
