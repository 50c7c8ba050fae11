"""Global, buffer, flat, scratch and scalar memory; bounds; lazily made matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from emulate_harness import execute, make_program, run
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.emulate.elements import f32_to_bf16, minifloat, random_values
from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.run import emulate
from wavesim.errors import LimitExceeded, UserError
from wavesim.front.launch.model import Launch, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine

IN = MatrixArgument("A", "i32", 4, 256, init="index")
OUT = MatrixArgument("C", "i32", 4, 256, init="unwritten")
LOAD = " s_load_dwordx4 s[4:7], s[0:1], 0x0\n"
LANE = np.arange(64)


@pytest.mark.parametrize(("suffix", "dwords"), [("dword", 1), ("dwordx2", 2), ("dwordx3", 3), ("dwordx4", 4)])
@pytest.mark.parametrize("form", ["saddr", "pair", "buffer", "flat"])
def test_copies_of_every_width(suffix: str, dwords: int, form: str) -> None:
    registers = f"v[8:{7 + dwords}]" if dwords > 1 else "v8"
    pairs = """
        v_mov_b32 v3, 0
        v_lshl_add_u64 v[4:5], s[4:5], 0, v[2:3]
        v_lshl_add_u64 v[6:7], s[6:7], 0, v[2:3]
    """
    body = {
        "saddr": f"global_load_{suffix} {registers}, v2, s[4:5] offset:16\n"
        f"global_store_{suffix} v2, {registers}, s[6:7] offset:16",
        "pair": pairs
        + f"global_load_{suffix} {registers}, v[4:5], off offset:16\n"
        + f"global_store_{suffix} v[6:7], {registers}, off offset:16",
        "flat": pairs
        + f"flat_load_{suffix} {registers}, v[4:5] offset:16\n"
        + f"flat_store_{suffix} v[6:7], {registers} offset:16",
        "buffer": "s_mov_b64 s[10:11], s[6:7]\n s_mov_b32 s6, 0x1000\n s_mov_b32 s7, 0x20000\n"
        f"buffer_load_{suffix} {registers}, v2, s[4:7], 0 offen offset:16\n"
        "s_mov_b64 s[8:9], s[10:11]\n s_mov_b32 s10, 0x1000\n s_mov_b32 s11, 0x20000\n"
        f"buffer_store_{suffix} {registers}, v2, s[8:11], 0 offen offset:16",
    }[form]
    execution = run(LOAD + f"v_mul_u32_u24 v2, {4 * dwords}, v0\n" + body, arguments=(IN, OUT))
    assert not execution.findings
    flat = execution.matrix("C", (0, 0, 4, 256)).reshape(-1)
    count = 64 * dwords
    assert flat[4 : 4 + count].tolist() == list(range(4, 4 + count))
    assert not flat[4 + count :].any()
    wave = execution.trace.waves[0]
    moved = wave.memory_bytes[wave.memory_bytes > 0]
    assert moved.tolist() == [count * 4, count * 4]


def test_narrow_loads_and_stores() -> None:
    execution = run(
        LOAD
        + """
        v_lshlrev_b32 v2, 2, v0
        global_load_ubyte v3, v2, s[4:5] offset:1
        global_load_sbyte v4, v2, s[4:5]
        global_load_ushort v5, v2, s[4:5]
        v_mov_b32 v6, 0
        global_load_short_d16_hi v6, v2, s[4:5]
        v_lshlrev_b32 v7, 4, v0
        global_store_byte v7, v4, s[6:7]
        global_store_short v7, v5, s[6:7] offset:4
        global_store_short_d16_hi v7, v6, s[6:7] offset:8
        global_store_dword v7, v4, s[6:7] offset:12
        """,
        arguments=(replace(IN, rows=1), OUT),
    )
    rows = execution.matrix("C", (0, 0, 4, 256)).reshape(-1, 4)[:64]
    assert (rows[:, 0] & 255).tolist() == list(range(64))
    assert rows[:, 1].tolist() == rows[:, 2].tolist() == rows[:, 3].tolist() == list(range(64))


def test_out_of_bounds_is_found_and_reads_zero() -> None:
    execution = run(
        LOAD
        + """
        v_lshlrev_b32 v2, 2, v0
        v_mov_b32 v3, 5
        global_load_dword v3, v2, s[4:5] offset:3968
        global_store_dword v2, v3, s[6:7]
        global_store_dword v2, v3, s[6:7] offset:-4
        global_store_dword v2, v3, s[0:1]
        """,
        arguments=(IN, OUT),
    )
    assert [(f.rule, f.spans[0].line) for f in execution.findings] == [
        ("global-out-of-bounds", n) for n in (8, 10, 11)
    ]
    assert "A+4096 of 4096 bytes" in execution.findings[0].message
    got = execution.matrix("C", (0, 0, 1, 64))[0]
    assert got[32:].tolist() == [0] * 32
    assert execution.complete


def test_buffer_range_check_is_legal() -> None:
    execution = run(
        LOAD
        + """
        s_mov_b64 s[10:11], s[6:7]
        s_movk_i32 s6, 0x80
        s_mov_b32 s7, 0x20000
        v_lshlrev_b32 v2, 2, v0
        v_mov_b32 v3, 5
        buffer_load_dword v3, v2, s[4:7], 0 offen
        global_store_dword v2, v3, s[10:11]
        """,
        arguments=(IN, OUT),
    )
    assert not execution.findings
    assert execution.matrix("C", (0, 0, 1, 64))[0].tolist() == [*range(32), *[0] * 32]


def test_reading_results_before_they_are_stored_is_found() -> None:
    execution = run(LOAD + "v_lshlrev_b32 v2, 2, v0\n global_load_dword v3, v2, s[6:7]", arguments=(IN, OUT))
    assert [finding.rule for finding in execution.findings] == ["global-uninitialised"]


def test_loads_to_lds() -> None:
    execution = run(
        LOAD
        + """
        v_lshlrev_b32 v2, 2, v0
        s_movk_i32 m0, 0x100
        global_load_lds_dword v2, s[4:5] offset:64
        s_waitcnt vmcnt(0)
        ds_read_b32 v3, v2 offset:320
        global_store_dword v2, v3, s[6:7]
        """.replace("s_movk_i32 m0, 0x100", "s_mov_b32 m0, 0x100"),
        arguments=(IN, OUT),
    )
    assert execution.matrix("C", (0, 0, 1, 64))[0].tolist() == list(range(16, 80))


def test_atomics() -> None:
    result = replace(OUT, init="zero")
    execution = run(
        LOAD
        + """
        v_mov_b32 v2, 0
        v_mov_b32 v3, 2
        global_atomic_add v2, v3, s[6:7]
        global_atomic_add v4, v2, v3, s[6:7] offset:4 sc0
        global_atomic_umax v2, v0, s[6:7] offset:8
        v_lshlrev_b32 v5, 2, v0
        global_store_dword v5, v4, s[6:7] offset:1024
        """,
        arguments=(IN, result),
    )
    rows = execution.matrix("C", (0, 0, 2, 256))
    assert rows[0, :3].tolist() == [128, 128, 63]
    assert sorted(rows[1, :64].tolist()) == list(range(0, 128, 2))


def test_packed_atomics() -> None:
    """2 + 64 * (1, 2) in halves: f16 exactly, bf16 too."""
    result = replace(OUT, init="zero")
    execution = run(
        LOAD
        + """
        v_mov_b32 v2, 0
        v_mov_b32 v3, 0x40003c00
        global_atomic_pk_add_f16 v2, v3, s[6:7]
        v_mov_b32 v3, 0x40003f80
        global_atomic_pk_add_bf16 v2, v3, s[6:7] offset:4
        ds_write_b32 v2, v2
        ds_pk_add_f16 v2, v3
        """,
        arguments=(IN, result),
    )
    words = execution.matrix("C", (0, 0, 1, 2))[0].astype(np.uint32)
    halves = words[:1].view(np.float16)
    assert halves.tolist() == [64, 128]
    assert (np.array([words[1] << 16, words[1] & 0xFFFF0000], np.uint32)).view(np.float32).tolist() == [
        64,
        128,
    ]


def test_lines_touched() -> None:
    execution = run(
        LOAD
        + "v_lshlrev_b32 v2, 4, v0\n global_load_dwordx4 v[4:7], v2, s[4:5]\n s_mov_b64 exec, 3\n"
        + "global_load_dword v8, v2, s[4:5] offset:120",
        arguments=(IN, OUT),
    )
    wave = execution.trace.waves[0]
    rows = [wave.lines[wave.line_offsets[row] : wave.line_offsets[row + 1]] for row in range(len(wave))]
    base = rows[2][0]
    assert (rows[2] - base).tolist() == list(range(8))
    assert (rows[4] - base).tolist() == [0, 1]
    assert wave.memory_bytes.tolist() == [0, 0, 1024, 0, 8, 0]


def test_scalar_loads_and_arguments() -> None:
    arguments = (
        ScalarArgument("n", "i32", -3),
        ScalarArgument("x", "f32", 1.5),
        ScalarArgument("w", "u64", 2**40 + 7),
        IN,
    )
    outcome = execute(
        """
        s_load_dwordx2 s[4:5], s[0:1], 0x0
        s_load_dwordx4 s[8:11], s[0:1], 0x8
        s_movk_i32 s6, 0x10
        s_load_dwordx2 s[12:13], s[0:1], s6
        s_load_dword s14, s[12:13], 0x8
        s_mov_b32 s15, s2
        """,
        arguments=arguments,
    )
    assert (outcome.s(4), outcome.s(5)) == (2**32 - 3, 0x3FC00000)
    assert outcome.s64(8) == 2**40 + 7
    assert outcome.s64(10) == outcome.s64(12) == 1 << 40
    assert outcome.s(14) == 2
    assert outcome.s(15) == 0  # workgroup id x follows the two user SGPRs


def test_three_dwords_of_arguments_may_be_loaded_as_four() -> None:
    """The kernarg segment ends at a multiple of 16 bytes; clang 22 loads the last 12 bytes so."""
    arguments = tuple(ScalarArgument(name, "i32", number) for number, name in enumerate("abc", start=5))
    outcome = execute(
        "s_load_dwordx4 s[4:7], s[0:1], 0x0\ns_load_dword s8, s[0:1], 0x10", arguments=arguments
    )
    assert [outcome.s(register) for register in range(4, 8)] == [5, 6, 7, 0]
    (beyond,) = outcome.findings
    assert "first at kernarg segment+16 of 16 bytes" in beyond.message


def test_launch_must_fit_the_kernel() -> None:
    program = make_program("", arguments=(IN,))
    machine = load_machine("gfx942")
    with pytest.raises(UserError, match="takes 1 argument, the launch gives 0"):
        emulate(program, Launch((), 64), machine)
    with pytest.raises(UserError, match="kernel test takes 8"):
        emulate(program, Launch((ScalarArgument("n", "i32", 1),), 64), machine)
    with pytest.raises(LimitExceeded):
        emulate(program, Launch((replace(IN, rows=1 << 30, cols=1 << 20),), 64), machine)
    with pytest.raises(LimitExceeded):
        emulate(program, Launch((IN,), 2048), machine)
    with pytest.raises(UserError, match="machine is a gfx950"):
        emulate(program, Launch((IN,), 64), load_machine("gfx950"))


def test_dispatcher_sets_ids() -> None:
    program = make_program(
        LOAD.replace("x4 s[4:7]", "x2 s[4:5]")
        + """
        v_mov_b32 v3, s2
        v_mov_b32 v4, s3
        v_lshlrev_b32 v2, 4, v0
        global_store_dwordx2 v2, v[3:4], s[4:5]
        global_store_dword v2, v0, s[4:5] offset:8
        """,
        arguments=(OUT,),
        workgroup_id_y=True,
    )
    launch = Launch((OUT,), 40, (8, 8, 1), ((5, 6, 0),))
    got = emulate(program, launch, load_machine("gfx942")).matrix("C", (0, 0, 4, 256)).reshape(-1, 4)
    assert got[39].tolist()[:3] == [5, 6, 39]
    assert not got[40:].any()  # the last wave of a workgroup may be partial


@settings(max_examples=20)
@given(
    st.integers(0, 2**31),
    st.integers(0, 8000),
    st.integers(0, 9000),
    st.sampled_from(["bf16", "f32", "i8", "f16", "fp8"]),
)
def test_elements_depend_on_place_alone(seed: int, row: int, column: int, dtype: str) -> None:
    argument = MatrixArgument("A", dtype, 8192, 9001, seed=seed)
    matrix = VirtualMatrix(argument, "gfx942")
    region = matrix.region(row, column, 3, 5)
    rows, columns = region.shape
    exact = matrix.initial_values((row + np.arange(rows))[:, None], (column + np.arange(columns))[None, :])
    np.testing.assert_array_equal(region, exact)
    assert int(matrix._ready.sum()) <= 6


def test_random_elements_are_uniform() -> None:
    values = random_values(3, np.arange(512)[:, None], np.arange(512)[None, :], "f32")
    assert abs(values.mean()) < 0.01
    assert abs(values.var() - 1 / 3) < 0.01
    assert -1 <= values.min() < -0.999
    assert 0.999 < values.max() < 1
    near = np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1]
    below = np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]
    other = np.corrcoef(
        values.ravel(), random_values(4, np.arange(512)[:, None], np.arange(512)[None, :], "f32").ravel()
    )[0, 1]
    assert max(abs(near), abs(below), abs(other)) < 0.01


@given(st.floats(width=32))
def test_bf16_rounds_to_nearest_even(value: float) -> None:
    bits = int(f32_to_bf16(np.array([value], np.float32))[0])
    back = np.uint32(bits << 16).view(np.float32)
    if np.isnan(value):
        assert np.isnan(back)
        return
    low = np.uint32(int(np.float32(value).view(np.uint32)) & 0xFFFF0000)
    error = int(np.float32(value).view(np.uint32)) - int(low)
    up = error > 0x8000 or (error == 0x8000 and bool(int(low) >> 16 & 1))
    assert bits == (int(low) >> 16) + int(up)


@pytest.mark.parametrize("kind", ["fp8", "bf8"])
@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_8_bit_codecs_round_trip(kind: str, arch: str) -> None:
    codec = minifloat(kind, arch)
    finite = np.flatnonzero(np.isfinite(codec.values)).astype(np.uint8)
    np.testing.assert_array_equal(codec.encode(codec.decode(finite)), finite)
    largest = {
        ("fp8", "gfx942"): 240,
        ("fp8", "gfx950"): 448,
        ("bf8", "gfx942"): 57344,
        ("bf8", "gfx950"): 57344,
    }
    assert codec.values[finite].max() == largest[kind, arch]


def test_scratch() -> None:
    program = replace(
        make_program(
            LOAD
            + """
            s_mov_b32 s8, 4
            scratch_store_dword off, v0, s8
            v_mov_b32 v2, 0
            scratch_load_dword v3, v2, off offset:4
            v_lshlrev_b32 v2, 2, v0
            global_store_dword v2, v3, s[6:7]
            """,
            arguments=(IN, OUT),
            scratch_bytes=16,
        )
    )
    execution = emulate(program, Launch((IN, OUT), 64), load_machine("gfx942"))
    assert execution.matrix("C", (0, 0, 1, 64))[0].tolist() == list(range(64))
