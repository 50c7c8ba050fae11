"""Stores of two waves to one byte: a race, unless the order cannot matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

TEXT = """
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
	.text
kernel:
	v_and_b32 v1, 63, v0
	v_lshlrev_b32 v2, 2, v1
	v_mov_b32 v3, 0
{body}
	s_waitcnt lgkmcnt(0)
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 1024
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 8
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""


def races(tmp_path: Path, body: str) -> int:
    path = tmp_path / "kernel.s"
    path.write_text(TEXT.format(body=body))
    kernel, machine = prepare(path, RunOptions(launch=LaunchOptions(block=128)))
    findings = check_kernel(kernel, machine).findings
    return sum(each.rule == "lds-race" for each in findings)


@pytest.mark.parametrize(
    "body",
    [
        "ds_write_b32 v2, v1",  # both waves: the lane's number
        "ds_write2_b32 v2, v1, v3 offset1:64",
        "v_lshlrev_b32 v2, 3, v1\n ds_write_b64 v2, v[2:3]\n s_waitcnt lgkmcnt(0)\n s_barrier",
        "ds_add_u32 v3, v1",
        "ds_add_u32 v3, v1\n ds_max_u32 v3, v1",
    ],
)
def test_order_does_not_matter(tmp_path: Path, body: str) -> None:
    assert races(tmp_path, body) == 0


@pytest.mark.parametrize(
    "body",
    [
        "ds_write_b32 v2, v0",  # the thread's number: not the same in both waves
        "ds_write_b8 v2, v0 offset:1",
        "ds_write_b32 v2, v1\n ds_read_b32 v4, v2 offset:4",
        "ds_write_b32 v2, v1\n ds_write_b32 v2, v1",  # two places in the code
        "ds_write_b32 v3, v3\n ds_add_u32 v3, v1",
        "ds_add_u32 v3, v1\n ds_read_b32 v4, v3",
    ],
)
def test_order_matters(tmp_path: Path, body: str) -> None:
    assert races(tmp_path, body) > 0
