"""Where a new order of a loop needs its waits: the counts follow from what must be complete where.

A *need* says: before operation ``user`` issues, the instance of ``operation`` that came ``distance`` passes
before has completed. Needs come from the kernel as it is. A use of a register needs the load that gives it.
A barrier, a store or an access to LDS needs what the kernel's own waits had completed there, as far as
others may rely on it (:mod:`wavesim.checks.relaxing` says who may). What is outstanding where the loop is
entered counts as issued before its first pass.

Operations of a counter return in the order in which they are issued, so that an order of the operations gives
the count of each wait by counting. Scalar and flat loads return in any order: where a loop has some, only a
count of 0 completes the counter's operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.checks.outstanding import Ages, step
from wavesim.checks.pending import Queue, State, after, queues_of
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.checks.waits import hazardous_uses
from wavesim.trace import CodeEntry, Kind
from wavesim.trace.code import COUNTER_MAX
from wavesim.tuning.loop import LoopBlock

Int64 = npt.NDArray[np.int64]

COUNTERS = ("vmcnt", "lgkmcnt")
_QUEUES = {"vmcnt": frozenset({Queue.VMEM}), "lgkmcnt": frozenset({Queue.LDS, Queue.SMEM})}
_LONG_AGO = 1 << 20
"""Passes: further back than any counter reaches."""


@dataclass(frozen=True, slots=True)
class Need:
    """``user`` must not issue before ``operation`` has completed, the instance of ``distance`` passes before.

    Both are numbers of operations of the block; a ``user`` behind the last one is the code behind the loop.
    An operation of before the loop is -1; ``distance`` is then how many of its counter were issued behind it,
    up to the loop.
    """

    user: int
    operation: int
    distance: int
    counter: str


@dataclass(frozen=True, slots=True)
class PlacedWait:
    """A wait before the operation at ``position`` of an order; ``None``: the counter is not waited for."""

    position: int
    vmcnt: int | None
    lgkmcnt: int | None


@dataclass(frozen=True)
class _Counter:
    """The needs of one counter as columns, and which operations it counts."""

    name: str
    counts: Int64
    any_order: bool
    users: Int64
    operations: Int64
    distances: Int64
    outstanding: int

    def completed(self, order: Int64, place: Int64) -> tuple[Int64, Int64]:
        """Per position of ``order``, and behind its end: operations of the counter issued before it in this
        pass; and how many, from the pass's first one, must have completed (negative: of passes before)."""
        issued = np.concatenate(([0], np.cumsum(self.counts[order])))
        needed = np.full(len(order) + 1, -_LONG_AGO, np.int64)
        if len(self.users):
            total = int(issued[-1])
            positions = place[self.users]
            own = self.operations >= 0
            until = np.where(
                own, issued[place[self.operations]] + 1 - self.distances * total, -self.distances
            )
            if self.any_order:
                until = issued[positions]
            until = np.where(until > issued[positions], until - total, until)  # it comes behind the user now
            np.maximum.at(needed, positions, until)
        return issued, needed

    def common_end(self, order: Int64) -> int:
        """How many of its operations end a pass in the same order as in the kernel as it is; behind them
        others are outstanding than waits behind the loop count on."""
        mine = order[self.counts[order] > 0]
        if (np.diff(mine) > 0).all():
            return _LONG_AGO
        usual = np.sort(mine)
        return int(np.argmax((mine != usual)[::-1]))


@dataclass(frozen=True)
class WaitPlan:
    """Where waits stand for any order of a block's operations."""

    needs: tuple[Need, ...]
    counters: tuple[_Counter, ...]

    @classmethod
    def of(cls, block: LoopBlock, relaxer: WaitRelaxer) -> WaitPlan:
        """From the kernel as it is."""
        every = *_register_needs(block, relaxer), *_order_needs(block, relaxer), *_exit_needs(block, relaxer)
        needs = tuple(dict.fromkeys(every))
        _, ages = _at_entry(block, relaxer)
        entries = [relaxer.code[index] for index in block.operations]
        counters = []
        for name in COUNTERS:
            mine = [need for need in needs if need.counter == name]
            bits = [found for (_, queue), found in ages.items() if queue in _QUEUES[name]]
            counters.append(
                _Counter(
                    name,
                    np.array([_counted(entry, name) for entry in entries], np.int64),
                    any(_any_order(entry, name) for entry in entries)
                    or any(_any_order(relaxer.code[index], name) for index, _ in ages),
                    np.array([need.user for need in mine], np.int64),
                    np.array([need.operation for need in mine], np.int64),
                    np.array([need.distance for need in mine], np.int64),
                    max((found.bit_length() for found in bits), default=0),
                )
            )
        return cls(needs, tuple(counters))

    def place(self, order: Sequence[int]) -> list[PlacedWait]:
        """The fewest waits for ``order``, each as weak as its place allows. One behind the last position
        stands behind the loop.

        Args:
            order: the block's operations, by number.
        """
        sequence = np.asarray(order, np.int64)
        place = np.arange(len(sequence) + 1)
        place[sequence] = np.arange(len(sequence))
        found: dict[int, dict[str, int]] = {}
        for counter in self.counters:
            issued, needed = counter.completed(sequence, place)
            if needed.max() <= -_LONG_AGO:
                continue
            total = int(issued[-1])
            known = min(int(needed[:-1].max(initial=-_LONG_AGO)) - total, -counter.outstanding)
            reached = np.maximum.accumulate(np.concatenate(([known], needed)))
            end = int(issued[-1]) - counter.common_end(sequence)
            if reached[-2] < end and end > needed[-1]:
                needed[-1] = end
            for position in np.flatnonzero(needed > reached[:-1]).tolist():
                count = int(issued[position] - needed[position])
                if count < COUNTER_MAX[counter.name]:
                    found.setdefault(position, {})[counter.name] = count
        return [
            PlacedWait(position, counts.get("vmcnt"), counts.get("lgkmcnt"))
            for position, counts in sorted(found.items())
        ]


def _counted(entry: CodeEntry, counter: str) -> int:
    return int(any(queue in _QUEUES[counter] for queue in queues_of(entry)))


def _any_order(entry: CodeEntry, counter: str) -> bool:
    queues = queues_of(entry)
    return len(queues) > 1 or (Queue.SMEM in queues and counter == "lgkmcnt")


def _names_of(queue: Queue) -> tuple[str, ...]:
    if queue is Queue.VMEM:
        return ("vmcnt",)
    return ("lgkmcnt",) if queue in (Queue.LDS, Queue.SMEM) else COUNTERS


def _at_entry(block: LoopBlock, relaxer: WaitRelaxer) -> tuple[State, Ages]:
    """What is outstanding where the loop is entered, from outside."""
    state: State = {}
    ages: Ages = {}
    for source in relaxer.flow.predecessors[block.head]:
        if source == block.tail or source not in relaxer.before:
            continue
        entry, used = relaxer.code[source], relaxer.effects[source]
        for register, pending in after(relaxer.before[source], source, entry, used).items():
            known = state.get(register)
            if known is None or pending.age < known.age:
                state[register] = pending
        for operation, bits in step(relaxer.operations[source], source, entry).items():
            ages[operation] = ages.get(operation, 0) | bits
    return state, ages


def _register_needs(block: LoopBlock, relaxer: WaitRelaxer) -> Iterable[Need]:
    """Needs of the uses of registers that loads give."""
    operations = block.operations
    code, effects = relaxer.code, relaxer.effects
    for number, index in enumerate(operations):
        queues = queues_of(code[index])
        loads = code[index].kind in (Kind.LDS_READ, Kind.VMEM_LOAD, Kind.SMEM)
        if not loads or not queues or not effects[index].writes:
            continue
        opened = after({}, index, code[index], effects[index])
        later = [(user, 0) for user in range(number + 1, len(operations))]
        later += [(user, 1) for user in range(number + 1)]
        for user, distance in later:
            entry, used = code[operations[user]], effects[operations[user]]
            if any(True for _ in hazardous_uses(opened, entry, used)):
                for queue in queues:
                    for name in _names_of(queue):
                        yield Need(user, number, distance, name)
            opened = {name: pending for name, pending in opened.items() if name not in used.writes}
            if not opened:
                break
    state, _ = _at_entry(block, relaxer)
    for user, index in enumerate(operations):
        for register, _ in hazardous_uses(state, code[index], effects[index]):
            for name in _names_of(state[register].queue):
                yield Need(user, -1, state[register].age, name)
        state = {name: pending for name, pending in state.items() if name not in effects[index].writes}


def _order_needs(block: LoopBlock, relaxer: WaitRelaxer) -> Iterable[Need]:
    """Needs of what others may rely on: what the kernel's own waits have completed there, stays so."""
    operations = block.operations
    _, ages = _at_entry(block, relaxer)
    opened = [
        (number, (index, queue))
        for number, index in enumerate(operations)
        for queue in queues_of(relaxer.code[index])
    ]
    for user, place in enumerate(operations):
        open_here = relaxer.operations[place]
        for number, operation in opened:
            if not (relaxer.comes_behind(place, operation) or relaxer.lds_comes_behind(place, operation)):
                continue
            youngest = 0 if number < user else 1
            left = open_here.get(operation, 0).bit_count()
            for name in _names_of(operation[1]):
                yield Need(user, number, youngest + left, name)
        for operation, bits in ages.items():
            if operation in open_here:
                continue
            if relaxer.comes_behind(place, operation) or relaxer.lds_comes_behind(place, operation):
                age = (bits & -bits).bit_length() - 1
                for name in _names_of(operation[1]):
                    yield Need(user, -1, age, name)


def _exit_needs(block: LoopBlock, relaxer: WaitRelaxer) -> Iterable[Need]:
    """Needs of the code behind the loop: what the kernel as it is has completed there, and the order in which
    the rest is outstanding, since waits there count on it."""
    last = len(block.operations)
    tail = relaxer.code[block.tail]
    open_here = step(relaxer.operations[block.tail], block.tail, tail)
    for number, index in enumerate(block.operations):
        for queue in queues_of(relaxer.code[index]):
            left = open_here.get((index, queue), 0).bit_count()
            for name in _names_of(queue):
                yield Need(last, number, left, name)
