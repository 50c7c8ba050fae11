"""Puts values into registers: SALU code for what is one per wave, VALU code for what differs by lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wavesim.front.tile.affine import MAX_DIVIDED, Atom, Operation, Value, ValueProblem, Variable, bounds
from wavesim.front.tile.emitter import Emitter, Item, part
from wavesim.program import Immediate, Register

INVARIANT = frozenset({"wave", "lane", "thread", "grid_x", "grid_y"})
"""Variables that keep their value: what depends on them alone is computed once, in the preamble."""

MAX_CONSTANT = 1 << 32
"""Registers have 32 bits."""

_SCALAR = {"and": "s_and_b32", "or": "s_or_b32", "xor": "s_xor_b32", "min": "s_min_i32", "max": "s_max_i32"}
_VECTOR = {"and": "v_and_b32", "or": "v_or_b32", "xor": "v_xor_b32", "min": "v_min_i32", "max": "v_max_i32"}
TEMPORARIES = {"s": 10, "v": 16, "pair": 4}
"""Registers kept for values that change in loops; the oldest value gives way."""


@dataclass
class _Ring:
    """A few registers used in turn; remembers which value each holds."""

    registers: list[Register] = field(default_factory=list)
    holds: dict[Register, object] = field(default_factory=dict)
    position: int = 0


@dataclass
class Materializer:
    """Makes registers hold values. ``sources`` are the registers of the variables, ``opened`` counts the
    values computed in the body, by kind of register; they go to ``ahead`` where that is a list."""

    emitter: Emitter
    sources: dict[str, Register]
    made: list[Register] = field(default_factory=list)
    opened: dict[str, int] = field(default_factory=dict)
    ahead: list[Item] | None = None
    _kept: dict[tuple[str, object], Register] = field(default_factory=dict)
    _block: dict[tuple[str, object], Register] = field(default_factory=dict)
    _rings: dict[str, _Ring] = field(default_factory=dict)

    def boundary(self) -> None:
        """Forgets values of the body at a label or branch (they may not hold on every path)."""
        self._block.clear()

    def new(self, file: str, count: int = 1) -> Register:
        """A register that keeps its value for good."""
        register = self.emitter.virtual("v" if file == "v" else "s", count)
        self.made.append(register)
        return register

    def _invariant(self, value: Value) -> bool:
        return value.variables() <= INVARIANT

    def _open(self, kind: str, value: object, invariant: bool) -> tuple[Register, list[Item]]:
        """A register for a new value and the stream its code goes to."""
        count = 2 if kind == "pair" else 1
        file = "v" if kind == "v" else "s"
        if invariant:
            register = self._kept[kind, value] = self.new(file, count)
            return register, self.emitter.preamble
        self.opened[kind] = self.opened.get(kind, 0) + 1
        ring = self._rings.setdefault(kind, _Ring())
        if len(ring.registers) < TEMPORARIES[kind]:
            ring.registers.append(self.new(file, count))
        register = ring.registers[ring.position % len(ring.registers)]
        ring.position = (ring.position + 1) % TEMPORARIES[kind]
        self._block.pop((kind, ring.holds.get(register)), None)
        ring.holds[register] = value
        self._block[kind, value] = register
        return register, self.emitter.body if self.ahead is None else self.ahead

    def exhausted(self, opened: Mapping[str, int]) -> bool:
        """Whether a temporary register was given to a second value since ``opened``."""
        return any(count - opened.get(kind, 0) > TEMPORARIES[kind] for kind, count in self.opened.items())

    def _known(self, kind: str, value: object) -> Register | None:
        return self._kept.get((kind, value)) or self._block.get((kind, value))

    # --- one value per wave

    def scalar(self, value: Value) -> Register | Immediate:
        """An SGPR (or constant) that holds ``value``.

        Raises:
            ValueProblem: the value differs from lane to lane.
        """
        if not -MAX_CONSTANT // 2 <= value.constant < MAX_CONSTANT:
            raise ValueProblem(f"{value.constant} does not fit 32 bits")
        if value.is_constant:
            return Immediate(value.constant)
        if value.is_vector:
            raise ValueProblem("must be the same for all lanes of a wave: use wave, not lane or thread")
        known = self._known("s", value)
        if known is not None:
            return known
        if value.constant:
            base = self.scalar(value.without_constant())
            register, stream = self._open("s", value, self._invariant(value))
            self.emitter.put("s_add_u32", register, base, value.constant, into=stream)
            return register
        if len(value.terms) > 1:
            first = self.scalar(Value(0, value.terms[:-1]))
            second = self.scalar(Value(0, value.terms[-1:]))
            register, stream = self._open("s", value, self._invariant(value))
            self.emitter.put("s_add_u32", register, first, second, into=stream)
            return register
        ((atom, coefficient),) = value.terms
        if coefficient == 1:
            return self._scalar_atom(atom, value)
        single = self.scalar(Value(0, ((atom, 1),)))
        register, stream = self._open("s", value, self._invariant(value))
        if coefficient > 0 and not coefficient & (coefficient - 1):
            self.emitter.put("s_lshl_b32", register, single, coefficient.bit_length() - 1, into=stream)
        else:
            self.emitter.put("s_mul_i32", register, single, coefficient, into=stream)
        return register

    def _scalar_atom(self, atom: Atom, value: Value) -> Register:
        if isinstance(atom, Variable):
            return self.sources[atom.name]
        left = self.scalar(atom.left)
        invariant = self._invariant(value)
        if atom.name in ("div", "mod"):
            register, stream = self._open("s", value, invariant)
            number = atom.right.constant
            if atom.name == "mod":
                self.emitter.put("s_and_b32", register, left, number - 1, into=stream)
            else:
                shift = "s_lshr_b32" if bounds(atom.left)[0] >= 0 else "s_ashr_i32"
                self.emitter.put(shift, register, left, number.bit_length() - 1, into=stream)
            return register
        right = self.scalar(atom.right)
        register, stream = self._open("s", value, invariant)
        self.emitter.put(_SCALAR.get(atom.name, "s_mul_i32"), register, left, right, into=stream)
        return register

    # --- one value per lane

    def vector(self, value: Value) -> Register:
        """A VGPR that holds ``value`` in every lane."""
        known = self._known("v", value)
        if known is not None:
            return known
        lanes, wave = value.split()
        if not lanes.terms:
            held = self.scalar(value)
            register, stream = self._open("v", value, self._invariant(value))
            self.emitter.put("v_mov_b32", register, held, into=stream)
            return register
        if wave != Value(0):
            base = self.vector(lanes)
            addend = self.scalar(wave)
            register, stream = self._open("v", value, self._invariant(value))
            self.emitter.put("v_add_u32", register, addend, base, into=stream)
            return register
        *rest, (atom, coefficient) = lanes.terms
        if not rest and coefficient == 1:
            return self._vector_atom(atom, value)
        single = self.vector(Value(0, ((atom, 1),)))
        power = coefficient > 0 and not coefficient & (coefficient - 1)
        shift = coefficient.bit_length() - 1
        others = self.vector(Value(0, tuple(rest))) if rest else None
        if others is not None and not power:
            single = self.vector(Value(0, ((atom, coefficient),)))
            shift = 0
        register, stream = self._open("v", value, self._invariant(value))
        if others is not None and not shift:
            self.emitter.put("v_add_u32", register, single, others, into=stream)
        elif others is not None:
            self.emitter.put("v_lshl_add_u32", register, single, shift, others, into=stream)
        elif power:
            self.emitter.put("v_lshlrev_b32", register, shift, single, into=stream)
        else:
            low, high = bounds(Value(0, ((atom, 1),)))
            if low < 0 or high >= 1 << 24 or not 0 < coefficient < 1 << 24:
                raise ValueProblem(f"{coefficient} times a lane value: only for values below 2^24")
            self.emitter.put("v_mul_u32_u24", register, coefficient, single, into=stream)
        return register

    def _vector_atom(self, atom: Atom, value: Value) -> Register:
        if isinstance(atom, Variable):
            return self._lane() if atom.name == "lane" else self.sources[atom.name]
        invariant = self._invariant(value)
        if atom.name in ("div", "mod"):
            left = self.vector(atom.left)
            register, stream = self._open("v", value, invariant)
            number = atom.right.constant
            if atom.name == "mod":
                self.emitter.put("v_and_b32", register, number - 1, left, into=stream)
            else:
                shift = "v_lshrrev_b32" if bounds(atom.left)[0] >= 0 else "v_ashrrev_i32"
                power = (number & -number).bit_length() - 1
                if number >> power > 1:  # divide by what is left once the power of two is out
                    self._divide_odd(register, left, number >> power, power, stream)
                else:
                    self.emitter.put(shift, register, power, left, into=stream)
            return register
        return self._vector_pair(atom, value, invariant)

    def _divide_odd(
        self, target: Register, value: Register, odd: int, power: int, stream: list[Item]
    ) -> None:
        """target = value / (odd << power) for values below 2^14, by the reciprocal rounded up.

        With s = 14 + the bits of ``odd`` the reciprocal is too large by less than 2^-14 of a unit of the
        quotient's last place, and the product has less than 32 bits.
        """
        shift = MAX_DIVIDED.bit_length() + odd.bit_length()
        self.emitter.put("v_lshrrev_b32", target, power, value, into=stream)
        self.emitter.put("v_mul_u32_u24", target, -(-(1 << shift) // odd), target, into=stream)
        self.emitter.put("v_lshrrev_b32", target, shift, target, into=stream)

    def _vector_pair(self, atom: Operation, value: Value, invariant: bool) -> Register:
        left, right = atom.left, atom.right
        if right.is_vector:
            left, right = right, left
        first = self.vector(left)
        second = self.vector(right) if right.is_vector else self.scalar(right)
        register, stream = self._open("v", value, invariant)
        if atom.name == "mul":
            self.emitter.put("v_mul_lo_u32", register, first, second, into=stream)
        else:
            self.emitter.put(_VECTOR[atom.name], register, second, first, into=stream)
        return register

    def _lane(self) -> Register:
        known = self._kept.get(("v", "lane"))
        if known is None:
            known, stream = self._open("v", "lane", True)
            self.emitter.put("v_and_b32", known, 63, self.sources["thread"], into=stream)
        return known

    # --- 64-bit addresses of global memory

    def address(self, pointer: Register, offset: Value) -> Register:
        """An SGPR pair that holds ``pointer`` + ``offset`` bytes (``offset`` from 0 to 2^32).

        Raises:
            ValueProblem: the offset differs from lane to lane.
        """
        if offset == Value(0):
            return pointer
        key = (pointer, offset)
        known = self._known("pair", key)
        if known is not None:
            return known
        loops = tuple(term for term in offset.terms if not self._invariant(Value(0, (term,))))
        steady = tuple(term for term in offset.terms if term not in loops)
        base = pointer
        if loops and steady:
            base = self.address(pointer, Value(0, steady))
            rest = Value(offset.constant, loops)
        else:
            rest = offset
        return self.plus(base, rest, key, invariant=not loops)

    def plus(self, base: Register, offset: Value, key: object, *, invariant: bool = False) -> Register:
        """An SGPR pair that holds the pair ``base`` + ``offset``; one of a few in turn if not invariant."""
        low = self.scalar(offset)
        pair, stream = self._open("pair", key, invariant)
        self.emitter.put("s_add_u32", part(pair, 0), part(base, 0), low, into=stream)
        self.emitter.put("s_addc_u32", part(pair, 1), part(base, 1), 0, into=stream)
        return pair


def start(emitter: Emitter, thread: Register, grid: Mapping[str, Register], waves: int) -> Materializer:
    """A materializer with the variables that every wave has; emits the wave number's code."""
    made = Materializer(emitter, {"thread": thread, **grid})
    wave = made.new("s")
    made.sources["wave"] = wave
    if waves == 1:
        emitter.put("s_mov_b32", wave, 0, into=emitter.preamble)
    else:
        raw = made.new("v")
        emitter.put("v_lshrrev_b32", raw, 6, thread, into=emitter.preamble)
        emitter.put("v_readfirstlane_b32", wave, raw, into=emitter.preamble, comment="wave")
    return made
