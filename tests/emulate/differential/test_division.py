"""Division and square root as LLVM expands them give the correctly rounded value, over all exponents."""

from __future__ import annotations

import numpy as np
import pytest
from compiled_function import run_function
from edges import FLOAT, edges, pairs_of, random_bits, same

NAMES = {"f16": "half", "f32": "float", "f64": "double"}


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
@pytest.mark.parametrize("kind", ["f16", "f32", "f64"])
def test_quotients_are_correctly_rounded(kind: str, arch: str) -> None:
    name = NAMES[kind]
    body = f"define {name} @f({name} %a, {name} %b) {{ %r = fdiv {name} %a, %b\n ret {name} %r }}"
    a, b = pairs_of(kind, 20000, 7)
    found = run_function(body, arch, a, b, result=name).view(FLOAT[kind])
    x, y = a.view(FLOAT[kind]), b.view(FLOAT[kind])
    with np.errstate(all="ignore"):
        wrong = ~same(found, x / y)
    assert not wrong.any(), [(x[i], y[i], found[i], (x / y)[i]) for i in np.flatnonzero(wrong)[:5]]


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_square_roots_are_correctly_rounded(kind: str) -> None:
    name = NAMES[kind]
    body = (
        f"declare {name} @llvm.sqrt.{kind}({name})\n"
        f"define {name} @f({name} %a) {{ %r = call {name} @llvm.sqrt.{kind}({name} %a)\n ret {name} %r }}"
    )
    a = np.concatenate([edges(kind), random_bits(kind, 20000, 3)])
    found = run_function(body, "gfx942", a, result=name).view(FLOAT[kind])
    with np.errstate(all="ignore"):
        expected = np.sqrt(a.view(FLOAT[kind]))
    assert same(found, expected).all()


def test_denormals_that_are_flushed_divide_as_zeros() -> None:
    """With f32 denormals flushed, LLVM's expansion turns them on around its iteration (s_setreg)."""
    body = (
        "define float @f(float %a, float %b) #0 { %r = fdiv float %a, %b\n ret float %r }\n"
        'attributes #0 = { "denormal-fp-math-f32"="preserve-sign,preserve-sign" }'
    )
    a, b = pairs_of("f32", 5000, 11)
    flush = "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0"
    found = run_function(body, "gfx942", a, b, before=flush).view(np.float32)
    x, y = (
        np.where(np.abs(each) < 2.0**-126, np.copysign(np.float32(0), each), each)
        for each in (a.view(np.float32), b.view(np.float32))
    )
    with np.errstate(all="ignore"):
        expected = x / y
    normal = ~(np.abs(expected) < 2.0**-126)
    assert same(found, expected)[normal].all()
