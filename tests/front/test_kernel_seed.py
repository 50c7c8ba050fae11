"""The five seed versions lower, assemble where LLVM is there, and come to their known verdicts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from wavesim.asm.printer import print_program
from wavesim.asm.text.parse import parse_program
from wavesim.asm.tools import assemble_object
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.load import load_tile_program
from wavesim.isa.load import load_machine
from wavesim.isa.paths import data_dir

VERSIONS = ("v0", "v1", "v2", "v3", "v4")
REGION = (0, 0, 128, 128)


@cache
def seed(version: str, arch: str = "gfx942", k: int = 192) -> LoadedKernel:
    return load_tile_program(data_dir("kernels") / "seed" / f"{version}.yaml", arch, {"K": str(k)})


@cache
def executed(version: str, arch: str = "gfx942") -> Execution:
    kernel = seed(version, arch)
    return emulate(kernel.program, kernel.launch, load_machine(arch))


def right_blocks(version: str, size: int, arch: str = "gfx942") -> set[tuple[int, int]]:
    """Blocks of ``size`` rows and columns of C that hold A . B^T."""
    execution = executed(version, arch)
    launch = seed(version, arch).launch
    a = execution.matrix("A", (0, 0, 128, 192)).astype(np.float64)
    b = execution.matrix("B", (0, 0, 128, 192)).astype(np.float64)
    assert launch.expect is not None
    wanted, got = a @ b.T, execution.matrix("C", REGION)
    close = np.abs(got - wanted) <= 1e-4
    blocks = close.reshape(128 // size, size, 128 // size, size).all(axis=(1, 3))
    return {(int(row), int(column)) for row, column in zip(*np.nonzero(blocks), strict=True)}


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("version", VERSIONS)
def test_lowers_to_assembly_that_parses_back(version: str, arch: str) -> None:
    program = seed(version, arch).program
    text = print_program(program)
    back = parse_program(text, f"{version}.s")
    assert len(back) == len(program)
    assert all(one.same_code(other) for one, other in zip(program, back, strict=True))
    assert back.addresses == program.addresses
    try:
        assemble_object(text, arch)
    except UserError as error:
        pytest.skip(str(error))


def test_v0_loads_half_of_the_rows() -> None:
    """Rows 0-31 and 64-95 of A and of B: blocks 0 and 2 of either."""
    assert executed("v0").complete
    assert right_blocks("v0", 32) == {(row, column) for row in (0, 2) for column in (0, 2)}


def test_v1_stops_in_a_deadlock() -> None:
    assert {each.rule for each in seed("v1").findings} == {"lds-overflow"}
    execution = executed("v1")
    assert not execution.complete
    assert any("deadlock" in each.message for each in execution.findings)


def test_v2_loads_half_of_the_rows_after_the_first_tile() -> None:
    assert right_blocks("v2", 32) == {(row, column) for row in (0, 2) for column in (0, 2)}


def test_v2_computes_everything_twice() -> None:
    trace = executed("v2").trace
    counts = [len(wave.code) for wave in trace.waves]
    assert len(counts) == 8
    stores = [
        sum(trace.program.instructions[row].opcode == "global_store_dword" for row in wave.code.tolist())
        for wave in trace.waves
    ]
    assert sum(stores) * 64 == 2 * 128 * 128


def test_v3_stores_blocks_elsewhere() -> None:
    """8 of 64 blocks are right; 32 are never written."""
    assert len(right_blocks("v3", 16)) == 8
    numerics = check_numerics(executed("v3"), seed("v3").launch)
    assert not numerics.ok
    assert "never stored" in numerics.message


def test_v4_has_the_right_map_and_faults_that_show_in_findings() -> None:
    assert len(right_blocks("v4", 32)) == 16
    rules = [each.rule for each in seed("v4").findings]
    assert rules.count("register-index") == 2
    (outside,) = [each for each in seed("v4").findings if each.rule == "lds-buffer-overrun"]
    assert outside.waves == (4, 5, 6, 7)
    assert "128 to 191" in outside.message
