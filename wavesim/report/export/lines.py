"""Findings as lines that editors and code hosts read: gcc's form, and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wavesim.errors import SourceSpan
from wavesim.program import Finding, Severity
from wavesim.report.text.grouping import grouped, lines_text
from wavesim.words import counted

_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def gcc_lines(findings: Sequence[Finding], file: str, listed: Mapping[SourceSpan, str]) -> Iterator[str]:
    """``file:line:column: severity: message [rule]`` for every finding, its further places as notes.

    Args:
        findings: what was found.
        file: the kernel's file, for findings without a place.
        listed: address and disassembly by place, for code objects.
    """
    for finding in findings:
        first, *others = finding.spans or (SourceSpan(file),)
        message = finding.message + (f"; {finding.fix}" if finding.fix else "")
        yield f"{_place(first)}: {finding.severity}: {_at(message, first, listed)} [{finding.rule}]"
        for span in others:
            yield f"{_place(span)}: note: {_at('also here', span, listed)} [{finding.rule}]"


def _place(span: SourceSpan) -> str:
    """The source that a line was compiled from, where it is known."""
    span = span.source or span
    name = span.file.replace("\n", "\\n")
    return f"{name}:{max(span.line, 1)}:{max(span.column, 1)}"


def _at(message: str, span: SourceSpan, listed: Mapping[SourceSpan, str]) -> str:
    return f"{message} (at {listed[span]})" if span in listed else message


def github_lines(findings: Sequence[Finding], file: str, listed: Mapping[SourceSpan, str]) -> Iterator[str]:
    """One ``::error``, ``::warning`` or ``::notice`` command per pattern of findings, for GitHub shows ten of
    each kind. Arguments as for :func:`gcc_lines`."""
    for finding, *alike in grouped(findings):
        span = finding.spans[0] if finding.spans else SourceSpan(file)
        shown = span.source or span
        fields = {"file": shown.file, "title": f"wavesim {finding.rule}"}
        if shown.line and span not in listed:  # a line of a code object is none of the file
            fields["line"] = str(shown.line)
            fields["col"] = str(max(shown.column, 1))
        message = _at(finding.message, span, listed) + (f"\nfix: {finding.fix}" if finding.fix else "")
        if alike:
            where = lines_text(alike)
            message += f"\nand {counted(len(alike), 'finding')} like it" + (f" ({where})" if where else "")
        head = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
        yield f"::{_GITHUB[finding.severity]} {head}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
