"""Where a new order of a loop needs its waits: the counts follow from what must be complete where.

A *need* says: before instruction ``user`` issues, an operation of memory has completed, but for its youngest
``left`` instances. Needs come from the kernel as it is. A use of a register needs the load that gives it.
A barrier, a store or an access to LDS needs what the kernel's own waits had completed there, as far as
others may rely on it (:mod:`wavesim.checks.relaxing` says who may). The code behind the loop counts on what
is outstanding where it is entered.

Operations of a counter return in the order in which they are issued, so that an order of the operations gives
the count of each wait by counting, along all ways through the loop. Scalar and flat loads return in any
order: where a loop has some, only a count of 0 completes the counter's operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from wavesim.checks.outstanding import Ages, Operation, join, step
from wavesim.checks.pending import CAPACITY, Outstanding, Queue, queues_of
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.checks.waits import hazardous_uses
from wavesim.isa.kinds import LDS_KINDS
from wavesim.trace import CodeEntry, Kind
from wavesim.trace.code import COUNTER_MAX
from wavesim.tuning.loop import Loop

COUNTERS = ("vmcnt", "lgkmcnt")
_COUNTER = {Queue.VMEM: 0, Queue.LDS: 1, Queue.SMEM: 1}
_LOADS = (Kind.LDS_READ, Kind.VMEM_LOAD, Kind.SMEM)
_NEVER = -(1 << 20)
"""Further back than any counter reaches."""


@dataclass(frozen=True, slots=True)
class Need:
    """``operation`` is complete but for its ``left`` youngest instances."""

    operation: Operation
    left: int


Counts = tuple[int | None, int | None]
"""Of a wait: vmcnt and lgkmcnt; ``None``: not waited for."""


@dataclass(frozen=True)
class WaitPlan:
    """Where waits stand in any order of a loop.

    Attributes:
        needs: by instruction.
        counted: by instruction the counters that it joins.
        any_order: per counter whether only 0 completes its operations.
        entry: what is outstanding where the loop is entered from outside.
        exits: by instruction outside to which the loop is left: what may be outstanding there at most.
        kept: by operation how many of its youngest instances matter, where more than one does.
    """

    needs: Mapping[int, tuple[Need, ...]]
    counted: Mapping[int, tuple[Operation, ...]]
    any_order: tuple[bool, bool]
    entry: Ages
    exits: Mapping[int, Ages]
    kept: Mapping[Operation, int]

    @classmethod
    def of(cls, loop: Loop, relaxer: WaitRelaxer, meets: Meets | None = None) -> WaitPlan:
        """From the kernel as it is; ``meets`` says which accesses to LDS touch a byte in common."""
        needs: dict[int, dict[Need, None]] = {}
        entry: Ages = {}
        for source in relaxer.flow.predecessors[loop.head]:
            if source not in loop.members and source in relaxer.before:
                entry = join(entry, _behind(source, relaxer))
        for user, need in (*_register_needs(loop, relaxer), *_order_needs(loop, relaxer, entry, meets)):
            needs.setdefault(user, {})[need] = None
        exits: dict[int, Ages] = {}
        for source in sorted(loop.members & relaxer.before.keys()):
            for target in relaxer.flow.successors[source]:
                if target not in loop.members:
                    exits[target] = join(exits.get(target, {}), _behind(source, relaxer))
        counted = {
            index: tuple((index, queue) for queue in queues_of(relaxer.code[index])) for index in loop.members
        }
        every = [need for mine in needs.values() for need in mine]
        entries = [relaxer.code[index] for index in (*loop.members, *(index for index, _ in entry))]
        return cls(
            {user: tuple(mine) for user, mine in needs.items()},
            {index: mine for index, mine in counted.items() if mine},
            (any(_any_order(each, 0) for each in entries), any(_any_order(each, 1) for each in entries)),
            entry,
            exits,
            {need.operation: need.left + 1 for need in sorted(every, key=_left) if need.left},
        )

    def exit_wait(self, target: int, ages: Ages) -> Counts:
        """The wait that must stand where the loop is left to ``target`` with so much outstanding."""
        usual = self.exits.get(target, {})
        least: list[int | None] = [None, None]
        for operation, bits in ages.items():
            age, allowed = _youngest(bits), _youngest(usual.get(operation, 0))
            if allowed is None or (age is not None and age < allowed):
                counter = _COUNTER[operation[1]]
                count = 0 if self.any_order[counter] else age or 0
                known = least[counter]
                least[counter] = count if known is None else min(known, count)
        return least[0], least[1]


class Outgoing:
    """What is outstanding on a way through a block, by number of issue: 0 is the last one before it."""

    def __init__(self, plan: WaitPlan, entry: Ages) -> None:
        self._plan = plan
        self._issued = [0, 0]
        self._done = [_NEVER, _NEVER]
        self._at: dict[Operation, list[int]] = {}
        for operation, bits in entry.items():
            self._at[operation] = [-age for age in range(bits.bit_length() - 1, -1, -1) if bits >> age & 1]

    def wait(self, user: int) -> Counts | None:
        """The wait that ``user`` needs before it, as weak as can be; it is taken to stand there."""
        needs = self._plan.needs.get(user)
        if not needs:
            return None
        wanted = [_NEVER, _NEVER]
        for need in needs:
            places = self._at.get(need.operation)
            if places and len(places) > need.left:
                counter = _COUNTER[need.operation[1]]
                wanted[counter] = max(wanted[counter], places[-1 - need.left])
        counts: list[int | None] = [None, None]
        for counter, name in enumerate(COUNTERS):
            if wanted[counter] <= self._done[counter]:
                continue
            count = 0 if self._plan.any_order[counter] else self._issued[counter] - wanted[counter]
            if count < COUNTER_MAX[name]:
                counts[counter] = count
                self._done[counter] = self._issued[counter] - count
        return None if counts == [None, None] else (counts[0], counts[1])

    def issue(self, index: int) -> None:
        """An instruction issues."""
        for operation in self._plan.counted.get(index, ()):
            counter = _COUNTER[operation[1]]
            self._issued[counter] += 1
            self._at.setdefault(operation, []).append(self._issued[counter])

    def ages(self) -> Ages:
        """What is outstanding now, as far as it matters."""
        found: Ages = {}
        for operation, places in self._at.items():
            counter = _COUNTER[operation[1]]
            full = self._issued[counter] - CAPACITY.get(operation[1], -_NEVER)
            done = max(self._done[counter], full)
            bits = 0
            for place in places[-self._plan.kept.get(operation, 1) :]:
                if place > done:
                    bits |= 1 << self._issued[counter] - place
            if bits:
                found[operation] = bits
        return found


def _left(need: Need) -> int:
    return need.left


def _youngest(bits: int) -> int | None:
    return (bits & -bits).bit_length() - 1 if bits else None


def _behind(source: int, relaxer: WaitRelaxer) -> Ages:
    return step(relaxer.operations[source], source, relaxer.code[source])


def _any_order(entry: CodeEntry, counter: int) -> bool:
    queues = queues_of(entry)
    return len(queues) > 1 or (Queue.SMEM in queues and counter == 1)


def _register_needs(loop: Loop, relaxer: WaitRelaxer) -> Iterator[tuple[int, Need]]:
    """Needs of the uses of registers that loads give, whatever is waited for in between."""
    code, effects = relaxer.code, relaxer.effects
    nothing: Given = {}
    given = relaxer.flow.forward(nothing, lambda index, state: _given(index, state, relaxer), _either)
    for user in sorted(loop.members & given.keys()):
        state = given[user]
        registers = (effects[user].reads | effects[user].writes) & state.keys()
        for load in sorted({load for register in registers for load in state[register]}):
            for queue in queues_of(code[load]):
                opened = {
                    register: Outstanding(queue, 0, load) for register in registers if load in state[register]
                }
                if any(True for _ in hazardous_uses(opened, code[user], effects[user])):
                    yield user, Need((load, queue), 0)


Given = dict[tuple[str, int], frozenset[int]]
"""Of registers the loads whose values they may have."""


def _given(index: int, state: Given, relaxer: WaitRelaxer) -> Given:
    entry, used = relaxer.code[index], relaxer.effects[index]
    loads = entry.kind in _LOADS and bool(queues_of(entry))
    if not loads and used.writes.isdisjoint(state):
        return state
    found = {register: several for register, several in state.items() if register not in used.writes}
    if loads:
        found.update(dict.fromkeys(used.writes, frozenset((index,))))
    return found


def _either(first: Given, second: Given) -> Given:
    if first == second:
        return first
    found = dict(first)
    for register, several in second.items():
        found[register] = found.get(register, frozenset()) | several
    return found


Meets = Callable[[int, int], bool]
"""Whether two accesses to LDS, of whichever waves, may touch a byte in common."""


def _order_needs(
    loop: Loop, relaxer: WaitRelaxer, entry: Ages, meets: Meets | None
) -> Iterator[tuple[int, Need]]:
    """Needs of what others may rely on: what the kernel's own waits have completed there, stays so. An access
    to LDS need not be complete at a barrier if no access up to the next one meets it."""
    free = _untouched(loop, relaxer, meets) if meets is not None else frozenset()
    operations = [
        *((index, queue) for index in sorted(loop.members) for queue in queues_of(relaxer.code[index])),
        *(operation for operation in entry if operation[0] not in loop.members),
    ]
    for user in sorted(loop.members & relaxer.operations.keys()):
        for operation in operations:
            if (user, operation[0]) in free and not relaxer.comes_behind(user, operation):
                continue
            if relaxer.comes_behind(user, operation) or relaxer.lds_comes_behind(user, operation):
                left = relaxer.operations[user].get(operation, 0).bit_count()
                yield user, Need(operation, left)


def _untouched(loop: Loop, relaxer: WaitRelaxer, meets: Meets) -> frozenset[tuple[int, int]]:
    """(barrier, access) of a straight loop such that nothing between the barrier and the next one meets the
    access; none where code elsewhere touches LDS behind the barrier."""
    code = relaxer.code
    if not loop.straight:
        return frozenset()
    order = [*loop.operations, *loop.operations]
    accesses = {n for n in loop.operations if code[n].kind in LDS_KINDS}
    barriers = {n for n in loop.operations if code[n].kind is Kind.BARRIER}
    found = set()
    for barrier in barriers:
        place = order.index(barrier) + 1
        end = next(n for n in range(place, len(order)) if order[n] in barriers)
        leaves = end >= len(loop.operations) and _lds_behind(loop, relaxer)
        then = [n for n in order[place:end] if n in accesses]
        for access in accesses if not leaves else ():
            writes = code[access].kind is Kind.LDS_WRITE
            met = [n for n in then if writes or code[n].kind is Kind.LDS_WRITE]
            if not any(meets(access, n) for n in met):
                found.add((barrier, access))
    return frozenset(found)


def _lds_behind(loop: Loop, relaxer: WaitRelaxer) -> bool:
    """Whether code behind the loop touches LDS."""
    todo = [n for index in loop.members for n in relaxer.flow.successors[index] if n not in loop.members]
    seen: set[int] = set()
    while todo:
        index = todo.pop()
        if index in seen or index in loop.members:
            continue
        seen.add(index)
        if relaxer.code[index].kind in LDS_KINDS or relaxer.code[index].to_lds:
            return True
        todo += relaxer.flow.successors[index]
    return False
