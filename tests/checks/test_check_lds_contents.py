"""lds-uninitialised and bank-conflict: by the addresses of an execution."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.bank_conflicts import bank_conflicts
from wavesim.checks.lds_contents import uninitialised_lds_reads
from wavesim.checks.run import check_kernel
from wavesim.emulate.run import Execution, emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding, Severity

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,256]", "B=bf16[128,256]", "C=f32[128,128]:unwritten", "N=128", "K=256"),
    block=512,
    expect="C = A @ B.T",
)


def executed(path: Path, **options: object) -> tuple[Execution, Machine]:
    kernel, machine = prepare(path, RunOptions(**options))  # type: ignore[arg-type]
    return emulate(kernel.program, kernel.launch, machine, observe_lds=True), machine


def unwritten(path: Path, **options: object) -> list[Finding]:
    execution, _ = executed(path, **options)
    lds_bytes = execution.trace.program.metadata.lds_bytes
    return list(uninitialised_lds_reads(execution.trace, execution.lds_accesses, lds_bytes))


@pytest.mark.parametrize("name", ["4wave", "8wave", "8wave_pingpong", "seed/v3", "seed/v4"])
def test_full_tiles_are_clean(name: str) -> None:
    assert not unwritten(KERNELS / f"{name}.yaml", settings={"K": "256"})


@pytest.mark.parametrize(("name", "waves"), [("seed/v0", {1, 2, 3}), ("seed/v2", {1, 2, 3, 5, 6, 7})])
def test_a_load_that_half_of_its_threads_make(name: str, waves: set[int]) -> None:
    found = unwritten(KERNELS / f"{name}.yaml", settings={"K": "256"})
    assert found
    assert set().union(*(each.waves for each in found)) == waves
    assert {each.severity for each in found} == {Severity.WARNING}


def test_half_a_buffer() -> None:
    (finding,) = unwritten(KERNELS / "wrong" / "lds-uninitialised.s")
    assert "128 of the 256 bytes of its access, the first at byte 128" in finding.message


@pytest.mark.parametrize("name", ["gemm8_plain.gfx942.s", "gemm8_asmread.gfx950.s"])
def test_compiled_kernels_read_what_was_written(name: str, shared: Path) -> None:
    assert not unwritten(shared / "examples" / name, launch=LAUNCH)


def test_two_way_conflicts_of_the_example(shared: Path) -> None:
    """8 waves x 4 steps x 24 reads, each 8 clocks in place of 4; its author's notes say 2-way."""
    execution, machine = executed(shared / "examples" / "gemm8_asmread.gfx942.s", launch=LAUNCH)
    (finding,) = bank_conflicts(execution, machine)
    assert "takes up to 8 clk of the LDS banks, 4 without conflicts" in finding.message
    assert f"{8 * 4 * 24 * 4} conflict clk in the run" in finding.message
    assert "exposed: " in finding.message or "hidden: " in finding.message
    assert finding.severity is Severity.NOTE
    assert finding.waves == tuple(range(8))


def test_one_bank_for_all_lanes() -> None:
    execution, machine = executed(KERNELS / "wrong" / "bank-conflict.s")
    found = list(bank_conflicts(execution, machine))
    assert [each.spans[0].line for each in found] == [7, 8]
    assert all("up to 64 clk of the LDS banks, 2 without" in each.message for each in found)


@pytest.mark.parametrize("name", ["4wave", "8wave"])
def test_swizzled_tiles_have_none(name: str) -> None:
    kernel, machine = prepare(KERNELS / f"{name}.yaml", RunOptions(settings={"K": "256"}))
    assert "bank-conflict" not in {each.rule for each in check_kernel(kernel, machine).findings}
