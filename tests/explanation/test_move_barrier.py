"""A wait with its barrier before independent work: the advice moves both, and only past arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.explanation.advice import Advice
from wavesim.explanation.explanation import explain_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions

KERNEL = """
	.amdgcn_target "amdgcn-amd-amdhsa--gfx950"
exchange:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_xor_b32_e32 v4, 0x100, v1
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
	ds_write_b32 v1, v0
{sync}
{work}
	ds_read_b32 v5, v4
	s_waitcnt vmcnt(0) lgkmcnt(0)
	v_add_u32_e32 v5, v5, v20
	global_store_dword v1, v5, s[6:7]
	s_endpgm
	.amdhsa_kernel exchange
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 64
		.amdhsa_next_free_sgpr 32
		.amdhsa_accum_offset 64
		.amdhsa_group_segment_fixed_size 1024
	.end_amdhsa_kernel
"""
SYNC = "\ts_waitcnt vmcnt(0) lgkmcnt(0)\n\ts_barrier"
ARITHMETIC = ["\tv_mad_u32_u24 v20, v0, v1, v20"] * 40
FIRST_OF_WORK = KERNEL.split("{work}")[0].count("\n") + 2


def moved(tmp_path: Path, work: list[str]) -> list[Advice]:
    path = tmp_path / "exchange.s"
    path.write_text(KERNEL.format(sync=SYNC, work="\n".join(["\tv_mov_b32_e32 v20, 0", *work])))
    launch = LaunchOptions(block=256, arguments=("A=i32[256]:random", "C=i32[256]"))
    found = explain_kernel(path, RunOptions(arch="gfx950", launch=launch), processes=1)
    return [each for each in found.advice if each.kind == "move-barrier"]


def test_both_move_behind_the_arithmetic(tmp_path: Path) -> None:
    (advice,) = moved(tmp_path, ARITHMETIC)
    assert "s_waitcnt" in advice.text
    assert "s_barrier" in advice.text
    assert advice.spans[-1].line == FIRST_OF_WORK + 40
    assert advice.gain_clk > 100


STOPS = {
    "an LDS access": "\tds_read_b32 v21, v4",
    "a global access": "\tglobal_load_dword v21, v1, s[4:5]",
    "the awaited data": "\tv_add_u32_e32 v21, v2, v0",
}


@pytest.mark.parametrize("stop", STOPS)
def test_no_access_changes_its_side_and_data_is_not_used_before_its_wait(tmp_path: Path, stop: str) -> None:
    (advice,) = moved(tmp_path, [*ARITHMETIC[:20], STOPS[stop], *ARITHMETIC[20:]])
    assert advice.spans[-1].line == FIRST_OF_WORK + 20
