"""Float opcodes number by number, restated from the CDNA3 and CDNA4 ISA manuals' pseudo-code (12.7 to 12.11).

Approximate on hardware, with the bound that the comparison allows (the emulator is exact to nearest):
v_rcp, v_rsq, v_sqrt, v_exp, v_log, v_sin, v_cos, 1 unit in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from forms import Env
from reference_numbers import (
    NAN,
    NEAREST,
    ZERO,
    Exact,
    Format,
    negated,
    product,
    quotient,
    scaled,
    total,
)

APPROXIMATE = 1.0


@dataclass(frozen=True)
class Value:
    """A source: its value, and whether it is a signalling NaN."""

    x: float
    signalling: bool = False


Rule = Callable[[Env, Format, int, Sequence[Value]], Exact]
"""From MODE, the result's format, its rounding mode and the sources to the exact result."""


def _less(a: Value, b: Value, env: Env) -> Value:
    """v_min: IEEE mode quietens and returns a signalling NaN; else a number beats NaN; -0 < +0."""
    for each in (a, b):
        if env.ieee and each.signalling:
            return Value(NAN)
    if a.x != a.x:
        return b
    if b.x != b.x:
        return a
    if a.x == 0 and b.x == 0:
        return a if math.copysign(1, a.x) < 0 else b
    return a if a.x < b.x else b


def _greater(a: Value, b: Value, env: Env) -> Value:
    for each in (a, b):
        if env.ieee and each.signalling:
            return Value(NAN)
    if a.x != a.x:
        return b
    if b.x != b.x:
        return a
    if a.x == 0 and b.x == 0:
        return b if math.copysign(1, a.x) < 0 else a
    return a if a.x > b.x else b


def _less3(a: Value, b: Value, c: Value, env: Env) -> Value:
    return _less(_less(a, b, env), c, env)


def _greater3(a: Value, b: Value, c: Value, env: Env) -> Value:
    return _greater(_greater(a, b, env), c, env)


def _middle(env: Env, form: Format, mode: int, s: Sequence[Value]) -> Exact:
    """V_MED3: with any NaN the minimum."""
    if any(each.x != each.x for each in s):
        return _less3(*s, env).x
    most = _greater3(*s, env)
    if most.x == s[0].x:
        return _greater(s[1], s[2], env).x
    if most.x == s[1].x:
        return _greater(s[0], s[2], env).x
    return _greater(s[0], s[1], env).x


def _propagating(choose: Callable[[Value, Value, Env], Value]) -> Rule:
    """V_MINIMUM3, V_MAXIMUM3: NaN of any source."""

    def rule(env: Env, form: Format, mode: int, s: Sequence[Value]) -> Exact:
        if any(each.x != each.x for each in s):
            return NAN
        return choose(choose(s[0], s[1], env), s[2], env).x

    return rule


def _legacy(a: float, b: float) -> Exact:
    return 0.0 if a == 0 or b == 0 else product(a, b)


def _twice(env: Env, form: Format, mode: int, a: float, b: float, c: float) -> Exact:
    """V_MAD: the product is rounded before the sum is."""
    return total(form.round(product(a, b), mode), c, mode)


def _fixup(env: Env, form: Format, mode: int, s: Sequence[Value]) -> Exact:
    """V_DIV_FIXUP: quotient, denominator, numerator."""
    q, d, n = (each.x for each in s)
    sign = math.copysign(1, d) * math.copysign(1, n)
    if n != n or d != d:
        return NAN
    if (d == 0 and n == 0) or (math.isinf(d) and math.isinf(n)):
        return NAN
    if d == 0 or math.isinf(n):
        return math.copysign(math.inf, sign)
    if math.isinf(d) or n == 0:
        return math.copysign(0.0, sign)
    if form.name != "f16":
        distance = _exponent_field(n, form) - _exponent_field(d, form)
        if distance < {"f32": -150, "f64": -1075}[form.name]:
            return math.copysign(0.0, sign)
        if distance > form.bias + 2:
            return math.copysign(math.inf, sign)
    return math.copysign(abs(q), sign)


def _exponent_field(value: float, form: Format) -> int:
    return form.encode(value) >> form.mantissa & (1 << form.exponent) - 1


def _whole(value: float, rounding: Callable[[Fraction], int]) -> Exact:
    if not math.isfinite(value) or value == 0:
        return value
    return math.copysign(float(rounding(Fraction(value))), value)


def _fract(env: Env, form: Format, mode: int, s: Sequence[Value]) -> Exact:
    """x - floor(x), less than 1 whatever rounding does (LLVM: llvm.amdgcn.fract)."""
    x = s[0].x
    if not math.isfinite(x):
        return NAN
    part = Fraction(x) - math.floor(Fraction(x))
    rounded = form.round(part) if part else 0.0
    return min(rounded, form.decode(form.encode(1.0) - 1))


def _sqrt(value: float) -> float:
    return math.sqrt(value) if value >= 0 else NAN


def _rsq(value: float) -> float:
    if value != value or value < 0:
        return NAN
    if value == 0:
        return math.copysign(math.inf, value)
    return 1 / math.sqrt(value)


def _exp2(value: float) -> float:
    if value != value:
        return NAN
    if value >= 1024:
        return math.inf
    return 2.0**value if value > -2000 else 0.0


def _log2(value: float, form: Format) -> float:
    """Denormal f32 count as zero (LLVM folds v_log_f32 so)."""
    if form.name == "f32":
        value = form.flush(value)
    if value != value or value < 0:
        return NAN
    return math.log2(value) if value else -math.inf


def _turns(function: Callable[[float], float], value: float) -> float:
    if not math.isfinite(value):
        return NAN
    part = math.fmod(value, 1)
    exact = {0.0: 0, 0.25: 1, 0.5: 0, 0.75: -1, -0.25: -1, -0.5: 0, -0.75: 1}
    cosine = {0.0: 1, 0.25: 0, 0.5: -1, 0.75: 0, -0.25: 0, -0.5: -1, -0.75: 0}
    table = exact if function is math.sin else cosine
    if part in table:
        result = float(table[part])
        return math.copysign(0.0, value) if result == 0 and value == 0 else result
    return function(2 * math.pi * part)


def _frexp(env: Env, form: Format, mode: int, s: Sequence[Value]) -> Exact:
    x = s[0].x
    return math.frexp(x)[0] if math.isfinite(x) else x


Simple = Callable[..., Exact]


def _simple(function: Simple) -> Rule:
    return lambda env, form, mode, s: function(*[each.x for each in s])


def _moded(function: Callable[..., Exact]) -> Rule:
    return lambda env, form, mode, s: function(env, form, mode, *[each.x for each in s])


ONE: dict[str, tuple[Rule, float]] = {
    "trunc": (_simple(lambda x: _whole(x, math.trunc)), 0),
    "ceil": (_simple(lambda x: _whole(x, math.ceil)), 0),
    "floor": (_simple(lambda x: _whole(x, math.floor)), 0),
    "rndne": (_simple(lambda x: _whole(x, round)), 0),
    "fract": (_fract, 0),
    "frexp_mant": (_frexp, 0),
    "rcp": (_simple(lambda x: quotient(1.0, x)), APPROXIMATE),
    "sqrt": (_simple(lambda x: x if x == 0 else _sqrt(x)), APPROXIMATE),
    "rsq": (_simple(_rsq), APPROXIMATE),
}
"""f16, f32 and f64; these round to nearest whatever MODE says."""

ONE_SHORT: dict[str, tuple[Rule, float]] = {
    "exp": (_simple(_exp2), APPROXIMATE),
    "log": (lambda env, form, mode, s: _log2(s[0].x, form), APPROXIMATE),
    "sin": (_simple(lambda x: _turns(math.sin, x)), APPROXIMATE),
    "cos": (_simple(lambda x: _turns(math.cos, x)), APPROXIMATE),
}
"""f16 and f32."""

TWO: dict[str, Rule] = {
    "add": _moded(lambda env, form, mode, a, b: total(a, b, mode)),
    "sub": _moded(lambda env, form, mode, a, b: total(a, negated(b), mode)),
    "subrev": _moded(lambda env, form, mode, a, b: total(b, negated(a), mode)),
    "mul": _simple(product),
    "min": lambda env, form, mode, s: _less(*s, env).x,
    "max": lambda env, form, mode, s: _greater(*s, env).x,
    "mul_legacy": _simple(_legacy),
}

THREE: dict[str, Rule] = {
    "fma": _moded(lambda env, form, mode, a, b, c: total(product(a, b), c, mode)),
    "mad": _moded(_twice),
    "min3": lambda env, form, mode, s: _less3(*s, env).x,
    "max3": lambda env, form, mode, s: _greater3(*s, env).x,
    "med3": _middle,
    "minimum3": _propagating(_less),
    "maximum3": _propagating(_greater),
    "div_fixup": _fixup,
}
__all__ = ["NEAREST", "ONE", "ONE_SHORT", "THREE", "TWO", "ZERO", "Rule", "Value", "scaled"]
