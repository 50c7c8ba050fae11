"""Findings as text and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wavesim.asm.printer import print_instruction
from wavesim.checks.elsewhere import places_text
from wavesim.checks.run import CheckResult
from wavesim.errors import SourceSpan
from wavesim.front.endings import CODE_OBJECTS
from wavesim.program import Finding, Program
from wavesim.report.text.grouping import grouped, lines_text
from wavesim.report.text.unknowns import unknown_lines, unknowns_json
from wavesim.words import clipped, counted

_NO_LAUNCH = "no launch is known (a launch file, or --arg and --block, give one)"
SHOWN_GROUPS = 20
"""Groups of findings on a terminal; JSON and SARIF have all findings."""


def findings_text(
    result: CheckResult, most: int = SHOWN_GROUPS, rules: Collection[str] = (), known: int = 0
) -> str:
    """One paragraph per pattern of findings, the worst first, and a line that sums up.

    Args:
        result: what was found.
        most: patterns that are shown, 0 for all of them.
        rules: only findings of these rules are shown, if there are any; all are counted.
        known: how many more a baseline has taken out.
    """
    lines: list[str] = []
    chosen = [each for each in result.findings if not rules or each.rule in rules]
    groups = grouped(chosen)
    shown = groups[:most] if most else groups
    listed = listed_instructions(result.kernel.program)
    for group in shown:
        lines += _paragraph(group, listed)
    hidden = groups[len(shown) :]
    if hidden:
        patterns = counted(len(hidden), "more pattern")
        count = sum(map(len, hidden))
        lines.append(f"{patterns} ({counted(count, 'finding')}) not shown: --max 0 shows all")
    if len(chosen) < len(result.findings):
        others = len(result.findings) - len(chosen)
        lines.append(f"{counted(others, 'finding')} of other rules not shown")
    if result.allowed:
        names = ", ".join(sorted({each.finding.rule for each in result.allowed}))
        lines.append(f"{counted(len(result.allowed), 'finding')} allowed by the source ({names})")
    if known:
        lines.append(f"{counted(known, 'finding')} of the baseline not shown")
    if result.no_launch and result.unknowns is not None and not result.unknowns.opcodes:
        assumed = counted(len(result.unknowns.assumptions), "assumption")
        lines.append(f"{assumed} in place of the launch (--json lists them)")
    else:
        lines += unknown_lines(result.unknowns)
    if result.shortened:
        lines.append(result.shortened)
    if result.executed:
        grid = result.kernel.launch.grid
        size = " x ".join(map(str, grid[: 3 if grid[2] > 1 else 2]))
        noun = "workgroups" if len(result.executed) > 1 else "workgroup"
        lines.append(f"executed: {noun} {places_text(result.executed, grid=grid)} of a grid of {size}")
    elif result.no_launch:
        lines.append(f"executed as far as lane and wave numbers say: {_NO_LAUNCH}")
    elif result.numerics is None:
        lines.append(f"not executed: {_NO_LAUNCH}")
    if result.left_out:
        lines.append(result.left_out)
    counts = Counter(finding.severity.value for finding in result.findings)
    parts = [(counts[name], name) for name in ("error", "warning", "note") if counts[name]]
    total = ", ".join(counted(count, name) for count, name in parts)
    verdict = "clean" if result.good else "not clean"
    lines.append(f"{clipped(result.kernel.name)}: {verdict}" + (f" ({total})" if total else ""))
    return "\n".join(lines)


def _paragraph(group: Sequence[Finding], listed: Mapping[SourceSpan, str]) -> Iterator[str]:
    """The first finding of a pattern, and where the others are."""
    finding, *alike = group
    place = f"{finding.spans[0]}: " if finding.spans else ""
    yield f"{place}{finding.severity}: {finding.message} [{finding.rule}]"
    yield from (f"  at {listed[span]}" for span in finding.spans[:1] if span in listed)
    yield from (f"  also {_with_code(span, listed)}" for span in finding.spans[1:])
    if finding.waves:
        noun = "waves" if len(finding.waves) > 1 else "wave"
        yield f"  {noun} {', '.join(map(str, finding.waves))}"
    if finding.fix:
        yield f"  fix: {finding.fix}"
    if alike:
        where = lines_text(alike)
        yield f"  and {len(alike)} more like it" + (f" ({where})" if where else "")


def _with_code(span: SourceSpan, listed: Mapping[SourceSpan, str]) -> str:
    return f"{span}, {listed[span]}" if span in listed else str(span)


def listed_instructions(program: Program) -> dict[SourceSpan, str]:
    """Address and disassembly of a code object's instructions by their places, which are lines of a listing
    that its user need not have; nothing for other kernels."""
    if not program.file.lower().endswith(CODE_OBJECTS):
        return {}
    return {
        each.span: f"{each.comment}: {print_instruction(each)}" for each in program if each.span is not None
    }


def check_json(result: CheckResult) -> dict[str, Any]:
    """The same as plain data: kernel, verdict, findings with rule, severity, message, places, waves and
    fix."""
    listed = listed_instructions(result.kernel.program)
    return {
        "kernel": result.kernel.name,
        "arch": result.kernel.program.arch,
        "good": result.good,
        "verdict": str(result.verdict),
        "findings": [finding_json(finding, listed) for finding in result.findings],
        "allowed": [{**finding_json(each.finding, listed), "reason": each.reason} for each in result.allowed],
        "grid": list(result.kernel.launch.grid),
        "workgroups": [list(group) for group in result.executed],
        "workgroups_left_out": result.left_out or None,
        "shortened": result.shortened or None,
        "unknowns": unknowns_json(result.unknowns),
    }


def finding_json(finding: Finding, listed: Mapping[SourceSpan, str] = MappingProxyType({})) -> dict[str, Any]:
    """One finding."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "places": [place_json(span, listed) for span in finding.spans],
        "waves": list(finding.waves),
        "fix": finding.fix,
    }


def place_json(span: SourceSpan, listed: Mapping[SourceSpan, str] = MappingProxyType({})) -> dict[str, Any]:
    """A place; ``source`` is the line it was compiled from, where that is known, ``instruction`` address and
    disassembly in a code object."""
    place: dict[str, Any] = {"file": span.file, "line": span.line, "column": span.column}
    if span in listed:
        place["instruction"] = listed[span]
    if span.source is not None:
        place["source"] = place_json(span.source)
    return place
