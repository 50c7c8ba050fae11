"""Advice that only an execution can judge: waits and barriers by all LDS addresses, edits of a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wavesim.checks.lds_order import unordered_lds_accesses
from wavesim.checks.races import global_races, races_at_all
from wavesim.checks.strong_waits import LdsEvidence, StrongWait, find_strong_waits
from wavesim.emulate.addresses import emulate_addresses
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.explanation.advice import Advice, Bench, advised, iterations_of, try_candidate
from wavesim.explanation.candidates import Candidate
from wavesim.explanation.pace import Pace, pace_of
from wavesim.explanation.text_candidate import TextCandidate
from wavesim.front.launch.model import LoadedKernel
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.trace import CodeEntry, Kind

REORDERS = ("stagger", "source-barrier")
"""Edits of a source that order its accesses otherwise."""


def observed(kernel: LoadedKernel, machine: Machine) -> tuple[Execution | None, bool]:
    """An execution with all LDS addresses, ``None`` if it cannot be had, and whether it is sound.

    What waves store is looked at only if it could matter: two may store one value to one place.
    """
    try:
        execution = emulate_addresses(kernel.program, kernel.launch, machine, observe_lds=True)
        sound = execution.complete and is_sound(execution)
        if execution.complete and not sound and not execution.has_numbers:
            execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
            sound = is_sound(execution)
    except UserError:
        return None, False
    return execution if execution.complete else None, sound


def is_sound(execution: Execution) -> bool:
    """Whether the execution met no fault and its accesses are ordered (as ``wavesim check`` judges)."""
    if any(each.is_bad for each in execution.findings):
        return False
    trace, acquires = execution.trace, execution.acquires
    if races_at_all(trace, execution.lds_accesses, trace.program.metadata.lds_bytes, acquires):
        return False
    if any(True for _ in global_races(trace, execution.global_accesses, acquires)):
        return False
    return not any(True for _ in unordered_lds_accesses(trace, execution.lds_accesses))


@dataclass(frozen=True)
class Judged:
    """What an execution with all its LDS addresses shows: waits stronger than needed, as rule
    wait-too-strong judges them, and barriers that no LDS access needs and that cost clocks."""

    strong: tuple[StrongWait, ...]
    barriers: tuple[Advice, ...]


def judge(bench: Bench, barriers: Sequence[Candidate]) -> Judged:
    """Judge the waits of the kernel, and those of ``barriers`` that would gain something."""
    execution, ordered = observed(bench.kernel, bench.machine) if bench.can_be_executed else (None, False)
    strong = tuple(find_strong_waits(bench.relaxer, execution if ordered else None))
    evidence = LdsEvidence.of(bench.relaxer, execution) if execution is not None and ordered else None
    if evidence is None or any(entry.kind is Kind.VMEM_STORE for entry in _in_loops(bench)):
        return Judged(strong, ())
    needless = []
    for candidate in barriers:
        found = try_candidate(bench, candidate)
        code = tuple(
            replace(entry, kind=Kind.INTERNAL) if index in candidate.edit.removed else entry
            for index, entry in enumerate(bench.streams.whole.code)
        )
        if found is not None and evidence.ordered(code):
            needless.append(replace(found, how_checked="no race in this launch without it"))
    return Judged(strong, tuple(needless))


def _in_loops(bench: Bench) -> list[CodeEntry]:
    code = bench.streams.whole.code
    inside: list[CodeEntry] = []
    for source, target in bench.relaxer.flow.back_edges():
        inside += code[target : source + 1]
    return inside


@dataclass(frozen=True)
class TextTrial:
    """The pace of an edited source (``None``: it cannot run); advice if it is clean and gains."""

    pace: Pace | None = None
    advice: Advice | None = None


def try_text(bench: Bench, path: Path, candidate: TextCandidate, options: RunOptions) -> TextTrial:
    """Load (for HIP: compile), execute, check and time an edited source.

    A loop that clang unrolls otherwise is not compared. Barriers move only where numbers are checked.
    """
    rest = {name: value for name, value in options.settings.items() if name not in candidate.settings}
    try:
        run = run_kernel(path, replace(options, source=candidate.text, settings=rest, numbers=False))
        pace = pace_of(run.timeline, run.machine) if run.analysis.complete else None
        if pace is None or iterations_of(run.analysis) != bench.iterations:
            return TextTrial()
        if not bench.gains(pace):
            return TextTrial(pace)
        kernel = run.kernel
        if any(each.is_bad for each in kernel.findings) or not bench.is_clean(kernel.program):
            return TextTrial(pace)
        execution = emulate(kernel.program, kernel.launch, bench.machine, observe_lds=True)
        numerics = check_numerics(execution, kernel.launch)
        unproven = not numerics.checked and candidate.kind in REORDERS
        if not numerics.ok or unproven or not is_sound(execution):
            return TextTrial(pace)
    except UserError:
        return TextTrial()
    how = "the edited file was executed" if not candidate.builtins else "compiled with it and executed"
    numbers = "numbers right, " if numerics.checked else ""
    return TextTrial(pace, advised(bench, candidate, pace, f"{how}: {numbers}no race"))
