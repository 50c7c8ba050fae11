"""JSON against its published schema, Perfetto and Konata files, and how files are written."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from synthetic_run import ping_pong_run, run_of
from synthetic_timeline import PingPong, Step, Wave, build, entry

from wavesim.errors import SourceSpan, UserError
from wavesim.program import Finding, Severity
from wavesim.report.files import write_atomically
from wavesim.report.json_report import run_json, run_json_text
from wavesim.report.konata import konata_parts
from wavesim.report.perfetto import perfetto_parts
from wavesim.trace import REASON_NAMES, Kind

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
