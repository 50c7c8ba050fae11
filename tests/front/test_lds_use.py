"""A kernel that uses LDS and declares none: Triton's .json says how much, else all there is is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

TEXT = """
	.amdgcn_target "amdgcn-amd-amdhsa--{arch}"
	.text
kernel:
	v_lshlrev_b32 v1, 2, v0
	{line}
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""


def loaded(tmp_path: Path, line: str, arch: str = "gfx942", **options: int) -> tuple[int, int, list[str]]:
    """LDS bytes, threads, and the rules of what was found while loading."""
    path = tmp_path / "kernel.amdgcn"
    path.write_text(TEXT.format(line=line, arch=arch))
    kernel, _ = prepare(path, RunOptions(launch=LaunchOptions(arguments=("n=1",), **options)))
    found = [each.rule for each in kernel.findings]
    return kernel.program.metadata.lds_bytes, kernel.launch.workgroup_size, found


@pytest.mark.parametrize(("arch", "all_bytes"), [("gfx942", 65536), ("gfx950", 163840)])
@pytest.mark.parametrize(
    "line", ["ds_read_b32 v2, v1", "ds_add_u32 v1, v1", "global_load_lds_dword v[2:3], off"]
)
def test_all_lds_is_taken_and_said(tmp_path: Path, line: str, arch: str, all_bytes: int) -> None:
    assert loaded(tmp_path, line, arch) == (all_bytes, 256, ["occupancy"])
    assert loaded(tmp_path, line, arch, dynamic_lds_bytes=512) == (512, 256, [])


@pytest.mark.parametrize(
    "line", ["v_mov_b32 v2, v1", "ds_bpermute_b32 v2, v1, v1", "ds_swizzle_b32 v2, v1 offset:1"]
)
def test_no_lds_is_used(tmp_path: Path, line: str) -> None:
    assert loaded(tmp_path, line) == (0, 256, [])


def test_triton_says_it_beside_the_kernel(tmp_path: Path) -> None:
    beside = {"triton_version": "3.9.0", "shared": 4096, "num_warps": 8, "warp_size": 64}
    (tmp_path / "kernel.json").write_text(json.dumps(beside))
    assert loaded(tmp_path, "ds_read_b32 v2, v1") == (4096, 512, [])
    assert loaded(tmp_path, "ds_read_b32 v2, v1", block=64, dynamic_lds_bytes=256) == (256, 64, [])


@pytest.mark.parametrize("text", ["{", "[1]", '{"shared": 4096}', '{"triton_version": "3", "shared": "x"}'])
def test_another_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "kernel.json").write_text(text)
    assert loaded(tmp_path, "ds_read_b32 v2, v1") == (65536, 256, ["occupancy"])
