"""Which registers may still be waiting for a load at each instruction, over all paths.

A forward data-flow analysis. LDS operations of a wave return in order, and so do global-memory
operations (CDNA3 ISA §4.4), so a pending register needs one number, its *age*: how many operations of
its counter were issued after its load. ``lgkmcnt(n)`` completes every LDS load of age >= n. Scalar
loads may return in any order: only ``lgkmcnt(0)`` completes them. Flat loads need 0 of both counters.
Where paths meet, the smaller age (the longer wait) stays, so what is said holds on some path and nothing
is missed. A counter that is full lets no further operation issue before the oldest has returned, so behind
as many younger operations as the counter holds a load is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wavesim.checks.cfg import ControlFlow
from wavesim.isa.kinds import LDS_KINDS, LOAD_KINDS, VMEM_KINDS
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Kind
from wavesim.trace.code import COUNTER_MAX

RegisterKey = tuple[str, int]

MAX_AGE = 64
"""Beyond what any counter can express (vmcnt: 63): older operations need no more precision."""


class Queue(StrEnum):
    """Which order of return an operation belongs to."""

    LDS = "lds"
    VMEM = "vmem"
    SMEM = "smem"
    FLAT = "flat"  # registers of a flat load: the data may come from memory or from LDS
    FLAT_VMCNT = "flat, vmcnt open"
    FLAT_LGKMCNT = "flat, lgkmcnt open"


CAPACITY = {Queue.LDS: COUNTER_MAX["lgkmcnt"], Queue.VMEM: COUNTER_MAX["vmcnt"]}
"""The age at which an operation has returned, whatever was waited for."""

FLAT_QUEUES = frozenset({Queue.FLAT, Queue.FLAT_VMCNT, Queue.FLAT_LGKMCNT})


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A register's load that may not have returned: issued at ``load``, ``age`` later operations."""

    queue: Queue
    age: int
    load: int


State = dict[RegisterKey, Outstanding]


def queues_of(entry: CodeEntry) -> tuple[Queue, ...]:
    """The return orders that an instruction joins (flat accesses join two)."""
    if entry.kind in LDS_KINDS:
        return (Queue.LDS,)
    if entry.kind in VMEM_KINDS and entry.vm_increment:
        return (Queue.VMEM, Queue.LDS) if entry.lgkm_increment else (Queue.VMEM,)
    if entry.kind is Kind.SMEM and entry.lgkm_increment:
        return (Queue.SMEM,)
    return ()


def after_wait(state: State, entry: CodeEntry) -> State:
    """What stays outstanding after an ``s_waitcnt``."""
    kept: State = {}
    for register, pending in state.items():
        if pending.queue in FLAT_QUEUES:
            left = _flat_after_wait(pending, entry)
            if left is not None:
                kept[register] = left
            continue
        count = entry.wait_vmcnt if pending.queue is Queue.VMEM else entry.wait_lgkmcnt
        done = count is not None and (count == 0 if pending.queue is Queue.SMEM else pending.age >= count)
        if not done:
            kept[register] = pending
    return kept


def _flat_after_wait(pending: Outstanding, entry: CodeEntry) -> Outstanding | None:
    memory_open = pending.queue is not Queue.FLAT_LGKMCNT and entry.wait_vmcnt != 0
    lds_open = pending.queue is not Queue.FLAT_VMCNT and entry.wait_lgkmcnt != 0
    if memory_open and lds_open:
        return pending
    if memory_open or lds_open:
        queue = Queue.FLAT_VMCNT if memory_open else Queue.FLAT_LGKMCNT
        return Outstanding(queue, pending.age, pending.load)
    return None


def older(state: State, entry: CodeEntry, effects: Effects) -> State:
    """``state`` after an instruction, without what the instruction itself loads."""
    if entry.kind is Kind.WAIT:
        return after_wait(state, entry)
    queues = queues_of(entry)
    if not queues and not effects.writes:
        return state
    result: State = {}
    for register, pending in state.items():
        if register in effects.writes:
            continue  # overwritten: whoever reads it now reads the new value (reported as WAW)
        if pending.queue in queues and pending.queue in CAPACITY:
            if pending.age + 1 >= CAPACITY[pending.queue]:
                continue
            pending = Outstanding(pending.queue, pending.age + 1, pending.load)
        result[register] = pending
    return result


def after(state: State, index: int, entry: CodeEntry, effects: Effects) -> State:
    """The state after instruction ``index`` has issued."""
    result = older(state, entry, effects)
    queues = queues_of(entry)
    is_load = entry.kind in LOAD_KINDS
    if is_load and queues and effects.writes:
        result = dict(result)
        for register in effects.writes:
            if register[0] in ("v", "a", "s", "vcc"):
                result[register] = Outstanding(Queue.FLAT if len(queues) > 1 else queues[0], 0, index)
    return result


def merge(first: State, second: State) -> State:
    """Union of two paths' states; of two loads of a register the one that needs the longer wait."""
    if not first:
        return second
    result = dict(first)
    for register, pending in second.items():
        known = result.get(register)
        if known is None or known == pending:
            result[register] = pending
        elif {known.queue, pending.queue} == {Queue.FLAT_VMCNT, Queue.FLAT_LGKMCNT}:
            result[register] = Outstanding(Queue.FLAT, 0, min(known.load, pending.load))
        elif _strictness(pending) < _strictness(known):
            result[register] = pending
    return result


_RANK = {Queue.FLAT: -2, Queue.FLAT_VMCNT: -1, Queue.FLAT_LGKMCNT: -1, Queue.SMEM: -1}


def _strictness(pending: Outstanding) -> tuple[int, str, int]:
    return _RANK.get(pending.queue, pending.age), pending.queue.value, pending.load


def pending_before(
    flow: ControlFlow, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...]
) -> dict[int, State]:
    """State before each reachable instruction, at the fixed point."""
    empty: State = {}
    return flow.forward(empty, lambda index, state: after(state, index, code[index], effects[index]), merge)
