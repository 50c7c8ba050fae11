"""Float opcodes in all forms against exact arithmetic with one rounding: edge values, every mode."""

from __future__ import annotations

import numpy as np
import pytest
from edges import edges, random_bits
from float_forms import float_forms
from forms import DEFAULT, Env, Form, run_forms

FORMS = float_forms()
GROUPS = sorted({(form.kinds, form.arch) for form in FORMS})
MODES = {
    "default": DEFAULT,
    "up": Env(rounding_32=1, rounding_64=1),
    "down": Env(rounding_32=2, rounding_64=2),
    "zero": Env(rounding_32=3, rounding_64=3),
    "mixed": Env(rounding_32=1, rounding_64=2),
    "flush": Env(flush_32=True, flush_64=True, ieee=False),
    "flush_f32": Env(flush_32=True),
    "no_ieee": Env(ieee=False, dx10=False),
    "overflow": Env(overflow=True, rounding_64=3),
}


def inputs_of(kinds: tuple[str, ...], count: int, seed: int) -> list[np.ndarray]:
    """Edge values against edge values, random ones, and sums that cancel or stand half way."""
    generator = np.random.default_rng(seed)
    kind = kinds[0]
    edge = edges(kind)
    arrays = []
    for slot in range(len(kinds)):
        picked = np.concatenate([generator.choice(edge, count), random_bits(kind, count // 2, seed + slot)])
        arrays.append(picked)
    if len(kinds) == 3:  # c near -a * b
        values = [
            array.view({"f16": np.float16, "f32": np.float32, "f64": np.float64}[kind]) for array in arrays
        ]
        with np.errstate(all="ignore"):
            near = -(values[0] * values[1])
        take = np.arange(len(near)) % 3 == 0
        arrays[2] = np.where(take, near.view(arrays[2].dtype), arrays[2])
    if kind != "f16":
        return arrays
    return [array.astype(np.uint32) | np.roll(array, 7).astype(np.uint32) << 16 for array in arrays]


def of_group(group: tuple[tuple[str, ...], str]) -> list[Form]:
    return [form for form in FORMS if (form.kinds, form.arch) == group]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{'-'.join(group[0])}-{group[1]}")
def test_forms_agree_with_exact_arithmetic(group: tuple[tuple[str, ...], str], mode: str) -> None:
    count = 160 if mode == "default" else 24
    wrong = run_forms(of_group(group), inputs_of(group[0], count, 5), MODES[mode])
    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:30]])
