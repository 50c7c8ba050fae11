"""Kernels whose launch nobody said: what lane and wave numbers decide is executed, the rest is marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import wavesim
from wavesim.cli.main import cli
from wavesim.errors import UserError

KERNEL = """
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32 v1, SHIFT, v0
	v_mov_b32 v2, 1.0
	ds_write_b32 v1, v2
	s_waitcnt lgkmcnt(0)
	BARRIER
	v_xor_b32 v3, 0x100, v1
	ds_read_b32 v4, v3
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v4, s[4:5]
	s_endpgm
	.amdhsa_kernel k
		.amdhsa_group_segment_fixed_size 32768
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
	.amdgpu_metadata
---
amdhsa.kernels:
  - .args:
      - {.address_space: global, .offset: 0, .size: 8, .value_kind: global_buffer}
    .group_segment_fixed_size: 32768
    .kernarg_segment_align: 8
    .kernarg_segment_size: 8
    .max_flat_workgroup_size: THREADS
    .name: k
    .private_segment_fixed_size: 0
    .sgpr_count: 16
    .symbol: k.kd
    .vgpr_count: 8
    .wavefront_size: 64
amdhsa.version: [1, 2]
...
	.end_amdgpu_metadata
"""


def written(folder: Path, *, shift: int = 2, barrier: str = "s_barrier", threads: int = 128) -> Path:
    path = folder / "k.s"
    text = KERNEL.replace("SHIFT", str(shift)).replace("BARRIER", barrier)
    path.write_text(text.replace("THREADS", str(threads)))
    return path


def test_a_run_has_real_lds_addresses_and_marks_what_rests_on_arguments(tmp_path: Path) -> None:
    plain = written(tmp_path)
    done = wavesim.run(plain)
    assert done.name == "k"
    assert done.run.timeline.trace.waves[1].wave == 1
    assert done.run.mark("clk_total") == "?"  # a store at an address that is not known
    assert done.run.mark("bounds.lds_service") == ""
    quick = done.bounds.lds_service if done.bounds is not None else None
    spread = written(tmp_path, shift=7)  # 64 lanes on two banks
    slow = wavesim.run(spread)
    assert slow.run.analysis.notes[0].startswith("no launch is known: ")
    assert slow.clk_total > done.clk_total + 64
    assert quick is None  # no loop


def test_check_executes_it_and_finds_a_race_between_waves(tmp_path: Path) -> None:
    clean = wavesim.check(written(tmp_path))
    assert clean.verdict == "unchecked"  # nothing is called good of what was not looked at
    assert "executed as far as lane and wave numbers say: no launch is known" in str(clean)
    racing = wavesim.check(written(tmp_path, barrier="s_nop 0"))
    assert racing.verdict == "bad"
    assert [each.rule for each in racing.findings if each.is_bad] == ["lds-race"]


def test_what_is_assumed_is_not_judged(tmp_path: Path) -> None:
    """Here an argument decides whether the barrier is passed: nothing is said of races."""
    barrier = (
        "s_load_dword s6, s[4:5], 0x0\n\ts_waitcnt lgkmcnt(0)\n\ts_cmp_eq_u32 s6, 0\n\ts_cbranch_scc1 past\n"
    )
    path = written(tmp_path, barrier=f"{barrier}\ts_nop 0\npast:")
    assert [each.rule for each in wavesim.check(path).findings if each.is_bad] == []
    done = CliRunner().invoke(cli, ["check", str(path), "--json"])
    assert any(
        "taken not to branch" in each["text"] for each in json.loads(done.stdout)["unknowns"]["assumptions"]
    )


@pytest.mark.parametrize(("threads", "said"), [(1024, True), (128, False)])
def test_a_run_says_which_workgroup_it_takes_if_nobody_says_one(
    tmp_path: Path, threads: int, said: bool
) -> None:
    """A kernel that states 128 threads has two waves; 1024 is the compiler's limit, no statement."""
    shown = CliRunner().invoke(cli, ["run", str(written(tmp_path, threads=threads))]).output
    assert ("a workgroup of 8 waves is taken" in " ".join(shown.split())) is said


def test_a_workgroup_that_is_not_known_is_not_guessed_by_check(tmp_path: Path) -> None:
    path = written(tmp_path, threads=1024, barrier="s_nop 0")
    assert "not executed: no launch is known" in str(wavesim.check(path))
    stated = wavesim.check(path, launch=wavesim.LaunchOptions(block=128))
    assert [each.rule for each in stated.findings if each.is_bad] == ["lds-race"]


def test_tune_needs_the_launch(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no launch is known: what arguments does k get"):
        wavesim.tune(written(tmp_path))
