"""f8f6f4 matrix instructions against the CDNA4 manual: whole products, every pair of formats, with scales.

The second source is the manual's text: table 30 (the small formats), 7.1.5.1 (which k each lane's registers
hold), 7.2.1 (a scale's byte and its lane). Nothing of the emulator's codecs or layouts is used.
"""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.state import State

A, B, D, SCALE_A, SCALE_B = 0, 8, 16, 40, 41
FORMATS = ("fp8", "bf8", "fp6", "bf6", "fp4")
"""By the number that CBSZ (A) and BLGP (B) give."""
FIELDS = {"fp8": (4, 3, 7), "bf8": (5, 2, 15), "fp6": (2, 3, 1), "bf6": (3, 2, 3), "fp4": (2, 1, 1)}
"""Exponent bits, mantissa bits, bias (table 30)."""
PIECE = {"fp8": 16, "bf8": 16, "fp6": 32, "bf6": 32, "fp4": 32}
"""Consecutive k that a lane holds before the next row of lanes goes on."""


def value_of(code: int, kind: str) -> float:
    """A finite number's value, by its fields."""
    exponent_bits, mantissa_bits, bias = FIELDS[kind]
    sign = -1.0 if code >> exponent_bits + mantissa_bits else 1.0
    exponent = code >> mantissa_bits & (1 << exponent_bits) - 1
    mantissa = (code & (1 << mantissa_bits) - 1) / (1 << mantissa_bits)
    if exponent == 0:
        return sign * mantissa * 2.0 ** (1 - bias)
    return sign * (1 + mantissa) * 2.0 ** (exponent - bias)


def is_number(code: int, kind: str) -> bool:
    """Neither NaN nor infinity: fp8 has only 0x7f and 0xff, bf8 the highest exponent."""
    magnitude = code & 0x7F
    return not (kind == "fp8" and magnitude == 0x7F) and not (kind == "bf8" and magnitude >= 0x7C)


def place_of(k: int, kind: str, groups: int) -> tuple[int, int]:
    """Row of lanes and item of k."""
    piece = PIECE[kind]
    return k // piece % groups, k // (piece * groups) * piece + k % piece


def operand(generator: np.random.Generator, kind: str, m: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Random codes as registers [8, 64], and their values [m, depth]."""
    bits = 1 + sum(FIELDS[kind][:2])
    numbers = [code for code in range(1 << bits) if is_number(code, kind)]
    codes = generator.choice(numbers, (m, depth))
    words = [0] * 64
    for row in range(m):
        for k in range(depth):
            group, item = place_of(k, kind, 64 // m)
            words[row + m * group] |= int(codes[row, k]) << bits * item
    registers = np.array([[word >> 32 * at & 0xFFFFFFFF for word in words] for at in range(8)], np.uint32)
    return registers, np.vectorize(lambda code: value_of(int(code), kind))(codes)


def result_of(registers: np.ndarray, m: int) -> np.ndarray:
    """D [m, m] from its registers [m * m / 64, 64]: four rows a lane, then the next rows of lanes."""
    found = np.zeros((m, m))
    for register in range(m * m // 64):
        for lane in range(64):
            row = 4 * (64 // m) * (register // 4) + register % 4 + 4 * (lane // m)
            found[row, lane % m] = registers[register, lane].view(np.float32)
    return found


@pytest.mark.parametrize(("m", "depth"), [(16, 128), (32, 64)])
@pytest.mark.parametrize("b_kind", range(5))
@pytest.mark.parametrize("a_kind", range(5))
def test_product_with_scales(a_kind: int, b_kind: int, m: int, depth: int) -> None:
    """Random codes and scales of both operands, the scales in different bytes."""
    generator = np.random.default_rng([a_kind, b_kind, m])
    a, a_values = operand(generator, FORMATS[a_kind], m, depth)
    b, b_values = operand(generator, FORMATS[b_kind], m, depth)
    scales = generator.integers(120, 134, (2, 4, 64))
    byte_a, byte_b = (a_kind + b_kind) % 4, (a_kind + 2) % 4

    def setup(state: State) -> None:
        state.vgpr[A : A + 8, 0], state.vgpr[B : B + 8, 0] = a, b
        for register, each in ((SCALE_A, scales[0]), (SCALE_B, scales[1])):
            state.vgpr[register, 0] = sum(
                each[byte].astype(np.uint32) << np.uint32(8 * byte) for byte in range(4)
            )

    sizes = [{8: 8, 6: 6, 4: 4}[1 + sum(FIELDS[FORMATS[kind]][:2])] for kind in (a_kind, b_kind)]
    text = (
        f"v_mfma_scale_f32_{m}x{m}x{depth}_f8f6f4 v[{D}:{D + m * m // 64 - 1}], v[{A}:{A + sizes[0] - 1}], "
        f"v[{B}:{B + sizes[1] - 1}], 0, v{SCALE_A}, v{SCALE_B} "
        f"op_sel:[{byte_a & 1},{byte_b & 1},0] op_sel_hi:[{byte_a >> 1},{byte_b >> 1},0] "
        f"cbsz:{a_kind} blgp:{b_kind}"
    )
    got = result_of(execute(text, setup, arch="gfx950").state.vgpr[D : D + m * m // 64, 0], m)
    factors = [np.exp2(scales[which, byte] - 127.0) for which, byte in ((0, byte_a), (1, byte_b))]
    # lane l holds the scale of row l % m for k from 32 (l / m) on
    scaled = [
        values * np.repeat(factor.reshape(64 // m, m).T, 32, axis=1)
        for values, factor in zip((a_values, b_values), factors, strict=True)
    ]
    expected = scaled[0] @ scaled[1].T
    size = np.abs(scaled[0]) @ np.abs(scaled[1]).T
    assert (np.abs(got - expected) <= 1e-6 * size).all()


@pytest.mark.parametrize("kind", range(5))
def test_product_without_scales(kind: int) -> None:
    """The instruction without scale operands: all scales are 1."""
    generator = np.random.default_rng(kind)
    a, a_values = operand(generator, FORMATS[kind], 16, 128)
    b, b_values = operand(generator, FORMATS[kind], 16, 128)

    def setup(state: State) -> None:
        state.vgpr[A : A + 8, 0], state.vgpr[B : B + 8, 0] = a, b

    last = {8: 7, 6: 5, 4: 3}[1 + sum(FIELDS[FORMATS[kind]][:2])]
    text = (
        f"v_mfma_f32_16x16x128_f8f6f4 v[{D}:{D + 3}], v[{A}:{A + last}], v[{B}:{B + last}], 0 "
        f"cbsz:{kind} blgp:{kind}"
    )
    got = result_of(execute(text, setup, arch="gfx950").state.vgpr[D : D + 4, 0], 16)
    assert (np.abs(got - a_values @ b_values.T) <= 1e-6 * (np.abs(a_values) @ np.abs(b_values).T)).all()


@pytest.mark.parametrize(("constant", "factor"), [("1.0", 1.0), ("2.0", 2.0), ("0.5", 0.5), ("v41", np.nan)])
def test_scales_from_constants_and_nan(constant: str, factor: float) -> None:
    """Of a float constant the exponent counts; the scale 0xff is no number."""

    def setup(state: State) -> None:
        state.vgpr[A : A + 16, 0] = 0x22222222  # fp4 ones
        state.vgpr[SCALE_A, 0], state.vgpr[SCALE_B, 0] = 127, 255

    text = (
        f"v_mfma_scale_f32_16x16x128_f8f6f4 v[{D}:{D + 3}], v[{A}:{A + 3}], v[{B}:{B + 3}], 0, v{SCALE_A}, "
        f"{constant} op_sel_hi:[0,0,0] cbsz:4 blgp:4"
    )
    got = execute(text, setup, arch="gfx950").v(D, np.float32)[0]
    np.testing.assert_array_equal(got, np.full(64, 128 * factor, np.float32))
