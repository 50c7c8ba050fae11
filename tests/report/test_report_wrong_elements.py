"""Wrong results by wave: in the terminal report, in JSON against its schema, in the page's verdict."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.program import Finding, Severity
from wavesim.report.json.run import run_json_text
from wavesim.report.output import Look
from wavesim.report.page import run_panel
from wavesim.report.text.terminal import report_lines
from wavesim.report.text.wrong_elements import wrong_lines


@pytest.fixture(scope="module")
def uncovered(root: Path) -> Run:
    """One wave that stores the product of other columns, and half of its tile not at all."""
    return run_kernel(root / "kernels/wrong/tile-coverage.yaml", RunOptions())


@pytest.fixture(scope="module")
def clean(root: Path) -> Run:
    return run_kernel(root / "kernels/8wave.yaml", RunOptions(settings={"K": "256"}))


def test_each_wave_with_its_rows_and_columns(uncovered: Run) -> None:
    title, heads, stored, missing = [line.plain for line in wrong_lines(uncovered, 80)]
    assert title.startswith("Wrong elements  of C")
    assert heads.split() == ["rows", "columns", "wrong", "first", "at", "stored", "expected"]
    assert stored.split()[:7] == ["wave", "0", "0-31", "0-31", "1024", "of", "1024"]
    assert missing.split()[:7] == ["no", "wave", "0-31", "32-63", "1024", "of", "1024"]
    assert missing.split()[7:10] == ["[0,", "32]", "-"]
    # the first element of the place that is stored instead is the one that was expected elsewhere
    assert stored.split()[9] == missing.split()[-1]
    assert title in [line.plain for line in report_lines(uncovered, Look())]


def test_a_right_result_lists_nothing(clean: Run) -> None:
    assert clean.numerics.ok
    assert wrong_lines(clean, 80) == []


@pytest.mark.parametrize("width", [40, 60])
def test_no_line_is_wider_than_asked(uncovered: Run, width: int) -> None:
    assert max(line.cell_len for line in wrong_lines(uncovered, width)) <= width


def test_json_has_the_places(uncovered: Run, root: Path) -> None:
    data = json.loads(run_json_text(uncovered))
    schema = json.loads((root / "docs/schema/run.schema.json").read_text())
    jsonschema.validate(data, schema, cls=jsonschema.Draft202012Validator)
    stored, missing = data["numerics"]["wrong"]
    assert (stored["wave"], stored["columns"], stored["wrong"], stored["of"]) == (0, [0, 31], 1024, 1024)
    assert (missing["wave"], missing["columns"]) == (None, [32, 63])
    assert missing["first"][0]["stored"] is False
    assert stored["first"][0]["got"] == pytest.approx(missing["first"][0]["expected"])


def test_the_page_of_a_race_with_right_numbers_is_not_good(clean: Run) -> None:
    race = Finding("lds-race", Severity.ERROR, "two waves meet")
    assert run_panel(clean, [race], checked=True).figures["verdict"] == "bad"
    note = Finding("occupancy", Severity.NOTE, "8 waves")
    assert run_panel(clean, [note], checked=True).figures["verdict"] == "good"
    assert run_panel(clean).figures["verdict"] == "unchecked"
