"""Tile coverage: results that were not stored, or belong elsewhere, are named by their place."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from wavesim.checks.coverage import _moved_blocks, stored_by_two_waves
from wavesim.checks.run import check_kernel
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,64]", "B=bf16[128,64]", "C=f32[128,128]:unwritten", "N=128", "K=64"),
    block=512,
    expect="C = A @ B.T",
)


def test_a_dropped_store_is_named(shared: Path, tmp_path: Path) -> None:
    text = (shared / "examples" / "gemm8_plain.gfx942.s").read_text()
    store = re.search(r"^\s+global_store_dword.*$", text, re.MULTILINE)
    if store is None:
        pytest.skip("the example stores another way")
    path = tmp_path / "dropped.gfx942.s"
    path.write_text(text.replace(store.group(), "", 1))
    kernel, machine = prepare(path, RunOptions(launch=LAUNCH))
    found = [each for each in check_kernel(kernel, machine).findings if each.rule == "tile-coverage"]
    assert len(found) == 1
    assert "never stored" in found[0].message


def test_a_block_that_belongs_elsewhere_is_told_from_noise() -> None:
    reference = np.random.default_rng(1).standard_normal((64, 64))
    got = reference.copy()
    got[:32, 32:] = reference[32:, :32]
    stored = np.ones_like(got, dtype=bool)
    assert _moved_blocks(got, stored, reference, 1e-5) == [((0, 32), (32, 0))]
    got[:32, 32:] = 0.5
    assert _moved_blocks(got, stored, reference, 1e-5) == []


def test_two_waves_that_store_the_same_blocks() -> None:
    kernel, machine = prepare(KERNELS / "seed" / "v2.yaml", RunOptions(settings={"K": "256"}))
    found = [each for each in check_kernel(kernel, machine).findings if each.rule == "tile-coverage"]
    (finding,) = found
    assert "16384 elements of C are stored by two waves" in finding.message
    assert finding.waves == tuple(range(8))
    assert finding.spans


@pytest.mark.parametrize("name", ["4wave", "8wave", "8wave_pingpong", "seed/v3", "seed/v4"])
def test_blocks_stored_once(name: str) -> None:
    kernel, machine = prepare(KERNELS / f"{name}.yaml", RunOptions(settings={"K": "256"}))
    execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    assert not list(stored_by_two_waves(execution))


@pytest.mark.parametrize(("shift", "twice"), [(1, False), (2, True)])
def test_elements_count_not_dwords(shift: int, twice: bool, tmp_path: Path) -> None:
    """16-bit stores of two waves into the halves of one dword are no conflict; into the same half they are.

    Lane l of wave w stores at byte 4 l + (w << shift); with shift 2 that is lane l + 1 of wave 0.
    """
    path = tmp_path / "kernel.s"
    path.write_text(
        f"""kernel:
	s_load_dwordx2 s[4:5], s[0:1], 0x10
	v_and_b32_e32 v2, 63, v0
	v_lshrrev_b32_e32 v3, 6, v0
	v_lshlrev_b32_e32 v2, 2, v2
	v_lshl_add_u32 v1, v3, {shift}, v2
	s_waitcnt lgkmcnt(0)
	global_store_short v1, v0, s[4:5]
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""
    )
    arguments = ("A=bf16[1,16]", "B=bf16[130,16]", "C=bf16[1,130]:unwritten")
    launch = LaunchOptions(arguments=arguments, block=128, expect="C = A @ B.T")
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    found = list(stored_by_two_waves(execution))
    assert len(found) == int(twice)
    if twice:
        assert "63 elements of C are stored by two waves, the first at row 0, column 2" in found[0].message
        assert found[0].waves == (0, 1)
