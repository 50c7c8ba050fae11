"""Which memory operations may be outstanding at each instruction, with every age they may have.

Beside :mod:`wavesim.checks.pending`, which follows registers: writes and loads to LDS have none. An
operation's *age* is the number of operations of its counter issued after it, so ``vmcnt(n)`` completes
those of age >= n. The ages of one instruction are the bits of an integer, so that a loop that runs ahead
by several trips shows each of them.
"""

from __future__ import annotations

from wavesim.checks.cfg import ControlFlow
from wavesim.checks.pending import CAPACITY, MAX_AGE, Queue, queues_of
from wavesim.trace import CodeEntry, Kind

Operation = tuple[int, Queue]
"""A static instruction and the counter in which it is followed (flat accesses have two)."""

Ages = dict[Operation, int]

EVERY_AGE = (1 << MAX_AGE) - 1


def count_for(entry: CodeEntry, queue: Queue) -> int | None:
    """What an ``s_waitcnt`` asks of ``queue``; ``None`` if nothing."""
    return entry.wait_vmcnt if queue is Queue.VMEM else entry.wait_lgkmcnt


def kept_bits(count: int | None, queue: Queue) -> int:
    """The ages that a wait for ``count`` leaves outstanding; scalar loads return in any order."""
    if count is None or (queue is Queue.SMEM and count > 0):
        return EVERY_AGE
    return (1 << count) - 1


def step(ages: Ages, index: int, entry: CodeEntry, *, add: bool = True) -> Ages:
    """The ages after instruction ``index`` has issued; without ``add`` only those known before."""
    if entry.kind is Kind.WAIT:
        result = {}
        for operation, bits in ages.items():
            left = bits & kept_bits(count_for(entry, operation[1]), operation[1])
            if left:
                result[operation] = left
        return result
    queues = queues_of(entry)
    if not queues:
        return ages
    result = dict(ages)
    for operation, bits in ages.items():
        if operation[1] in queues and operation[1] in CAPACITY:
            left = bits << 1 & ((1 << CAPACITY[operation[1]]) - 1)
            if left:
                result[operation] = left
            else:
                del result[operation]
    if add:
        for queue in queues:
            result[index, queue] = result.get((index, queue), 0) | 1
    return result


def join(first: Ages, second: Ages) -> Ages:
    """What may be outstanding where two paths meet."""
    if not first:
        return second
    result = dict(first)
    for operation, bits in second.items():
        result[operation] = result.get(operation, 0) | bits
    return result


def outstanding_before(flow: ControlFlow, code: tuple[CodeEntry, ...]) -> dict[int, Ages]:
    """Before each reachable instruction, at the fixed point."""
    empty: Ages = {}
    return flow.forward(empty, lambda index, ages: step(ages, index, code[index]), join)
