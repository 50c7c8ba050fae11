"""Why a measured trace takes its clocks: its stalls, and by its replay for whom it waits and what if not.

A trace shows that a wave waited. The replay of the same streams, with global-memory latencies as measured,
also shows for whom. What-ifs are made on the replay and rated by the replay's own pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from wavesim.analyze.analysis import analyze
from wavesim.analyze.culprits import Culprit, blamed_stalls
from wavesim.errors import SourceSpan
from wavesim.explanation.diagnosis import sentence
from wavesim.explanation.main_loop import steady_of
from wavesim.explanation.pace import Pace, Streams, pace_of
from wavesim.explanation.parallel import Job, run_jobs
from wavesim.explanation.whatif import WHAT_IFS, Rung, by_gain, measure
from wavesim.isa.machine import Machine
from wavesim.replays.att.imported import ImportedUnit
from wavesim.replays.att.occupancy import LeftOut
from wavesim.replays.compare import NO_WAIT, counted_as, instruction_text
from wavesim.replays.compute_unit import MemoryMode, ReplayResult, replay_unit
from wavesim.trace import REASON_NAMES, Reason, Timeline

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Progress = Callable[[str, float], None]

MOST_LINES = 14
LEAST_SHARE = 0.01
"""Share of all measured stall clocks from which on a line is listed."""
LONG_INSTRUCTIONS = 200_000
"""Instructions from which on more processes can pay."""


@dataclass(frozen=True)
class StalledLine:
    """A static instruction at which waves stalled, clocks by wave and pass of the loop (by wave without one).

    Attributes:
        code: its index; ``span`` its line, ``text`` the instruction.
        measured_clk: how long waves stood there in the trace; ``by_reason`` why, as far as a trace tells.
        replay_clk: how long in the replay.
        culprits: of the replay's stalls there, for which somebody is to blame, those with most clocks.
    """

    code: int
    span: SourceSpan | None
    text: str
    measured_clk: float
    replay_clk: float
    by_reason: Mapping[str, float]
    culprits: tuple[Culprit, ...]

    @property
    def reason(self) -> str:
        """What most of the measured clocks went to."""
        return max(self.by_reason, key=lambda name: (self.by_reason[name], name))


@dataclass(frozen=True)
class MeasuredExplanation:
    """Why one compute unit of a trace takes its clocks.

    Attributes:
        replay: measured and replayed, with all notes of the trace.
        pace: throughput of the replay, by which what-ifs are rated.
        diagnosis: the sentence, from the what-ifs.
        lines: where waves stalled, most measured clocks first; ``passes`` is what they are counted by: waves
            times passes of the loop, or waves.
        same_place: share of the measured stall clocks that the replay has at the same instructions.
        ladder: what-ifs of the replay.
        left_out: waves of the compute unit that the trace lacks.
    """

    replay: ReplayResult
    machine: Machine
    pace: Pace
    diagnosis: str
    lines: tuple[StalledLine, ...]
    passes: int
    same_place: float
    ladder: tuple[Rung, ...]
    left_out: LeftOut | None = None


def explain_unit(
    unit: ImportedUnit, machine: Machine, progress: Progress | None = None, *, processes: int | None = None
) -> MeasuredExplanation:
    """Explain one compute unit of a trace.

    Args:
        unit: the measured streams.
        machine: what they are replayed on.
        progress: called with what is being done.
        processes: of the what-ifs; default: the cores for long traces, else 1.

    Raises:
        UserError: streams that cannot be replayed.
    """
    tell: Progress = progress if progress is not None else lambda stage, share: None
    tell(f"replay {unit.name}", 0.0)
    found = replay_unit(unit, machine, MemoryMode("measured"))
    simulated = found.simulated_timeline
    is_loop = found.error_clk_per_iteration is not None  # of enough passes to be compared
    base = pace_of(simulated, machine, steady=steady_of(simulated, found.head))
    assert base is not None  # nothing is left out
    if not is_loop:
        base = Pace(float(base.run_clk), base.run_clk, True, False)
    streams = Streams(simulated.trace, simulated.trace)
    tell(f"what if, {unit.name}", 0.0)
    jobs: list[Job] = [partial(measure, streams, machine, row, base, found.head) for row in WHAT_IFS]
    if processes is None and found.instructions < LONG_INSTRUCTIONS:
        processes = 1
    rungs = [each for each in run_jobs(jobs, processes) if each is not None]
    if not is_loop:
        rungs = [_of_the_run(each, base) for each in rungs]
    lines, passes, same_place = _stalled_lines(found, found.head if is_loop else None)
    bounds = analyze(simulated, machine).bounds
    said = sentence(bounds, base, rungs)
    return MeasuredExplanation(
        found, machine, base, said, lines, passes, same_place, by_gain(rungs), unit.left_out
    )


def _of_the_run(row: Rung, base: Pace) -> Rung:
    """The row by the clocks of the whole run: for a trace whose loops have too few passes to go by."""
    gain = row.run_gain_clk
    return replace(
        row, clk=base.clk - gain, gain_clk=float(gain), share=gain / base.clk, exact=True, at_bound=""
    )


def _inside(timeline: Timeline, head: int | None) -> list[tuple[int, int, int]]:
    """First and last row of what counts of each wave, and its passes: from the first head of the loop to the
    last, or all of the wave as one pass."""
    found = []
    for wave in timeline.trace.waves:
        heads = np.flatnonzero(wave.code == head) if head is not None else np.zeros(0, np.int64)
        if head is None:
            found.append((0, len(wave), 1))
        elif len(heads) > 1:
            found.append((int(heads[0]), int(heads[-1]), len(heads) - 1))
        else:
            found.append((0, 0, 0))
    return found


def _stall_clk(timeline: Timeline, inside: list[tuple[int, int, int]]) -> Int64:
    """Wave clocks by static instruction and reason, shape (code, reasons), of what counts."""
    reasons = len(Reason)
    size = len(timeline.trace.code)
    clk = np.zeros(size * reasons, np.int64)
    for wave, timed, (first, last, _) in zip(timeline.trace.waves, timeline.waves, inside, strict=True):
        chosen = (timed.stall_row >= first) & (timed.stall_row < last)
        code = wave.code[timed.stall_row[chosen]].astype(np.int64)
        reason = counted_as(timeline, code, timed.stall_reason[chosen])
        clk += np.bincount(code * reasons + reason, timed.stall_clk[chosen], minlength=len(clk)).astype(
            np.int64
        )
    table = clk.reshape(size, reasons)
    table[:, [int(reason) for reason in NO_WAIT]] = 0
    return table


def _stalled_lines(found: ReplayResult, head: int | None) -> tuple[tuple[StalledLine, ...], int, float]:
    """Where waves stalled, the passes that clocks are counted by, and the share at the same places."""
    real, model = found.measured_timeline, found.simulated_timeline
    inside = _inside(real, head)
    passes = max(1, sum(count for _, _, count in inside))
    measured, replayed = _stall_clk(real, inside), _stall_clk(model, inside)
    of_line, of_replay = measured.sum(axis=1), replayed.sum(axis=1)
    total = int(of_line.sum())
    if not total:
        return (), passes, 1.0
    blamed = blamed_stalls(model)
    bounds = np.array(inside, np.int64).reshape(-1, 3)
    counts: Bool = (blamed.row >= bounds[blamed.wave, 0]) & (blamed.row < bounds[blamed.wave, 1])
    lines = []
    for code in np.argsort(-of_line, kind="stable")[:MOST_LINES].tolist():
        if of_line[code] < LEAST_SHARE * total:
            break
        entry = real.trace.code[code]
        lines.append(
            StalledLine(
                code=code,
                span=entry.instruction.span,
                text=instruction_text(entry),
                measured_clk=int(of_line[code]) / passes,
                replay_clk=int(of_replay[code]) / passes,
                by_reason={
                    REASON_NAMES[reason]: int(measured[code, reason]) / passes
                    for reason in Reason
                    if measured[code, reason]
                },
                culprits=blamed.culprits(counts & (blamed.code == code), each_wave=False)[:3],
            )
        )
    return tuple(lines), passes, int(np.minimum(of_line, of_replay).sum()) / total
