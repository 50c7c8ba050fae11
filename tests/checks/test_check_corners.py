"""The workgroups at the corners of the grid are executed too, and the output says which ran."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front.launch.model import corners

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
KERNEL = """kernel:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	s_lshl_b32 s2, s2, 8                       ; 64 words for each workgroup
	s_waitcnt lgkmcnt(0)
	v_add_u32_e32 v1, s2, v1
	global_load_dword v2, v1, s[4:5]{offset}
	s_waitcnt vmcnt(0)
	{change}
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""
LAUNCH = """workgroup: 64
grid: [{grid}]
position: [{position}]
arguments: {{A: "f32[1,256]", C: "f32[1,256]:unwritten"}}
expect: C = A * 1
tile: [1, 64]
"""


def check(
    tmp_path: Path,
    *words: str,
    offset: str = "",
    change: str = "s_nop 0",
    grid: str = "4, 1",
    position: str = "0, 0",
) -> dict[str, object]:
    (tmp_path / "k.s").write_text(KERNEL.format(offset=offset, change=change))
    (tmp_path / "k.launch.yaml").write_text(LAUNCH.format(grid=grid, position=position))
    call = CliRunner().invoke(cli, ["check", str(tmp_path / "k.s"), "--arch", "gfx942", "--json", *words])
    found: dict[str, object] = json.loads(call.stdout)
    found["rules"] = {each["rule"]: each for each in json.loads(call.stdout)["findings"]}
    return found


def test_corners() -> None:
    assert corners((1, 1, 1)) == ((0, 0, 0),)
    assert corners((4, 1, 1)) == ((0, 0, 0), (3, 0, 0))
    assert corners((2, 3, 1)) == ((0, 0, 0), (1, 0, 0), (0, 2, 0), (1, 2, 0))
    assert len(corners((2, 2, 2))) == 8


def test_the_last_workgroup_reads_beyond(tmp_path: Path) -> None:
    assert check(tmp_path)["good"]
    found = check(tmp_path, offset=" offset:16")
    finding = found["rules"]["global-out-of-bounds"]  # type: ignore[index]
    assert "4 lanes, first at A+1024 of 1024 bytes; in workgroup 3,0" in finding["message"]
    assert finding["waves"] == [0]
    assert found["workgroups"] == [[0, 0, 0], [3, 0, 0]]
    assert found["grid"] == [4, 1, 1]


def test_the_first_workgroup_reads_before(tmp_path: Path) -> None:
    """Where the launch simulates another one."""
    found = check(tmp_path, offset=" offset:-16", position="2, 0")
    message = found["rules"]["global-out-of-bounds"]["message"]  # type: ignore[index]
    assert "first at A-16; in workgroup 0,0" in message
    assert found["workgroups"] == [[2, 0, 0], [0, 0, 0], [3, 0, 0]]


def test_only_its_own(tmp_path: Path) -> None:
    found = check(tmp_path, "--workgroups", "own", offset=" offset:16")
    assert not {"global-out-of-bounds"} & set(found["rules"])  # type: ignore[arg-type]
    assert found["workgroups"] == [[0, 0, 0]]


def test_wrong_numbers_in_the_last_one(tmp_path: Path) -> None:
    """Workgroup 3 doubles what it read."""
    change = "s_cmp_eq_u32 s2, 0x300\n\ts_cselect_b32 s3, 2.0, 1.0\n\tv_mul_f32 v2, s3, v2"
    finding = check(tmp_path, change=change)["rules"]["wrong-result"]  # type: ignore[index]
    assert "not in workgroup 3,0: 64 of 64 elements are wrong" in finding["message"]


def test_rearranged_workgroups_are_not_judged(tmp_path: Path) -> None:
    """Workgroup 3 computes tile 1, as kernels do that rearrange their ids."""
    change = "s_cmp_eq_u32 s2, 0x300\n\ts_cselect_b32 s3, 0x200, 0\n\tv_subrev_u32 v1, s3, v1"
    change += "\n\tglobal_load_dword v2, v1, s[4:5]\n\ts_waitcnt vmcnt(0)"
    assert check(tmp_path, change=change)["good"]


def test_the_text_says_which(tmp_path: Path) -> None:
    check(tmp_path)
    call = CliRunner().invoke(cli, ["check", str(tmp_path / "k.s"), "--arch", "gfx942"])
    assert "executed: workgroups 0,0 and 3,0 of a grid of 4 x 1\n" in call.output
    one = KERNELS / "wrong" / "lds-race.s"
    assert (
        "executed: workgroup 0,0 of a grid of 1 x 1\n" in CliRunner().invoke(cli, ["check", str(one)]).output
    )


TILES = """kernel: copy
constants: {M: 256, N: 128, K: 128}
workgroup: {waves: 4}
memory:
  A: {type: bf16, rows: M, cols: K}
  B: {type: bf16, rows: N, cols: K}
  C: {type: f32, rows: M, cols: N, init: unwritten}
lds:
  As: {type: bf16, rows: 128, cols: 64}
  Bs: {type: bf16, rows: 128, cols: 64}
loads:
  load_a: {from: A, to: As, row: grid_y * 128, threads: 256}
  load_b: {from: B, to: Bs, row: grid_x * 128, threads: 256}
values: {wr: wave / 2, wc: wave % 2}
fragments:
  a: {type: bf16, rows: 64, cols: 64}
  b: {type: bf16, rows: 64, cols: 64}
accumulators:
  c: {rows: 64, cols: 64}
program:
- zero: c
- loop: t
  from: 0
  to: K / 64
  body:
  - {global_load: load_a, col: t * 64 EXTRA}
  - {global_load: load_b, col: t * 64}
  - wait: {vmcnt: 0}
  - {lds_write: load_a}
  - {lds_write: load_b}
  - wait: {lgkmcnt: 0}
  - barrier
  - {lds_read: a, from: As, row: wr * 64, width: b64}
  - {lds_read: b, from: Bs, row: wc * 64, width: b64}
  - wait: {lgkmcnt: 0}
  - barrier
  - {mfma: c, a: a, b: b}
- {store: c, to: C, row: grid_y * 128 + wr * 64, col: grid_x * 128 + wc * 64}
launch:
  grid: [1, 2]
  expect: {result: C, left: A, right: B}
  tile: {row: grid_y * 128, col: grid_x * 128, rows: 128, cols: 128}
"""


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_tile_programs(arch: str, tmp_path: Path) -> None:
    path = tmp_path / "k.yaml"
    path.write_text(TILES.replace(" EXTRA", ""))
    call = CliRunner().invoke(cli, ["check", str(path), "--arch", arch])
    assert "clean" in call.output
    assert "not clean" not in call.output
    assert "executed: workgroups 0,0 and 0,1 of a grid of 1 x 2\n" in call.output
    path.write_text(TILES.replace(" EXTRA", " + grid_y * 8"))
    for words in ([], ["--grid", "0,1"]):
        call = CliRunner().invoke(cli, ["check", str(path), "--arch", arch, *words])
        assert "reads outside every allocation" in call.output
        assert ("; in workgroup 0,1" in call.output) is not words


def test_a_position_outside_the_grid_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.yaml"
    path.write_text(TILES.replace(" EXTRA", ""))
    for grid in ("0,2", "1", "-1,0", "a,b"):
        call = CliRunner().invoke(cli, ["check", str(path), "--grid", grid])
        assert isinstance(call.exception, UserError)


NEEDS_ARGUMENTS = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
 s_load_dwordx2 s[8:9], {pointer}, 0x0
 s_waitcnt lgkmcnt(0)
 s_endpgm
 .amdhsa_kernel k
  .amdhsa_user_sgpr_kernarg_segment_ptr 1
  .amdhsa_user_sgpr_count {count}
  .amdhsa_user_sgpr_dispatch_ptr {dispatch}
  .amdhsa_next_free_vgpr 8
  .amdhsa_next_free_sgpr 16
  .amdhsa_accum_offset 8
 .end_amdhsa_kernel
"""


@pytest.mark.parametrize(("pointer", "count", "dispatch"), [("s[0:1]", 2, 0), ("s[2:3]", 4, 1)])
def test_arguments_that_nobody_gave_are_not_read(
    pointer: str, count: int, dispatch: int, tmp_path: Path
) -> None:
    """Reads of an argument segment that nobody filled would be no fault of the kernel."""
    path = tmp_path / "k.s"
    path.write_text(NEEDS_ARGUMENTS.format(pointer=pointer, count=count, dispatch=dispatch))
    done = CliRunner().invoke(cli, ["check", str(path), "--block", "64"])
    assert done.exit_code == 0, done.output
    assert "executed as far as lane and wave numbers say: no launch is known" in done.output
