"""`wavesim swizzle`: layouts ranked as the engine times them, formulas that say the same, bad input."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions
from wavesim.swizzles.access import Tile, read_tile
from wavesim.swizzles.layouts import Layout, hip_index, layouts, tile_keys, triton_layout
from wavesim.swizzles.rank import array_clocks, executed, pass_clk, rank, with_array_clk
from wavesim.timing import simulate

COMMAND = ["swizzle", "--tile", "128x64", "--type", "bf16", "--read", "mfma16x16x32", "--write", "b128"]
OPTIONS = RunOptions(settings={"memory.latency_clk": "500"})


def ask(*more: str) -> Any:
    return CliRunner().invoke(cli, [*COMMAND, *more], catch_exceptions=False, standalone_mode=False)


def test_the_known_swizzle_wins_and_is_proven() -> None:
    """Rows of 128 bytes, lanes of 16: XOR of the 8 chunks with the row is free of conflicts."""
    data = json.loads(ask("--json").stdout)
    best, plain = data["layouts"][0], next(each for each in data["layouts"] if each["name"] == "plain")
    assert (best["unit_bytes"], best["per_phase"], best["max_phase"]) == (16, 1, 8)
    assert best["read_clk"] == data["conflict_free"]["read_clk"] == 8
    assert plain["read_clk"] == 32
    assert data["proof"] == {
        "holds": True,
        "numbers": True,
        "clean": True,
        "clk": best["clk"],
        "engines": "both",
    }


def test_gfx950_serves_other_lanes_together() -> None:
    tile = read_tile("128x64", "bf16", "mfma16x16x32", "b128", 4, 2)
    found = rank(tile, "gfx950", None, {})
    assert found.ideal_read_clk == 4
    assert found.ranked[0].read_clk == 4
    assert found.proof.clk == found.ranked[0].clk
    assert found.proof.holds


TILES = [
    Tile(64, 64, "bf16", 16, 16, 8, waves=4, reads=1),
    Tile(64, 32, "bf16", 32, 16, 16, waves=1, reads=1),
    Tile(64, 64, "f16", 16, 32, 16, waves=2, reads=2),
    Tile(64, 32, "f32", 16, 4, 8, waves=4, reads=1),
    Tile(64, 128, "fp8", 16, 128, 16, waves=4, reads=2),
]


@settings(max_examples=12)
@given(tile=st.sampled_from(TILES), arch=st.sampled_from(["gfx90a", "gfx942", "gfx950"]), data=st.data())
def test_clocks_that_are_ranked_are_the_engines(tile: Tile, arch: str, data: st.DataObject) -> None:
    """Of any layout: computed from the formula, and executed as its own kernel."""
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    machine = load_machine(arch)
    every = list(layouts(tile, machine.integer("lds.size_bytes")))
    layout = data.draw(st.sampled_from(every))
    with TemporaryDirectory() as folder:
        options = replace(OPTIONS, arch=arch)
        plain = executed(tile, every[0], Path(folder), options)
        run = executed(tile, layout, Path(folder), options)
    clocks = array_clocks(layout, tuple(tile.accesses()), machine)
    ranked = simulate(with_array_clk(plain.timeline.trace, clocks), plain.machine.parameters)
    assert pass_clk(ranked) == pass_clk(run.timeline)
    assert run.numerics.checked
    assert run.numerics.ok


@settings(max_examples=40)
@given(tile=st.sampled_from(TILES), data=st.data())
def test_a_layout_keeps_elements_apart_and_its_formulas_say_the_same(tile: Tile, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(list(layouts(tile, 1 << 16))))
    row, col = np.indices((tile.rows, tile.columns))
    size = tile.element_bytes
    address = layout.address(row, col * size)
    assert len(np.unique(address)) == address.size
    assert address.max() + size <= layout.size_bytes(tile.rows)
    assert (evaluated(hip_index(layout, tile), row, col) * size == address).all()
    numbers = re.findall(r"= (\d+)", triton_layout(layout, tile)[0])
    if not layout.pad_bytes:
        vec, per, most = map(int, numbers[:3])
        triton = row * tile.columns + ((col // vec) ^ (row // per % most)) * vec + col % vec
        assert (triton * size == address).all()


def evaluated(expression: str, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """An index expression of C, on numpy."""

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.BinOp):
            left, right = value(node.left), value(node.right)
            ways = {ast.Mult: np.multiply, ast.Add: np.add, ast.Mod: np.mod, ast.BitXor: np.bitwise_xor}
            return {**ways, ast.Div: np.floor_divide}[type(node.op)](left, right)
        if isinstance(node, ast.Name):
            return {"row": row, "col": col}[node.id]
        assert isinstance(node, ast.Constant)
        return node.value

    return np.asarray(value(ast.parse(expression, mode="eval").body))


def test_keys_for_a_tile_program_are_taken_by_it(tmp_path: Path, root: Path) -> None:
    """The 8-wave kernel with the layout that is found for its reads of 8 bytes has no bank conflict."""
    tile = read_tile("128x64", "bf16", "mfma16x16x16", "b64", 8, 1)
    found = rank(tile, None, None, {})
    keys = tile_keys(found.ranked[0].layout, tile)
    assert keys is not None
    text = (root / "kernels/8wave.yaml").read_text()
    text = re.sub(r"(?m)^  (As|Bs): .*$", rf"  \1: {keys}", text)
    (tmp_path / "mine.yaml").write_text(text)
    from wavesim.pipeline.run import run_kernel

    run = run_kernel(tmp_path / "mine.yaml", RunOptions(settings={"K": "256"}))
    assert run.numerics.ok
    assert tile_keys(Layout(128, 32, 1, 4), tile) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("128", "bf16", "mfma16x16x32", "b128", 4, 2), "is no tile"),
        (("128x64", "bf16", "16x16", "b128", 4, 2), "is no MFMA"),
        (("128x96", "bf16", "mfma16x16x32", "b128", 4, 2), "a row has 192 bytes, which is no power of two"),
        (("100x64", "bf16", "mfma16x16x32", "b128", 4, 2), "not made of fragments"),
        (("16x64", "bf16", "mfma16x16x32", "b128", 4, 1), "2 fragments cannot be shared by 4 waves"),
        (("32x32", "bf16", "mfma16x16x16", "b128", 4, 1), "all waves write 4096 at once"),
        (("1024x256", "bf16", "mfma16x16x32", "b128", 4, 1), "at most 40 are looked at"),
        (("64x64", "fp8", "mfma4x4x4", "b32", 1, 1), "has no whole bytes"),
    ],
)
def test_a_tile_that_cannot_be_is_refused(given: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_tile(*given)


def test_a_tile_larger_than_lds_is_refused() -> None:
    tile = read_tile("1024x64", "bf16", "mfma16x16x32", "b128", 16, 1)
    with pytest.raises(UserError, match="the tile has 131072 bytes"):
        rank(tile, "gfx942", None, {})
    assert rank(tile, "gfx950", None, {}).ranked
