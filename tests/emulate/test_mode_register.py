"""MODE is followed wave by wave; what is not is a finding; modifiers are never dropped in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from emulate_harness import execute, make_program

from wavesim.emulate.float_mode import COMPILED, mode_of
from wavesim.emulate.semantics.scalar.mode_register import mode_findings
from wavesim.emulate.state import State
from wavesim.errors import UnknownInstruction
from wavesim.program import KernelMetadata

THIRD = "v_mov_b32 v1, 0x3f800000\n v_mov_b32 v2, 0x33000000\n"
"""1 and 2^-25: their sum is 1 to nearest, more when rounded up."""


def bits(text: str, register: int = 20) -> int:
    return int(execute(text).v(register)[0, 0])


def setreg(first: int, count: int, value: int) -> str:
    return f"s_setreg_imm32_b32 hwreg(HW_REG_MODE, {first}, {count}), {value}\n"


@pytest.mark.parametrize(
    ("mode", "expected"), [(0, 0x3F800000), (1, 0x3F800001), (2, 0x3F800000), (3, 0x3F800000)]
)
def test_rounding_mode(mode: int, expected: int) -> None:
    assert bits(f"{THIRD}{setreg(0, 2, mode)} v_add_f32 v20, v1, v2") == expected


def test_the_f32_field_does_not_round_f64() -> None:
    text = "v_mov_b32 v4, 1\n v_mov_b32 v5, 0x3c000000\n v_mov_b32 v6, 0\n v_mov_b32 v7, 0x3ff00000\n"
    for first, expected in ((0, 0), (2, 1)):
        assert bits(f"{text}{setreg(first, 2, 1)} v_add_f64 v[20:21], v[4:5], v[6:7]") == expected


def test_mode_is_written_from_a_register_and_read_back() -> None:
    text = """
        s_mov_b32 s4, 1
        s_setreg_b32 hwreg(HW_REG_MODE, 0, 2), s4
        s_getreg_b32 s5, hwreg(HW_REG_MODE, 0, 10)
        s_getreg_b32 s6, hwreg(HW_REG_MODE)
        v_add_f32 v20, v1, v2
    """
    outcome = execute(THIRD + text)
    assert outcome.s(5) == COMPILED.bits & 0x3FC | 1
    assert outcome.s(6) == COMPILED.bits | 1
    assert outcome.v(20)[0, 0] == 0x3F800001


def test_waves_may_differ_in_mode() -> None:
    def setup(state: State) -> None:
        state.sgpr[4] = [0, 1, 2, 1]

    text = f"{THIRD} s_setreg_b32 hwreg(HW_REG_MODE, 0, 2), s4\n v_add_f32 v20, v1, v2"
    outcome = execute(text, setup, waves=4)
    assert outcome.v(20)[:, 5].tolist() == [0x3F800000, 0x3F800001, 0x3F800000, 0x3F800001]


def test_denormals_follow_the_descriptor_and_its_default() -> None:
    """LLVM's assembler leaves f32 denormals flushed, f16 and f64 ones kept, where no directive says."""
    described = KernelMetadata(vgprs=8)
    assert mode_of(described).flushes_sources(True)
    assert mode_of(described).flushes_results(True)
    assert not mode_of(described).flushes_sources(False)
    assert mode_of(KernelMetadata()) == COMPILED
    kept = KernelMetadata(vgprs=8, extra={"float_denorm_mode_32": "3", "ieee_mode": "0"})
    assert not mode_of(kept).flushes_sources(True)
    assert not mode_of(kept).ieee


def test_compares_flush_sources_but_classes_do_not() -> None:
    text = f"v_mov_b32 v1, 1\n{setreg(4, 2, 0)} v_cmp_eq_f32 s[4:5], 0, v1\n v_cmp_class_f32 s[6:7], v1, 0x80"
    outcome = execute(text.replace("0x80", "v2"), lambda state: state.vgpr[2].fill(0x80))
    assert outcome.s64(4) == outcome.s64(6) == 2**64 - 1


def test_f16_overflow_is_limited_but_infinite_sources_are_not() -> None:
    half = "v_mov_b32 v1, 0x7bff\n v_mov_b32 v2, 0x7c00\n"
    text = f"{half}{setreg(23, 1, 1)} v_add_f16 v20, v1, v1\n v_add_f16 v21, v2, v1\n v_mul_f16 v22, v1, -v1"
    outcome = execute(text)
    assert [int(outcome.v(row)[0, 0]) for row in (20, 21, 22)] == [0x7BFF, 0x7C00, 0xFBFF]


@pytest.mark.parametrize(
    ("arch", "opcode", "value", "plain", "limited"),
    [
        ("gfx942", "v_cvt_pk_fp8_f32", 249.0, 0x80, 0x7F),
        ("gfx942", "v_cvt_pk_fp8_f32", 247.0, 0x7F, 0x7F),
        ("gfx942", "v_cvt_pk_bf8_f32", 1e9, 0x80, 0x7F),
        ("gfx950", "v_cvt_pk_fp8_f32", 465.0, 0x7F, 0x7E),
        ("gfx950", "v_cvt_pk_fp8_f32", 464.0, 0x7E, 0x7E),
        ("gfx950", "v_cvt_pk_bf8_f32", -61440.0, 0xFC, 0xFB),
    ],
)
def test_8_bit_floats_overflow_by_mode(
    arch: str, opcode: str, value: float, plain: int, limited: int
) -> None:
    """Beyond the range NaN, or infinity where there is one; with FP16_OVFL the largest number."""
    word = int(np.float32(value).view(np.uint32))
    text = f"v_mov_b32 v1, {word:#x}\n {opcode} v20, v1, v1\n{setreg(23, 1, 1)} {opcode} v21, v1, v1"
    outcome = execute(text, arch=arch)
    assert [int(outcome.v(row)[0, 0]) & 0xFF for row in (20, 21)] == [plain, limited]


def test_stochastic_conversions_overflow_by_mode() -> None:
    """Between the largest number and the next step the random bits decide; beyond it overflow is certain."""
    text = "v_mov_b32 v1, 0x437e0000\n v_mov_b32 v2, 0\n v_mov_b32 v3, -1\n"  # 254, fp8's largest is 240
    text += "v_cvt_sr_fp8_f32 v20, v1, v2\n v_cvt_sr_fp8_f32 v21, v1, v3\n"
    text += setreg(23, 1, 1) + "v_cvt_sr_fp8_f32 v22, v1, v3"
    outcome = execute(text)
    assert [int(outcome.v(row)[0, 0]) & 0xFF for row in (20, 21, 22)] == [0x7F, 0x80, 0x7F]


def test_dot_products_have_no_denormals_whatever_mode_says() -> None:
    text = "v_mov_b32 v1, 0x00010001\n v_mov_b32 v2, 0x3c003c00\n v_dot2_f32_f16 v20, v1, v2, 0"
    assert bits(text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "v_mad_u64_u32 v[20:21], vcc, v1, v2, v[4:5] clamp",
        "v_qsad_pk_u16_u8 v[20:21], v[4:5], v1, v[6:7] clamp",
        "v_dot4_i32_i8 v20, v1, v2, v3 neg_lo:[1,0,0]",
    ],
)
def test_a_modifier_without_semantics_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(UnknownInstruction, match="modifier"):
        execute(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (setreg(0, 8, 0x0F), "rounding mode becomes zero for f32, zero for f16"),
        (setreg(12, 7, 0x7F), "MODE bits 0x7f000"),
        ("s_setreg_b32 hwreg(HW_REG_MODE), s4", "known only when this executes"),
        ("s_setreg_imm32_b32 hwreg(HW_REG_TRAPSTS, 0, 8), 1", "hardware register 3"),
        ("v_add_f32 v1, v2, v3 mul:2", "mul:2 has no effect while MODE.IEEE is set"),
    ],
)
def test_what_is_not_followed_is_a_warning(text: str, part: str) -> None:
    (finding,) = mode_findings(make_program(text))
    assert finding.rule == "float-mode"
    assert finding.is_bad
    assert finding.spans[0].line == 4
    assert part in finding.message


@pytest.mark.parametrize(
    "text",
    [setreg(4, 4, 0), setreg(23, 1, 1), setreg(8, 2, 0), "s_setreg_b32 hwreg(HW_REG_MODE, 4, 4), s4", ""],
)
def test_what_is_followed_is_none(text: str) -> None:
    assert list(mode_findings(make_program(text))) == []


def test_run_says_that_numbers_rest_on_it(root: Path) -> None:
    from wavesim.front.launch.file import LaunchOptions
    from wavesim.pipeline.run import RunOptions, run_kernel

    arguments = ("A=f32[1,64]:zero", "C=f32[1,64]:unwritten")
    launch = LaunchOptions(arguments=arguments, block=64, expect="C = A + 0.33333337")
    result = run_kernel(root / "kernels" / "wrong" / "float-mode.s", RunOptions(launch=launch))
    assert [each.rule for each in result.findings if each.is_bad] == ["float-mode"]
    assert "rest on MODE bits" in result.numerics.message
