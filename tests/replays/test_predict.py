"""Prediction of a trace's kernel: from code and launch alone, as it would be without a trace."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from trace_folders import folder_of, four_waves, write_folder

from wavesim.asm.printer import print_program
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.replays.predict import PredictOptions, predict

KERNEL = "kernels/8wave.yaml"
LAUNCH = """\
workgroup: 512
constants: {M: 8192, N: 8192, K: 1024}
grid: [64, 64]
arguments: {A: "bf16[M,K]:random", B: "bf16[N,K]:random", C: "f32[M,N]:unwritten"}
lds: 65536
"""


@pytest.fixture(scope="module")
def traced(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Run]:
    """A trace with the model's own times for gfx942, the launch that it is of, and the run."""
    place = tmp_path_factory.mktemp("traced")
    lowered = run_kernel(root / KERNEL, RunOptions(settings={"K": "1024"}))
    (place / "kernel.s").write_text(print_program(lowered.kernel.program))
    (place / "kernel.launch.yaml").write_text(LAUNCH)
    launch = LaunchOptions(file=str(place / "kernel.launch.yaml"))
    run = run_kernel(place / "kernel.s", RunOptions(launch=launch, memory="cold"))
    return folder_of(run.timeline, place / "trace"), place / "kernel.launch.yaml", run


def test_a_trace_of_the_models_own_times_is_predicted_to_the_clock(traced: tuple[Path, Path, Run]) -> None:
    folder, launch, run = traced
    found = predict(folder, PredictOptions(launch=str(launch)))
    assert found.error == 0
    assert replace(found.predicted, stalls={}) == replace(found.measured, stalls={})  # reasons are guesses
    assert found.has_loop
    assert found.run.timeline.clk_total == run.timeline.clk_total


def test_no_time_of_the_trace_is_used(traced: tuple[Path, Path, Run], tmp_path: Path) -> None:
    """With every clock of the trace tripled, the prediction is the same and the error says so."""
    folder, launch, _ = traced
    slow = tmp_path / "slow"
    slow.mkdir()
    for file in folder.glob("*.json"):
        data = json.loads(file.read_text())
        if "wave" in data:
            rows = np.array(data["wave"]["instructions"])
            rows[:, [0, 2, 3]] *= 3
            data["wave"]["instructions"] = rows.tolist()
        (slow / file.name).write_text(json.dumps(data))
    one, other = (predict(each, PredictOptions(launch=str(launch))) for each in (folder, slow))
    assert one.predicted == other.predicted
    assert other.error == pytest.approx(1 / 3 - 1)


def test_another_device_predicts_another_time(traced: tuple[Path, Path, Run]) -> None:
    """The MI300A's latencies are lower than gfx942's, and the role takes them from the machine."""
    folder, launch, _ = traced
    settings = {"memory.latency_clk": "hbm"}
    clk = [
        predict(folder, PredictOptions(str(launch), arch, settings=settings, memory="")).clk[0]
        for arch in ("MI300A", "gfx942")
    ]
    assert clk[0] < clk[1]


def test_without_a_launch_the_loop_runs_as_a_region(traced: tuple[Path, Path, Run]) -> None:
    """As many passes and workgroups as in the trace; what is not known is said."""
    found = predict(traced[0], PredictOptions())
    assert found.has_loop
    assert found.interval is None
    assert found.predicted.iterations == found.measured.iterations
    assert any("no launch" in each for each in found.rests_on)


NESTED = """\
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
 s_load_dwordx2 s[4:5], s[0:1], 0x0
 s_mov_b32 s2, 12
 s_waitcnt lgkmcnt(0)
.Louter:
 s_mov_b32 s3, s4
.Linner:
 s_nop 1
 s_sub_u32 s3, s3, 1
 s_cmp_lg_u32 s3, 0
 s_cbranch_scc1 .Linner
 s_cmp_lg_u32 s5, 0
 s_cbranch_scc1 .Lseldom
 s_sub_u32 s2, s2, 1
 s_cmp_lg_u32 s2, 0
 s_cbranch_scc1 .Louter
 s_endpgm
.Lseldom:
 s_nop 7
 s_cmp_lg_u32 s5, 0
 s_cbranch_scc1 .Lseldom
 s_endpgm
 .amdhsa_kernel k
 .amdhsa_next_free_vgpr 4
 .amdhsa_next_free_sgpr 16
 .amdhsa_accum_offset 4
 .amdhsa_user_sgpr_kernarg_segment_ptr 1
 .end_amdhsa_kernel
"""
"""Twelve passes of a loop with an inner one, whose passes an argument says."""


def test_without_a_launch_each_loop_makes_the_passes_that_it_was_seen_to_make(tmp_path: Path) -> None:
    (tmp_path / "k.s").write_text(NESTED)
    launch = LaunchOptions(arguments=("passes=i32:3", "never=i32:0"), block=64)
    run = run_kernel(tmp_path / "k.s", RunOptions(launch=launch))
    found = predict(folder_of(run.timeline, tmp_path / "trace"), PredictOptions())
    assert found.has_loop
    assert found.predicted.iterations == 12
    assert found.error == 0


def test_nothing_to_predict(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "trace", four_waves())
    with pytest.raises(UserError, match="without a launch only a loop can be predicted"):
        predict(folder, PredictOptions(arch="gfx942"))


def test_the_command(traced: tuple[Path, Path, Run]) -> None:
    folder, launch, _ = traced
    arguments = ["predict", str(folder), "--launch", str(launch), "--arch", "mi325x"]
    said = CliRunner().invoke(cli, arguments, catch_exceptions=False).output
    assert "on MI325X" in said
    assert "no time of the trace is used" in said
    slow = [*arguments, "--set", "memory.hbm_read_gbytes_per_s=100", "--tolerance", "0.05", "--json"]
    result = CliRunner().invoke(cli, slow, catch_exceptions=False, standalone_mode=False)
    assert result.return_value == 1
    data = json.loads(result.stdout)
    assert (data["machine"], data["figure"]) == ("MI325X", "clk_per_iteration")
    assert data["error"] > 0.05
    low, high = data["interval_clk"]
    assert low < data["predicted"]["clk/iteration"] < high
