"""The fix of a race names the wait that lacks, its line and the largest count that covers the access."""

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
	v_xor_b32_e32 v3, 0x100, v1                ; the other wave's word
	v_lshrrev_b32_e32 v4, 6, v0
	v_readfirstlane_b32 s8, v4
	s_lshl_b32 s8, s8, 8
	s_mov_b32 m0, s8
	s_mov_b32 s9, 0
	s_waitcnt lgkmcnt(0)
{body}
	s_waitcnt vmcnt(0) lgkmcnt(0)
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 8192
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 12
		.amdhsa_next_free_sgpr 24
		.amdhsa_accum_offset 12
	.end_amdhsa_kernel
"""
FIRST = 11
"""Line of the body's first instruction."""
WRITE, READ = "ds_write_b32 v1, v0", "ds_read_b32 v2, v3"
LOAD = "global_load_lds_dword v1, s[4:5]"
OTHER = "ds_write_b32 v1, v0 offset:4096"
REGISTER = "global_load_dword v5, v1, s[4:5]"


def races(tmp_path: Path, *body: str) -> list[Finding]:
    path = tmp_path / "kernel.s"
    path.write_text(KERNEL.format(body="\n".join(f"\t{line}" for line in body)))
    launch = LaunchOptions(arguments=("A=i32[1,128]", "C=i32[1,128]:unwritten"), block=128)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    return [each for each in check_kernel(kernel, machine).findings if each.rule == "lds-race"]


@pytest.mark.parametrize(
    ("before", "wait", "says"),
    [
        ([WRITE, OTHER, OTHER], "lgkmcnt(3)", "lgkmcnt(2), not lgkmcnt(3)"),
        ([WRITE, OTHER], "vmcnt(0) lgkmcnt(2)", "lgkmcnt(1), not lgkmcnt(2)"),
        ([WRITE, OTHER, "s_load_dword s9, s[4:5], 0x0"], "lgkmcnt(2)", "lgkmcnt(1), not lgkmcnt(2)"),
        ([LOAD, REGISTER, REGISTER], "vmcnt(3)", "vmcnt(2), not vmcnt(3)"),
        ([LOAD, "global_store_dword v1, v0, s[6:7]"], "vmcnt(2)", "vmcnt(1), not vmcnt(2)"),
        ([LOAD, OTHER, REGISTER], "vmcnt(2) lgkmcnt(0)", "vmcnt(1), not vmcnt(2)"),
    ],
)
def test_the_count_of_the_wait(before: list[str], wait: str, says: str, tmp_path: Path) -> None:
    (race,) = races(tmp_path, *before, f"s_waitcnt {wait}", "s_barrier", READ)
    assert says in race.fix
    assert f"kernel.s:{FIRST + len(before)} " in race.fix
    mended = says.split(",")[0]
    assert not races(tmp_path, *before, f"s_waitcnt {mended}", "s_barrier", READ)


def test_the_count_is_the_largest(tmp_path: Path) -> None:
    """One more than the fix says is still a race."""
    before = [WRITE, OTHER, OTHER]
    assert races(tmp_path, *before, "s_waitcnt lgkmcnt(3)", "s_barrier", READ)
    assert not races(tmp_path, *before, "s_waitcnt lgkmcnt(2)", "s_barrier", READ)


def test_a_wait_on_the_wrong_side(tmp_path: Path) -> None:
    (race,) = races(tmp_path, WRITE, OTHER, "s_barrier", "s_waitcnt lgkmcnt(0)", READ)
    assert race.fix.startswith("put s_waitcnt lgkmcnt(1)")
    assert race.fix.endswith(f"kernel.s:{FIRST + 2}")


def test_a_read_that_another_wave_writes_over(tmp_path: Path) -> None:
    (race,) = races(tmp_path, READ, OTHER, "s_barrier", WRITE)
    assert "covers the ds_read_b32" in race.fix
    assert "lgkmcnt(1)" in race.fix


def test_no_count_that_means_no_wait(tmp_path: Path) -> None:
    """At 15 younger operations the counter is full and the first is complete: the advice is at most 14."""
    (race,) = races(tmp_path, WRITE, *[OTHER] * 14, "s_waitcnt vmcnt(0)", "s_barrier", READ)
    assert "lgkmcnt(14)" in race.fix
    assert not races(tmp_path, WRITE, *[OTHER] * 15, "s_barrier", READ)


def half(load_to: int, read_from: int, count: int) -> list[str]:
    """Load one buffer, wait for what the half before loaded into the other, and read that."""
    return [
        f"s_add_u32 m0, s8, {load_to}",
        "s_nop 0",
        LOAD,
        REGISTER,
        f"s_waitcnt vmcnt({count})",
        "s_barrier",
        f"{READ} offset:{read_from}",
        "s_waitcnt lgkmcnt(0)",
        "s_barrier",
    ]


def test_an_unrolled_loop(tmp_path: Path) -> None:
    """The wait of each half covers what the other half loaded: three younger operations."""

    def kernel(first: int, second: int) -> list[str]:
        loop = [*half(0, 4096, first), *half(4096, 0, second)]
        again = ["s_add_u32 s9, s9, 1", "s_cmp_lt_u32 s9, 4", "s_cbranch_scc1 again"]
        return ["s_add_u32 m0, s8, 4096", "s_nop 0", LOAD, REGISTER, "again:", *loop, *again]

    assert not races(tmp_path, *kernel(3, 3))
    first = races(tmp_path, *kernel(4, 3))
    assert {each.fix.split(" before")[0][-9:] for each in first} == {f"kernel.s:{FIRST + 9}"[-9:]}
    assert all("vmcnt(3), not vmcnt(4)" in each.fix for each in first)
    (second,) = races(tmp_path, *kernel(3, 4))
    assert f"kernel.s:{FIRST + 18} before" in second.fix
    assert "vmcnt(3), not vmcnt(4)" in second.fix


def test_without_a_barrier_it_says_both(tmp_path: Path) -> None:
    (race,) = races(tmp_path, WRITE, READ)
    assert race.fix == "wait for the first access (s_waitcnt), then s_barrier, before the second"
