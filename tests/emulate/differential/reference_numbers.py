"""Floats as exact numbers: a second source of float arithmetic, by fractions, apart from the emulator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

NEAREST, UP, DOWN, ZERO = range(4)
NAN = math.nan
Exact = Fraction | float
"""A number that is not rounded yet: a fraction, or as float a zero with its sign, an infinity or NaN."""


@dataclass(frozen=True)
class Format:
    """A binary float: bits of mantissa and exponent."""

    name: str
    mantissa: int
    exponent: int

    @property
    def bits(self) -> int:
        return 1 + self.mantissa + self.exponent

    @property
    def bias(self) -> int:
        return 2 ** (self.exponent - 1) - 1

    def decode(self, bits: int) -> float:
        """The value; every one of these formats fits into Python's float."""
        field = bits >> self.mantissa & (1 << self.exponent) - 1
        part = bits & (1 << self.mantissa) - 1
        negative = bits >> (self.bits - 1) & 1
        if field == (1 << self.exponent) - 1:
            size = NAN if part else math.inf
        elif field:
            size = math.ldexp(part + (1 << self.mantissa), field - self.bias - self.mantissa)
        else:
            size = math.ldexp(part, 1 - self.bias - self.mantissa)
        return -size if negative else size

    def encode(self, value: float) -> int:
        """The bits of a value that the format has."""
        sign = (1 << (self.bits - 1)) if math.copysign(1, value) < 0 else 0
        size = abs(value)
        top = ((1 << self.exponent) - 1) << self.mantissa
        if size != size:
            return top | 1 << (self.mantissa - 1)
        if size == math.inf:
            return sign | top
        if size == 0:
            return sign
        exponent = max(math.frexp(size)[1] - 1, 1 - self.bias)
        part = int(math.ldexp(size, self.mantissa - exponent))
        field = exponent + self.bias - (0 if part >> self.mantissa else 1)
        return sign | field << self.mantissa | part & (1 << self.mantissa) - 1

    def signalling(self, bits: int) -> bool:
        """Whether it is a NaN whose quiet bit is clear."""
        value = self.decode(bits)
        return value != value and not bits >> (self.mantissa - 1) & 1

    def round(self, value: Exact, mode: int = NEAREST) -> float:
        """One rounding of an exact number (IEEE 754, 4.3 and 7.4)."""
        value = fraction(value)
        if isinstance(value, float):
            return value
        negative, size = value < 0, abs(value)
        least = 1 - self.bias - self.mantissa
        place = size.numerator.bit_length() - size.denominator.bit_length() - self.mantissa - 1
        place = max(place, least)
        if size >= Fraction(2) ** (place + self.mantissa + 1):
            place += 1
        scaled = size / Fraction(2) ** place
        whole, rest = divmod(scaled.numerator, scaled.denominator)
        twice = 2 * rest - scaled.denominator
        if mode == NEAREST:
            whole += twice > 0 or (twice == 0 and whole & 1)
        elif mode != ZERO:
            whole += rest > 0 and negative == (mode == DOWN)
        most = Fraction(2 ** (self.mantissa + 1) - 1) * Fraction(2) ** (self.bias - self.mantissa)
        result = Fraction(whole) * Fraction(2) ** place
        if result > most:
            away = mode == NEAREST or (mode != ZERO and negative == (mode == DOWN))
            return math.copysign(math.inf if away else float(most), -1 if negative else 1)
        return math.copysign(float(result), -1 if negative else 1)

    def is_denormal(self, value: float) -> bool:
        return 0 < abs(value) < 2.0 ** (1 - self.bias)

    def flush(self, value: float) -> float:
        """Zero of its sign for a denormal."""
        return math.copysign(0.0, value) if self.is_denormal(value) else value


F16, F32, F64 = Format("f16", 10, 5), Format("f32", 23, 8), Format("f64", 52, 11)
BF16 = Format("bf16", 7, 8)
FORMATS = {each.name: each for each in (F16, F32, F64, BF16)}


def fraction(value: Exact) -> Exact:
    """A finite value other than zero as a fraction."""
    if isinstance(value, float) and math.isfinite(value) and value != 0:
        return Fraction(value)
    return value


def negated(value: Exact) -> Exact:
    return -value


def product(a: Exact, b: Exact) -> Exact:
    """a * b, exactly."""
    a, b = fraction(a), fraction(b)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    return float(_sized(a) * _sized(b))


def _sized(value: Exact) -> float:
    """A float with the sign and kind of the number: what counts beside a zero, infinity or NaN."""
    return math.copysign(1.0, value) if isinstance(value, Fraction) else value


def total(a: Exact, b: Exact, mode: int = NEAREST) -> Exact:
    """a + b, exactly; the sign of a zero follows the rounding mode (IEEE 754, 6.3)."""
    a, b = fraction(a), fraction(b)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a + b or (-0.0 if mode == DOWN else 0.0)
    if isinstance(a, float) and isinstance(b, float):
        if a == 0 and b == 0 and math.copysign(1, a) != math.copysign(1, b):
            return -0.0 if mode == DOWN else 0.0
        return a + b
    special, other = (a, b) if isinstance(a, float) else (b, a)
    return other if special == 0 else special


def scaled(value: Exact, power: int) -> Exact:
    """value * 2 ** power, exactly."""
    value = fraction(value)
    return value * Fraction(2) ** power if isinstance(value, Fraction) else value


def quotient(a: Exact, b: Exact) -> Exact:
    """a / b, exactly."""
    a, b = fraction(a), fraction(b)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a / b
    x, y = _sized(a), _sized(b)
    if x != x or y != y or (x == 0 and y == 0) or (math.isinf(x) and math.isinf(y)):
        return NAN
    sign = math.copysign(1, x) * math.copysign(1, y)
    return math.copysign(math.inf if math.isinf(x) or y == 0 else 0.0, sign)


def ulps(found: int, expected: int, form: Format) -> float:
    """How many places apart two encodings are; 0 for two NaN, infinite for one."""
    a, b = form.decode(found), form.decode(expected)
    if a != a or b != b:
        return 0.0 if a != a and b != b else math.inf
    half = 1 << (form.bits - 1)

    def place(bits: int) -> int:
        return -(bits - half) if bits >= half else bits

    if found == expected:
        return 0.0
    return max(1.0, float(abs(place(found) - place(expected))))


UNSIGNED = {"f16": np.uint16, "f32": np.uint32, "f64": np.uint64}
