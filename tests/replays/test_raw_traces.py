"""Raw traces by a stand-in decoder: .att files, code objects, rocpd; figures are those of the decoded folder.

AMD's library was never run here. What is shown is that its interface is called as its headers say.
"""

from __future__ import annotations

import ctypes
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from standin_decoder import record, standin_library, write_database, write_results
from trace_folders import folder_of

from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.replays.att import decoder as module
from wavesim.replays.att.decoder import INSTRUCTION, OCCUPANCY, REALTIME, VARIABLE, Pc, Wave
from wavesim.replays.att.dispatches import Which, open_traces
from wavesim.replays.att.imported import ImportedTrace
from wavesim.replays.att.importer import import_trace
from wavesim.replays.compare import main_loop, side
from wavesim.replays.compute_unit import memory_mode, replay

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT.parent / "shared" / "traces"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the viewer with the model's own times."""
    run = run_kernel(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "1024"}))
    return folder_of(run.timeline, tmp_path_factory.mktemp("raw") / "trace")


@pytest.fixture(scope="module")
def raw(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(simulated, tmp_path_factory.mktemp("raw") / "left")


def opened(path: Path) -> ImportedTrace:
    (trace,) = open_traces(path, "auto", None, Which(decoder=str(standin_library()))).chosen
    return trace


def invoke(*words: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, words), "--decoder", str(standin_library())])


def same_figures(one: ImportedTrace, other: ImportedTrace) -> None:
    """All that is measured, and the replay with it."""
    assert one.arch == other.arch
    parameters = load_machine(one.arch).parameters
    for left, right in zip(one.units, other.units, strict=True):
        assert left.name == right.name
        heads = [main_loop(unit.timeline) for unit in (left, right)]
        assert side(left.timeline, heads[0], parameters) == side(right.timeline, heads[1], parameters)
        for mine, theirs in zip(left.timeline.waves, right.timeline.waves, strict=True):
            assert np.array_equal(mine.issue_clk, theirs.issue_clk)
            assert np.array_equal(mine.end_clk, theirs.end_clk)
        assert left.left_out == right.left_out
    machine = load_machine(one.machine)
    results = [replay(each, machine, memory_mode("measured")) for each in (one, other)]
    for mine_, theirs_ in zip(*results, strict=True):
        assert mine_.simulated == theirs_.simulated
        assert mine_.error == theirs_.error


def test_the_layouts_are_those_of_the_headers() -> None:
    """Sizes and places by hand, from trace_decoder_types.h on x86-64."""
    assert ctypes.sizeof(Pc) == 16
    assert ctypes.sizeof(Wave) == 64
    assert (Wave.begin_time.offset, Wave.instructions_size.offset, Wave.instructions_array.offset) == (
        16,
        40,
        56,
    )
    assert (INSTRUCTION.itemsize, OCCUPANCY.itemsize, REALTIME.itemsize) == (32, 32, 24)
    assert [OCCUPANCY.fields[name][1] for name in ("time", "cu", "start")] == [16, 25, 28]  # type: ignore[index]


@pytest.mark.parametrize("name", ["gfx942_gemm_2048cube", "gfx942_gemm_1024cube", "gfx950_fill"])
def test_a_measured_trace_has_the_same_figures_either_way(name: str, tmp_path: Path) -> None:
    if not (TRACES / name).is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    left = record(TRACES / name, tmp_path / "left")
    same_figures(opened(left), import_trace(TRACES / name))


def test_commands_take_what_rocprofv3_left(raw: Path, simulated: Path) -> None:
    told = json.loads(invoke("trace", "info", raw, "--json").stdout)
    decoded = json.loads(CliRunner().invoke(cli, ["trace", "info", str(simulated), "--json"]).stdout)
    for key in ("clk_per_iteration", "span_clk", "stalls", "mix", "mfma_busy"):
        assert told["units"][0][key] == decoded["units"][0][key]
    assert told["format"] == "raw"
    assert "decoded by libstandin-trace-decoder.so" in told["notes"]
    assert "clk per iteration" in invoke("explain", "--trace", raw).stdout
    assert invoke("replay", raw, "--tolerance", 0.02).exit_code == 0
    assert "measured" in invoke("predict", raw).stdout
    assert ".amdhsa_kernel" in invoke("trace", "listing", raw).stdout


def test_commands_on_many_traces_take_what_rocprofv3_left(raw: Path, simulated: Path, tmp_path: Path) -> None:
    """One folder of each kind: their figures are the same, and each goes by its folder's name."""
    folder = tmp_path / "traces"
    folder.mkdir()
    (folder / "decoded").symlink_to(simulated)
    (folder / "raw").symlink_to(raw)
    told = invoke("validate", folder, "--processes", 1, "--json").stdout
    decoded, undecoded = json.loads(told)["traces"]
    assert (decoded.pop("trace"), undecoded.pop("trace")) == ("decoded", "raw")
    assert decoded == undecoded
    page = tmp_path / "page.html"
    assert "2 timelines" in invoke("report", raw, "-o", page).stdout
    estimated = json.loads(invoke("calibrate", "--trace", raw, "--json").stdout)
    assert estimated["traces"] == [raw.name]
    done = invoke("report", "kernels/8wave.yaml", "-o", page)
    assert done.exit_code == 1
    assert "--decoder is for a thread trace" in str(done.exception)


@pytest.mark.parametrize("says", ["results", "database"])
def test_addresses_in_memory_are_found_by_where_code_was_loaded(
    says: str, simulated: Path, tmp_path: Path
) -> None:
    """A decoder that has no code object gives plain addresses."""
    left = record(simulated, tmp_path / "left", loaded_at=0x7F0000000000)
    if says == "results":
        write_results(left, 0x7F0000000000)
        same_figures(opened(left), import_trace(simulated))
        return
    database = write_database(left / "42_results.db", 0x7F0000000000, "gemm")
    found = opened(database)
    same_figures(found, import_trace(simulated))
    assert "dispatch 1 of gemm, the database says" in found.notes


def test_lost_records_are_told(simulated: Path, tmp_path: Path) -> None:
    trace = opened(record(simulated, tmp_path / "left", lost=5))
    assert "se0_sm0_sl0_wv0 tells of 5 instructions without code" in trace.notes
    assert any("the decoder says: stand-in: data lost" in note for note in trace.notes)


def test_without_the_library_it_says_what_to_install(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(module, "PLACES", ())
    monkeypatch.setattr(module, "LIBRARY", "libnowhere-trace-decoder.so")
    for command in (["trace", "info"], ["replay"], ["predict"], ["explain", "--trace"]):
        done = CliRunner().invoke(cli, [*command, str(raw)])
        assert isinstance(done.exception, UserError)
        assert done.exception.exit_code == 2
        assert "needs AMD's trace decoder" in str(done.exception)
        assert "--decoder FILE" in str(done.exception)
        assert VARIABLE in str(done.exception)
    monkeypatch.setenv(VARIABLE, str(raw))
    with pytest.raises(UserError, match=f"{VARIABLE}.*no such file"):
        open_traces(raw, "auto", None, Which())


def test_what_is_unusable_is_refused_by_name(raw: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(raw, broken)
    att = broken / "42_shader_engine_0_1.att"
    att.write_bytes(b"no trace at all, though long enough")
    with pytest.raises(UserError, match=r"42_shader_engine_0_1\.att.*stand-in: invalid shader data"):
        opened(broken)
    shutil.copy(raw / att.name, att)
    (code,) = broken.glob("*.out")
    code.write_bytes(b"\x7fELF")
    with pytest.raises(UserError, match=r"code_object_id_3\.out"):
        opened(broken)
    code.unlink()
    with pytest.raises(UserError, match="has no code objects"):
        opened(broken)
    (broken / "42_results.db").write_bytes(b"not SQLite, whatever its name says it is, at some length")
    with pytest.raises(UserError, match=r"42_results\.db.*no rocpd database"):
        opened(broken)
    other = tmp_path / "other.so"
    other.write_bytes(b"")
    with pytest.raises(UserError, match="needs AMD's trace decoder"):
        open_traces(raw, "auto", None, Which(decoder=str(other)))
