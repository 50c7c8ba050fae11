"""The largest count that each ``s_waitcnt`` could have: what a wait completes that somebody relies on.

Each wait is judged alone, the others as they are. A count is safe if, with it,

- no register is used earlier than its load returns, on any path (:mod:`wavesim.checks.pending`);
- nothing that the wait completes now is still outstanding at a place where other waves or another path
  to memory may rely on it: LDS accesses at a barrier behind which LDS is touched in a conflicting way,
  loads to LDS where the same wave's LDS accesses meet them, or at its end; stores at a barrier, a further
  store, an LDS write (a flag for other waves), a scalar load or a cache operation; anything where control
  leaves to an unknown place, and at an unknown instruction.

The second part looks at kinds of accesses, not at addresses. What an executed launch shows of addresses
can only lift the LDS part (``order_matters=False``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wavesim.checks.cfg import ControlFlow
from wavesim.checks.outstanding import Ages, Operation, count_for, join, kept_bits, outstanding_before, step
from wavesim.checks.pending import MAX_AGE, Queue, State, after_wait, merge, older
from wavesim.checks.waits import hazardous_uses
from wavesim.isa.kinds import LDS_KINDS, VMEM_KINDS
from wavesim.isa.opcodes import lookup
from wavesim.isa.unknown import is_marked
from wavesim.program import Program
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Kind
from wavesim.trace.code import COUNTER_MAX

NOT_WAITED = MAX_AGE
"""In the place of a count: the wait does not name the counter at all."""

COUNTERS = ("vmcnt", "lgkmcnt")
_ORDERS_MEMORY = VMEM_KINDS | {Kind.ENDPGM, Kind.BARRIER, Kind.SMEM, Kind.LDS_WRITE}
_ORDERS_LDS = LDS_KINDS | {Kind.BARRIER}
"""Only these may have to come behind an open access to memory, or to LDS."""


@dataclass(frozen=True, slots=True)
class Need:
    """Why a count is not safe: ``user`` comes before ``operation`` has completed. ``order`` if only kinds
    of LDS accesses say so, which real addresses may refute."""

    operation: int
    user: int
    order: bool = False


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What is known of one counter of one ``s_waitcnt``.

    Attributes:
        wait: static instruction.
        counter: ``vmcnt`` or ``lgkmcnt``.
        count: what it asks for now.
        safe: the largest safe count by code alone; ``NOT_WAITED`` if nothing relies on the wait.
        possible: the largest safe count if the LDS accesses behind it turn out not to conflict.
        need: what forbids ``safe + 1``; ``None`` with ``NOT_WAITED``.
        last_need: what forbids ``possible + 1``.
    """

    wait: int
    counter: str
    count: int
    safe: int
    possible: int
    need: Need | None
    last_need: Need | None


def with_count(entry: CodeEntry, counter: str, count: int) -> CodeEntry:
    """The wait with another count for one counter."""
    value = None if count >= NOT_WAITED else count
    return replace(entry, wait_vmcnt=value) if counter == "vmcnt" else replace(entry, wait_lgkmcnt=value)


def counts_from(count: int, counter: str) -> list[int]:
    """``count`` and every weaker count, the weakest last; the largest that can be written means no wait."""
    return [count, *range(count + 1, COUNTER_MAX[counter]), NOT_WAITED]


@dataclass(frozen=True)
class WaitRelaxer:
    """Judges counts for the waits of one program. ``before`` are the pending registers at each place."""

    program: Program
    code: tuple[CodeEntry, ...]
    effects: tuple[Effects, ...]
    flow: ControlFlow
    before: dict[int, State]
    operations: dict[int, Ages]
    behind: dict[int, frozenset[str]]
    cache: frozenset[int]
    atomics: frozenset[int]

    @classmethod
    def of(
        cls,
        program: Program,
        code: tuple[CodeEntry, ...],
        effects: tuple[Effects, ...],
        flow: ControlFlow,
        before: dict[int, State],
    ) -> WaitRelaxer:
        """Prepare the analysis of a program."""
        operations = outstanding_before(flow, code)
        flags = [lookup(each.opcode, program.arch, each.span).flags for each in program]
        cache = frozenset(
            index
            for index, each in enumerate(program)
            if "cache" in flags[index] or each.opcode.startswith("s_dcache")
        )
        atomics = frozenset(
            index for index, each in enumerate(flags) if not each.isdisjoint(("atomic", "atomic_lds"))
        )
        behind = _reachable_accesses(flow, code)
        return cls(program, code, effects, flow, before, operations, behind, cache, atomics)

    def relaxations(self) -> Iterator[Relaxation]:
        """One per wait and counter that could be weaker, in program order; waits that never have anything
        to wait for are left out."""
        for index, entry in enumerate(self.code):
            if entry.kind is not Kind.WAIT or index not in self.before:
                continue
            for counter in COUNTERS:
                found = self._relaxation(index, entry, counter)
                if found is not None:
                    yield found

    def _relaxation(self, wait: int, entry: CodeEntry, counter: str) -> Relaxation | None:
        count = entry.wait_vmcnt if counter == "vmcnt" else entry.wait_lgkmcnt
        if count is None or not self._completes_anything(wait, entry, counter):
            return None
        last_need = self.need(wait, counter, count + 1, order_matters=False)
        if last_need is not None and count + 1 <= COUNTER_MAX[counter]:
            return None  # the usual case: the wait is as weak as it can be
        possible, last_need = self._largest(wait, counter, count, order_matters=False)
        safe, need = self._largest(wait, counter, count, order_matters=True)
        return Relaxation(wait, counter, count, safe, possible, need, last_need)

    def _largest(
        self, wait: int, counter: str, count: int, *, order_matters: bool
    ) -> tuple[int, Need | None]:
        counts = counts_from(count, counter)
        low, high, need = 0, len(counts), None  # counts[low] is safe, counts[high] is not
        while high - low > 1:
            middle = (low + high) // 2
            found = self.need(wait, counter, counts[middle], order_matters=order_matters)
            if found is None:
                low = middle
            else:
                high, need = middle, found
        return counts[low], need

    def _completes_anything(self, wait: int, entry: CodeEntry, counter: str) -> bool:
        mine = _queues_of_counter(counter)
        return any(
            bits & ~kept_bits(count_for(entry, operation[1]), operation[1])
            for operation, bits in self.operations[wait].items()
            if operation[1] in mine
        )

    def need(self, wait: int, counter: str, count: int, *, order_matters: bool) -> Need | None:
        """Why ``wait`` must not have ``count`` for ``counter``; ``None`` if it may."""
        entry = self.code[wait]
        relaxed = with_count(entry, counter, count)
        state = after_wait(self.before[wait], relaxed)
        kept = after_wait(self.before[wait], entry)
        registers = {name: pending for name, pending in state.items() if kept.get(name) != pending}
        ages: Ages = {}
        for operation, bits in self.operations[wait].items():
            left = bits & kept_bits(count_for(relaxed, operation[1]), operation[1])
            left &= ~kept_bits(count_for(entry, operation[1]), operation[1])
            if left:
                ages[operation] = left
        return self._follow(wait, relaxed, registers, ages, order_matters)

    def _follow(
        self, wait: int, relaxed: CodeEntry, registers: State, ages: Ages, order_matters: bool
    ) -> Need | None:
        """Carry what the relaxed wait leaves open forward until it is completed, or used."""
        if not registers and not ages:
            return None
        known: dict[int, tuple[State, Ages]] = {}
        todo = [(target, registers, ages) for target in self.flow.successors[wait]]
        while todo:
            index, state, open_ages = todo.pop()
            if index in known:
                joined = merge(known[index][0], state), join(known[index][1], open_ages)
                if joined == known[index]:
                    continue
                state, open_ages = joined
            known[index] = state, open_ages
            entry = relaxed if index == wait else self.code[index]
            need = self._met(index, entry, state, open_ages, order_matters)
            if need is not None:
                return need
            state = older(state, entry, self.effects[index])
            open_ages = step(open_ages, index, entry, add=False)
            if state or open_ages:
                todo.extend((target, state, open_ages) for target in self.flow.successors[index])
        return None

    def _met(
        self, index: int, entry: CodeEntry, state: State, ages: Ages, order_matters: bool
    ) -> Need | None:
        """Why something may not be open when ``index`` issues."""
        leaves = not self.flow.successors[index] and entry.kind is not Kind.ENDPGM
        if leaves or is_marked(entry.instruction.opcode):
            loads = [*(pending.load for pending in state.values()), *(each[0] for each in ages)]
            return Need(min(loads), index) if loads else None
        if entry.kind is not Kind.WAIT:
            for register, _ in hazardous_uses(state, entry, self.effects[index]):
                if register not in self.before[index]:  # else it is a finding already
                    return Need(state[register].load, index)
        for operation in sorted(ages):
            if self.comes_behind(index, operation):
                return Need(operation[0], index)
        if order_matters:
            for operation in sorted(ages):
                if self.lds_comes_behind(index, operation):
                    return Need(operation[0], index, order=True)
        return None

    def comes_behind(self, index: int, operation: Operation) -> bool:
        """Whether an operation in global memory must be complete before ``index``."""
        entry = self.code[index]
        if entry.kind not in _ORDERS_MEMORY and index not in self.cache and index not in self.atomics:
            return False
        opened = self.code[operation[0]]
        if opened.kind not in VMEM_KINDS or operation[1] is Queue.LDS:
            return False
        if opened.to_lds and entry.kind is Kind.ENDPGM:
            return True  # the next workgroup may have that LDS by then
        if index in self.cache:
            return True
        if opened.kind is not Kind.VMEM_STORE:
            return False
        told = Kind.BARRIER, Kind.VMEM_STORE, Kind.SMEM, Kind.LDS_WRITE
        return entry.kind in told or index in self.atomics

    def lds_comes_behind(self, index: int, operation: Operation) -> bool:
        """Whether an open LDS access may meet a conflicting one from ``index`` on."""
        entry = self.code[index]
        if entry.kind not in _ORDERS_LDS and not entry.to_lds:
            return False
        opened = self.code[operation[0]]
        writes = opened.kind is Kind.LDS_WRITE or opened.to_lds
        if opened.kind not in LDS_KINDS and not opened.to_lds:
            return False
        if entry.kind is Kind.BARRIER:
            return bool(self.behind[index] & ({"read", "write"} if writes else {"write"}))
        if opened.to_lds:  # loads to LDS and LDS accesses of one wave are not ordered
            return entry.kind in LDS_KINDS
        return entry.to_lds


def _queues_of_counter(counter: str) -> frozenset[Queue]:
    return frozenset({Queue.VMEM}) if counter == "vmcnt" else frozenset({Queue.LDS, Queue.SMEM})


def _reachable_accesses(flow: ControlFlow, code: tuple[CodeEntry, ...]) -> dict[int, frozenset[str]]:
    """For each barrier, the kinds of LDS accesses that may follow it."""
    found: dict[int, frozenset[str]] = {}
    for index, entry in enumerate(code):
        if entry.kind is not Kind.BARRIER or index not in flow.reachable:
            continue
        seen: set[int] = set()
        todo = list(flow.successors[index])
        while todo:
            place = todo.pop()
            if place not in seen:
                seen.add(place)
                todo.extend(flow.successors[place])
        kinds = set()
        for place in seen:
            if code[place].kind is Kind.LDS_READ:
                kinds.add("read")
            if code[place].kind is Kind.LDS_WRITE or code[place].to_lds:
                kinds.add("write")
        found[index] = frozenset(kinds)
    return found
