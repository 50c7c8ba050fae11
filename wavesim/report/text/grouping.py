"""Findings of one pattern as one group: same rule, same severity, messages that differ in numbers only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wavesim.program import Finding

SHOWN_PLACES = 8
"""Lines, or runs of lines, that a group names beside its first."""

_REGISTER = r"(?:[vsa](?:\d+|\[\d+:\d+\])|vcc|exec|m0)"
_VARIES = re.compile(rf"\b{_REGISTER}(?:, {_REGISTER})*(?![\w\[])|(?<![\w.])(?:0x[0-9a-f]+|\d+)(?![\w.])")


def form(finding: Finding) -> tuple[str, str, str]:
    """What findings of one pattern have in common."""
    return finding.rule, finding.severity.value, _VARIES.sub("#", finding.message)


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings by pattern, in the order of each one's first."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(form(finding), []).append(finding)
    return list(groups.values())


def lines_text(findings: Sequence[Finding]) -> str:
    """The lines to fix, runs as one, the first ``SHOWN_PLACES`` of them; empty where none is known."""
    by_file: dict[str, set[int]] = {}
    for finding in findings:
        if finding.spans and finding.spans[0].line:
            by_file.setdefault(finding.spans[0].file, set()).add(finding.spans[0].line)
    parts = []
    for file, lines in by_file.items():
        name = f"{file}:" if len(by_file) > 1 else ""
        parts += [name + each for each in _runs(sorted(lines))]
    if not parts:
        return ""
    left = len(parts) - SHOWN_PLACES
    word = "line" if len(parts) == 1 and "-" not in parts[0] else "lines"
    return f"{word} {', '.join(parts[:SHOWN_PLACES])}{' ...' if left > 0 else ''}"


def _runs(numbers: Sequence[int]) -> list[str]:
    """Numbers in order as ``3`` or ``7-9``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]
