"""The score of a schedule: clocks of the compute unit per pass of its loop, over the second half of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wavesim.analyze.result import Bounds
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Immediate, Instruction, Waitcnt
from wavesim.timing import default_engine, simulate
from wavesim.trace import PUT_IN, UNKNOWN, Trace, WaveTrace
from wavesim.trace.decode import code_entry
from wavesim.tuning.loop import Int64, LoopBlock
from wavesim.tuning.schedule import Piece, scheduled_trace

if TYPE_CHECKING:
    from wavesim.timing.compiled.rescheduled import PutIn

Int32 = npt.NDArray[np.int32]

LATENCIES = (0.8, 1.0, 1.2)
"""Shares of the latency of global memory that a result must hold at."""

POOL = {"s_waitcnt": 96, "s_nop": 24, "s_setprio": 48}
"""How many of each the fast way has place for: waits, s_nop of each length, s_setprio of each level."""

VALUES = {"s_waitcnt": 1, "s_nop": 8, "s_setprio": 4}
"""How many operand values of each are told apart there."""


def with_latency(trace: Trace, parameters: TimingParameters, share: float) -> tuple[Trace, TimingParameters]:
    """The inputs with every latency of global memory scaled."""
    if share == 1.0:
        return trace, parameters

    def scaled(values: Int32) -> Int32:
        return np.where(values == UNKNOWN, UNKNOWN, np.rint(values * share)).astype(np.int32)

    waves = tuple(replace(wave, memory_latency_clk=scaled(wave.memory_latency_clk)) for wave in trace.waves)
    changed = replace(
        parameters,
        memory_latency_clk=round(parameters.memory_latency_clk * share),
        memory_store_latency_clk=round(parameters.memory_store_latency_clk * share),
    )
    return replace(trace, waves=waves), changed


def at_latency(bounds: Bounds, share: float) -> dict[str, float]:
    """The bounds where every latency of global memory is ``share`` of what it is."""
    named = bounds.named()
    return named | {"memory_in_flight": named["memory_in_flight"] * share}


def cut(trace: Trace, block: LoopBlock, passes: int) -> Trace:
    """The streams with at most so many passes of the loop: those in the middle are left out, evenly for all
    waves. The streams as they are where a wave enters the loop more than once."""
    waves = []
    for wave, starts in zip(trace.waves, block.passes, strict=True):
        if (np.diff(starts) != block.length).any():
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
    """Scores schedules of one block on one machine, at one share of the memory latency."""

    def __init__(
        self, trace: Trace, parameters: TimingParameters, block: LoopBlock, share: float = 1.0
    ) -> None:
        self._trace, self._parameters = with_latency(trace, parameters, share)
        self._block = block
        self._fast = None
        if default_engine() == "compiled" and not any(wave.spins for wave in trace.waves):
            from wavesim.timing.compiled.rescheduled import Rescheduled

            arch = trace.program.arch
            pool = []
            for opcode, count in POOL.items():
                for value in range(VALUES[opcode]):
                    operand = Waitcnt(0, None, 0) if opcode == "s_waitcnt" else Immediate(value)
                    pool += [code_entry(Instruction(opcode, (operand,)), arch)] * count
            self._fast = Rescheduled(
                self._trace, self._parameters, block.head, block.length, block.passes, pool
            )

    def clk(self, pieces: Sequence[Piece]) -> float:
        """Clocks per pass; infinite where waves get stuck."""
        if self._fast is not None:
            origins = _origins(pieces)
            if origins is not None:
                heads = self._fast.heads(origins)
                stuck = any((clocks < 0).any() for clocks in heads)
                return float("inf") if stuck else clk_per_pass(heads)
        trace = scheduled_trace(self._trace, self._block, pieces)
        timeline = simulate(trace, self._parameters)
        if not timeline.complete:
            return float("inf")
        return clk_per_pass(
            [
                timed.issue_clk[wave.code == self._block.head]
                for wave, timed in zip(trace.waves, timeline.waves, strict=True)
            ]
        )


def _origins(pieces: Sequence[Piece]) -> list[int | PutIn] | None:
    """The pieces for the fast way; ``None`` where its pool is too small."""
    from wavesim.timing.compiled.rescheduled import PutIn

    found: list[int | PutIn] = []
    used: dict[tuple[str, int], int] = {}
    first = dict(zip(POOL, accumulate((0, *(POOL[name] * VALUES[name] for name in POOL))), strict=False))
    for index, instruction in pieces:
        if index != PUT_IN:
            found.append(index)
            continue
        operand = instruction.operands[0]
        value = int(operand.value) if isinstance(operand, Immediate) else 0
        key = instruction.opcode, value
        place = used.get(key, 0)
        used[key] = place + 1
        if place >= POOL.get(instruction.opcode, 0) or value >= VALUES[instruction.opcode]:
            return None
        entry = first[instruction.opcode] + value * POOL[instruction.opcode] + place
        if isinstance(operand, Waitcnt):
            vm = -1 if operand.vmcnt is None else operand.vmcnt
            lgkm = -1 if operand.lgkmcnt is None else operand.lgkmcnt
            found.append(PutIn(entry, vm, lgkm))
        else:
            found.append(PutIn(entry))
    return found
