"""Tile coverage: results that were not stored, or belong elsewhere, are named by their place."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from wavesim.analyze.pipeline import RunOptions, prepare
from wavesim.check.checker import check_kernel
from wavesim.check.coverage import _moved_blocks
from wavesim.kernel.launch_file import LaunchOptions

LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,64]", "B=bf16[128,64]", "C=f32[128,128]:unwritten", "N=128", "K=64"),
    block=512,
    expect="C = A @ B.T",
)


def test_a_dropped_store_is_named(shared: Path, tmp_path: Path) -> None:
    text = (shared / "examples" / "gemm8_plain.gfx942.s").read_text()
    store = re.search(r"^\s+global_store_dword.*$", text, re.MULTILINE)
    if store is None:
        pytest.skip("the example stores another way")
    path = tmp_path / "dropped.gfx942.s"
    path.write_text(text.replace(store.group(), "", 1))
    kernel, machine = prepare(path, RunOptions(launch=LAUNCH))
    found = [each for each in check_kernel(kernel, machine).findings if each.rule == "tile-coverage"]
    assert len(found) == 1
    assert "never stored" in found[0].message


def test_a_block_that_belongs_elsewhere_is_told_from_noise() -> None:
    reference = np.random.default_rng(1).standard_normal((64, 64))
    got = reference.copy()
    got[:32, 32:] = reference[32:, :32]
    stored = np.ones_like(got, dtype=bool)
    assert _moved_blocks(got, stored, reference, 1e-5) == [((0, 32), (32, 0))]
    got[:32, 32:] = 0.5
    assert _moved_blocks(got, stored, reference, 1e-5) == []
