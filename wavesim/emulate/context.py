"""What an execution shares besides registers: memories, findings, and what a block records as it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from wavesim.emulate.float_mode import COMPILED, FloatMode
from wavesim.emulate.memory import Memory, OutOfBounds, Region
from wavesim.emulate.observe import Acquire, GlobalAccess, LdsAccess
from wavesim.emulate.state import Lanes, State
from wavesim.emulate.types import Array, Step
from wavesim.isa.machine import LanePhases, Machine
from wavesim.program import Finding, Instruction, Program, Severity
from wavesim.trace.code import CodeEntry

if TYPE_CHECKING:
    from wavesim.emulate.assumed_ways import AssumedWays
    from wavesim.emulate.slice import Slice

SCRATCH_RULE = "scratch-out-of-bounds"
FIXES = {
    "lds-out-of-bounds": "keep every address inside the allocation, or allocate more LDS",
    "global-out-of-bounds": "mask the lanes beyond the end, or correct the address or the argument's size",
    "global-uninitialised": "store there first, or launch with data in the argument (zero, random)",
    SCRATCH_RULE: "ask for a larger private segment, or correct the offset",
}
"""How to fix what :meth:`Context.find` reports, by rule."""

LDS_GUARD_BYTES = 64
"""Bytes between the LDS arrays of two workgroups, so that wide reads of the last one stay inside."""


class Lds:
    """LDS of all workgroups as one array; a wave's bytes begin at ``base[wave]``."""

    def __init__(self, size_bytes: int, workgroups: int, workgroup_of: npt.NDArray[np.int64]) -> None:
        self.size = size_bytes
        self.stride = -(-(size_bytes + LDS_GUARD_BYTES) // 16) * 16
        self.words = np.full(self.stride * workgroups // 4, 0xFFFFFFFF, np.uint32)
        self.base = workgroup_of * self.stride
        self.version = 0
        self.writer: npt.NDArray[np.int32] | None = None


@dataclass
class BlockRecord:
    """What the memory instructions of one block execution leave for the Trace, in their order.

    ``lds_clk``: clocks [n] per LDS instruction; ``memory_bytes``: [n] per global-memory instruction;
    ``lines``: per global-memory instruction (counts [n], line numbers).
    """

    lds_clk: list[npt.NDArray[np.int32]] = field(default_factory=list)
    memory_bytes: list[npt.NDArray[np.int32]] = field(default_factory=list)
    lines: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = field(default_factory=list)


@dataclass(frozen=True)
class HeldStore:
    """A store that has not arrived in memory: bytes ``first``..``last`` of an allocation, and what puts them
    there."""

    region: str
    first: int
    last: int
    arrive: Callable[[], None]


class Bound(Protocol):
    """What a context asks of a bound instruction: which it is, where it stands, and its waves."""

    @property
    def instruction(self) -> Instruction: ...

    @property
    def index(self) -> int: ...

    @property
    def row(self) -> int: ...

    @property
    def lanes(self) -> Lanes: ...


class HoldsBack(Protocol):
    """An adversary: it lets results of loads and stores arrive late (:mod:`wavesim.emulate.adversary`)."""

    def wrap(self, entry: CodeEntry, lanes: Lanes, context: Context, step: Step) -> Step: ...

    def settle(
        self, waves: npt.NDArray[np.int64], parts: list[tuple[Region, Array, npt.NDArray[np.bool_]]]
    ) -> None: ...

    def arrive(self, wave: int) -> bool: ...


@dataclass
class Context:
    """Shared by all batches of one execution.

    Attributes:
        rows: rows executed by each wave up to the block that runs, [waves].
        record: of the block that runs.
        scratch: private memory, dwords of all lanes of all waves; ``scratch_stride`` bytes each.
        events: (wave, row) of each store so far, if ``track_writers``; memories hold their numbers, from 1.
        only_read: matrices of which no more reads are kept in ``global_accesses``, which at ``most_kept`` are
            looked through for what is needed.
        flag_loads: static instructions that read what waves tell each other by (see polls).
        chains: for stores of atomics, the stores whose values they changed.
        adversary: holds back the results of loads, and stores, if they are to arrive late.
        held: under an adversary, stores to global memory of the instruction that runs, yet to arrive.
        symbols: addresses of functions and constants.
        skipped: static instructions that are not executed (see unknowable); ``ways``: branches that are
            taken by assumption, and which way each goes (see assumed_ways).
        slice: what is executed, if that is less than everything.
        first_mode: MODE at the start of every wave; ``writes_mode`` whether the program may change it.
        polled: per load of the running pass its waves and the stores [n, lanes] whose values it read.
    """

    program: Program
    machine: Machine
    state: State
    memory: Memory
    lds: Lds
    scratch: npt.NDArray[np.uint32]
    scratch_stride: int
    clock_values: dict[int, list[int]]
    track_writers: bool = False
    observe_lds: bool = False
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    record: BlockRecord = field(default_factory=BlockRecord)
    findings: dict[tuple[str, int], Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    events: list[tuple[int, int]] = field(default_factory=list)
    flag_loads: frozenset[int] = frozenset()
    chains: dict[int, tuple[int, ...]] = field(default_factory=dict)
    polled: list[tuple[npt.NDArray[np.int64], Array]] = field(default_factory=list)
    lds_accesses: list[LdsAccess] = field(default_factory=list)
    global_accesses: list[GlobalAccess] = field(default_factory=list)
    only_read: set[str] = field(default_factory=set)
    most_kept: int = 0
    acquires: list[Acquire] = field(default_factory=list)
    clocks_read: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    stored: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    store_version: int = 0
    adversary: HoldsBack | None = None
    symbols: Mapping[str, int] = field(default_factory=dict)
    held: list[HeldStore] = field(default_factory=list)
    skipped: frozenset[int] = frozenset()
    slice: Slice | None = None
    ways: AssumedWays | None = None
    first_mode: FloatMode = COMPILED
    writes_mode: bool = False

    @property
    def arch(self) -> str:
        """The architecture that is executed."""
        return self.program.arch

    def phases(self, kind: str, width_bytes: int) -> LanePhases | None:
        """Lane phases of an LDS access, or None where the machine file has none."""
        width = max(4, -(-width_bytes // 4) * 4)
        return self.machine.lds_phases.get((kind, width))

    def find(
        self, rule: str, binding: Bound, message: str, waves: Array, severity: Severity = Severity.ERROR
    ) -> None:
        """Add a finding, once per rule and static instruction, with all waves that meet it."""
        key = (rule, binding.index)
        known = self.findings.get(key)
        numbers = {int(wave) for wave in waves}
        if known is None:
            span = binding.instruction.span
            spans = (span,) if span is not None else ()
            self.findings[key] = Finding(
                rule, severity, message, spans, tuple(sorted(numbers)), FIXES.get(rule, "")
            )
        elif not numbers <= set(known.waves):
            self.findings[key] = replace(known, waves=tuple(sorted(numbers | set(known.waves))))

    def find_out_of_bounds(self, binding: Bound, what: str, beyond: OutOfBounds) -> None:
        """The finding of a global access outside every allocation."""
        self.find(
            "global-out-of-bounds",
            binding,
            f"{binding.instruction.opcode} {what} outside every allocation: {beyond.lanes} lanes, "
            f"first at {beyond.near}",
            binding.lanes.numbers[beyond.waves],
        )

    def note_sources(self, binding: Bound, sources: Array) -> None:
        """A load of a batch read values of the stores ``sources`` [n, lanes] (0: of none)."""
        numbers = binding.lanes.numbers
        self.polled.append((numbers, sources))
        if not self.observe_lds or binding.index not in self.flag_loads:
            return
        for place, wave in enumerate(numbers.tolist()):
            made_of = self.made_of(set(np.unique(sources[place]).tolist()))
            stores = tuple(self.events[number - 1] for number in sorted(made_of))
            self.acquires.append(Acquire(wave, int(self.rows[wave]) + binding.row, stores))

    def chain(self, numbers: npt.NDArray[np.int32], before: npt.NDArray[np.int32]) -> None:
        """The atomics ``numbers`` of one batch changed what the stores ``before`` had put there."""
        known = {*np.unique(before).tolist(), *numbers.flatten().tolist()} - {0}
        for number in numbers.flatten().tolist():
            self.chains[number] = tuple(known - {number})

    def made_of(self, numbers: set[int]) -> set[int]:
        """Stores, and those of which their values were made."""
        found: set[int] = set()
        todo = [number for number in numbers if number]
        while todo:
            number = todo.pop()
            if number not in found:
                found.add(number)
                todo.extend(self.chains.get(number, ()))
        return found

    def note_store(self, lanes: Lanes, row: int) -> npt.NDArray[np.int32]:
        """Count a store of a batch; its numbers [n, 1], one per wave (zeros where stores are not tracked)."""
        self.store_version += 1
        self.stored[lanes.waves] = True
        if not self.track_writers:
            return np.zeros((lanes.count, 1), np.int32)
        first = len(self.events) + 1
        rows = (self.rows[lanes.waves] + row).tolist()
        self.events.extend(zip(lanes.numbers.tolist(), rows, strict=True))
        return np.arange(first, first + lanes.count, dtype=np.int32)[:, None]
