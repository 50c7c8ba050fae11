"""Runs random traces on a library built with sanitizers, whose path is given: they end the process."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import random_traces

from wavesim.timing.compiled import engine, library
from wavesim.timing.compiled.forced import sweep
from wavesim.timing.rules import plain_inputs
from wavesim.trace import Timeline

FORCED_EVERY = 4


def jittered(timeline: Timeline, random: Random) -> Timeline:
    """The timeline seen otherwise than the model has it, later and sooner, some of it out of order."""
    waves = []
    for wave in timeline.waves:
        moves = [4 * random.randrange(-3, 6) if random.random() < 0.1 else 0 for _ in wave.issue_clk]
        if random.random() < 0.8:
            moves = np.cumsum(moves).tolist()
        issue = np.maximum(0, wave.issue_clk + np.array(moves, np.int64))
        waves.append(replace(wave, issue_clk=issue))
    return replace(timeline, waves=tuple(waves), measured=True)


def main() -> None:
    """Traces by seed, every so many of them teacher-forced as well."""
    path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = library.load_from(path)
    assert found[0] is not None, found[1]
    engine.load = lambda: found
    for seed in range(first, last):
        random = Random(seed)
        arch = ("gfx90a", "gfx942", "gfx950")[seed % 3]
        p = random_traces.random_parameters(random, arch)
        trace, p = plain_inputs(random_traces.random_trace(random, arch), p)
        timeline = engine.run(trace, p)
        if timeline.complete and seed % FORCED_EVERY == 0:
            sweep(jittered(timeline, random), trace, p, 1 << 60)
    print("sanitized", last - first)


if __name__ == "__main__":
    main()
