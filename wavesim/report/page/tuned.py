"""The page of a search: the kernel as it was and as it is scheduled on one axis, and what changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from wavesim.asm.printer import print_instruction
from wavesim.front.hip_groups import BUILTIN, statements
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.program import Instruction
from wavesim.report.page.page import Chapter, Story, page_parts
from wavesim.report.page.payload import Panel, run_panel
from wavesim.report.text.hints import HINT_PROOF, hint_rows
from wavesim.report.text.tuning import (
    PROOF,
    bound_argument,
    changes_said,
    clock_rows,
    predicted_anew,
    share_rows,
)
from wavesim.tuning.hints import Hints
from wavesim.tuning.tune import Tuned

_NOT_EXPLAINED = "not explained here: wavesim explain says where its clocks go"


def tuned_page(tuned: Tuned, path: Path, options: RunOptions, hints: Hints | None = None) -> Iterator[str]:
    """The HTML text in pieces; the same search gives the same bytes.

    Args:
        tuned: what was found.
        path: the kernel.
        options: how it is run.
        hints: the builtins for its HIP source.
    """
    panels = [_panel(tuned, "as it was", tuned.run)]
    if tuned.better:
        kernel = replace(tuned.run.kernel, program=tuned.program)
        after = run_kernel(path, options, prepared=(kernel, tuned.run.machine))
        panels.append(_panel(tuned, "tuned", after))
    if hints is not None and hints.run is not None:
        panels.append(_panel(tuned, "with builtins", hints.run))
    return page_parts(panels, Story("changes", _title(tuned), tuple(_chapters(tuned, hints))))


def _panel(tuned: Tuned, name: str, run: Run) -> Panel:
    """What ``check`` found is the kernel's as it was: another one was proven to have no more."""
    found = tuned.original.check.findings
    if run is not tuned.run:
        found = tuple(each for each in found if each.is_bad)
    panel = run_panel(run, found, notes=(_NOT_EXPLAINED,), checked=True)
    return replace(panel, title=f"{name}: {panel.title}")


def _title(tuned: Tuned) -> str:
    if not tuned.better:
        return f"{tuned.run.kernel.name}: nothing better was found and proven"
    return f"{tuned.run.kernel.name}: {tuned.gain:.1%} fewer clocks in the loop at {tuned.label}"


def _chapters(tuned: Tuned, hints: Hints | None) -> Iterator[Chapter]:
    if tuned.fault:
        yield Chapter("Forced", (f"This kernel is wrong as it is: {tuned.fault}",))
    said = [f"Bound: {bound_argument(tuned)}."] if tuned.bound else []
    if tuned.anew_clk is not None:
        said.append(f"{_capital(predicted_anew(tuned))}.")
    yield Chapter("", tuple(said), tuple(clock_rows(tuned)))
    if tuned.better:
        yield Chapter("What each kind of change is worth", (), tuple(share_rows(tuned)))
        yield Chapter("What changed", changes_said(tuned))
        yield Chapter("Proven", (f"{_capital(PROOF)}.",))
    if hints is not None and hints.source:
        place = f"At the end of the body of the loop at {hints.place}. {_capital(HINT_PROOF)}."
        yield Chapter(BUILTIN, (place,), tuple(hint_rows(hints, tuned)), tuple(statements(hints.groups)))
    if tuned.better:
        yield Chapter("The loop before and after", listing=tuple(_difference(tuned)))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _difference(tuned: Tuned) -> Iterator[str]:
    """The loop's instructions as they were and as they are."""
    before, after = (_printed(each) for each in (tuned.before, tuned.schedule))
    yield from (line for line in difflib.ndiff(before, after) if not line.startswith("?"))


def _printed(instructions: Sequence[Instruction]) -> list[str]:
    return [print_instruction(each) for each in instructions]
