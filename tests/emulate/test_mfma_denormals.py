"""gfx90a flushes denormals of f16 and bf16 matrix products in and out; other types and machines keep them."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.state import State


def product(opcode: str, arch: str, a: int, b: int, c: int, registers: int = 2) -> float:
    """One element of A * B + C with all elements alike."""

    def setup(state: State) -> None:
        state.vgpr[2:6], state.vgpr[30:34] = a, c
        state.vgpr[4:6] = b

    sources = ("v[2:3]", "v[4:5]") if registers == 2 else ("v2", "v4")
    outcome = execute(f"{opcode} v[12:15], {', '.join(sources)}, v[30:33]", setup, arch=arch)
    return float(outcome.v(12, np.float32)[0, 0])


F16_DENORMAL, F16_ONE = 0x00010001, 0x3C003C00
BF16_DENORMAL, BF16_ONE = 0x00010001, 0x3F803F80
F32_DENORMAL = 0x00000400


@pytest.mark.parametrize(
    ("opcode", "denormal", "one", "each", "inner"),
    [
        ("v_mfma_f32_16x16x16f16", F16_DENORMAL, F16_ONE, 2.0**-24, 16),
        ("v_mfma_f32_16x16x16bf16_1k", BF16_DENORMAL, BF16_ONE, 2.0**-133, 16),
    ],
)
def test_denormal_sources(opcode: str, denormal: int, one: int, each: float, inner: int) -> None:
    assert product(opcode, "gfx90a", denormal, one, 0) == 0
    assert product(opcode, "gfx90a", one, denormal, 0) == 0
    assert product(opcode, "gfx942", denormal, one, 0) == inner * each


def test_denormal_accumulator_and_result() -> None:
    assert product("v_mfma_f32_16x16x16f16", "gfx90a", 0, F16_ONE, F32_DENORMAL) == 0
    assert product("v_mfma_f32_16x16x16f16", "gfx942", 0, F16_ONE, F32_DENORMAL) == 2.0**-139
    small = 0x00800080  # 2^-126 as bf16; times 2^-8 a denormal result
    assert product("v_mfma_f32_16x16x16bf16_1k", "gfx90a", small, 0x3B803B80, 0) == 0
    assert product("v_mfma_f32_16x16x16bf16_1k", "gfx942", small, 0x3B803B80, 0) == 2.0**-130


def test_f32_keeps_denormals_on_gfx90a() -> None:
    assert product("v_mfma_f32_16x16x4f32", "gfx90a", F32_DENORMAL, 0x3F800000, 0, 1) == 4 * 2.0**-139
