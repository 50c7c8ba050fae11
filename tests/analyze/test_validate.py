"""The accuracy table: one small measured trace, unreadable folders, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wavesim.errors import UserError
from wavesim.replays.att.dispatches import sources
from wavesim.replays.validate import ValidationRow, mean_error, validate
from wavesim.report.text.validation import failures, json_rows, page, table


def test_a_trace_and_a_broken_folder(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "good").symlink_to(shared / "traces" / "gfx942_gemm_1024cube")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "filenames.json").write_text("{")
    broken, good = validate(tmp_path, processes=1)
    assert broken.failure
    assert good.folder == "good"
    assert good.instructions == 7688
    assert len(good.errors) == 3
    assert abs(good.errors[0]) < 0.15
    assert any("broken" in line for line in failures([broken, good]))
    data = json.loads(json_rows([broken, good]))
    assert data["traces"][1]["error"]["measured"] == good.errors[0]


def test_no_traces(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no thread trace"):
        sources(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        sources(tmp_path / "absent")


def test_page_lists_means_and_failures() -> None:
    rows = [
        ValidationRow("a", "gfx942", True, 100.0, 110.0, 0.5, 0.6, (0.10, -0.02, 0.0), 10),
        ValidationRow("b", "gfx942", False, 100.0, 98.0, 0.5, 0.5, (-0.02, 0.02, 0.3), 10),
    ]
    assert mean_error(rows, 0) == pytest.approx(0.06)
    assert [line.split("|")[1].strip() for line in table(rows)[2:]] == [
        "a",
        "b (span)",
        "mean of absolute errors",
        "median of absolute errors",
    ]
    text = page(rows, "2026-01-01", "wavesim validate")
    assert "- a: +10.0 % with measured latencies" in text
    assert "- b" not in text
