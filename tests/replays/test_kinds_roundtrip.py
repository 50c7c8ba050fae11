"""Small kernels of other kinds (kernels/hip), simulated, written as a thread trace, and replayed.

Whatever they execute can be read from a listing and replayed; where the trace shows every return of global
memory, to the clock.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trace_folders import folder_of

from wavesim.asm.tools import MissingTool
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.latencies import derive_latencies
from wavesim.replays.compute_unit import memory_mode, replay

FOLDER = Path(__file__).resolve().parents[2] / "kernels" / "hip"


@pytest.mark.parametrize(
    ("name", "workgroups", "waves"),
    [
        ("attention", 2, 8),
        ("softmax", 32, 32),
        ("rmsnorm_fp8", 8, 32),
        ("quantise_fp4", 8, 32),
        ("moe_gather", 1, 4),
    ],
)
def test_a_simulated_run_is_read_back_as_a_trace(
    tmp_path: Path, name: str, workgroups: int, waves: int
) -> None:
    try:
        run = run_kernel(FOLDER / f"{name}.hip", RunOptions(arch="gfx950", workgroups=workgroups))
        folder = folder_of(run.timeline, tmp_path)
    except MissingTool as missing:
        pytest.skip(str(missing))
    imported = import_trace(folder)
    (unit,) = imported.units
    assert imported.arch == "gfx950"
    assert len(unit.trace.waves) == waves
    (result,) = replay(imported, load_machine("gfx950"), memory_mode("measured"))
    # inferred: in attention what waits for LDS and memory alike were for, in RMS norm what the L1 had
    assert abs(result.error) <= {"attention": 0.01, "rmsnorm_fp8": 0.001}.get(name, 0)
    if name == "rmsnorm_fp8":
        derived = derive_latencies(unit.timeline, load_machine("gfx950").parameters)
        order = derived.order
        rows = zip(order.wave.tolist(), order.row.tolist(), strict=True)
        done = np.array([run.timeline.waves[wave].done_clk[row] for wave, row in rows])
        begin = run.timeline.waves[order.wave[0]].issue_clk[order.row[0]] - order.issue_clk[0]
        loads = order.store_bytes == 0
        assert np.abs(derived.return_clk - (done - begin))[loads].max() <= 20
        assert np.median(np.abs(derived.return_clk - (done - begin))[loads]) <= 4
