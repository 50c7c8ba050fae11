"""Conversions, compares, packed and mixed arithmetic, dot products, by the CDNA3 and CDNA4 ISA."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from float_forms import Source
from forms import OLD, Env, Form, Reference
from integer_forms import RANGES, signed, take
from reference_float import THREE, TWO, Rule, Value
from reference_numbers import BF16, DOWN, F16, F32, FORMATS, NEAREST, UP, ZERO, Exact, Format, product, total

M = 1 << 32


def decoded(bits: int, form: Format, env: Env) -> float:
    value = form.decode(bits & (1 << form.bits) - 1)
    return form.flush(value) if env.flushes(form.name) else value


def stored(exact: Exact, form: Format, mode: int, env: Env, infinite: bool = False) -> int:
    """The bits of an exact result; ``infinite``: a source was."""
    value = form.round(exact, mode)
    if env.overflow and form is F16 and math.isinf(value) and not infinite:
        value = math.copysign(65504.0, value)
    return form.encode(form.flush(value) if env.flushes(form.name) else value)


def cut(value: float, kind: str) -> int:
    """To an integer: cut off, limited, 0 for NaN."""
    low, high = RANGES[kind]
    if value != value:
        return 0
    if math.isinf(value):
        return high if value > 0 else low
    return min(max(math.trunc(value), low), high)


def _masked(value: int, kind: str) -> int:
    return value & (0xFFFF if kind.endswith("16") else M - 1)


def to_integer(source: str, kind: str, change: Callable[[Fraction], Exact] | None = None) -> Reference:
    def run(env: Env, bits: Sequence[int]) -> int:
        value = decoded(bits[0], FORMATS[source], env)
        if change is not None and math.isfinite(value):
            value = float(change(Fraction(value)))
        return _masked(cut(value, kind), kind)

    return run


def from_integer(kind: str, form: Format, single: bool) -> Reference:
    def run(env: Env, bits: Sequence[int]) -> int:
        value = take(bits[0], kind)
        return stored(Fraction(value) if value else 0.0, form, env.rounding(single), env)

    return run


def between(source: Format, form: Format, mode_of: Callable[[Env], int]) -> Reference:
    def run(env: Env, bits: Sequence[int]) -> int:
        value = decoded(bits[0], source, env)
        return stored(value, form, mode_of(env), env, math.isinf(value))

    return run


def _half_up(value: Fraction) -> Exact:
    """floor(x + 0.5), the sum rounded to f32 (V_CVT_RPI_I32_F32)."""
    return float(math.floor(F32.round(value + Fraction(1, 2)))) if value + Fraction(1, 2) else 0.0


def rounded_integer(value: float, mode: int) -> int:
    steps = {NEAREST: round, UP: math.ceil, DOWN: math.floor, ZERO: math.trunc}
    return steps[mode](Fraction(value))


def normal(source: Format, scale: int, low: int) -> Callable[[Env, int], int]:
    def run(env: Env, bits: int) -> int:
        value = decoded(bits, source, env)
        if value != value:
            return 0
        limited = min(max(value, float(low)), 1.0)
        exact = Fraction(limited) * scale
        return rounded_integer(exact, env.rounding(source is F32)) & 0xFFFF  # type: ignore[arg-type]

    return run


def packed(one: Callable[[Env, int], int]) -> Reference:
    return lambda env, bits: one(env, bits[0]) | one(env, bits[1]) << 16


def to_half(form: Format, mode: int) -> Callable[[Env, int], int]:
    def run(env: Env, bits: int) -> int:
        value = decoded(bits, F32, env)
        return stored(value, form, mode, env, math.isinf(value))

    return run


def octet(env: Env, bits: int) -> int:
    value = decoded(bits, F32, env)
    if value != value:
        return 0
    return rounded_integer(min(max(value, -1e3), 1e3), env.rounding_32)


def pack_octet(env: Env, bits: Sequence[int]) -> int:
    part = min(max(octet(env, bits[0]), 0), 255)
    shift = 8 * (bits[1] & 3)
    return bits[2] & ~(255 << shift) | part << shift


FLOATS = {"f16": F16, "f32": F32, "f64": FORMATS["f64"]}


def conversions() -> Iterator[Form]:
    def both(name: str, kinds: tuple[str, ...], result: str, reference: Reference) -> Iterator[Form]:
        operands = ", ".join(f"{{{slot}}}" for slot in range(len(kinds)))
        yield Form(f"{name}_e32 {{d}}, {operands}", kinds, result, reference)
        yield Form(f"{name}_e64 {{d}}, {operands}", kinds, result, reference)
        if not {"f64", "u64"} & {*kinds, result}:
            tail = "quad_perm:[0,1,2,3] row_mask:0xf bank_mask:0xf"
            yield Form(f"{name}_dpp {{d}}, {operands} {tail}", kinds, result, reference)

    words = itertools.product(("f32", "f64"), ("i32", "u32"))
    for source, kind in (*words, ("f16", "i16"), ("f16", "u16")):
        yield from both(f"v_cvt_{kind}_{source}", (source,), kind, to_integer(source, kind))
    floor = to_integer("f32", "i32", lambda x: float(math.floor(x)))
    yield from both("v_cvt_flr_i32_f32", ("f32",), "i32", floor)
    yield from both("v_cvt_rpi_i32_f32", ("f32",), "i32", to_integer("f32", "i32", _half_up))
    for kind, form in itertools.product(("i32", "u32"), ("f32", "f64")):
        reference = from_integer(kind, FLOATS[form], form == "f32")
        yield from both(f"v_cvt_{form}_{kind}", (kind,), form, reference)
    for kind in ("i16", "u16"):
        yield from both(f"v_cvt_f16_{kind}", (kind,), "f16", from_integer(kind, F16, False))
    for source, form in (("f16", "f32"), ("f32", "f16"), ("f32", "f64"), ("f64", "f32")):
        mode_of: Callable[[Env], int] = lambda env: env.rounding_64  # noqa: E731
        reference = between(FLOATS[source], FLOATS[form], mode_of)
        yield from both(f"v_cvt_{form}_{source}", (source,), form, reference)
    for place in range(4):
        shift = 8 * place
        yield from both(
            f"v_cvt_f32_ubyte{place}",
            ("b32",),
            "f32",
            lambda env, bits, shift=shift: F32.encode(float(bits[0] >> shift & 255)),
        )
    yield from both(
        "v_cvt_off_f32_i4", ("b32",), "f32", lambda env, bits: F32.encode(signed(bits[0], 4) / 16)
    )
    pair, half = ("f32", "f32"), ("f16", "f16")
    yield Form("v_cvt_pkrtz_f16_f32 {d}, {0}, {1}", pair, "f16x2", packed(to_half(F16, ZERO)))
    yield Form("v_cvt_pknorm_i16_f32 {d}, {0}, {1}", pair, "b32", packed(normal(F32, 32767, -1)))
    yield Form("v_cvt_pknorm_u16_f32 {d}, {0}, {1}", pair, "b32", packed(normal(F32, 65535, 0)))
    yield Form("v_cvt_pknorm_i16_f16 {d}, {0}, {1}", half, "b32", packed(normal(F16, 32767, -1)))
    yield Form("v_cvt_pknorm_u16_f16 {d}, {0}, {1}", half, "b32", packed(normal(F16, 65535, 0)))
    yield Form("v_cvt_pk_f16_f32 {d}, {0}, {1}", pair, "f16x2", packed(to_half(F16, NEAREST)), 0, "gfx950")
    yield Form("v_cvt_pk_bf16_f32 {d}, {0}, {1}", pair, "bf16x2", packed(to_bf16), 0, "gfx950")
    yield Form("v_cvt_pk_u8_f32 {d}, {0}, {1}, {2}", ("f32", "u32", "b32"), "b32", pack_octet)
    for name, scale, low in (("i16", 32767, -1), ("u16", 65535, 0)):
        one = normal(F16, scale, low)
        reference = lambda env, bits, one=one: one(env, bits[0])  # noqa: E731
        yield from both(f"v_cvt_norm_{name}_f16", ("f16",), "b32", reference)
    for kind, form in FLOATS.items():
        name = f"v_frexp_exp_{'i16' if kind == 'f16' else 'i32'}_{kind}"
        yield from both(name, (kind,), "i16" if kind == "f16" else "i32", exponent(form))


def to_bf16(env: Env, bits: int) -> int:
    return BF16.encode(BF16.round(decoded(bits, F32, env)))


def exponent(form: Format) -> Reference:
    def run(env: Env, bits: Sequence[int]) -> int:
        value = decoded(bits[0], form, env)
        power = math.frexp(value)[1] if math.isfinite(value) and value else 0
        return power & (0xFFFF if form is F16 else M - 1)

    return run


COMPARES: dict[str, Callable[[float, float], bool]] = {
    "f": lambda a, b: False,
    "lt": lambda a, b: a < b,
    "eq": lambda a, b: a == b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "lg": lambda a, b: a < b or a > b,
    "ge": lambda a, b: a >= b,
    "o": lambda a, b: a == a and b == b,
    "u": lambda a, b: a != a or b != b,
    "nge": lambda a, b: not a >= b,
    "nlg": lambda a, b: not (a < b or a > b),
    "ngt": lambda a, b: not a > b,
    "nle": lambda a, b: not a <= b,
    "neq": lambda a, b: a != b,
    "nlt": lambda a, b: not a < b,
    "tru": lambda a, b: True,
}


def class_of(bits: int, form: Format) -> int:
    """The bit of V_CMP_CLASS's mask for a value."""
    value = form.decode(bits)
    if value != value:
        return 0 if form.signalling(bits) else 1
    negative = math.copysign(1, value) < 0
    if math.isinf(value):
        return 2 if negative else 9
    if value == 0:
        return 5 if negative else 6
    if form.is_denormal(value):
        return 4 if negative else 7
    return 3 if negative else 8


def compares() -> Iterator[Form]:
    """A compare and the 0 or 1 that it selects in each lane."""

    def selected(text: str, kinds: tuple[str, ...], condition: Callable[[Env, Sequence[int]], bool]) -> Form:
        reference: Reference = lambda env, bits: int(condition(env, bits))  # noqa: E731
        return Form(f"{text}\n v_cndmask_b32 {{d}}, 0, 1, vcc", kinds, "b32", reference)

    for kind, form in FLOATS.items():
        for word, compare in COMPARES.items():

            def condition(
                env: Env,
                bits: Sequence[int],
                form: Format = form,
                compare: Callable[[float, float], bool] = compare,
            ) -> bool:
                return compare(decoded(bits[0], form, env), decoded(bits[1], form, env))

            yield selected(f"v_cmp_{word}_{kind}_e32 vcc, {{0}}, {{1}}", (kind, kind), condition)
            yield selected(f"v_cmp_{word}_{kind}_e64 vcc, {{0}}, {{1}}", (kind, kind), condition)
        yield selected(
            f"v_cmp_class_{kind}_e64 vcc, {{0}}, {{1}}",
            (kind, "b32"),
            lambda env, bits, form=form: bool(bits[1] >> class_of(bits[0] & (1 << form.bits) - 1, form) & 1),
        )
    words = {"eq": "__eq__", "ne": "__ne__", "lt": "__lt__", "le": "__le__", "gt": "__gt__", "ge": "__ge__"}
    for kind in ("i16", "u16", "i32", "u32", "i64", "u64"):
        for word, method in words.items():
            yield selected(
                f"v_cmp_{word}_{kind}_e64 vcc, {{0}}, {{1}}",
                (kind, kind),
                lambda env, bits, kind=kind, method=method: bool(
                    getattr(take(bits[0], kind), method)(take(bits[1], kind))
                ),
            )


def _halves_of(bits: int) -> tuple[int, int]:
    return bits & 0xFFFF, bits >> 16


def packed_floats() -> Iterator[Form]:
    """v_pk_*_f16 with halves crossed over, signs changed and clamp."""
    rules = {name: TWO[name] for name in ("add", "mul", "min", "max")} | {"fma": THREE["fma"]}
    rules |= {name: THREE[name] for name in ("minimum3", "maximum3")}
    for name, rule in rules.items():
        count = 3 if name in THREE else 2
        arch = "gfx950" if name.startswith("m") and name.endswith("3") else "gfx942"
        for pick, negate, clamp in (("", 0, False), ("cross", 0, False), ("", 1, False), ("", 0, True)):
            low, high = ([1] * count, [0] * count) if pick == "cross" else ([0] * count, [1] * count)

            def run(
                env: Env, bits: Sequence[int], rule=rule, low=low, high=high, negate=negate, clamp=clamp
            ) -> int:  # type: ignore[no-untyped-def]
                result = 0
                for place, picks in enumerate((low, high)):
                    taken = [
                        Source(bool(negate) and not slot, high=bool(pick)) for slot, pick in enumerate(picks)
                    ]
                    flush = env.flushes("f16")
                    sources = [each.value(bit, F16, flush) for each, bit in zip(taken, bits, strict=True)]
                    exact = rule(env, F16, env.rounding_64, sources)
                    infinite = any(math.isinf(each.x) for each in sources)
                    half = stored(exact, F16, env.rounding_64, env, infinite)
                    if clamp:
                        value = F16.decode(half)
                        limited = min(value, 1.0) if value > 0 else 0.0
                        half = F16.encode(limited if value == value or env.dx10 else value)
                    result |= half << 16 * place
                return result

            operands = ", ".join(f"{{{slot}}}" for slot in range(count))
            listed = [",".join(map(str, picks)) for picks in (low, high)]
            tail = f"op_sel:[{listed[0]}] op_sel_hi:[{listed[1]}]" if pick else ""
            if negate:
                tail = f"neg_lo:[1{',0' * (count - 1)}] neg_hi:[1{',0' * (count - 1)}]"
            yield Form(
                f"v_pk_{name}_f16 {{d}}, {operands} {tail} {'clamp' if clamp else ''}".rstrip(),
                ("f16",) * count,
                "f16x2",
                run,
                0,
                arch,
            )


def packed_singles() -> Iterator[Form]:
    """v_pk_*_f32: two f32 in a register pair, crossed over, signs changed, clamp."""
    rules = {"add": (TWO["add"], 2), "mul": (TWO["mul"], 2), "fma": (THREE["fma"], 3)}
    for (name, (rule, count)), (cross, negate, clamp) in itertools.product(
        rules.items(), ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    ):

        def run(
            env: Env,
            bits: Sequence[int],
            rule: Rule = rule,
            cross: int = cross,
            negate: int = negate,
            clamp: int = clamp,
        ) -> int:
            result = 0
            for place in (0, 1):
                words = [each >> 32 * (place ^ cross) & M - 1 for each in bits]
                signs = [Source(bool(negate) and not slot) for slot in range(len(words))]
                flush = env.flushes("f32")
                values = [sign.value(word, F32, flush) for sign, word in zip(signs, words, strict=True)]
                exact = F32.decode(stored(rule(env, F32, env.rounding_32, values), F32, env.rounding_32, env))
                if clamp:
                    limited = min(exact, 1.0) if exact > 0 else 0.0
                    exact = limited if exact == exact or env.dx10 else exact
                result |= F32.encode(exact) << 32 * place
            return result

        operands = ", ".join(f"{{{slot}}}" for slot in range(count))
        ones, zeros = ",".join("1" * count), ",".join("0" * count)
        first = f"1,{','.join('0' * (count - 1))}"
        tail = f"op_sel:[{ones}] op_sel_hi:[{zeros}]" if cross else ""
        tail = f"neg_lo:[{first}] neg_hi:[{first}]" if negate else "clamp" if clamp else tail
        yield Form(f"v_pk_{name}_f32 {{d}}, {operands} {tail}".rstrip(), ("f32x2",) * count, "f32x2", run)


def packed_integers() -> Iterator[Form]:
    two: dict[str, tuple[str, Callable[[int, int], int]]] = {}
    for kind in ("i16", "u16"):
        two[f"v_pk_add_{kind}"] = (kind, lambda a, b: a + b)
        two[f"v_pk_sub_{kind}"] = (kind, lambda a, b: a - b)
        two[f"v_pk_min_{kind}"] = (kind, min)
        two[f"v_pk_max_{kind}"] = (kind, max)
    two["v_pk_mul_lo_u16"] = ("u16", lambda a, b: a * b)
    two["v_pk_lshlrev_b16"] = ("u16", lambda n, a: a << (n & 15))
    two["v_pk_lshrrev_b16"] = ("u16", lambda n, a: a >> (n & 15))
    two["v_pk_ashrrev_i16"] = ("i16", lambda n, a: a >> (n & 15))
    for name, (kind, function) in two.items():
        for clamp in (False, True) if name[5:8] in ("add", "sub") else (False,):

            def run(
                env: Env,
                bits: Sequence[int],
                kind: str = kind,
                function: Callable[[int, int], int] = function,
                clamp: bool = clamp,
            ) -> int:
                result = 0
                for place in (0, 1):
                    exact = function(*[take(each >> 16 * place, kind) for each in bits])
                    low, high = RANGES[kind]
                    exact = min(max(exact, low), high) if clamp else exact
                    result |= (exact & 0xFFFF) << 16 * place
                return result

            text = f"{name} {{d}}, {{0}}, {{1}} {'clamp' if clamp else ''}".rstrip()
            yield Form(text, ("b32", "b32"), "b32", run)
    for kind in ("i16", "u16"):
        for clamp in (False, True):

            def run3(env: Env, bits: Sequence[int], kind: str = kind, clamp: bool = clamp) -> int:
                result = 0
                for place in (0, 1):
                    a, b, c = (take(each >> 16 * place, kind) for each in bits)
                    low, high = RANGES[kind]
                    exact = min(max(a * b + c, low), high) if clamp else a * b + c
                    result |= (exact & 0xFFFF) << 16 * place
                return result

            yield Form(
                f"v_pk_mad_{kind} {{d}}, {{0}}, {{1}}, {{2}} {'clamp' if clamp else ''}".rstrip(),
                ("b32",) * 3,
                "b32",
                run3,
            )


def mixed() -> Iterator[Form]:
    """v_fma_mix with each choice of f32 and f16 sources."""
    for halves in itertools.product((0, 1), repeat=3):
        for name in ("v_fma_mix_f32", "v_fma_mixlo_f16", "v_fma_mixhi_f16"):
            form = F32 if name == "v_fma_mix_f32" else F16

            def run(env: Env, bits: Sequence[int], halves=halves, name=name, form=form) -> int:  # type: ignore[no-untyped-def]
                formats = [F16 if half else F32 for half in halves]
                values = [decoded(each, source, env) for each, source in zip(bits, formats, strict=True)]
                mode = env.rounding(form is F32)
                exact = total(product(values[0], values[1]), values[2], mode)
                result = stored(exact, form, mode, env, any(math.isinf(each) for each in values))
                if form is F32:
                    return result
                return OLD & 0xFFFF | result << 16 if name.endswith("hi_f16") else OLD & 0xFFFF0000 | result

            result = "f32" if form is F32 else "f16"
            tail = f"op_sel_hi:[{','.join(map(str, halves))}]"
            shift = 16 if "hi_f16" in name else 0
            text = f"{name} {{d}}, {{0}}, {{1}}, {{2}} {tail}"
            yield Form(text, ("f32",) * 3, result, run, 0, "gfx942", shift)


def dots() -> Iterator[Form]:
    """Dot products: integers exactly; floats term by term in f32, denormals flushed (CDNA3 ISA, 6.4)."""
    for name, bits_each, sign, result in (
        ("v_dot2_i32_i16", 16, True, "i32"),
        ("v_dot2_u32_u16", 16, False, "u32"),
        ("v_dot4_i32_i8", 8, True, "i32"),
        ("v_dot4_u32_u8", 8, False, "u32"),
        ("v_dot8_i32_i4", 4, True, "i32"),
        ("v_dot8_u32_u4", 4, False, "u32"),
    ):
        for clamp in (False, True):

            def run(
                env: Env, bits: Sequence[int], each=bits_each, sign=sign, result=result, clamp=clamp
            ) -> int:  # type: ignore[no-untyped-def]
                exact = take(bits[2], result)
                for start in range(0, 32, each):
                    parts = [value >> start & (1 << each) - 1 for value in bits[:2]]
                    x, y = (signed(part, each) if sign else part for part in parts)
                    exact += x * y
                low, high = RANGES[result]
                return (min(max(exact, low), high) if clamp else exact) & M - 1

            yield Form(
                f"{name} {{d}}, {{0}}, {{1}}, {{2}} {'clamp' if clamp else ''}".rstrip(),
                ("b32",) * 3,
                result,
                run,
            )
    for source, arch in (("f16", "gfx942"), ("bf16", "gfx950")):
        form = FORMATS[source]

        def run_float(env: Env, bits: Sequence[int], form: Format = form) -> int:
            last = form is BF16
            halves = [[each >> place & 0xFFFF for each in bits[:2]] for place in (0, 16)]
            pairs = [[form.flush(form.decode(each)) for each in pair] for pair in halves]
            start = F32.flush(F32.decode(bits[2]))
            products = [F32.round(product(x, y)) for x, y in pairs]
            terms = [*products, start] if last else [start, *products]
            sum_ = F32.round(total(terms[0], terms[1]))
            return F32.encode(F32.flush(F32.round(total(sum_, terms[2]))))

        text = f"v_dot2_f32_{source} {{d}}, {{0}}, {{1}}, {{2}}"
        yield Form(text, ("f16", "f16", "f32"), "f32", run_float, 0, arch)


def all_forms() -> list[Form]:
    """Every form of this module."""
    parts = conversions(), compares(), packed_floats(), packed_singles(), packed_integers(), mixed(), dots()
    return [form for part in parts for form in part]


__all__ = ["Value", "all_forms", "class_of"]
