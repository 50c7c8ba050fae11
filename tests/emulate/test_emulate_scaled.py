"""Scaled and stochastic conversions against exact rational arithmetic on the formats' definitions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.state import State

FORMATS = {"fp8": (4, 3), "bf8": (5, 2), "fp6": (2, 3), "bf6": (3, 2), "fp4": (2, 1)}
SCALE = 2.0**3
VALUES = np.linspace(-7, 7, 64).astype(np.float32)


def values_of(kind: str) -> list[Fraction | None]:
    """Every value of a small float (OCP formats), by encoding; None for NaN and infinity."""
    exponent_bits, mantissa_bits = FORMATS[kind]
    bias = 2 ** (exponent_bits - 1) - 1
    found: list[Fraction | None] = []
    for code in range(1 << 1 + exponent_bits + mantissa_bits):
        exponent = code >> mantissa_bits & (1 << exponent_bits) - 1
        mantissa = Fraction(code & (1 << mantissa_bits) - 1, 1 << mantissa_bits)
        magnitude = code & (1 << exponent_bits + mantissa_bits) - 1
        if (kind == "fp8" and magnitude == 0x7F) or (kind == "bf8" and exponent == 31):
            found.append(None)
            continue
        power = Fraction(2) ** (max(exponent, 1) - bias)
        value = (mantissa if exponent == 0 else 1 + mantissa) * power
        found.append(-value if code >> exponent_bits + mantissa_bits else value)
    return found


def nearest(kind: str, value: float) -> int:
    """The encoding nearest to a value, ties to the even one."""
    exact = Fraction(value)
    sign = 1 << sum(FORMATS[kind]) if value < 0 or str(value) == "-0.0" else 0
    known = values_of(kind)
    half = [(code, each) for code, each in enumerate(known[: len(known) // 2]) if each is not None]
    best = min(half, key=lambda pair: (abs(pair[1] - abs(exact)), pair[0] % 2))
    return best[0] | sign


def float_setup(values: np.ndarray, second: np.ndarray | None = None) -> Callable[[State], None]:
    def setup(state: State) -> None:
        state.vgpr[0, 0] = values.view(np.uint32)
        state.vgpr[1, 0] = (values[::-1] if second is None else second).copy().view(np.uint32)
        state.vgpr[2, 0] = np.float32(SCALE * 1.75).view(np.uint32)  # only the exponent counts
        state.vgpr[8, 0] = 0xABCD1234

    return setup


@pytest.mark.parametrize("kind", ["fp8", "bf8", "fp4"])
@pytest.mark.parametrize("part", [0, 1])
def test_pairs_down(kind: str, part: int) -> None:
    select = f"op_sel:[0,0,{part},1]" if kind == "fp4" else f"op_sel:[0,0,0,{part}]"
    registers = execute(
        f"v_cvt_scalef32_pk_{kind}_f32 v8, v0, v1, v2 {select}", float_setup(VALUES), arch="gfx950"
    ).state.vgpr[:, 0]
    bits = 4 if kind == "fp4" else 8
    shift = 8 * (part + 2) if kind == "fp4" else 16 * part
    for lane in range(64):
        low, high = (nearest(kind, float(values[lane]) / SCALE) for values in (VALUES, VALUES[::-1]))
        mask = (1 << 2 * bits) - 1 << shift
        assert int(registers[8, lane]) == 0xABCD1234 & ~mask | (low | high << bits) << shift, lane


@pytest.mark.parametrize("kind", ["fp8", "bf8", "fp4"])
@pytest.mark.parametrize("to", ["f32", "f16", "bf16"])
def test_pairs_up(kind: str, to: str) -> None:
    codes = np.arange(64, dtype=np.uint32) * np.uint32(0x01030507)
    registers = execute(
        f"v_cvt_scalef32_pk_{to}_{kind} v{'[8:9]' if to == 'f32' else 8}, v0, v2 op_sel:[1,0,0]",
        float_setup(codes.view(np.float32)),
        arch="gfx950",
    ).state.vgpr[:, 0]
    known = values_of(kind)
    bits = 4 if kind == "fp4" else 8
    for lane, code in enumerate(codes.tolist()):
        source = code >> (8 if kind == "fp4" else 16)
        for place in (0, 1):
            value = known[source >> bits * place & (1 << bits) - 1]
            if value is None:
                continue
            expected = float(value) * SCALE
            if to == "f32":
                got = float(registers[8 + place, lane].view(np.float32))
            else:
                half = int(registers[8, lane]) >> 16 * place & 0xFFFF
                wide = np.uint32(half << 16).view(np.float32)
                got = float(np.uint16(half).view(np.float16) if to == "f16" else wide)
                with np.errstate(over="ignore"):
                    expected = float(np.float16(expected)) if to == "f16" else expected
            assert got == expected, (lane, place)


@pytest.mark.parametrize("kind", ["fp6", "bf6"])
def test_vectors_of_32(kind: str) -> None:
    generator = np.random.default_rng(5)
    numbers = generator.uniform(-40, 40, (32, 64)).astype(np.float32)

    def setup(state: State) -> None:
        state.vgpr[0:32, 0] = numbers.view(np.uint32)
        state.vgpr[60, 0] = np.float32(SCALE).view(np.uint32)

    text = (
        f"v_cvt_scalef32_2xpk16_{kind}_f32 v[40:45], v[0:15], v[16:31], v60\n"
        f"v_cvt_scalef32_pk32_f32_{kind} v[0:31], v[40:45], v60"
    )
    registers = execute(text, setup, arch="gfx950").state.vgpr[:, 0]
    known = values_of(kind)
    for lane in (0, 17, 63):
        word = sum(int(registers[40 + at, lane]) << 32 * at for at in range(6))
        for item in range(32):
            code = nearest(kind, float(numbers[item // 2 + 16 * (item % 2), lane]) / SCALE)
            assert word >> 6 * item & 63 == code
            value = known[code]
            assert value is not None
            assert float(registers[item, lane].view(np.float32)) == float(value) * SCALE


@pytest.mark.parametrize(("kind", "dropped"), [("fp8", 20), ("bf8", 21)])
@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_stochastic_rounding(kind: str, dropped: int, arch: str) -> None:
    """Random bits of 0 cut off; the largest round up everything that is not exact."""
    values = np.linspace(1, 15.9, 64).astype(np.float32)
    kept = ~((1 << dropped) - 1) & 0xFFFFFFFF
    for random, up in ((0, 0), (0xFFFFFFFF, 1)):
        second = np.full(64, random, np.uint32).view(np.float32)
        text = (
            f"v_cvt_sr_{kind}_f32 v8, v0, v1 op_sel:[0,0,0,1]\n v_lshrrev_b32 v9, 16, v8\n"
            f"v_cvt_f32_{kind} v10, v9"
        )
        registers = execute(text, float_setup(values, second), arch=arch).state.vgpr[:, 0]
        cut = values.view(np.uint32) & np.uint32(kept)
        exact = cut == values.view(np.uint32)
        expected = np.where(exact | (up == 0), cut, cut + np.uint32(1 << dropped)).astype(np.uint32)
        np.testing.assert_array_equal(registers[10].view(np.float32), expected.view(np.float32))
        assert (registers[8] & 0xFF00FFFF == 0xABCD1234 & 0xFF00FFFF).all()


def test_stochastic_rounding_is_fair() -> None:
    values = np.full(64, 1.0 + 1 / 32, np.float32)  # a quarter of the way to the next fp8
    total, count = 0.0, 0
    for seed in range(20):
        random = np.random.default_rng(seed).integers(0, 2**32, 64, dtype=np.uint64).astype(np.uint32)
        text = "v_cvt_sr_fp8_f32 v8, v0, v1\n v_cvt_f32_fp8 v10, v8"
        total += float(execute(text, float_setup(values, random.view(np.float32))).v(10, np.float32)[0].sum())
        count += 64
    assert total / count == pytest.approx(1 + 1 / 32, abs=0.01)


def test_bf16_and_f16_with_random_bits() -> None:
    values = np.linspace(1, 2, 64).astype(np.float32)
    zero = np.zeros(64, np.float32)
    text = "v_cvt_sr_bf16_f32 v8, v0, v1 op_sel:[0,0,1]\n v_cvt_sr_f16_f32 v8, v0, v1"
    registers = execute(text, float_setup(values, zero), arch="gfx950").state.vgpr[8, 0]
    np.testing.assert_array_equal(registers >> 16, values.view(np.uint32) >> 16)
    cut = (values.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
    np.testing.assert_array_equal(
        (registers & 0xFFFF).astype(np.uint16).view(np.float16), cut.astype(np.float16)
    )


def test_pseudo_random_sequence() -> None:
    outcome = execute("v_prng_b32 v1, v0", lambda state: state.vgpr.__setitem__(0, 0x80000001), arch="gfx950")
    assert (outcome.v(1) == (2 ^ 197)).all()


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_packed_fp4_from_halves_with_the_sequence(kind: str) -> None:
    """Each element takes the next random value; with 0 as seed all are cut off."""
    halves = np.linspace(0.5, 5.5, 64).astype(np.float32)
    bits = halves.astype(np.float16).view(np.uint16) if kind == "f16" else (halves.view(np.uint32) >> 16)
    packed = bits.astype(np.uint32) | bits.astype(np.uint32) << 16

    def setup(state: State) -> None:
        state.vgpr[0, 0] = packed
        state.vgpr[1] = 0
        state.vgpr[2] = np.float32(1).view(np.uint32)
        state.vgpr[8] = 0

    text = f"v_cvt_scalef32_sr_pk_fp4_{kind} v8, v0, v1, v2"
    got = execute(text, setup, arch="gfx950").v(8)[0]
    ladder = [value for value in values_of("fp4")[:8] if value is not None]
    exact = packed.view(np.uint16)[0::2]
    for lane in range(64):
        half = exact[lane]
        value = (
            float(half.view(np.float16))
            if kind == "f16"
            else float(np.uint32(int(half) << 16).view(np.float32))
        )
        code = max(place for place, each in enumerate(ladder) if each <= value)
        assert int(got[lane]) & 0xFF == code | code << 4
