"""The browser report as a file: its columns, its size, its bytes, and that no kernel text can break out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.program import Finding, Severity
from wavesim.report.page import page_parts, run_panel
from wavesim.report.page import payload as payload_module
from wavesim.report.page.columns import ColumnWriter, read_columns
from wavesim.report.page.page import LARGEST_BYTES
from wavesim.report.page.payload import Panel
from wavesim.report.palette import GLYPHS
from wavesim.trace import Kind, Reason, Timeline

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
INT32 = st.integers(-(2**31) + 1, 2**31 - 1)


@pytest.fixture(scope="module")
def half_split() -> Run:
    return run_kernel(KERNELS / "8wave.yaml", RunOptions(settings={"K": "512"}))


def page(run: Run) -> str:
    return "".join(page_parts([run_panel(run)]))


def payload_of(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="payload">(.*?)</script>', text, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


@given(st.lists(st.lists(INT32, max_size=30), max_size=5))
def test_columns_come_back(lists: list[list[int]]) -> None:
    writer = ColumnWriter()
    for values in lists:
        writer.add(np.array(values, np.int64))
    back = read_columns(writer.text(), writer.counts)
    # the reader adds modulo 2^32
    assert [[(int(v) + 2**31) % 2**32 - 2**31 for v in column] for column in back] == lists


def test_a_column_beyond_32_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        ColumnWriter().add(np.array([2**31]))


def test_rows_of_the_page_are_those_of_the_timeline(half_split: Run) -> None:
    data = payload_of(page(half_split))
    columns = read_columns(data["columns"], data["counts"])  # type: ignore[arg-type]
    waves = data["runs"][0]["waves"]  # type: ignore[index]
    assert len(waves) == 8
    for wave, shown in zip(half_split.timeline.waves, waves, strict=True):
        assert np.array_equal(columns[shown["issue"]], wave.issue_clk)
        assert np.array_equal(columns[shown["issue"]] - columns[shown["attempt"]], wave.attempt_clk)
        assert np.array_equal(columns[shown["stall_clk"]], wave.stall_clk)


def blamed(run: Run, panel: Panel) -> list[tuple[int, Reason, int, int]]:
    """(wave, reason, wave to blame, its row) of every stall of the page."""
    data = payload_of("".join(page_parts([panel])))
    columns = read_columns(data["columns"], data["counts"])  # type: ignore[arg-type]
    return [
        (position, Reason(int(reason)), int(wave), int(row))
        for position, shown in enumerate(data["runs"][0]["waves"])  # type: ignore[index]
        for reason, wave, row in zip(
            columns[shown["stall_reason"]],
            columns[shown["stall_by_wave"]],
            columns[shown["stall_by_row"]],
            strict=True,
        )
    ]


def test_the_page_blames_whom_the_engine_blames(half_split: Run) -> None:
    timeline = half_split.timeline
    found = blamed(half_split, run_panel(half_split))
    recorded = [
        (position, Reason(int(reason)), int(by_wave), int(by_row))
        for position, wave in enumerate(timeline.waves)
        for reason, by_wave, by_row in zip(
            wave.stall_reason, wave.stall_by_wave, wave.stall_by_row, strict=True
        )
    ]
    assert found == recorded
    ports = [
        (wave, by) for wave, reason, by, row in found if reason is Reason.PORT and is_lds(timeline, by, row)
    ]
    assert len(ports) > 100
    pair = {
        simd: at
        for at, simds in enumerate(half_split.machine.parameters.structure_simd_pairs)
        for simd in simds
    }
    for wave, by in ports:
        assert pair[timeline.waves[wave].simd] == pair[timeline.waves[by].simd]


def is_lds(timeline: Timeline, position: int, row: int) -> bool:
    entry = timeline.trace.code[int(timeline.trace.waves[position].code[row])]
    return entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE)


def test_a_measured_timeline_blames_nobody(half_split: Run) -> None:
    none = np.zeros(0, np.int32)
    waves = tuple(replace(wave, stall_by_wave=none, stall_by_row=none) for wave in half_split.timeline.waves)
    measured = replace(half_split.timeline, waves=waves, measured=True)
    found = blamed(half_split, replace(run_panel(half_split), timeline=measured))
    assert found
    assert {by for _, _, by, _ in found} == {-1}


def test_who_is_cut_off_is_not_blamed(half_split: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_module, "MOST_ROWS", 1000)
    data = payload_of(page(half_split))
    columns = read_columns(data["columns"], data["counts"])  # type: ignore[arg-type]
    waves = data["runs"][0]["waves"]  # type: ignore[index]
    kept = [len(columns[wave["issue"]]) for wave in waves]
    for wave in waves:
        for by_wave, by_row in zip(
            columns[wave["stall_by_wave"]], columns[wave["stall_by_row"]], strict=True
        ):
            assert by_wave < 0 or by_row < kept[by_wave]


def test_same_run_same_bytes_and_no_address_outside(half_split: Run) -> None:
    text = page(half_split)
    assert text == page(half_split)
    assert "{{" not in text
    assert not re.search(r"(https?:)?//[a-z]+\.[a-z]", text)
    assert "default-src 'none'" in text


def test_the_full_kernel_stays_far_below_the_limit() -> None:
    run = run_kernel(KERNELS / "8wave.yaml", RunOptions())
    assert run.timeline.trace.instruction_count > 100_000
    assert len(page(run).encode()) < LARGEST_BYTES


def test_kernel_text_cannot_end_the_data(half_split: Run) -> None:
    evil = "</script><script>alert(1)</script><!--"
    finding = Finding("lds-race", Severity.ERROR, evil, fix=evil)
    panel = replace(run_panel(half_split, [finding]), title=evil)
    text = "".join(page_parts([panel]))
    assert evil not in text
    assert "<script>alert" not in text
    assert payload_of(text)["runs"][0]["findings"][0]["message"] == evil  # type: ignore[index]


def test_a_run_too_long_is_cut_and_says_where(half_split: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_module, "MOST_ROWS", 1000)
    data = payload_of(page(half_split))
    run = data["runs"][0]  # type: ignore[index]
    columns = read_columns(data["columns"], data["counts"])  # type: ignore[arg-type]
    assert run["cut_clk"] < run["clk_total"]
    rows = [columns[wave["issue"]] for wave in run["waves"]]
    assert sum(map(len, rows)) <= 1000
    assert all(len(issue) == 0 or issue[-1] < run["cut_clk"] for issue in rows)


def test_the_palette_is_the_only_place_of_activity_colours_and_words() -> None:
    """Page, script, SVG and terminal read one table; nothing of it is written out elsewhere."""
    report = KERNELS.parent / "wavesim" / "report"
    glyphs = [glyph for glyph in GLYPHS.values() if glyph.meaning]
    colours = {colour for glyph in glyphs for colour in (glyph.paper, glyph.light, glyph.dark)}
    words = {f'"{glyph.meaning}"' for glyph in glyphs if " " in glyph.meaning}
    for path in report.rglob("*.*"):
        if path.suffix in (".py", ".js", ".css", ".html") and path.name != "palette.py":
            text = path.read_text(encoding="utf-8")
            facts = colours if path.suffix == ".py" else colours | words
            assert [fact for fact in facts if fact in text] == [], path
