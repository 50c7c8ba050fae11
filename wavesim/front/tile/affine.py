"""Integer values of a tile program: a constant plus multiples of run-time atoms, kept in one normal form.

Two values that differ by a constant have equal ``terms``, so they can share one address register and an
immediate offset; equal values are equal objects, so they are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_MAGNITUDE = 1 << 48
"""Largest absolute value of a constant in an expression."""


class ValueProblem(ValueError):
    """A value that cannot be formed; the message says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A run-time quantity. ``vector``: differs from lane to lane. Its values lie in [low, high]."""

    name: str
    vector: bool
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Operation:
    """What is not a sum: ``div``, ``mod`` (by powers of two), ``and``, ``or``, ``xor``, ``min``, ``max``,
    ``mul`` of two run-time values."""

    name: str
    left: Value
    right: Value


Atom = Variable | Operation


@dataclass(frozen=True, slots=True)
class Value:
    """``constant`` + sum of coefficient x atom."""

    constant: int
    terms: tuple[tuple[Atom, int], ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether it is known while lowering."""
        return not self.terms

    @property
    def is_vector(self) -> bool:
        """Whether it may differ from lane to lane."""
        return any(_is_vector(atom) for atom, _ in self.terms)

    def without_constant(self) -> Value:
        """The run-time part."""
        return Value(0, self.terms)

    def split(self) -> tuple[Value, Value]:
        """The lane-dependent terms, and the rest (constant included)."""
        vector = tuple(term for term in self.terms if _is_vector(term[0]))
        scalar = tuple(term for term in self.terms if not _is_vector(term[0]))
        return Value(0, vector), Value(self.constant, scalar)

    def variables(self) -> frozenset[str]:
        """Names of all variables in it."""
        found: set[str] = set()
        for atom, _ in self.terms:
            if isinstance(atom, Variable):
                found.add(atom.name)
            else:
                found |= atom.left.variables() | atom.right.variables()
        return frozenset(found)


def _is_vector(atom: Atom) -> bool:
    if isinstance(atom, Variable):
        return atom.vector
    return atom.left.is_vector or atom.right.is_vector


def constant(number: int) -> Value:
    """A known number.

    Raises:
        ValueProblem: too large.
    """
    if abs(number) > MAX_MAGNITUDE:
        raise ValueProblem(f"{number} is too large")
    return Value(number)


def variable(name: str, low: int, high: int, *, vector: bool = False) -> Value:
    """A run-time variable with its range of values."""
    return Value(0, ((Variable(name, vector, low, high), 1),))


def bounds(value: Value) -> tuple[int, int]:
    """Lowest and highest possible value (as far as the atoms tell)."""
    low = high = value.constant
    for atom, coefficient in value.terms:
        first, last = _atom_bounds(atom)
        ends = (first * coefficient, last * coefficient)
        low += min(ends)
        high += max(ends)
    return low, high


def _atom_bounds(atom: Atom) -> tuple[int, int]:
    if isinstance(atom, Variable):
        return atom.low, atom.high
    left, right = bounds(atom.left), bounds(atom.right)
    if atom.name == "mod":
        return 0, right[0] - 1
    if atom.name == "div":
        return left[0] // right[0], left[1] // right[0]
    if atom.name == "min":
        return min(left[0], right[0]), min(left[1], right[1])
    if atom.name == "max":
        return max(left[0], right[0]), max(left[1], right[1])
    if atom.name == "mul":
        products = [one * other for one in left for other in right]
        return min(products), max(products)
    if min(left[0], right[0]) < 0:
        return -MAX_MAGNITUDE, MAX_MAGNITUDE
    bits = max(left[1], right[1]).bit_length()
    return 0, min(left[1], right[1]) if atom.name == "and" else (1 << bits) - 1


def add(left: Value, right: Value, sign: int = 1) -> Value:
    """``left`` + ``sign`` x ``right``."""
    total = constant(left.constant + sign * right.constant).constant
    if not right.terms:
        return Value(total, left.terms)
    coefficients = dict(left.terms)
    for atom, coefficient in right.terms:
        coefficients[atom] = coefficients.get(atom, 0) + sign * coefficient
    return Value(total, _ordered(coefficients))


def _ordered(coefficients: dict[Atom, int]) -> tuple[tuple[Atom, int], ...]:
    kept = [(atom, coefficient) for atom, coefficient in coefficients.items() if coefficient]
    if len(kept) > 1:
        kept.sort(key=lambda term: repr(term[0]))
    return tuple(kept)


def multiply(left: Value, right: Value) -> Value:
    """The product; distributes over the terms where one factor is constant."""
    if left.is_constant:
        left, right = right, left
    if not right.is_constant:
        return Value(0, ((Operation("mul", left, right), 1),))
    factor = right.constant
    if not factor:
        return Value(0)
    total = constant(left.constant * factor).constant
    return Value(total, tuple((atom, coefficient * factor) for atom, coefficient in left.terms))


MAX_DIVIDED = (1 << 14) - 1
"""Largest value that is divided by something that is no power of two."""


def divide(left: Value, right: Value, *, by_any: bool = False) -> Value:
    """Quotient rounded down.

    Args:
        left: what is divided.
        right: by what.
        by_any: also by numbers that are no powers of two, if ``left`` is from 0 to ``MAX_DIVIDED``.

    Raises:
        ValueProblem: by zero, or at run time by something that is no power of two.
    """
    divisor = _divisor(right, "/")
    if left.is_constant:
        return constant(left.constant // divisor)
    if divisor == 1:
        return left
    whole = tuple((atom, each // divisor) for atom, each in left.terms if each % divisor == 0)
    quotient = Value(left.constant // divisor, whole)
    rest = Value(left.constant % divisor, tuple(term for term in left.terms if term[1] % divisor))
    low, high = bounds(rest)
    if low // divisor == high // divisor:
        return add(quotient, Value(low // divisor))
    if not (by_any and low >= 0 and high <= MAX_DIVIDED):
        _check_power(divisor, "/")
    return add(quotient, Value(0, ((Operation("div", rest, right), 1),)))


def modulo(left: Value, right: Value) -> Value:
    """Remainder, never negative.

    Raises:
        ValueProblem: by zero, or at run time by something that is no power of two.
    """
    divisor = _divisor(right, "%")
    terms = tuple((atom, coefficient) for atom, coefficient in left.terms if coefficient % divisor)
    if not terms:
        return constant(left.constant % divisor)
    low, high = bounds(left)
    if low >= 0 and high < divisor:
        return left
    kept = Value(left.constant % divisor, terms)
    low, high = bounds(kept)
    if low >= 0 and high < divisor:
        return kept
    _check_power(divisor, "%")
    return Value(0, ((Operation("mod", kept, right), 1),))


def _divisor(right: Value, sign: str) -> int:
    if not right.is_constant:
        raise ValueProblem(f"{sign} needs a constant on its right")
    if right.constant <= 0:
        raise ValueProblem(f"{sign} {right.constant}: the divisor must be positive")
    return right.constant


def _check_power(divisor: int, sign: str) -> None:
    if divisor & (divisor - 1):
        raise ValueProblem(f"{sign} {divisor} at run time: only powers of two (a shift or a mask)")


_FOLDED: Mapping[str, Callable[[int, int], int]] = {
    "and": lambda left, right: left & right,
    "or": lambda left, right: left | right,
    "xor": lambda left, right: left ^ right,
    "min": min,
    "max": max,
}


def combine(name: str, left: Value, right: Value) -> Value:
    """``and``, ``or``, ``xor``, ``min`` or ``max`` of two values."""
    if left.is_constant and right.is_constant:
        return constant(_FOLDED[name](left.constant, right.constant))
    if left.is_constant:
        left, right = right, left
    if right == Value(0):
        if name in ("or", "xor"):
            return left
        if name == "and":
            return right
    return Value(0, ((Operation(name, left, right), 1),))
