"""No false alarm on what clang compiles: kernels of many kinds, by their code alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program

SOURCE = Path(__file__).resolve().parents[1] / "emulate" / "compiled_kernels.hip"
FLAGS = ("-x", "hip", "--cuda-device-only", "-nogpulib", "-nogpuinc", "-O3", "-S", "-o", "-")
KERNELS = sorted(set(re.findall(r"\bK_(\w+)", SOURCE.read_text())))


@pytest.mark.parametrize("kernel", KERNELS)
def test_clean(kernel: str) -> None:
    compiler = next(filter(None, map(shutil.which, ("clang-22", "clang-21", "clang-20", "clang"))), None)
    if compiler is None:
        pytest.skip("no clang on this machine")
    arch = "gfx950" if kernel in ("tr", "scaled") else "gfx942"
    command = [compiler, *FLAGS, f"--offload-arch={arch}", f"-DK_{kernel}", str(SOURCE)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"{compiler} cannot compile {kernel} for {arch}")
    found, _ = check_program(parse_program(made.stdout, f"{kernel}.s", arch))
    assert not [each for each in found if each.is_bad]
