"""LDS: every width, two-address forms, atomics, lane exchange, bounds, conflict clocks."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute, run

from wavesim.emulate.state import State

LANE = np.arange(64)


def lane_addresses(step: int, register: int = 20) -> str:
    return f"v_mul_u32_u24 v{register}, {step}, v0\n"


def data(state: State) -> None:
    generator = np.random.default_rng(1)
    shape = state.vgpr[1:9].shape
    state.vgpr[1:9] = generator.integers(0, 2**32, shape, dtype=np.uint64).astype(np.uint32)


@pytest.mark.parametrize(("width", "dwords"), [("b32", 1), ("b64", 2), ("b96", 3), ("b128", 4)])
@pytest.mark.parametrize("offset", [0, 16])
def test_round_trip(width: str, dwords: int, offset: int) -> None:
    last = "v[{0}:{1}]" if dwords > 1 else "v{0}"
    outcome = execute(
        lane_addresses(16)
        + f"ds_write_{width} v20, {last.format(1, dwords)} offset:{offset}\n s_waitcnt lgkmcnt(0)\n"
        + f"ds_read_{width} {last.format(30, 29 + dwords)}, v20 offset:{offset}\n s_waitcnt lgkmcnt(0)",
        data,
        waves=2,
        lds_bytes=4096,
    )
    assert not outcome.findings
    for part in range(dwords):
        np.testing.assert_array_equal(outcome.v(30 + part), outcome.v(1 + part))


def test_an_address_below_zero_and_its_offset_wrap() -> None:
    """As clang compiles tile[63 - lane]: the register holds -4 * lane, the offset 252."""
    outcome = execute(
        lane_addresses(4)
        + """
        ds_write_b32 v20, v1
        v_sub_u32 v21, 0, v20
        s_waitcnt lgkmcnt(0)
        ds_read_b32 v30, v21 offset:252
        s_waitcnt lgkmcnt(0)
        """,
        data,
        lds_bytes=256,
    )
    assert not outcome.findings
    np.testing.assert_array_equal(outcome.v(30)[0], outcome.v(1)[0][::-1])


def test_narrow_widths() -> None:
    outcome = execute(
        lane_addresses(2)
        + """
        ds_write_b16 v20, v1
        ds_read_u16 v30, v20
        ds_read_i16 v31, v20
        ds_read_u8 v32, v20 offset:1
        ds_read_i8 v33, v20 offset:1
        v_mov_b32 v34, -1
        ds_read_u16_d16 v34, v20
        v_mov_b32 v35, -1
        ds_read_u16_d16_hi v35, v20
        ds_write_b8 v20, v2
        ds_write_b16_d16_hi v20, v2 offset:256
        ds_read_u16 v36, v20 offset:256
        """,
        data,
    )
    a = outcome.v(1)[0]
    half = a & 0xFFFF
    assert outcome.v(30)[0].tolist() == half.tolist()
    assert outcome.v(31, np.int32)[0].tolist() == half.astype(np.uint16).view(np.int16).tolist()
    assert outcome.v(32)[0].tolist() == (half >> 8).tolist()
    assert outcome.v(33, np.int32)[0].tolist() == (half >> 8).astype(np.uint8).view(np.int8).tolist()
    assert outcome.v(34)[0].tolist() == (half | 0xFFFF0000).tolist()
    assert outcome.v(35)[0].tolist() == (half << 16 | 0xFFFF).tolist()
    assert outcome.v(36)[0].tolist() == (outcome.v(2)[0] >> 16).tolist()


def test_two_addresses() -> None:
    outcome = execute(
        lane_addresses(8)
        + """
        ds_write2_b32 v20, v1, v2 offset1:1
        ds_read2_b32 v[30:31], v20 offset0:1 offset1:0
        ds_write2st64_b64 v20, v[3:4], v[5:6] offset0:1 offset1:2
        ds_read2st64_b64 v[32:35], v20 offset0:1 offset1:2
        ds_read_b64 v[36:37], v20 offset:1024
        """,
        data,
        lds_bytes=4096,
    )
    v = [outcome.v(row)[0].tolist() for row in range(40)]
    assert (v[30], v[31]) == (v[2], v[1])
    assert v[32:36] == v[3:7]
    assert v[36:38] == v[5:7]


def test_unaligned_reads() -> None:
    outcome = execute(
        lane_addresses(8)
        + "ds_write_b64 v20, v[1:2]\n ds_read_b32 v30, v20 offset:3\n ds_read_b64 v[31:32], v20 offset:4",
        data,
        lds_bytes=1024,
    )
    low, high = outcome.v(1)[0], outcome.v(2)[0]
    joined = low.astype(np.uint64) | high.astype(np.uint64) << np.uint64(32)
    assert outcome.v(30)[0].tolist() == (joined >> np.uint64(24)).astype(np.uint32).tolist()
    assert outcome.v(31)[0].tolist() == high.tolist()
    assert outcome.v(32)[0, :63].tolist() == low[1:].tolist()


def test_out_of_bounds_reads_zero_and_is_found() -> None:
    outcome = execute(
        lane_addresses(16)
        + "ds_write_b128 v20, v[1:4] offset:32\n v_mov_b32 v33, 5\n ds_read_b128 v[30:33], v20 offset:32",
        data,
        lds_bytes=1024,
    )
    rules = [(finding.rule, finding.spans[0].line) for finding in outcome.findings]
    assert [rule for rule, _ in rules] == ["lds-out-of-bounds"] * 2
    assert (outcome.v(33)[0][62:] == 0).all()
    np.testing.assert_array_equal(outcome.v(30)[0][:62], outcome.v(1)[0][:62])


def test_workgroups_have_their_own_lds() -> None:
    from emulate_harness import make_program

    from wavesim.emulate.run import emulate
    from wavesim.front.launch.model import Launch, MatrixArgument
    from wavesim.isa.load import load_machine

    argument = MatrixArgument("C", "i32", 1, 4, init="unwritten")
    text = """
        s_load_dwordx2 s[4:5], s[0:1], 0x0
        v_mov_b32 v1, 0
        s_mov_b64 exec, 1
        v_mov_b32 v2, s2
        ds_add_u32 v1, v2
        s_mov_b32 s6, -1
        s_barrier
        ds_read_b32 v3, v1
        v_lshlrev_b32 v4, 2, v2
        global_store_dword v4, v3, s[4:5]
    """
    program = make_program(
        "ds_write_b32 v0, v0\n v_mov_b32 v9, 0\n ds_write_b32 v9, v9\n" + text, arguments=(argument,)
    )
    launch = Launch((argument,), 64, (4, 1, 1), ((0, 0, 0), (1, 0, 0), (3, 0, 0)))
    execution = emulate(program, launch, load_machine("gfx942"))
    assert execution.matrix("C", (0, 0, 1, 4)).tolist() == [[0, 1, 0, 3]]
    assert [wave.workgroup for wave in execution.trace.waves] == [0, 1, 2]


def test_atomics_add_up_over_all_lanes_and_return_in_order() -> None:
    outcome = execute(
        """
        v_mov_b32 v20, 0
        v_mov_b32 v21, 64
        ds_write_b32 v20, v20
        ds_write_b32 v20, v20 offset:64
        s_barrier
        v_mov_b32 v22, 3
        ds_add_u32 v20, v22
        ds_add_rtn_u32 v23, v21, v22
        s_barrier
        ds_read_b32 v24, v20
        v_mov_b32 v25, 1.0
        ds_write_b32 v20, v20 offset:128
        s_barrier
        ds_add_f32 v20, v25 offset:128
        s_barrier
        ds_read_b32 v26, v20 offset:128
        """,
        waves=2,
    )
    assert (outcome.v(24) == 3 * 128).all()
    assert sorted(outcome.v(23).reshape(-1).tolist()) == list(range(0, 3 * 128, 3))
    assert (outcome.v(26, np.float32) == 128).all()


def test_compare_and_swap() -> None:
    outcome = execute(
        """
        v_mov_b32 v20, 0
        ds_write_b32 v20, v20
        v_mov_b32 v21, 7
        s_mov_b64 exec, 1
        ds_cmpst_rtn_b32 v22, v20, v20, v21
        ds_cmpst_rtn_b32 v23, v20, v20, v21
        s_mov_b64 exec, -1
        """
    )
    assert (int(outcome.v(22)[0, 0]), int(outcome.v(23)[0, 0])) == (0, 7)


def test_lane_exchange() -> None:
    outcome = execute(
        """
        v_sub_u32 v20, 63, v0
        v_lshlrev_b32 v20, 2, v20
        ds_bpermute_b32 v30, v20, v1
        ds_permute_b32 v31, v20, v1
        ds_swizzle_b32 v32, v1 offset:swizzle(BITMASK_PERM,"p0000")
        ds_swizzle_b32 v33, v1 offset:swizzle(QUAD_PERM,1,0,3,2)
        ds_swizzle_b32 v34, v1 offset:0x401f
        """.replace('offset:swizzle(BITMASK_PERM,"p0000")', "offset:0x0010").replace(
            "offset:swizzle(QUAD_PERM,1,0,3,2)", "offset:0x80b1"
        ),
        data,
    )
    a = outcome.v(1)[0]
    np.testing.assert_array_equal(outcome.v(30)[0], a[::-1])
    np.testing.assert_array_equal(outcome.v(31)[0], a[::-1])
    np.testing.assert_array_equal(outcome.v(32)[0], a[LANE & ~15])
    np.testing.assert_array_equal(outcome.v(33)[0], a[LANE ^ 1])
    np.testing.assert_array_equal(outcome.v(34)[0], a[LANE ^ 16])


def test_transposed_read_turns_blocks_of_16_lanes() -> None:
    """A 4 x 16 block of 16-bit elements per 16 lanes: lane l gets column l."""
    outcome = execute(
        lane_addresses(8) + "ds_write_b64 v20, v[1:2]\n ds_read_b64_tr_b16 v[30:31], v20",
        data,
        arch="gfx950",
    )
    source = np.stack([outcome.v(1)[0], outcome.v(2)[0]], axis=-1).view(np.uint16).reshape(4, 4, 16)
    got = np.stack([outcome.v(30)[0], outcome.v(31)[0]], axis=-1).view(np.uint16).reshape(4, 16, 4)
    np.testing.assert_array_equal(got, source.swapaxes(1, 2))


@pytest.mark.parametrize(("step", "clk"), [(4, 2), (8, 4), (128, 64)])
def test_trace_has_conflict_clocks(step: int, clk: int) -> None:
    execution = run(
        f"v_mul_u32_u24 v1, {step}, v0\n ds_read_b32 v2, v1\n s_waitcnt lgkmcnt(0)", lds_bytes=8192
    )
    wave = execution.trace.waves[0]
    assert wave.array_clk.tolist() == [0, clk, 0, 0]


def test_conflicts_of_active_lanes_only() -> None:
    execution = run("v_mul_u32_u24 v1, 128, v0\n s_mov_b64 exec, 7\n ds_read_b32 v2, v1", lds_bytes=8192)
    assert execution.trace.waves[0].array_clk.tolist() == [0, 0, 3, 0]


def test_observed_accesses() -> None:
    execution = run(
        "v_lshlrev_b32 v1, 2, v0\n ds_write_b32 v1, v0\n s_mov_b64 exec, 3\n ds_read_b32 v2, v1 offset:8",
        waves=2,
        observe_lds=True,
    )
    write, read = execution.lds_accesses[0], execution.lds_accesses[-1]
    assert (write.wave, write.row, write.write, len(write.addresses)) == (0, 1, True, 64)
    assert (read.wave, read.row, read.write, read.addresses.tolist()) == (1, 3, False, [264, 268])
