"""The Python API: typed results, tables, what notebooks show, and the examples of docs/api.md."""

from __future__ import annotations

import doctest
import html
import os
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import wavesim
from wavesim.api import RunResult
from wavesim.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
KERNEL = ROOT / "kernels/8wave.yaml"


@pytest.fixture(scope="module")
def result() -> RunResult:
    return wavesim.run(KERNEL, arch="gfx942", settings={"K": 1024})


def test_figures_are_those_of_the_analysis(result: RunResult) -> None:
    analysis = result.run.analysis
    assert result.overlap == analysis.overlap
    assert result.overlap is not None
    assert result.clk_per_iteration == analysis.loops[0].clk_per_iteration
    assert result.verdict == "unchecked"  # a run alone calls nothing good
    assert result.bounds is not None
    assert len(result.mfma_busy) == 4
    assert result.to_json()["clk_total"] == result.clk_total


def test_stalls_add_up(result: RunResult) -> None:
    stalls = result.stalls
    assert len(stalls) == 8
    reasons = [name for name in stalls.columns if name not in ("workgroup", "wave", "simd", "clk")]
    total = sum(stalls[name] for name in reasons)
    assert (total == stalls["clk"]).all()
    assert stalls[0]["wave"] == 0


def test_the_whole_timeline_has_every_instruction(result: RunResult) -> None:
    whole = result.timeline(0)
    assert len(whole) == result.analysis.instructions
    table = whole.table
    first = table[table["wave"] == 0]
    assert (np.diff(first["issue_clk"]) > 0).all()
    waited = int(table["waited_clk"].sum())
    waves = result.run.timeline.waves
    assert waited == sum(int(wave.stall_clk.sum()) for wave in waves)
    assert np.asarray(first).dtype.names == table.columns


def test_a_stretch_has_what_issues_in_it(result: RunResult) -> None:
    one = result.timeline()
    issue = one["issue_clk"]
    assert ((issue >= one.from_clk) & (issue < one.to_clk)).all()
    assert len(result.timeline(to_clk=100)) < 100


def test_results_show_themselves_in_a_notebook(result: RunResult) -> None:
    page = result._repr_html_()
    assert "half_split on gfx942" in page
    assert "<svg" not in page  # JupyterLab takes it out of a notebook that came from elsewhere
    svg = b64decode(page.partition("data:image/svg+xml;base64,")[2].partition('"')[0]).decode()
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "waits vmcnt: clk" in svg
    assert len(svg) < 500_000
    assert result.timeline()._repr_html_() in page
    assert "<table>" in result.stalls._repr_html_()
    assert str(result).startswith("half_split on gfx942")
    assert "... 8" not in repr(result.stalls)


def test_lanes_of_the_picture_are_grouped_by_simd_as_in_the_terminal(result: RunResult) -> None:
    """With what each is: a write of the LDS port is not drawn as a read."""
    svg = result.timeline().svg()
    names = re.findall(r'<text x="4"[^>]*>([^<]*)<', svg)
    printed = [line[:8].strip() for line in str(result).partition("Timeline")[2].splitlines()]
    lanes = [name for name in printed if re.fullmatch(r"w\d|pipe \d|LDS \d,\d", name)]
    assert names == lanes
    assert len(lanes) == 8 + 4 + 2
    assert "busy with reads: clk" in svg
    assert "busy with writes: clk" in svg


def test_text_in_a_notebook_keeps_its_columns(result: RunResult) -> None:
    page = result._repr_html_()
    style = page[: page.index(">")]
    assert all(each in style for each in ("monospace", "white-space:pre;", "overflow-x:auto"))
    assert "Timeline" not in page[: page.index("</pre>")]  # the picture takes its place


def test_the_page_stands_in_a_notebook_as_a_frame_of_its_own(result: RunResult, tmp_path: Path) -> None:
    page = result.page(height_px=500)
    frame = page._repr_html_()
    assert html.unescape(frame.partition('srcdoc="')[2].partition('"></iframe>')[0]) == page.html
    assert 'sandbox="allow-scripts allow-popups"' in frame
    assert "height:500px" in frame
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html


def test_a_table_is_a_structured_array_with_columns_rows_and_smaller_tables(result: RunResult) -> None:
    table = result.timeline().table
    assert type(table["issue_clk"]) is np.ndarray
    assert isinstance(table[3], np.void)
    some = table[table["wave"] == 1]
    assert type(some) is type(table)
    assert 0 < len(some) < len(table)
    assert np.asarray(table).dtype.names == table.columns


def test_pandas_takes_a_table_as_it_is(result: RunResult) -> None:
    pandas = pytest.importorskip("pandas")
    table = result.timeline().table
    frame = pandas.DataFrame(table)
    assert tuple(frame.columns) == table.columns
    assert frame["issue_clk"].tolist() == table["issue_clk"].tolist()
    assert frame.equals(table.to_pandas())


def test_without_pandas_a_word_about_it(result: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match="pip install pandas"):
        result.stalls.to_pandas()


def test_check_and_compare() -> None:
    report = wavesim.check(ROOT / "kernels/wrong/missing-wait.s")
    assert (report.verdict, report.good) == ("bad", False)
    launch = wavesim.LaunchOptions(block=64)
    assert wavesim.check(ROOT / "kernels/lessons/stepwise_waits.s", launch=launch).verdict == "good"
    assert report.findings[0].rule == "missing-wait"
    assert "missing-wait" in str(report)
    lessons = [ROOT / "kernels/lessons/strong_wait.s", ROOT / "kernels/lessons/stepwise_waits.s"]
    both = wavesim.compare(*lessons)
    periods = [each.analysis.loops[0].period_clk for each in both.runs]
    assert periods == [260, 204]
    assert "stepwise_waits" in str(both)
    assert "<pre" in both._repr_html_()
    assert len(both.to_json()["kernels"]) == 2


def test_packages_stay_packages() -> None:
    import wavesim.checks.run
    import wavesim.explanation.whatif

    assert wavesim.checks.run.check_kernel
    assert callable(wavesim.check)
    assert callable(wavesim.explain)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = wavesim.nothing  # type: ignore[attr-defined]


def test_importing_wavesim_is_quick() -> None:
    code = "import sys, wavesim; sys.exit(any(name in sys.modules for name in ('numpy', 'rich', 'networkx')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_examples_of_the_page_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```pycon\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(blocks, {}, "docs/api.md", None, None)
    assert len(test.examples) > 10
    failed, _ = doctest.DocTestRunner(verbose=False).run(test)
    assert not failed
    assert os.getcwd() == str(ROOT)


def test_tune_gives_parameters_a_page_and_the_order_by_hand(tmp_path: Path) -> None:
    found = wavesim.tune(
        "kernels/lessons/double_buffer.yaml", changes=["parameters"], emit="sched-group-barrier"
    )
    assert found.better
    assert "interleave:" in found.source
    assert found.parameters == {}
    assert found.hints is not None
    assert "is no HIP source" in str(found)
    found.save(tmp_path / "best.yaml")
    assert wavesim.check(tmp_path / "best.yaml").good
    found.page(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for text in ("as it was: double_buffer", "tuned: double_buffer", "LDS reads and 1 MFMA in turn"):
        assert text in page


def test_tune_gives_a_kernel_to_save(tmp_path: Path) -> None:
    states: list[wavesim.TuneState] = []
    found = wavesim.tune(
        "kernels/8wave.yaml", settings={"K": 512}, candidates=60, changes=["order"], progress=states.append
    )
    assert found.better
    assert all(
        bound <= new < old for (old, new), bound in zip(found.clk_per_iteration, found.bound_clk, strict=True)
    )
    assert [state.stage for state in states][-1] == "proof"
    found.save(tmp_path / "best.s")
    assert wavesim.check(tmp_path / "best.s").good
    assert "proven" in str(found)
    assert found.diff.startswith("---")


def test_loops_and_a_launch_to_fill_in() -> None:
    found = wavesim.loops(ROOT / "kernels/lessons/strong_wait.s")
    assert len(found) == 1
    assert found.hottest is found.loops[0]
    region = wavesim.RegionOptions(found.region(found.loops[0]), 4, 1)
    assert wavesim.run(ROOT / "kernels/lessons/strong_wait.s", region=region).clk_total > 0
    assert found.to_json()["loops"][0]["instructions"] == found.loops[0].instructions
    assert "hottest: --region" in str(found)
    text = wavesim.launch_skeleton(ROOT / "kernels/triton/matmul_gfx942.s")
    assert "kernel: matmul_kernel" in text
    assert "FILL_IN" in text


def test_several_files_are_checked_and_one_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "none.s").write_text("no instruction")
    lessons = "kernels/lessons/one_read_unwaited.s", "kernels/lessons/strong_wait.s"
    bad, good, unusable = wavesim.check_files(
        *(ROOT / each for each in lessons), tmp_path / "*.s", launch=wavesim.LaunchOptions(block=64)
    )
    assert (bad.good, good.good, unusable.good) == (False, True, False)
    assert bad.report is not None
    assert bad.report.verdict == "bad"
    assert unusable.report is None
    assert unusable.error is not None
    assert str(tmp_path / "none.s") in str(unusable)
