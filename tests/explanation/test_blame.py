"""Who is to blame: edges of the critical path are what the engine recorded, without a guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wavesim.explanation.constraints import Constraints
from wavesim.explanation.events import Event, Events
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.trace import Reason, Timeline

ROOT = Path(__file__).resolve().parents[2]
KERNELS = (
    ("8wave", "gfx950", 512),  # vector turns
    ("8wave", "gfx942", 512),
    ("8wave_pingpong", "gfx950", 512),
    ("fp8_triple_buffer", "gfx950", 512),
)


def timed(name: str, arch: str, depth: int) -> tuple[Timeline, TimingParameters]:
    options = RunOptions(arch=arch, settings={"K": str(depth)})
    run = run_kernel(ROOT / f"kernels/{name}.yaml", options)
    return run.timeline, run.machine.parameters


@pytest.mark.parametrize(("name", "arch", "depth"), KERNELS)
def test_every_wait_is_bound_to_whoever_is_to_blame(name: str, arch: str, depth: int) -> None:
    timeline, parameters = timed(name, arch, depth)
    constraints = Constraints(Events(timeline, parameters))
    seen = set()
    for position, wave in enumerate(timeline.waves):
        culprit = {}  # of the last stall of each row
        for row, reason, clk, by_wave, by_row in zip(
            wave.stall_row.tolist(),
            wave.stall_reason.tolist(),
            wave.stall_clk.tolist(),
            wave.stall_by_wave.tolist(),
            wave.stall_by_row.tolist(),
            strict=True,
        ):
            if clk:
                culprit[row] = (Reason(reason), by_wave, by_row)
        for row, (reason, by_wave, by_row) in culprit.items():
            if by_wave < 0:
                assert reason not in (Reason.ARBITRATION, Reason.PORT, Reason.MATRIX_PIPE)
                continue
            _, edge = constraints.into(Event("issue", position, row))
            assert edge is not None
            assert (edge.source.wave, edge.source.row) == (by_wave, by_row), (reason, position, row)
            seen.add(reason)
    assert {Reason.ARBITRATION, Reason.PORT, Reason.MATRIX_PIPE, Reason.BARRIER} <= seen


def test_without_a_record_nobody_is_blamed() -> None:
    """As in a measured timeline: the wave's own order explains the wait."""
    timeline, parameters = timed("8wave", "gfx942", 256)
    none = np.zeros(0, np.int32)
    waves = tuple(replace(wave, stall_by_wave=none, stall_by_row=none) for wave in timeline.waves)
    events = Events(replace(timeline, waves=waves), parameters)
    constraints = Constraints(events)
    lost = 0
    for wave, reasons in enumerate(events.last_reason):
        for row, reason in reasons.items():
            if reason == Reason.ARBITRATION:
                _, edge = constraints.into(Event("issue", wave, row))
                assert edge is not None
                assert edge.source == Event("issue", wave, row - 1)
                lost += 1
    assert lost
