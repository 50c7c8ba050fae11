"""Checks of one kernel file, and of many of them on all cores."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavesim.errors import SourceSpan, UserError
from wavesim.inputs import note_input

if TYPE_CHECKING:
    from wavesim.checks.suppressions import Allowed
    from wavesim.pipeline.run import RunOptions
    from wavesim.program import Finding
    from wavesim.report.baseline import Baseline

_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class Ask:
    """What is asked for each kernel: how to load it, which workgroups, what is shown."""

    wanted: RunOptions
    corners: bool
    strict: bool
    most: int
    rules: tuple[str, ...]
    baseline: Baseline | None


@dataclass(frozen=True)
class Checked:
    """What was found in a kernel file, as plain values; ``found`` are all findings, ``findings`` those that a
    baseline does not know. ``error`` is why the file cannot be used; then nothing else is known."""

    file: str
    text: str = ""
    data: dict[str, Any] | None = None
    found: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    listed: tuple[tuple[SourceSpan, str], ...] = ()
    good: bool = True
    error: UserError | None = None


def kernel_files(given: Sequence[Path]) -> list[Path]:
    """The files that paths and patterns (``kernels/**/*.s``) name, each once, in the order given and sorted
    within a pattern. A pattern takes kernels only, no launch files.

    Raises:
        UserError: a pattern finds nothing.
    """
    from wavesim.pipeline.run import LOADERS

    files: dict[str, Path] = {}
    for path in given:
        if os.path.exists(path) or not _PATTERN & set(str(path)):
            files.setdefault(os.path.normpath(path), path)
            continue
        found = [
            Path(name)
            for name in sorted(glob.glob(str(path), recursive=True))
            if Path(name).suffix.lower() in LOADERS and not name.endswith((".launch.yaml", ".launch.yml"))
        ]
        if not found:
            raise UserError(f"{path}: no kernel file of this pattern", None, f"endings: {', '.join(LOADERS)}")
        for each in found:
            note_input(each)
            files.setdefault(os.path.normpath(each), each)
    return list(files.values())


def check_file(path: Path, ask: Ask) -> Checked:
    """One kernel.

    Raises:
        UserError: it cannot be used.
    """
    from wavesim.checks.run import check_prepared
    from wavesim.pipeline.run import prepare
    from wavesim.report.text.findings import check_json, findings_text, listed_instructions

    wanted = ask.wanted
    result = check_prepared(path, prepare(path, wanted), wanted, corners=ask.corners, strict=ask.strict)
    found = result.findings
    if ask.baseline is not None:
        result = replace(result, findings=tuple(ask.baseline.new(str(path), found)))
    known = len(found) - len(result.findings)
    places = {span for each in result.findings for span in each.spans}
    listed = listed_instructions(result.kernel.program)
    return Checked(
        str(path),
        findings_text(result, ask.most, ask.rules, known),
        {**check_json(result), "baseline": known},
        found,
        result.findings,
        result.allowed,
        tuple((span, text) for span, text in listed.items() if span in places),
        result.good,
    )


def check_files(paths: Sequence[Path], ask: Ask) -> list[Checked]:
    """Several kernels, in order, as many at a time as there are cores; one that cannot be used does not keep
    the others from being checked."""
    from wavesim.explanation.parallel import run_jobs

    return run_jobs([partial(_attempt, path, ask) for path in paths])


def _attempt(path: Path, ask: Ask) -> Checked:
    try:
        return check_file(path, ask)
    except UserError as error:
        return Checked(str(path), good=False, error=_placed(error, str(path)))


def _placed(error: UserError, file: str) -> UserError:
    """The error with the file that it is about, without what cannot go from process to process."""
    named = error.span is not None or file in error.message
    return UserError(error.message, error.span if named else SourceSpan(file), error.hint)
