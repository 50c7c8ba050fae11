"""The first screen of a run: what ran, whether it is right, how fast, why, and what to try first.

It is for somebody who sees the kernel for the first time; ``run --details`` has every figure.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from wavesim.analyze.activity import Activity
from wavesim.analyze.result import BOUND_WORDS, LEVEL_BOUNDS, Analysis
from wavesim.pipeline.run import Run
from wavesim.program import Finding
from wavesim.program.verdict import Verdict
from wavesim.report.output import Look
from wavesim.timing.memory.predict import Round
from wavesim.words import bar, clipped, counted, number, percent

LABEL = 9

BAR = 16

MEANWHILE = {
    Activity.MFMA: "wait for waves that multiply",
    Activity.LDS_READ: "read LDS",
    Activity.LDS_WRITE: "write LDS",
    Activity.GLOBAL: "access global memory",
    Activity.WAIT_LGKM: "wait for LDS",
    Activity.WAIT_VM: "wait for global memory",
    Activity.BARRIER: "leave a barrier",
    Activity.PIPE_WAIT: "wait for the pipe",
    Activity.ALU: "do other arithmetic",
    Activity.OTHER: "wait for other things",
    Activity.ABSENT: "have ended",
}
"""What the waves do whose matrix pipe is idle."""

LEAST_IDLE = 0.1
"""Share of the loop's time from which on idle matrix pipes are spoken of."""

MOST_CAUSES = 3

MEND_FIRST = "Make it right first: the time of a wrong kernel says little."

VERDICT_STYLES = {Verdict.GOOD: "bold green", Verdict.BAD: "bold red", Verdict.UNCHECKED: "bold yellow"}


@dataclass(frozen=True, slots=True)
class Reached:
    """Share of what is possible that a run reaches, and the words for what limits it."""

    share: float
    said: str


@dataclass(frozen=True)
class FirstScreen:
    """What is said first of a run: in the terminal, and at the top of the page.

    ``rows`` are label and sentence, the verdict first; ``reached`` belongs below ``speed``. Each adds where
    to look next.
    """

    title: str
    verdict: Verdict
    rows: tuple[tuple[str, str], ...]
    reached: Reached | None


def said_first(run: Run, found: Sequence[Finding] = (), *, checked: bool = False) -> FirstScreen:
    """What to say first; ``checked``: ``wavesim check`` executed the kernel and found ``found``."""
    verdict = run.verdict_with(found, checked=checked)
    rows = {
        "verdict": f"{verdict}: {_about(run, verdict, found)}",
        "speed": _speed(run),
        "memory": _memory(run),
        "why": f"{run.diagnosis} {idle_pipes(run.analysis)}".strip() if run.diagnosis else "",
        "try": run.to_try if verdict is not Verdict.BAD else MEND_FIRST,
    }
    return FirstScreen(
        _title(run), verdict, tuple((name, text) for name, text in rows.items() if text), _reached(run)
    )


def idle_pipes(analysis: Analysis) -> str:
    """A sentence on what the waves of the loop do while their matrix pipes are idle; nothing where they
    hardly are, or where it has no MFMA."""
    if analysis.loop is None or analysis.bounds is None or not analysis.bounds.mfma:
        return ""
    shares = idle_shares(analysis)
    idle = sum(shares.values())
    if idle < LEAST_IDLE:
        return ""
    largest = sorted(shares.items(), key=lambda each: (-each[1], each[0]))[:MOST_CAUSES]
    parts = [f"{MEANWHILE[Activity[name.upper()]]} ({percent(share, 0)})" for name, share in largest]
    return f"The matrix pipes are idle {percent(idle, 0)} of the time, mostly while waves {', '.join(parts)}."


def idle_shares(analysis: Analysis) -> dict[str, float]:
    """Share of the steady clocks in which matrix pipes are idle, by cause."""
    steady = analysis.steady
    clk = steady.clk / max(1, steady.iterations)
    return {name: value / clk for name, value in analysis.mfma_idle.items()} if clk else {}


def first_screen(run: Run, look: Look, where_next: str = "") -> list[Text]:
    """The lines, at most ``look.width`` columns; ``where_next`` in place of where a run says to look."""
    width = look.width
    said = said_first(run)
    lines = [Text(part) for part in textwrap.wrap(said.title, width, subsequent_indent="  ")]
    lines[0].stylize("bold", 0, len(clipped(run.kernel.name)))
    for name, text in said.rows:
        lines += _row(name, text, width, VERDICT_STYLES[said.verdict] if name == "verdict" else "")
        if name == "speed" and said.reached is not None:
            lines += _bar(said.reached, look)
    return lines + _row("next", where_next or _next(said.verdict), width)


def _broken(text: str, width: int) -> list[str]:
    """Lines of a sentence; a number stays beside its unit, and nothing is cut."""
    kept = re.sub(r"(?<=[\d?]) (?=%|clk\b|GHz\b)", "\xa0", text)
    parts = textwrap.wrap(kept, width, break_long_words=False, break_on_hyphens=False)
    return [part.replace("\xa0", " ") for part in parts] or [""]


def _row(name: str, text: str, width: int, style: str = "") -> list[Text]:
    """``name  text``; a long text goes on below itself. ``style`` is that of the first word."""
    parts = _broken(text, width - LABEL)
    lines = [Text.assemble((f"{name:<{LABEL}}", "bright_black"), parts[0])]
    if style:
        lines[0].stylize(style, LABEL, LABEL + len(parts[0].split(":")[0]))
    return lines + [Text(" " * LABEL + part) for part in parts[1:]]


def _title(run: Run) -> str:
    analysis = run.analysis
    workgroups = len({wave.workgroup for wave in analysis.waves})
    waves = counted(len(analysis.waves), "wave")
    who = f"1 workgroup of {waves}" if workgroups == 1 else f"{counted(workgroups, 'workgroup')}, {waves}"
    supposed = f", if {run.what_if}" if run.what_if else ""
    return f"{clipped(run.kernel.name)} on {run.machine.name}{supposed}: {who}"


def _about(run: Run, verdict: Verdict, found: Sequence[Finding]) -> str:
    """What is known of its being right."""
    if verdict is Verdict.BAD:
        return why_bad(run, found)
    numerics = run.numerics
    why = f" ({numerics.message})" if numerics.message else ""
    numbers = "numbers right" if numerics.checked else f"numbers not checked{why}"
    if verdict is Verdict.GOOD:
        return f"{numbers}; wavesim check found no error"
    return f"{numbers}; races and missing waits not looked for"


def why_bad(run: Run, found: Sequence[Finding] = ()) -> str:
    """What makes the verdict of a run bad, with what else was ``found``."""
    reasons = [
        "deadlock (it did not finish; the figures are of what ran)" if not run.analysis.complete else "",
        "wrong numbers" if not run.numerics.ok else "",
        "an error or warning, below" if any(finding.is_bad for finding in (*run.findings, *found)) else "",
    ]
    return ", ".join(reason for reason in reasons if reason)


def _speed(run: Run) -> str:
    analysis = run.analysis
    loop, throughput = analysis.loop, analysis.throughput
    following, bandwidth = analysis.following, analysis.bandwidth
    if following is not None:
        said = f"{number(following.clk_per_workgroup)}{run.mark('clk_per_workgroup')} clk a workgroup"
        if run.memory is not None:
            low, high = run.memory.prediction.meant(following.clk_per_workgroup)
            said += f" ({number(low)} to {number(high)}; predicted)"
        said += f" of a compute unit, which has {following.together} at a time"
    elif loop is None:
        said = f"{analysis.clk_total}{run.mark('clk_total')} clk in all"
    else:
        said = f"{number(loop.clk_per_iteration)}{run.mark('clk_per_iteration')} clk per iteration"
        if run.memory is not None:
            low, high = run.memory.prediction.meant(loop.clk_per_iteration)
            said += f" ({number(low)} to {number(high)}; predicted)"
            if run.memory.later_clk_per_iteration is not None:
                said += f", {number(run.memory.later_clk_per_iteration)} in later rounds"
    if throughput is None and bandwidth is not None:
        mark, at = run.mark("gbytes_per_s"), f"at {number(bandwidth.clock.ghz, 3)} GHz"
        return f"{number(bandwidth.gbytes_per_s)}{mark} GB/s {at}; {said}"
    if throughput is None:
        return said
    mark, at = run.mark("tflops"), f"at {number(throughput.clock.ghz, 3)} GHz"
    if run.memory is not None and run.memory.later_clk is not None:
        whole, first = number(throughput.tflops_with_tail), number(throughput.tflops)
        return f"{whole}{mark} TFLOP/s {at} ({first} in the first round, when no cache has anything); {said}"
    return f"{said}, {number(throughput.tflops)}{mark} TFLOP/s {at}"


def _memory(run: Run) -> str:
    """Where the lines of a predicted run come from, and whether that limits it."""
    if run.memory is None:
        return ""
    found = run.memory.prediction
    parts = [
        f"{100 * share:.0f} % {'of cache lines come ' * (not place)}from {level}"
        for place, (level, share) in enumerate(
            (level, share) for level, share in found.share.items() if share >= 0.005
        )
    ]
    if not parts:
        return ""
    bounds = run.analysis.bounds
    limit = bounds.binding if bounds is not None else ""
    said = ", ".join(parts)
    if limit in LEVEL_BOUNDS:
        said += f"; {BOUND_WORDS[limit]} limits"
    return f"{said} (predicted, of the {'first' if found.round is Round.COLD else 'later'} workgroups)"


def _reached(run: Run) -> Reached | None:
    """How much of what is possible is reached, and what sets that."""
    loop, bounds, bandwidth = run.analysis.loop, run.analysis.bounds, run.analysis.bandwidth
    if bandwidth is not None and bandwidth.memory_gbytes_per_s is not None:
        most = bandwidth.memory_gbytes_per_s
        share = min(bandwidth.gbytes_per_s / most, 1.0)
        text = f"{percent(share, 0)} of what is possible: {number(most)} GB/s (Infinity Cache and HBM)"
        return Reached(share, text)
    if loop is None or bounds is None:
        return None
    name = bounds.binding
    bound = bounds.named()[name]
    if not bound:
        return None
    share = min(bound / loop.clk_per_iteration, 1.0)
    least = f"{number(bound)}{run.mark(f'bounds.{name}')}"
    return Reached(share, f"{percent(share, 0)} of what is possible: {least} clk ({BOUND_WORDS[name]})")


def _bar(reached: Reached, look: Look) -> list[Text]:
    filled = bar(reached.share, BAR, look.ascii_only)
    rest = ("." if look.ascii_only else "░") * (BAR - len(filled))
    parts = _broken(reached.said, look.width - LABEL - BAR - 1)
    lines = [Text.assemble(" " * LABEL, (filled, "bold"), (rest, "bright_black"), f" {parts[0]}")]
    return lines + [Text(" " * (LABEL + BAR + 1) + part) for part in parts[1:]]


def _next(verdict: Verdict) -> str:
    if verdict is Verdict.BAD:
        return "wavesim check: what is wrong, with the line; --details: figures"
    ask = "wavesim check: right? explain: why? tune: faster? --details: figures"
    return f"{ask}; explain-word WORD: what it means"
