"""Kernels as Triton compiles them: they load, their numbers are right, and check finds one fault.

The assembly in kernels/triton is compiled from kernels.py there; its header says by which version.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wavesim.checks.run import check_kernel
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.launch.model import LoadedKernel, MatrixArgument
from wavesim.isa.machine import Machine
from wavesim.pipeline.opcode_coverage import coverage
from wavesim.pipeline.run import RunOptions, prepare

FOLDER = Path(__file__).resolve().parents[2] / "kernels" / "triton"
HIDDEN = ("scratch0=i32[1,16]", "scratch1=i32[1,16]")
"""Triton adds two pointers of its own to every kernel's arguments."""


def load(name: str, lds_bytes: int, *arguments: str, **options: str) -> tuple[LoadedKernel, Machine]:
    launch = LaunchOptions(
        arguments=(*arguments, *HIDDEN), block=256, grid="1,1", dynamic_lds_bytes=lds_bytes, **options
    )
    return prepare(FOLDER / name, RunOptions(launch=launch))


def run(kernel: LoadedKernel, machine: Machine) -> Execution:
    execution = emulate(kernel.program, kernel.launch, machine)
    assert execution.complete
    return execution


def matmul(arch: str, size: int) -> tuple[LoadedKernel, Machine]:
    tile, lds_bytes = {"gfx942": (64, 8192), "gfx950": (128, 68016)}[arch]
    matrices = [f"{name}=bf16[{size},{size}]:random" for name in "AB"]
    scalars = [f"{name}={size}" for name in ("M", "N", "K", "sa", "sb", "sc")]
    result = f"C=f32[{size},{size}]:unwritten"
    return load(
        f"matmul_{arch}.s",
        lds_bytes,
        *matrices,
        result,
        *scalars,
        expect="C = A @ B",
        tile=f"{tile},{tile}",
    )


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_a_matmul_is_right_and_clean(arch: str) -> None:
    """On gfx950 its second matrix is read from LDS by ds_read_b64_tr_b16: Triton's layout judges ours."""
    kernel, machine = matmul(arch, 256)
    numerics = check_numerics(run(kernel, machine), kernel.launch)
    assert numerics.checked
    assert numerics.ok, numerics.message
    findings = check_kernel(kernel, machine).findings
    assert [each for each in findings if each.is_bad] == []


def test_a_matmul_with_edges_that_fill_no_tile() -> None:
    kernel, machine = matmul("gfx942", 80)
    assert kernel.launch.expect is not None
    assert kernel.launch.expect.tiles == {(1, 1, 0): (64, 64, 16, 16)}
    numerics = check_numerics(run(kernel, machine), kernel.launch)
    assert numerics.checked
    assert numerics.ok, numerics.message
    with pytest.raises(UserError, match="begins at row 64, column 64: outside of C"):
        matmul("gfx942", 64)


def test_fp8_is_right_and_its_last_store_comes_a_wait_state_early() -> None:
    """docs/checks/mfma-hazard.md tells the story."""
    shapes = "fp8[128,128]:random"
    kernel, machine = load(
        "fp8_gfx950.s",
        24928,
        f"A={shapes}",
        f"B={shapes}",
        "C=f32[256,128]:unwritten",
        *(f"{name}=128" for name in ("K", "sa", "sb", "sc")),
    )
    one = replace(kernel.launch, workgroups=((0, 0, 0),), grid=(1, 1, 1))
    kernel = replace(kernel, launch=one)
    execution = run(kernel, machine)
    matrices = {name: np.array(execution.matrix(name, (0, 0, 128, 128)), np.float64) for name in "ABC"}
    wanted = (matrices["A"] @ matrices["B"].T)[:, :64]
    assert np.abs(matrices["C"][:, :64] - wanted).max() <= 1e-5 * np.abs(wanted).max()
    bad = [each for each in check_kernel(kernel, machine).findings if each.is_bad]
    assert [each.rule for each in bad] == ["mfma-hazard"]
    assert "after 19 wait states; gfx950 needs 20" in bad[0].message


def test_scaled_fp4_is_right() -> None:
    """v_mfma_scale_f32_..._f8f6f4: where its operands and scales lie, judged by Triton's layout."""
    kernel, machine = load(
        "scaled_gfx950.s",
        35296,
        "A=i8[256,128]",
        "AS=i8[256,8]",
        "B=i8[256,128]",
        "BS=i8[256,8]",
        "C=f32[256,256]:unwritten",
        "K=256",
        "N=256",
    )
    rng = np.random.default_rng(1)
    data = {
        "A": rng.integers(0, 256, (256, 128), dtype=np.uint8),
        "B": rng.integers(0, 256, (256, 128), dtype=np.uint8),
        "AS": rng.integers(120, 134, (256, 8), dtype=np.uint8),
        "BS": rng.integers(120, 134, (256, 8), dtype=np.uint8),
    }
    arguments = tuple(
        replace(each, init="given", content=data[each.name].tobytes())
        if isinstance(each, MatrixArgument) and each.name in data
        else each
        for each in kernel.launch.arguments
    )
    execution = run(replace(kernel, launch=replace(kernel.launch, arguments=arguments)), machine)
    items = {
        name: e2m1(data[name]) * np.repeat(2.0 ** (data[f"{name}S"].astype(int) - 127), 32, axis=1)
        for name in "AB"
    }
    wanted = (items["A"] @ items["B"].T)[128:, 128:]
    found = np.array(execution.matrix("C", (128, 128, 128, 128)), np.float64)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def e2m1(packed: np.ndarray) -> np.ndarray:
    """Two items to a byte, the lower half first."""
    sizes = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    halves = np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(packed), -1)
    return np.where(halves & 8, -1.0, 1.0) * sizes[halves & 7]


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_every_opcode_that_triton_prints_is_known(arch: str) -> None:
    text = Path(__file__).with_name("triton_opcodes.txt").read_text()
    parts = dict(part.split("\n", 1) for part in text.split("\n# ")[1:] if "\n" in part)
    wanted = (parts["both"] + " " + parts[f"{arch} only"]).split()
    assert len(wanted) > 150
    known = {each.opcode: each for each in coverage(arch)}
    for opcode in wanted:
        assert opcode in known, opcode
        assert known[opcode].executed, opcode
        assert known[opcode].timed, opcode
