"""Instructions that are seldom met, each against a plain reading of the ISA manual's pseudo-code."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute, run

from wavesim.emulate.state import State
from wavesim.front.launch.model import MatrixArgument

GENERATOR = np.random.default_rng(9)
WORDS = GENERATOR.integers(0, 2**32, (8, 64), dtype=np.uint64).astype(np.uint32)


def random_registers(state: State) -> None:
    state.vgpr[0:8, :] = WORDS[:, None]
    state.sgpr[4] = 5


def bytes_of(value: int) -> list[int]:
    return [value >> 8 * place & 255 for place in range(4)]


def test_byte_sums() -> None:
    outcome = execute(
        "v_msad_u8 v10, v0, v1, v2\n v_sad_hi_u8 v11, v0, v1, v2\n v_lerp_u8 v12, v0, v1, v2\n"
        "v_qsad_pk_u16_u8 v[14:15], v[0:1], v2, v[4:5]\n v_mqsad_u32_u8 v[16:19], v[0:1], v2, v[4:7]",
        random_registers,
    )
    for lane in range(64):
        a, b, c = (int(WORDS[place, lane]) for place in range(3))
        pairs = list(zip(bytes_of(a), bytes_of(b), strict=True))
        masked = sum(abs(x - y) for x, y in pairs if y)
        assert int(outcome.v(10)[0, lane]) == (c + masked) % 2**32
        assert int(outcome.v(11)[0, lane]) == ((sum(abs(x - y) for x, y in pairs) << 16) + c) % 2**32
        average = [(x + y + (z & 1)) >> 1 for (x, y), z in zip(pairs, bytes_of(c), strict=True)]
        assert bytes_of(int(outcome.v(12)[0, lane])) == average
        long = a | b << 32
        for place in range(4):
            window = bytes_of(long >> 8 * place & 0xFFFFFFFF)
            plain = sum(abs(x - y) for x, y in zip(window, bytes_of(c), strict=True))
            start = int(WORDS[4 + place // 2, lane]) >> 16 * (place % 2) & 0xFFFF
            got = int(outcome.v(14 + place // 2)[0, lane]) >> 16 * (place % 2) & 0xFFFF
            assert got == (start + plain) & 0xFFFF
            kept = sum(abs(x - y) for x, y in zip(window, bytes_of(c), strict=True) if y)
            assert int(outcome.v(16 + place)[0, lane]) == (int(WORDS[4 + place, lane]) + kept) % 2**32


def test_packing_to_bytes_and_halves() -> None:
    outcome = execute(
        "v_ashr_pk_i8_i32 v10, v0, v1, v2\n v_ashr_pk_u8_i32 v11, v0, v1, v2 op_sel:[0,0,0,1]\n"
        "v_bitop3_b16 v12, v0, v1, v2 bitop3:0x96 op_sel:[1,0,1,1]\n v_sat_pk_u8_i16 v13, v0",
        random_registers,
        arch="gfx950",
    )
    before = 0xFFFFFFFF
    for lane in range(64):
        a, b, c = (int(WORDS[place, lane]) for place in range(3))
        signed = [(x ^ 1 << 31) - (1 << 31) >> (c & 31) for x in (a, b)]
        low = [min(max(x, -128), 127) & 255 for x in signed]
        assert int(outcome.v(10)[0, lane]) == before & 0xFFFF0000 | low[0] | low[1] << 8
        low = [min(max(x, 0), 255) for x in signed]
        assert int(outcome.v(11)[0, lane]) == before & 0xFFFF | (low[0] | low[1] << 8) << 16
        exclusive = (a >> 16 ^ b ^ c >> 16) & 0xFFFF
        assert int(outcome.v(12)[0, lane]) == before & 0xFFFF | exclusive << 16
        halves = [(a >> shift & 0xFFFF ^ 0x8000) - 0x8000 for shift in (0, 16)]
        clipped = [min(max(half, 0), 255) for half in halves]
        assert int(outcome.v(13)[0, lane]) == clipped[0] | clipped[1] << 8


def test_normalised_numbers() -> None:
    values = np.linspace(-1.5, 1.5, 64).astype(np.float32)

    def setup(state: State) -> None:
        state.vgpr[0, 0] = values.view(np.uint32)
        state.vgpr[1, 0] = np.arange(64)

    outcome = execute(
        "v_cvt_pknorm_i16_f32 v10, v0, v0\n v_cvt_pknorm_u16_f32 v11, v0, v0\n v_cvt_off_f32_i4 v12, v1",
        setup,
    )
    signed = np.rint(np.clip(values.astype(np.float64), -1, 1) * 32767).astype(np.int16)
    np.testing.assert_array_equal((outcome.v(10)[0] & 0xFFFF).astype(np.uint16).view(np.int16), signed)
    unsigned = np.rint(np.clip(values.astype(np.float64), 0, 1) * 65535).astype(np.uint16)
    np.testing.assert_array_equal((outcome.v(11)[0] >> 16).astype(np.uint16), unsigned)
    offsets = ((np.arange(64) & 15 ^ 8) - 8) / 16
    np.testing.assert_array_equal(outcome.v(12, np.float32)[0], offsets.astype(np.float32))


def test_cube_faces() -> None:
    directions = np.array(
        [[2, 1, 0.5], [-2, 1, 0.5], [1, 3, 2], [1, -3, 2], [1, 2, 4], [1, 2, -4]], np.float32
    )

    def setup(state: State) -> None:
        for axis in range(3):
            state.vgpr[axis, 0, :6] = directions[:, axis].view(np.uint32)

    outcome = execute(
        "\n".join(f"v_cube{w}_f32 v{10 + i}, v0, v1, v2" for i, w in enumerate(("id", "sc", "tc", "ma"))),
        setup,
    )
    assert outcome.v(10, np.float32)[0, :6].tolist() == [0, 1, 2, 3, 4, 5]
    assert outcome.v(11, np.float32)[0, :6].tolist() == [-0.5, 0.5, 1, 1, 1, -1]
    assert outcome.v(12, np.float32)[0, :6].tolist() == [-1, -1, 2, -2, -2, -2]
    assert outcome.v(13, np.float32)[0, :6].tolist() == [4, -4, 6, -6, 8, -8]


def test_segments_of_two_over_pi() -> None:
    def setup(state: State) -> None:
        pair = np.full(64, 1.0).view(np.uint32).reshape(64, 2).T
        state.vgpr[0:2, 0] = pair
        state.vgpr[2, 0] = np.arange(64) % 3

    outcome = execute("v_trig_preop_f64 v[10:11], v[0:1], v2", setup)
    values = np.ascontiguousarray(outcome.state.vgpr[10:12, 0].T).view(np.float64)[:, 0]
    assert values[0] == pytest.approx(2 / np.pi, rel=2**-52)
    assert values[1] < 2.0**-53
    assert values[0] + values[1] == pytest.approx(2 / np.pi, rel=2**-53)


def test_scalar_bit_operations() -> None:
    outcome = execute(
        "s_mov_b32 s6, 0x80000011\n s_mov_b32 s7, 0x1\n s_brev_b64 s[8:9], s[6:7]\n"
        " s_bitreplicate_b64_b32 s[10:11], s6\n"
        "s_quadmask_b32 s12, s6\n s_wqm_b32 s13, s6\n s_mov_b32 m0, 2\n s_movrels_b32 s14, s4\n"
        " s_movreld_b32 s14, s12"
    )
    value = 0x1_80000011
    assert outcome.s64(8) == int(f"{value:064b}"[::-1], 2)
    assert outcome.s64(10) == sum(3 << 2 * bit for bit in range(32) if 0x80000011 >> bit & 1)
    assert outcome.s(12) == 0b10000011
    assert outcome.s(13) == 0xF00000FF
    assert outcome.s(14) == outcome.s(6)
    assert outcome.s(16) == 0b10000011


def test_lds_with_addresses_from_m0() -> None:
    outcome = execute(
        "s_mov_b32 m0, 256\n v_mov_b32 v1, 7\n ds_write_addtid_b32 v0 offset:16\n"
        " ds_read_addtid_b32 v2 offset:16\n"
        "v_mov_b32 v3, 272\n v_lshl_add_u32 v3, v0, 2, v3\n ds_read_b32 v4, v3\n"
        "v_mov_b32 v5, 0\n v_mov_b32 v6, 40\n ds_write_b32 v5, v6\n s_mov_b32 m0, 0\n"
        "ds_append v7\n ds_consume v8\n ds_read_b32 v9, v5"
    )
    lane = np.arange(64)
    for register in (2, 4):
        np.testing.assert_array_equal(outcome.v(register)[0], lane)
    assert (outcome.v(7) == 40).all()
    assert (outcome.v(8) == 104).all()
    assert (outcome.v(9) == 40).all()


def test_lds_atomics() -> None:
    outcome = execute(
        "v_lshlrev_b32 v1, 2, v0\n v_mov_b32 v2, 0xff\n ds_write_b32 v1, v2\n v_mov_b32 v3, 0xf\n"
        " v_mov_b32 v4, 0x500\n"
        "ds_mskor_rtn_b32 v5, v1, v3, v4\n ds_read_b32 v6, v1\n"
        "v_mov_b32 v7, 100\n v_mov_b32 v8, 3\n ds_wrap_rtn_b32 v9, v1, v7, v8\n ds_read_b32 v10, v1\n"
        "v_lshlrev_b32 v11, 3, v0\n ds_wrxchg2_rtn_b32 v[12:13], v11, v7, v8 offset0:0 offset1:1\n"
        " ds_read_b64 v[14:15], v11",
        lds_bytes=1024,
    )
    assert (outcome.v(5) == 0xFF).all()
    assert (outcome.v(6) == 0x5F0).all()
    assert (outcome.v(10) == 0x5F0 - 100).all()
    assert (outcome.v(14) == 100).all()
    assert (outcome.v(15) == 3).all()


def test_transposed_read_of_six_bits() -> None:
    """16 lanes of 16 elements are 16 rows of 16; lane l gets column l."""
    elements = GENERATOR.integers(0, 64, (4, 16, 16))

    def setup(state: State) -> None:
        for lane in range(64):
            bits = sum(int(value) << 6 * at for at, value in enumerate(elements[lane // 16, lane % 16]))
            for word in range(3):
                state.vgpr[4 + word, 0, lane] = bits >> 32 * word & 0xFFFFFFFF
        state.vgpr[1, 0] = np.arange(64) * 16

    outcome = execute("ds_write_b96 v1, v[4:6]\n ds_read_b96_tr_b6 v[8:10], v1", setup, arch="gfx950")
    for lane in range(64):
        bits = sum(int(outcome.v(8 + word)[0, lane]) << 32 * word for word in range(3))
        got = [bits >> 6 * at & 63 for at in range(16)]
        assert got == elements[lane // 16, :, lane % 16].tolist()


def test_scalar_stores_and_atomics() -> None:
    execution = run(
        "s_load_dwordx2 s[4:5], s[0:1], 0x0\n s_waitcnt lgkmcnt(0)\n s_mov_b32 s6, 11\n s_mov_b32 s7, 22\n"
        "s_store_dwordx2 s[6:7], s[4:5], 0x8\n s_mov_b32 s8, 5\n s_atomic_add s8, s[4:5], 0x8 glc\n"
        "s_store_dword s8, s[4:5], 0x0\n s_mov_b32 s10, 99\n s_mov_b32 s11, 22\n"
        " s_atomic_cmpswap s[10:11], s[4:5], 0xc",
        arguments=(MatrixArgument("C", "i32", 1, 8, "zero"),),
    )
    assert execution.matrix("C", (0, 0, 1, 4))[0].tolist() == [11, 0, 16, 99]


FLAT_LDS = """
 v_lshlrev_b32 v2, 2, v0
 s_mov_b64 s[4:5], src_shared_base
 v_mov_b32 v3, s5
 flat_store_dword v[2:3], v0
 s_waitcnt lgkmcnt(0)
 ds_read_b32 v4, v2
 v_mov_b32 v6, 3
 flat_atomic_add v7, v[2:3], v6 sc0
 flat_load_dword v5, v[2:3] offset:4
"""


def test_flat_accesses_to_lds() -> None:
    outcome = execute(FLAT_LDS)
    lane = np.arange(64)
    np.testing.assert_array_equal(outcome.v(4)[0], lane)
    np.testing.assert_array_equal(outcome.v(7)[0], lane)
    np.testing.assert_array_equal(outcome.v(5)[0, :63], lane[1:] + 3)


def test_flat_access_beyond_lds_is_found() -> None:
    outcome = execute(FLAT_LDS, lds_bytes=128)
    assert "lds-out-of-bounds" in {finding.rule for finding in outcome.findings}


FORMATS = [
    ("BUF_DATA_FORMAT_8_8_8_8", "UNORM", 4, [0.0, 0.2, 0.4, 1.0]),
    ("BUF_DATA_FORMAT_16_16", "FLOAT", 2, [1.5, -2.25]),
    ("BUF_DATA_FORMAT_16_16", "SNORM", 2, [-1.0, 1.0]),
    ("BUF_DATA_FORMAT_32_32_32", "FLOAT", 3, [1.25, 2.5, -7.0]),
    ("BUF_DATA_FORMAT_2_10_10_10", "UNORM", 4, [0.0, 1.0, 1.0, 1.0]),
]


@pytest.mark.parametrize(("data", "number", "count", "values"), FORMATS)
def test_buffer_formats_there_and_back(data: str, number: str, count: int, values: list[float]) -> None:
    letters = "xyzw"[:count]
    last = f"v[8:{7 + count}]"
    back = f"v[12:{11 + count}]"
    form = f"format:[{data},BUF_NUM_FORMAT_{number}]"

    def setup(state: State) -> None:
        for place, value in enumerate(values):
            state.vgpr[8 + place] = np.float32(value).view(np.uint32)

    execution = execute(
        "s_load_dwordx2 s[4:5], s[0:1], 0x0\n s_mov_b32 s6, 4096\n s_mov_b32 s7, 0\n"
        " v_lshlrev_b32 v1, 4, v0\n"
        f"tbuffer_store_format_{letters} {last}, v1, s[4:7], 0 {form} offen\n"
        f"tbuffer_load_format_{letters} {back}, v1, s[4:7], 0 {form} offen",
        setup,
        arguments=(MatrixArgument("C", "i32", 1, 1024, "zero"),),
    )
    for place, value in enumerate(values):
        np.testing.assert_allclose(execution.v(12 + place, np.float32)[0], value, atol=1 / 500)


def test_buffer_format_from_the_resource_and_halves() -> None:
    """Data format 5 (16_16) with number format 7 (float) in the resource's last dword."""
    outcome = execute(
        "s_load_dwordx2 s[4:5], s[0:1], 0x0\n s_mov_b32 s6, 4096\n s_mov_b32 s7, 0x2f000\n"
        " v_lshlrev_b32 v1, 2, v0\n"
        "v_mov_b32 v2, 0x40003c00\n buffer_store_format_d16_xy v2, v1, s[4:7], 0 offen\n"
        "buffer_load_format_xy v[4:5], v1, s[4:7], 0 offen\n"
        " buffer_load_format_d16_x v6, v1, s[4:7], 0 offen",
        arguments=(MatrixArgument("C", "i32", 1, 1024, "zero"),),
    )
    assert (outcome.v(4, np.float32) == 1.0).all()
    assert (outcome.v(5, np.float32) == 2.0).all()
    assert (outcome.v(6) == 0x3C00).all()


def test_swizzled_buffer() -> None:
    """Index stride 8 and element size 4: element e of record i is at ((i / 8) stride + 4 e) 8 + 4 (i % 8)."""
    outcome = execute(
        "s_load_dwordx2 s[4:5], s[0:1], 0x0\n s_or_b32 s5, s5, 0x80100000\n s_mov_b32 s6, 64\n"
        " s_mov_b32 s7, 0x80000\n"
        "buffer_load_dword v2, v0, s[4:7], 0 idxen offset:4",
        arguments=(MatrixArgument("C", "i32", 1, 1024, "index"),),
    )
    lane = np.arange(64)
    expected = ((lane // 8 * 16 + 4) * 8 + 4 * (lane % 8)) // 4
    np.testing.assert_array_equal(outcome.v(2)[0], expected)


def test_register_indexing_differs_from_wave_to_wave() -> None:
    def setup(state: State) -> None:
        for register in range(20, 28):
            state.vgpr[register] = 100 + register
        state.sgpr[4] = np.arange(state.waves)

    outcome = execute(
        "s_set_gpr_idx_on s4, gpr_idx(SRC0)\n v_mov_b32 v1, v20\n s_set_gpr_idx_off\n"
        "s_set_gpr_idx_on s4, gpr_idx(DST)\n v_mov_b32 v30, v0\n s_set_gpr_idx_off\n v_mov_b32 v2, v20",
        setup,
        waves=4,
    )
    for wave in range(4):
        assert (outcome.v(1)[wave] == 120 + wave).all()
        np.testing.assert_array_equal(outcome.v(30 + wave)[wave], 64 * wave + np.arange(64))
        assert (outcome.v(2)[wave] == 120).all()


def test_lane_moves_of_carries_dots_and_doubles() -> None:
    def setup(state: State) -> None:
        state.vgpr[1, 0] = np.arange(64)
        state.vgpr[2, 0] = 1000
        values = np.arange(64, dtype=np.float64)
        state.vgpr[4:6, 0] = values.view(np.uint32).reshape(64, 2).T
        state.vgpr[6, 0] = 0x3C003C00
        state.vgpr[8, 0] = np.float32(1).view(np.uint32)

    outcome = execute(
        "v_add_co_u32_dpp v3, vcc, v1, v2 row_shr:1 row_mask:0xf bank_mask:0xf bound_ctrl:0\n"
        "v_mov_b64_dpp v[10:11], v[4:5] row_newbcast:3 row_mask:0xf bank_mask:0xf\n"
        "v_dot2c_f32_f16_dpp v8, v6, v6 quad_perm:[0,0,0,0] row_mask:0xf bank_mask:0xf",
        setup,
    )
    lane = np.arange(64)
    np.testing.assert_array_equal(outcome.v(3)[0], np.where(lane % 16 == 0, 1000, lane - 1 + 1000))
    pair = np.ascontiguousarray(outcome.state.vgpr[10:12, 0].T).view(np.float64)[:, 0]
    np.testing.assert_array_equal(pair, lane // 16 * 16 + 3)
    assert (outcome.v(8, np.float32) == 3).all()


def test_traps_are_found_and_debug_branches_not_taken() -> None:
    outcome = execute("s_cbranch_cdbgsys past\n s_trap 2\n past:\n s_mov_b32 s4, 1".replace("past", "over"))
    assert [finding.rule for finding in outcome.findings] == ["trap"]
    assert outcome.s(4) == 1
