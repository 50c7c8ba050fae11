"""Scalar ALU opcodes with their SCC against Python integers (CDNA3 ISA, 12.1 to 12.4), on edge values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from emulate_harness import execute
from integer_forms import M, _from_bottom, _from_top, _limit, _reverse, _unlike_sign, signed

from wavesim.emulate.state import State

W = 1 << 64
Result = tuple[int, int | None]
EDGES = (
    0,
    1,
    2,
    5,
    31,
    32,
    63,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0x80000001,
    0xFFFFFFFE,
)
MORE = (0xFFFFFFFF, 0x00050003, 0x00200000, 0x001F0001, 0x0008001C, 0x00400020, 0xAAAAAAAA, 0x0000F00F)


def _nonzero(value: int, bits: int = 32) -> Result:
    value &= (1 << bits) - 1
    return value, int(value != 0)


def _add_signed(a: int, b: int) -> Result:
    exact = signed(a, 32) + signed(b, 32)
    return exact % M, int(exact != _limit(exact, "i32"))


def _subtract_signed(a: int, b: int) -> Result:
    exact = signed(a, 32) - signed(b, 32)
    return exact % M, int(exact != _limit(exact, "i32"))


def _absolute_difference(a: int, b: int) -> Result:
    difference = signed(a - b, 32)
    return _nonzero(-difference if difference < 0 else difference)


def _extract(value: int, control: int, bits: int, *, sign: bool) -> Result:
    start, size = control & bits - 1, min(control >> 16 & 127, bits)
    field = (signed(value, bits) >> start) if sign else value >> start
    field &= (1 << size) - 1
    return _nonzero(signed(field, size) if sign and size else field, bits)


def _spread(value: int) -> int:
    return sum(3 << 2 * place for place in range(32) if value >> place & 1)


def _quads(value: int, bits: int, *, whole: bool) -> Result:
    result = 0
    for quad in range(bits // 4):
        if value >> 4 * quad & 15:
            result |= 15 << 4 * quad if whole else 1 << quad
    return _nonzero(result, bits)


TWO_32: dict[str, Callable[[int, int, int], Result]] = {
    "s_add_u32": lambda a, b, s: ((a + b) % M, int(a + b >= M)),
    "s_sub_u32": lambda a, b, s: ((a - b) % M, int(b > a)),
    "s_add_i32": lambda a, b, s: _add_signed(a, b),
    "s_sub_i32": lambda a, b, s: _subtract_signed(a, b),
    "s_addc_u32": lambda a, b, s: ((a + b + s) % M, int(a + b + s >= M)),
    "s_subb_u32": lambda a, b, s: ((a - b - s) % M, int(b + s > a)),
    "s_min_i32": lambda a, b, s: (min(a, b, key=lambda x: signed(x, 32)), int(signed(a, 32) < signed(b, 32))),
    "s_max_i32": lambda a, b, s: (
        max(a, b, key=lambda x: signed(x, 32)),
        int(signed(a, 32) >= signed(b, 32)),
    ),
    "s_min_u32": lambda a, b, s: (min(a, b), int(a < b)),
    "s_max_u32": lambda a, b, s: (max(a, b), int(a >= b)),
    "s_cselect_b32": lambda a, b, s: (a if s else b, s),
    "s_and_b32": lambda a, b, s: _nonzero(a & b),
    "s_or_b32": lambda a, b, s: _nonzero(a | b),
    "s_xor_b32": lambda a, b, s: _nonzero(a ^ b),
    "s_andn2_b32": lambda a, b, s: _nonzero(a & ~b),
    "s_orn2_b32": lambda a, b, s: _nonzero(a | ~b),
    "s_nand_b32": lambda a, b, s: _nonzero(~(a & b)),
    "s_nor_b32": lambda a, b, s: _nonzero(~(a | b)),
    "s_xnor_b32": lambda a, b, s: _nonzero(~(a ^ b)),
    "s_lshl_b32": lambda a, b, s: _nonzero(a << (b & 31)),
    "s_lshr_b32": lambda a, b, s: _nonzero(a >> (b & 31)),
    "s_ashr_i32": lambda a, b, s: _nonzero(signed(a, 32) >> (b & 31)),
    "s_bfm_b32": lambda a, b, s: ((((1 << (a & 31)) - 1) << (b & 31)) % M, s),
    "s_mul_i32": lambda a, b, s: (a * b % M, s),
    "s_mul_hi_u32": lambda a, b, s: (a * b >> 32, s),
    "s_mul_hi_i32": lambda a, b, s: ((signed(a, 32) * signed(b, 32) >> 32) % M, s),
    "s_bfe_u32": lambda a, b, s: _extract(a, b, 32, sign=False),
    "s_bfe_i32": lambda a, b, s: _extract(a, b, 32, sign=True),
    "s_absdiff_i32": lambda a, b, s: _absolute_difference(a, b),
    **{
        f"s_lshl{n}_add_u32": lambda a, b, s, n=n: (((a << n) + b) % M, int((a << n) + b >= M))
        for n in (1, 2, 3, 4)
    },
    "s_pack_ll_b32_b16": lambda a, b, s: (a & 0xFFFF | (b & 0xFFFF) << 16, s),
    "s_pack_lh_b32_b16": lambda a, b, s: (a & 0xFFFF | b & 0xFFFF0000, s),
    "s_pack_hh_b32_b16": lambda a, b, s: (a >> 16 | b & 0xFFFF0000, s),
}
ONE_32: dict[str, Callable[[int, int], Result]] = {
    "s_mov_b32": lambda a, s: (a, s),
    "s_not_b32": lambda a, s: _nonzero(~a),
    "s_wqm_b32": lambda a, s: _quads(a, 32, whole=True),
    "s_quadmask_b32": lambda a, s: _quads(a, 32, whole=False),
    "s_brev_b32": lambda a, s: (_reverse(a, 32), s),
    "s_bcnt0_i32_b32": lambda a, s: _nonzero(32 - a.bit_count()),
    "s_bcnt1_i32_b32": lambda a, s: _nonzero(a.bit_count()),
    "s_ff0_i32_b32": lambda a, s: (_from_bottom(~a % M, 32) % M, s),
    "s_ff1_i32_b32": lambda a, s: (_from_bottom(a, 32) % M, s),
    "s_flbit_i32_b32": lambda a, s: (_from_top(a, 32) % M, s),
    "s_flbit_i32": lambda a, s: (_unlike_sign(a, 32) % M, s),
    "s_sext_i32_i8": lambda a, s: (signed(a, 8) % M, s),
    "s_sext_i32_i16": lambda a, s: (signed(a, 16) % M, s),
    "s_abs_i32": lambda a, s: _nonzero(abs(signed(a, 32))),
}
TWO_64: dict[str, Callable[[int, int], Result]] = {
    "s_and_b64": lambda a, b: _nonzero(a & b, 64),
    "s_or_b64": lambda a, b: _nonzero(a | b, 64),
    "s_xor_b64": lambda a, b: _nonzero(a ^ b, 64),
    "s_andn2_b64": lambda a, b: _nonzero(a & ~b, 64),
    "s_orn2_b64": lambda a, b: _nonzero(a | ~b, 64),
    "s_nand_b64": lambda a, b: _nonzero(~(a & b), 64),
    "s_nor_b64": lambda a, b: _nonzero(~(a | b), 64),
    "s_xnor_b64": lambda a, b: _nonzero(~(a ^ b), 64),
}
SHIFT_64: dict[str, Callable[[int, int], Result]] = {
    "s_lshl_b64": lambda a, n: _nonzero(a << (n & 63), 64),
    "s_lshr_b64": lambda a, n: _nonzero(a >> (n & 63), 64),
    "s_ashr_i64": lambda a, n: _nonzero(signed(a, 64) >> (n & 63), 64),
    "s_bfe_u64": lambda a, n: _extract(a, n, 64, sign=False),
    "s_bfe_i64": lambda a, n: _extract(a, n, 64, sign=True),
}
ONE_64: dict[str, tuple[int, Callable[[int, int], Result]]] = {
    "s_not_b64": (2, lambda a, s: _nonzero(~a, 64)),
    "s_wqm_b64": (2, lambda a, s: _quads(a, 64, whole=True)),
    "s_quadmask_b64": (2, lambda a, s: _quads(a, 64, whole=False)),
    "s_brev_b64": (2, lambda a, s: (_reverse(a, 64), s)),
    "s_bcnt0_i32_b64": (1, lambda a, s: _nonzero(64 - a.bit_count())),
    "s_bcnt1_i32_b64": (1, lambda a, s: _nonzero(a.bit_count())),
    "s_ff0_i32_b64": (1, lambda a, s: (_from_bottom(~a % W, 64) % M, s)),
    "s_ff1_i32_b64": (1, lambda a, s: (_from_bottom(a, 64) % M, s)),
    "s_flbit_i32_b64": (1, lambda a, s: (_from_top(a, 64) % M, s)),
    "s_flbit_i32_i64": (1, lambda a, s: (_unlike_sign(a, 64) % M, s)),
}
SCALAR_COUNT = len(TWO_32) + len(ONE_32) + len(TWO_64) + len(SHIFT_64) + len(ONE_64)
WAVES = 16


def points(count: int, *, wide: bool) -> np.ndarray:
    generator = np.random.default_rng(count)
    edge = np.array((*EDGES, *MORE), np.uint64)
    low = np.concatenate([generator.choice(edge, count), generator.integers(0, M, count, dtype=np.uint64)])
    if not wide:
        return low
    return low | np.concatenate([generator.choice(edge, 2 * count)]) << np.uint64(32)


def run(
    opcodes: list[str], text: Callable[[str, int], str], a: np.ndarray, b: np.ndarray, s: np.ndarray
) -> list[list[int]]:
    """Per opcode, dwords of s[row:row+1] and SCC of each point."""
    found: list[list[int]] = []
    for start in range(0, len(a), WAVES):
        part = slice(start, start + WAVES)

        def setup(state: State, part: slice = part) -> None:
            for row, values in ((4, a[part]), (6, b[part])):
                state.sgpr[row, : len(values)] = values.astype(np.uint32)
                state.sgpr[row + 1, : len(values)] = (values >> np.uint64(32)).astype(np.uint32)
            state.sgpr[8, : len(s[part])] = s[part]

        lines = [
            f"s_cmp_eq_u32 s8, 1\n{text(opcode, row)}\n s_cselect_b32 s{row + 2}, 1, 0"
            for row, opcode in zip(range(10, 97, 3), opcodes, strict=False)
        ]
        outcome = execute("\n".join(lines), setup, waves=WAVES)
        rows = outcome.state.sgpr[10 : 10 + 3 * len(opcodes), : len(a[part])]
        found += rows.T.tolist()
    return found


def compare(
    opcodes: list[str],
    text: Callable[[str, int], str],
    rule: Callable[..., Result],
    dwords: Callable[[str], int],
    inputs: tuple[np.ndarray, np.ndarray],
) -> list[str]:
    a, b = inputs
    s = np.arange(len(a), dtype=np.uint32) % 2
    wrong = []
    for start in range(0, len(opcodes), 29):
        some = opcodes[start : start + 29]
        for at, row in enumerate(run(some, text, a, b, s)):
            for place, opcode in enumerate(some):
                value, scc = rule(opcode, int(a[at]), int(b[at]), int(s[at]))
                low, high, flag = row[3 * place : 3 * place + 3]
                got = low | high << 32 if dwords(opcode) == 2 else low
                if (got, flag) != (value, int(s[at]) if scc is None else scc):
                    wrong.append(
                        f"{opcode} of {int(a[at]):#x}, {int(b[at]):#x}: {got:#x} {flag}, not {value:#x} {scc}"
                    )
    return wrong[:20]


def test_two_sources_of_32_bits() -> None:
    wrong = compare(
        list(TWO_32),
        lambda opcode, row: f"{opcode} s{row}, s4, s6",
        lambda opcode, a, b, s: TWO_32[opcode](a, b, s),
        lambda opcode: 1,
        (points(96, wide=False), np.roll(points(96, wide=False), 31)),
    )
    assert not wrong, "\n".join(wrong)


def test_one_source_of_32_bits() -> None:
    inputs = points(48, wide=False)
    wrong = compare(
        list(ONE_32),
        lambda opcode, row: f"{opcode} s{row}, s4",
        lambda opcode, a, b, s: ONE_32[opcode](a, s),
        lambda opcode: 1,
        (inputs, inputs),
    )
    assert not wrong, "\n".join(wrong)


def test_64_bits() -> None:
    wide, other = points(48, wide=True), np.roll(points(48, wide=True), 7)

    every = [*TWO_64, *SHIFT_64, *ONE_64]

    def text(opcode: str, row: int) -> str:
        if opcode in TWO_64:
            line = f"{opcode} s[96:97], s[4:5], s[6:7]"
        elif opcode in SHIFT_64:
            line = f"{opcode} s[96:97], s[4:5], s6"
        else:
            target = "s[96:97]" if ONE_64[opcode][0] == 2 else "s96"
            line = f"{opcode} {target}, s[4:5]"
        return f"{line}\n s_mov_b32 s{row}, s96\n s_mov_b32 s{row + 1}, s97"

    def rule(opcode: str, a: int, b: int, s: int) -> Result:
        if opcode in TWO_64:
            return TWO_64[opcode](a, b)
        return SHIFT_64[opcode](a, b & 0xFFFFFFFF) if opcode in SHIFT_64 else ONE_64[opcode][1](a, s)

    def dwords(opcode: str) -> int:
        return ONE_64[opcode][0] if opcode in ONE_64 else 2

    wrong = compare(every, text, rule, dwords, (wide, other))
    assert not wrong, "\n".join(wrong)
