"""Whole kernels: the compiled example GEMMs against numpy; what check_numerics says of wrong results."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from emulate_harness import make_program

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.front.launch.model import Expectation, Launch, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine

Position = tuple[int, int, int]
EXAMPLES = (
    "gemm8_plain.gfx942.s",
    "gemm8_plain_32x32x8.gfx942.s",
    "gemm8_asmread.gfx942.s",
    "gemm8_asmread.gfx950.s",
    "gemm8_asmread_fenced.gfx942.s",
    "gemm8_asmread_unroll2_tied.gfx942.s",
)


def gemm_launch(k: int, workgroups: tuple[Position, ...] = ((0, 0, 0),)) -> Launch:
    return Launch(
        (
            MatrixArgument("A", "bf16", 512, k, seed=1),
            MatrixArgument("B", "bf16", 512, k, seed=2),
            MatrixArgument("C", "f32", 512, 512, init="unwritten"),
            ScalarArgument("N", "i32", 512),
            ScalarArgument("K", "i32", k),
        ),
        512,
        (4, 4, 1),
        workgroups,
        Expectation(
            "C",
            "A",
            "B",
            True,
            MappingProxyType({at: (at[1] * 128, at[0] * 128, 128, 128) for at in workgroups}),
        ),
    )


def run_example(path: Path, launch: Launch) -> Execution:
    arch = path.name.split(".")[1]
    program = parse_program(path.read_text(), str(path), arch)
    return emulate(program, launch, load_machine(arch))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_matches_numpy(shared: Path, name: str) -> None:
    launch = gemm_launch(512, ((0, 0, 0), (2, 1, 0)))
    execution = run_example(shared / "examples" / name, launch)
    assert execution.complete
    assert not execution.findings
    numerics = check_numerics(execution, launch)
    assert numerics.ok
    assert numerics.max_rel_error is not None
    assert numerics.max_rel_error <= 1e-5
    assert numerics.element_count == 2 * 128 * 128
    a, b = (execution.matrix(matrix, (0, 0, 512, 512)).astype(float) for matrix in "AB")
    tile = execution.matrix("C", (128, 256, 128, 128))
    np.testing.assert_allclose(tile, (a @ b.T)[128:256, 256:384], atol=1e-4)


def test_swizzle_of_the_examples_conflicts_two_ways(shared: Path) -> None:
    """The examples' README: every ds_read_b64 of the fragments has a 2-way conflict."""
    execution = run_example(shared / "examples" / "gemm8_plain.gfx942.s", gemm_launch(128))
    trace = execution.trace
    reads = [index for index, entry in enumerate(trace.code) if entry.instruction.opcode == "ds_read_b64"]
    clocks = trace.waves[0].array_clk[np.isin(trace.waves[0].code, reads)]
    assert set(clocks.tolist()) == {8}


def test_speed(shared: Path) -> None:
    """At least 100 k wave instructions per second (best of three; the machine may be busy)."""
    path = shared / "examples" / "gemm8_asmread_fenced.gfx942.s"
    program, launch, machine = (
        parse_program(path.read_text(), str(path), "gfx942"),
        gemm_launch(2048),
        load_machine("gfx942"),
    )
    rates = []
    for _ in range(3):
        start = time.process_time()
        execution = emulate(program, launch, machine)
        rates.append(execution.instruction_count / (time.process_time() - start))
    assert max(rates) >= 100_000


STORE = """
    s_load_dwordx2 s[4:5], s[0:1], 0x10
    v_lshlrev_b32 v2, 2, v0
    v_mov_b32 v3, {value}
    {mask}
    global_store_dword v2, v3, s[4:5]
"""


def small(value: str, mask: str = "", **changes: object) -> tuple[Execution, Numerics]:
    """C (1 x 64) = ones (1 x 8) times ones (64 x 8), as a kernel that stores one value to all lanes."""
    arguments = (
        MatrixArgument("A", "bf16", 1, 8, init="ones"),
        MatrixArgument("B", "bf16", 64, 8, init="ones"),
        MatrixArgument("C", "f32", 1, 64, init="unwritten"),
    )
    expectation = Expectation("C", "A", "B", True, MappingProxyType({(0, 0, 0): (0, 0, 1, 64)}))
    launch = Launch(arguments, 64, expect=replace(expectation, **changes))
    execution = emulate(
        make_program(STORE.format(value=value, mask=mask), arguments=arguments),
        launch,
        load_machine("gfx942"),
    )
    return execution, check_numerics(execution, launch)


def test_right_results() -> None:
    _, numerics = small("0x41000000")
    assert numerics == Numerics(True, 0.0, True, numerics.message, (), 0, 64)


def test_wrong_results_are_listed() -> None:
    _, numerics = small("0x41100000")
    assert not numerics.ok
    assert numerics.max_rel_error == pytest.approx(1 / 8)
    assert numerics.wrong_count == 64
    assert len(numerics.wrong_elements) == 16
    first = numerics.wrong_elements[1]
    assert (first.row, first.column, first.got, first.expected, first.wave) == (0, 1, 9.0, 8.0, 0)
    (place,) = numerics.wrong_places
    assert (place.wave, place.wrong, place.of) == (0, 64, 64)
    assert str(place.first[1]) == "[0, 1] of wave 0 is 9 in place of 8"


def test_missing_results_are_wrong() -> None:
    _, numerics = small("0x41000000", "s_mov_b64 exec, 0xff")
    assert not numerics.ok
    assert numerics.wrong_count == 56
    assert {element.got for element in numerics.wrong_elements} == {None}
    (place,) = numerics.wrong_places
    assert (place.wave, place.wrong, place.of) == (None, 56, 56)
    assert str(place.first[0]).endswith("is never stored")


def test_nan_is_wrong() -> None:
    _, numerics = small("0x7fc00000")
    assert not numerics.ok
    assert numerics.max_rel_error == float("inf")


def test_expectation_must_fit() -> None:
    with pytest.raises(UserError, match="which the launch does not have"):
        small("0", left="X")
    with pytest.raises(UserError, match="reaches outside"):
        small("0", tiles=MappingProxyType({(0, 0, 0): (0, 32, 1, 64)}))


def test_nothing_expected_is_not_checked() -> None:
    execution, _ = small("0")
    numerics = check_numerics(execution, replace(execution.launch, expect=None))
    assert (numerics.ok, numerics.checked) == (True, False)
