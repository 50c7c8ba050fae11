"""A kernel of several is chosen by its symbol, its name in the source, or a part that no other has."""

from __future__ import annotations

import pytest

from wavesim.asm.names import chosen, readable, short_name
from wavesim.errors import UserError

FLOAT, DOUBLE, COPY = "_ZN1a4axpyIfLi2EEEvPT_i", "_ZN1a4axpyIdLi2EEEvPT_i", "_Z4copyPf"
HELD = "_ZN12_GLOBAL__N_1" + "3runIN1a4HeldIfEEEEvT_"
demangles = pytest.mark.skipif(readable((COPY,)) == (COPY,), reason="needs llvm-cxxfilt or c++filt")


@demangles
def test_a_name_is_short_without_what_it_takes_and_gives() -> None:
    assert [*map(short_name, (FLOAT, COPY, HELD, "axpy"))] == [
        "a::axpy<float, 2>",
        "copy",
        "(anonymous namespace)::run<a::Held<float>>",
        "axpy",
    ]


@demangles
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (FLOAT, FLOAT),
        ("a::axpy<double, 2>", DOUBLE),
        ("void a::axpy<double, 2>(double*, int)", DOUBLE),
        ("copy", COPY),
        ("run", HELD),
        ("axpy<float", FLOAT),
        ("4axpyIf", FLOAT),
    ],
)
def test_what_names_one(wanted: str, found: str) -> None:
    assert chosen([COPY, DOUBLE, FLOAT, HELD], wanted, "k.hip") == found


@demangles
def test_several_and_none_are_refused_with_what_there_is() -> None:
    assert chosen([COPY], None, "k.hip") == COPY
    for wanted, said in (
        (None, "choose one with --kernel: a::axpy<float, 2>, copy"),
        ("absent", "kernels: a::axpy<float, 2>, copy"),
    ):
        with pytest.raises(UserError) as caught:
            chosen([FLOAT, COPY], wanted, "k.hip")
        assert caught.value.hint == said
    with pytest.raises(UserError, match="2 kernels are called 'axpy'"):
        chosen([FLOAT, DOUBLE, COPY], "axpy", "k.hip")


@demangles
def test_of_long_names_a_part_is_listed_that_says_which() -> None:
    held = "".join(f"N1a4HeldI{letter}EE" for letter in "fffffffff")
    long = [f"_ZN1a4axpyIJ{held}{letter}{held}EEEvv" for letter in "ijd"]
    with pytest.raises(UserError) as caught:
        chosen(long, None, "k.hip")
    parts = [line.strip() for line in caught.value.hint.split("\n")[1:]]
    assert [max(map(len, parts)) < 100, *(chosen(long, part, "k.hip") for part in parts)] == [True, *long]
