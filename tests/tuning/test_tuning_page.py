"""The page of a search: both timelines on one axis, and a tab that says what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wavesim.pipeline.run import RunOptions
from wavesim.report.page.tuned import tuned_page
from wavesim.tuning.tune import TuneOptions, tune_kernel

KERNEL = Path(__file__).resolve().parents[2] / "kernels/lessons/strong_wait.s"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    tuned = tune_kernel(KERNEL, RunOptions(), TuneOptions(minutes=None, candidates=40))
    assert tuned.better
    path.write_text("".join(tuned_page(tuned, KERNEL, RunOptions())), encoding="utf-8")
    return path


def test_it_is_one_file_with_both_runs(page: Path) -> None:
    text = page.read_text()
    for said in ("as it was: strong_wait", "tuned: strong_wait", "What each kind of change is worth"):
        assert said in text
    assert "://" not in text.replace("http://www.w3.org", "")


def test_it_opens_with_what_changed_and_aligned_iterations(browser: Any, page: Path) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(page.as_uri())
    ready = "return document.documentElement.dataset.ready"
    WebDriverWait(browser, 30).until(lambda driver: driver.execute_script(ready))
    told = browser.execute_script("return document.getElementById('tab-changes').innerText")
    assert "fewer clocks in the loop at .Lturn" in told
    assert "1.0 x memory latency" in told
    assert "s_waitcnt lgkmcnt" in told
    assert browser.execute_script("return !document.getElementById('tab-changes').hidden")
    titles = browser.execute_script("return window.wavesim.runs.map((run) => run.data.title)")
    assert [title.split(":")[0] for title in titles] == ["as it was", "tuned"]
    assert browser.execute_script("return window.wavesim.aligned")
    assert browser.get_log("browser") == []
