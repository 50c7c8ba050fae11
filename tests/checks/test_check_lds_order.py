"""missing-wait for loads into LDS: one wave's own accesses, by their addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding

KERNEL = """kernel:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	s_mov_b32 m0, 0
	s_waitcnt lgkmcnt(0)
{body}
	s_waitcnt vmcnt(0) lgkmcnt(0)
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 1024
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""
LOAD = "\tglobal_load_lds_dword v1, s[4:5]"
READ = "\tds_read_b32 v2, v1"


def missing(tmp_path: Path, *body: str) -> list[Finding]:
    path = tmp_path / "kernel.s"
    path.write_text(KERNEL.format(body="\n".join(body)))
    launch = LaunchOptions(arguments=("A=f32[1,64]", "C=f32[1,64]:unwritten"), block=64)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    found = check_kernel(kernel, machine).findings
    return [each for each in found if each.rule == "missing-wait"]


def test_reading_before_the_load_to_lds_is_there(tmp_path: Path) -> None:
    (finding,) = missing(tmp_path, LOAD, READ)
    assert "ds_read_b32 reads LDS byte 0" in finding.message
    assert [span.line for span in finding.spans] == [7, 6]
    assert finding.waves == (0,)
    assert "vmcnt" in finding.fix


@pytest.mark.parametrize("wait", ["vmcnt(0)", "vmcnt(0) lgkmcnt(0)"])
def test_waited_for(wait: str, tmp_path: Path) -> None:
    assert not missing(tmp_path, LOAD, f"\ts_waitcnt {wait}", READ)


def test_the_other_counter_does_not_help(tmp_path: Path) -> None:
    assert missing(tmp_path, LOAD, "\ts_waitcnt lgkmcnt(0)", READ)


def test_loading_over_what_is_still_read(tmp_path: Path) -> None:
    (finding,) = missing(tmp_path, READ, LOAD)
    assert "global_load_lds_dword writes LDS byte 0" in finding.message
    assert "lgkmcnt" in finding.fix
    assert not missing(tmp_path, READ, "\ts_waitcnt lgkmcnt(0)", LOAD)


def test_other_bytes_do_not_conflict(tmp_path: Path) -> None:
    assert not missing(tmp_path, LOAD, "\tds_read_b32 v2, v1 offset:256")


def test_the_fix_names_the_count(tmp_path: Path) -> None:
    other = "\tglobal_load_dword v3, v1, s[4:5]"
    (finding,) = missing(tmp_path, LOAD, other, other, READ)
    assert finding.fix == "put s_waitcnt vmcnt(2), which covers global_load_lds_dword, before ds_read_b32"
    (finding,) = missing(tmp_path, LOAD, other, "\ts_waitcnt vmcnt(2)", READ)
    assert "kernel.s:8 needs vmcnt(1), not vmcnt(2), to cover" in finding.fix
    assert not missing(tmp_path, LOAD, other, "\ts_waitcnt vmcnt(1)", READ)
