"""What a kernel's metadata allow: waves and workgroups that cannot be are refused, as many as fit run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wavesim.cli import main as entry_point
from wavesim.pipeline.run import RunOptions, run_kernel

KERNELS = Path(__file__).parents[2] / "kernels"

KERNEL = """
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
	.text
k:
	v_lshlrev_b32 v1, 2, v0
	s_mov_b32 s4, 0
	s_load_dwordx2 s[2:3], s[0:1], 0x0
	s_waitcnt lgkmcnt(0)
loop:
	ds_read_b32 v4, v1
	s_waitcnt lgkmcnt(0)
	s_add_i32 s4, s4, 1
	s_cmp_lt_i32 s4, 8
	s_cbranch_scc1 loop
after:
	v_mov_b32 v5, 7
	global_store_dword v1, v5, s[2:3]
	s_endpgm
	.amdhsa_kernel k
		.amdhsa_group_segment_fixed_size {lds}
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_kernarg_size 8
		.amdhsa_next_free_vgpr {vgprs}
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 64
	.end_amdhsa_kernel
	.amdgpu_metadata
---
amdhsa.kernels:
  - .agpr_count: 0
    .args:
      - {{.offset: 0, .size: 8, .value_kind: global_buffer, .address_space: global}}
    .group_segment_fixed_size: {lds}
    .kernarg_segment_align: 8
    .kernarg_segment_size: 8
    .max_flat_workgroup_size: {threads}
    {required}
    .name: k
    .private_segment_fixed_size: 0
    .sgpr_count: 16
    .symbol: k.kd
    .vgpr_count: {vgprs}
    .wavefront_size: 64
amdhsa.target: amdgcn-amd-amdhsa--gfx942
amdhsa.version: [1, 2]
...
	.end_amdgpu_metadata
"""


def write(
    folder: Path,
    *,
    vgprs: int = 64,
    lds: int = 4096,
    threads: int = 256,
    required: str = "",
    grid: tuple[int, int] | None = None,
) -> str:
    path = folder / "k.s"
    path.write_text(KERNEL.format(vgprs=vgprs, lds=lds, threads=threads, required=required))
    if grid is not None:
        launch = f"workgroup: 256\ngrid: [{grid[0]}, {grid[1]}]\narguments: {{C: 'i32[1,256]:unwritten'}}\n"
        (folder / "k.launch.yaml").write_text(launch + "expect: C = 7\ntile: [1, 256]\n")
    return str(path)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["wavesim", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def run_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0
) -> dict[str, Any]:
    assert call(monkeypatch, "run", *arguments, "--json") == code
    data = json.loads(capfd.readouterr().out)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize(
    ("stated", "waves"),
    [
        ({"threads": 256, "vgprs": 512}, 4),  # compiled for it
        ({"threads": 1024, "vgprs": 512}, 4),  # 512 registers of 512: one wave on a SIMD
        ({"threads": 1024, "vgprs": 64}, 8),  # nothing said: the usual number
        ({"threads": 1024, "required": ".reqd_workgroup_size: [64, 2, 1]"}, 2),
        ({"threads": 64}, 1),
    ],
)
def test_a_region_runs_the_waves_that_can_be(
    stated: dict[str, Any],
    waves: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = run_json(monkeypatch, capfd, write(tmp_path, **stated), "--region", "loop:after")
    assert len(data["waves"]) == waves


@pytest.mark.parametrize(
    ("stated", "options", "reason"),
    [
        ({"threads": 256}, ("--waves", "8"), "compiled for workgroups of at most 256 threads, not 512"),
        (
            {"threads": 1024, "vgprs": 512},
            ("--waves", "8"),
            "512 VGPRs and AGPRs of each wave leave room for 4",
        ),
        (
            {"threads": 1024, "required": ".reqd_workgroup_size: [256, 1, 1]"},
            ("--waves", "2"),
            "compiled for workgroups of 256 x 1 x 1, not of 128 threads",
        ),
        ({"threads": 256}, ("--workgroups", "99"), "99 is not in the range"),
        ({"threads": 256, "lds": 32768}, ("--workgroups", "3"), "32768 bytes of LDS for 2"),
        ({"threads": 256, "vgprs": 256}, ("--workgroups", "3"), "256 VGPRs and AGPRs each leave room for 2"),
    ],
)
def test_a_region_with_more_is_refused(
    stated: dict[str, Any],
    options: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(tmp_path, **stated)
    assert call(monkeypatch, "run", path, "--region", "loop:after", *options) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "check", "explain"])
@pytest.mark.parametrize(
    ("stated", "block", "reason"),
    [
        ({"threads": 256}, "512", "at most 256 threads, not 512"),
        ({"threads": 1024, "vgprs": 512}, "512", "leave room for 4 waves on a compute unit; these are 8"),
    ],
)
def test_a_block_that_cannot_be(
    command: str,
    stated: dict[str, Any],
    block: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(tmp_path, **stated)
    assert call(monkeypatch, command, path, "--arg", "C=i32[1,512]:unwritten", "--block", block) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stated", "grid", "groups"),
    [
        ({"lds": 16384}, (64, 64), 4),  # by LDS: 64 KiB
        ({"vgprs": 256}, (64, 64), 2),  # by registers: 512 a SIMD
        ({}, (64, 64), 8),  # by wave slots: 8 a SIMD
        ({}, (38, 24), 3),  # the launch has no more for each of 304 compute units
        ({}, (20, 16), 2),
        ({}, (19, 16), 1),
        ({}, (3, 1), 1),
    ],
)
def test_as_many_workgroups_as_fit(
    stated: dict[str, Any],
    grid: tuple[int, int],
    groups: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(tmp_path, grid=grid, **stated)
    data = run_json(monkeypatch, capfd, path, "--rounds", "1")
    assert sorted({wave["workgroup"] for wave in data["waves"]}) == list(range(groups))
    assert data["numerics"]["ok"]
    per_simd = [sum(wave["simd"] == simd for wave in data["waves"]) for simd in range(4)]
    assert per_simd == [groups] * 4
    one = run_json(monkeypatch, capfd, path, "--workgroups", "1", "--rounds", "1")
    assert {wave["workgroup"] for wave in one["waves"]} == {0}
    if grid[0] * grid[1] < 8:
        assert call(monkeypatch, "run", path, "--workgroups", "8") == 2
        assert f"the launch has {grid[0] * grid[1]}" in capfd.readouterr().err


def test_a_launch_that_does_not_fit_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No wave of the figures can exist: printed all the same, with exit code 1."""
    data = run_json(monkeypatch, capfd, write(tmp_path, lds=70000, grid=(1, 1)), code=1)
    assert data["verdict"] == "bad"
    assert [each["rule"] for each in data["findings"]] == ["lds-overflow"]


def test_workgroups_of_one_wave_share_the_simds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, threads=64)
    data = run_json(monkeypatch, capfd, path, "--region", "loop:after", "--workgroups", "8")
    assert [wave["simd"] for wave in data["waves"]] == [0, 2, 1, 3] * 2  # in the order that traces show


def test_a_tile_program_states_its_workgroups(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", str(root / "kernels/8wave.yaml"), "--workgroups", "2") == 2
    assert "workgroups_per_cu" in capsys.readouterr().err


def test_a_tile_program_that_does_not_state_its_workgroups_shares_a_compute_unit(tmp_path: Path) -> None:
    """Two of 4wave's workgroups fit by registers and by LDS, and the launch has more than one for each."""
    text = (KERNELS / "4wave.yaml").read_text()
    assert "  workgroups_per_cu: WORKGROUPS\n" in text
    path = tmp_path / "4wave.yaml"
    path.write_text(text.replace("  workgroups_per_cu: WORKGROUPS\n", ""))
    settings = {"K": "256"}
    run = run_kernel(path, RunOptions(settings=settings))
    assert {wave.workgroup for wave in run.timeline.waves} == {0, 1}
    assert run.numerics.ok
    assert len(run_kernel(path, RunOptions(settings=settings, workgroups=1)).timeline.waves) == 4
    small = RunOptions(settings={**settings, "M": "1024", "N": "1024"})
    assert len(run_kernel(path, small).timeline.waves) == 4  # 64 workgroups, each on a unit of its own
    stated = run_kernel(KERNELS / "4wave.yaml", RunOptions(settings=settings))
    assert len(stated.timeline.waves) == 4
