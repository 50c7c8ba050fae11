"""Expressions mean what Python's integers mean, at lowering time and, as code, at run time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavesim.front.tile.affine import (
    Atom,
    Operation,
    Value,
    ValueProblem,
    Variable,
    bounds,
    variable,
)
from wavesim.front.tile.expressions import Comparison, evaluate, evaluate_condition

NAMES = {
    "wave": variable("wave", 0, 7),
    "lane": variable("lane", 0, 63, vector=True),
    "K": Value(64),
}

LEAVES = st.sampled_from(["wave", "lane", "K"]) | st.integers(0, 40).map(str)
CONSTANT_DIVISIONS = st.sampled_from(["/ 2", "% 4", "% 16", "/ 8", "// 4", "<< 3", ">> 1"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*^|&"), inner).map(lambda parts: "({} {} {})".format(*parts)),
        st.tuples(inner, CONSTANT_DIVISIONS).map(lambda parts: "({} {})".format(*parts)),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda parts: "{}({}, {})".format(*parts)
        ),
    ),
    max_leaves=8,
)


def number(value: Value, at: dict[str, int]) -> int:
    """A Value's number for given variables."""
    return value.constant + sum(factor * atom_number(atom, at) for atom, factor in value.terms)


def atom_number(atom: Atom, at: dict[str, int]) -> int:
    if isinstance(atom, Variable):
        return at[atom.name]
    assert isinstance(atom, Operation)
    left, right = number(atom.left, at), number(atom.right, at)
    return {
        "div": lambda: left // right,
        "mod": lambda: left % right,
        "mul": lambda: left * right,
        "min": lambda: min(left, right),
        "max": lambda: max(left, right),
        "and": lambda: left & right,
        "or": lambda: left | right,
        "xor": lambda: left ^ right,
    }[atom.name]()


@given(text=TREES, wave=st.integers(0, 7), lane=st.integers(0, 63))
def test_the_normal_form_keeps_the_value(text: str, wave: int, lane: int) -> None:
    value = evaluate(text, NAMES)
    names = {"wave": wave, "lane": lane, "K": 64, "min": min, "max": max}
    expected = eval(text.replace("/", "//").replace("////", "//"), {"__builtins__": {}}, names)
    assert number(value, {"wave": wave, "lane": lane}) == expected
    low, high = bounds(value)
    assert low <= expected <= high


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("K / 3", "21"),
        ("(wave * 4 + 3) % 4", "3"),
        ("(wave * 8 + lane % 8) / 8", "wave"),
        ("wave % 8", "wave"),
        ("wave / 8", "0"),
        ("lane + 128 - (lane + 64)", "64"),
        ("(lane + 512) / 8", "lane / 8 + 64"),
        ("wave ^ 0", "wave"),
        ("(K + wave) * 2", "128 + wave + wave"),
    ],
)
def test_equal_values_have_one_form(text: str, expected: str) -> None:
    assert evaluate(text, NAMES) == evaluate(expected, NAMES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wave +", "cannot be read"),
        ("", "cannot be read"),
        ("nobody", "unknown name 'nobody'; known: K, lane, wave"),
        ("1.5", "not a whole number"),
        ("True", "not a whole number"),
        ("'a'", "not a whole number"),
        ("wave / 3", "only powers of two"),
        ("K / 0", "must be positive"),
        ("K / wave", "constant on its right"),
        ("K ** 9", "not an integer expression"),
        ("1 << 99", "a shift must be"),
        ("open('x')", "only min and max"),
        ("wave.__class__", "not an integer expression"),
        ("[1][0]", "not an integer expression"),
        ("(lambda: 1)()", "only min and max"),
        ("min(1)", "two or more"),
        ("min(*K)", "two or more"),
        ("9" * 30, "too large"),
        ("9" * 399, "too large"),
        ("1 + " * 150 + "1", "600 characters|601 characters"),
        ("(" * 190 + "1" + ")" * 190, ""),
        ("(" * 399, "cannot be read"),
        ("-" * 390 + "1", ""),
        ("\x00", "cannot be read"),
    ],
)
def test_what_is_not_an_expression_is_refused(text: str, message: str) -> None:
    if not message:
        assert evaluate(text, NAMES) == Value(1)
        return
    with pytest.raises(ValueProblem, match=message):
        evaluate(text, NAMES)


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_a_problem(text: str) -> None:
    try:
        evaluate(text, NAMES)
        evaluate_condition(text, NAMES)
    except ValueProblem:
        pass


def test_conditions() -> None:
    assert evaluate_condition("K == 64 and not K > 64", NAMES) is True
    assert evaluate_condition("K / 2 < 3 or K != 64", NAMES) is False
    found = evaluate_condition("wave >= 4", NAMES)
    assert isinstance(found, Comparison)
    assert found.relation == "ge"
    for text, message in (
        ("lane < 3", "all lanes of a wave"),
        ("wave < 3 and K == 64", "known before the run"),
        ("1 < wave < 3", "one comparison"),
        ("wave in K", "one comparison"),
    ):
        with pytest.raises(ValueProblem, match=message):
            evaluate_condition(text, NAMES)
