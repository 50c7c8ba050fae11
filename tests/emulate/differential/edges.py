"""Bit patterns at the edges of each float type, and random ones."""

from __future__ import annotations

import numpy as np

UNSIGNED = {"f16": np.uint16, "f32": np.uint32, "f64": np.uint64}
FLOAT = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
_LAYOUT = {"f16": (10, 5), "f32": (23, 8), "f64": (52, 11)}


def edges(kind: str) -> np.ndarray:
    """Zeros, denormals, ends of the range, ones, halves, integers, infinities and both kinds of NaN, of
    either sign, as unsigned bits."""
    mantissa, exponent = _LAYOUT[kind]
    bias = 2 ** (exponent - 1) - 1
    one, top = bias << mantissa, (2**exponent - 1) << mantissa
    ulp = 1 << mantissa
    found = [
        *(0, 1, 2, 3, ulp // 2, ulp - 1, ulp, ulp + 1, 2 * ulp, 2 * ulp - 1),
        *(one - ulp, one - ulp - 1, one - 1, one, one + 1, one + ulp // 2, one + ulp, one + ulp + 1),
        *(one + ulp + ulp // 2, one + 2 * ulp, one + 4 * ulp + 5, one - 5 * ulp, one + 3 * ulp + ulp // 4),
        *(
            top - ulp,
            top - ulp + 1,
            top - 1,
            top - 2,
            top,
            top | ulp // 2,
            top | ulp // 2 | 1,
            top | 1,
            top | 5,
        ),
    ]
    sign = 1 << (mantissa + exponent)
    return np.array([bits | each for bits in (0, sign) for each in found], UNSIGNED[kind])


def random_bits(kind: str, count: int, seed: int) -> np.ndarray:
    """Random patterns: all exponents are as likely, so denormals and extremes occur."""
    generator = np.random.default_rng(seed)
    size = 8 * np.dtype(UNSIGNED[kind]).itemsize
    return generator.integers(0, 2**size, count, dtype=np.uint64).astype(UNSIGNED[kind])


def pairs_of(kind: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of edges, random pairs, and pairs with quotients near the ends of the range."""
    edge = edges(kind)
    first, second = (each.ravel() for each in np.meshgrid(edge, edge))
    a, b = random_bits(kind, count, seed), random_bits(kind, count, seed + 1)
    return np.concatenate([first, a]), np.concatenate([second, b])


def same(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Where float arrays agree to the bit, any NaN counting as any other."""
    bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[found.itemsize]
    return (found.view(bits) == expected.view(bits)) | (np.isnan(found) & np.isnan(expected))
