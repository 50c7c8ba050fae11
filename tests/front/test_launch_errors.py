"""Launch files and options that have no meaning: one message with the line, never a traceback."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.file import LaunchOptions, launch_from_options, read_launch
from wavesim.front.launch.formula import evaluate_formula

GOOD = {
    "workgroup": "64",
    "grid": "[4, 2]",
    "position": "[3, 1]",
    "arguments": "{A: 'f32[8,8]', C: 'f32[8,8]:unwritten'}",
    "expect": "C = A + A",
    "tile": "[4, 2]",
}


def read(tmp_path: Path, **changes: str) -> None:
    path = tmp_path / "k.launch.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in {**GOOD, **changes}.items()))
    read_launch(path, {})


def test_the_good_one_is_read(tmp_path: Path) -> None:
    read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "line", "words"),
    [
        ("workgroup", "-1", 1, "workgroup: -1\n  1 to 1024"),
        ("workgroup", "0", 1, "workgroup: 0"),
        ("workgroup", "2000", 1, "workgroup: 2000"),
        ("workgroup", "[6.5]", 1, "not a whole number"),
        ("grid", "5", 2, "grid: 5 is no list of numbers"),
        ("grid", "{}", 2, "no list of numbers"),
        ("grid", "[0, 1]", 2, "grid: 0"),
        ("grid", "[1, 1, 1, 1]", 2, "grid: 4 numbers"),
        ("grid", "[99999999999]", 2, "grid: 99999999999"),
        ("grid", "[[1], 2]", 2, "is not a whole number"),
        ("position", "[]", 3, "position: [] is no list of numbers"),
        ("position", "[4, 0]", 3, "x = 4 in a grid of 4"),
        ("position", "[0, 2]", 3, "y = 2 in a grid of 2"),
        ("position", "[0, 0, 1]", 3, "z = 1 in a grid of 1"),
        ("position", "[-1, 0]", 3, "position: -1"),
        ("arguments", "[]", 4, "a mapping of names"),
        ("arguments", "{A: 'f32[0,8]', C: 'f32[8,8]'}", 4, "rows or columns: 0"),
        ("arguments", "{A: [], C: 'f32[8,8]'}", 4, "cannot be read"),
        ("expect", "5", 5, "expect: 5 is not text"),
        ("expect", "[C]", 5, "is not text"),
        ("expect", "C", 5, "cannot be read"),
        ("tile", "5", 6, "no list of numbers"),
        ("tile", "[]", 6, "no list of numbers"),
        ("tile", "[1, 2, 3]", 6, "tile of 3 numbers"),
        ("tile", "[0, 2]", 6, "holds nothing"),
        ("tile", "[-4, 2]", 6, "tile: -4"),
        ("tile", "[4, 0, 5, 8]", 6, "is not inside of C[8,8]"),
        ("tile", "[8, 8]", 6, "begins at row 8, column 24"),
    ],
)
def test_what_no_launch_can_have(tmp_path: Path, key: str, value: str, line: int, words: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, **{key: value})
    assert words in str(error.value)
    assert f"k.launch.yaml:{line}:" in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"grid": "-1,0"}, "position: -1"),
        ({"grid": "99999999999,0"}, "position: 99999999999"),
        ({"grid": "0,0,0,0"}, "position: 4 numbers"),
        ({"grid": "x"}, "not numbers with commas"),
        ({"block": -1}, "workgroup: -1"),
        ({"expect": "C = A", "tile": "0,0"}, "holds nothing"),
        ({"expect": "C = A", "tile": "1,-1"}, "tile: -1"),
        ({"expect": "C = A", "tile": "1,2,3,4,5"}, "tile: 5 numbers"),
    ],
)
def test_the_same_by_options(options: dict[str, object], words: str) -> None:
    given = LaunchOptions(arguments=("A=f32[8,8]", "C=f32[8,8]"), **options)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=words):
        launch_from_options(given, SourceSpan("k.s"))


@pytest.mark.parametrize(
    "text",
    [
        "2[0:1]",
        "s[0:1, 0:2]",
        "A[0:1, 0:1][0:1, 0:1, 0:1]",
        "2 @ 3",
        "s @ A",
        "A @ A",
        "A - A.T",
        "max(A[2:1].T)",
        "softmax(A[2:1].T)",
        "causal(s)",
        "causal(A.T @ 2)",
        "9" * 399,
        "1if 1else 2",
        "0x1for",
        "big @ big.T",
        "big + big.T",
        "maximum(big, big.T)",
    ],
)
def test_a_formula_without_a_meaning(text: str) -> None:
    """Rows of numbers, shapes that do not fit, and results that no memory holds."""
    values = {"A": np.ones((3, 4)), "s": np.asarray(2.0), "big": np.ones((1 << 14, 2))}
    with pytest.raises(UserError, match="expected result"):
        evaluate_formula(text, values.__getitem__)


@pytest.mark.parametrize("text", ["(" * 199 + "A" + ")" * 199, "-" * 399 + "A"])
def test_deep_nesting_is_an_answer_or_a_refusal(text: str) -> None:
    with suppress(UserError):
        evaluate_formula(text, lambda _: np.ones((3, 4)))
