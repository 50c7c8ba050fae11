"""Puts the wait states in that the ISA manual asks of software: s_nop between producer and consumer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from wavesim.front.tile.emitter import Item, Label, Raw
from wavesim.isa.hazards import MfmaWaits, hazard_rows, mfma_waits
from wavesim.program import Immediate, Instruction, Operand, Symbol
from wavesim.program.dataflow import Effects, effects, registers_of

RegisterName = tuple[str, int]

_LONGEST_NOP = 8
_FORGET = 24
"""Wait states after which no row of any table asks for more (gfx950, 16 passes: 20)."""

_MEMORY = ("global_", "ds_", "buffer_", "flat_")


@dataclass(frozen=True, slots=True)
class _Written:
    """Who wrote a register (or, for ``war``, reads it as SrcC) and in which slot."""

    slot: int
    opcode: str = ""
    target: Operand | None = None


@dataclass
class _State:
    """What was written lately, by register. Slots count wait states from the entry; they may be negative."""

    valu: dict[RegisterName, _Written] = field(default_factory=dict)
    mfma: dict[RegisterName, _Written] = field(default_factory=dict)
    srcc: dict[RegisterName, _Written] = field(default_factory=dict)

    def tables(self) -> tuple[dict[RegisterName, _Written], ...]:
        """The three tables."""
        return self.valu, self.mfma, self.srcc

    def seen_from(self, now: int) -> _State:
        """A copy whose slots are relative to ``now``; what is long past is left out."""
        copied = _State()
        for target, table in zip(copied.tables(), self.tables(), strict=True):
            for register, written in table.items():
                if now - written.slot < _FORGET:
                    target[register] = _Written(written.slot - now, written.opcode, written.target)
        return copied

    def join(self, other: _State, now: int) -> None:
        """Takes over what a branch brings here (slots relative to ``now``): the later write counts."""
        for target, table in zip(self.tables(), other.tables(), strict=True):
            for register, written in table.items():
                known = target.get(register)
                if known is None or known.slot < written.slot + now:
                    target[register] = _Written(written.slot + now, written.opcode, written.target)


@cache
def _row_waits(arch: str) -> dict[tuple[str, str], int]:
    """(consumer, through) -> wait states after a VALU instruction."""
    return {
        (row.consumer, row.through): row.wait_states for row in hazard_rows(arch) if row.producer == "valu"
    }


def _class(opcode: str) -> str:
    if opcode.startswith(("v_mfma", "v_smfmac")):
        return "mfma"
    if opcode.startswith(("v_readfirstlane", "v_readlane")):
        return "readlane"
    if opcode.startswith("v_"):
        return "valu"
    return "memory" if opcode.startswith(_MEMORY) else "other"


def _need_after_valu(rows: dict[tuple[str, str], int], kind: str, file: str) -> int:
    if file == "s":
        after = {"memory": ("vmem", "sgpr"), "valu": ("vector", "constant")}
        return rows.get(after[kind], 0) if kind in after else 0
    return rows.get((kind, "vgpr"), 0) if file in ("v", "a") else 0


def _need_after_mfma(waits: MfmaWaits, instruction: Instruction, kind: str, before: _Written) -> int:
    """Wait states for a use of an MFMA's result; an accumulation in place needs only its own."""
    if kind == "mfma":
        operands = instruction.operands
        in_place = str(operands[0]) == str(operands[3]) == str(before.target)
        return waits.srcc_same if in_place else max(waits.srcab, waits.srcc_overlap)
    return waits.memory if kind == "memory" else waits.valu


def _only_accumulates(instruction: Instruction, register: RegisterName) -> bool:
    return not any(register in registers_of(operand) for operand in instruction.operands[1:3])


class _Pass:
    """One walk over the code."""

    def __init__(self, arch: str, arriving: dict[str, list[_State]]) -> None:
        self.arch = arch
        self.rows = _row_waits(arch)
        self.mfma_rows = mfma_waits(arch)
        self.arriving = arriving
        self.leaving: dict[str, list[_State]] = {}
        self.state = _State()
        self.now = 0
        self.done: list[Item] = []

    def walk(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, Label):
                for state in self.arriving.get(item.name, ()):
                    self.state.join(state, self.now)
                self.done.append(item)
            else:
                self.instruction(item)

    def instruction(self, item: Instruction | Raw) -> None:
        instruction = item.instruction if isinstance(item, Raw) else item
        kind = _class(instruction.opcode)
        if kind == "other":
            self.now += _slots(instruction)
            for operand in instruction.operands:
                if isinstance(operand, Symbol):
                    self.leaving.setdefault(operand.name, []).append(self.state.seen_from(self.now))
            self.done.append(item)
            return
        used = effects(instruction, self.arch)
        ready = self.ready(instruction, kind, used)
        if not isinstance(item, Raw):
            while self.now < ready:
                count = min(ready - self.now, _LONGEST_NOP)
                self.done.append(Instruction("s_nop", (Immediate(count - 1),), span=instruction.span))
                self.now += count
        self.note(instruction, kind, used)
        self.now += 1
        self.done.append(item)

    def ready(self, instruction: Instruction, kind: str, used: Effects) -> int:
        """The first slot in which ``instruction`` may stand."""
        ready = self.now
        valu, mfma, srcc = self.state.tables()
        if valu:
            for register in used.reads:
                written = valu.get(register)
                if written is not None:
                    ready = max(ready, written.slot + 1 + _need_after_valu(self.rows, kind, register[0]))
        for register in used.reads | used.writes:
            written = mfma.get(register)
            if written is None:
                continue
            waits = self.mfma_rows[written.opcode]
            if kind == "mfma" and not _only_accumulates(instruction, register):
                need = waits.srcab
            else:
                need = _need_after_mfma(waits, instruction, kind, written)
            ready = max(ready, written.slot + 1 + need)
        if kind in ("valu", "readlane"):
            for register in used.writes:
                written = srcc.get(register)
                if written is not None:
                    ready = max(ready, written.slot + 1 + self.mfma_rows[written.opcode].war_srcc)
        return ready

    def note(self, instruction: Instruction, kind: str, used: Effects) -> None:
        """Remembers what ``instruction`` writes."""
        valu, mfma, srcc = self.state.tables()
        for register in used.writes:
            valu.pop(register, None)
            mfma.pop(register, None)
            if kind in ("valu", "readlane"):
                valu[register] = _Written(self.now)
            elif kind == "mfma":
                mfma[register] = _Written(self.now, instruction.opcode, instruction.operands[0])
        if kind == "mfma":
            for register in registers_of(instruction.operands[3]):
                srcc[register] = _Written(self.now, instruction.opcode)


def _slots(instruction: Instruction) -> int:
    """Wait states that an instruction outside the vector pipes stands for: ``s_nop k`` is k + 1."""
    first = instruction.operands[0] if instruction.operands else None
    if instruction.opcode == "s_nop" and isinstance(first, Immediate):
        return int(first.value) + 1
    return 1


def with_wait_states(items: list[Item], arch: str) -> list[Item]:
    """``items`` (real registers) with the ``s_nop`` that are needed on every path, loops included.

    Instructions of ``raw`` statements count, but get no wait states added before them.
    """
    first = _Pass(arch, {})
    first.walk(items)
    if not first.leaving:
        return first.done
    # added s_nop only lengthen distances, so what the first walk saw at the branches is the worst case
    second = _Pass(arch, first.leaving)
    second.walk(items)
    return second.done
