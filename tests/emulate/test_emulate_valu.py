"""Vector ALU against Python integers and numpy floats, with EXEC, modifiers, DPP and SDWA."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from emulate_harness import execute
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.emulate.state import EXEC, State

M = 2**32
LANES = np.arange(64)


def signed(value: int) -> int:
    return value - M if value >= M // 2 else value


def random_state(seed: int) -> Callable[[State], None]:
    generator = np.random.default_rng(seed)

    def setup(state: State) -> None:
        shape = state.vgpr[1:9].shape
        state.vgpr[1:9] = generator.integers(0, M, shape, dtype=np.uint64).astype(np.uint32)
        state.vgpr[1, :, :8] = np.array([0, 1, M - 1, M // 2, M // 2 - 1, 31, 0x80, 0xFFFF])
        state.sgpr[4:12] = generator.integers(0, M, state.sgpr[4:12].shape, dtype=np.uint64).astype(np.uint32)

    return setup


def mul24(a: int, b: int) -> int:
    return (a & 0xFFFFFF) * (b & 0xFFFFFF) % M


def perm(a: int, b: int, selector: int) -> int:
    octets = list(b.to_bytes(4, "little")) + list(a.to_bytes(4, "little"))
    result = []
    for pick in selector.to_bytes(4, "little"):
        if pick < 8:
            result.append(octets[pick])
        elif pick < 12:
            result.append(255 if octets[2 * (pick - 8) + 1] & 0x80 else 0)
        else:
            result.append(0 if pick == 12 else 255)
    return int.from_bytes(bytes(result), "little")


def bfe_signed(a: int, b: int, c: int) -> int:
    start, size = b % 32, c % 32
    if not size:
        return 0
    size = min(size, 32 - start)
    field = a >> start & (1 << size) - 1
    return (field - (1 << size) if field >> (size - 1) else field) % M


INTEGER: dict[str, Callable[[int, int, int], int]] = {
    "v_add_u32 v20, v1, v2": lambda a, b, c: (a + b) % M,
    "v_sub_u32 v20, v1, v2": lambda a, b, c: (a - b) % M,
    "v_subrev_u32 v20, v1, v2": lambda a, b, c: (b - a) % M,
    "v_add_u32 v20, v1, v2 clamp": lambda a, b, c: min(a + b, M - 1),
    "v_mul_lo_u32 v20, v1, v2": lambda a, b, c: a * b % M,
    "v_mul_hi_u32 v20, v1, v2": lambda a, b, c: a * b >> 32,
    "v_mul_hi_i32 v20, v1, v2": lambda a, b, c: (signed(a) * signed(b) >> 32) % M,
    "v_mul_u32_u24 v20, v1, v2": lambda a, b, c: mul24(a, b),
    "v_mad_u32_u24 v20, v1, v2, v3": lambda a, b, c: (mul24(a, b) + c) % M,
    "v_and_b32 v20, v1, v2": lambda a, b, c: a & b,
    "v_or3_b32 v20, v1, v2, v3": lambda a, b, c: a | b | c,
    "v_xor_b32 v20, v1, v2": lambda a, b, c: a ^ b,
    "v_not_b32 v20, v1": lambda a, b, c: M - 1 - a,
    "v_lshlrev_b32 v20, v1, v2": lambda a, b, c: (b << a % 32) % M,
    "v_lshrrev_b32 v20, v1, v2": lambda a, b, c: b >> a % 32,
    "v_ashrrev_i32 v20, v1, v2": lambda a, b, c: (signed(b) >> a % 32) % M,
    "v_lshl_add_u32 v20, v1, v2, v3": lambda a, b, c: ((a << b % 32) + c) % M,
    "v_add_lshl_u32 v20, v1, v2, v3": lambda a, b, c: ((a + b) << c % 32) % M,
    "v_lshl_or_b32 v20, v1, v2, v3": lambda a, b, c: (a << b % 32) % M | c,
    "v_and_or_b32 v20, v1, v2, v3": lambda a, b, c: a & b | c,
    "v_add3_u32 v20, v1, v2, v3": lambda a, b, c: (a + b + c) % M,
    "v_xad_u32 v20, v1, v2, v3": lambda a, b, c: ((a ^ b) + c) % M,
    "v_bfe_u32 v20, v1, v2, v3": lambda a, b, c: a >> b % 32 & (1 << c % 32) - 1,
    "v_bfe_i32 v20, v1, v2, v3": bfe_signed,
    "v_bfi_b32 v20, v1, v2, v3": lambda a, b, c: a & b | ~a % M & c,
    "v_alignbit_b32 v20, v1, v2, v3": lambda a, b, c: ((a << 32 | b) >> c % 32) % M,
    "v_perm_b32 v20, v1, v2, v3": lambda a, b, c: perm(a, b, c & 0x0F0F0F0F | 0),
    "v_min_u32 v20, v1, v2": lambda a, b, c: min(a, b),
    "v_max_i32 v20, v1, v2": lambda a, b, c: max(signed(a), signed(b)) % M,
    "v_med3_i32 v20, v1, v2, v3": lambda a, b, c: sorted([signed(a), signed(b), signed(c)])[1] % M,
    "v_bfrev_b32 v20, v1": lambda a, b, c: int(f"{a:032b}"[::-1], 2),
    "v_ffbl_b32 v20, v1": lambda a, b, c: ((a & -a).bit_length() - 1) % M,
    "v_ffbh_u32 v20, v1": lambda a, b, c: 32 - a.bit_length() if a else M - 1,
    "v_bcnt_u32_b32 v20, v1, v2": lambda a, b, c: (a.bit_count() + b) % M,
    "v_mad_i32_i24 v20, v1, v2, 1": lambda a, b, c: (_s24(a) * _s24(b) + 1) % M,
    "v_add_u16 v20, v1, v2": lambda a, b, c: (a + b) & 0xFFFF,
    "v_pk_add_u16 v20, v1, v2": lambda a, b, c: (a + b) & 0xFFFF | ((a >> 16) + (b >> 16) & 0xFFFF) << 16,
    "v_cvt_f32_ubyte2 v20, v1": lambda a, b, c: int(np.float32(a >> 16 & 255).view(np.uint32)),
    "v_add_u32_sdwa v20, v1, v2 dst_sel:WORD_1 dst_unused:UNUSED_PAD src0_sel:BYTE_1 src1_sel:WORD_1": (
        lambda a, b, c: ((a >> 8 & 255) + (b >> 16) & 0xFFFF) << 16
    ),
    "v_sad_u8 v20, v1, v2, v3": lambda a, b, c: (
        (sum(abs((a >> s & 255) - (b >> s & 255)) for s in (0, 8, 16, 24)) + c) % M
    ),
}


def _s24(value: int) -> int:
    value &= 0xFFFFFF
    return value - (1 << 24) if value >> 23 else value


@pytest.mark.parametrize("text", INTEGER)
def test_integer(text: str) -> None:
    prelude = "v_and_b32 v3, 0x0f0f0f0f, v3\n" if "perm" in text else ""
    outcome = execute(prelude + text, random_state(1), waves=2)
    for wave in (0, 1):
        a, b, c = (outcome.v(row)[wave].tolist() for row in (1, 2, 3))
        expected = [INTEGER[text](*each) for each in zip(a, b, c, strict=True)]
        assert outcome.v(20)[wave].tolist() == expected


def test_bitop3_is_any_function_of_three_bits() -> None:
    for table in (0xD8, 0x80, 0xFE, 0x96):
        outcome = execute(f"v_bitop3_b32 v20, v1, v2, v3 bitop3:{table:#x}", random_state(2), arch="gfx950")
        a, b, c = (outcome.v(row)[0] for row in (1, 2, 3))
        for bit in (0, 7, 31):
            index = (a >> bit & 1) << 2 | (b >> bit & 1) << 1 | c >> bit & 1
            assert (outcome.v(20)[0] >> bit & 1 == table >> index & 1).all()


@settings(max_examples=15)
@given(st.integers(0, 2**31))
def test_64_bit_adds_by_carry_chain_and_wide_multiply(seed: int) -> None:
    outcome = execute(
        """
        v_add_co_u32 v20, vcc, v1, v3
        v_addc_co_u32 v21, vcc, v2, v4, vcc
        v_sub_co_u32 v22, s[14:15], v1, v3
        v_subb_co_u32 v23, s[14:15], v2, v4, s[14:15]
        v_mad_u64_u32 v[24:25], s[16:17], v1, v3, v[4:5]
        v_mad_i64_i32 v[26:27], s[16:17], v1, v3, v[4:5]
        v_lshl_add_u64 v[28:29], v[1:2], 3, v[4:5]
        v_lshlrev_b64 v[30:31], v3, v[1:2]
        v_mov_b64 v[32:33], v[1:2]
        """,
        random_state(seed),
    )

    def wide(row: int) -> list[int]:
        return [
            low | high << 32
            for low, high in zip(*(outcome.v(r)[0].tolist() for r in (row, row + 1)), strict=True)
        ]

    whole = 2**64
    for lane, (a, b, c) in enumerate(zip(wide(1), wide(3), wide(4), strict=True)):
        low_a, low_b = a % M, b % M
        assert wide(20)[lane] == (a + b) % whole
        assert wide(22)[lane] == (a - b) % whole
        assert wide(24)[lane] == (low_a * low_b + c) % whole
        assert wide(26)[lane] == (signed(low_a) * signed(low_b) + c) % whole
        assert wide(28)[lane] == ((a << 3) + c) % whole
        assert wide(30)[lane] == (a << low_b % 64) % whole
        assert wide(32)[lane] == a


def floats(seed: int) -> Callable[[State], None]:
    generator = np.random.default_rng(seed)

    def setup(state: State) -> None:
        for row in range(1, 7):
            values = (generator.standard_normal(state.vgpr[row].shape) * 4).astype(np.float32)
            values[:, :4] = [0.0, -0.0, 1.0, 65504.0]
            state.vgpr[row] = values.view(np.uint32)

    return setup


FLOAT: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "v_add_f32 v20, v1, v2": lambda a, b, c: a + b,
    "v_sub_f32 v20, v1, v2": lambda a, b, c: a - b,
    "v_mul_f32 v20, -v1, |v2|": lambda a, b, c: -a * abs(b),
    "v_add_f32 v20, v1, v2 mul:2": lambda a, b, c: a + b,  # IEEE mode: the factor has no effect
    "v_mul_f32 v20, v1, v2 div:2 clamp": lambda a, b, c: np.clip(a * b, 0, 1),
    "v_mul_f32 v20, v1, v2 clamp": lambda a, b, c: np.clip(a * b, 0, 1),
    "v_fma_f32 v20, v1, v2, -v3": lambda a, b, c: (a.astype(float) * b - c).astype(np.float32),
    "v_max_f32 v20, 0, v1": lambda a, b, c: np.maximum(a, 0),
    "v_med3_f32 v20, v1, v2, v3": lambda a, b, c: np.sort([a, b, c], axis=0)[1],
    "v_rcp_f32 v20, v3": lambda a, b, c: 1 / c,
    "v_exp_f32 v20, v1": lambda a, b, c: np.exp2(a),
    "v_sqrt_f32 v20, |v1|": lambda a, b, c: np.sqrt(abs(a)),
    "v_floor_f32 v20, v1": lambda a, b, c: np.floor(a),
    "v_rndne_f32 v20, v1": lambda a, b, c: np.rint(a),
    "v_fract_f32 v20, v1": lambda a, b, c: a - np.floor(a),
    "v_ldexp_f32 v20, v1, 3": lambda a, b, c: a * 8,
    "v_mul_f32 v20, 0.5, v1": lambda a, b, c: a / 2,
    "v_fmac_f32 v20, v1, v2": lambda a, b, c: (a.astype(float) * b + 1).astype(np.float32),
    "v_fmamk_f32 v20, v1, 0x40400000, v2": lambda a, b, c: (a.astype(float) * 3 + b).astype(np.float32),
}


@pytest.mark.parametrize("text", FLOAT)
def test_float(text: str) -> None:
    outcome = execute("v_mov_b32 v20, 1.0\n" + text, floats(3))
    a, b, c = (outcome.v(row, np.float32)[0] for row in (1, 2, 3))
    with np.errstate(all="ignore"):
        expected = FLOAT[text](a, b, c)
    np.testing.assert_array_max_ulp(outcome.v(20, np.float32)[0], expected.astype(np.float32), 1)


def test_packed_f32_selects_halves_and_signs() -> None:
    outcome = execute(
        """
        v_pk_add_f32 v[20:21], v[1:2], v[3:4]
        v_pk_mul_f32 v[22:23], v[1:2], v[3:4] op_sel:[0,1] op_sel_hi:[1,0] neg_lo:[1,0]
        v_pk_fma_f32 v[24:25], v[1:2], v[3:4], v[5:6] op_sel_hi:[0,1,1]
        v_pk_mov_b32 v[26:27], v[1:2], v[3:4] op_sel:[1,0]
        """,
        floats(4),
    )
    v = [outcome.v(row, np.float32)[0] for row in range(30)]
    np.testing.assert_array_equal(v[20], v[1] + v[3])
    np.testing.assert_array_equal(v[21], v[2] + v[4])
    np.testing.assert_array_equal(v[22], -v[1] * v[4])
    np.testing.assert_array_equal(v[23], v[2] * v[3])
    np.testing.assert_array_max_ulp(v[25], (v[1].astype(float) * v[4] + v[6]).astype(np.float32))
    np.testing.assert_array_equal(v[26], v[2])
    np.testing.assert_array_equal(v[27], v[3])


def test_half_precision_and_conversions() -> None:
    outcome = execute(
        """
        v_cvt_f16_f32 v20, v1
        v_cvt_f32_f16 v21, v20
        v_cvt_pkrtz_f16_f32 v22, v1, v2
        v_pk_add_f16 v23, v22, v22
        v_cvt_f32_f16_sdwa v24, v22 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:WORD_1
        v_cvt_i32_f32 v25, v1
        v_cvt_u32_f32 v26, v1
        v_cvt_f32_i32 v27, v25
        v_cvt_f64_f32 v[28:29], v1
        v_add_f64 v[30:31], v[28:29], 1.0
        v_cvt_f32_f64 v32, v[30:31]
        """,
        floats(5),
    )
    a, b = outcome.v(1, np.float32)[0], outcome.v(2, np.float32)[0]
    half = a.astype(np.float16)
    np.testing.assert_array_equal(outcome.v(21, np.float32)[0], half.astype(np.float32))
    packed = outcome.v(22)[0]
    low = (packed & 0xFFFF).astype(np.uint16).view(np.float16)
    high = (packed >> 16).astype(np.uint16).view(np.float16)
    assert (abs(low.astype(np.float32)) <= abs(a)).all()
    assert (abs(high.astype(np.float32)) <= abs(b)).all()
    np.testing.assert_allclose(low.astype(np.float32), a, rtol=1e-3, atol=1e-6)
    with np.errstate(over="ignore"):
        twice = high + high
    np.testing.assert_array_equal((outcome.v(23)[0] >> 16).astype(np.uint16).view(np.float16), twice)
    np.testing.assert_array_equal(outcome.v(24, np.float32)[0], high.astype(np.float32))
    np.testing.assert_array_equal(outcome.v(25, np.int32)[0], np.trunc(a).astype(np.int32))
    np.testing.assert_array_equal(outcome.v(26)[0], np.maximum(np.trunc(a), 0).astype(np.uint32))
    np.testing.assert_array_equal(outcome.v(32, np.float32)[0], (a.astype(float) + 1).astype(np.float32))


def test_float_to_integer_limits() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 3e9, -3e9, 5e9], np.float32)

    def setup(state: State) -> None:
        state.vgpr[1, 0, :6] = values.view(np.uint32)

    outcome = execute("v_cvt_i32_f32 v20, v1\n v_cvt_u32_f32 v21, v1", setup)
    top, low = 2**31 - 1, -(2**31)
    assert outcome.v(20, np.int32)[0, :6].tolist() == [0, top, low, top, low, top]
    assert outcome.v(21)[0, :6].tolist() == [0, M - 1, 0, 3 * 10**9, 0, M - 1]


def test_bf16_and_8_bit_conversions() -> None:
    outcome = execute(
        "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 23, 1), 1\n"
        "v_cvt_pk_bf16_f32 v20, v1, v2\n v_cvt_pk_fp8_f32 v21, v1, v2\n v_cvt_f32_fp8 v22, v21",
        floats(6),
        arch="gfx950",
    )
    a = outcome.v(1, np.float32)[0]
    back = (outcome.v(20)[0] << 16).view(np.float32)
    np.testing.assert_allclose(back, a, rtol=2**-8)
    close = outcome.v(22, np.float32)[0]
    np.testing.assert_allclose(close, np.clip(a, -448, 448), rtol=2**-4, atol=2**-9)


def test_compares_give_masks_of_active_lanes() -> None:
    outcome = execute(
        """
        s_mov_b64 exec, 0xffffffff
        v_cmp_lt_u32 vcc, v1, v2
        v_cmp_gt_i32 s[14:15], v1, v2
        v_cndmask_b32 v20, v1, v2, vcc
        s_mov_b64 s[16:17], exec
        v_cmpx_eq_u32 vcc, v1, v1
        s_mov_b64 exec, -1
        v_cndmask_b32 v21, 0, 1, s[14:15]
        """,
        random_state(7),
    )
    a, b = outcome.v(1)[0], outcome.v(2)[0]
    np.testing.assert_array_equal(
        outcome.v(20)[0][:32], np.maximum(a, b)[:32] * 0 + np.where(a < b, b, a)[:32]
    )
    greater = a.view(np.int32) > b.view(np.int32)
    np.testing.assert_array_equal(outcome.v(21)[0], greater & (LANES < 32))
    assert outcome.s64(16) == 0xFFFFFFFF


def test_float_compares_know_nan() -> None:
    def setup(state: State) -> None:
        state.vgpr[1, 0] = np.where(LANES % 2, np.nan, 1.0).astype(np.float32).view(np.uint32)

    outcome = execute(
        "v_cmp_u_f32 s[4:5], v1, v1\n v_cmp_nlt_f32 s[6:7], v1, 1.0\n v_cmp_neq_f32 s[8:9], v1, 1.0\n"
        "v_cmp_class_f32 s[10:11], v1, 3",
        setup,
    )
    odd = sum(1 << lane for lane in range(1, 64, 2))
    assert [outcome.s64(row) for row in (4, 6, 8, 10)] == [odd, 2**64 - 1, odd, odd]


def test_inactive_lanes_keep_their_values() -> None:
    text = "\n".join(
        f"{opcode} v{20 + index}, v1, v2"
        for index, opcode in enumerate(
            ["v_add_u32", "v_mul_lo_u32", "v_mul_hi_u32", "v_add_f32", "v_add_u16"]
        )
    )

    def setup(state: State) -> None:
        random_state(8)(state)
        state.vgpr[20:32] = 5

    outcome = execute(
        "s_mov_b64 exec, 0xf0\n" + text + "\n v_mov_b64 v[30:31], v[1:2]\n s_mov_b64 exec, -1", setup
    )
    inactive = [lane for lane in range(64) if lane not in (4, 5, 6, 7)]
    for row in (20, 21, 22, 23, 24, 30, 31):
        assert (outcome.v(row)[0][inactive] == 5).all()
        assert (outcome.v(row)[0][4:8] != 5).all()


DPP_LANES: dict[str, Callable[[int], int | None]] = {
    "quad_perm:[3,2,1,0]": lambda i: i & ~3 | 3 - (i & 3),
    "row_shl:1": lambda i: i + 1 if i % 16 < 15 else None,
    "row_shr:3": lambda i: i - 3 if i % 16 >= 3 else None,
    "row_ror:4": lambda i: i & ~15 | (i - 4) % 16,
    "row_mirror": lambda i: i & ~15 | 15 - i % 16,
    "row_half_mirror": lambda i: i & ~7 | 7 - i % 8,
    "row_bcast:15": lambda i: (i & ~15) - 1 if i >= 16 else None,
    "row_bcast:31": lambda i: 31 if i >= 32 else None,
    "row_newbcast:5": lambda i: i & ~15 | 5,
}


@pytest.mark.parametrize("control", DPP_LANES)
def test_dpp(control: str) -> None:
    outcome = execute(
        f"""
        v_mov_b32 v20, 9
        v_mov_b32_dpp v20, v1 {control} row_mask:0xf bank_mask:0xf
        v_add_u32_dpp v21, v1, v2 {control} row_mask:0xf bank_mask:0xf bound_ctrl:0
        v_mov_b32 v22, 9
        v_mov_b32_dpp v22, v1 {control} row_mask:0x5 bank_mask:0x3
        """,
        random_state(9),
    )
    a, b = outcome.v(1)[0].tolist(), outcome.v(2)[0].tolist()
    for lane in range(64):
        other = DPP_LANES[control](lane)
        assert outcome.v(20)[0][lane] == (9 if other is None else a[other])
        assert outcome.v(21)[0][lane] == ((0 if other is None else a[other]) + b[lane]) % M
        enabled = lane // 16 in (0, 2) and lane % 16 // 4 in (0, 1) and other is not None
        assert outcome.v(22)[0][lane] == (a[other] if enabled else 9)


def test_lane_access() -> None:
    outcome = execute(
        """
        v_readfirstlane_b32 s12, v1
        v_readlane_b32 s13, v1, 17
        s_mov_b32 s14, 40
        v_readlane_b32 s15, v1, s14
        v_mov_b32 v20, 0
        v_writelane_b32 v20, s13, 3
        s_mov_b64 exec, 0xff00
        v_readfirstlane_b32 s16, v1
        s_mov_b64 exec, -1
        v_mbcnt_lo_u32_b32 v21, -1, 0
        v_mbcnt_hi_u32_b32 v21, -1, v21
        v_mov_b32 v22, v1
        v_mov_b32 v23, v2
        v_swap_b32 v22, v23
        v_accvgpr_write_b32 a3, v1
        v_accvgpr_read_b32 v24, a3
        """,
        random_state(10),
        waves=2,
    )
    for wave in (0, 1):
        a = outcome.v(1)[wave]
        assert [outcome.s(row, wave) for row in (12, 13, 15, 16)] == [a[0], a[17], a[40], a[8]]
        assert outcome.v(20)[wave][3] == a[17]
        assert outcome.v(21)[wave].tolist() == list(range(64))
        np.testing.assert_array_equal(outcome.v(22)[wave], outcome.v(2)[wave])
        np.testing.assert_array_equal(outcome.v(24)[wave], a)


def test_permlane_swaps() -> None:
    outcome = execute(
        "v_mov_b32 v20, v1\n v_mov_b32 v21, v2\n v_permlane32_swap_b32 v20, v21\n"
        "v_mov_b32 v22, v1\n v_mov_b32 v23, v2\n v_permlane16_swap_b32 v22, v23",
        random_state(11),
        arch="gfx950",
    )
    a, b = outcome.v(1)[0], outcome.v(2)[0]
    np.testing.assert_array_equal(outcome.v(20)[0], np.concatenate([a[:32], b[:32]]))
    np.testing.assert_array_equal(outcome.v(21)[0], np.concatenate([a[32:], b[32:]]))
    np.testing.assert_array_equal(outcome.v(22)[0][16:32], b[:16])
    np.testing.assert_array_equal(outcome.v(23)[0][:16], a[16:32])
    np.testing.assert_array_equal(outcome.v(23)[0][16:32], b[16:32])


def test_division_sequence() -> None:
    """What a compiler emits for a / b gives the quotient."""
    outcome = execute(
        """
        v_div_scale_f32 v20, s[4:5], v2, v2, v1
        v_div_scale_f32 v21, vcc, v1, v2, v1
        v_rcp_f32 v22, v20
        v_fma_f32 v23, -v20, v22, 1.0
        v_fma_f32 v22, v23, v22, v22
        v_mul_f32 v24, v21, v22
        v_fma_f32 v25, -v20, v24, v21
        v_fma_f32 v24, v25, v22, v24
        v_fma_f32 v25, -v20, v24, v21
        v_div_fmas_f32 v25, v25, v22, v24
        v_div_fixup_f32 v26, v25, v2, v1
        """,
        floats(12),
    )
    a, b = outcome.v(1, np.float32)[0], outcome.v(2, np.float32)[0]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(outcome.v(26, np.float32)[0], a / b)
    assert math.isnan(outcome.v(26, np.float32)[0][0])


def test_dot_products() -> None:
    def setup(state: State) -> None:
        random_state(13)(state)
        state.vgpr[4], state.vgpr[5] = 0x3C004000, 0x42003C00

    outcome = execute(
        "v_dot2_f32_f16 v20, v4, v5, 0\n v_dot4_i32_i8 v21, v1, v2, v3\n v_dot8_u32_u4 v22, v1, v2, v3", setup
    )
    assert (outcome.v(20, np.float32) == 2 * 1 + 1 * 3).all()
    rows = [outcome.v(row)[0].tolist() for row in (1, 2, 3)]
    for lane, (a, b, c) in enumerate(zip(*rows, strict=True)):
        octets = zip(a.to_bytes(4, "little"), b.to_bytes(4, "little"), strict=True)
        products = [(x - 256 * (x > 127)) * (y - 256 * (y > 127)) for x, y in octets]
        assert outcome.v(21)[0][lane] == (sum(products) + c) % M
        nibbles = [(a >> s & 15) * (b >> s & 15) for s in range(0, 32, 4)]
        assert outcome.v(22)[0][lane] == (sum(nibbles) + c) % M
    assert outcome.s64(EXEC) == 2**64 - 1
