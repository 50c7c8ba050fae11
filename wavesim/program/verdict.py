"""The verdict on a kernel: one of three words, decided in one place."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from wavesim.program.finding import Finding


class Verdict(StrEnum):
    """``good``: ran, numbers right where stated, checked without error or warning. ``bad``: an error, a
    warning, wrong numbers or a deadlock. ``unchecked``: nothing was found, but not everything was looked at.
    """

    GOOD = "good"
    BAD = "bad"
    UNCHECKED = "unchecked"


def verdict_of(findings: Iterable[Finding], *, right: bool, checked: bool) -> Verdict:
    """The verdict.

    Args:
        findings: All that was found.
        right: No deadlock, and no wrong number among those that were compared.
        checked: Whether the rules of ``wavesim check`` were applied, to the code and to an execution.
    """
    if not right or any(finding.is_bad for finding in findings):
        return Verdict.BAD
    return Verdict.GOOD if checked else Verdict.UNCHECKED
