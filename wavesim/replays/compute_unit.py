"""Replays a measured trace: its executed streams through the timing engine, compared with the silicon."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import ROLES
from wavesim.replays.att.imported import ImportedTrace, ImportedUnit
from wavesim.replays.att.latencies import Latencies, derive_latencies, scalar_latencies
from wavesim.replays.att.lds_addresses import Conflicts, find_conflicts, with_conflicts
from wavesim.replays.att.memory_model import footprint, model_latencies, role_of_footprint
from wavesim.replays.att.occupancy import LeftOut, mark_of
from wavesim.replays.compare import (
    FEWEST_PASSES,
    IssueError,
    LineDifference,
    Side,
    blamed_opcodes,
    issue_errors,
    main_loop,
    side,
    worst_lines,
)
from wavesim.replays.slot_frame import in_one_frame
from wavesim.replays.teacher_forced import TeacherForced, teacher_forced
from wavesim.timing.rules import RULES
from wavesim.timing.rules import without as leave_out
from wavesim.trace import Timeline, Trace


@dataclass(frozen=True)
class MemoryMode:
    """Where global-memory latencies come from: ``measured`` (an input, not a prediction), ``shifted``
    (the same from ``iterations`` loop passes later) or ``model`` (machine file and role of the access).

    The loop's loads have ``role``, or the one that ``footprint_bytes`` of operands gives them.
    """

    name: str
    iterations: int = 0
    role: str = "stream"
    footprint_bytes: int = 0

    def __str__(self) -> str:
        if self.name == "shifted":
            return f"{self.name}:{self.iterations}"
        if self.footprint_bytes:
            return f"{self.name}:{self.footprint_bytes}"
        return f"{self.name}:{self.role}" if self.role != "stream" else self.name


@dataclass(frozen=True)
class ReplayResult:
    """One compute unit's replay. ``rules`` says of each switchable rule whether it was in force. ``blamed``
    says of each reason of simulated stalls how many wave clocks which opcode is to blame for."""

    unit: str
    arch: str
    kernel: str
    memory: MemoryMode
    rules: Mapping[str, bool]
    engine: str
    waves: int
    instructions: int
    seconds: float
    head: int | None
    measured: Side
    simulated: Side
    error_clk_per_iteration: float | None
    error_span: float
    issue_errors: Mapping[str, IssueError]
    lines: tuple[LineDifference, ...]
    blamed: Mapping[str, Mapping[str, int]]
    exact_latencies: int
    notes: tuple[str, ...]
    measured_timeline: Timeline
    simulated_timeline: Timeline
    forced: TeacherForced | None = None
    left_out: LeftOut | None = None

    @property
    def mark(self) -> str:
        """What stands beside each figure if not all waves are in the trace."""
        return mark_of(self.left_out)

    @property
    def error(self) -> float:
        """The error that counts: of clk/iteration, or of the whole span where there is no loop."""
        return self.error_span if self.error_clk_per_iteration is None else self.error_clk_per_iteration


def memory_mode(text: str) -> MemoryMode:
    """Reads ``measured``, ``shifted:N``, ``model``, ``model:ROLE`` or ``model:FOOTPRINT``.

    Raises:
        UserError: anything else.
    """
    name, colon, more = text.partition(":")
    if name == "shifted" and more.isascii() and more.isdigit() and 0 < int(more) < 10_000:
        return MemoryMode(name, int(more))
    if name in ("measured", "model") and not colon:
        return MemoryMode(name)
    if name == "model" and more in ROLES:
        return MemoryMode(name, role=more)
    if name == "model" and more[:1].isdigit():
        return MemoryMode(name, footprint_bytes=footprint(more))
    raise UserError(
        f"--memory {text!r:.40} is not a mode",
        hint="measured, shifted:N (N ≥ 1), model, model:ROLE ("
        + ", ".join(ROLES)
        + ") or model:FOOTPRINT (of the operands: 16MiB)",
    )


def _with_record_latencies(trace: Trace, latencies: Latencies, by_order: npt.NDArray[np.int32]) -> Trace:
    """The trace with each record's latency as it was measured in its place of the issue order, and with what
    the L1 seems to have had of it."""
    waves = []
    for position, wave in enumerate(trace.waves):
        latency = wave.memory_latency_clk.copy()
        hit_bytes = np.zeros(len(latency), np.int32)
        mine = latencies.order.wave == position
        latency[latencies.order.row[mine]] = by_order[mine]
        hit_bytes[latencies.order.row[mine]] = latencies.order.hit_bytes[mine]
        waves.append(replace(wave, memory_latency_clk=latency, memory_hit_bytes=hit_bytes))
    return replace(trace, waves=tuple(waves))


def replay_inputs(timeline: Timeline, machine: Machine, memory: MemoryMode) -> tuple[Trace, Latencies | None]:
    """The trace of a measured timeline to simulate, with latencies as the mode says, and what was derived."""
    trace = timeline.trace
    if memory.name == "model":
        role = memory.role
        if memory.footprint_bytes:
            role = role_of_footprint(machine, memory.footprint_bytes)
        modelled = model_latencies(trace, main_loop(timeline), machine, role)
        waves = tuple(
            replace(wave, memory_latency_clk=latency)
            for wave, latency in zip(trace.waves, modelled, strict=True)
        )
        return replace(trace, waves=waves), None
    scalar = scalar_latencies(timeline)
    waves = tuple(
        replace(wave, memory_latency_clk=latency) for wave, latency in zip(trace.waves, scalar, strict=True)
    )
    trace = replace(trace, waves=waves)
    latencies = derive_latencies(timeline, machine.parameters)
    by_order, head_clk = latencies.latency_clk, latencies.head_clk
    if memory.name == "shifted":
        head = main_loop(timeline)
        if head is not None:
            by_order = latencies.shifted(trace, head, memory.iterations)
            head_clk = latencies.shifted(trace, head, memory.iterations, head_clk)
    trace = _with_record_latencies(trace, latencies, by_order)
    trace = replace(trace, memory_latency_by_order_clk=by_order, memory_head_by_order_clk=head_clk)
    return trace, latencies


def replay_unit(
    unit: ImportedUnit,
    machine: Machine,
    memory: MemoryMode,
    *,
    without: Sequence[str] = (),
    engine: str = "auto",
    conflicts: Conflicts | None = None,
    forced_rows: int | None = 0,
) -> ReplayResult:
    """Simulates one compute unit's streams and compares.

    Args:
        unit: the measured streams.
        machine: whose numbers to use.
        memory: where global-memory latencies come from.
        without: names of rules to leave out.
        engine: of the timing model.
        conflicts: the unit's LDS bank conflicts; None: they are looked for here.
        forced_rows: predict about so many instructions teacher-forced as well, from the start; None: all.

    Raises:
        UserError: an unknown rule, or streams that cannot be simulated.
    """
    from wavesim.timing import simulate  # here, so that looking at a trace loads no engine

    measured = unit.timeline  # whose figures are the trace's own
    framed = in_one_frame(measured, machine.parameters)
    inputs, latencies = replay_inputs(framed, machine, memory)
    if conflicts is None:
        conflicts = find_conflicts(inputs, machine)
    trace, parameters = with_conflicts(inputs, conflicts), leave_out(machine.parameters, without)
    begin = time.perf_counter()
    simulated = simulate(trace, parameters, engine=engine)
    seconds = time.perf_counter() - begin
    if not simulated.complete:
        raise UserError(f"{unit.name}: the replay did not come to its end", hint="; ".join(simulated.notes))
    head = main_loop(measured)
    real, model = side(measured, head, machine.parameters), side(simulated, head, machine.parameters)
    loop_error = None
    if real.clk_per_iteration and model.clk_per_iteration and _passes(measured, head) >= FEWEST_PASSES:
        loop_error = model.clk_per_iteration / real.clk_per_iteration - 1
    notes = [*unit.trace.notes, *framed.notes]
    notes.append(str(conflicts))
    if latencies is not None:
        notes.append(
            f"global-memory latencies are an input taken from the trace ({memory}): "
            f"{int(latencies.exact.sum())} of {len(latencies.exact)} returns seen, the others inferred"
        )
        late = int((latencies.head_clk > 0).sum())
        if late:
            notes.append(
                f"{late} accesses were accepted late, and nothing that is modelled is the reason: an input "
                "too, read from stalls in the full queue"
            )
    return ReplayResult(
        unit=unit.name,
        arch=machine.arch,
        kernel=unit.trace.program.name,
        memory=memory,
        rules={rule.name: rule.name not in without for rule in RULES},
        engine=simulated.engine or engine,
        waves=len(trace.waves),
        instructions=trace.instruction_count,
        seconds=seconds,
        head=head,
        measured=real,
        simulated=model,
        error_clk_per_iteration=loop_error,
        error_span=simulated.clk_total / measured.clk_total - 1 if measured.clk_total else 0.0,
        issue_errors=issue_errors(framed, simulated, head),
        lines=worst_lines(measured, simulated),
        blamed=blamed_opcodes(simulated),
        exact_latencies=int(latencies.exact.sum()) if latencies is not None else 0,
        notes=tuple(notes),
        measured_timeline=measured,
        simulated_timeline=simulated,
        forced=teacher_forced(framed, trace, parameters, forced_rows) if forced_rows != 0 else None,
        left_out=unit.left_out,
    )


def _passes(timeline: Timeline, head: int | None) -> float:
    """Median number of times that a wave comes to the head of the loop."""
    if head is None:
        return 0.0
    return float(np.median([int((wave.code == head).sum()) for wave in timeline.trace.waves]))


def replay(
    imported: ImportedTrace,
    machine: Machine,
    memory: MemoryMode,
    *,
    without: Sequence[str] = (),
    engine: str = "auto",
    conflicts: Sequence[Conflicts] | None = None,
    forced_rows: int | None = 0,
) -> tuple[ReplayResult, ...]:
    """Replays every compute unit of a trace on its own; ``conflicts`` are the units' LDS bank conflicts, if
    they have been looked for already."""
    known: Sequence[Conflicts | None] = conflicts or [None] * len(imported.units)
    return tuple(
        replay_unit(
            unit, machine, memory, without=without, engine=engine, conflicts=found, forced_rows=forced_rows
        )
        for unit, found in zip(imported.units, known, strict=True)
    )
