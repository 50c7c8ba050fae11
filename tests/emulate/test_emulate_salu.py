"""Scalar ALU against Python integers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from emulate_harness import execute
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wavesim.emulate.state import EXEC, SCC, VCC, State

U32 = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 31, 32, 2**31 - 1, 2**31, 2**32 - 1])
M = 2**32


def signed(value: int) -> int:
    return value - M if value >= M // 2 else value


def bits(value: int) -> int:
    return value % M


CASES: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "s_add_u32": lambda a, b: (bits(a + b), a + b >= M),
    "s_sub_u32": lambda a, b: (bits(a - b), b > a),
    "s_add_i32": lambda a, b: (bits(a + b), not -(2**31) <= signed(a) + signed(b) < 2**31),
    "s_sub_i32": lambda a, b: (bits(a - b), not -(2**31) <= signed(a) - signed(b) < 2**31),
    "s_and_b32": lambda a, b: (a & b, a & b != 0),
    "s_or_b32": lambda a, b: (a | b, a | b != 0),
    "s_xor_b32": lambda a, b: (a ^ b, a ^ b != 0),
    "s_andn2_b32": lambda a, b: (a & ~b, a & ~b != 0),
    "s_nor_b32": lambda a, b: (bits(~(a | b)), bits(~(a | b)) != 0),
    "s_lshl_b32": lambda a, b: (bits(a << b % 32), bits(a << b % 32) != 0),
    "s_lshr_b32": lambda a, b: (a >> b % 32, a >> b % 32 != 0),
    "s_ashr_i32": lambda a, b: (bits(signed(a) >> b % 32), bits(signed(a) >> b % 32) != 0),
    "s_min_u32": lambda a, b: (min(a, b), a < b),
    "s_max_i32": lambda a, b: (bits(max(signed(a), signed(b))), signed(a) >= signed(b)),
    "s_absdiff_i32": lambda a, b: (bits(abs(signed(bits(a - b)))), a != b),
    "s_lshl3_add_u32": lambda a, b: (bits(bits(a << 3) + b), (a << 3) + b >= M),
}
NO_SCC: dict[str, Callable[[int, int], int]] = {
    "s_mul_i32": lambda a, b: bits(a * b),
    "s_mul_hi_u32": lambda a, b: a * b >> 32,
    "s_mul_hi_i32": lambda a, b: bits(signed(a) * signed(b) >> 32),
    "s_pack_ll_b32_b16": lambda a, b: a & 0xFFFF | (b & 0xFFFF) << 16,
    "s_pack_hh_b32_b16": lambda a, b: a >> 16 | b & 0xFFFF0000,
    "s_bfm_b32": lambda a, b: bits(((1 << a % 32) - 1) << b % 32),
}


@settings(max_examples=25)
@given(U32, U32)
@example(2**31, 2**31 - 1)
def test_two_operand_results(a: int, b: int) -> None:
    def setup(state: State) -> None:
        state.sgpr[4], state.sgpr[5] = a, b

    text, row = "", 10
    for opcode in CASES:
        text += f" {opcode} s{row}, s4, s5\n s_cselect_b32 s{row + 1}, 1, 0\n"
        row += 2
    for opcode in NO_SCC:
        text += f" {opcode} s{row}, s4, s5\n"
        row += 1
    outcome = execute(text, setup)
    row = 10
    for opcode, function in CASES.items():
        value, scc = function(a, b)
        assert (outcome.s(row), outcome.s(row + 1)) == (value, int(scc)), opcode
        row += 2
    for opcode, result in NO_SCC.items():
        assert outcome.s(row) == result(a, b), opcode
        row += 1


@settings(max_examples=25)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_64_bits(a: int, b: int) -> None:
    def setup(state: State) -> None:
        state.sgpr[4], state.sgpr[5] = a % M, a // M
        state.sgpr[6], state.sgpr[7] = b % M, b // M

    outcome = execute(
        """
        s_add_u32 s10, s4, s6
        s_addc_u32 s11, s5, s7
        s_sub_u32 s12, s4, s6
        s_subb_u32 s13, s5, s7
        s_xor_b64 s[14:15], s[4:5], s[6:7]
        s_lshl_b64 s[16:17], s[4:5], s6
        s_ashr_i64 s[18:19], s[4:5], s6
        s_cmp_eq_u64 s[4:5], s[6:7]
        s_cselect_b64 s[20:21], s[4:5], s[6:7]
        s_bcnt1_i32_b64 s22, s[4:5]
        s_ff1_i32_b64 s23, s[4:5]
        s_flbit_i32_b64 s24, s[4:5]
        s_not_b64 s[26:27], s[4:5]
        """,
        setup,
    )
    whole = 2**64
    wide_signed = a - whole if a >= whole // 2 else a
    assert outcome.s64(10) == (a + b) % whole
    assert outcome.s64(12) == (a - b) % whole
    assert outcome.s64(14) == a ^ b
    assert outcome.s64(16) == (a << b % 64) % whole
    assert outcome.s64(18) == (wide_signed >> b % 64) % whole
    assert outcome.s64(20) == (a if a == b else b)
    assert outcome.s(22) == a.bit_count()
    assert outcome.s(23) == ((a & -a).bit_length() - 1) % M
    assert outcome.s(24) == (64 - a.bit_length() if a else M - 1)
    assert outcome.s64(26) == whole - 1 - a


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("s_movk_i32 s4, 0xff80", 4, M - 128),
        ("s_mov_b64 s[4:5], -1", 5, M - 1),
        ("s_mov_b32 s4, 1.0", 4, 0x3F800000),
        ("s_mov_b32 s4, 0x80000001\n s_bfe_u32 s4, s4, 0x1001f", 4, 1),
        ("s_mov_b32 s4, 0x80\n s_bfe_i32 s4, s4, 0x80000", 4, M - 128),
        ("s_mov_b32 s4, 0x80\n s_sext_i32_i8 s4, s4", 4, M - 128),
        ("s_mov_b32 s4, 1\n s_brev_b32 s4, s4", 4, 1 << 31),
        ("s_mov_b32 s4, 5\n s_cmpk_lt_i32 s4, 0x80\n s_cselect_b32 s4, 7, 9", 4, 7),
        ("s_mov_b32 s4, -5\n s_cmpk_gt_i32 s4, 0xfff0\n s_cselect_b32 s4, 7, 9", 4, 7),
        ("s_mov_b32 s4, 3\n s_addk_i32 s4, 0xffff", 4, 2),
        ("s_mov_b32 s4, 3\n s_mulk_i32 s4, 0xfffe", 4, M - 6),
        ("s_mov_b32 s4, 0\n s_bitset1_b32 s4, 5", 4, 32),
        ("s_mov_b32 s4, 8\n s_bitcmp1_b32 s4, 3\n s_cselect_b32 s4, 1, 0", 4, 1),
        ("s_mov_b32 s4, 1\n s_cmp_lg_u32 s4, 1\n s_cmov_b32 s4, 9", 4, 1),
        ("s_mov_b32 s4, -7\n s_abs_i32 s4, s4", 4, 7),
    ],
)
def test_single(text: str, row: int, value: int) -> None:
    assert execute(text).s(row) == value


def test_saveexec_changes_exec_and_scc() -> None:
    outcome = execute(
        """
        s_mov_b64 vcc, 0xff
        s_and_saveexec_b64 s[4:5], vcc
        v_mov_b32 v1, 7
        s_mov_b64 exec, s[4:5]
        """,
        lambda state: state.vgpr.__setitem__(1, 3),
    )
    assert outcome.s64(4) == 2**64 - 1
    assert outcome.s64(EXEC) == 2**64 - 1
    assert outcome.s64(VCC) == 0xFF
    assert outcome.s(SCC) == 1
    assert outcome.v(1)[0].tolist() == [7] * 8 + [3] * 56


def test_exec_written_by_halves_counts() -> None:
    outcome = execute(
        "s_mov_b32 exec_lo, 1\n s_mov_b32 exec_hi, 0\n v_mov_b32 v1, 7\n s_mov_b64 exec, -1",
        lambda state: state.vgpr.__setitem__(1, 3),
    )
    assert outcome.v(1)[0].tolist() == [7] + [3] * 63
