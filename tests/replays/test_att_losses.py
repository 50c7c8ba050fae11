"""What a trace does not hold: lost records, waves left out, accesses of global memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trace_folders import code_rows, edit, four_waves, wave_file, wave_rows, write_folder

from wavesim.isa.load import load_machine
from wavesim.replays.att.dispatches import sources
from wavesim.replays.att.folder import CLOCK, CODE_ID
from wavesim.replays.att.importer import import_trace
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.replays.validate import validate_trace
from wavesim.report.page import replay_panels
from wavesim.report.text import validation
from wavesim.report.text.replay import replay_json, replay_lines
from wavesim.trace import Reason


def replayed(folder: Path, memory: str = "measured") -> Any:
    imported = import_trace(folder)
    return replay(imported, load_machine(imported.arch), memory_mode(memory))[0]


@pytest.mark.parametrize("memory", ["measured", "shifted:1", "model", "model:16MiB"])
def test_a_trace_without_global_memory_replays(tmp_path: Path, memory: str) -> None:
    result = replayed(write_folder(tmp_path / "t", four_waves()), memory)
    assert result.instructions == 4 * 11
    assert result.exact_latencies == 0


def lossy(tmp_path: Path, gone: slice, **fields: Any) -> Path:
    """Four waves; the second one has lost some of its eleven records."""
    waves = four_waves()
    rows = wave_rows(104)
    del rows[gone]
    waves[0, 1, 0, 0] = wave_file(104, 1, instructions=rows, **fields)
    return write_folder(tmp_path / "t", waves)


@pytest.mark.parametrize(
    ("gone", "after", "words"),
    [
        # rows: s_mov, v_mov, then twice s_barrier, s_sub, s_cmp, s_cbranch; s_endpgm
        (slice(3, 4), 3, "code id 3, `s_barrier`, clk 112): at least 1, in 12 clk"),
        (slice(4, 6), 4, "code id 4, `s_sub_i32 s0, s0, 1`, clk 120): at least 2"),
        (slice(6, 8), 6, "code id 6, `s_cbranch_scc1 L_1008`, clk 128): at least 2"),
        (slice(1, 2), 1, "at least 1"),
        (slice(3, 9), 3, "`s_barrier`, clk 112): at least 2"),
    ],
)
def test_lost_records_are_told_with_place_and_number(
    tmp_path: Path, gone: slice, after: int, words: str
) -> None:
    imported = import_trace(lossy(tmp_path, gone))
    (note,) = [note for note in imported.notes if "lost" in note]
    assert note.startswith(f"se0_sm1_sl0_wv0.json: records are lost after its instruction {after} of ")
    assert words in note
    unit = imported.units[0]
    wave = next(wave for wave in unit.trace.waves if wave.simd == 1)
    assert len(wave) <= after
    assert note in unit.trace.notes
    assert replayed(imported.folder.path).instructions > 0


def test_the_gap_is_booked_as_nothing(tmp_path: Path) -> None:
    """Where the record after a branch was lost, the time up to the next one was taken for the branch's."""
    whole = import_trace(write_folder(tmp_path / "whole", four_waves())).units[0].timeline
    cut = import_trace(lossy(tmp_path, slice(7, 9))).units[0].timeline

    def branch_clk(timeline: Any) -> list[int]:
        is_branch = [wave.stall_reason == int(Reason.BRANCH) for wave in timeline.waves]
        return [int(wave.stall_clk[mask].sum()) for wave, mask in zip(timeline.waves, is_branch, strict=True)]

    assert all(one <= other for one, other in zip(branch_clk(cut), branch_clk(whole), strict=True))


def test_a_whole_pass_that_is_lost_is_noticed_by_its_time(tmp_path: Path) -> None:
    """Eight passes of 52 instructions each and 400 clk; the fourth is missing from one wave."""
    texts = ["; k", *["v_add_u32_e32 v0, v1, v2"] * 50, "s_cbranch_scc1 65485", "s_endpgm"]
    rows, clk = [], 1000
    for _ in range(8):
        for code in range(1, 52):
            rows.append([clk, 1, 0, 4, code])
            clk += 8
        clk += 16
    rows.append([clk, 11, 0, 40, 52])
    lost = rows[: 3 * 51] + rows[4 * 51 :]
    root = write_folder(
        tmp_path / "t",
        {
            (0, 0, 0, 0): wave_file(1000, instructions=rows),
            (0, 1, 0, 0): wave_file(1000, 1, instructions=lost),
        },
    )
    edit(root / "code.json", code=code_rows(texts))
    (note,) = [note for note in import_trace(root).notes if "lost" in note]
    assert note.startswith("se0_sm1_sl0_wv0.json: records are lost after its instruction 153 of 358")
    assert "at least 51, in 448 clk" in note


def test_lost_ends_and_counts_that_do_not_agree(tmp_path: Path) -> None:
    notes = import_trace(
        lossy(
            tmp_path,
            slice(9, 11),
        )
    ).notes
    assert "1 of 4 waves end without their s_endpgm: the trace breaks off" in notes
    root = write_folder(tmp_path / "other", four_waves())
    edit(root / "se0_sm2_sl0_wv0.json", num_insts=30)
    assert any("sm2" in note and "19 instructions more" in note for note in import_trace(root).notes)


def test_jumps_to_a_register_and_targets_outside_are_no_losses(tmp_path: Path) -> None:
    texts = ["; k", "s_getpc_b64 s[2:3]", "s_setpc_b64 s[2:3]", "s_nop 0", "s_cbranch_scc1 512", "s_endpgm"]
    rows = [[100 + 8 * at, 2, 0, 4, code] for at, code in enumerate((1, 2, 4, 5))]
    root = write_folder(tmp_path / "t", {(0, 0, 0, 0): wave_file(100, instructions=rows)})
    edit(root / "code.json", code=code_rows(texts))
    assert not [note for note in import_trace(root).notes if "lost" in note]


def test_waves_left_out_are_counted(tmp_path: Path) -> None:
    """Both forms of occupancy.json: rows, and numbers with the clock in units of 8."""
    root = write_folder(tmp_path / "t", four_waves())
    begun = [[100 + 4 * simd, 1, simd, 0, 1, 1] for simd in range(4)]
    ended = [[300, 1, simd, 0, 0, 1] for simd in range(4)]
    beside = [[200, 1, 0, 1, 1, 1], [400, 1, 0, 1, 0, 1]]
    later = [[5000, 1, 2, 0, 1, 1]]
    elsewhere = [[100, 2, 0, 0, 1, 1]]
    for events, words in (
        (begun + ended + elsewhere, None),
        (begun + ended + later, "1 of the 5 waves that occupancy.json lists are not in the trace, none"),
        (
            begun + ended + beside,
            "1 of the 5 waves that occupancy.json lists are not in the trace; 1 of",
        ),
    ):
        packed = [
            (clk // 8) << 23 | unit << 19 | start << 18 | slot << 14 | simd << 12 | kernel
            for clk, unit, simd, slot, start, kernel in events
        ]
        for form in (events, packed):
            (root / "occupancy.json").write_text(json.dumps({"0": form, "version": "3.0.0"}))
            notes = [note for note in import_trace(root).notes if "occupancy" in note]
            assert [words in note for note in notes] == ([True] if words else []), notes
    for content in ("{", "[]", '{"0": {"a": 1}}', '{"0": [null, "x", [1, 2], true]}'):
        (root / "occupancy.json").write_text(content)
        import_trace(root)


@pytest.mark.parametrize(("begin_clk", "mark"), [(200, "*"), (5000, "")])
def test_figures_of_a_trace_without_some_waves_are_marked(tmp_path: Path, begin_clk: int, mark: str) -> None:
    """In every report of it: one that ran beside the others is missed in each figure, a later one is not."""
    root = write_folder(tmp_path / "t1", four_waves())
    events = [[100 + 4 * simd, 1, simd, 0, 1, 1] for simd in range(4)]
    events += [[300, 1, simd, 0, 0, 1] for simd in range(4)] + [[begin_clk, 1, 0, 1, 1, 1]]
    (root / "occupancy.json").write_text(json.dumps({"0": events, "version": "3.0.0"}))
    counts = {"missing": 1, "listed": 5, "beside": int(mark == "*")}
    (source,) = sources(root)
    (row,) = validate_trace(source)
    assert row.name == "t1" + mark
    for lines in (validation.table([row]), validation.stall_table([row])):
        assert all(line.startswith(f"| t1{mark} ") for line in lines if line.startswith("| t1"))
    assert any("leaves out waves" in line for line in validation.table([row])) == (mark == "*")
    assert json.loads(validation.json_rows([row]))["traces"][0]["waves_left_out"] == counts
    result = replayed(root)
    lines = list(replay_lines(result))
    assert [name + mark for name in ("measured", "simulated", "error")] in [line.split() for line in lines]
    assert replay_json(result)["waves_left_out"] == counts
    assert f"clk{mark}" in dict(replay_panels(result)[0].facts)["span"]


def test_real_traces_have_lost_nothing_and_one_that_has_says_so(shared: Path, tmp_path: Path) -> None:
    for name in ("gfx942_gemm_1024cube", "gfx950_fill", "gfx942_gemm_2048cube"):
        assert not [note for note in import_trace(shared / "traces" / name).notes if "lost" in note]
    source = shared / "traces" / "gfx942_gemm_2048cube"
    folder = tmp_path / "t"
    shutil.copytree(source, folder)
    file = folder / "se0_sm2_sl1_wv0.json"
    file.chmod(0o644)
    content = json.loads(file.read_text())
    del content["wave"]["instructions"][2000:2040]
    file.write_text(json.dumps(content))
    imported = import_trace(folder)
    (note,) = [note for note in imported.notes if "records are lost after" in note]
    assert "se0_sm2_sl1_wv0.json: records are lost after its instruction 2000 of 4009" in note
    assert any("40 instructions more than it holds" in each for each in imported.notes)
    wave = imported.units[0].trace.waves[0]
    assert len(wave) < 2100
    assert replayed(folder).error_clk_per_iteration is not None


def test_rows_are_what_was_read(tmp_path: Path) -> None:
    """The cut leaves the other waves' clocks alone."""
    imported = import_trace(lossy(tmp_path, slice(4, 6)))
    for wave in imported.units[0].waves:
        assert (np.diff(wave.rows[:, CLOCK]) >= 0).all()
        assert wave.rows[0, CODE_ID] == 1
