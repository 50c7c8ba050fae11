"""A kernel whose stack pointer is outside its scratch memory ends soon, with the finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

KERNEL = """kernel:
	s_movk_i32 s32, {stack}
	v_mov_b32 v1, 0
	scratch_store_dword off, v1, s32
loop:
	scratch_load_dword v3, off, s32
	s_waitcnt vmcnt(0)
	v_add_u32 v3, 1, v3
	scratch_store_dword off, v3, s32
	{after}
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 40
		.amdhsa_accum_offset 8
		.amdhsa_private_segment_fixed_size 16
		.amdhsa_enable_private_segment 1
	.end_amdhsa_kernel
"""
COUNTS = "v_cmp_ne_u32 vcc, 5, v3\n\ts_cbranch_vccnz loop"
RETURNS = "v_readfirstlane_b32 s30, v3\n\ts_mov_b32 s31, 0\n\ts_setpc_b64 s[30:31]"


def execute(tmp_path: Path, stack: int, after: str, *, adversarial: bool = False) -> Execution:
    path = tmp_path / "kernel.s"
    path.write_text(KERNEL.format(stack=stack, after=after))
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=LaunchOptions(block=128)))
    return emulate(kernel.program, kernel.launch, machine, adversarial=adversarial)


@pytest.mark.parametrize("adversarial", [False, True])
def test_a_counter_that_is_lost(adversarial: bool, tmp_path: Path) -> None:
    execution = execute(tmp_path, 0x4000, COUNTS, adversarial=adversarial)
    assert not execution.complete
    assert {each.rule for each in execution.findings} == {"scratch-out-of-bounds"}
    assert execution.findings[0].message.endswith("20000 instructions later the execution was stopped")
    assert execution.instruction_count < 2 * 20_200


def test_a_return_address_that_is_lost(tmp_path: Path) -> None:
    execution = execute(tmp_path, 0x4000, RETURNS)
    assert not execution.complete
    assert "; then s_setpc_b64 leaves the kernel" in execution.findings[0].message


def test_inside_nothing_is_stopped(tmp_path: Path) -> None:
    assert execute(tmp_path, 0, COUNTS).complete
    with pytest.raises(UserError, match="leaves the kernel"):
        execute(tmp_path, 0, RETURNS)
