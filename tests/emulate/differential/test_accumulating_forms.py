"""Multiply-adds that add to their destination or have a constant inside: v_fmac, v_mac, v_fmamk."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from float_forms import PLAIN, Output, reference
from forms import Env, Form, run_forms
from reference_float import THREE, Rule, Value
from reference_numbers import F16, F32, Exact, Format
from test_float_forms import MODES, inputs_of

K32, K16 = 0x3FB504F3, 0x3DA8
"""The square root of two, about, in f32 and f16."""


def accumulating(opcode: str, kind: str, rule: Rule, arch: str, *, no_denormals: bool = False) -> Form:
    """The third source is put into the destination first."""
    move = "v_mov_b64" if kind == "f64" else "v_mov_b32"
    function = reference(rule, kind, [PLAIN] * 3, Output(), nearest=False, no_denormals=no_denormals)
    text = f"{move} {{d}}, {{2}}\n {opcode} {{d}}, {{0}}, {{1}}"
    return Form(text, (kind,) * 3, kind, function, 0, arch)


def constant(
    opcode: str, kind: str, rule: Rule, arch: str, *, last: bool, no_denormals: bool = False
) -> Form:
    """A constant as the second factor or, ``last``, as what is added."""
    form, bits = (F16, K16) if kind == "f16" else (F32, K32)
    k = Value(form.decode(bits))

    def with_constant(env: Env, target: Format, mode: int, s: Sequence[Value]) -> Exact:
        return rule(env, target, mode, (s[0], s[1], k) if last else (s[0], k, s[1]))

    operands = f"{{0}}, {{1}}, {bits:#x}" if last else f"{{0}}, {bits:#x}, {{1}}"
    function = reference(with_constant, kind, [PLAIN] * 2, Output(), nearest=False, no_denormals=no_denormals)
    return Form(f"{opcode} {{d}}, {operands}", (kind,) * 2, kind, function, 0, arch)


FMA, MAD = THREE["fma"], THREE["mad"]
FORMS = [
    accumulating("v_fmac_f32_e32", "f32", FMA, "gfx942"),
    accumulating("v_fmac_f32_e64", "f32", FMA, "gfx942"),
    accumulating("v_fmac_f64_e32", "f64", FMA, "gfx942"),
    accumulating("v_mac_f16_e32", "f16", MAD, "gfx942"),
    accumulating("v_mac_f32_e32", "f32", MAD, "gfx90a", no_denormals=True),
    constant("v_fmamk_f32", "f32", FMA, "gfx942", last=False),
    constant("v_fmaak_f32", "f32", FMA, "gfx942", last=True),
    constant("v_madmk_f16", "f16", MAD, "gfx942", last=False),
    constant("v_madak_f16", "f16", MAD, "gfx942", last=True),
    constant("v_madmk_f32", "f32", MAD, "gfx90a", last=False, no_denormals=True),
    constant("v_madak_f32", "f32", MAD, "gfx90a", last=True, no_denormals=True),
]


@pytest.mark.parametrize("mode", ["default", "up", "down", "flush", "overflow"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text.split("\n ")[-1].split()[0])
def test_forms_agree(form: Form, mode: str) -> None:
    wrong = run_forms([form], inputs_of(form.kinds, 100, 9), MODES[mode])
    assert not wrong, "\n".join(wrong)


def test_the_constants_are_what_they_are_called() -> None:
    assert math.isclose(F32.decode(K32), math.sqrt(2), rel_tol=1e-6)
    assert math.isclose(F16.decode(K16), math.sqrt(2), rel_tol=1e-3)
