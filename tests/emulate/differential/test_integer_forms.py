"""Integer opcodes in all forms against Python integers, on edge values: wrapping, clamp, DPP, SDWA."""

from __future__ import annotations

import numpy as np
import pytest
from forms import Form, run_forms
from integer_forms import BITS, integer_forms

FORMS = integer_forms()
GROUPS = sorted({(form.kinds, form.arch) for form in FORMS})
EDGES = (0, 1, 2, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFF, 0x800000, 0xFFFFFF)
HIGH = (
    0x7FFFFFFF,
    0x80000000,
    0x80000001,
    0xFFFFFFFE,
    0xFFFFFFFF,
    0x0C0D0E0F,
    0x00080706,
    0xFF80017F,
    0x55555555,
)


def inputs_of(kinds: tuple[str, ...], count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(len(kinds))
    arrays = []
    for kind in kinds:
        wide = BITS.get(kind) == 64
        edges = np.array((*EDGES, *HIGH), np.uint64)
        if wide:
            edges = np.concatenate([edges, edges << np.uint64(32), ~edges])
        random = generator.integers(0, 2**64 if wide else 2**32, count // 2, dtype=np.uint64)
        array = np.concatenate([generator.choice(edges, count), random])
        arrays.append(array if wide else array.astype(np.uint32))
    return arrays


def of_group(group: tuple[tuple[str, ...], str]) -> list[Form]:
    return [form for form in FORMS if (form.kinds, form.arch) == group]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{'-'.join(group[0])}-{group[1]}")
def test_forms_agree_with_integers(group: tuple[tuple[str, ...], str]) -> None:
    wrong = run_forms(of_group(group), inputs_of(group[0], 600))
    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:30]])
