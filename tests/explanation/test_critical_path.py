"""The critical path explains every issue exactly, and no cycle of constraints is longer than the period."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.errors import UserError
from wavesim.explanation.critical_path import CriticalPath, critical_path
from wavesim.explanation.cycle_ratio import maximum_cycle_ratio
from wavesim.pipeline.run import Run, RunOptions, run_kernel

ROOT = Path(__file__).resolve().parents[2]
HIP = ROOT / "kernels/hip/8wave.hip"
LADDER = [*sorted([*ROOT.glob("kernels/*.yaml"), *ROOT.glob("kernels/seed/*.yaml")]), HIP]
DEADLOCKED = {"v1"}
STEPS = {"8wave_256": 30, "8wave_pingpong": 36, "fp8_triple_buffer": 48}
"""Shorter runs of the longest kernels: K steps; their periods come after a few."""


@cache
def explained(path: Path) -> tuple[Run, CriticalPath]:
    settings = {"K": str(64 * STEPS.get(path.stem, 16))}
    if path == HIP:
        try:
            find_compiler("gfx942")
        except MissingTool as error:
            pytest.skip(str(error))
    run = run_kernel(path, RunOptions(settings=settings))
    return run, critical_path(run.timeline, run.machine.parameters)


def ladder() -> list[Path]:
    return [path for path in LADDER if path.stem not in DEADLOCKED]


@pytest.mark.parametrize("path", ladder(), ids=lambda path: path.name)
def test_the_chain_adds_up_to_the_period(path: Path) -> None:
    run, found = explained(path)
    loop = run.analysis.loop
    assert loop is not None
    assert found.period_clk == loop.period_clk
    assert found.period_iterations * loop.unroll == loop.period_iterations  # passes
    assert sum(link.clk for link in found.links) == found.clk == found.periods * found.period_clk
    assert sum(found.by_cause.values()) == found.clk
    per_iteration = found.period_clk / found.period_iterations
    assert sum(found.per_iteration.values()) == pytest.approx(per_iteration)
    for before, after in zip(found.links, found.links[1:], strict=False):
        assert before.event.kind == after.after.kind
        assert before.code == after.after_code
    assert found.links[-1].code == found.links[0].after_code


@pytest.mark.parametrize("path", ladder(), ids=lambda path: path.name)
def test_the_maximum_cycle_ratio_is_the_period(path: Path) -> None:
    _, found = explained(path)
    assert maximum_cycle_ratio(found.graph) == found.period_clk


@pytest.mark.parametrize("path", ladder(), ids=lambda path: path.name)
def test_every_event_keeps_every_edge_and_one_explains_it(path: Path) -> None:
    _, found = explained(path)
    assert min(slack for _, _, slack in found.graph.edges(data="slack")) >= 0
    unexplained = set(found.graph)
    for _, target, data in found.graph.edges(data=True):
        if data["binding"]:
            assert data["slack"] == 0
            unexplained.discard(target)
    assert not unexplained


@pytest.mark.parametrize("path", ladder(), ids=lambda path: path.name)
def test_slack_is_zero_on_the_chain_and_nowhere_negative(path: Path) -> None:
    _, found = explained(path)
    assert min(found.slack_clk.values()) >= 0
    for link in found.links:
        if link.event.kind == "issue":
            assert found.slack_clk[link.event.wave, link.code] == 0


def test_a_stuck_run_has_none() -> None:
    run = run_kernel(ROOT / "kernels/seed/v1.yaml", RunOptions())
    with pytest.raises(UserError, match="did not finish"):
        critical_path(run.timeline, run.machine.parameters)


def test_without_a_loop_the_chain_goes_from_the_start_to_the_end() -> None:
    run = run_kernel(ROOT / "kernels/lessons/one_read.s", RunOptions())
    found = critical_path(run.timeline, run.machine.parameters)
    assert found.periods == 0
    assert found.clk == run.timeline.clk_total == sum(link.clk for link in found.links)


def test_a_loop_that_does_not_repeat_has_the_chain_of_its_stretch() -> None:
    settings = {"K": "512", "WORKGROUPS": "2", "memory.latency_clk": "100"}
    run = run_kernel(ROOT / "kernels/8wave.yaml", RunOptions(settings=settings))
    found = critical_path(run.timeline, run.machine.parameters)
    steady = run.analysis.steady
    if steady.exact:
        pytest.skip("it repeats in this model")
    assert found.periods == 0
    assert found.iterations == steady.iterations
    assert found.clk == steady.clk == sum(link.clk for link in found.links)


def graph_of(*edges: tuple[str, str, int, int]) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    for source, target, clk, iterations in edges:
        graph.add_edge(source, target, clk=clk, iterations=iterations)
    return graph


def test_cycle_ratios_by_hand() -> None:
    two = graph_of(("a", "b", 5, 0), ("b", "a", 2, 1), ("a", "a", 6, 1), ("b", "b", 15, 2))
    assert maximum_cycle_ratio(two) == Fraction(15, 2)
    assert maximum_cycle_ratio(graph_of(("a", "b", 5, 0))) is None
    assert maximum_cycle_ratio(graph_of(("a", "b", 5, -1), ("b", "a", 2, 2))) == 7
    with pytest.raises(ValueError, match="no iteration"):
        maximum_cycle_ratio(graph_of(("a", "b", 5, 0), ("b", "a", 2, 0)))
