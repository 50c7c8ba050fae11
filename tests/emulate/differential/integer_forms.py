"""Integer opcodes number by number (CDNA3 and CDNA4 ISA, 12.7 to 12.11), and the forms they come in.

A rule gives the exact result; a form wraps it or, with clamp, limits it (CDNA3 ISA, 6.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from forms import OLD, Env, Form, Reference

from wavesim.isa.opcodes import opcode_table

M = 1 << 32
RANGES = {
    **{"u32": (0, M - 1), "i32": (-(1 << 31), (1 << 31) - 1), "u16": (0, 65535), "i16": (-32768, 32767)},
    **{
        "b32": (0, M - 1),
        "u64": (0, (1 << 64) - 1),
        "i64": (-(1 << 63), (1 << 63) - 1),
        "b64": (0, (1 << 64) - 1),
    },
    **{"u24": (0, (1 << 24) - 1), "i24": (-(1 << 23), (1 << 23) - 1), "b16": (0, 65535)},
}
BITS = {"u16": 16, "i16": 16, "b16": 16, "u24": 24, "i24": 24, "u64": 64, "i64": 64, "b64": 64}


def signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def take(value: int, kind: str) -> int:
    """The low bits of a source as a number of ``kind``."""
    bits = BITS.get(kind, 32)
    return signed(value, bits) if kind[0] == "i" else value & (1 << bits) - 1


@dataclass(frozen=True)
class Rule:
    """``kinds`` of the sources, ``result`` type, exact ``function``; ``clamps``: clamp limits the result."""

    kinds: tuple[str, ...]
    result: str
    function: Callable[..., int]
    clamps: bool = False


def _octets(value: int) -> list[int]:
    return list((value & M - 1).to_bytes(4, "little"))


def _sad(a: int, b: int, c: int, masked: bool = False) -> int:
    return c + sum(abs(x - y) for x, y in zip(_octets(a), _octets(b), strict=True) if y or not masked)


def _lerp(a: int, b: int, c: int) -> int:
    octets = zip(_octets(a), _octets(b), _octets(c), strict=True)
    return sum((x + y + (z & 1) >> 1) << 8 * place for place, (x, y, z) in enumerate(octets))


def _perm(high: int, low: int, select: int) -> int:
    data = _octets(low) + _octets(high)
    result = 0
    for place, pick in enumerate(_octets(select)):
        if pick >= 13:
            octet = 255
        elif pick == 12:
            octet = 0
        elif pick >= 8:
            octet = 255 * (data[2 * (pick - 8) + 1] >> 7)
        else:
            octet = data[pick]
        result |= octet << 8 * place
    return result


def _bfe(value: int, start: int, size: int) -> int:
    start, size = start & 31, size & 31
    field = value >> start & (1 << size) - 1
    return field if value >= 0 else signed(field, size) if size else 0


def _bfe_signed(value: int, start: int, size: int) -> int:
    start, size = start & 31, size & 31
    return signed(value >> start, size) if size else 0


def _from_top(value: int, bits: int) -> int:
    return next((place for place in range(bits) if value >> (bits - 1 - place) & 1), -1)


def _unlike_sign(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    top = value >> (bits - 1)
    return next((place for place in range(1, bits) if value >> (bits - 1 - place) & 1 != top), -1)


def _from_bottom(value: int, bits: int) -> int:
    return next((place for place in range(bits) if value >> place & 1), -1)


def _reverse(value: int, bits: int) -> int:
    return int(f"{value & (1 << bits) - 1:0{bits}b}"[::-1], 2)


def _median(a: int, b: int, c: int) -> int:
    return sorted((a, b, c))[1]


def _limit(value: int, kind: str) -> int:
    low, high = RANGES[kind]
    return min(max(value, low), high)


def _halves(a: int, b: int, c: int) -> int:
    return c + abs((a & 0xFFFF) - (b & 0xFFFF)) + abs((a >> 16) - (b >> 16))


def _two(kind: str, function: Callable[..., int], clamps: bool = False) -> Rule:
    return Rule((kind, kind), kind, function, clamps)


def _three(kind: str, function: Callable[..., int], clamps: bool = False) -> Rule:
    return Rule((kind, kind, kind), kind, function, clamps)


RULES: dict[str, Rule] = {
    "v_mov_b32": Rule(("b32",), "b32", lambda a: a),
    "v_not_b32": Rule(("b32",), "b32", lambda a: ~a),
    "v_bfrev_b32": Rule(("b32",), "b32", lambda a: _reverse(a, 32)),
    "v_ffbh_u32": Rule(("u32",), "u32", lambda a: _from_top(a, 32)),
    "v_ffbh_i32": Rule(("i32",), "i32", lambda a: _unlike_sign(a, 32)),
    "v_ffbl_b32": Rule(("b32",), "b32", lambda a: _from_bottom(a, 32)),
    "v_and_b32": _two("b32", lambda a, b: a & b),
    "v_or_b32": _two("b32", lambda a, b: a | b),
    "v_xor_b32": _two("b32", lambda a, b: a ^ b),
    "v_xnor_b32": _two("b32", lambda a, b: ~(a ^ b)),
    "v_lshlrev_b32": Rule(("u32", "b32"), "b32", lambda n, a: a << (n & 31)),
    "v_lshrrev_b32": Rule(("u32", "b32"), "b32", lambda n, a: a >> (n & 31)),
    "v_ashrrev_i32": Rule(("u32", "i32"), "i32", lambda n, a: a >> (n & 31)),
    "v_lshlrev_b16": Rule(("u16", "b16"), "b16", lambda n, a: a << (n & 15)),
    "v_lshrrev_b16": Rule(("u16", "b16"), "b16", lambda n, a: a >> (n & 15)),
    "v_ashrrev_i16": Rule(("u16", "i16"), "i16", lambda n, a: a >> (n & 15)),
    "v_lshlrev_b64": Rule(("u32", "b64"), "b64", lambda n, a: a << (n & 63)),
    "v_lshrrev_b64": Rule(("u32", "b64"), "b64", lambda n, a: a >> (n & 63)),
    "v_ashrrev_i64": Rule(("u32", "i64"), "i64", lambda n, a: a >> (n & 63)),
    **{f"v_add_{kind}": _two(kind, lambda a, b: a + b, True) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_sub_{kind}": _two(kind, lambda a, b: a - b, True) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_subrev_{kind}": _two(kind, lambda a, b: b - a, True) for kind in ("u32", "u16")},
    **{f"v_min_{kind}": _two(kind, min) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_max_{kind}": _two(kind, max) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_min3_{kind}": _three(kind, min) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_max3_{kind}": _three(kind, max) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_med3_{kind}": _three(kind, _median) for kind in ("u32", "i32", "u16", "i16")},
    **{f"v_mad_{kind}": _three(kind, lambda a, b, c: a * b + c, True) for kind in ("u16", "i16")},
    **{f"v_mad_legacy_{kind}": _three(kind, lambda a, b, c: a * b + c, True) for kind in ("u16", "i16")},
    "v_mul_lo_u16": _two("u16", lambda a, b: a * b),
    "v_mul_lo_u32": _two("u32", lambda a, b: a * b),
    "v_mul_hi_u32": _two("u32", lambda a, b: a * b >> 32),
    "v_mul_hi_i32": _two("i32", lambda a, b: a * b >> 32),
    "v_mul_u32_u24": Rule(("u24", "u24"), "u32", lambda a, b: a * b, True),
    "v_mul_i32_i24": Rule(("i24", "i24"), "i32", lambda a, b: a * b, True),
    "v_mul_hi_u32_u24": Rule(("u24", "u24"), "u32", lambda a, b: a * b >> 32),
    "v_mul_hi_i32_i24": Rule(("i24", "i24"), "i32", lambda a, b: a * b >> 32),
    "v_mad_u32_u24": Rule(("u24", "u24", "u32"), "u32", lambda a, b, c: a * b + c, True),
    "v_mad_i32_i24": Rule(("i24", "i24", "i32"), "i32", lambda a, b, c: a * b + c, True),
    "v_mad_u32_u16": Rule(("u16", "u16", "u32"), "u32", lambda a, b, c: a * b + c, True),
    "v_mad_i32_i16": Rule(("i16", "i16", "i32"), "i32", lambda a, b, c: a * b + c, True),
    "v_add3_u32": _three("u32", lambda a, b, c: a + b + c),
    "v_or3_b32": _three("b32", lambda a, b, c: a | b | c),
    "v_and_or_b32": _three("b32", lambda a, b, c: a & b | c),
    "v_xad_u32": _three("u32", lambda a, b, c: (a ^ b) + c),
    "v_lshl_add_u32": _three("u32", lambda a, n, c: (a << (n & 31)) + c),
    "v_lshl_or_b32": _three("b32", lambda a, n, c: a << (n & 31) | c),
    "v_add_lshl_u32": _three("u32", lambda a, b, n: (a + b) << (n & 31)),
    "v_bfi_b32": _three("b32", lambda m, a, b: m & a | ~m & b),
    "v_bfm_b32": _two("b32", lambda size, start: ((1 << (size & 31)) - 1) << (start & 31)),
    "v_bfe_u32": _three("u32", _bfe),
    "v_bfe_i32": Rule(("i32", "u32", "u32"), "i32", _bfe_signed),
    "v_alignbit_b32": _three("b32", lambda a, b, n: (a << 32 | b) >> (n & 31)),
    "v_alignbyte_b32": _three("b32", lambda a, b, n: (a << 32 | b) >> 8 * (n & 3)),
    "v_perm_b32": _three("b32", _perm),
    "v_lerp_u8": _three("b32", _lerp),
    "v_sad_u8": _three("u32", _sad, True),
    "v_msad_u8": _three("u32", lambda a, b, c: _sad(a, b, c, True), True),
    "v_sad_hi_u8": _three("u32", lambda a, b, c: (_sad(a, b, 0) << 16) + c, True),
    "v_sad_u16": _three("u32", _halves, True),
    "v_sad_u32": _three("u32", lambda a, b, c: abs(a - b) + c, True),
    "v_bcnt_u32_b32": _two("u32", lambda a, b: a.bit_count() + b),
    "v_cvt_pk_u16_u32": _two("u32", lambda a, b: _limit(a, "u16") | _limit(b, "u16") << 16),
    "v_cvt_pk_i16_i32": Rule(
        ("i32", "i32"), "b32", lambda a, b: _limit(a, "i16") & 0xFFFF | (_limit(b, "i16") & 0xFFFF) << 16
    ),
    "v_sat_pk_u8_i16": Rule(
        ("b32",),
        "b32",
        lambda a: min(max(signed(a, 16), 0), 255) | min(max(signed(a >> 16, 16), 0), 255) << 8,
    ),
    "v_lshl_add_u64": Rule(("u64", "u32", "u64"), "u64", lambda a, n, c: (a << (n & 7)) + c),
    "v_prng_b32": Rule(("b32",), "b32", lambda a: a << 1 ^ (197 if a >> 31 else 0)),
}
KEEPS_HIGH = frozenset(("v_mad_u16", "v_mad_i16"))


@dataclass(frozen=True)
class Pick:
    """A part of a source dword: shift, bits, sign extension (SDWA)."""

    text: str
    shift: int
    bits: int

    def apply(self, value: int, extend: bool) -> int:
        part = value >> self.shift & (1 << self.bits) - 1
        return signed(part, self.bits) & M - 1 if extend else part


PARTS = [Pick(f"BYTE_{n}", 8 * n, 8) for n in range(4)] + [Pick(f"WORD_{n}", 16 * n, 16) for n in (0, 1)]


def _reference(
    rule: Rule, *, clamp: bool, keep: bool, change: Callable[[int, int], int] | None = None
) -> Reference:
    def run(env: Env, bits: Sequence[int]) -> int:
        given = [change(slot, each) if change else each for slot, each in enumerate(bits)]
        exact = rule.function(*[take(each, kind) for each, kind in zip(given, rule.kinds, strict=True)])
        width = BITS.get(rule.result, 32)
        value = (_limit(exact, rule.result) if clamp else exact) & (1 << width) - 1
        return value | OLD & 0xFFFF0000 if keep else value

    return run


def _sdwa(opcode: str, rule: Rule, arch: str) -> Iterator[Form]:
    count = len(rule.kinds)
    for number, part in enumerate(PARTS):
        for extend in (False, True):
            sources = ", ".join(f"sext({{{slot}}})" if extend else f"{{{slot}}}" for slot in range(count))
            select = " ".join(f"src{slot}_sel:{part.text}" for slot in range(count))
            change = lambda slot, value, part=part, extend=extend: part.apply(value, extend)  # noqa: E731
            plain = _reference(rule, clamp=False, keep=False, change=change)
            yield Form(
                f"{opcode}_sdwa {{d}}, {sources} dst_sel:DWORD dst_unused:UNUSED_PAD {select}",
                rule.kinds,
                rule.result,
                plain,
                arch=arch,
            )
            target = PARTS[(number + 2) % len(PARTS)]
            for unused in ("UNUSED_PAD", "UNUSED_SEXT", "UNUSED_PRESERVE"):
                if extend and unused != "UNUSED_PRESERVE":
                    continue
                yield Form(
                    f"{opcode}_sdwa {{d}}, {sources} dst_sel:{target.text} dst_unused:{unused} {select}",
                    rule.kinds,
                    rule.result,
                    _placed(plain, target, unused),
                    arch=arch,
                )


def _placed(plain: Reference, target: Pick, unused: str) -> Reference:
    def run(env: Env, bits: Sequence[int]) -> int:
        value = plain(env, bits) or 0
        field = (value & (1 << target.bits) - 1) << target.shift
        if unused == "UNUSED_PRESERVE":
            return OLD & ~(((1 << target.bits) - 1) << target.shift) | field
        if unused == "UNUSED_SEXT":
            return signed(field, target.shift + target.bits) & M - 1
        return field

    return run


SDWA_TRIED = frozenset(
    ("v_add_u32", "v_and_b32", "v_lshlrev_b32", "v_mul_u32_u24", "v_max_i32", "v_mov_b32", "v_add_u16")
)
"""Opcodes tried with every selection; SDWA is the same for all (lane_select)."""


def integer_forms() -> list[Form]:
    """Every form of every opcode above."""
    found: list[Form] = []
    for opcode, rule in RULES.items():
        info = opcode_table()[opcode]
        arch = "gfx942" if "gfx942" in info.archs else "gfx950"
        sources = ", ".join(f"{{{slot}}}" for slot in range(len(rule.kinds)))
        keep = opcode in KEEPS_HIGH
        plain = _reference(rule, clamp=False, keep=keep)

        def make(
            encoding: str,
            tail: str = "",
            function: Reference = plain,
            rule: Rule = rule,
            arch: str = arch,
            opcode: str = opcode,
            sources: str = sources,
        ) -> Form:
            text = f"{opcode}{encoding} {{d}}, {sources} {tail}".rstrip()
            return Form(text, rule.kinds, rule.result, function, arch=arch)

        two_encodings = info.format in ("VOP1", "VOP2")
        e64 = "_e64" if two_encodings else ""
        found.append(make(e64))
        if two_encodings:
            found.append(make("_e32"))
            found.append(make("_dpp", "quad_perm:[0,1,2,3] row_mask:0xf bank_mask:0xf"))
        if rule.clamps:
            found.append(make(e64, "clamp", _reference(rule, clamp=True, keep=keep)))
        if opcode in SDWA_TRIED:
            found += _sdwa(opcode, rule, arch)
    return found
