"""Rule register-uninitialised: a register is read that no path from the kernel's start writes."""

from __future__ import annotations

from collections.abc import Iterable

from wavesim.checks.code_view import CodeView
from wavesim.checks.registers import uninitialised_reads
from wavesim.checks.rule import CODE, Rule
from wavesim.program import Finding, Severity

RULE = Rule(
    "register-uninitialised",
    Severity.WARNING,
    CODE,
    "A register is read that no path from the kernel's start writes.",
    "Registers start with whatever the last wave left in them, but for those that the launch sets.",
)


def find(view: CodeView) -> Iterable[Finding]:
    """Its findings."""
    return uninitialised_reads(view.program, view.code, view.used, view.flow)
