"""What measured traces show of workgroups that follow one another is what the model does with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wavesim.isa.load import load_machine
from wavesim.replays.att.importer import import_trace
from wavesim.replays.compute_unit import memory_mode, replay_inputs
from wavesim.replays.slot_frame import in_one_frame
from wavesim.timing import simulate
from wavesim.trace import FOLLOWS, Room

MUL = pytest.param(
    *("mul", 4, 8),
    marks=pytest.mark.xfail(
        reason="2.1 % late since returns that a wait saw are kept: they are told by the order of issue",
        strict=True,
    ),
)


@pytest.mark.parametrize(("kernel", "waves", "together"), [MUL, ("copy", 2, 16)])
def test_followers_take_the_measured_time(shared: Path, kernel: str, waves: int, together: int) -> None:
    """The first workgroups start as measured, the 113 and 241 others when the model has room for them: the
    compute unit's time is what it was, though nobody says any more when they started."""
    imported = import_trace(shared / "traces" / f"gfx950_elementwise_{kernel}")
    machine, unit = load_machine(imported.machine), imported.units[0]
    measured = in_one_frame(unit.timeline, machine.parameters)
    trace, _ = replay_inputs(measured, machine, memory_mode("measured"))
    order = np.argsort([wave.begin_clk for wave in unit.waves], kind="stable")  # waves start one by one
    groups = [
        replace(trace.waves[position], wave=number % waves, workgroup=number // waves)
        for number, position in enumerate(order)
    ]
    followed = tuple(
        replace(wave, start_clk=FOLLOWS) if wave.workgroup >= together else wave for wave in groups
    )
    found = simulate(replace(trace, waves=followed, room=Room(8, 64)), machine.parameters)
    assert found.complete
    assert found.clk_total == pytest.approx(measured.clk_total, rel=0.01)
