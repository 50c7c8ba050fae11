"""Advice: candidates that were simulated, are safe as far as check can say, and make the loop faster.

``gain_clk`` is the difference of two simulations. Edits of the program are timed on its own executed
streams; edits of a tile program's text are loaded, executed and checked like any kernel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from wavesim.analyze.result import Analysis
from wavesim.checks.all_paths import check_program
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.errors import SourceSpan, UserError
from wavesim.explanation.candidates import Candidate
from wavesim.explanation.edits import Edit, edited, edited_program
from wavesim.explanation.pace import Pace, Streams
from wavesim.explanation.text_candidate import TextCandidate
from wavesim.front.launch.model import LoadedKernel
from wavesim.isa.machine import Machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import Run
from wavesim.program import Finding, Program
from wavesim.trace import Trace
from wavesim.trace.decode import code_entries
from wavesim.words import number

if TYPE_CHECKING:
    from wavesim.explanation.patch import Patch

LEAST_GAIN_CLK = 4
"""An issue slot: smaller gains are not worth an edit."""

MOST_SUGGESTIONS = 6


@dataclass(frozen=True)
class Advice:
    """One suggestion that was tried.

    Attributes:
        kind: relax-wait, move-wait, split-wait, move-barrier, remove-barrier, priority, hoist-load; of a tile
            program stagger or swizzle; of HIP sched-group-barrier, setprio or source-barrier.
        text: what to do, with the lines.
        spans: the lines.
        clk, gain_clk: clocks per iteration with it, and what it saves, by throughput over the whole run (of
            the whole run without a loop).
        exact: both are of periods that repeat.
        how_checked: how it is known to be safe.
        edit: the change of the program; ``None`` if it is one of the text.
        source: the whole edited file; ``None`` if it is a change of the program.
        replaces: ``--set`` names that the edited file gives another value.
        patch: the same as a change of a file; ``None`` before it is made, and for a piece of a kernel.
    """

    kind: str
    text: str
    spans: tuple[SourceSpan, ...]
    clk: float
    gain_clk: float
    exact: bool
    how_checked: str
    edit: Edit | None = None
    source: str | None = None
    replaces: tuple[str, ...] = ()
    patch: Patch | None = None

    @property
    def name(self) -> str:
        """What ``wavesim explain --apply`` takes for it: ``move-wait-31``."""
        line = self.spans[0].line if self.spans else 0
        return f"{self.kind}-{line}" if line else self.kind

    def said(self, base: Pace) -> str:
        """What it is worth, in a sentence, and how to have it; ``base`` is the kernel's own pace."""
        return (
            f"{self.text}: {number(self.clk)} in place of {number(base.clk)} {base.unit}, simulated "
            f"(explain --apply {self.name} -o FILE writes it)."
        )


@dataclass(frozen=True)
class Bench:
    """What candidates are tried on: the kernel's streams and its own pace."""

    kernel: LoadedKernel
    machine: Machine
    streams: Streams
    base: Pace
    relaxer: WaitRelaxer
    rules_broken: Mapping[str, int]
    iterations: int
    can_be_executed: bool
    """A launch states all of it; a region, and a kernel without a launch, rest on assumptions."""

    @classmethod
    def of(cls, run: Run, streams: Streams, base: Pace, *, whole: bool = True) -> Bench:
        """What candidates for a run are tried on; ``whole``: it is no region of a kernel."""
        findings, relaxer = check_program(run.kernel.program)
        known = whole and run.unknowns is None
        rules, iterations = rules_of(findings), iterations_of(run.analysis)
        return cls(run.kernel, run.machine, streams, base, relaxer, rules, iterations, known)

    def pace(self, edit: Edit, enough_clk: float = inf) -> Pace | None:
        """The pace with an edit; ``None`` where it cannot be made or timed."""

        def change(trace: Trace, parameters: TimingParameters) -> tuple[Trace, TimingParameters]:
            return edited(trace, edit), parameters

        try:
            pace = self.streams.pace(self.machine, change, enough_clk=enough_clk)
        except (UserError, ValueError):
            return None
        return pace if pace is not None and pace.per_iteration == self.base.per_iteration else None

    def gains(self, pace: Pace) -> bool:
        """Whether it is worth saying: a slot gained, and the run as a whole no slower."""
        return self.base.clk - pace.clk >= LEAST_GAIN_CLK and pace.run_clk <= self.base.run_clk

    def is_clean(self, program: Program) -> bool:
        """Whether the rules that read the code find nothing that they did not find before."""
        found = broken_rules(program)
        return all(count <= self.rules_broken.get(rule, 0) for rule, count in found.items())


def iterations_of(analysis: Analysis) -> int:
    """Iterations of the main loop; 0 where there is none."""
    return analysis.loop.iterations if analysis.loop is not None else 0


def broken_rules(program: Program) -> Counter[str]:
    """Rules that read the code -> errors and warnings of them."""
    return rules_of(check_program(program)[0])


def rules_of(findings: Iterable[Finding]) -> Counter[str]:
    """Rules -> errors and warnings of them."""
    return Counter(finding.rule for finding in findings if finding.is_bad)


def advised(bench: Bench, candidate: Candidate | TextCandidate, pace: Pace, how_checked: str) -> Advice:
    """A candidate that was timed and checked, as advice."""
    tried = pace.clk, bench.base.clk - pace.clk, pace.exact and bench.base.exact, how_checked
    if isinstance(candidate, Candidate):
        return Advice(candidate.kind, candidate.text, candidate.spans, *tried, edit=candidate.edit)
    file = bench.kernel.file
    place = f"{file}:{candidate.lines[0]}" if candidate.builtins else file
    return Advice(
        candidate.kind,
        f"{place}: {candidate.advice}",
        tuple(SourceSpan(file, line) for line in candidate.lines),
        *tried,
        source=candidate.text,
        replaces=tuple(candidate.settings),
    )


def try_candidate(bench: Bench, candidate: Candidate) -> Advice | None:
    """Time a candidate, and check the code if it is changed; ``None`` if it gains nothing or breaks it.

    LDS order (``needs_order``) is for :func:`judge`.
    """
    pace = gaining_pace(bench, candidate)
    return None if pace is None else vetted(bench, candidate, pace)


def gaining_pace(bench: Bench, candidate: Candidate) -> Pace | None:
    """The pace with a candidate, if it gains something."""
    pace = bench.pace(candidate.edit, bench.base.clk)
    return pace if pace is not None and bench.gains(pace) else None


def vetted(bench: Bench, candidate: Candidate, pace: Pace) -> Advice | None:
    """A candidate that gains, as advice; ``None`` if the checks of the code say that it breaks something."""
    how = "checked: counts and lines of the code as it is"
    if candidate.kind == "priority":
        how = "priorities change no results"
    if candidate.code_changes:
        whole = bench.streams.whole
        program, _ = edited_program(whole.program, whole.code, candidate.edit)
        if not bench.is_clean(program):
            return None
        how = "wavesim's code checks stay clean"
    return advised(bench, candidate, pace, how)


def apply_edit(kernel: LoadedKernel, edit: Edit) -> LoadedKernel:
    """The kernel with an advice's edit of its program."""
    program, _ = edited_program(kernel.program, code_entries(kernel.program), edit)
    return replace(kernel, program=program)
