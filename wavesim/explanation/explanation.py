"""Explanation: why a kernel takes the clocks it takes, gathered in one value that reports print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wavesim.checks.relaxing import NOT_WAITED
from wavesim.checks.strong_waits import StrongWait
from wavesim.checks.waits import span_of
from wavesim.errors import SourceSpan, UserError
from wavesim.explanation.advice import (
    LEAST_GAIN_CLK,
    MOST_SUGGESTIONS,
    Advice,
    Bench,
    advised,
    try_candidate,
)
from wavesim.explanation.builtins import source_edits
from wavesim.explanation.candidates import LoopCode, candidates, relaxed_waits
from wavesim.explanation.critical_path import CriticalPath, critical_path
from wavesim.explanation.diagnosis import diagnosis
from wavesim.explanation.executed import TextTrial, judge, try_text
from wavesim.explanation.exposed import ExposedLatency, exposed_latencies
from wavesim.explanation.glance import nothing_to_try
from wavesim.explanation.lines import LineTime, lines_of
from wavesim.explanation.main_loop import Steady, steady_of
from wavesim.explanation.pace import Pace, timed
from wavesim.explanation.parallel import Job, run_jobs
from wavesim.explanation.patch import edit_patch, text_patch
from wavesim.explanation.reproduce import stagger_edits, stagger_row, stagger_text
from wavesim.explanation.stepwise import stepwise_waits
from wavesim.explanation.text_candidate import TextCandidate
from wavesim.explanation.tile_text import constants_of, swizzles
from wavesim.explanation.whatif import WHAT_IFS, Rung, by_gain, measure, rung
from wavesim.front.endings import HIP, TILES
from wavesim.front.launch.model import LoadedKernel
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.source_text import read_text
from wavesim.trace import Timeline

Progress = Callable[[str, float], None]
MOST_TEXT_TRIALS = 5
LONG_INSTRUCTIONS = 50_000
"""Instructions from which on more processes can pay: forking them takes a tenth of a second."""
ALTERNATIVES = ("swizzle", "priority", "split-wait", "sched-group-barrier", "setprio")
NOISE_SHARE = 0.01
"""Least gain, as a share of an iteration, of advice for a loop without a period."""


class NotFinished(UserError):
    """The kernel's waves do not finish: a bad verdict (exit code 1), and nothing to explain."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class StrongWaitCost:
    """A wait that is stronger than needed: what is enough, and the clocks per iteration that it costs."""

    span: SourceSpan
    written: str
    enough: str
    cost_clk: float


@dataclass(frozen=True)
class Explanation:
    """Why the kernel takes the clocks it takes.

    Attributes:
        run: the run that is explained; its analysis has the stalls of the wave groups.
        pace_clk: clocks per iteration by throughput, the headline of a run (clocks of the whole run where
            there is no loop); what-ifs and advice are rated by it.
        per_iteration: whether there is a loop.
        steady_clk: clocks per pass of the loop in steady state (of the whole run where there is no loop):
            what lines and critical path explain.
        lines: where the time goes by line, of each wave group (stall tiling).
        path: the critical path.
        ladder: what-ifs, the largest gain first.
        exposed: loads by line, the most exposed first.
        strong_waits: waits stronger than needed.
        advice: suggestions that were tried, the largest gain first.
        tried: candidates that were tried.
    """

    run: Run
    pace_clk: float
    per_iteration: bool
    steady_clk: float
    lines: tuple[tuple[LineTime, ...], ...]
    path: CriticalPath
    ladder: tuple[Rung, ...]
    exposed: tuple[ExposedLatency, ...]
    strong_waits: tuple[StrongWaitCost, ...]
    advice: tuple[Advice, ...]
    tried: int


def explain_kernel(
    path: Path, options: RunOptions, progress: Progress | None = None, *, processes: int | None = None
) -> Explanation:
    """Run a kernel and explain it.

    Args:
        path: kernel file.
        options: as for a run; the what-ifs are timed by the default engine.
        progress: called with what is being done.
        processes: of the what-ifs; default: the cores for long runs, else 1.

    Raises:
        UserError: unusable kernel.
        NotFinished: its waves do not finish.
    """
    run = run_kernel(path, options, progress)
    return explain_run(run, path, options, progress, processes=processes)


def explain_run(
    run: Run,
    path: Path,
    options: RunOptions,
    progress: Progress | None = None,
    *,
    processes: int | None = None,
) -> Explanation:
    """Explain a run of the kernel at ``path`` with ``options``.

    Raises:
        NotFinished: its waves do not finish.
    """

    def stage(text: str) -> None:
        if progress is not None:
            progress(text, 0.0)

    timeline, parameters = run.timeline, run.machine.parameters
    if not run.analysis.complete:
        raise NotFinished(
            f"{path}: its waves do not finish: there is no steady time to explain",
            None,
            "`wavesim check` says why",
        )
    stage("critical path")
    steady = steady_of(timeline)
    chain = critical_path(timeline, parameters)
    bench = Bench.of(run, *timed(run, steady), whole=options.region is None)
    loop = LoopCode.of(timeline, bench.relaxer, steady)
    first_round = [*candidates(loop, ()), *stepwise_waits(loop)]
    stage("what if")
    barriers = [each for each in first_round if each.needs_order]
    plain = [each for each in first_round if not each.needs_order]
    head = steady.loop.head if steady.loop is not None else None
    texts = list(_texts(run, path, bench, options, head))
    jobs: list[Job] = [partial(judge, bench, barriers)]  # the longest first
    jobs += [partial(try_text, bench, path, each, options) for each in texts]
    jobs += [partial(measure, bench.streams, bench.machine, row, bench.base, head) for row in WHAT_IFS]
    jobs += [partial(try_candidate, bench, each) for each in plain]
    compiles = any(each.builtins for each in texts)
    if compiles:
        stage("compile edits")
    if processes is None and not compiles and timeline.trace.instruction_count < LONG_INSTRUCTIONS:
        processes = 1  # the compiled engine is done before a process has begun
    judged, *results = run_jobs(jobs, processes)
    trials, results = results[: len(texts)], results[len(texts) :]
    rungs = [each for each in results[: len(WHAT_IFS)] if each is not None]
    causes = len(rungs)
    rungs += _staggered(texts, trials, bench.base)
    advice = [
        each
        for each in [*results[len(WHAT_IFS) :], *(each.advice for each in trials), *judged.barriers]
        if each is not None
    ]
    relaxed = list(relaxed_waits(loop, judged.strong))
    paces = [bench.pace(each.edit) for each in relaxed]
    costs = [_cost(bench, each, pace) for each, pace in zip(judged.strong, paces, strict=True)]
    advice += [
        advised(bench, each, pace, "rule wait-too-strong: the largest safe count")
        for each, pace in zip(relaxed, paces, strict=True)
        if pace and bench.gains(pace)
    ]
    advice = [each for each in advice if each.gain_clk >= _least_gain(each, bench.base)]
    advice.sort(key=lambda each: (-each.gain_clk, each.kind, each.text))
    advice = _best_of_kind(advice)[:MOST_SUGGESTIONS]
    count = len(first_round) + len(relaxed) + len(texts)
    to_try = advice[0].said(bench.base) if advice else nothing_to_try(run, bench.base)
    to_try = to_try or f"No edit saves an issue slot ({count} tried); wavesim tune looks for a new order."
    return Explanation(
        replace(run, diagnosis=diagnosis(run, bench.base, rungs[:causes]), to_try=to_try),
        bench.base.clk,
        bench.base.per_iteration,
        _steady_clk(run.timeline, steady),
        lines_of(timeline, run.analysis, steady),
        chain,
        by_gain(rungs),
        exposed_latencies(timeline, parameters, steady),
        tuple(costs),
        tuple(_patched(run.kernel, path, options, each) for each in advice),
        count,
    )


def _patched(kernel: LoadedKernel, path: Path, options: RunOptions, advice: Advice) -> Advice:
    """The advice with its patch."""
    if options.region is not None:
        return advice
    if advice.source is not None:
        return replace(advice, patch=text_patch(path, advice.source))
    assert advice.edit is not None
    return replace(advice, patch=edit_patch(kernel, path, options, advice.edit))


def _steady_clk(timeline: Timeline, steady: Steady) -> float:
    """The period over its passes; without a period the mean over the window."""
    window, reference = steady.window, steady.reference
    if window is None or reference is None or window.last <= window.first:
        return float(timeline.clk_total)
    if window.period and window.period_clk:
        return window.period_clk / window.period
    heads = timeline.waves[reference.wave].issue_clk[reference.head_rows]
    return int(heads[window.last] - heads[window.first]) / (window.last - window.first)


def _cost(bench: Bench, strong: StrongWait, pace: Pace | None) -> StrongWaitCost:
    program = bench.kernel.program
    instruction = program.instructions[strong.waits[0]]
    enough = ", ".join(
        f"{name}({count})" if count < NOT_WAITED else f"no {name}" for name, count in strong.counts.items()
    )
    written = " ".join([instruction.opcode, *(str(operand) for operand in instruction.operands)])
    cost = bench.base.clk - pace.clk if pace is not None else 0.0
    return StrongWaitCost(span_of(program, strong.waits[0]), written, enough, cost)


def _texts(
    run: Run, path: Path, bench: Bench, options: RunOptions, head: int | None
) -> Iterator[TextCandidate]:
    """Edits of a source worth an execution: swizzles only if conflicts cost clocks."""
    if path.suffix.lower() in HIP and run.unknowns is None:
        yield from source_edits(run, path, options)
    if path.suffix.lower() not in TILES or run.analysis.loop is None:
        return
    text = read_text(path)
    constants = constants_of(text, options.settings)
    yield from stagger_edits(run, path, text, options.settings)
    row = next(each for each in WHAT_IFS if each.name == "no_bank_conflicts")
    conflicts = measure(bench.streams, bench.machine, row, bench.base, head)
    if conflicts is not None and conflicts.gain_clk >= LEAST_GAIN_CLK:
        yield from list(swizzles(text, constants))[: MOST_TEXT_TRIALS - 1]


def _staggered(texts: list[TextCandidate], trials: list[TextTrial], base: Pace) -> list[Rung]:
    """Stagger on or off as a row of the ladder, whether or not it would be clean."""
    return [
        rung(stagger_row(candidate), stagger_text(candidate), found.pace, base)
        for candidate, found in zip(texts, trials, strict=True)
        if candidate.kind == "stagger" and found.pace is not None
    ]


def _least_gain(advice: Advice, base: Pace) -> float:
    """What is worth saying: means over a loop that does not repeat differ by small change anyway."""
    return LEAST_GAIN_CLK if advice.exact else max(LEAST_GAIN_CLK, NOISE_SHARE * base.clk)


def _best_of_kind(advice: list[Advice]) -> list[Advice]:
    """Of alternatives (swizzles, priorities, splits of a wait, orders of clang) the best one only."""
    seen = set()
    result = []
    for each in advice:
        if each.kind in ALTERNATIVES and each.kind in seen:
            continue
        seen.add(each.kind)
        result.append(each)
    return result
