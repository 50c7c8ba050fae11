"""Which operations of a loop's pass must stay in order, and why.

Registers of every file count, with EXEC, VCC, SCC and M0, as :func:`wavesim.program.dataflow.effects`
has them: a partial write reads what it keeps. Memory counts by real addresses where the kernel was
executed, and conservatively elsewhere. Barriers keep the accesses on their sides. Operations that only
touch registers may pass barriers and accesses. What loads return is no order here:
:mod:`wavesim.tuning.waits` waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

from wavesim.emulate.run import Execution
from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.isa.opcodes import lookup
from wavesim.isa.unknown import is_marked
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Kind
from wavesim.tuning.loop import PLACED_ANEW, Loop

Bool = npt.NDArray[np.bool_]

REGISTER, LDS, MEMORY, BARRIER, FENCE, PRIORITY = (
    "register",
    "LDS",
    "memory",
    "barrier",
    "fence",
    "priority",
)
"""Why two operations stay in order."""

_LDS = frozenset({Kind.LDS_READ, Kind.LDS_WRITE})
_VMEM = frozenset({Kind.VMEM_LOAD, Kind.VMEM_STORE})
_FREE = frozenset({Kind.VALU, Kind.TRANS, Kind.MFMA, Kind.SALU, Kind.SETPRIO, *_LDS, *_VMEM})
"""What may be moved at all; scalar loads may, too, where nothing is stored."""

_STATE = (
    "s_setreg",
    "s_getreg",
    "s_memtime",
    "s_memrealtime",
    "s_sendmsg",
    "s_sethalt",
    "s_trap",
    "s_set_gpr",
)
"""Beginnings of opcodes that change or read state that no register stands for."""


@dataclass(frozen=True)
class Addresses:
    """What executed operations touch, by static instruction: bytes of LDS of each wave, and the regions of
    global memory. ``stored`` are the regions that any instruction of the kernel stores to."""

    lds: dict[tuple[int, int], Bool] = field(default_factory=dict)
    regions: dict[int, frozenset[str]] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, execution: Execution, loop: Loop) -> Addresses:
        """From an execution with its accesses observed."""
        trace = execution.trace
        size = max(1, trace.program.metadata.lds_bytes, 1 << 16)
        inside = loop.members
        lds: dict[tuple[int, int], Bool] = {}
        for access in execution.lds_accesses:
            if access.index in inside:
                touched = lds.setdefault((access.index, access.wave), np.zeros(size, bool))
                _mark(touched, access.addresses, access.width_bytes)
        regions: dict[int, set[str]] = {}
        stored: set[str] = set()
        for reached in execution.global_accesses:
            if reached.index in inside:
                regions.setdefault(reached.index, set()).add(reached.region)
            if reached.write:
                stored.add(reached.region)
        known = {index: frozenset(names) for index, names in regions.items()}
        return cls(lds, known, frozenset(stored))

    def same_lds(self, first: int, second: int, waves: int) -> bool:
        """Whether a wave may touch the same bytes of LDS by both."""
        for wave in range(waves):
            one, other = self.lds.get((first, wave)), self.lds.get((second, wave))
            if one is None or other is None:
                return True
            if bool((one & other).any()):
                return True
        return False

    def touched(self, index: int) -> Bool | None:
        """The bytes of LDS that any wave touches by an instruction; ``None``: not known."""
        return self._of_any_wave.get(index)

    @cached_property
    def _of_any_wave(self) -> dict[int, Bool]:
        found: dict[int, Bool] = {}
        for (index, _), bytes_ in self.lds.items():
            found[index] = found[index] | bytes_ if index in found else bytes_
        return found

    def meet(self, first: int, second: int) -> bool:
        """Whether two accesses to LDS, of whichever waves, may touch a byte in common."""
        one, other = self.touched(first), self.touched(second)
        return one is None or other is None or bool((one & other).any())

    def parts(self, loop: Loop, code: Sequence[CodeEntry]) -> list[frozenset[int]]:
        """The loop's accesses to LDS such that those of two parts touch no byte in common, whichever waves
        make them; one part where not all are known."""
        parts: list[tuple[frozenset[int], Bool]] = []
        every = sorted(n for n in loop.operations if code[n].kind in _LDS or code[n].to_lds)
        for index in every:
            bytes_ = self.touched(index)
            if bytes_ is None:
                return [frozenset(every)]
            with_it = [each for each in parts if bool((each[1] & bytes_).any())]
            parts = [each for each in parts if not any(each is other for other in with_it)]
            one = frozenset((index,))
            for members, others in with_it:
                one, bytes_ = one | members, bytes_ | others
            parts.append((one, bytes_))
        return sorted((members for members, _ in parts), key=min)

    def renumbered(self, indices: Mapping[int, int]) -> Addresses:
        """The same for a program in which instruction ``new`` is what ``indices[new]`` was."""
        lds = {
            (new, wave): touched
            for new, old in indices.items()
            for (index, wave), touched in self.lds.items()
            if index == old
        }
        regions = {new: self.regions[old] for new, old in indices.items() if old in self.regions}
        return Addresses(lds, regions, self.stored)

    def only_read(self, index: int) -> bool:
        """Whether nobody stores to what ``index`` loads."""
        regions = self.regions.get(index)
        return regions is not None and not regions & self.stored


def _mark(touched: Bool, addresses: npt.NDArray[np.int64], width_bytes: int) -> None:
    for byte in range(width_bytes):
        places = addresses + byte
        touched[places[(places >= 0) & (places < len(touched))]] = True


@dataclass(frozen=True)
class Order:
    """The partial order of a loop's units, which are numbered from 0 as they stand.

    ``before[k]``: units that come before k; ``after[k]``: those behind it. ``why`` says of a pair what
    keeps it in order.
    """

    before: tuple[frozenset[int], ...]
    after: tuple[frozenset[int], ...]
    why: dict[tuple[int, int], str]

    def __len__(self) -> int:
        return len(self.before)

    def broken(self, order: Sequence[int]) -> tuple[int, int, str] | None:
        """A pair that ``order`` turns round, with its reason; ``None`` if there is none."""
        place = {operation: position for position, operation in enumerate(order)}
        for (first, second), reason in self.why.items():
            if place[first] > place[second]:
                return first, second, reason
        return None

    def with_phases(self, barriers: Sequence[int], phase: Mapping[int, int]) -> Order:
        """The same but for units that come behind as many of the barriers as ``phase`` says."""
        why = {
            pair: reason
            for pair, reason in self.why.items()
            if reason != BARRIER or phase.keys().isdisjoint(pair)
        }
        for unit, count in phase.items():
            for number, barrier in enumerate(barriers):
                why[(barrier, unit) if number < count else (unit, barrier)] = BARRIER
        return made_order(len(self), why)

    def nearest(self, wish: Sequence[int]) -> list[int] | None:
        """The units as near to the order ``wish`` as this order allows: of those that are ready the one that
        is wished for first. ``None`` where no order is possible."""
        place = {each: at for at, each in enumerate(wish)}
        left = [len(each) for each in self.before]
        ready = [place[number] for number, count in enumerate(left) if not count]
        heapify(ready)
        result = []
        while ready:
            number = wish[heappop(ready)]
            result.append(number)
            for later in self.after[number]:
                left[later] -= 1
                if not left[later]:
                    heappush(ready, place[later])
        return result if len(result) == len(left) else None


def order_of(
    loop: Loop,
    code: Sequence[CodeEntry],
    effects: Sequence[Effects],
    arch: str,
    addresses: Addresses | None = None,
    waves: int = 0,
) -> Order:
    """The order that a schedule of ``loop`` must keep."""
    units = [_unit(loop, number, code, effects) for number in range(len(loop.operations))]
    memory = _Memory(code, arch, addresses, waves)
    why: dict[tuple[int, int], str] = {}
    for level in _levels(loop):
        for first, second, reason in _register_pairs(level, units):
            why.setdefault((first, second), reason)
        for second in level:
            for first in range(level.start, second):
                reason = _unit_reason(loop, units, memory, first, second)
                if reason:
                    why.setdefault((first, second), reason)
    for border, end in loop.ends.items():
        if end.last:
            why |= {(unit, border): FENCE for unit in range(border)}
            why |= {(border, unit): FENCE for unit in range(border + 1, len(units))}
    return made_order(len(units), why)


def made_order(count: int, why: dict[tuple[int, int], str]) -> Order:
    """The order of so many units that keeps these pairs."""
    before: list[set[int]] = [set() for _ in range(count)]
    after: list[set[int]] = [set() for _ in range(count)]
    for first, second in why:
        before[second].add(first)
        after[first].add(second)
    return Order(tuple(map(frozenset, before)), tuple(map(frozenset, after)), why)


def _levels(loop: Loop) -> Iterator[range]:
    """The units of each level, without the end of its last block."""
    begin = 0
    for border in [*(unit for unit, end in loop.ends.items() if end.last), len(loop.operations)]:
        yield range(begin, border)
        begin = border + 1


@dataclass(frozen=True)
class _Unit:
    """What an operation does, or all that the end of a block is passed with."""

    indices: tuple[int, ...]
    reads: frozenset[tuple[str, int]]
    writes: frozenset[tuple[str, int]]


def _unit(loop: Loop, number: int, code: Sequence[CodeEntry], effects: Sequence[Effects]) -> _Unit:
    end = loop.ends.get(number)
    if end is None:
        index = loop.operations[number]
        return _Unit((index,), effects[index].reads, effects[index].writes)
    passed = [index for index in end.passed if code[index].kind not in PLACED_ANEW]
    writes = frozenset(name for index in passed for name in effects[index].writes)
    reads = frozenset(name for index in passed for name in effects[index].reads)
    return _Unit(tuple(passed), reads | writes, writes)  # it may write: what was there may stay


def _unit_reason(loop: Loop, units: Sequence[_Unit], memory: _Memory, first: int, second: int) -> str:
    if first in loop.ends and second in loop.ends:
        return FENCE
    if first in loop.fixed and second in loop.fixed:
        return FENCE
    for one in units[first].indices:
        for other in units[second].indices:
            reason = memory.reason(one, other)
            if reason:
                return reason
    return ""


def _register_pairs(level: range, units: Sequence[_Unit]) -> Iterator[tuple[int, int, str]]:
    written: dict[tuple[str, int], int] = {}
    read: dict[tuple[str, int], list[int]] = {}
    for place in level:
        used = units[place]
        for register in used.reads:
            if register in written:
                yield written[register], place, REGISTER
        for register in used.writes:
            if register in written and written[register] != place:
                yield written[register], place, REGISTER
            for reader in read.get(register, ()):
                if reader != place:
                    yield reader, place, REGISTER
        for register in used.writes:
            written[register] = place
            read[register] = []
        for register in used.reads:
            read.setdefault(register, []).append(place)


def _role(entry: CodeEntry, arch: str) -> str:
    """How an operation stands to memory and to others: a fence is passed by nothing."""
    opcode = entry.instruction.opcode
    if is_marked(opcode) or opcode.startswith(_STATE):
        return "fence"
    flags = lookup(opcode, arch, entry.instruction.span).flags
    if "cache" in flags or opcode.startswith(("s_dcache", "buffer_wbinv", "buffer_inv", "buffer_wbl2")):
        return "fence"
    if not flags.isdisjoint(("atomic", "atomic_lds")):
        return "fence"
    if entry.kind is Kind.BARRIER:
        return "barrier"
    if entry.kind in _VMEM and entry.lgkm_increment and not entry.to_lds:
        return "fence"  # flat: LDS or memory
    if entry.to_lds:
        return "to_lds"
    return {
        Kind.LDS_READ: "lds_read",
        Kind.LDS_WRITE: "lds_write",
        Kind.VMEM_LOAD: "load",
        Kind.VMEM_STORE: "store",
        Kind.SMEM: "smem",
        Kind.SETPRIO: "priority",
    }.get(entry.kind, "free" if entry.kind in _FREE else "fence")


class _Memory:
    """Says why two instructions stay in order for what they are."""

    def __init__(self, code: Sequence[CodeEntry], arch: str, addresses: Addresses | None, waves: int) -> None:
        self._code, self._arch, self._addresses, self._waves = code, arch, addresses, waves
        self._roles: dict[int, str] = {}

    def _role_of(self, index: int) -> str:
        if index not in self._roles:
            branch = self._code[index].kind in BRANCH_KINDS
            self._roles[index] = "free" if branch else _role(self._code[index], self._arch)
        return self._roles[index]

    def _only_read(self, index: int) -> bool:
        return self._addresses is not None and self._addresses.only_read(index)

    def reason(self, first: int, second: int) -> str:
        """Nothing where they need not."""
        one, other = self._role_of(first), self._role_of(second)
        if "fence" in (one, other):
            return FENCE
        if "free" in (one, other):
            return ""
        if "priority" in (one, other):
            return PRIORITY if one == other else ""
        if "barrier" in (one, other):
            moves = {one, other} & {"load", "smem"} and self._only_read(second if one == "barrier" else first)
            return "" if moves else BARRIER
        if {one, other} <= {"lds_read", "lds_write", "to_lds"}:
            return self._lds(one, other, first, second)
        if {one, other} <= {"load", "smem"}:
            return ""
        if one == other == "to_lds":
            return LDS
        if {one, other} <= {"load", "smem", "store", "to_lds"} and {one, other} & {"store"}:
            loads = [n for n, role in ((first, one), (second, other)) if role != "store"]
            return "" if loads and self._only_read(loads[0]) else MEMORY
        return ""

    def _lds(self, one: str, other: str, first: int, second: int) -> str:
        if one == other == "lds_read":
            return ""
        if "to_lds" in (one, other):
            return LDS
        known = self._addresses is not None and not self._addresses.same_lds(first, second, self._waves)
        return "" if known else LDS
