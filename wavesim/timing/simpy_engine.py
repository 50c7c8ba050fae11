"""The compute unit as a SimPy model: events call arbiters, phases order what happens in one clock."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import chain

import numpy as np
import simpy
from simpy.events import Event

from wavesim.errors import LimitExceeded
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import MAX_CLK, SPIN_PATIENCE_CLK
from wavesim.timing.ops import MFMA, VALU, Op
from wavesim.timing.simpy_ahead import Ahead
from wavesim.timing.simpy_pipes import BARRIER
from wavesim.timing.simpy_ports import BankArray, BusyLog, LdsPort, MemoryPath
from wavesim.timing.simpy_simd import ARBITRATION, Simd
from wavesim.timing.simpy_stream import CodeColumns
from wavesim.timing.simpy_turns import VectorTurns
from wavesim.timing.simpy_wave import UNKNOWN_CLK, Wave
from wavesim.timing.steady import SteadyState, loop_head
from wavesim.trace import BusySpan, Timeline, Trace, WaveTimeline

Progress = Callable[[float], None]

VECTOR = (VALU, MFMA)

STEPS_PER_CHECK = 20_000
"""Events between looks at the limit and calls of ``progress``."""


class Recurring(Event):
    """An event that calls ``action`` whenever it happens: one serves any number of clocks at the same time.

    SimPy takes the callbacks of an event away when it happens; the action puts ``again`` back.
    """

    def __init__(self, env: simpy.Environment, action: Callable[[Event], None]) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        self.callbacks.append(action)
        self.again = self.callbacks


class ComputeUnit:
    """Waves, arbiters and ports of one CU, and the clock they share.

    Phases of one clock, in order: barrier arrivals; the slot, in which all SIMDs choose, then the shared
    ports grant, then SIMDs that were denied fill up; the bank array.
    """

    ARRIVE, SLOT, ARRAY = 1, 2, 3

    def __init__(self, trace: Trace, parameters: TimingParameters, extrapolate: bool = False) -> None:
        self.trace = trace
        self.parameters = parameters
        self.env = simpy.Environment()
        self.now = 0
        self.slot_event = Recurring(self.env, self._slot)
        self.array_event = Recurring(self.env, self._array)
        self.logs: dict[tuple[str, int], BusyLog] = {}
        self.slots: dict[int, list[Wave]] = {}  # by clock, the waves to test
        self.asked: list[LdsPort | MemoryPath] = []
        self.to_fill: list[Simd] = []
        self.news_clk = 0  # nothing but repeated polls since (§12)
        self.turns = VectorTurns(parameters) if parameters.issue_turns_clk else None
        self.array = BankArray(self)
        self.memory = MemoryPath(self)
        self.simds = [Simd(self, number) for number in range(parameters.structure_simds)]
        self.ports = []
        for number, members in enumerate(parameters.structure_simd_pairs):
            port = LdsPort(self, number)
            self.ports.append(port)
            for simd in members:
                port.simds.append(self.simds[simd])
                self.simds[simd].port = port
        if len(self.ports) == 2:
            self.ports[0].others, self.ports[1].others = [self.ports[1]], [self.ports[0]]
        self.ops = ops = [Op(entry, parameters) for entry in trace.code]
        self.steady: SteadyState | None = None
        self.at_head = False
        head = loop_head(trace) if extrapolate and _may_repeat(trace) else None
        if head is not None:
            self.steady = SteadyState(self)
            ops[head].is_head = True
        self.watching = self.steady is not None
        columns = CodeColumns(ops)
        self.waves = [
            Wave(position, wave, ops, columns, parameters) for position, wave in enumerate(trace.waves)
        ]
        self.order = {simd: place for place, simd in enumerate(parameters.barrier_simd_order)}
        self.ended: dict[int, list[tuple[int, int]]] = {}
        self.live: dict[int, list[Wave]] = {}
        for wave in self.waves:
            self.live.setdefault(wave.trace.workgroup, []).append(wave)
            home = wave.simd = self.simds[wave.trace.simd]
            home.waves.append(wave)
            wave.ahead = Ahead(home, wave)

    # -- events

    def log(self, resource: str, number: int) -> BusyLog:
        """The log of one resource's uses."""
        return self.logs.setdefault((resource, number), BusyLog())

    def call_at(self, clk: int, phase: int, action: Callable[[], None]) -> None:
        """Call ``action`` in ``phase`` of clock ``clk`` (not before now)."""

        def run(_event: Event) -> None:
            self.now = int(self.env.now)
            action()

        self.schedule(Recurring(self.env, run), clk, phase)

    def open_slot(self, clk: int, wave: Wave) -> None:
        """``wave`` is the first to be tested in slot ``clk``: one event serves all of a slot."""
        self.slots[clk] = [wave]
        self.env.schedule(self.slot_event, self.SLOT, clk - self.now)  # type: ignore[arg-type]

    def schedule(self, event: Recurring, clk: int, phase: int) -> None:
        """Let ``event`` happen in ``phase`` of clock ``clk`` (not before now), as well as when it is due."""
        self.env.schedule(event, phase, clk - self.now if clk > self.now else 0)  # type: ignore[arg-type]

    def _array(self, event: Event) -> None:
        """The bank array serves the heads of this clock."""
        event.callbacks = self.array_event.again
        self.now = int(self.env.now)
        self.array.serve(self.now)

    def _slot(self, event: Event) -> None:
        """One slot: all waves are tested before any SIMD chooses, every SIMD chooses before any port grants,
        and fills up after all ports have."""
        event.callbacks = self.slot_event.again
        now: int = self.env.now  # type: ignore[assignment]
        self.now = now
        choosing: list[Simd] = []
        for wave in self.slots[now]:
            if wave.ready_clk > now or wave.seen_clk == now:
                continue  # meanwhile it was given another slot, or this one twice
            wave.seen_clk = now
            op = wave.op
            simd = wave.simd
            if op.free or simd.tests[op.category](wave, op, now):
                if simd.choosing_clk == now:
                    simd.candidates.append(wave)
                else:
                    simd.choosing_clk = now
                    simd.candidates = [wave]
                    choosing.append(simd)
        if self.turns is not None and self.turns.is_restricted(now):
            choosing = self._keep_to_turn(self.turns, choosing, now)
        for simd in choosing:
            if len(simd.candidates) == 1:
                simd.go(simd.candidates[0], now)
            else:
                simd.choose(now)
        if self.asked:
            asked, self.asked = self.asked, []
            for port in asked:
                port.grant()
            if self.to_fill:
                to_fill, self.to_fill = self.to_fill, []
                for simd in to_fill:
                    simd.fill()
        if now in self.array.heads:
            self.array.serve(now)
        del self.slots[now]

    def _keep_to_turn(self, turns: VectorTurns, choosing: list[Simd], now: int) -> list[Simd]:
        """Rule ``vector_turns``: VALU and MFMA of one SIMD stay candidates; the SIMDs that have any."""
        asking = {
            simd.number for simd in choosing if any(wave.op.category in VECTOR for wave in simd.candidates)
        }
        asking.discard(turns.winner(asking, now))
        for simd in choosing:
            if simd.number in asking:
                kept = []
                for wave in simd.candidates:
                    if wave.op.category in VECTOR:
                        simd.waits(wave, now, ARBITRATION, now + simd.slot)
                    else:
                        kept.append(wave)
                simd.candidates = kept
        return [simd for simd in choosing if simd.candidates]

    # -- barriers and ends (§8)

    def expect_arrival(self, wave: Wave, clk: int) -> None:
        """The wave's next instruction is a barrier; it arrives at ``clk``, when its bytes are there."""
        wave.ahead.forget()
        wave.stalled_for = BARRIER
        wave.stalls.append((wave.row, BARRIER, clk))
        wave.ready_clk = UNKNOWN_CLK
        self.call_at(clk, self.ARRIVE, lambda: self._arrive(wave))

    def _arrive(self, wave: Wave) -> None:
        wave.arrival_clk = self.now
        self._complete_barrier(wave.trace.workgroup)

    def _complete_barrier(self, workgroup: int) -> None:
        live = self.live[workgroup]
        for wave in live:
            if wave.arrival_clk < 0 or wave.release_clk >= 0:
                return
        if not live:
            return
        events = [(wave.arrival_clk, self.order[wave.trace.simd]) for wave in live]
        first = min(events)[0]
        events += [event for event in self.ended.pop(workgroup, []) if event[0] >= first]
        last_clk, last_place = max(events)
        p = self.parameters
        for wave in live:
            early = self.order[wave.trace.simd] > last_place
            wave.release_clk = last_clk + (
                p.barrier_release_early_clk if early else p.barrier_release_late_clk
            )
            wave.simd.wake(wave, max(self.now, wave.release_clk - p.issue_slot_clk))

    def head_issued(self, wave: Wave) -> None:
        """A wave issued the loop head; the oldest one's is where states are compared."""
        if wave.position == 0:
            self.at_head = True

    def finish(self, wave: Wave, end: int, ended: bool) -> None:
        """The wave's last instruction ends at ``end``. One whose trace only stops stays live for barriers."""
        wave.finish_clk = end
        wave.simd.waves.remove(wave)
        if ended:
            self.call_at(end, self.ARRIVE, lambda: self._end(wave))

    def _end(self, wave: Wave) -> None:
        workgroup = wave.trace.workgroup
        self.live[workgroup].remove(wave)
        if self.live[workgroup]:
            self.ended.setdefault(workgroup, []).append((self.now, self.order[wave.trace.simd]))
        self._complete_barrier(workgroup)

    # -- polling loops (§12)

    def spin(self, wave: Wave, leaves_by_jump: bool) -> tuple[int, bool]:
        """The wave issues the last row of a polling loop: (next row, whether it jumps there).

        The next row is -1 if nothing can ever end its polling.
        """
        number = wave.spin_of_last[wave.row]
        spin = wave.trace.spins[number]
        if 0 <= self.waves[spin.store_wave].done[spin.store_index] <= self.now:
            wave.spinning = None
            return wave.row + 1, leaves_by_jump
        wave.spin_repeats[number] += 1
        wave.spinning = spin
        starving = self.now - self.news_clk > SPIN_PATIENCE_CLK
        if starving or all(self._is_blocked(other) for other in self.waves):
            wave.ready_clk = UNKNOWN_CLK
            return -1, False
        return spin.first, True

    def _is_blocked(self, wave: Wave) -> bool:
        """Whether only another wave can ever let this one go on; a deadlock if all waves are."""
        if wave.finish_clk >= 0 or (wave.arrival_clk >= 0 and wave.release_clk < 0):
            return True
        spin = wave.spinning
        return spin is not None and self.waves[spin.store_wave].issue[spin.store_index] < 0

    # -- run

    def start(self) -> None:
        """Let every wave enter its first instruction."""
        for wave in self.waves:
            if not wave.length:
                wave.finish_clk = wave.start_clk
                wave.simd.waves.remove(wave)
                self.live[wave.trace.workgroup].remove(wave)
                continue
            wave.enter(wave.start_clk)
            if wave.op.is_barrier:
                self.expect_arrival(wave, wave.ready_clk)
            else:
                wave.simd.wake(wave, wave.ready_clk)

    def run(self, progress: Progress | None = None) -> None:
        """Until nothing can happen any more.

        Raises:
            LimitExceeded: past ``MAX_CLK``.
        """
        step, peek = self.env.step, self.env.peek
        endless = float("inf")
        total = max(1, sum(wave.length for wave in self.waves))
        while peek() != endless:
            try:
                for _ in range(STEPS_PER_CHECK):
                    if self.at_head and peek() > self.now:
                        self.at_head = False
                        if self.watching and self.steady is not None and self.steady.observe():
                            self.watching = False
                    step()
            except simpy.core.EmptySchedule:
                return
            if self.now > MAX_CLK:
                raise LimitExceeded(f"the simulation passed {MAX_CLK} clk")
            if progress is not None:
                progress(sum(wave.row for wave in self.waves) / total)


def timeline_of(unit: ComputeUnit) -> Timeline:
    """The finished (or stuck) model as a Timeline."""
    complete = unit.trace.complete and all(wave.finish_clk >= 0 for wave in unit.waves)
    steady = unit.steady or SteadyState(unit)
    steady.give_back()
    total = max((wave.finish_clk for wave in unit.waves), default=0)
    stuck = [wave for wave in unit.waves if wave.finish_clk < 0]
    for wave in stuck:  # time ends when nothing more issues and the last wave has come to where it is stuck
        total = max(total, max(wave.end), max(wave.attempt), wave.arrival_clk)
    for wave in stuck:
        wave.stop_stalling(total)
    total += steady.skipped_clk
    waves = []
    for wave in unit.waves:
        trace = wave.trace
        stalls = steady.fill_stalls(wave, wave.stall_clocks())
        attempt, issue, end, done = (
            np.array(column, np.int64) for column in (wave.attempt, wave.issue, wave.end, wave.done)
        )
        returns = np.array([op.returns for op in unit.ops], np.bool_)[trace.code]
        done = np.where(returns, done, issue)  # the others are done when they issue
        steady.fill_wave(wave, (attempt, issue, end, done))
        waves.append(
            WaveTimeline(
                wave=trace.wave,
                workgroup=trace.workgroup,
                simd=trace.simd,
                slot=trace.slot,
                first_clk=wave.start_clk,
                last_clk=steady.finish_clk(wave) if wave.finish_clk >= 0 else total,
                attempt_clk=attempt,
                issue_clk=issue,
                end_clk=end,
                done_clk=done,
                stall_row=stalls[:, 0].copy(),
                stall_reason=stalls[:, 1].astype(np.int8),
                stall_clk=stalls[:, 2].copy(),
                spin_repeats=tuple(wave.spin_repeats),
            )
        )
    return Timeline(
        trace=unit.trace,
        waves=tuple(waves),
        clk_total=total,
        busy={name: _span(name, log, steady) for name, log in sorted(unit.logs.items()) if log.uses},
        engine="simpy",
        complete=complete,
        extrapolation=steady.extrapolation(),
    )


def _span(name: tuple[str, int], log: BusyLog, steady: SteadyState) -> BusySpan:
    flat = np.fromiter(chain.from_iterable(log.uses), np.int64, 4 * len(log.uses))
    uses = steady.fill_uses(name, flat.reshape(-1, 4))
    uses = uses[np.lexsort((uses[:, 3], uses[:, 2], uses[:, 0]))]
    return BusySpan(
        uses[:, 0].copy(), uses[:, 1].copy(), uses[:, 2].astype(np.int32), uses[:, 3].astype(np.int32)
    )


def _may_repeat(trace: Trace) -> bool:
    """Whether copying periods is sound: no polling loops, latencies not tied to the order of issue."""
    spins = any(wave.spins for wave in trace.waves)
    return trace.complete and not spins and not len(trace.memory_latency_by_order_clk)


def run(
    trace: Trace,
    parameters: TimingParameters,
    progress: Progress | None = None,
    *,
    extrapolate: bool = False,
) -> Timeline:
    """Time a trace; with ``extrapolate`` periods of a proven steady state are copied.

    Raises:
        LimitExceeded: the simulation passed ``limits.MAX_CLK``.
    """
    collecting = gc.isenabled()
    gc.disable()  # the events and records of a run form no cycles; looking for some costs a fifth of it
    try:
        unit = ComputeUnit(trace, parameters, extrapolate)
        unit.start()
        unit.run(progress)
        return timeline_of(unit)
    finally:
        if collecting:
            gc.enable()
