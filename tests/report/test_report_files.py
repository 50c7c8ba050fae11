"""JSON against its published schema, Perfetto and Konata files, and how files are written."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from synthetic_run import ping_pong_run, run_of
from synthetic_timeline import PingPong, Step, Wave, build, entry

from wavesim.errors import SourceSpan, UserError
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.program import Finding, Severity
from wavesim.report.export.konata import konata_parts
from wavesim.report.export.perfetto import perfetto_parts
from wavesim.report.files import write_atomically
from wavesim.report.json.run import run_json, run_json_text
from wavesim.trace import REASON_NAMES, Kind, Timeline

FINDING = Finding("demo", Severity.NOTE, "message", (SourceSpan("k.yaml", 3),), (0,), "fix")
RUNS = {
    "loop": lambda: run_of(PingPong().timeline(), findings=(FINDING,)),
    "no loop": lambda: run_of(build((entry(Kind.SALU),), [Wave([Step(0)])]), ok=False),
    "measured": lambda: run_of(build(PingPong().code, [Wave([Step(0), Step(2)])], measured=True)),
}


@pytest.mark.parametrize("name", RUNS)
def test_json_keeps_its_schema(name: str, root: Path) -> None:
    schema = json.loads((root / "docs/schema/run.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    text = run_json_text(RUNS[name]())
    jsonschema.validate(json.loads(text), schema, cls=jsonschema.Draft202012Validator)
    assert text == run_json_text(RUNS[name]())


def test_the_schema_names_every_reason_and_describes_every_top_level_field(root: Path) -> None:
    schema = json.loads((root / "docs/schema/run.schema.json").read_text())
    stalls = schema["properties"]["waves"]["items"]["properties"]["stalls"]
    assert stalls["required"] == list(REASON_NAMES.values())
    assert set(schema["properties"]) == set(run_json(ping_pong_run()))


def test_perfetto_is_json_with_a_track_per_wave_that_tiles() -> None:
    run = ping_pong_run()
    events = json.loads("".join(perfetto_parts(run.timeline, "toy")))["traceEvents"]
    names = [event for event in events if event["name"] == "thread_name"]
    assert sum("wave" in event["args"]["name"] for event in names) == 8
    assert {event["args"]["name"] for event in names} >= {"mfma 0", "lds_port 1"}
    for position, wave in enumerate(run.timeline.waves):
        slices = [e for e in events if e["ph"] == "X" and e["pid"] == 1 and e["tid"] == position + 1]
        end = wave.first_clk
        for each in slices:
            assert each["ts"] == end
            end += each["dur"]
        assert end == wave.last_clk


def test_konata_starts_and_ends_every_instruction_once() -> None:
    run = ping_pong_run()
    lines = "".join(konata_parts(run.timeline)).splitlines()
    assert lines[0] == "Kanata\t0004"
    kinds = [line.split("\t")[0] for line in lines]
    assert kinds.count("I") == kinds.count("R") == run.analysis.instructions
    clock = sum(int(line.split("\t")[1]) for line in lines if line.startswith("C\t"))
    assert clock == run.timeline.clk_total


@pytest.fixture(scope="module")
def half_split() -> Timeline:
    path = Path(__file__).resolve().parents[2] / "kernels/8wave.yaml"
    return run_kernel(path, RunOptions(settings={"K": "128"})).timeline


def test_perfetto_names_whom_the_engine_blames_and_draws_arrows_from_other_waves(
    half_split: Timeline,
) -> None:
    events = json.loads("".join(perfetto_parts(half_split, "8wave")))["traceEvents"]
    said = [event["args"]["by"] for event in events if event["ph"] == "X" and "by" in event.get("args", {})]
    blamed = sum(int((wave.stall_by_wave >= 0).sum()) for wave in half_split.waves)
    assert len(said) == blamed > 100
    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    assert len(starts) > 100
    assert starts.keys() == ends.keys()
    assert all(isinstance(flow, int) and flow < 2**53 for flow in starts)  # Perfetto refuses others
    slices = {(e["tid"], e["ts"]) for e in events if e["ph"] == "X" and e["pid"] == 1}
    for name, start in starts.items():
        assert (start["tid"], start["ts"]) in slices
        assert start["tid"] != ends[name]["tid"]
        assert start["ts"] <= ends[name]["ts"]


def test_konata_has_an_arrow_from_whom_the_engine_blames(half_split: Timeline) -> None:
    lines = [line.split("\t") for line in "".join(konata_parts(half_split)).splitlines()]
    place = {int(line[1]): (int(line[3]), int(line[2])) for line in lines if line[0] == "I"}  # wave, row
    last = {}
    for position, wave in enumerate(half_split.waves):
        for row, by_wave, by_row in zip(
            wave.stall_row.tolist(), wave.stall_by_wave.tolist(), wave.stall_by_row.tolist(), strict=True
        ):
            last[position, row] = (by_wave, by_row)
    arrows = {place[int(line[1])]: place[int(line[2])] for line in lines if line[0] == "W"}
    assert arrows == {waited: by for waited, by in last.items() if by[0] >= 0}


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")

    def failing() -> object:
        yield "new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomically(path, failing())  # type: ignore[arg-type]
    assert path.read_text() == "old"
    write_atomically(path, ["n", "ew"])
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UserError, match="cannot"):
        write_atomically(tmp_path / "nowhere" / "x", ["text"])
