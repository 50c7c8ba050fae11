"""Conditions of branches, and what is known of scalar registers on a path that has passed some.

Two compares of registers that did not change in between cannot disagree. A path's *facts* are, for each
register that was compared with constants, the values that it may still have; for two registers that were
compared, how they may still be ordered; and for any other test, its outcome. A fact ends where one of its
registers is written. Nothing is computed with: a register that changes is unknown again, but for a move of
a constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wavesim.program import Immediate, Instruction, Operand
from wavesim.program.dataflow import Effects, RegisterName, registers_of

LESS, EQUAL, GREATER = 1, 2, 4
ANY_ORDER = LESS | EQUAL | GREATER
_ORDERS = {
    **{"eq": EQUAL, "lg": LESS | GREATER, "gt": GREATER},
    **{"ge": GREATER | EQUAL, "lt": LESS, "le": LESS | EQUAL},
}
_SWAPPED = {0: 0, LESS: GREATER, GREATER: LESS}
SCC, VCC, EXEC = ("scc", 0), ("vcc", 0), ("exec", 0)
MOST_EXCLUDED = 4
"""Values that a register is known not to have are kept up to this number."""

_S32, _U32 = (-(2**31), 2**31 - 1), (0, 2**32 - 1)


@dataclass(frozen=True, slots=True)
class Atom:
    """What a fact is about: ``key`` names it, ``inputs`` are the registers whose change ends it."""

    key: tuple[str, ...]
    inputs: frozenset[RegisterName]


@dataclass(frozen=True, slots=True)
class Condition:
    """A test: of an atom as such (``orders`` is 0), or that its register is ordered to ``constant`` (or to a
    second register, ``constant`` is ``None``) by one of ``orders``. ``negated`` turns it round."""

    atom: Atom
    orders: int = 0
    signed: bool = True
    constant: int | None = None
    negated: bool = False

    def turned(self, turn: bool) -> Condition:
        """The condition, negated if ``turn``."""
        if not turn:
            return self
        return Condition(self.atom, self.orders, self.signed, self.constant, not self.negated)


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a 32-bit register may have: as a signed and as an unsigned number, and those that it
    has not (unsigned)."""

    signed: tuple[int, int] = _S32
    unsigned: tuple[int, int] = _U32
    excluded: frozenset[int] = frozenset()

    def allows(self, number: int) -> bool:
        """Whether the unsigned number is one of them."""
        value = number - 2**32 if number >= 2**31 else number
        inside = self.signed[0] <= value <= self.signed[1]
        return inside and self.unsigned[0] <= number <= self.unsigned[1] and number not in self.excluded

    @property
    def empty(self) -> bool:
        """Whether there is no such value, as far as ranges and single values tell."""
        for low, high, modulus in ((*self.signed, 2**32), (*self.unsigned, 2**32)):
            if low > high or (
                high - low < 2 * MOST_EXCLUDED
                and not any(self.allows(each % modulus) for each in range(low, high + 1))
            ):
                return True
        return False

    def ordered(self, orders: int, signed: bool, constant: int) -> Values:
        """Those of them that are ordered to a constant by one of ``orders``."""
        number = constant % 2**32
        bound = number - 2**32 if signed and number >= 2**31 else number
        if orders == LESS | GREATER:
            if len(self.excluded) >= MOST_EXCLUDED:
                return self
            return Values(self.signed, self.unsigned, self.excluded | {number})
        low = bound if orders & EQUAL and not orders & LESS else bound + 1 if not orders & LESS else None
        high = bound if orders & EQUAL and not orders & GREATER else None
        if high is None and not orders & GREATER:
            high = bound - 1
        range_ = self.signed if signed else self.unsigned
        cut = (
            range_[0] if low is None else max(range_[0], low),
            range_[1] if high is None else min(range_[1], high),
        )
        if orders == EQUAL:  # known in both readings
            value = number - 2**32 if number >= 2**31 else number
            signed_, unsigned = self.signed, self.unsigned
            signed_ = (max(signed_[0], value), min(signed_[1], value))
            unsigned = (max(unsigned[0], number), min(unsigned[1], number))
            return Values(signed_, unsigned, self.excluded)
        if signed:
            return Values(cut, self.unsigned, self.excluded)
        return Values(self.signed, cut, self.excluded)


Fact = Values | tuple[int, int] | bool
"""Of a register and constants; of two registers (signed orders, unsigned orders); of another test."""

Facts = Mapping[Atom, Fact]
NOTHING: Facts = {}


def assume(facts: Facts, condition: Condition, outcome: bool) -> Facts | None:
    """The facts behind a condition that turned out so; ``None`` if they say that it cannot."""
    outcome ^= condition.negated
    atom, orders = condition.atom, condition.orders
    if not orders:
        known = facts.get(atom)
        return None if known is (not outcome) else {**facts, atom: outcome}
    if not outcome:
        orders = ANY_ORDER & ~orders
    if condition.constant is not None:
        values = facts.get(atom, Values())
        assert isinstance(values, Values)
        values = values.ordered(orders, condition.signed, condition.constant)
        return None if values.empty else {**facts, atom: values}
    both = facts.get(atom, (ANY_ORDER, ANY_ORDER))
    assert isinstance(both, tuple)
    signed, unsigned = both
    if condition.signed:
        signed &= orders
    else:
        unsigned &= orders
    if not signed & EQUAL or not unsigned & EQUAL:  # equal is the same in both readings
        signed, unsigned = signed & ~EQUAL, unsigned & ~EQUAL
    if signed == EQUAL or unsigned == EQUAL:
        signed, unsigned = signed & EQUAL, unsigned & EQUAL
    return {**facts, atom: (signed, unsigned)} if signed and unsigned else None


def without(facts: Facts, written: Iterable[RegisterName]) -> Facts:
    """The facts that outlive a write of registers."""
    gone = frozenset(written)
    if all(atom.inputs.isdisjoint(gone) for atom in facts):
        return facts
    return {atom: fact for atom, fact in facts.items() if atom.inputs.isdisjoint(gone)}


def common(first: Facts, second: Facts) -> Facts:
    """What both say."""
    return {atom: fact for atom, fact in first.items() if second.get(atom) == fact}


def _constant(operand: Operand) -> int | None:
    if isinstance(operand, Immediate) and isinstance(operand.value, int):
        return operand.value
    return None


def _short(operand: Operand) -> Operand:
    """The 16-bit constant of a SOPK instruction, which may be written unsigned, as the number it means."""
    constant = _constant(operand)
    return operand if constant is None else Immediate((constant + 2**15) % 2**16 - 2**15)


def _named(*operands: Operand) -> frozenset[RegisterName]:
    return frozenset(name for operand in operands for name in registers_of(operand))


def test_of(name: str, register: RegisterName) -> Condition:
    """Whether a register's flag (SCC, VCCZ, EXECZ) is set, whatever made it so."""
    return Condition(Atom((name,), frozenset({register})))


def _compared(first: Operand, second: Operand, orders: int, signed: bool) -> Condition | None:
    if not _named(first):
        first, second = second, first
        orders = orders & EQUAL | _SWAPPED.get(orders & ~EQUAL, orders & ~EQUAL)
    if not _named(first):
        return None
    constant = _constant(second)
    if constant is not None:
        return Condition(Atom((str(first),), _named(first)), orders, signed, constant)
    if not _named(second):
        return None
    if str(second) < str(first):
        first, second = second, first
        orders = orders & EQUAL | _SWAPPED.get(orders & ~EQUAL, orders & ~EQUAL)
    return Condition(Atom((str(first), str(second)), _named(first, second)), orders, signed)


_NONZERO = (
    *("s_and_", "s_or_", "s_xor_", "s_andn2_", "s_orn2_", "s_nand_", "s_nor_", "s_xnor_"),
    *("s_lshl_", "s_lshr_", "s_ashr_", "s_bfe_", "s_not_", "s_bcnt0_", "s_bcnt1_"),
)
"""SCC says whether their result is not 0."""


def scc_after(instruction: Instruction) -> Condition | None:
    """What SCC says behind an instruction that writes it, where that is a test of registers as they are."""
    opcode, operands = instruction.opcode, instruction.operands
    words = opcode.split("_")
    if SCC in _named(*operands):
        return None
    if words[1] in ("cmp", "cmpk") and words[-1] in ("i32", "u32"):
        second = _short(operands[1]) if opcode.startswith("s_cmpk") and words[-1] == "i32" else operands[1]
        return _compared(operands[0], second, _ORDERS[words[2]], words[-1] == "i32")
    if words[1] == "cmp":  # 64 bits
        atom = Atom((*sorted(map(str, operands)), "equal"), _named(*operands))
        return Condition(atom).turned(words[2] == "lg")
    if words[1] in ("bitcmp0", "bitcmp1"):
        atom = Atom((*map(str, operands), "bit"), _named(*operands))
        return Condition(atom).turned(words[1] == "bitcmp0")
    if opcode.startswith(_NONZERO) and "saveexec" not in opcode and operands:
        result = operands[0]
        if len(registers_of(result)) == 1 and words[-1] in ("b32", "u32", "i32"):
            return _compared(result, Immediate(0), LESS | GREATER, False)
        return Condition(Atom((str(result), "nonzero"), _named(result)))
    return None


def nonzero_after(instruction: Instruction, effects: Effects) -> Condition | None:
    """Whether the VCC that an instruction makes is not 0, as a test of what it is made from."""
    if not (instruction.opcode.startswith("v_cmp_") or instruction.opcode in ("s_and_b64", "s_andn2_b64")):
        return None
    if VCC in effects.reads or str(instruction.operands[0]) != "vcc":
        return None
    operands = map(str, instruction.operands[1:])
    modifiers = (f"{name}:{value}" for name, value in instruction.modifiers)
    return Condition(Atom((instruction.opcode, *operands, *modifiers), effects.reads))


def moved_constant(instruction: Instruction) -> Condition | None:
    """What a move of a constant says of its register."""
    if instruction.opcode not in ("s_mov_b32", "s_movk_i32"):
        return None
    target, moved = instruction.operands[:2]
    if _constant(moved) is None or not _named(target):
        return None
    return _compared(target, _short(moved) if instruction.opcode == "s_movk_i32" else moved, EQUAL, True)
