"""Replay of a made-up trace: the worst pass, the side-by-side picture, tables, JSON; ratios and misses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from wavesim.isa.load import load_machine
from wavesim.replays.ablation import Ablation, ablate_trace
from wavesim.replays.att.clip import clipped
from wavesim.replays.att.dispatches import sources
from wavesim.replays.att.importer import import_trace
from wavesim.replays.compare import worst_pass
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.replays.mca import McaResult, loop_by_mca, typical_pass
from wavesim.replays.validate import ValidationRow, variant_ratios
from wavesim.report.output import Look
from wavesim.report.text.replay import replay_json, replay_lines, worst_place
from wavesim.report.text.validation import ablation_table, json_rows, misses, page, table
from wavesim.trace import Kind

TRACE = "gfx942_gemm_1024cube"


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(__file__).parents[3] / "shared" / "traces" / TRACE
    if not found.is_dir():
        pytest.skip("no measured traces (../shared/traces)")
    return found


def test_replay_report(folder: Path) -> None:
    imported = import_trace(folder)
    machine = load_machine(imported.arch)
    (result,) = replay(imported, machine, memory_mode("measured"), forced_rows=2000)
    text = "\n".join(replay_lines(result))
    assert "teacher-forced" in text
    data = replay_json(result)
    for name in ("measured", "simulated"):
        keys = {"clk_per_iteration", "p10", "median", "p90", "span_clk", "mfma_busy", "stalls"}
        assert keys <= data[name].keys()
    assert data["memory"] == "measured"
    assert data["error"]["span"] == pytest.approx(
        data["simulated"]["span_clk"] / data["measured"]["span_clk"] - 1, abs=1e-4
    )
    assert all(data["rules"].values())
    assert 0 < data["teacher_forced"]["share"] < 0.5
    assert len(data["lines"]) == 10
    picture = [line.plain for line in worst_place(result, Look(80, ascii_only=True))]
    assert max(map(len, picture)) <= 100
    assert sum(line.startswith("  g0w") for line in picture) == 2 * result.waves
    worst = worst_pass(result.measured_timeline, result.simulated_timeline, result.head)
    assert worst is not None
    same = worst_pass(result.measured_timeline, result.measured_timeline, result.head)
    assert same is not None
    assert same.mean_absolute_error == 0
    passes = typical_pass(result.measured_timeline, result.head or 0)
    assert any(instruction.opcode.startswith("v_mfma") for instruction in passes)


def test_mca_says_why_it_has_no_figure(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    imported = import_trace(folder)
    timeline = imported.units[0].timeline
    assert loop_by_mca(timeline, None, "gfx942") == McaResult(None, "no loop")
    head = next(
        int(code) for code in timeline.trace.waves[0].code if (timeline.trace.waves[0].code == code).sum() > 2
    )
    tool = tmp_path / "llvm-mca"
    monkeypatch.setattr("wavesim.replays.mca.find_tool", lambda name, arch: str(tool))
    for script, expected in (
        ("kill -11 $$", "llvm-mca crashed"),
        ("cat > /dev/null; echo 'bad thing' >&2; exit 1", "llvm-mca: bad thing"),
        ("cat > /dev/null; echo 'Total Cycles:      160'", ""),
    ):
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        found = loop_by_mca(timeline, head, "gfx942")
        assert found.note == expected
    assert found.clk == 40.0


def test_ablation_of_one_rule(folder: Path) -> None:
    errors = ablate_trace(*sources(folder), None, ["endpgm_drain"])
    assert set(errors) == {"", "endpgm_drain"}
    (with_all,), (without,) = errors[""].values(), errors["endpgm_drain"].values()
    assert with_all is not None
    assert without is not None
    assert without < with_all  # the span ends earlier


def test_a_clipped_trace_is_the_beginning(folder: Path) -> None:
    whole = import_trace(folder).units[0]
    most = whole.trace.instruction_count // 2
    (short,) = clipped(import_trace(folder), most).units
    assert 0 < short.trace.instruction_count <= most
    for wave, records, timed in zip(whole.trace.waves, short.trace.waves, short.timeline.waves, strict=True):
        assert (records.code == wave.code[: len(records)]).all()
        assert timed.last_clk == timed.end_clk[-1]
    passed = {
        sum(short.trace.code[code].kind is Kind.BARRIER for code in wave.code.tolist())
        for wave in short.trace.waves
    }
    assert len(passed) == 1  # nobody is left waiting at a barrier
    (result,) = replay(clipped(import_trace(folder), most), load_machine("gfx942"), memory_mode("measured"))
    assert result.simulated.span_clk > 0


def row(name: str, real: float, model: float) -> ValidationRow:
    error = model / real - 1
    return ValidationRow(name, "gfx950", True, real, model, 0.5, 0.5, (error, error, error), 10)


def test_variants_are_told_by_the_number_at_the_end() -> None:
    rows = [row("a_v0", 200.0, 210.0), row("a_v1", 100.0, 220.0), row("b", 1.0, 1.0)]
    (ratio,) = variant_ratios(rows)
    assert (ratio.one, ratio.other, ratio.measured) == ("a_v1", "a_v0", 0.5)
    assert not ratio.same_order
    assert any("wrong one" in line for line in misses(rows))


def test_misses_name_how_far() -> None:
    base = row("a", 100.0, 101.0)
    assert misses([base]) == []
    stalls = replace(
        base, stalls_measured={"barrier": 0.1, "vmcnt": 0.01}, stalls_simulated={"barrier": 0.15}
    )
    assert misses([stalls]) == ["a: barrier stalls +50.0 % (at most 20 %)"]
    assert "MFMA busy +5.0 points" in misses([replace(base, mfma_busy_simulated=0.55)])[0]


def test_tables_of_a_crash_and_of_rules() -> None:
    rows = [replace(row("a", 100.0, 101.0), mca=McaResult(None, "llvm-mca crashed"))]
    assert "crashed" in table(rows)[2]
    ablations = [Ablation("", 0.01, 3, "", 0.0), Ablation("lds_join", 0.02, 3, "a", 0.05)]
    text = "\n".join(ablation_table(ablations))
    assert "| `lds_join` |" in text
    assert "+1.00" in text
    whole = page(rows, "2026-01-01", "wavesim validate X", ablations, "Why: cold code.")
    assert whole.index("## Figures not met") < whole.index("Why: cold code.")
    assert whole.index("## Figures not met") < whole.index("## What each rule is worth")
    assert json.loads(json_rows(rows, ablations))["ablation"][1]["without"] == "lds_join"
