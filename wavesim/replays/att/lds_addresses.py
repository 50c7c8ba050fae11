"""Bank conflicts of a measured trace's LDS accesses, where its listing and the lane numbers determine them.

A thread trace holds no register contents. But LDS addresses mostly follow from the lane (v0) and from
constants of the code. So the executed rows are run several times, by the emulator's semantics, each time
with other values for all that is unknown (kernel arguments, what loads return, matrix results, which wave
of its workgroup a wave is). An access whose bank-array clocks come out the same every time has real
conflicts; the others are left UNKNOWN, which the timing model takes as free of conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.emulate.context import BlockRecord, Context, Lds
from wavesim.emulate.float_mode import COMPILED
from wavesim.emulate.launch_state import register_counts
from wavesim.emulate.memory import Memory
from wavesim.emulate.registry import Binding
from wavesim.emulate.semantics import binder_of
from wavesim.emulate.state import EXEC, Lanes, State
from wavesim.emulate.types import Step
from wavesim.errors import UserError
from wavesim.isa.kinds import LANES, LDS_KINDS
from wavesim.isa.machine import Machine
from wavesim.isa.opcodes import lookup
from wavesim.program import Register
from wavesim.program.dataflow import RegisterName, effects
from wavesim.program.forms import operand_specs
from wavesim.trace import UNKNOWN, Category, CodeEntry, Kind, Trace

Int32 = npt.NDArray[np.int32]

RUNS = 4
"""Executions with other unknowns. A comparison of two unknown scalars comes out the same in all of them
in one case of eight, which matters only where it decides about addresses."""

POOL = 1 << 16
"""Random dwords of a run, dealt out from changing places: drawing new ones each time would take longest."""

COMPUTING = (Category.VALU, Category.SCALAR)
"""What is executed; anything else that writes a needed register leaves something unknown there."""


@dataclass(frozen=True)
class Conflicts:
    """``array_clk``: per wave and row, clocks of the bank array or UNKNOWN (0 where no LDS access is).

    ``accesses`` LDS rows were executed, of ``known`` the conflicts are; ``conflicting`` of them take
    longer than a conflict-free access of their kind and width.
    """

    array_clk: tuple[Int32, ...]
    accesses: int
    known: int
    conflicting: int

    def __str__(self) -> str:
        if not self.accesses:
            return "LDS: no accesses"
        free = "" if self.known == self.accesses else "; the others are taken as free of bank conflicts"
        return (
            f"LDS: bank conflicts of {self.known} of {self.accesses} accesses are real (lane addresses that "
            f"follow from the listing), {self.conflicting} conflict{free}"
        )


def _address_register(entry: CodeEntry) -> RegisterName | None:
    place = 1 if entry.kind is Kind.LDS_READ else 0
    operands = entry.instruction.operands
    if len(operands) > place and isinstance(operands[place], Register):
        register = operands[place]
        assert isinstance(register, Register)
        return register.file, register.index
    return None


class _Listing:
    """The static instructions: which are LDS accesses, which compute what their addresses need."""

    def __init__(self, code: tuple[CodeEntry, ...], arch: str, executed: frozenset[int]) -> None:
        self.code = code
        self.arch = arch
        self.is_lds = [entry.kind in LDS_KINDS for entry in code]
        reads: dict[int, frozenset[RegisterName]] = {}
        writes: dict[int, frozenset[RegisterName]] = {}
        for index in executed:
            try:
                found = effects(code[index].instruction, arch)
            except UserError:
                continue
            reads[index], writes[index] = found.reads, found.writes
        needed: set[RegisterName] = {("exec", 0)}
        for index in executed:
            register = _address_register(code[index]) if self.is_lds[index] else None
            if register is not None:
                needed.add(register)
        grows = True
        while grows:
            before = len(needed)
            for index, written in writes.items():
                computing = code[index].category in COMPUTING and code[index].kind is not Kind.SMEM
                if computing and not written.isdisjoint(needed):
                    needed |= reads[index]
            grows = len(needed) > before
        self.writes = {
            index: tuple(sorted(written & needed))
            for index, written in writes.items()
            if not written.isdisjoint(needed)
        }

    def computes(self, index: int) -> bool:
        """Whether the instruction is executed for the addresses' sake."""
        entry = self.code[index]
        return index in self.writes and entry.category in COMPUTING and entry.kind is not Kind.SMEM


class _Runs:
    """All executions of one stream by the waves that share it, at once: each run has waves of its own.

    The waves of a run follow those of the run before.
    """

    def __init__(self, trace: Trace, machine: Machine, listing: _Listing, members: list[int]) -> None:
        self.waves = len(members)
        self.randoms = [np.random.default_rng(seed) for seed in range(RUNS)]
        self.pools = np.array([random.integers(1, 1 << 32, POOL, np.uint32) for random in self.randoms])
        self.drawn = 0
        waves = RUNS * self.waves
        state = State(waves, *register_counts(trace.program))
        for number in range(EXEC):
            state.sgpr[number] = self._unknown(1)
        state.vgpr[...] = self._unknown(LANES)
        numbers = np.concatenate([self._wave_numbers(trace, members, random) for random in self.randoms])
        state.vgpr[0] = numbers[:, None].astype(np.uint32) * LANES + np.arange(LANES, dtype=np.uint32)
        self.state = state
        self.lanes = Lanes(state, slice(0, waves, 1))
        size = machine.integer("lds.size_bytes")
        lds = Lds(size, RUNS, np.arange(RUNS).repeat(self.waves))
        self.context = Context(trace.program, machine, state, Memory(), lds, np.zeros(16, np.uint32), 0, {})
        self.context.rows = np.zeros(waves, np.int64)
        self.context.clocks_read = np.zeros(waves, np.int64)
        self.context.stored = np.zeros(waves, np.bool_)
        self.listing = listing
        self.steps: dict[int, Step | None] = {}

    def _wave_numbers(
        self, trace: Trace, members: list[int], random: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """Places of the waves in their workgroups: in each run dealt out anew."""
        sizes: dict[int, int] = {}
        for wave in trace.waves:
            sizes[wave.workgroup] = max(sizes.get(wave.workgroup, 0), wave.wave + 1)
        dealt = {group: random.permutation(size) for group, size in sorted(sizes.items())}
        waves = [trace.waves[position] for position in members]
        return np.array([dealt[wave.workgroup][wave.wave] for wave in waves], np.int64)

    def _unknown(self, width: int) -> npt.NDArray[np.uint32]:
        """Numbers that two runs do not share: [waves] for a scalar (width 1), else [waves, width]."""
        count = self.waves * width
        self.drawn = (self.drawn + 67) % (POOL - count)
        numbers = self.pools[:, self.drawn : self.drawn + count]
        return numbers.reshape(-1) if width == 1 else numbers.reshape(-1, width)

    def step(self, index: int) -> Step | None:
        """What executing a static instruction does here; None for nothing."""
        if index not in self.steps:
            self.steps[index] = self._bind(index)
        return self.steps[index]

    def _bind(self, index: int) -> Step | None:
        listing = self.listing
        lds = listing.is_lds[index]
        forget = self._forget(listing.writes.get(index, ()))
        if not lds and not listing.computes(index):
            return forget
        entry = listing.code[index]
        instruction = entry.instruction
        binder = binder_of(instruction.opcode)
        step = None
        if binder is not None:
            try:
                info = lookup(instruction.opcode, listing.arch, instruction.span)
                specs = operand_specs(info, instruction)
                step = binder(Binding(instruction, info, specs, self.lanes, self.context, 0, COMPILED, index))
            except UserError:
                step = None
        if not lds:
            return step or forget
        return self._lds_step(step, forget)

    def _lds_step(self, step: Step | None, forget: Step | None) -> Step:
        record = self.context.record.lds_clk
        unknown = np.full(self.lanes.count, UNKNOWN, np.int32)

        def run() -> None:
            before = len(record)
            if step is not None:
                step()
            if len(record) == before:
                record.append(unknown)
            if forget is not None:
                forget()

        return run

    def _forget(self, registers: Iterable[RegisterName]) -> Step | None:
        """Other values than in any other run for what an instruction writes that is not executed."""
        rows: list[npt.NDArray[np.uint32]] = []
        for file, number in registers:
            if file == "v":
                rows.append(self.state.vgpr[number])
            elif file == "a":
                rows.append(self.state.vgpr[self.state.agpr_base + number])
            elif file == "s":
                rows.append(self.state.sgpr[number])
        if not rows:
            return None

        def run() -> None:
            for row in rows:
                row[...] = self._unknown(1 if row.ndim == 1 else LANES)

        return run

    def execute(self, code: Int32) -> Int32:
        """Bank-array clocks [LDS rows, runs, waves] of the stream."""
        self.context.record = BlockRecord()
        self.steps.clear()
        with np.errstate(all="ignore"):
            for index in code.tolist():
                step = self.steps[index] if index in self.steps else self.step(index)
                if step is not None:
                    step()
        clk = self.context.record.lds_clk
        return np.array(clk, np.int32).reshape(len(clk), RUNS, self.waves)


def find_conflicts(trace: Trace, machine: Machine) -> Conflicts:
    """Bank-array clocks of the trace's LDS accesses, as far as they can be known.

    Args:
        trace: of one compute unit, its code from the listing.
        machine: lane phases and banks.
    """
    executed = frozenset(int(index) for wave in trace.waves for index in np.unique(wave.code))
    listing = _Listing(trace.code, trace.arch, executed)
    lds = np.array(listing.is_lds, np.bool_)
    result = [np.where(lds[wave.code], np.int32(UNKNOWN), np.int32(0)) for wave in trace.waves]
    groups: dict[bytes, list[int]] = {}
    for position, wave in enumerate(trace.waves):
        groups.setdefault(wave.code.tobytes(), []).append(position)
    for members in groups.values():
        code = trace.waves[members[0]].code
        clk = _Runs(trace, machine, listing, members).execute(code)
        first = clk[:, 0]
        same = (clk == clk[:, :1]).all(axis=1) & (first > 0)
        rows = np.flatnonzero(lds[code])
        for column, position in enumerate(members):
            result[position][rows] = np.where(same[:, column], first[:, column], UNKNOWN)
    return _counted(trace, machine, tuple(result), lds)


def _counted(
    trace: Trace, machine: Machine, result: tuple[Int32, ...], lds: npt.NDArray[np.bool_]
) -> Conflicts:
    accesses = known = conflicting = 0
    table = machine.parameters.lds_array_clk
    free = np.zeros(len(trace.code), np.int64)
    for index, entry in enumerate(trace.code):
        if lds[index]:
            kind = "read" if entry.kind is Kind.LDS_READ else "write"
            by_width = {width: clk for (which, width), clk in table.items() if which == kind}
            free[index] = machine.parameters.write_clk(by_width, max(4, entry.width_bytes))
    for wave, clk in zip(trace.waves, result, strict=True):
        here = lds[wave.code]
        accesses += int(here.sum())
        known += int((clk[here] > 0).sum())
        conflicting += int((clk[here] > free[wave.code][here]).sum())
    return Conflicts(result, accesses, known, conflicting)


def with_conflicts(trace: Trace, conflicts: Conflicts) -> Trace:
    """The trace with those array clocks."""
    waves = tuple(
        replace(wave, array_clk=clk) for wave, clk in zip(trace.waves, conflicts.array_clk, strict=True)
    )
    return replace(trace, waves=waves)
