"""`wavesim trace capture` against a stand-in rocprofv3 and a stand-in GPU: arguments, output, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from json_schemas import validate

from wavesim.calibrate.device.capture import AttOptions, att_command, traced_grid, ui_folder
from wavesim.calibrate.device.launcher import Plan
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "kernels" / "8wave.yaml"
SMALL = ROOT / "kernels" / "lessons" / "mfma_chain.s"
TRACE = ROOT.parent / "shared" / "traces" / "gfx942_gemm_1024cube"
STANDIN = Path(__file__).with_name("standin_rocprofv3.py")


@pytest.fixture
def rocprofv3(tmp_path: Path) -> Path:
    """An executable that is the stand-in."""
    tool = tmp_path / "rocprofv3"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} {STANDIN} "$@"\n')
    tool.chmod(0o755)
    return tool


def capture(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wavesim", "trace", "capture", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=ROOT
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert sum(line.startswith("wavesim:") for line in done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_capture_import_and_replay_in_one_command(
    standin_environment: dict[str, str], rocprofv3: Path, tmp_path: Path
) -> None:
    if not TRACE.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    out = tmp_path / "out"
    environment = {**standin_environment, "WAVESIM_STANDIN_TRACE": str(TRACE)}
    done = capture(environment, KERNEL, "-o", out, "--rocprofv3", rocprofv3, "--set", "K=256")
    assert done.returncode == 0, done.stderr
    assert "captured on STAND-IN, not a GPU (gfx942)" in done.stdout
    assert "--att-target-cu 1 --att-shader-engine-mask 0x1 --att-simd-select 0xF" in done.stdout
    assert "NOTE: the trace is of" in done.stdout  # the stand-in's trace is of another kernel
    assert "measured" in done.stdout
    log = (out / "rocprofv3.log").read_text()
    assert "STAND-IN rocprofv3: nothing is traced" in log
    assert "5 times, 64 x 19 x 1 workgroups, on STAND-IN, not a GPU" in log
    calls = (tmp_path / "hip.log").read_text().splitlines()
    launches = [call for call in calls if call.startswith("hipModuleLaunchKernel")]
    assert len(launches) == 5
    assert all("grid 64,19,1 block 512,1,1" in call for call in launches)
    assert calls[-2:] == ["hipFree, 0 left", "hipModuleUnload"]
    assert json.loads((out / "plan.json").read_text())["settings"] == {"K": "256"}
    again = capture(
        environment, KERNEL, "-o", tmp_path / "again", "--rocprofv3", rocprofv3, "--set", "K=256", "--json"
    )
    validate(json.loads(again.stdout), "trace-capture")
    assert "captured on STAND-IN" in again.stderr


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (
            {"WAVESIM_STANDIN_ATT": "no-decoder"},
            ("exit code 1", "ROCprof Trace Decoder", "--att-library-path"),
        ),
        ({"WAVESIM_STANDIN_ATT": "old-aqlprofile"}, ("aqlprofile is too old", "INVALID_SHADER_DATA")),
        ({"WAVESIM_STANDIN_ATT": "too-old"}, ("exit code 2", "ROCm 7.0 or later")),
        ({"WAVESIM_STANDIN_TRACE": "empty"}, ("holds no waves", "--target-cu")),
        ({}, ("wrote no ui_output_agent_* folder", "ROCprof Trace Decoder")),
        ({"WAVESIM_STANDIN_FAIL": "hipModuleLaunchKernel=719"}, ("launch", "hipErrorLaunchFailure")),
        ({"WAVESIM_STANDIN_DEVICES": "0"}, ("hipErrorNoDevice", "rocm-smi")),
    ],
    ids=lambda value: next(iter(value), "nothing") if isinstance(value, dict) else "",
)
def test_one_message_each(
    standin_environment: dict[str, str],
    rocprofv3: Path,
    tmp_path: Path,
    wishes: dict[str, str],
    words: tuple[str, ...],
) -> None:
    done = capture({**standin_environment, **wishes}, SMALL, "-o", tmp_path / "out", "--rocprofv3", rocprofv3)
    assert_refused(done, *words)


def test_without_rocprofv3(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": "/nowhere", "ROCM_PATH": str(tmp_path)}
    assert_refused(capture(environment, KERNEL, "-o", tmp_path / "out"), "rocprofv3 is not on this machine")


def test_folders_that_will_not_do(rocprofv3: Path, tmp_path: Path) -> None:
    where = ("--rocprofv3", rocprofv3)
    assert_refused(capture(dict(os.environ), KERNEL, "-o", tmp_path, *where), "is not an empty folder")
    absent = ("--att-library-path", tmp_path / "absent")
    assert_refused(capture(dict(os.environ), KERNEL, "-o", tmp_path / "x", *where, *absent), "no such folder")


def test_the_grid_is_repeated_where_the_kernel_cannot_see_it() -> None:
    kernel, _ = prepare(KERNEL, RunOptions())
    assert traced_grid(kernel, 304, 0) == (64, 19, 1)  # four workgroups for each compute unit
    assert traced_grid(kernel, 304, 1) == (64, 64, 1)
    cube = replace(kernel, launch=replace(kernel.launch, grid=(64, 64, 64)))
    assert traced_grid(cube, 304, 0) == (64, 19, 1)
    assert traced_grid(cube, 2048, 0) == (64, 64, 2)
    one = replace(kernel, launch=replace(kernel.launch, grid=(4, 1, 1)))
    assert not kernel.program.metadata.workgroup_id_z
    assert traced_grid(one, 304, 0) == (4, 1, 76)
    assert traced_grid(one, 304, 1) == (4, 1, 1)
    assert traced_grid(one, 304, 7) == (4, 1, 7)
    seen = replace(kernel.program.metadata, workgroup_id_z=True, workgroup_id_y=True)
    sees_all = replace(one, program=replace(kernel.program, metadata=seen))
    assert traced_grid(sees_all, 304, 0) == (4, 1, 1)
    with pytest.raises(UserError, match="all workgroup numbers"):
        traced_grid(sees_all, 304, 7)


def test_the_command_line_has_each_option() -> None:
    kernel, _ = prepare(KERNEL, RunOptions())
    options = AttOptions(library=Path("/lib"), target_cu=3, shader_engines="0x11", simds="0x1", activity=8)
    command = att_command("rocprofv3", Path("out"), options, kernel.program)
    text = " ".join(command)
    for words in (
        "--att-library-path /lib --att-target-cu 3 --att-shader-engine-mask 0x11 --att-simd-select 0x1",
        "--att-buffer-size 100663296 --att-activity 8 --mangled-kernels",
        f"--kernel-include-regex {kernel.program.name} --kernel-iteration-range [3] -d out",
    ):
        assert words in text


def test_the_folder_with_most_waves_is_taken(tmp_path: Path) -> None:
    assert ui_folder(tmp_path) is None
    for name, waves in (("ui_output_agent_1_dispatch_1", 0), ("host/ui_output_agent_1_dispatch_2", 2)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "filenames.json").touch()
        for wave in range(waves):
            (tmp_path / name / f"se0_sm{wave}_sl0_wv0.json").touch()
    found = ui_folder(tmp_path)
    assert found is not None
    assert found.name == "ui_output_agent_1_dispatch_2"


def test_a_plan_comes_back(tmp_path: Path) -> None:
    plan = Plan("k.s", "gfx942", (1, 2, 3), 5, 1, {"K": "4"}, LaunchOptions(arguments=("K=1",), block=64))
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(UserError, match="not a plan"):
        Plan.read(tmp_path / "bad.json")
