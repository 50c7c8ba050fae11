"""The half-split example kernel, really executed and timed: the figures that conventions.md states."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from wavesim.analyze.analysis import analyze
from wavesim.asm.text.parse import parse_program
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.launch.model import Expectation, Launch, LoadedKernel, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import Run
from wavesim.report.json.run import run_json_text
from wavesim.timing import simulate


@cache
def executed(path: Path, inner: int) -> Run:
    program = parse_program(path.read_text(), path.name)
    machine = load_machine(program.arch)
    launch = Launch(
        (
            MatrixArgument("A", "bf16", 128, inner, seed=1),
            MatrixArgument("B", "bf16", 128, inner, seed=2),
            MatrixArgument("C", "f32", 128, 128, "unwritten"),
            ScalarArgument("columns", "i32", 128),
            ScalarArgument("K", "i32", inner),
        ),
        512,
        expect=Expectation("C", "A", "B", tiles={(0, 0, 0): (0, 0, 128, 128)}),
    )
    execution = emulate(program, launch, machine)
    timeline = simulate(execution.trace, machine.parameters)
    numerics = check_numerics(execution, launch)
    kernel = LoadedKernel(program.name, path.name, program, launch)
    analysis = analyze(timeline, machine, launch, numerics)
    return Run(kernel, machine, timeline, numerics, analysis, execution.findings)


@pytest.fixture(params=["gfx942", "gfx950"])
def run(request: pytest.FixtureRequest, shared: Path) -> Run:
    return executed(shared / f"examples/gemm8_asmread.{request.param}.s", 1024)


def test_half_split_bounds(run: Run) -> None:
    bounds = run.analysis.bounds
    assert bounds is not None
    wider = 2 if run.machine.arch == "gfx950" else 1
    assert bounds.mfma == 1024  # 16x16x16 is a half-rate instruction on gfx950
    assert bounds.lds_bytes == 1024 / wider
    assert bounds.lds_service >= bounds.lds_bytes
    assert bounds.global_bytes == 32 * 1024 / 64


def test_every_clock_of_a_real_kernel_has_a_reason(run: Run) -> None:
    for wave in run.analysis.waves:
        assert sum(wave.stalls.values()) == wave.clk == run.timeline.clk_total
        assert set(wave.stalls) <= {*run.analysis.waves[0].stalls} - {"unattributed"}


def test_overlap_shares_and_clocks_agree(run: Run) -> None:
    overlap, loop = run.analysis.overlap, run.analysis.loop
    assert overlap is not None
    assert loop is not None
    assert run.verdict == "unchecked"
    assert overlap.hidden + overlap.exposed == pytest.approx(1)
    total = overlap.hidden_clk_per_iteration + overlap.exposed_clk_per_iteration
    assert total == pytest.approx(overlap.service_clk_per_iteration)
    bounds = run.analysis.bounds
    assert bounds is not None
    assert loop.clk_per_iteration >= max(bounds.named().values())
    busy = bounds.mfma / (run.analysis.steady.clk / run.analysis.steady.iterations)
    assert run.analysis.mfma_busy_share == pytest.approx(busy)


def test_json_of_a_real_run_keeps_its_schema(run: Run, root: Path) -> None:
    schema = json.loads((root / "docs/schema/run.schema.json").read_text())
    jsonschema.validate(json.loads(run_json_text(run)), schema, cls=jsonschema.Draft202012Validator)
