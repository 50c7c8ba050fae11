"""Every command's --json is what its published schema (docs/schema) says, and no command is without one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from json_schemas import SCHEMAS, schema, validate
from jsonschema import Draft202012Validator
from trace_folders import folder_of

from wavesim.asm.printer import print_program
from wavesim.cli.main import COMMANDS, cli
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.report.json.schemas import VERSIONS, schema_file

ROOT = Path(__file__).resolve().parents[2]
WAVE8 = "kernels/8wave.yaml --set K=256"
SMALL = f"--kernel {WAVE8} --set M=256 --set N=256"

CASES: dict[str, list[tuple[str, str]]] = {
    "run": [
        ("run", WAVE8),
        ("run", f"{WAVE8} --arch MI325X"),
        ("run", "kernels/wrong/barrier-deadlock.s"),
        ("run", "kernels/wrong/lds-race.s"),
        ("run", "kernels/lessons/strong_wait.s --allow-unknown --region hottest"),
    ],
    "check": [
        ("check", "kernels/seed/v0.yaml"),
        ("check", "kernels/wrong/mfma-hazard.s kernels/wrong/suppression.s"),
        ("check", "kernels/lessons/strong_wait.s --region hottest"),
    ],
    "compare": [
        ("compare", "kernels/4wave.yaml kernels/8wave.yaml --set K=256"),
        ("compare", "kernels/8wave.yaml --set K=256 --against STORED"),
    ],
    "explain": [
        ("explain", "kernels/lessons/strong_wait.s"),
        ("explain", f"{WAVE8} --processes 1"),
        ("explain-trace", "--trace TRACE --processes 1"),
    ],
    "tune": [("tune", f"{WAVE8} --candidates 2")],
    "swizzle": [
        ("swizzle", "--tile 64x64 --type f16 --read mfma16x16x16 --write b64"),
        ("swizzle", "--tile 64x64 --type bf16 --read mfma16x16x32 --write b128 --waves 2"),
    ],
    "loops": [("loops", WAVE8)],
    "lower": [("lower", WAVE8), ("lower", "kernels/wrong/lds-race.s")],
    "compile": [("compile", "kernels/hip/8wave.hip")],
    "launch": [("launch", "kernels/triton/matmul_gfx942.s"), ("launch", "kernels/hip/8wave.hip")],
    "sweep": [("sweep", "SWEEP --processes 1")],
    "report": [("report", f"{WAVE8} TRACE -o PAGE")],
    "isa list": [("isa-list", "")],
    "isa show": [("isa-show", "gfx942"), ("isa-show", "MI355X lds")],
    "isa explain": [
        ("isa-explain", "gfx950 lds.read_latency"),
        ("isa-explain", "gfx942 v_mfma_f32_32x32x8_bf16"),
        ("isa-explain", "gfx942 ds_read_b64"),
    ],
    "isa rules": [("isa-rules", "")],
    "isa coverage": [("isa-coverage", "")],
    "explain-word": [("explain-word", ""), ("explain-word", "lgkmcnt")],
    "trace info": [("trace", "TRACE")],
    "trace listing": [("trace-listing", "TRACE")],
    "replay": [("replay", "TRACE"), ("replay", "TRACE --teacher-forced --memory model")],
    "predict": [("predict", "TRACE --launch LAUNCH --arch MI325X"), ("predict", "TRACE")],
    "validate": [
        ("validate", "TRACES --processes 1"),
        ("prediction-study", "TRACES --predict LAUNCHES --arch MI325X --processes 1"),
    ],
    "calibrate": [
        ("calibrate", "--virtual gfx942 --repeats 3 --only nop --only lds_read_latency_b64 --no-kernel"),
        (
            "calibrate",
            f"--virtual gfx942 --repeats 3 --only nop --tolerance 2 {SMALL}",
        ),
        ("calibrate", "--virtual gfx942 --repeats 3 --only chip_clock --no-kernel"),
        ("calibrate-traces", "--trace TRACE"),
    ],
}
"""Command -> schemas with arguments that show what its reports may have; the places are of a fixture."""

ELSEWHERE = {"trace capture": "trace-capture", "triton": "triton"}
"""Commands whose reports are held to their schemas where the stand-ins for what they need are."""

WITHOUT = {"lesson", "mcp"}
"""Commands that are no report: a dialogue and a server."""

SWEEP = """\
kernels: [kernels/8wave.yaml, kernels/4wave.yaml]
set: {K: [256, 300]}
figures: [clk_per_iteration, binding]
"""

LAUNCH = """\
workgroup: 512
constants: {M: 8192, N: 8192, K: 1024}
grid: [64, 64]
arguments: {A: "bf16[M,K]:random", B: "bf16[N,K]:random", C: "f32[M,N]:unwritten"}
lds: 65536
"""


def commands(group: Mapping[str, click.Command], before: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands by their whole names."""
    for name, command in group.items():
        if isinstance(command, click.Group):
            yield from commands(command.commands, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def all_commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    top = {name: command for name in COMMANDS if (command := cli.get_command(context, name)) is not None}
    return dict(commands(top))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A trace with the model's own times, its launch, folders of both, and a stored report."""
    place = tmp_path_factory.mktemp("schemas")
    lowered = run_kernel(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "1024"}))
    (place / "kernel.s").write_text(print_program(lowered.kernel.program))
    launch = place / "launches" / "trace.launch.yaml"
    launch.parent.mkdir()
    launch.write_text(LAUNCH)
    run = run_kernel(place / "kernel.s", RunOptions(launch=LaunchOptions(file=str(launch)), memory="cold"))
    folder_of(run.timeline, place / "traces" / "trace")
    stored = place / "stored.json"
    report("run", f"{WAVE8}", {}, stored)
    sweep = place / "sweep.yaml"
    sweep.write_text(SWEEP)
    return {
        "TRACES": str(place / "traces"),
        "TRACE": str(place / "traces" / "trace"),
        "LAUNCHES": str(launch.parent),
        "LAUNCH": str(launch),
        "STORED": str(stored),
        "SWEEP": str(sweep),
        "PAGE": str(place / "page.html"),
    }


def report(command: str, arguments: str, places: Mapping[str, str], file: Path | None = None) -> Any:
    words = [places.get(word, word) for word in arguments.split()]
    output = "-" if file is None else str(file)
    done = CliRunner().invoke(cli, [*command.split(), *words, f"--json={output}"], catch_exceptions=False)
    return json.loads(done.stdout) if file is None else None


def test_every_command_has_json_and_is_tried() -> None:
    known = all_commands()
    having = {name for name, each in known.items() if any("--json" in option.opts for option in each.params)}
    assert having == set(known) - WITHOUT
    assert having == set(CASES) | set(ELSEWHERE)


def test_every_schema_is_one_that_a_command_writes_and_stands_on_the_page() -> None:
    named = {name for cases in CASES.values() for name, _ in cases} | set(ELSEWHERE.values())
    assert named == set(VERSIONS)
    assert {path.name for path in SCHEMAS.glob("*.json")} == set(map(schema_file, VERSIONS))
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    row = r"^\| `wavesim ([^`]*)`[^|]*\| \[`([\w-]+)`\]\(schema/([\w.-]+)\) \| (\d+) \|"
    rows = re.findall(row, page, re.MULTILINE)
    assert {(name, file, int(version)) for _, name, file, version in rows} == {
        (name, schema_file(name), version) for name, version in VERSIONS.items()
    }
    assert {command.split(" --")[0] for command, *_ in rows} == set(CASES) | set(ELSEWHERE)


@pytest.mark.parametrize("name", VERSIONS)
def test_a_schema_is_one_and_states_its_version(name: str) -> None:
    found = schema(name)
    Draft202012Validator.check_schema(found)
    heads = found.get("anyOf", [found])
    assert {each["properties"]["schema"]["const"] for each in heads} == {schema_file(name)}
    assert {each["properties"]["schema_version"]["const"] for each in heads} == {VERSIONS[name]}
    assert all(each["additionalProperties"] is False for each in heads)
    assert found["description"]


@pytest.mark.parametrize(
    ("command", "name", "arguments"),
    [(command, name, arguments) for command, cases in CASES.items() for name, arguments in cases],
)
def test_a_report_is_what_its_schema_says(
    command: str, name: str, arguments: str, places: dict[str, str]
) -> None:
    validate(report(command, arguments, places), name)
