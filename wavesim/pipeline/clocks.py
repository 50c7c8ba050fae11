"""Clock reads: kernels that read the clock are executed again with the clocks that timing found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from wavesim.emulate.run import Execution
from wavesim.errors import UserError
from wavesim.trace import Timeline, Trace

CLOCKS = ("s_memtime", "s_memrealtime")
REALTIME_MHZ = 100
"""s_memrealtime counts at a constant 100 MHz (ISA manuals, SMEM instructions)."""

MOST_ROUNDS = 4


class Executed(Protocol):
    """What an execution gives, with whatever else the caller wants of it."""

    @property
    def execution(self) -> Execution: ...


Result = TypeVar("Result", bound=Executed)
ClockValues = Mapping[int, Sequence[int]] | None


@dataclass(frozen=True)
class Clocked(Generic[Result]):
    """An execution and its Timeline that agree on the clocks which the waves read; ``rounds`` executions."""

    executed: Result
    timeline: Timeline
    rounds: int


def execute_and_time(
    execute: Callable[[ClockValues], Result], time: Callable[[Result], Timeline], clock_mhz: float
) -> Clocked[Result]:
    """Execute with placeholders, time, and execute again with the clocks at which the reads issued, until
    what is executed stays the same.

    Args:
        execute: runs the kernel with the given clock values per wave (None: placeholders).
        time: the timing engine.
        clock_mhz: shader clock, for s_memrealtime.

    Raises:
        UserError: path, addresses or counts change with the clocks, round after round.
    """
    executed = execute(None)
    timeline = time(executed)
    if not executed.execution.clock_reads:
        return Clocked(executed, timeline, 1)
    for rounds in range(2, MOST_ROUNDS + 1):
        again = execute(clock_values(timeline, clock_mhz))
        if same_work(executed.execution.trace, again.execution.trace):
            return Clocked(again, timeline, rounds)
        executed, timeline = again, time(again)
    code = executed.execution.trace.code
    read = next((entry.instruction for entry in code if entry.instruction.opcode in CLOCKS), None)
    raise UserError(
        "what the kernel executes depends on the clocks it reads, and does not settle "
        f"in {MOST_ROUNDS} rounds",
        read.span if read else None,
        "clock values may be stored, but not steer branches or addresses",
    )


def clock_values(timeline: Timeline, clock_mhz: float) -> dict[int, list[int]]:
    """Per wave position, what its clock reads show: the clock of their issue."""
    opcodes = np.array([entry.instruction.opcode for entry in timeline.trace.code])
    found = {}
    for position, (wave, trace) in enumerate(zip(timeline.waves, timeline.trace.waves, strict=True)):
        read = np.flatnonzero(np.isin(opcodes, CLOCKS)[trace.code])
        issue = wave.issue_clk[read]
        slow = opcodes[trace.code[read]] == "s_memrealtime"
        found[position] = np.where(slow, (issue * REALTIME_MHZ / clock_mhz).astype(np.int64), issue).tolist()
    return found


def same_work(one: Trace, other: Trace) -> bool:
    """Whether two executions gave the same records."""
    return len(one.waves) == len(other.waves) and all(
        np.array_equal(left.code, right.code)
        and np.array_equal(left.array_clk, right.array_clk)
        and np.array_equal(left.memory_bytes, right.memory_bytes)
        and np.array_equal(left.taken, right.taken)
        and np.array_equal(left.lines, right.lines)
        and left.spins == right.spins
        for left, right in zip(one.waves, other.waves, strict=True)
    )
