"""Spills, stack frames and calls as clang compiles them: on gfx90a through a buffer resource for scratch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

SOURCE = Path(__file__).with_name("spilling_kernel.hip")
LAUNCH = LaunchOptions(
    arguments=("A=f32[256,8]:random", "B=f32[256,1]", "n=8"), block=256, expect="B = sum(A)"
)
CASES = [("gfx90a", "O0"), ("gfx90a", "O2"), ("gfx942", "O0")]


def compiled(folder: Path, arch: str, level: str) -> Path:
    compiler = next(filter(None, map(shutil.which, ("clang-22", "clang-21", "clang-20", "clang"))), None)
    if compiler is None:
        pytest.skip("no clang on this machine")
    path = folder / f"spill.{arch}.s"
    command = [
        compiler,
        "-x",
        "hip",
        "--cuda-device-only",
        "-nogpulib",
        "-nogpuinc",
        f"--offload-arch={arch}",
    ]
    made = subprocess.run(
        [*command, f"-{level}", "-S", "-o", str(path), str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"{compiler} cannot compile for {arch}: {made.stderr.splitlines()[:1]}")
    return path


@pytest.mark.parametrize(("arch", "level"), CASES)
def test_right_and_clean(arch: str, level: str, tmp_path: Path) -> None:
    path = compiled(tmp_path, arch, level)
    assert ("buffer_store_dword" in path.read_text()) == (arch == "gfx90a")
    kernel, machine = prepare(path, RunOptions(launch=LAUNCH))
    result = check_kernel(kernel, machine)
    assert [each for each in result.findings if each.is_bad] == []
    for adversarial in (False, True):
        execution = emulate(kernel.program, kernel.launch, machine, adversarial=adversarial)
        numerics = check_numerics(execution, kernel.launch)
        assert numerics.checked
        assert numerics.ok, numerics.message
