"""Compares a simulated Timeline with the measured one of the same Trace, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.analyze.culprits import Culprit, blamed_stalls
from wavesim.analyze.loop_figures import measure_loops
from wavesim.analyze.loops import find_loops
from wavesim.errors import SourceSpan
from wavesim.isa.kinds import BRANCH_KINDS, IDLE_KINDS, LDS_KINDS, VALU_KINDS, VMEM_KINDS
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.measured import as_a_trace_tells
from wavesim.trace import REASON_NAMES, Category, CodeEntry, Kind, Reason, Timeline, WaveTimeline

Int64 = npt.NDArray[np.int64]

CLASSES: Mapping[str, Collection[Kind]] = {
    "mfma": (Kind.MFMA,),
    "valu": VALU_KINDS,
    "lds": LDS_KINDS,
    "vmem": VMEM_KINDS,
    "scalar": (Kind.SALU, Kind.SMEM),
    "branch": BRANCH_KINDS,
    "wait": (Kind.WAIT,),
    "barrier": (Kind.BARRIER,),
    "other": (*IDLE_KINDS, Kind.SETPRIO, Kind.ENDPGM, Kind.INTERNAL),
}
"""Instruction classes of the comparison, every kind in one."""

STALL_OF: Mapping[Category, Reason] = {
    Category.MFMA: Reason.MATRIX_PIPE,
    Category.LDS: Reason.LDS_QUEUE,
    Category.VMEM: Reason.VMEM_QUEUE,
}
"""A trace says that an instruction stalled, not for what: what both sides count such clocks of a category
under; of the others it is ``arbitration``. Told apart is what an MFMA keeps out, bytes, gaps and waits."""

NOT_TOLD = (
    Reason.COUNTER_FULL,
    Reason.MATRIX_PIPE,
    Reason.VALU_BUSY,
    Reason.LDS_HOLD,
    Reason.LDS_QUEUE,
    Reason.VMEM_QUEUE,
    Reason.ARBITRATION,
    Reason.PORT,
)
"""Reasons of a stall that a trace does not tell apart."""

FEWEST_PASSES = 8
"""A loop of fewer passes a wave has no steady part: the whole span counts instead."""

NO_WAIT = (Reason.NOT_STARTED, Reason.FINISHED, Reason.ISSUE, Reason.HOLD, Reason.NOP)
"""Reasons that are no stall of an instruction."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison. Clocks per iteration are ``None`` without a loop; ``stalls`` are wave
    clocks summed over the waves, by reason, ``told`` the same read off both sides as a trace tells it;
    ``classes`` the clocks from the end of the instruction before to
    an instruction's own end, by class."""

    clk_per_iteration: float | None
    p10: float | None
    median: float | None
    p90: float | None
    iterations: int
    span_clk: int
    mfma_busy: float
    stalls: Mapping[str, int]
    told: Mapping[str, int]
    classes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class IssueError:
    """Simulated minus measured issue time within an iteration (both from its head), clk."""

    count: int
    median: float
    median_absolute: float
    p90_absolute: float


@dataclass(frozen=True, slots=True)
class WorstPass:
    """The pass of the loop whose issue times are furthest off: of the wave at ``position``, from ``row`` on;
    both timelines begin where the head issues, and ``clk`` holds the longer of the two."""

    position: int
    number: int
    row: int
    measured_from_clk: int
    simulated_from_clk: int
    clk: int
    mean_absolute_error: float


@dataclass(frozen=True, slots=True)
class LineDifference:
    """One program line: wave clocks up to its end, both ways, summed over waves and passes; and what most of
    the simulated waits are for (None: for nobody)."""

    code: int
    text: str
    span: SourceSpan | None
    count: int
    measured_clk: int
    simulated_clk: int
    culprit: Culprit | None = None


def percentile(values: Int64, share: float) -> float:
    """The value at ``share`` of the sorted ones (no interpolation: one that occurred)."""
    if not len(values):
        return float("nan")
    return float(np.sort(values)[min(int(share * len(values)), len(values) - 1)])


def main_loop(timeline: Timeline) -> int | None:
    """Code index of the head of the outermost loop with most clocks."""
    found = find_loops(timeline.trace, [len(wave.issue_clk) for wave in timeline.waves])
    measured = measure_loops(found, timeline)
    return measured[0][1].head if measured else None


def class_numbers(code: tuple[CodeEntry, ...]) -> Int64:
    """Place in :data:`CLASSES` of each static instruction."""
    number = {kind: place for place, kinds in enumerate(CLASSES.values()) for kind in kinds}
    return np.array([number[entry.kind] for entry in code], np.int64)


def row_clocks(timed: WaveTimeline) -> Int64:
    """Clocks from the end of the row before (the wave's start) to each row's end."""
    return np.diff(timed.end_clk, prepend=timed.first_clk)


def counted_as(timeline: Timeline, code: npt.NDArray[np.integer], reason: npt.NDArray[np.integer]) -> Int64:
    """The reasons that stalls of instructions ``code`` count under in a comparison."""
    categories = [entry.category for entry in timeline.trace.code]
    stalled = np.array([STALL_OF.get(each, Reason.ARBITRATION) for each in categories], np.int64)[code]
    mfma = np.array([each is Category.MFMA for each in categories], np.bool_)[code]
    one = np.isin(reason, NOT_TOLD) | (mfma & (reason == Reason.MFMA_COISSUE))
    told = np.where(reason == Reason.BRANCH, np.int64(Reason.FETCH), reason.astype(np.int64))
    return np.where(one, stalled, told)


def _stalls(timeline: Timeline) -> dict[str, int]:
    """Wave clocks by reason."""
    totals = np.zeros(len(Reason), np.int64)
    for wave, timed in zip(timeline.trace.waves, timeline.waves, strict=True):
        reason = counted_as(timeline, wave.code[timed.stall_row], timed.stall_reason)
        totals += np.bincount(reason, timed.stall_clk, minlength=len(Reason)).astype(np.int64)
    return {
        REASON_NAMES[reason]: int(totals[reason])
        for reason in Reason
        if totals[reason] and reason not in NO_WAIT
    }


def blamed_opcodes(simulated: Timeline) -> dict[str, dict[str, int]]:
    """By reason, as the sides' ``stalls`` have it: wave clocks by opcode of who is to blame, most first.

    Stalls for which nobody is to blame are left out."""
    blamed = blamed_stalls(simulated)
    reasons = counted_as(simulated, blamed.code, blamed.reason)
    found: dict[str, dict[str, int]] = {}
    for reason in np.unique(reasons).tolist():
        mine = reasons == reason
        clk = np.bincount(blamed.by_code[mine], blamed.clk[mine]).astype(np.int64)
        opcodes: Counter[str] = Counter()
        for code in np.flatnonzero(clk).tolist():
            opcodes[simulated.trace.code[code].instruction.opcode] += int(clk[code])
        found[REASON_NAMES[Reason(reason)]] = dict(
            sorted(opcodes.items(), key=lambda each: (-each[1], each[0]))
        )
    return found


def _mfma_busy(timeline: Timeline, parameters: TimingParameters) -> float:
    """Share of the matrix pipes' clocks in use over the whole run, of the SIMDs that hold waves."""
    pipe = np.array(
        [
            parameters.matrix_pipe_clk(entry.mfma, entry.mfma_format)
            if entry.kind is Kind.MFMA and entry.mfma in parameters.mfma_table
            else 0
            for entry in timeline.trace.code
        ],
        np.int64,
    )
    total = sum(int(pipe[wave.code].sum()) for wave in timeline.trace.waves)
    simds = len({wave.simd for wave in timeline.trace.waves})
    return total / (simds * timeline.clk_total) if timeline.clk_total else 0.0


def side(timeline: Timeline, head: int | None, parameters: TimingParameters) -> Side:
    """The figures of one timeline.

    Args:
        timeline: measured or simulated.
        head: code index of the loop's head, the same for both sides.
        parameters: the matrix pipe's clocks.
    """
    trace = timeline.trace
    means, singles = [], []
    for wave, timed in zip(trace.waves, timeline.waves, strict=True):
        heads = np.flatnonzero(wave.code == head) if head is not None else np.zeros(0, np.int64)
        if len(heads) > 1:
            issue = timed.issue_clk[heads]
            means.append(float(issue[-1] - issue[0]) / (len(issue) - 1))
            singles.append(np.diff(issue))
    every = np.concatenate(singles) if singles else np.zeros(0, np.int64)
    classes = np.zeros(len(CLASSES), np.int64)
    number = class_numbers(trace.code)
    for wave, timed in zip(trace.waves, timeline.waves, strict=True):
        classes += np.bincount(
            number[wave.code], row_clocks(timed).astype(np.float64), minlength=len(CLASSES)
        ).astype(np.int64)
    return Side(
        clk_per_iteration=float(np.median(means)) if means else None,
        p10=percentile(every, 0.1) if means else None,
        median=float(np.median(every)) if means else None,
        p90=percentile(every, 0.9) if means else None,
        iterations=max((len(single) + 1 for single in singles), default=0),
        span_clk=timeline.clk_total,
        mfma_busy=_mfma_busy(timeline, parameters),
        stalls=_stalls(timeline),
        told=_stalls(timeline if timeline.measured else as_a_trace_tells(timeline, parameters)),
        classes=dict(zip(CLASSES, classes.tolist(), strict=True)),
    )


def issue_errors(measured: Timeline, simulated: Timeline, head: int | None) -> dict[str, IssueError]:
    """Issue-time error by class (and ``all``), each pass of the loop aligned at its head.

    Without a loop the whole run is one pass.
    """
    trace = measured.trace
    number = class_numbers(trace.code)
    errors: list[Int64] = []
    classes: list[Int64] = []
    for wave, real, model in zip(trace.waves, measured.waves, simulated.waves, strict=True):
        rows = np.arange(len(wave))
        heads = np.flatnonzero(wave.code == head) if head is not None else np.zeros(1, np.int64)
        if not len(heads):
            continue
        place = np.searchsorted(heads, rows, side="right") - 1
        inside = (place >= 0) & ((place < len(heads) - 1) | (head is None))
        anchor = heads[np.maximum(place, 0)]
        difference = (model.issue_clk - model.issue_clk[anchor]) - (real.issue_clk - real.issue_clk[anchor])
        errors.append(difference[inside])
        classes.append(number[wave.code][inside])
    if not errors:
        return {}
    error, of_class = np.concatenate(errors), np.concatenate(classes)
    result = {"all": _issue_error(error)}
    for number_of, name in enumerate(CLASSES):
        if (of_class == number_of).any():
            result[name] = _issue_error(error[of_class == number_of])
    return result


def _issue_error(error: Int64) -> IssueError:
    size = np.abs(error)
    return IssueError(len(error), percentile(error, 0.5), percentile(size, 0.5), percentile(size, 0.9))


def worst_lines(measured: Timeline, simulated: Timeline, count: int = 10) -> tuple[LineDifference, ...]:
    """The program lines with the largest clock difference, largest first."""
    trace = measured.trace
    size = len(trace.code)
    real, model, times = (np.zeros(size), np.zeros(size), np.zeros(size, np.int64))
    for wave, one, other in zip(trace.waves, measured.waves, simulated.waves, strict=True):
        real += np.bincount(wave.code, row_clocks(one).astype(np.float64), minlength=size)
        model += np.bincount(wave.code, row_clocks(other).astype(np.float64), minlength=size)
        times += np.bincount(wave.code, minlength=size)
    order = np.argsort(-np.abs(model - real), kind="stable")[:count]
    blamed = blamed_stalls(simulated)
    return tuple(
        LineDifference(
            code=int(place),
            text=instruction_text(trace.code[place]),
            span=trace.code[place].instruction.span,
            count=int(times[place]),
            measured_clk=int(real[place]),
            simulated_clk=int(model[place]),
            culprit=next(iter(blamed.culprits(blamed.code == place, each_wave=False)), None),
        )
        for place in order.tolist()
        if model[place] != real[place]
    )


def instruction_text(entry: CodeEntry) -> str:
    """A static instruction in words: opcode and operands."""
    operands = ", ".join(map(str, entry.instruction.operands))
    return f"{entry.instruction.opcode} {operands}".strip()


def worst_pass(measured: Timeline, simulated: Timeline, head: int | None) -> WorstPass | None:
    """Where the timelines are furthest apart within an iteration; without a loop, the whole run of a wave."""
    worst: WorstPass | None = None
    for position, wave in enumerate(measured.trace.waves):
        real, model = measured.waves[position].issue_clk, simulated.waves[position].issue_clk
        heads = np.flatnonzero(wave.code == head) if head is not None else np.zeros(0, np.int64)
        if len(heads) < 2:
            heads = np.array([0, len(wave) - 1], np.int64)
        if not len(wave):
            continue
        for number, (first, last) in enumerate(zip(heads[:-1].tolist(), heads[1:].tolist(), strict=True)):
            one, other = real[first : last + 1] - real[first], model[first : last + 1] - model[first]
            error = float(np.abs(other - one).mean())
            if worst is None or error > worst.mean_absolute_error:
                clk = int(max(one[-1], other[-1]))
                worst = WorstPass(position, number, first, int(real[first]), int(model[first]), clk, error)
    return worst
