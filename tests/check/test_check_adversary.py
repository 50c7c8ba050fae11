"""Adversarial execution: hazards and races show as wrong numbers, clean kernels stay correct."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.analyze.pipeline import RunOptions, prepare
from wavesim.emulate.numerics import Numerics, check_numerics
from wavesim.emulate.run import emulate
from wavesim.kernel.launch_file import LaunchOptions

LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,512]", "B=bf16[128,512]", "C=f32[128,128]:unwritten", "N=128", "K=512"),
    block=512,
    expect="C = A @ B.T",
)

CORRECT = {
    "gemm8_asmread.gfx942.s": True,
    "gemm8_asmread.gfx950.s": True,
    "gemm8_asmread_fenced.gfx942.s": True,
    "gemm8_asmread_unroll2_HAZARD.gfx942.s": False,
    "gemm8_asmread_unroll2_tied.gfx942.s": True,
    "gemm8_nobarrier_RACE.gfx942.s": False,
    "gemm8_plain.gfx942.s": True,
    "gemm8_plain_32x32x8.gfx942.s": True,
}


def adversarial_numerics(path: Path) -> Numerics:
    kernel, machine = prepare(path, RunOptions(launch=LAUNCH))
    execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    return check_numerics(execution, kernel.launch)


@pytest.mark.parametrize("name", CORRECT)
def test_only_broken_kernels_get_wrong_numbers(name: str, shared: Path) -> None:
    numerics = adversarial_numerics(shared / "examples" / name)
    assert numerics.checked
    assert numerics.ok is CORRECT[name], numerics.message
