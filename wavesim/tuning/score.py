"""The score of a schedule: clocks of the compute unit per pass of its loop, in the second half of its passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Immediate, Instruction, Waitcnt
from wavesim.timing import default_engine, simulate
from wavesim.trace import UNKNOWN, Trace
from wavesim.trace.decode import code_entry
from wavesim.tuning.loop import Int64, LoopBlock
from wavesim.tuning.schedule import PUT_IN, Piece, scheduled_trace

LATENCIES = (0.8, 1.0, 1.2)
"""Shares of the latency of global memory that a result must hold at."""

POOL_WAITS = 96
POOL_NOPS = 24
"""Waits, and s_nop of each length, that the fast way has place for."""


def with_latency(
    trace: Trace, parameters: TimingParameters, share: float
) -> tuple[Trace, TimingParameters]:
    """The inputs with every latency of global memory scaled."""
    if share == 1.0:
        return trace, parameters

    def scaled(values: np.ndarray[tuple[int], np.dtype[np.int32]]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return np.where(values == UNKNOWN, UNKNOWN, np.rint(values * share)).astype(np.int32)

    waves = tuple(
        replace(wave, memory_latency_clk=scaled(wave.memory_latency_clk)) for wave in trace.waves
    )
    changed = replace(
        parameters,
        memory_latency_clk=round(parameters.memory_latency_clk * share),
        memory_store_latency_clk=round(parameters.memory_store_latency_clk * share),
    )
    return replace(trace, waves=waves), changed


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

    def __init__(self, trace: Trace, parameters: TimingParameters, block: LoopBlock, share: float = 1.0) -> None:
        self._trace, self._parameters = with_latency(trace, parameters, share)
        self._block = block
        self._fast = None
        if default_engine() == "compiled" and not any(wave.spins for wave in trace.waves):
            from wavesim.timing.compiled.rescheduled import Rescheduled

            arch = trace.program.arch
            wait = code_entry(Instruction("s_waitcnt", (Waitcnt(0, None, 0),)), arch)
            kinds = [code_entry(Instruction("s_nop", (Immediate(count),)), arch) for count in range(8)]
            pool = [wait] * POOL_WAITS + [each for each in kinds for _ in range(POOL_NOPS)]
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


def _origins(pieces: Sequence[Piece]) -> list[object] | None:
    """The pieces for the fast way; ``None`` where its pool is too small."""
    from wavesim.timing.compiled.rescheduled import PutIn

    found: list[object] = []
    waits, nops = 0, [0] * 8
    for index, instruction in pieces:
        operand = instruction.operands[0] if instruction.operands else None
        if index != PUT_IN:
            found.append(index)
        elif isinstance(operand, Waitcnt):
            if waits == POOL_WAITS:
                return None
            vm = -1 if operand.vmcnt is None else operand.vmcnt
            lgkm = -1 if operand.lgkmcnt is None else operand.lgkmcnt
            found.append(PutIn(waits, vm, lgkm))
            waits += 1
        elif isinstance(operand, Immediate):
            count = int(operand.value)
            if nops[count] == POOL_NOPS:
                return None
            found.append(PutIn(POOL_WAITS + POOL_NOPS * count + nops[count]))
            nops[count] += 1
        else:
            return None
    return found
