"""`wavesim calibrate --gpu` with the true hip-python wheels and a stand-in libamdhip64: one message for each
thing that goes wrong, exit 2, and memory given back. Nothing here is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def calibrate(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wavesim", "calibrate", "--gpu", "--no-kernel", "--only", "nop"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
        cwd=ROOT,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    messages = [line for line in done.stderr.splitlines() if line.startswith("wavesim:")]
    assert len(messages) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def calls(folder: Path) -> list[str]:
    return (folder / "hip.log").read_text().splitlines()


def test_a_device_that_executes_nothing_gives_no_data(
    each_environment: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "s.json"
    done = calibrate(each_environment, "--keep-samples", kept)
    assert_refused(done, "no clock came back", "is it a real GPU")
    assert not kept.exists()
    said = calls(tmp_path)
    assert "hipGetDeviceProperties 0" in said
    assert any(call.startswith("hipModuleLaunchKernel grid 1,1,1 block 64,1,1") for call in said)
    assert said[-3:] == ["hipFree, 1 left", "hipFree, 0 left", "hipModuleUnload"]


def test_the_real_kernel_without_stamps(each_environment: dict[str, str], tmp_path: Path) -> None:
    """The microbenchmarks' clocks are made up here, so that the kernel is reached."""
    import json
    from dataclasses import asdict

    from wavesim.calibrate.bench.samples import FORMAT
    from wavesim.calibrate.device.base import DeviceProperties

    made_up = DeviceProperties(
        "STAND-IN, not a GPU", "gfx942", 304, 2100.0, 256 << 30, 65536, driver="0", runtime="0"
    )
    kept = tmp_path / "s.json"
    clk = {"overhead_1": [[40]] * 15, "nop": [[40 + 3000]] * 15}
    kept.write_text(json.dumps({"format": FORMAT, "properties": asdict(made_up), "date": "-", "clk": clk}))
    command = [sys.executable, "-m", "wavesim", "calibrate", "--gpu", "--only", "nop", "--keep-samples", kept]
    kernel = ["--kernel", "kernels/lessons/interleaved.yaml"]
    done = subprocess.run(
        [*map(str, command), *kernel],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=each_environment,
        cwd=ROOT,
    )
    assert_refused(done, "the device ran the kernel and no wave stored a clock")
    said = calls(tmp_path)
    assert said[-1] == "hipModuleUnload"
    assert "hipFree, 0 left" in said


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"WAVESIM_STANDIN_DEVICES": "0"}, ("open: ", "hipErrorNoDevice", "rocm-smi")),
        ({"WAVESIM_STANDIN_ARCH": "gfx1100"}, ("is a gfx1100", "gfx90a, gfx942 and gfx950")),
        ({"WAVESIM_STANDIN_FAIL": "hipMalloc=2"}, ("allocate: ", "hipErrorOutOfMemory", "rocm-smi")),
        ({"WAVESIM_STANDIN_FAIL": "hipModuleLoadData=209"}, ("load: ", "hipErrorNoBinaryForGpu")),
        ({"WAVESIM_STANDIN_FAIL": "hipModuleLaunchKernel=719"}, ("launch: ", "wavesim check")),
        ({"WAVESIM_STANDIN_FAIL": "hipEventSynchronize=700"}, ("launch: ", "hipErrorIllegalAddress")),
        ({"WAVESIM_STANDIN_ABORT": "1"}, ("launch: ", "signal 6", "memory fault")),
    ],
    ids=lambda value: next(iter(value.items()))[0] if isinstance(value, dict) else "",
)
def test_one_message_each(
    standin_environment: dict[str, str], tmp_path: Path, wishes: dict[str, str], words: tuple[str, ...]
) -> None:
    assert_refused(calibrate({**standin_environment, **wishes}), *words)
    said = calls(tmp_path)
    freed = [call for call in said if call.startswith("hipFree")]
    allocated = [call for call in said if call.startswith("hipMalloc ") and "fails" not in call]
    if "WAVESIM_STANDIN_ABORT" not in wishes:  # the driver frees what an aborted process held
        assert len(freed) == len(allocated)


def test_a_hang_is_ended(standin_environment: dict[str, str]) -> None:
    """The patience of a launch is cut to a second here."""
    program = (
        "import sys, wavesim.calibrate.device.hip as hip;"
        "true = hip.HipDevice._answer;"
        "hip.HipDevice._answer = lambda self, what, timeout_s, **more: true(self, what,"
        " 1.0 if what == 'launch' else timeout_s, **more);"
        "from wavesim.cli.main import main; sys.argv[0] = 'wavesim'; main()"
    )
    command = [sys.executable, "-c", program, "calibrate", "--gpu", "--no-kernel", "--only", "nop"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**standin_environment, "WAVESIM_STANDIN_HANG": "1"},
        cwd=ROOT,
    )
    assert_refused(done, "launch: no answer of the GPU within 1 s", "the kernel was killed")


def test_the_true_wheel_and_no_rocm(each_environment: dict[str, str], tmp_path: Path) -> None:
    environment = {**each_environment, "LD_LIBRARY_PATH": str(tmp_path)}
    assert_refused(calibrate(environment), "libamdhip64", "LD_LIBRARY_PATH")


def test_without_hip_python(tmp_path: Path) -> None:
    (tmp_path / "hip.py").write_text("raise ImportError('no hip here')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert_refused(calibrate(environment), "pip install 'wavesim-cdna[gpu]'")


def test_a_trace_without_rocprofv3_is_refused_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": "/nowhere", "ROCM_PATH": str(tmp_path)}
    command = [sys.executable, "-m", "wavesim", "calibrate", "--gpu", "--att", str(tmp_path / "att")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=ROOT
    )
    assert_refused(done, "rocprofv3 is not on this machine")


def test_the_whole_way_with_made_up_clocks_and_a_thread_trace(
    standin_environment: dict[str, str], tmp_path: Path
) -> None:
    """From the device's properties to the report and the replayed trace; no figure means anything."""
    tools, out = tmp_path / "bin", tmp_path / "att"
    tools.mkdir()
    script = Path(__file__).with_name("standin_rocprofv3.py")
    (tools / "rocprofv3").write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    (tools / "rocprofv3").chmod(0o755)
    trace = ROOT.parent / "shared" / "traces" / "gfx942_gemm_1024cube"
    if not trace.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    environment = {
        **standin_environment,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "WAVESIM_STANDIN_CLOCKS": "1",
        "WAVESIM_STANDIN_TRACE": str(trace),
    }
    machine = tmp_path / "mine.yaml"
    command = [sys.executable, "-m", "wavesim", "calibrate", "--gpu", "--only", "nop", "--only", "sleep"]
    command += ["--repeats", "3", "--kernel", "kernels/lessons/interleaved.yaml", "-o", str(machine)]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environment,
            cwd=ROOT,
        )

    done = run()
    assert done.returncode == 1, done.stderr  # made-up clocks fit nothing
    assert "the real kernel: interleaved, on STAND-IN, not a GPU" in done.stdout
    assert "POOR FIT" in done.stdout
    assert "rocprofv3 is on this machine: --att DIR" in done.stdout
    assert "# device: STAND-IN, not a GPU, gfx942, 304 CUs, 2100 MHz" in machine.read_text()
    done = run("--att", str(out))
    assert done.returncode == 1, done.stderr
    assert "captured on STAND-IN, not a GPU (gfx942)" in done.stdout
    assert "more of it: wavesim replay" in done.stdout
    assert "STAND-IN rocprofv3: nothing is traced" in (out / "rocprofv3.log").read_text()


def test_caches_are_flushed_before_each_chase_through_hbm(
    standin_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**standin_environment, "WAVESIM_STANDIN_CLOCKS": "1"}
    calibrate(environment, "--only", "chase_hbm", "--repeats", 3)
    said = calls(tmp_path)
    flushes = [index for index, call in enumerate(said) if call.startswith("hipMemset 536870912")]
    assert len(flushes) == 4
    assert all(said[index + 1].startswith("hipModuleLaunchKernel") for index in flushes)
    assert "hipFree, 0 left" in said
