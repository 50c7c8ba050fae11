"""The clock that a trace shows in realtime.json: its mean and its range."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from trace_folders import four_waves, write_folder

from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.realtime import measured_clock


def write(folder: Path, data: object) -> Path:
    (folder / "realtime.json").write_text(json.dumps(data))
    return folder


def test_no_file_no_clock(tmp_path: Path) -> None:
    assert measured_clock(tmp_path) is None


def test_the_mean_is_over_the_whole_trace(tmp_path: Path) -> None:
    """2100 shader clocks in 1 us, then 1900 in the next: 100 ticks of the counter each."""
    data = {"metadata": {}, "SE0": [[1000, 0], [3100, 100], [5000, 200]]}
    clock = measured_clock(write(tmp_path, data))
    assert clock is not None
    assert (clock.ghz, clock.low_ghz, clock.high_ghz) == pytest.approx((2.0, 1.9, 2.1))
    assert str(clock) == "measured, 1.9 to 2.1: realtime.json of the trace"


def test_the_counters_own_frequency(tmp_path: Path) -> None:
    clock = measured_clock(write(tmp_path, {"frequency": 50_000_000, "0": [[0, 0, 0], [2000, 100, 0]]}))
    assert clock is not None
    assert clock.ghz == pytest.approx(1.0)


@pytest.mark.parametrize(
    "data", [{}, {"SE0": []}, {"SE0": [[1, 2]]}, {"SE0": [[5, 1], [4, 2]]}, {"SE0": [[0, 0], [1, 100]]}, [1]]
)
def test_what_gives_no_clock_is_said(tmp_path: Path, data: object) -> None:
    with pytest.raises(UserError, match=r"realtime.json: no shader clock"):
        measured_clock(write(tmp_path, data))
    folder = write(write_folder(tmp_path / "trace", four_waves()), data)
    imported = import_trace(folder, "gfx942")
    assert imported.clock is None
    assert any("no shader clock" in note for note in imported.notes)


def test_trace_info_prints_it(tmp_path: Path) -> None:
    folder = write(write_folder(tmp_path / "trace", four_waves()), {"SE0": [[0, 0], [2100, 100]]})
    said = CliRunner().invoke(cli, ["trace", "info", str(folder), "--arch", "gfx942"], catch_exceptions=False)
    assert "shader clock 2.1 GHz (measured: realtime.json of the trace)" in said.output
