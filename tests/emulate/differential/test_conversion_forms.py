"""Conversions, compares, packed, mixed and dot forms against their restatement, on edge values."""

from __future__ import annotations

import numpy as np
import pytest
from conversion_forms import all_forms
from edges import edges, random_bits
from forms import Env, Form, run_forms
from test_float_forms import MODES
from test_integer_forms import inputs_of as integers_of

FORMS = all_forms()
GROUPS = sorted({(form.kinds, form.arch) for form in FORMS})


def column(kind: str, count: int, seed: int) -> np.ndarray:
    """Values of one source: for f16 two halves in a dword."""
    if kind == "f32x2":
        singles = column("f32", count, seed).astype(np.uint64)
        return singles | np.roll(singles, 5) << np.uint64(32)
    if kind not in ("f16", "f32", "f64"):
        return integers_of((kind,), count)[0]
    generator = np.random.default_rng(seed)
    numbers = np.concatenate([generator.choice(edges(kind), count), random_bits(kind, count // 2, seed)])
    if kind == "f16":
        return numbers.astype(np.uint32) | np.roll(numbers, 5).astype(np.uint32) << 16
    return numbers


def of_group(group: tuple[tuple[str, ...], str]) -> list[Form]:
    return [form for form in FORMS if (form.kinds, form.arch) == group]


@pytest.mark.parametrize("mode", ["default", "up", "zero", "flush", "overflow"])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{'-'.join(group[0])}-{group[1]}")
def test_forms_agree(group: tuple[tuple[str, ...], str], mode: str) -> None:
    count = 400 if mode == "default" else 60
    inputs = [column(kind, count, 11 * slot + 1) for slot, kind in enumerate(group[0])]
    env: Env = MODES[mode]
    wrong = run_forms(of_group(group), inputs, env)
    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:30]])
