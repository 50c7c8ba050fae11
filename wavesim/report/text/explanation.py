"""The explanation in the terminal: why this kernel takes the clocks it takes, in a minute."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.text import Text

from wavesim.errors import SourceSpan
from wavesim.explanation.advice import Advice
from wavesim.explanation.candidates import at
from wavesim.explanation.critical_path import CriticalPath, Link
from wavesim.explanation.explanation import Explanation
from wavesim.explanation.lines import LineTime
from wavesim.program.verdict import Verdict
from wavesim.report.output import Look, stacked
from wavesim.report.text.first_screen import first_screen
from wavesim.report.text.ladder import ladder_lines, per_pass, rated, wrapped
from wavesim.report.text.terminal import group_name
from wavesim.report.text.unknowns import unknown_lines
from wavesim.words import bar, counted, number

CAUSES = {
    "issue": "issue slots",
    "hold": "multi-slot issues",
    "nop": "s_nop, s_sleep",
    "branch": "fetch after a branch",
    "fetch": "instruction fetch",
    "dependency": "gaps after VALU, SALU",
    "barrier": "barrier release",
    "waitcnt": "waits",
    "lds_latency": "LDS latency",
    "lds_service": "LDS port",
    "lds_banks": "LDS banks",
    "lds_hold": "LDS write holds port",
    "lds_queue": "LDS queue full",
    "memory_latency": "memory latency",
    "memory_service": "memory bandwidth",
    "memory_in_flight": "loads in flight at limit",
    "vmem_queue": "memory queue full",
    "scalar_latency": "scalar load latency",
    "counter_full": "counter full",
    "matrix_pipe": "matrix pipe",
    "mfma_coissue": "slots MFMAs keep",
    "valu_busy": "VALU held",
    "arbitration": "slots lost to waves",
    "port": "slots lost at a port",
    "not_started": "dispatch",
}
"""Causes on the critical path, in words."""

NAME = 26
LINE = 22
COLUMN = 19
EXPOSED = 53
"""Columns of the exposed latencies behind the name of a line."""
MOST_LINKS = 14
MOST_LINES = 12
MOST_EXPOSED = 8
MOST_CHANGES = 40
"""Lines of a diff that are shown."""
LEAST_SHARE = 0.01


def explanation_lines(found: Explanation, look: Look) -> list[Text]:
    """The whole report, at most ``look.width`` columns."""
    width, ascii_only = look.width, look.ascii_only
    blocks = [
        first_screen(found.run, look, _next(found)),
        _critical(found, width, ascii_only),
        _chain(found.path, found, width),
        _lines(found, width),
        ladder_lines(found, width, ascii_only),
        _exposed(found, width),
        _strong(found, width),
        _advice(found, width),
        _unknowns(found, width),
    ]
    lines = stacked(blocks)
    for line in lines:
        line.rstrip()
    return lines


def _next(found: Explanation) -> str:
    """Where to look next."""
    if found.run.verdict is Verdict.BAD:
        return "This kernel is not right (wavesim check says why); its time is explained all the same."
    last = "--apply N -o FILE takes advice N; " if found.advice else ""
    return f"{last}check: right? tune: a new order?"


def _unknowns(found: Explanation, width: int) -> list[Text]:
    """What the figures rest on that is not known; every clock of an explanation does."""
    texts = unknown_lines(found.run.unknowns)
    if not texts:
        return []
    lines = [Text("Not known  all clocks above rest on it", style="bold")]
    for text in texts:
        lines += wrapped(text.strip(), width, 6, "yellow")
    return lines


def _critical(found: Explanation, width: int, ascii_only: bool) -> list[Text]:
    path, run = found.path, found.run
    what = f"the chain from start to end; {per_pass(found)}"
    loop = run.analysis.loop if found.per_iteration else None
    if loop is not None:
        mark = run.mark("clk_per_iteration")
        where = f" of the loop at {at(loop.span)}" if loop.span is not None else ""
        what = f"the chain that sets the time{where}: in steady state {number(found.steady_clk)}{mark}"
        what += f" {per_pass(found)}"
        if not path.periods:
            what += f", of {path.iterations} iterations"
    title = textwrap.wrap(f"Critical path  {what}", width, subsequent_indent="  ")
    lines = [Text(part, style="bold") for part in title]
    room = width - NAME - 20
    values = path.per_iteration
    total = sum(values.values())
    for cause, clk in values.items():
        share = clk / total
        lines.append(
            Text.assemble(
                f"  {CAUSES.get(cause, cause):<{NAME - 2}}",
                (f"{number(clk):>8}", "bold"),
                (f"{100 * share:6.1f} %  ", "bright_black"),
                bar(share, room, ascii_only),
            )
        )
    lines.append(Text.assemble((f"  {'total':<{NAME - 2}}", "bright_black"), f"{number(total):>8}"))
    return lines


def _chain(path: CriticalPath, found: Explanation, width: int) -> list[Text]:
    """The chain in order of time: neighbouring links of one wave, line and cause together."""
    steps: list[tuple[int, str, str, str, int]] = []
    place = _Places(found)
    code = found.run.timeline.trace.code
    for link in path.links:
        if not link.clk:
            continue
        instruction = code[_named(link)].instruction
        step = (link.event.wave, place.short(instruction.span), instruction.opcode, link.cause)
        if steps and steps[-1][:4] == step:
            steps[-1] = (*step, steps[-1][4] + link.clk)
        else:
            steps.append((*step, link.clk))
    if not steps:
        return []
    shown = sorted(range(len(steps)), key=lambda number_: (-steps[number_][4], number_))[:MOST_LINKS]
    around = "first to last"
    if path.periods:
        around = f"it closes after {counted(path.iterations, 'iteration')}"
    head = f"The chain  {around}; clk, wave, line, what is waited for"
    lines = [Text(head, style="bold")]
    hidden = 0
    waves = found.run.timeline.waves
    for number_, (wave, span, opcode, cause, clk) in enumerate(steps):
        if number_ not in shown:
            hidden += clk
            continue
        if hidden:
            lines.append(Text(f"  {hidden:>6}  (shorter steps)", style="bright_black"))
            hidden = 0
        name = (
            f"w{waves[wave].wave}"
            if len({each.workgroup for each in waves}) == 1
            else (f"g{waves[wave].workgroup}w{waves[wave].wave}")
        )
        text = f"  {clk:>6}  {name:<5} {span} {opcode}: {CAUSES.get(cause, cause)}"
        lines.append(Text(text[:width]))
    if hidden:
        lines.append(Text(f"  {hidden:>6}  (shorter steps)", style="bright_black"))
    return lines


def _named(link: Link) -> int:
    """The static instruction that a link is about: the access for its service and return."""
    return link.after_code if link.event.kind == "issue" and link.after.kind != "issue" else link.code


def _lines(found: Explanation, width: int) -> list[Text]:
    """Lines that take clocks, by wave group, each with its main reason, and the least slack."""
    groups = found.run.analysis.groups
    place = _Places(found)
    keys: dict[tuple[str, int, str], list[LineTime | None]] = {}
    for number_, table in enumerate(found.lines):
        for each in table:
            file, at = (each.span.file, each.span.line) if each.span is not None else ("", 0)
            keys.setdefault((file, at, each.opcode), [None] * len(groups))[number_] = each
    total = max((sum(line.clk for line in table) for table in found.lines), default=0.0)
    wanted = [
        key
        for key, row in keys.items()
        if total and max(line.clk if line else 0.0 for line in row) >= LEAST_SHARE * total
    ]
    weight = {key: max(line.clk if line else 0.0 for line in keys[key]) for key in wanted}
    top = set(sorted(wanted, key=lambda key: (-weight[key], key))[:MOST_LINES])
    wanted = [key for key in wanted if key in top]
    if not wanted:
        return []
    title = (
        f"Where the time goes  {per_pass(found)} and wave, by line: waiting and issuing, and for what most"
    )
    lines = [Text(part, style="bold") for part in textwrap.wrap(title, width)]
    names = [f"{place.short(SourceSpan(file, at))} {opcode}" for file, at, opcode in wanted]
    label = _label([*names, place.name], width - COLUMN - 7)
    room = max(1, (width - label - 7) // COLUMN)
    slack = _slack_by_line(found)
    for start in range(0, len(groups), room):
        part = range(start, min(start + room, len(groups)))
        head = Text(f"  {place.name}"[: label - 1].ljust(label), "bright_black")
        for column in part:
            head.append(f"{group_name(found.run.analysis, groups[column]):>{COLUMN}}")
        if found.path.periods:
            head.append(f"{'slack':>7}")
        lines.append(head)
        for key, name in zip(wanted, names, strict=True):
            file, at, _ = key
            line = Text(f"  {name}"[: label - 1].ljust(label))
            for column in part:
                line.append(_cell(keys[key][column], total))
            if found.path.periods:
                least = slack.get((file, at))
                line.append(
                    f"{'' if least is None else least:>7}", "bright_black" if least else "bold yellow"
                )
            lines.append(line)
    if found.path.periods:
        note = "slack: clk by which the line could come later without making the period longer (0: critical)"
        lines += wrapped(note, width, 4, "bright_black")
    return lines


def _cell(line: LineTime | None, total: float) -> Text:
    if line is None or line.clk < 0.5:
        return Text(f"{'-':>{COLUMN}}", style="bright_black")
    reason = max(line.by_reason, key=lambda name: (line.by_reason[name], name))
    style = "bold" if line.clk >= 0.1 * total else ""
    value = f"{line.clk:.0f}"
    return Text.assemble((f"{value:>6}", style), (f" {reason:<{COLUMN - 7}}", "bright_black"))


def _slack_by_line(found: Explanation) -> dict[tuple[str, int], int]:
    code = found.run.timeline.trace.code
    least: dict[tuple[str, int], int] = {}
    for (_, index), slack in found.path.slack_clk.items():
        span = code[index].instruction.span
        key = (span.file, span.line) if span is not None else ("", 0)
        least[key] = min(slack, least.get(key, slack))
    return least


def _label(names: Sequence[str], most: int) -> int:
    """Columns for names, their indent and a space behind them; ``most`` is what there is room for."""
    return max(LINE, min(most, 3 + max(map(len, names))))


def _exposed(found: Explanation, width: int) -> list[Text]:
    if not found.exposed:
        return []
    lines = [Text(f"Exposed latency  {per_pass(found)} in which waves stand at the wait", style="bold")]
    place = _Places(found)
    rows = found.exposed[:MOST_EXPOSED]
    names = [f"{place.short(each.span)} {each.opcode}" for each in rows]
    label = _label([*names, place.name], width - EXPOSED)
    head = f"{f'  {place.name}'[: label - 1]:<{label}}{'loads':>6}{'return after':>13}"
    lines.append(Text(f"{head}{'wait':>9}{'exposed':>9}  hidden by, more", style="bright_black"))
    for each, name in zip(rows, names, strict=True):
        low, high = each.latency_clk
        latency = f"{low}" if low == high else f"{low}-{high}"
        hidden = each.exposed_clk < 0.5
        line = Text(
            f"{f'  {name}'[: label - 1]:<{label}}{each.loads:>6}{latency:>13}{place.short(each.wait):>9}"
        )
        line.append(
            f"{'hidden' if hidden else number(each.exposed_clk):>9}", "bright_black" if hidden else "bold"
        )
        if each.mfmas and not hidden:
            line.append(f"  {counted(each.mfmas, 'MFMA')}")
        lines.append(line)
    if len(found.exposed) > MOST_EXPOSED:
        lines.append(Text(f"  {len(found.exposed) - MOST_EXPOSED} lines more", style="bright_black"))
    return lines


class _Places:
    """Short names of lines: the number alone where all that is shown stands in one file."""

    def __init__(self, found: Explanation) -> None:
        spans = [line.span for table in found.lines for line in table]
        files = {span.file for span in spans if span is not None and span.line}
        self.file = next(iter(files)) if len(files) == 1 else None
        self.name = (self.file or "").rpartition("/")[2]

    def short(self, span: SourceSpan | None) -> str:
        """``31``, or ``name.s:31`` with several files."""
        if span is None or not span.line:
            return "?"
        return str(span.line) if span.file == self.file else f"{span.file.rpartition('/')[2]}:{span.line}"


def _strong(found: Explanation, width: int) -> list[Text]:
    if not found.strong_waits:
        return []
    lines = [Text("Waits stronger than needed", style="bold")]
    for each in found.strong_waits:
        cost = f"costs {number(each.cost_clk)} {rated(found)}" if each.cost_clk >= 1 else "costs nothing here"
        lines += wrapped(f"{at(each.span)} {each.written}: {each.enough} is enough; {cost}", width, 6)
    return lines


def _advice(found: Explanation, width: int) -> list[Text]:
    head = f"Advice  {found.tried} edits were tried; each of these was simulated and checked"
    lines = [Text(head if found.advice else f"Advice  none: {found.tried} edits were tried", style="bold")]
    for number_, each in enumerate(found.advice, 1):
        about = "" if each.exact else "about "
        text = (
            f"{number_}. {each.text}. Would save {about}{number(each.gain_clk)} {rated(found)} "
            f"({number(each.clk)} left); {each.how_checked}."
        )
        lines += wrapped(text, width, 5)
        lines += _patch(each, number_, width)
    return lines


def _patch(advice: Advice, number_: int, width: int) -> list[Text]:
    """The lines that change, and how to have them changed."""
    patch = advice.patch
    if patch is None:
        return []
    said = f"As assembly: {patch.why_assembly}." if patch.why_assembly else ""
    changes = patch.diff.splitlines()[2:]
    if not changes:
        said = f"The file says so already: leave --set {', '.join(advice.replaces)} out."
    lines = [Text(f"     {part}") for part in textwrap.wrap(said, width - 5)]
    for text in changes[:MOST_CHANGES]:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(text[:1], "bright_black")
        line = Text(f"     {text.expandtabs(4)}", style=style)
        line.truncate(width)
        lines.append(line)
    if len(changes) > MOST_CHANGES:
        more = counted(len(changes) - MOST_CHANGES, "line")
        lines.append(Text(f"     {more} more", style="bright_black"))
    if changes:
        lines.append(Text(f"     --apply {number_} -o NEW{patch.ending}", style="bold"))
    return lines
