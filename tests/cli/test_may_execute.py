"""``check``, ``report`` and the Python API agree on what may be executed: what has a launch that is known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import wavesim
from wavesim import LaunchOptions
from wavesim.cli.main import cli
from wavesim.front.region import RegionOptions
from wavesim.pipeline.run import RunOptions, may_execute, prepare

ONE_WAVE = """\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	v_lshlrev_b32_e32 v0, 3, v0
	ds_write_b64 v0, v[2:3]
	s_endpgm
	.amdhsa_kernel k
		.amdhsa_next_free_vgpr 4
		.amdhsa_next_free_sgpr 8
		.amdhsa_accum_offset 4
		.amdhsa_group_segment_fixed_size 512
	.end_amdhsa_kernel
"""
STATES = """	.amdgpu_metadata
---
amdhsa.kernels:
  - .name: k
    .symbol: k.kd
    .reqd_workgroup_size: [64, 1, 1]
    .max_flat_workgroup_size: 64
...
	.end_amdgpu_metadata
"""
LOADS = """\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	s_load_dwordx2 s[2:3], s[0:1], 0x0
	s_waitcnt lgkmcnt(0)
	s_endpgm
	.amdhsa_kernel k
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 4
		.amdhsa_next_free_sgpr 8
		.amdhsa_accum_offset 4
	.end_amdhsa_kernel
"""


def verdicts(path: Path, block: int | None) -> set[str]:
    """What all three say of a kernel."""
    words = [str(path), *(["--block", str(block)] if block is not None else [])]
    checked = CliRunner().invoke(cli, ["check", *words, "--json"])
    page = path.with_suffix(".html")
    CliRunner().invoke(cli, ["report", *words, "--no-explain", "-o", str(page)])
    shown = re.search(r'id="payload">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    return {
        json.loads(checked.stdout)["verdict"],
        json.loads(shown[1])["runs"][0]["figures"]["verdict"],
        wavesim.check(path, launch=LaunchOptions(block=block)).verdict,
    }


def test_all_three_execute_a_stated_launch_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text(ONE_WAVE)
    assert verdicts(path, 64) == {"good"}
    assert wavesim.check(path).verdict == "unchecked"  # 256 lanes would go past its LDS
    assert wavesim.check(path, launch=LaunchOptions(block=256)).findings[0].rule == "lds-out-of-bounds"
    assert CliRunner().invoke(cli, ["check", str(path)]).output.count("not executed") == 1


@pytest.mark.parametrize(
    ("code", "launch_file", "options", "expected"),
    [
        (ONE_WAVE, "", RunOptions(), False),
        (ONE_WAVE, "", RunOptions(launch=LaunchOptions(block=64)), True),
        (ONE_WAVE + STATES, "", RunOptions(), True),
        (ONE_WAVE, "workgroup: 64\narguments: {}\n", RunOptions(), True),
        (LOADS, "workgroup: 64\narguments: {}\n", RunOptions(), False),
        (LOADS, "", RunOptions(launch=LaunchOptions(arguments=("n=i64:1",))), True),
        (LOADS, "", RunOptions(region=RegionOptions(":")), True),
    ],
)
def test_a_launch_is_known(
    code: str, launch_file: str, options: RunOptions, expected: bool, tmp_path: Path
) -> None:
    path = tmp_path / "k.s"
    path.write_text(code)
    if launch_file:
        (tmp_path / "k.launch.yaml").write_text(launch_file)
    kernel, _ = prepare(path, options)
    assert may_execute(kernel, options) is expected
