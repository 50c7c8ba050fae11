"""Stamped kernels: same numbers, assembled by LLVM, stamps equal to the simulated clocks, and cheap."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pytest

from wavesim.analyze.analysis import analyze
from wavesim.asm.printer import print_program
from wavesim.asm.tools import MissingTool, assemble_object
from wavesim.calibrate.bench.stamps import ARGUMENT, WAVE_BYTES, read_stamps, stamp
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.pipeline.clocks import clock_values
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.timing import simulate
from wavesim.trace import Kind

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
LADDER = ["4wave", "8wave", "8wave_pingpong", "8wave_256"]


@pytest.fixture(scope="module", params=LADDER)
def stamped(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    run = run_kernel(KERNELS / f"{request.param}.yaml", RunOptions(settings={"K": "1024"}))
    loop = run.analysis.loop
    assert loop is not None
    return run, stamp(run.kernel.program, run.kernel.launch, (loop.head, loop.tail))


def test_llvm_assembles_it(stamped) -> None:  # type: ignore[no-untyped-def]
    _, made = stamped
    try:
        assemble_object(print_program(made.program), made.program.arch)
    except MissingTool as missing:
        pytest.skip(str(missing))


def test_numbers_stay_right_and_stamps_are_the_simulated_clocks(stamped) -> None:  # type: ignore[no-untyped-def]
    run, made = stamped
    execution = emulate(made.program, made.launch, run.machine)
    assert check_numerics(execution, made.launch).ok
    timeline = simulate(execution.trace, run.machine.parameters)
    again = emulate(made.program, made.launch, run.machine, clock_values=clock_values(timeline, 1000.0))
    waves = len(timeline.waves)
    rows = again.matrix(ARGUMENT, (0, 0, waves, WAVE_BYTES // 4)).astype(np.uint32)
    found = read_stamps(rows.tobytes(), waves)
    assert [each.wave for each in found] == list(range(waves))
    opcodes = np.array([entry.instruction.opcode for entry in execution.trace.code])
    for each, wave, trace in zip(found, timeline.waves, execution.trace.waves, strict=True):
        reads = wave.issue_clk[np.flatnonzero(opcodes[trace.code] == "s_memtime")]
        assert each.passes == len(reads) - 3
        assert list(each.passes_clk) == (reads[1:-2] - reads[0]).tolist()
        assert each.loop_end_clk == reads[-2] - reads[0]
        assert each.end_clk == reads[-1] - reads[0]


def test_stamping_costs_little_and_the_cost_is_known(stamped) -> None:  # type: ignore[no-untyped-def]
    run, made = stamped
    execution = emulate(made.program, made.launch, run.machine)
    timeline = simulate(execution.trace, run.machine.parameters)
    loop = analyze(timeline, run.machine, made.launch).loop
    assert loop is not None
    cost = loop.median - run.analysis.loop.median
    assert abs(cost) <= 0.05 * run.analysis.loop.median
    assert made.added <= 6


def test_intervals_are_those_of_the_loop(stamped) -> None:  # type: ignore[no-untyped-def]
    run, made = stamped
    execution = emulate(made.program, made.launch, run.machine)
    timeline = simulate(execution.trace, run.machine.parameters)
    again = emulate(made.program, made.launch, run.machine, clock_values=clock_values(timeline, 1000.0))
    waves = len(timeline.waves)
    rows = again.matrix(ARGUMENT, (0, 0, waves, WAVE_BYTES // 4)).astype(np.uint32)
    measured = statistics.median(
        interval for each in read_stamps(rows.tobytes(), waves) for interval in each.intervals_clk
    )
    loop = analyze(timeline, run.machine, made.launch).loop
    assert loop is not None
    assert measured == pytest.approx(loop.median, rel=0.01)


def test_more_than_64_passes_keep_the_last(tmp_path: Path) -> None:
    words = [0] * 128
    for number in range(100):
        words[number % 64] = 1000 + 10 * number
    words[64], words[66], words[68], words[70] = 1000, 2500, 2600, 100
    (only,) = read_stamps(np.array(words, "<u4").tobytes(), 1)
    assert only.passes == 100
    assert only.passes_clk == tuple(10 * number for number in range(36, 100))
    assert set(only.intervals_clk) == {10}
    assert (only.loop_end_clk, only.end_clk) == (1500, 1600)


def test_too_few_bytes() -> None:
    with pytest.raises(ValueError, match="stamps for 2 waves"):
        read_stamps(bytes(WAVE_BYTES), 2)


def test_a_loop_without_a_full_wait_is_refused() -> None:
    run = run_kernel(KERNELS / "lessons" / "double_buffer.yaml", RunOptions())
    last = max(index for index, entry in enumerate(run.timeline.trace.code) if entry.kind is Kind.COND_BRANCH)
    with pytest.raises(UserError, match="could drain a stamp"):
        stamp(run.kernel.program, run.kernel.launch, (last, last))
