"""FlyDSL kernels, compiled here by the real wheel, and the launches read from its MLIR."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import wavesim
from wavesim.errors import UserError
from wavesim.python_kernels.mlir_text import launched

SOURCE = Path(__file__).parent / "flydsl_kernels.py"
needs_flydsl = pytest.mark.skipif(
    (importlib.util.find_spec("flydsl") is None or not any(map(shutil.which, ("ld.lld-22", "ld.lld"))))
    and not os.environ.get("CI"),
    reason="needs the wheel flydsl and ld.lld",
)
ARCHS = pytest.mark.parametrize("arch", ["gfx942", "gfx950"])


def assert_right(compiled: wavesim.PythonKernel, elements: int) -> None:
    done = wavesim.run(compiled)
    assert done.numerics.checked
    assert done.numerics.ok, done.numerics.message
    assert done.numerics.element_count == elements
    assert wavesim.check(compiled).verdict == "good"


@needs_flydsl
@ARCHS
def test_an_addition_whose_grid_is_computed(arch: str) -> None:
    """The sizes of its tensors are structs in the kernel's arguments."""
    a, b = np.random.default_rng(1).standard_normal((2, 256)).astype(np.float32)
    compiled = wavesim.flydsl(
        f"{SOURCE}:add",
        [a, b, "f32[256]:unwritten", 256],
        expected={"C": a + b},
        position=(3,),
        arch=arch,
    )
    launch = compiled.launch.read_text()
    assert "grid: [4, 1, 1]" in launch
    assert "A_layout: {d0: u32:256}" in launch
    assert_right(compiled, 64)


@needs_flydsl
@ARCHS
def test_a_product_by_mfma(arch: str) -> None:
    compiled = wavesim.flydsl(
        f"{SOURCE}:product",
        {"A": "f32[64,8]", "B": "f32[64,8]", "C": "f32[64,64]:unwritten"},
        expect="C = A @ B.T",
        arch=arch,
    )
    assert "v_mfma_f32_16x16x4" in compiled.path.read_text()
    assert_right(compiled, 64 * 64)


@needs_flydsl
def test_no_stand_in_is_left_behind() -> None:
    if importlib.util.find_spec("torch") is None:
        wavesim.flydsl(f"{SOURCE}:product", ["f32[64,8]", "f32[64,8]", "f32[64,64]:unwritten"])
        assert "torch" not in sys.modules
    with pytest.raises(UserError, match="is no launcher of FlyDSL"):
        wavesim.flydsl(print)
    with pytest.raises(UserError, match="missing a required argument: 'C'"):
        wavesim.flydsl(f"{SOURCE}:product", ["f32[64,8]"] * 2)


MODULE = """
  func.func @go(%arg0: !fly.memref<f32, global, (?,?):(?,1)> loc("a.py":1:0), %arg1: i32 loc(unknown), %arg2: !gpu.async.token) attributes {llvm.emit_c_interface} {
    %c64 = arith.constant 64 : i32 loc(#loc1)
    %0 = arith.ceildivsi %arg1, %c64 : i32 loc(#loc1)
    %1 = arith.index_cast %0 : i32 to index
    %2 = math.absi %arg1 : i32
    %c1 = arith.constant 1 : index
    %3 = gpu.launch_func async [%arg2] @kernels::@k_0 blocks in (%1, %c1, WHAT) threads in (%1, %c1, %c1) dynamic_shared_memory_size %c64 args(%arg0 : !fly.memref<f32, global, (?,?):(?,1)>, %0 : i32)
    return
  }
"""  # noqa: E501


def test_a_launch_is_read_from_the_text() -> None:
    found = launched(MODULE.replace("WHAT", "%c1"), [None, 200], "go")
    assert (found.kernel, found.grid, found.block, found.lds_bytes) == ("k_0", (4, 1, 1), (4, 1, 1), 64)
    assert [(each.argument, each.layout, each.number) for each in found.operands] == [
        (0, "(?,?):(?,1)", None),
        (None, "", 4),
    ]


def test_a_launch_that_is_computed_otherwise_is_refused() -> None:
    with pytest.raises(UserError, match=r"go: its launch is computed by math.absi, which is not read here"):
        launched(MODULE.replace("WHAT", "%2"), [None, 200], "go")
    with pytest.raises(UserError, match="no host function"):
        launched("", [], "go")
