"""GLUON's tiles: a published table of MFMA efficiencies, from the kernel's loop, launch and device."""

from __future__ import annotations

from pathlib import Path

import pytest
from gluon_loop import LAUNCH, tile

from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import Run, RunOptions, run_kernel

MEASURED = {
    (256, 256): 96,
    (256, 128): 83,
    (128, 256): 84,
    (128, 128): 69,
    (256, 64): 55,
    (64, 256): 57,
    (128, 64): 47,
    (64, 128): 47,
}


def predicted(folder: Path, rows: int, cols: int) -> Run:
    path, launch = folder / "tile.s", folder / "tile.launch.yaml"
    path.write_text(tile(rows, cols))
    launch.write_text(LAUNCH.format(m=16 * rows, n=16 * cols))
    asked = RunOptions(arch="MI355X", numbers=False, launch=LaunchOptions(file=str(launch)))
    return run_kernel(path, asked)


@pytest.mark.parametrize(("rows", "cols"), MEASURED)
def test_efficiency_of_a_tile(rows: int, cols: int, tmp_path: Path) -> None:
    """MFMA efficiency in the loop, %, within 5 points of GLUON's measurements at K = 8192: 256 workgroups, of
    which each XCD has 4 x 8. Nothing was fitted to them: the L2's rate and the Infinity Cache's are of other
    benchmarks, and the order of the instructions is the tutorial's."""
    run = predicted(tmp_path, rows, cols)
    assert run.analysis.loop is not None
    assert run.analysis.bounds is not None
    mfma = run.analysis.bounds.named()["mfma"] / run.analysis.loop.clk_per_iteration
    assert abs(100 * mfma - MEASURED[rows, cols]) <= 5
    assert run.analysis.bounds.binding == ("mfma" if rows == cols == 256 else "l2")


def test_what_the_tiles_ask_of_an_xcds_l2(tmp_path: Path) -> None:
    """Of 256 workgroups of 256x256 an XCD has 4 x 8: 12 strips of 256 rows, 128 lines long. GLUON's counters
    say 4.1 million requests beyond all 8 L2 caches of 16.8 million, 1.3 times the least."""
    memory = predicted(tmp_path, 256, 256).memory
    assert memory is not None
    loads = [each for each in memory.prediction.sharing.loads.values() if each.passes > 1]
    asked, beyond = (sum(each.passes * getattr(each, name) for each in loads) for name in ("own", "xcds"))
    assert asked * 256 * 128 / 126 == 16_777_216
    assert beyond * 128 / 126 == 12 * 256 * 128 * 8
