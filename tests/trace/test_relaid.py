"""Streams in another order of their instructions: each executes what it executed, as often as before."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from wavesim.emulate.run import emulate
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.trace import PUT_IN, Trace
from wavesim.trace.relaid import Ways, block_starts


@pytest.fixture(scope="module")
def trace(root: Path) -> Trace:
    kernel, machine = prepare(root / "kernels/8wave.yaml", RunOptions(settings={"K": "192"}))
    return emulate(kernel.program, kernel.launch, machine).trace


def test_rows_found_by_counting_are_those_found_by_sorting(trace: Trace) -> None:
    """Blocks shuffled, with something put in, and something left out that is executed nowhere else."""
    ways, generator = Ways(trace), random.Random(1)
    starts = [*block_starts(trace.program, trace.code), len(trace.program)]
    layout: list[int] = []
    bounds = []
    for start, stop in pairwise(starts):
        bounds.append(len(layout))
        block = [*range(start, max(start + 1, stop - 1)), PUT_IN]
        layout += generator.sample(block, len(block))
    origins, now = np.array(layout), np.array([*bounds, len(layout)])
    found = ways.relaid(origins, now)
    sorted_out = ways._sources(origins, origins[found.place])
    assert np.array_equal(found.source, sorted_out)
    assert (found.source == PUT_IN).any()
    kept = found.source[found.source != PUT_IN]
    code = np.concatenate([wave.code for wave in trace.waves])
    assert np.array_equal(code[kept], origins[found.place][found.source != PUT_IN])


def test_an_instruction_in_a_block_of_other_passes_is_refused(trace: Trace) -> None:
    ways = Ways(trace)
    starts = block_starts(trace.program, trace.code)
    origins = np.arange(len(trace.program))
    origins[[0, starts[1]]] = origins[[starts[1], 0]]
    with pytest.raises(ValueError, match="another number of times"):
        ways.relaid(origins, np.array([*starts, len(trace.program)]))
