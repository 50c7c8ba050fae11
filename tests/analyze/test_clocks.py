"""Kernels that read the clock see the clocks at which they read it, or are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.front.assembled import load_assembly
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.load import load_machine
from wavesim.pipeline.clocks import clock_values, execute_and_time
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.timing import simulate

KERNEL = """
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
clocked:
	s_load_dwordx2 s[2:3], s[0:1], 0x0
	s_waitcnt lgkmcnt(0)
	s_memtime s[4:5]
	s_waitcnt lgkmcnt(0)
	s_nop 7
	s_nop 7
	s_memtime s[6:7]
	s_waitcnt lgkmcnt(0)
	s_sub_u32 s8, s6, s4
{}	v_mov_b32_e32 v0, 0
	v_mov_b32_e32 v1, s8
	global_store_dword v0, v1, s[2:3]
	s_endpgm
	.amdhsa_kernel clocked
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_kernarg_size 8
	.end_amdhsa_kernel
	.amdgpu_metadata
---
amdhsa.kernels:
  - .name: clocked
    .symbol: clocked.kd
    .kernarg_segment_size: 8
    .args:
      - .name: out
        .offset: 0
        .size: 8
        .value_kind: global_buffer
        .address_space: global
...
	.end_amdgpu_metadata
"""
LAUNCH = LaunchOptions(arguments=("out=i32[1,64]:zero",), block=64)


def kernel_file(folder: Path, more: str = "") -> Path:
    path = folder / "clocked.s"
    path.write_text(KERNEL.format(more))
    return path


def test_the_stored_difference_is_the_timelines(tmp_path: Path) -> None:
    kernel = load_assembly(kernel_file(tmp_path), "gfx942", {}, LAUNCH)
    machine = load_machine("gfx942")

    class Done:
        def __init__(self, values: object) -> None:
            self.execution = emulate(kernel.program, kernel.launch, machine, clock_values=values)  # type: ignore[arg-type]

    clocked = execute_and_time(Done, lambda done: simulate(done.execution.trace, machine.parameters), 1400.0)
    first, second = clock_values(clocked.timeline, 1400.0)[0]
    assert clocked.rounds == 2
    assert second - first > 64  # two s_nop 7
    assert clocked.executed.execution.matrix("out", (0, 0, 1, 1))[0, 0] == second - first


def test_run_takes_such_kernels(tmp_path: Path) -> None:
    run = run_kernel(kernel_file(tmp_path), RunOptions(launch=LAUNCH))
    assert run.timeline.complete


def test_a_path_that_depends_on_the_clock_is_refused_by_name(tmp_path: Path) -> None:
    # each pass delays the next one's read by what it has read: every round settles one pass more
    more = """	s_mov_b32 s13, 8
.Lpass:
	s_memtime s[10:11]
	s_waitcnt lgkmcnt(0)
	s_mul_i32 s12, s10, 0x9e3779b1
	s_lshr_b32 s12, s12, 29
	s_add_u32 s12, s12, 1
.Ldelay:
	s_sub_u32 s12, s12, 1
	s_cmp_lg_u32 s12, 0
	s_cbranch_scc1 .Ldelay
	s_sub_u32 s13, s13, 1
	s_cmp_lg_u32 s13, 0
	s_cbranch_scc1 .Lpass
"""
    with pytest.raises(UserError) as caught:
        run_kernel(kernel_file(tmp_path, more), RunOptions(launch=LAUNCH))
    assert "depends on the clocks" in str(caught.value)
    assert "clocked.s:6" in str(caught.value)
