"""The score of a schedule: clocks of the compute unit per pass of its loop, over the second half of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wavesim.analyze.result import LEVEL_BOUNDS, Bounds
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Immediate, Instruction, Waitcnt
from wavesim.timing import default_engine, simulate
from wavesim.trace import PUT_IN, UNKNOWN, Trace, WaveTrace
from wavesim.trace.decode import code_entries, code_entry
from wavesim.trace.relaid import Ways, block_starts
from wavesim.tuning.loop import Int64, Loop
from wavesim.tuning.schedule import Layout, Schedule, laid_out, program_of

if TYPE_CHECKING:
    from wavesim.timing.compiled.rescheduled import PutIn

Int32 = npt.NDArray[np.int32]

LATENCIES = (0.8, 1.0, 1.2)
"""Shares of the latency of global memory that a result must hold at, where it is not predicted
(:func:`wavesim.tuning.pace.latencies_of`)."""

MIDDLE = LATENCIES.index(1.0)
"""Which of them is the machine's own."""

POOL = {"s_waitcnt": 96, "s_nop": 24, "s_setprio": 48}
"""How many of each the fast way has place for: waits, s_nop of each length, s_setprio of each level."""

VALUES = {"s_waitcnt": 1, "s_nop": 8, "s_setprio": 4}
"""How many operand values of each are told apart there."""

_FIRST = dict(zip(POOL, accumulate((0, *(POOL[name] * VALUES[name] for name in POOL))), strict=False))


def with_latency(trace: Trace, parameters: TimingParameters, share: float) -> tuple[Trace, TimingParameters]:
    """The inputs with every latency of global memory scaled, and its predicted paths."""
    if share == 1.0:
        return trace, parameters

    def scaled(values: Int32) -> Int32:
        return np.where(values == UNKNOWN, UNKNOWN, np.rint(values * share)).astype(np.int32)

    waves = tuple(
        replace(
            wave,
            memory_latency_clk=scaled(wave.memory_latency_clk),
            memory_path_clk16=scaled(wave.memory_path_clk16),
        )
        for wave in trace.waves
    )
    changed = replace(
        parameters,
        memory_latency_clk=round(parameters.memory_latency_clk * share),
        memory_store_latency_clk=round(parameters.memory_store_latency_clk * share),
    )
    return replace(trace, waves=waves), changed


def at_latency(bounds: Bounds, share: float) -> dict[str, float]:
    """The bounds where every latency and predicted path of global memory is ``share`` of what it is."""
    of_memory = ("memory_in_flight", *LEVEL_BOUNDS)
    return {name: clk * (share if name in of_memory else 1.0) for name, clk in bounds.named().items()}


def cut(trace: Trace, loop: Loop, passes: int) -> Trace:
    """The streams with at most so many passes of the loop: those in the middle are left out, evenly for all
    waves. The streams as they are where a wave enters the loop more than once, or polls."""
    inside = np.zeros(len(trace.program), bool)
    inside[list(loop.members)] = True
    waves = []
    for wave, starts in zip(trace.waves, loop.passes, strict=True):
        outside = np.concatenate(([0], np.cumsum(~inside[wave.code])))
        if wave.spins or (len(starts) and outside[starts[-1]] > outside[starts[0]]):
            return trace
        if len(starts) <= passes:
            waves.append(wave)
            continue
        first, last = int(starts[passes // 2]), int(starts[len(starts) - (passes - passes // 2)])
        waves.append(_without(wave, first, last))
    return replace(trace, waves=tuple(waves))


def _without(wave: WaveTrace, first: int, last: int) -> WaveTrace:
    keep = np.concatenate((np.arange(first), np.arange(last, len(wave))))
    return wave.gathered(keep, wave.code[keep])


def clk_per_pass(heads: Sequence[Int64]) -> float:
    """From the clocks at which each wave begins its passes: the mean over the waves, second half only."""
    paces = []
    for clocks in heads:
        if len(clocks) > 1:
            middle = (len(clocks) - 1) // 2
            paces.append((int(clocks[-1]) - int(clocks[middle])) / (len(clocks) - 1 - middle))
    return float(np.mean(paces)) if paces else float("inf")


class Judge:
    """Scores schedules of one loop on one machine, at one share of the memory latency."""

    def __init__(self, trace: Trace, parameters: TimingParameters, head: int, share: float = 1.0) -> None:
        self._trace, self._parameters = with_latency(trace, parameters, share)
        self._starts = block_starts(trace.program, trace.code)
        self._head = self._starts.index(head)
        self._fast = None
        if default_engine() == "compiled" and not any(wave.spins for wave in trace.waves):
            from wavesim.timing.compiled.rescheduled import Rescheduled

            arch = trace.program.arch
            pool = []
            for opcode, count in POOL.items():
                for value in range(VALUES[opcode]):
                    operand = Waitcnt(0, None, 0) if opcode == "s_waitcnt" else Immediate(value)
                    pool += [code_entry(Instruction(opcode, (operand,)), arch)] * count
            self._fast = Rescheduled(self._trace, self._parameters, self._head, pool)

    def clk(self, schedule: Schedule) -> float:
        """Clocks per pass; infinite where waves get stuck."""
        layout = laid_out(self._trace.program, self._starts, schedule)
        if self._fast is not None:
            new = _put_in(layout)
            if new is not None:
                heads = self._fast.heads(layout.origins, layout.bounds, new)
                stuck = any((clocks < 0).any() for clocks in heads)
                return float("inf") if stuck else clk_per_pass(heads)
        ways = Ways(self._trace)
        relaid = ways.relaid(layout.origins, layout.bounds)
        program = program_of(self._trace.program, self._starts, layout)
        waves = ways.streams(self._trace, relaid)
        trace = replace(self._trace, program=program, code=code_entries(program), waves=waves)
        timeline = simulate(trace, self._parameters)
        if not timeline.complete:
            return float("inf")
        issue = np.concatenate([timed.issue_clk for timed in timeline.waves])
        passes = np.flatnonzero(ways.blocks == self._head)
        clocks = issue[relaid.begins[passes]]
        return clk_per_pass([clocks[a:b] for a, b in pairwise(np.searchsorted(passes, ways.waves))])


def _put_in(layout: Layout) -> PutIn | None:
    """What a schedule puts in, for the fast way; ``None`` where its pool is too small."""
    from wavesim.timing.compiled.rescheduled import PutIn

    rows: list[tuple[int, int, int, int]] = []
    used: dict[tuple[str, int], int] = {}
    for at in np.flatnonzero(layout.origins == PUT_IN).tolist():
        instruction = layout.pieces[at][1]
        operand = instruction.operands[0]
        value = int(operand.value) if isinstance(operand, Immediate) else 0
        key = instruction.opcode, value
        place = used.get(key, 0)
        used[key] = place + 1
        if place >= POOL.get(instruction.opcode, 0) or value >= VALUES[instruction.opcode]:
            return None
        entry = _FIRST[instruction.opcode] + value * POOL[instruction.opcode] + place
        vm, lgkm = -1, -1
        if isinstance(operand, Waitcnt):
            vm = -1 if operand.vmcnt is None else operand.vmcnt
            lgkm = -1 if operand.lgkmcnt is None else operand.lgkmcnt
        rows.append((at, entry, vm, lgkm))
    return PutIn(*np.array(rows, np.int64).reshape(-1, 4).T)
