"""How much the differential tests cover: forms are an opcode with its encoding, modifiers and types."""

from __future__ import annotations

import re

from conversion_forms import all_forms
from float_forms import float_forms
from integer_forms import integer_forms
from test_llvm_folds import FOLDS
from test_scalar_forms import SCALAR_COUNT


def test_at_least_500_forms_have_a_second_source() -> None:
    texts = [form.text for form in (*float_forms(), *integer_forms(), *all_forms())]
    assert len(texts) == len(set(texts))
    opcodes = {re.sub(r"_(e32|e64|dpp|sdwa)$", "", text.split()[0]) for text in texts}
    assert len(texts) + SCALAR_COUNT > 1900
    assert len(opcodes) + SCALAR_COUNT > 390
    assert len({fold.name for fold in FOLDS}) >= 80
