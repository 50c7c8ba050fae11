"""Free constants and interleaving of a tile program: what may be tried, how its text changes, the best."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reorders import ROOT, call

from wavesim.errors import UserError
from wavesim.front.tile.load import load_tile_program
from wavesim.front.tile.rewrite import interleavings, with_constants
from wavesim.pipeline.run import RunOptions
from wavesim.tuning.parameters import has_free_constants

FREE = ROOT / "kernels/lessons/free_parameters.yaml"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{NIX: [1]}", "no constant 'NIX'"),
        ("{UNROLL: 2}", "must be a list"),
        ("{UNROLL: [1, two]}", "'two' is no whole number"),
        ("{UNROLL: []}", "no value to be tried"),
        (f"{{UNROLL: {list(range(65))}}}", "at most 64"),
    ],
)
def test_what_cannot_be_tried_is_refused(section: str, said: str) -> None:
    text = f"include: 8wave.yaml\ntune: {section}\n"
    with pytest.raises(UserError, match=said) as refused:
        load_tile_program(ROOT / "kernels/mine.yaml", None, {}, text)
    assert refused.value.span is not None
    assert refused.value.span.line == 2


def test_a_constant_that_is_set_is_not_free() -> None:
    assert has_free_constants(FREE, RunOptions())
    settings = {"UNROLL": "1", "SWIZZLE_BYTES": "8", "SWIZZLE_ROWS": "16"}
    assert not has_free_constants(FREE, RunOptions(settings=settings))
    assert not has_free_constants(ROOT / "kernels/8wave.yaml", RunOptions())


def test_constants_change_in_their_place_or_are_added() -> None:
    text = "constants:\n  A: 1  # one\n  B: A * 2\nprogram: []\n"
    assert with_constants(text, {"B": 3, "A": 7}) == "constants:\n  A: 7  # one\n  B: 3\nprogram: []\n"
    assert with_constants(text, {"C": 4}).startswith("constants:\n  C: 4\n  A: 1")
    assert with_constants("include: k.yaml", {"C": 4}) == "include: k.yaml\nconstants:\n  C: 4\n"


def test_reads_and_mfmas_beside_each_other_are_merged() -> None:
    """The same instructions in another order; lines behind them stay where they are in the text."""
    path = ROOT / "kernels/8wave.yaml"
    text = path.read_text()
    plain = load_tile_program(path, None, {}, text).program
    found = list(interleavings(path, text))
    assert len({each.text for each in found}) == 10
    for each in found:
        program = load_tile_program(path, None, {}, each.text).program
        assert sorted(one.opcode for one in program) == sorted(one.opcode for one in plain)
        assert [one.opcode for one in program] != [one.opcode for one in plain]
        assert each.text.count("# write after read") == 1


def test_the_best_parameters_are_found_proven_and_written(tmp_path: Path) -> None:
    out, report = tmp_path / "best.yaml", tmp_path / "a.json"
    words = ("--set", "K=512", "--set", "UNROLL=1", "--change", "parameters", "--json", report)
    text = call("tune", FREE, *words, "-o", out)
    compared = json.loads(call("compare", FREE, out, "--set", "K=512", "--json"))["kernels"]
    assert "SWIZZLE_BYTES: 16 before, 8 now" in text
    assert "proven:" in text
    found = json.loads(report.read_text())
    assert found["better"]
    assert found["parameters"]["best"] == {"SWIZZLE_BYTES": 8, "SWIZZLE_ROWS": 16}
    assert {"UNROLL"}.isdisjoint(found["parameters"]["free"])
    one, two = (each["clk_per_iteration"] for each in compared)
    assert two < 0.98 * one


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kernels/lessons/strong_wait.s", "--change", "parameters"), "no tile program has parameters"),
        (("kernels/8wave.yaml", "-o", "best.yaml"), "a schedule is assembly"),
    ],
)
def test_parameters_are_of_tile_programs(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        call("tune", ROOT / words[0], *words[1:])
