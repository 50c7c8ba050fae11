"""The small kernels of other kinds in kernels/hip: attention, softmax, norm with fp8, MXFP4, MoE, scale.

Each is compiled, gives numpy's numbers, is clean, and takes the same clocks in both engines.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.tools import MissingTool
from wavesim.checks.run import check_kernel
from wavesim.emulate.run import Execution, emulate
from wavesim.front.launch.model import LoadedKernel, MatrixArgument
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, prepare, run_kernel

FOLDER = Path(__file__).resolve().parents[2] / "kernels" / "hip"
OPCODES = {
    "attention": "ds_read_b64_tr_b16 v_exp_f32 v_permlane32_swap_b32 v_cvt_pk_bf16_f32 buffer_load_dwordx4",
    "softmax": "v_exp_f32 v_rcp_f32 v_max_f32 v_readlane_b32 global_store_dwordx4",
    "rmsnorm_fp8": "v_rsq_f32 v_permlane16_swap_b32 v_pk_fma_f32 v_pk_mul_f32 v_cvt_pk_fp8_f32 s_barrier",
    "quantise_fp4": "v_cvt_scalef32_pk_fp4_bf16 v_max_f32",
    "scale": "global_load_dwordx4 global_store_dwordx4",
    "moe_gather": "buffer_load_dwordx4 ds_read_b128 v_mfma_f32_16x16x32_bf16",
}
"""What each kernel is there to use."""


def prepared(name: str) -> LoadedKernel:
    try:
        return prepare(FOLDER / f"{name}.hip", RunOptions(arch="gfx950"))[0]
    except MissingTool as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", OPCODES)
def test_numbers_are_right_and_both_engines_agree(name: str) -> None:
    kernel = prepared(name)
    used = {each.opcode.removesuffix("_e32") for each in kernel.program.instructions}
    assert set(OPCODES[name].split()) <= used
    run = run_kernel(FOLDER / f"{name}.hip", RunOptions(arch="gfx950", engine="both", workgroups=2))
    assert run.numerics.ok
    assert run.numerics.checked == (name != "quantise_fp4")


@pytest.mark.parametrize("name", OPCODES)
def test_they_are_clean_and_free_of_bank_conflicts(name: str) -> None:
    result = check_kernel(prepared(name), load_machine("gfx950"))
    assert result.good, [str(finding) for finding in result.findings]
    assert not [finding for finding in result.findings if finding.rule == "bank-conflict"]


def executed(kernel: LoadedKernel) -> Execution:
    """The first workgroup of the launch."""
    launch = replace(kernel.launch, workgroups=kernel.launch.workgroups[:1])
    return emulate(kernel.program, launch, load_machine("gfx950"))


def test_mxfp4_is_rounded_to_the_nearest_of_its_block_s_sixteen_values() -> None:
    execution = executed(prepared("quantise_fp4"))
    x = execution.matrix("X", (0, 0, 1, 2048))[0].astype(np.float64).reshape(-1, 32)
    scale = execution.matrix("S", (0, 0, 1, 64))[0].astype(int)
    values = execution.matrix("Q", (0, 0, 1, 2048))[0].astype(np.float64).reshape(-1, 32)
    assert scale.tolist() == (np.floor(np.log2(np.abs(x).max(axis=1))) - 2 + 127).astype(int).tolist()
    exact = x / 2.0 ** (scale - 127)[:, None]
    magnitudes = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    every = np.concatenate([magnitudes, -magnitudes])
    least = np.abs(exact[..., None] - every).min(axis=-1)
    assert set(values.ravel().tolist()) <= set(every.tolist())
    np.testing.assert_array_equal(np.abs(exact - values), least)


def test_the_gather_takes_rows_in_any_order_and_leaves_out_missing_tokens() -> None:
    kernel = prepared("moe_gather")
    token = np.random.default_rng(5).permutation(4096).astype(np.int32)
    token[[3, 40]] = -1
    arguments = tuple(
        replace(each, init="given", content=token.tobytes())
        if isinstance(each, MatrixArgument) and each.name == "token"
        else each
        for each in kernel.launch.arguments
    )
    execution = executed(replace(kernel, launch=replace(kernel.launch, arguments=arguments)))
    a = execution.matrix("A", (0, 0, 4096, 1024)).astype(np.float64)
    b = execution.matrix("B", (0, 0, 64, 1024)).astype(np.float64)
    c = np.asarray(execution.matrix("C", (0, 0, 64, 64)))
    there = np.flatnonzero(token[:64] >= 0)
    np.testing.assert_allclose(c[there], a[token[there]] @ b.T, rtol=1e-4, atol=1e-4)
    assert not c[[3, 40]].any()
