"""``wavesim explain --trace``: where measured waves stalled, for whom by the replay, and what if not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from json_schemas import validate
from trace_folders import folder_of

from wavesim.cli.main import cli
from wavesim.explanation.measured import MeasuredExplanation, explain_unit
from wavesim.explanation.pace import pace_of
from wavesim.explanation.whatif import WHAT_IFS
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.replays.att.importer import import_trace
from wavesim.report.output import Look
from wavesim.report.text.measured import measured_lines
from wavesim.timing import simulate

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT.parent / "shared" / "traces"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace with the model's own times."""
    run = run_kernel(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "1024"}))
    return folder_of(run.timeline, tmp_path_factory.mktemp("measured") / "trace")


def explained(folder: Path) -> MeasuredExplanation:
    imported = import_trace(folder)
    return explain_unit(imported.units[0], load_machine(imported.machine))


@pytest.fixture(scope="module")
def cube() -> MeasuredExplanation:
    folder = TRACES / "gfx942_gemm_2048cube"
    if not folder.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    return explained(folder)


def test_lines_add_up_to_what_the_trace_shows(cube: MeasuredExplanation) -> None:
    """Each line's clocks, counted here one stall after the other, and the shares of its reasons."""
    timeline, head = cube.replay.measured_timeline, cube.replay.head
    counted: Counter[int] = Counter()
    for trace, timed in zip(timeline.trace.waves, timeline.waves, strict=True):
        heads = [row for row, code in enumerate(trace.code.tolist()) if code == head]
        for row, clk in zip(timed.stall_row.tolist(), timed.stall_clk.tolist(), strict=True):
            if heads[0] <= row < heads[-1]:
                counted[int(trace.code[row])] += clk
    assert cube.lines[0].text.startswith("s_barrier")
    for line in cube.lines:
        assert line.measured_clk * cube.passes == pytest.approx(counted[line.code])
        assert sum(line.by_reason.values()) == pytest.approx(line.measured_clk)
    assert 0.9 < cube.same_place <= 1


def test_culprits_are_those_of_the_replay(cube: MeasuredExplanation) -> None:
    """A wait on LDS is due to a read before it, a barrier to another wave."""
    code = cube.replay.simulated_timeline.trace.code
    for line in cube.lines:
        for culprit in line.culprits:
            opcode = code[culprit.by_code].instruction.opcode
            if line.reason == "lgkmcnt":
                assert opcode.startswith("ds_read")
                assert culprit.wave == culprit.by_wave
            if line.reason == "barrier":
                assert culprit.wave != culprit.by_wave
    assert any(line.culprits for line in cube.lines)


def test_what_ifs_are_of_the_replay_with_measured_latencies(cube: MeasuredExplanation) -> None:
    """A row is what one gets who changes the replayed streams by hand."""
    simulated = cube.replay.simulated_timeline
    base = pace_of(simulated, cube.machine)
    assert base is not None
    assert base.clk == pytest.approx(cube.pace.clk)
    row = next(each for each in WHAT_IFS if each.name == "no_barrier")
    changed = row.change(simulated.trace, cube.machine.parameters)
    assert changed is not None
    found = next(each for each in cube.ladder if each.name == "no_barrier")
    assert found.run_gain_clk == simulated.clk_total - simulate(*changed).clk_total
    assert f"{cube.ladder[0].clk:.0f} in place of {cube.pace.clk:.0f} clk per iteration" in cube.diagnosis


def test_a_trace_without_a_long_loop_is_explained_by_the_whole_run() -> None:
    folder = TRACES / "gfx950_elementwise_copy"
    if not folder.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    found = explained(folder)
    assert not found.pace.per_iteration
    assert found.pace.clk == found.replay.simulated.span_clk
    assert found.passes == found.replay.waves
    assert "clk per iteration" not in found.diagnosis
    assert found.lines[0].reason == "vmem_queue"
    lines = [str(line) for line in measured_lines(found, Look(80, ascii_only=True, color=False))]
    assert 0.5 < found.same_place < 1  # the replay waits where the waves waited, so nothing is warned of
    text = " ".join(" ".join(lines).split())
    assert "of the others the what-ifs tell nothing" not in text
    assert "Waves stalled most for vmem_queue (9" in text


def test_the_command_says_what_is_rated_against_what(simulated: Path) -> None:
    done = CliRunner().invoke(cli, ["explain", "--trace", str(simulated), "--width", "80"])
    text = " ".join(done.output.split())
    assert done.exit_code == 0, done.output
    assert "ost goes to" in text
    assert "of the replay, rated against its own" in text
    assert "stay as measured in every row but memory_latency_0" in text
    assert "Not all is seen" not in text
    assert max(map(len, done.output.splitlines())) <= 80


def test_waves_that_the_trace_leaves_out_are_told(simulated: Path, tmp_path: Path) -> None:
    """occupancy.json lists one wave more, which ran beside the others."""
    folder = tmp_path / "part"
    folder.mkdir()
    for file in simulated.glob("*.json"):
        (folder / file.name).write_bytes(file.read_bytes())
    waves = [json.loads(file.read_text())["wave"] for file in folder.glob("se*.json")]
    events = [
        [wave[key], wave["cu"], wave["simd"], wave["slot"], int(key == "begin"), 0]
        for wave in waves
        for key in ("begin", "end")
    ]
    events += [[1000, 1, 0, 9, 1, 0], [1400, 1, 0, 9, 0, 0]]
    (folder / "occupancy.json").write_text(json.dumps({"0": events}))
    done = CliRunner().invoke(cli, ["explain", "--trace", str(folder), "--json"])
    data = json.loads(done.stdout)
    validate(data, "explain-trace")
    assert data["units"][0]["waves_left_out"] == {"missing": 1, "listed": len(waves) + 1, "beside": 1}
    text = CliRunner().invoke(cli, ["explain", str(folder)]).output  # a folder is taken for a trace
    assert "What those waves took from the others is not in the replay" in " ".join(text.split())
    assert "Not all is seen: se0 cu1: 1 of the" in " ".join(text.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["kernels/8wave.yaml", "--trace", "."], "not both"),
        (["--trace", ".", "--set", "K=1"], "--set and --trace exclude each other"),
        (["--trace", ".", "--lds", "64"], "--lds and --trace exclude each other"),
        (["kernels/8wave.yaml", "--unit", "se0,cu1"], "--unit is for a thread trace"),
        ([], "needs a KERNEL, or --trace"),
    ],
)
def test_what_does_not_go_together(words: list[str], says: str) -> None:
    done = CliRunner().invoke(cli, ["explain", *words])
    assert says in str(done.exception)
