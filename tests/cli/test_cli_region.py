"""``--region``: loops end wherever their way out stands, and begin in step with the barriers before them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wavesim.cli import main as entry_point
from wavesim.front.region import RegionOptions
from wavesim.pipeline.run import Run, RunOptions, run_kernel

WHILE = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
 s_load_dword s4, s[0:1], 0x0
 s_waitcnt lgkmcnt(0)
before:
 s_cmp_lt_i32 s4, 32
 s_cbranch_scc1 found
 s_sub_i32 s4, s4, 32
 s_branch before
found:
 v_mov_b32 v1, 0
loop:
 v_add_u32 v1, 1, v1
 s_sub_u32 s4, s4, 1
 {end}
done:
 s_endpgm
 .amdhsa_kernel k
 .amdhsa_user_sgpr_kernarg_segment_ptr 1
 .amdhsa_kernarg_size 8
 .amdhsa_next_free_vgpr 8
 .amdhsa_next_free_sgpr 16
 .amdhsa_accum_offset 8
 .end_amdhsa_kernel
"""
AT_TAIL = "s_cmp_lg_u32 s4, 0\n s_cbranch_scc1 loop"
FORWARD = "s_cmp_eq_u32 s4, 0\n s_cbranch_scc1 done\n s_branch loop"


def report(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str
) -> dict[str, Any]:
    monkeypatch.setattr("sys.argv", ["wavesim", "run", *arguments, "--json"])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    assert caught.value.code == 0
    data = json.loads(capfd.readouterr().out)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("end", [AT_TAIL, FORWARD])
def test_a_while_loop_before_the_region_and_a_way_out_forward(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "k.s"
    path.write_text(WHILE.format(end=end))
    data = report(monkeypatch, capfd, str(path), "--region", "loop:done", "--trips", "4", "--waves", "1")
    assert data["complete"]
    assert data["loops"][0]["iterations"] == 4
    texts = " ".join(each["text"] for each in data["unknowns"]["assumptions"])
    assert "the loop is taken to run 4 times" in texts


def piece(path: Path, region: str) -> Run:
    options = RunOptions(settings={"memory.latency_clk": "685"}, region=RegionOptions(region), trips=32)
    return run_kernel(path, options)


def test_the_stagger_of_a_ping_pong_is_kept(root: Path) -> None:
    """Half of the waves pass a barrier more before the loop: without it both halves would march in step, at
    2488 clk an iteration."""
    path = root / "kernels/8wave_pingpong.yaml"
    whole = run_kernel(path, RunOptions(settings={"K": "2048"}))
    labels = whole.kernel.program.labels
    head = whole.analysis.loops[0].label
    after = min((name for name in labels if labels[name] > labels[head]), key=lambda name: labels[name])
    run = piece(path, f"{head}:{after}")
    assert run.analysis.complete
    assert run.analysis.loop is not None
    assert whole.analysis.loop is not None
    assert run.analysis.loop.clk_per_iteration == pytest.approx(
        whole.analysis.loop.clk_per_iteration, rel=0.01
    )
    first = {int(wave.code[0]) for wave in run.timeline.trace.waves}
    assert len(first) == 2  # the waves that are ahead begin at the barrier
    assert run.timeline.trace.program.instructions[min(first)].opcode == "s_barrier"


def test_waves_in_step_get_no_barrier(root: Path) -> None:
    run = piece(root / "kernels/8wave.yaml", ".Lt_1:")
    assert {int(wave.code[0]) for wave in run.timeline.trace.waves} == {0}


NESTED = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
 s_load_dwordx4 s[4:7], s[0:1], 0x0
 s_waitcnt lgkmcnt(0)
outer:
 v_add_u32 v1, 1, v1
middle:
 v_add_u32 v1, 1, v1
inner:
 v_add_u32 v1, 1, v1
 s_cmp_lg_u32 s4, 0
 s_cbranch_scc1 inner
 s_cmp_lg_u32 s5, 0
 s_cbranch_scc1 middle
 s_cmp_lg_u32 s6, 0
 s_cbranch_scc1 outer
done:
 s_endpgm
 .amdhsa_kernel k
 .amdhsa_user_sgpr_kernarg_segment_ptr 1
 .amdhsa_kernarg_size 16
 .amdhsa_next_free_vgpr 8
 .amdhsa_next_free_sgpr 16
 .amdhsa_accum_offset 8
 .end_amdhsa_kernel
"""


def test_loops_that_nest_make_fewer_trips_than_the_budget_forbids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """32 trips of each of three loops would be 32,768 passes: so many make the budget, 512 do not."""
    path = tmp_path / "k.s"
    path.write_text(NESTED)
    region = (str(path), "--region", "outer:done", "--waves", "1", "--max-instructions", "100000")
    assert [each["iterations"] for each in report(monkeypatch, capfd, *region)["loops"]] == [8, 64, 512]
    monkeypatch.setattr("sys.argv", ["wavesim", "run", *region, "--trips", "31"])
    with pytest.raises(SystemExit) as caught:
        entry_point.main()
    assert caught.value.code == 2
    assert "--max-instructions" in capfd.readouterr().err
