"""Adversarial execution: hazards and races show as wrong numbers, clean kernels stay correct."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,512]", "B=bf16[128,512]", "C=f32[128,128]:unwritten", "N=128", "K=512"),
    block=512,
    expect="C = A @ B.T",
)

CORRECT = {
    "gemm8_asmread.gfx942.s": True,
    "gemm8_asmread.gfx950.s": True,
    "gemm8_asmread_fenced.gfx942.s": True,
    "gemm8_asmread_unroll2_HAZARD.gfx942.s": False,
    "gemm8_asmread_unroll2_tied.gfx942.s": True,
    "gemm8_nobarrier_RACE.gfx942.s": False,
    "gemm8_plain.gfx942.s": True,
    "gemm8_plain_32x32x8.gfx942.s": True,
}


def adversarial_numerics(path: Path) -> Numerics:
    kernel, machine = prepare(path, RunOptions(launch=LAUNCH))
    execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    return check_numerics(execution, kernel.launch)


@pytest.mark.parametrize("name", CORRECT)
def test_only_broken_kernels_get_wrong_numbers(name: str, shared: Path) -> None:
    numerics = adversarial_numerics(shared / "examples" / name)
    assert numerics.checked
    assert numerics.ok is CORRECT[name], numerics.message


TAIL = """	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 1024
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""
HEAD = """kernel:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshrrev_b32_e32 v4, 6, v0
	v_lshlrev_b32_e32 v1, 2, v0
	v_xor_b32_e32 v3, 0x100, v1                ; the other wave's word
	v_readfirstlane_b32 s8, v4
	s_lshl_b32 s8, s8, 8
	s_mov_b32 m0, s8
	s_waitcnt lgkmcnt(0)
"""
READ = """	s_barrier
	ds_read_b32 v2, v3
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v2, s[6:7]
"""


def results(tmp_path: Path, body: str) -> tuple[list[float], list[float]]:
    """C in the usual order and adversarially."""
    path = tmp_path / "kernel.s"
    path.write_text(HEAD + body + TAIL)
    launch = LaunchOptions(arguments=("A=i32[2,64]:index", "C=i32[2,64]:unwritten"), block=128)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    both = []
    for adversarial in (False, True):
        execution = emulate(kernel.program, kernel.launch, machine, adversarial=adversarial)
        assert execution.complete
        both.append(execution.matrix("C", (0, 0, 2, 64)).tolist())
    return both[0], both[1]


@pytest.mark.parametrize(
    ("wait", "shows"), [("", True), ("s_waitcnt lgkmcnt(0)", False), ("s_waitcnt vmcnt(0)", True)]
)
def test_lds_writes_arrive_at_their_wait(wait: str, shows: bool, tmp_path: Path) -> None:
    usual, hostile = results(tmp_path, f"\tds_write_b32 v1, v0\n\t{wait}\n{READ}")
    assert (usual != hostile) is shows


@pytest.mark.parametrize(
    ("wait", "shows"), [("", True), ("s_waitcnt vmcnt(0)", False), ("s_waitcnt lgkmcnt(0)", True)]
)
def test_loads_to_lds_arrive_at_their_wait(wait: str, shows: bool, tmp_path: Path) -> None:
    usual, hostile = results(tmp_path, f"\tglobal_load_lds_dword v1, s[4:5]\n\t{wait}\n{READ}")
    assert (usual != hostile) is shows


def test_a_product_after_the_wait_is_of_what_arrived(tmp_path: Path) -> None:
    """The one before it is of poison, and both are of the same registers."""
    product = "v_mfma_f32_16x16x4_f32 v[8:11], v2, v2, 0\n"
    first = f"\tglobal_load_dword v2, v1, s[4:5]\n\t{product}"
    last = "\ts_nop 15\n\tglobal_store_dword v1, v8, s[6:7]\n"
    usual, hostile = results(tmp_path, f"{first}{last}")
    assert usual != hostile
    usual, hostile = results(tmp_path, f"{first}\ts_waitcnt vmcnt(0)\n\t{product}{last}")
    assert usual == hostile


def test_a_wave_sees_its_own_writes_and_atomics_in_order(tmp_path: Path) -> None:
    body = (
        "\tds_write_b32 v1, v0\n\tds_add_u32 v1, v0\n\tds_read_b32 v2, v1\n\ts_waitcnt lgkmcnt(0)\n"
        "\tglobal_store_dword v1, v2, s[6:7]\n"
    )
    usual, hostile = results(tmp_path, body)
    assert usual == hostile
    assert usual[1][5] == 2 * (64 + 5)


def test_a_flag_without_a_wait_arrives_in_the_end(tmp_path: Path) -> None:
    """Wave 0 sets a flag and never waits for it; wave 1 polls: no deadlock."""
    body = """	v_mov_b32_e32 v5, 1
	v_mov_b32_e32 v6, 0
	s_cmp_eq_u32 s8, 0
	s_cbranch_scc0 other
	ds_write_b32 v6, v5 offset:512
	s_branch done
other:
	ds_read_b32 v2, v6 offset:512
	s_waitcnt lgkmcnt(0)
	v_readfirstlane_b32 s9, v2
	s_cmp_eq_u32 s9, 1
	s_cbranch_scc0 other
done:
	v_mov_b32_e32 v2, v0
	global_store_dword v1, v2, s[6:7]
"""
    usual, hostile = results(tmp_path, body)
    assert usual == hostile


EXCHANGE = """	v_mov_b32_e32 v2, 0
	{store}
	{wait}
	s_barrier
	{load}
	s_waitcnt vmcnt(0) lgkmcnt(0)
	global_store_dword v1, v2, s[6:7]
"""
STORES = {
    "global": "v_add_u32 v5, 0x1000, v0\n\tglobal_store_dword v1, v5, s[4:5]",
    "buffer": "s_mov_b64 s[12:13], s[4:5]\n\ts_mov_b32 s14, -1\n\ts_mov_b32 s15, 0x20000\n"
    "\tv_add_u32 v5, 0x1000, v0\n\tbuffer_store_dword v5, v1, s[12:15], 0 offen",
    "flat": "v_mov_b32 v7, s5\n\tv_add_co_u32 v6, vcc, s4, v1\n\tv_addc_co_u32 v7, vcc, 0, v7, vcc\n"
    "\tv_add_u32 v5, 0x1000, v0\n\tflat_store_dword v[6:7], v5",
    "sc bits": "v_add_u32 v5, 0x1000, v0\n\tglobal_store_dword v1, v5, s[4:5] sc0 sc1",
}
OTHERS = "global_load_dword v2, v3, s[4:5]"


@pytest.mark.parametrize(
    ("wait", "shows"),
    [("", True), ("s_waitcnt vmcnt(0) lgkmcnt(0)", False), ("s_waitcnt lgkmcnt(0)", True)],
)
@pytest.mark.parametrize("kind", STORES)
def test_stores_reach_other_waves_at_their_wait(kind: str, wait: str, shows: bool, tmp_path: Path) -> None:
    usual, hostile = results(tmp_path, EXCHANGE.format(store=STORES[kind], wait=wait, load=OTHERS))
    assert usual[0][0] == 0x1000 + 64
    assert (usual != hostile) is shows


def test_a_counted_wait_lets_older_stores_arrive(tmp_path: Path) -> None:
    """Of two stores vmcnt(1) completes the first."""
    second = "\n\tglobal_store_dword v1, v5, s[6:7]"
    for count, shows in ((0, False), (1, False), (2, True)):
        body = EXCHANGE.format(store=STORES["global"] + second, wait=f"s_waitcnt vmcnt({count})", load=OTHERS)
        usual, hostile = results(tmp_path, body)
        assert (usual != hostile) is shows


@pytest.mark.parametrize(
    "load",
    [
        "global_load_dword v2, v1, s[4:5]",
        "global_atomic_or v2, v1, v2, s[4:5] sc0",
        "global_load_lds_dword v1, s[4:5]\n\ts_waitcnt vmcnt(0)\n\tds_read_b32 v2, v1",
    ],
)
def test_a_wave_sees_its_own_stores_in_order(load: str, tmp_path: Path) -> None:
    again = "\n\tv_add_u32 v5, 1, v5\n\tglobal_store_dword v1, v5, s[4:5]"
    usual, hostile = results(tmp_path, EXCHANGE.format(store=STORES["global"] + again, wait="", load=load))
    assert usual == hostile
    assert usual[1][5] == 0x1001 + 64 + 5


def test_a_load_without_a_wait_sees_later_stores(tmp_path: Path) -> None:
    """Wave 1 loads and passes the barrier; wave 0 stores behind it."""
    body = """	{load}
	{wait}
	s_barrier
	v_mov_b32 v5, 7
	global_store_dword v3, v5, s[4:5]
	s_waitcnt vmcnt(0)
	s_barrier
	global_store_dword v1, v2, s[6:7]
"""
    for wait, shows in (("", True), ("s_waitcnt vmcnt(0)", False)):
        usual, hostile = results(tmp_path, body.format(load="global_load_dword v2, v1, s[4:5]", wait=wait))
        assert (usual != hostile) is shows


def test_a_flag_in_memory_without_a_wait_arrives_in_the_end(tmp_path: Path) -> None:
    """Wave 0 sets a flag and never waits for it; wave 1 polls: no deadlock."""
    body = """	v_mov_b32_e32 v5, 1
	v_mov_b32_e32 v6, 0
	s_cmp_eq_u32 s8, 0
	s_cbranch_scc0 other
	global_store_dword v6, v5, s[4:5] sc0 sc1
	s_branch done
other:
	global_load_dword v2, v6, s[4:5] sc0 sc1
	s_waitcnt vmcnt(0)
	v_readfirstlane_b32 s9, v2
	s_cmp_eq_u32 s9, 1
	s_cbranch_scc0 other
done:
	v_mov_b32_e32 v2, v0
	global_store_dword v1, v2, s[6:7]
"""
    usual, hostile = results(tmp_path, body)
    assert usual == hostile
