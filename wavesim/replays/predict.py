"""Predicts what a thread trace measured, from its kernel alone: code, launch and model, and no time of it.

The kernel is the trace's listing (:mod:`wavesim.replays.att.kernel`), run as ``wavesim run`` runs an
assembly file. Without a launch all of its code runs as a region: what decides branches is not known, so that
loops make as many passes as they were seen to make. That, and how many workgroups there were, is all that is
taken from the waves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from wavesim.emulate.blocks import BlockMap
from wavesim.emulate.loop_nest import loop_nest
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.region import RegionOptions
from wavesim.isa.clock import SUSTAINED, Choice, Clock
from wavesim.isa.kinds import LANES
from wavesim.isa.layers import SET_SOURCE
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import LATENCY
from wavesim.isa.names import known_name
from wavesim.pipeline.memory import PredictedMemory
from wavesim.pipeline.run import Progress, Run, RunOptions, allowed, prepare, run_kernel
from wavesim.program import Program
from wavesim.replays.att.dispatches import ANY, Which, open_traces
from wavesim.replays.att.imported import ImportedTrace
from wavesim.replays.att.kernel import print_listing, traced_kernel
from wavesim.replays.att.occupancy import LeftOut
from wavesim.replays.compare import FEWEST_PASSES, Side, main_loop, side
from wavesim.timing import simulate
from wavesim.timing.memory.predict import Round
from wavesim.timing.memory.settled import predict_settled
from wavesim.trace import Timeline, Trace, WaveTrace
from wavesim.trace.decode import code_entries
from wavesim.trace.trace import UNKNOWN

Codes = npt.NDArray[np.integer]

WHOLE = ":"
"""The region that is all of a kernel."""
UNKNOWN_LINES = "hbm"
"""Role of loads of which nothing says where their lines are: a trace shows a first round of workgroups, when
nobody has read any."""
MOST_WAVES = 32
"""A trace with more waves has some that came when others had ended."""


@dataclass(frozen=True)
class PredictOptions:
    """``arch`` and ``machine`` as for a replay; ``launch`` is a launch file; ``settings`` as ``--set``;
    ``memory`` as for a run, ``""`` being the machine's latency. Only a launch tells what memory does.
    ``which`` chooses of several traces, else the typical one is meant."""

    launch: str | None = None
    arch: str = "auto"
    machine: str | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    workgroups: int | None = None
    rounds: int = 1
    engine: str = "auto"
    clock: Choice = SUSTAINED
    memory: str = "dispatch"
    which: Which = ANY


@dataclass(frozen=True)
class Prediction:
    """One trace, predicted and measured. ``head`` is the loop's head in the predicted program; ``rests_on``
    says what is assumed or not known. Figures are of the compute unit's first round of workgroups."""

    folder: str
    kernel: str
    launch: str | None
    run: Run
    head: int | None
    predicted: Side
    measured: Side
    rests_on: tuple[str, ...]
    measured_clock: Clock | None = None
    left_out: LeftOut | None = None

    @property
    def has_loop(self) -> bool:
        """Whether clk/iteration is compared; else the whole span is."""
        return self.head is not None

    @property
    def clk(self) -> tuple[float, float]:
        """Predicted and measured clocks: of an iteration, or of the whole span."""
        if self.head is None:
            return float(self.predicted.span_clk), float(self.measured.span_clk)
        return self.predicted.clk_per_iteration or 0.0, self.measured.clk_per_iteration or 0.0

    @property
    def interval(self) -> tuple[float, float] | None:
        """The clocks that the predicted ones stand for, by the errors of traces left out of the fit; ``None``
        where memory is not predicted."""
        if self.run.memory is None:
            return None
        return self.run.memory.prediction.meant(self.clk[0])

    @property
    def error(self) -> float:
        """Predicted over measured clocks, less one."""
        predicted, measured = self.clk
        return predicted / measured - 1 if measured else 0.0


def predict(folder: Path, options: PredictOptions, progress: Progress | None = None) -> Prediction:
    """Predict the kernel of the trace in ``folder``, and put what was measured beside it.

    Raises:
        UserError: no such trace; a kernel that cannot be executed so far as it must be; neither a launch
            nor a loop to predict.
    """
    imported = open_traces(folder, options.arch, options.machine, options.which).chosen[-1]
    return predict_trace(imported, folder.resolve().name, options, progress)


def predict_trace(
    imported: ImportedTrace, name: str, options: PredictOptions, progress: Progress | None = None
) -> Prediction:
    """The same of a trace of one compute unit that was imported; it goes by ``name``."""
    kernel = traced_kernel(imported)
    measured = imported.units[0].timeline
    found = main_loop(measured)
    passes = _passes(measured, found)
    if passes < FEWEST_PASSES:
        found = None
    if found is None and options.launch is None:
        raise UserError(
            f"{name}: without a launch only a loop can be predicted, and this trace has none",
            hint="--launch FILE says what was launched",
        )
    head = kernel.index[found] if found is not None else None
    with tempfile.TemporaryDirectory(prefix="wavesim-") as place:
        path = Path(place) / f"{name}.s"
        path.write_text(print_listing(kernel, name), encoding="utf-8")
        wanted = _run_options(imported, kernel.program, options, round(passes))
        prepared = prepare(path, wanted)
        if wanted.region is not None:
            piece, _ = allowed(*prepared, wanted)
            index = np.array(kernel.index, np.int64)
            executed = [index[wave.code] for wave in imported.units[0].trace.waves]
            wanted = replace(wanted, trips_at=_loop_passes(piece.program, executed))
        run = run_kernel(path, wanted, progress, prepared)
    parameters = run.machine.parameters
    return Prediction(
        folder=name,
        kernel=kernel.program.name,
        launch=options.launch,
        run=run,
        head=head,
        predicted=side(run.timeline, head, parameters),
        measured=side(measured, found, parameters),
        rests_on=(*_rests_on(run, options, round(passes)), *kernel.notes, *imported.notes),
        measured_clock=imported.clock,
        left_out=imported.units[0].left_out,
    )


def again(found: Prediction, machine: Machine, *, memory: bool) -> float:
    """The clocks that a prediction from a launch would have with another machine's timing: of the same
    executed stream, with ``memory`` predicted for its first round, or at the machine's one latency.

    Args:
        found: a prediction with predicted memory.
        machine: of the same architecture, other values of its ``memory``.
        memory: whether it is predicted.
    """
    run = found.run
    assert run.memory is not None, "predicted from a launch"
    sharing = run.memory.prediction.sharing
    trace = replace(run.timeline.trace, waves=tuple(map(_unpredicted, run.timeline.trace.waves)))

    def time(predicted: Trace) -> Timeline:
        return simulate(predicted, machine.parameters)

    if memory:
        launch = run.kernel.launch
        _, timeline = predict_settled(launch, machine, trace, Round.COLD, time, sharing)
    else:
        timeline = time(trace)
    other = replace(found, predicted=side(timeline, found.head, machine.parameters))
    return other.clk[0]


def _unpredicted(wave: WaveTrace) -> WaveTrace:
    """Without latencies and paths of its own."""
    unknown = np.full(len(wave), UNKNOWN, np.int32)
    return replace(wave.with_unknown_memory(), memory_latency_clk=unknown)


def _passes(timeline: Timeline, head: int | None) -> float:
    """Median number of times that a wave comes to the head of the loop."""
    if head is None:
        return 0.0
    return float(np.median([int((wave.code == head).sum()) for wave in timeline.trace.waves]))


def _loop_passes(program: Program, executed: Sequence[Codes]) -> dict[int, int]:
    """By the instruction at a loop's head, how often the loop goes round each time that a wave comes to it:
    the median of the waves that do.

    Args:
        program: that was executed.
        executed: each wave's instructions, in order.
    """
    blocks = BlockMap(program, code_entries(program))
    found: dict[int, int] = {}
    for head, loop in loop_nest(blocks).by_head.items():
        inside = np.zeros(len(program), np.bool_)
        for start in loop.blocks:
            inside[start : blocks.block_at(start).stop] = True
        each = []
        for code in executed:
            at = np.flatnonzero(code == head)
            entries = int((~inside[code[at - 1]] | (at == 0)).sum())
            if entries:
                each.append(len(at) / entries)
        if each:
            found[head] = round(float(np.median(each)))
    return found


def _run_options(
    imported: ImportedTrace, program: Program, options: PredictOptions, passes: int
) -> RunOptions:
    machine = imported.machine
    stock = known_name(machine)
    asked = RunOptions(
        arch=stock,
        machine=None if stock else machine,
        settings=options.settings,
        engine=options.engine,
        clock=options.clock,
        workgroups=options.workgroups,
        rounds=options.rounds,
        launch=LaunchOptions(file=options.launch),
        numbers=False,
    )
    if options.launch is not None:
        return replace(asked, memory=options.memory)
    waves = program.metadata.workgroup_size // LANES
    traced = imported.units[0].trace.waves
    together = len({wave.workgroup for wave in traced}) if len(traced) <= MOST_WAVES else None
    return replace(
        asked,
        settings={LATENCY: UNKNOWN_LINES, **options.settings},
        region=RegionOptions(WHOLE, passes, waves),
        trips=1,
        workgroups=options.workgroups or together,
        rounds=options.rounds,
    )


def _rests_on(run: Run, options: PredictOptions, passes: int) -> Iterator[str]:
    """What the prediction takes for granted."""
    yield "registers and how the kernel is started are deduced from its code"
    if options.launch is None:
        yield (
            "no launch: what the loads touch and what branches see is not known; all of the code runs once, "
            f"with {passes} passes of its loop and as many workgroups as in the trace"
        )
    if run.memory is not None:
        yield from _memory(run.memory)
        return
    latency = run.machine.quantities[LATENCY]
    source = latency.note if latency.source == SET_SOURCE else latency.source
    clk = run.machine.parameters.memory_latency_clk
    yield f"every load of global memory takes {clk} clk behind the compute unit's own queue ({source})"


def _memory(memory: PredictedMemory) -> Iterator[str]:
    """Where the lines come from, the level that needs most clocks, and what was assumed of memory."""
    found = memory.prediction
    parts = [f"{100 * share:.0f} % {level}" for level, share in found.share.items() if share >= 0.005]
    yield f"global memory, {found.round} round of workgroups: lines come from {', '.join(parts)}"
    slowest = max(found.level_clk, key=lambda level: found.level_clk[level])
    clk = found.level_clk[slowest]
    yield f"{slowest} alone would need {clk:,.0f} clk for what all compute units ask of it"
    yield from found.assumed
