"""Kernels in the way of hand-tuned HIP (attention, GEMM through buffer descriptors) are clean as compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm.tools import MissingTool
from wavesim.checks.all_paths import check_program
from wavesim.pipeline.run import RunOptions, prepare

SOURCES = Path(__file__).with_name("hip")


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("name", ["attention", "gemm"])
def test_what_a_compiler_makes_of_them_is_clean(name: str, arch: str) -> None:
    try:
        kernel, _ = prepare(SOURCES / f"{name}.hip", RunOptions(arch=arch))
    except MissingTool as missing:
        pytest.skip(str(missing))
    found, _ = check_program(kernel.program)
    assert [str(each) for each in found if each.is_bad] == []
