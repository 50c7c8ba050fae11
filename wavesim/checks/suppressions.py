"""Findings that the source allows: ``; wavesim: allow RULE: reason``.

The comment stands on the line of the finding's first place, or alone on the lines above it. In compiled
code that is the line of the source or of the assembly. ``allow-file`` covers the whole file. A reason is
needed. What allows nothing is said as a note, so that no suppression outlives its finding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wavesim.checks.rule import EXECUTION, Rule
from wavesim.errors import SourceSpan, UserError
from wavesim.front.endings import CODE_OBJECTS
from wavesim.program import Finding, Severity
from wavesim.source_text import read_text

RULE = "suppression"
FORM = "`; wavesim: allow RULE: reason`"

_COMMENT = re.compile(r"(?:;|//|#|/\*)\s*wavesim:\s*(allow\b.*?)\s*(?:\*/\s*)?$")
_ALLOW = re.compile(r"allow(?P<file>-file)?\s+(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)\s*(?::\s*(?P<reason>.*))?$")
_NO_CODE = re.compile(r"\s*(?:(?:;|//|#|/\*).*)?$")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One rule that a comment at ``span`` allows on ``line`` of its file; 0: in all of the file."""

    rule: str
    reason: str
    span: SourceSpan
    line: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """A finding that is not counted, and the reason that the source gives."""

    finding: Finding
    reason: str


def read_suppressions(
    text: str, file: str, rules: Collection[str]
) -> tuple[list[Suppression], list[Finding]]:
    """The suppressions of a text, and what is wrong with its comments."""
    found: list[Suppression] = []
    faults: list[Finding] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        comment = _COMMENT.search(line)
        if comment is None:
            continue
        span = SourceSpan(file, number, comment.start() + 1)
        match = _ALLOW.match(comment[1])
        if match is None:
            faults.append(_fault(f"cannot be read: {comment[1]!r:.60}", span, f"write {FORM}"))
            continue
        names = [name.strip() for name in match["rules"].split(",")]
        reason = (match["reason"] or "").strip()
        unknown = [name for name in names if name not in rules]
        if unknown:
            faults.append(_fault(f"allows {', '.join(unknown)}: no such rule", span, "see docs/checks"))
        elif not reason:
            faults.append(_fault(f"allows {', '.join(names)} without a reason", span, f"write {FORM}"))
        else:
            place = 0 if match["file"] else _covered(lines, number)
            found += [Suppression(name, reason, span, place) for name in names]
    return found, faults


def _fault(what: str, span: SourceSpan, fix: str) -> Finding:
    return Finding(RULE, Severity.WARNING, f"the suppression {what}", (span,), fix=fix)


def _covered(lines: list[str], number: int) -> int:
    """The line of the comment, or, where it stands alone, the next one with code."""
    while number < len(lines) and _NO_CODE.match(lines[number - 1]):
        number += 1
    return number


def suppressed(
    findings: Iterable[Finding], kernel_file: str, rules: Mapping[str, Rule], *, executed: bool, whole: bool
) -> tuple[list[Finding], list[Allowed]]:
    """Findings that the sources do not allow, with those about suppressions; and those that they allow.

    Args:
        findings: what was found.
        kernel_file: the kernel's file; the others are those that findings name.
        rules: all rules by id.
        executed: whether rules that look at an execution were applied.
        whole: whether all of the kernel was looked at, so that an unused suppression is a stale one.
    """
    given = list(findings)
    wanted: list[Suppression] = []
    kept: list[Finding] = []
    files = {kernel_file: None, **{place.file: None for each in given for place in _places(each)}}
    for file in files:
        read, faults = read_suppressions(_text(file), file, rules)
        wanted += read
        kept += faults
    allowed: list[Allowed] = []
    used: set[Suppression] = set()
    for finding in given:
        covers = [
            each for each in wanted if each.rule == finding.rule and _covers(each, finding, kernel_file)
        ]
        used.update(covers)
        if covers:
            allowed.append(Allowed(finding, covers[0].reason))
        else:
            kept.append(finding)
    for each in wanted if whole else ():
        if each not in used and (executed or rules[each.rule].needs != EXECUTION):
            message = f"the suppression of {each.rule} allows nothing: there is no such finding"
            kept.append(Finding(RULE, Severity.NOTE, message, (each.span,), fix="remove it"))
    return kept, allowed


def _places(finding: Finding) -> tuple[SourceSpan, ...]:
    """The place to fix first, and the line of the source that it was compiled from."""
    if not finding.spans:
        return ()
    first = finding.spans[0]
    return (first,) if first.source is None else (first, first.source)


def _covers(suppression: Suppression, finding: Finding, kernel_file: str) -> bool:
    places = _places(finding) or (SourceSpan(kernel_file),)
    return any(
        place.file == suppression.span.file and suppression.line in (0, place.line) for place in places
    )


def _text(file: str) -> str:
    """The text of a source; of a code object, and of what is not there any more, nothing."""
    if not file or file.lower().endswith(CODE_OBJECTS) or not Path(file).is_file():
        return ""
    try:
        return read_text(Path(file), lenient=True)
    except UserError:
        return ""
