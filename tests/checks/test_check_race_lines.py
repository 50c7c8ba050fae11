"""Races of a tile program are told once for each pair of its lines."""

from __future__ import annotations

from pathlib import Path

from wavesim.checks.run import check_kernel
from wavesim.pipeline.run import RunOptions, prepare

KERNELS = Path(__file__).resolve().parents[2] / "kernels"


def test_one_finding_for_each_pair_of_lines() -> None:
    kernel, machine = prepare(KERNELS / "lessons" / "one_barrier.yaml", RunOptions(settings={"K": "256"}))
    races = [each for each in check_kernel(kernel, machine).findings if each.rule == "lds-race"]
    places = [tuple(sorted((span.file, span.line) for span in each.spans)) for each in races]
    assert len(places) == len(set(places)) > 1
    assert all("more pairs of instructions of these two lines" in each.message for each in races)
