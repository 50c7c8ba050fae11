"""Several dispatches, shader engines and compute units: a table, the slowest and the typical one chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from standin_decoder import record, standin_library
from trace_folders import edit, four_waves, wave_file, wave_rows, write_folder

from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.replays.att.dispatches import Which, open_traces, read_unit, sources


def waves_of(engines: dict[int, int], unit: int = 1) -> dict[tuple[int, int, int, int], dict[str, Any]]:
    """Shader engine -> clocks that its waves stand at their barrier."""
    return {
        (engine, simd, 0, 0): wave_file(100, simd, unit=unit, instructions=wave_rows(100, clk))
        for engine, clk in engines.items()
        for simd in range(4)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As rocprofv3 leaves them: three dispatches, the middle one of two shader engines."""
    for number, engines in ((10, {0: 400}), (2, {0: 100, 1: 200}), (3, {0: 300})):
        write_folder(tmp_path / f"ui_output_agent_7_dispatch_{number}", waves_of(engines))
    return tmp_path


def names(path: Path, which: Which = Which()) -> tuple[str, ...]:  # noqa: B008
    return open_traces(path, "gfx942", None, which).names


def test_the_slowest_and_the_median_are_chosen(folder: Path) -> None:
    """By their spans: 100, 200, 300, 400 clk at the barrier; of four the lower median."""
    found = open_traces(folder, "gfx942", None, Which())
    assert [row.name for row in found.rows] == [
        "dispatch 2, se0 cu1",
        "dispatch 2, se1 cu1",
        "dispatch 3, se0 cu1",
        "dispatch 10, se0 cu1",
    ]
    assert found.names == ("dispatch 10, se0 cu1", "dispatch 2, se1 cu1")
    assert [unit.name for trace in found.chosen for unit in trace.units] == ["se0 cu1", "se1 cu1"]
    spans = [trace.units[0].timeline.clk_total for trace in found.chosen]
    assert spans == [found.slowest.figures.span_clk, found.typical.figures.span_clk]
    assert spans[0] - spans[1] == 2 * (400 - 200)


def test_one_can_be_chosen(folder: Path) -> None:
    assert names(folder, Which(dispatch=3)) == ("dispatch 3, se0 cu1",)
    assert names(folder, Which(unit=(1, 1))) == ("dispatch 2, se1 cu1",)
    assert names(folder, Which(dispatch=2)) == ("dispatch 2, se1 cu1", "dispatch 2, se0 cu1")
    assert names(folder / "ui_output_agent_7_dispatch_3") == ("dispatch 3, se0 cu1",)
    assert read_unit("SE1, cu 12") == (1, 12)
    with pytest.raises(UserError, match="no compute unit"):
        read_unit("cu1")
    with pytest.raises(UserError, match="no dispatch 4") as told:
        names(folder, Which(dispatch=4))
    assert told.value.hint == "there are 2, 3, 10"
    with pytest.raises(UserError, match="no compute unit se0,cu3") as told:
        names(folder, Which(dispatch=2, unit=(0, 3)))
    assert told.value.hint == "there are se0 cu1, se1 cu1"
    with pytest.raises(UserError, match="no compute unit se0,cu3") as told:  # of all the dispatches
        names(folder, Which(unit=(0, 3)))
    assert told.value.hint == "there are se0 cu1, se1 cu1"
    assert [each.name for each in sources(folder, Which(dispatch=3))] == ["ui_output_agent_7_dispatch_3"]
    with pytest.raises(UserError, match="no compute unit se0,cu3"):
        sources(folder, Which(dispatch=2, unit=(0, 3)))[0].imported()


def test_units_of_one_file_set(tmp_path: Path) -> None:
    """A shader engine may hold two traced compute units."""
    waves = four_waves() | {
        (0, simd, 1, 0): wave_file(100, simd, 1, 5, instructions=wave_rows(100, 900)) for simd in range(4)
    }
    found = open_traces(write_folder(tmp_path / "trace", waves), "gfx942", None, Which())
    assert found.names == ("se0 cu5", "se0 cu1")


def test_other_kernels_are_not_compared(folder: Path) -> None:
    """The kernel with most clocks counts; the table shows all."""
    other = folder / "ui_output_agent_7_dispatch_10"
    code = json.loads((other / "code.json").read_text())["code"]
    edit(other / "code.json", code=[["; kernel_b", *code[0][1:]], *code[1:]])
    found = open_traces(folder, "gfx942", None, Which())
    assert len(found.rows) == 4
    assert found.names == ("dispatch 3, se0 cu1", "dispatch 2, se1 cu1")


def test_the_table_names_them(folder: Path) -> None:
    text = CliRunner().invoke(cli, ["trace", "info", str(folder), "--arch", "gfx942"]).output
    assert "3 dispatches, 4 compute units in all" in text
    assert "kernel_a  <- slowest" in text.split("dispatch 10, se0 cu1")[0]
    assert "== dispatch 2, se1 cu1" in text
    for command in (["replay"], ["explain", "--trace"]):
        done = CliRunner().invoke(cli, [*command, str(folder), "--arch", "gfx942", "--unit", "se0,cu1"])
        assert done.exit_code == 0, done.output
        assert (
            "chosen: the slowest, dispatch 10, se0 cu1; the typical (median) one, dispatch 3" in done.output
        )


def test_raw_dispatches_are_a_table_too(tmp_path: Path) -> None:
    """.att files of two dispatches and two shader engines, by the stand-in decoder."""
    raw = tmp_path / "raw"
    for number, clk in ((1, 100), (4, 500)):
        made = write_folder(tmp_path / f"made{number}", waves_of({0: clk, 1: clk + 60}))
        record(made, raw, number)
    found = open_traces(raw, "auto", None, Which(decoder=str(standin_library())))
    assert [row.name for row in found.rows] == [
        f"dispatch {number}, se{engine} cu1" for number in (1, 4) for engine in (0, 1)
    ]
    assert found.names == ("dispatch 4, se1 cu1", "dispatch 1, se1 cu1")
