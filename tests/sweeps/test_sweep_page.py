"""The page of a sweep: one file without any address, which draws the heat map, the front and the table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import wavesim
from wavesim.errors import UserError
from wavesim.sweeps.page import MAX_ROWS, page_parts, refuse_rows
from wavesim.sweeps.spec import read_spec
from wavesim.sweeps.table import SweepTable

SPEC = {
    "about": "<b>two & three</b>",
    "kernels": ["a.yaml", "b.yaml"],
    "set": {"K": [512, 1024], "UNROLL": [1, 2, 4]},
    "figures": ["clk_per_iteration", "tflops", "binding"],
}


@pytest.fixture
def table(tmp_path: Path) -> SweepTable:
    """Made-up figures: clk 100 to 1100 by row, TFLOP/s that rise with them, and one run that failed."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("constants: {K: 64, UNROLL: 1}\n")
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(SPEC))
    spec = read_spec(path)
    rows = [
        (*values, 100.0 * number, 10.0 * number if number != 4 else 25.0, "mfma", "unchecked", "")
        for number, values in enumerate(spec.rows(), 1)
    ]
    rows[-1] = (*rows[-1][:3], None, None, None, "bad", "line 3: </script> is wrong")
    return SweepTable(("kernel", "K", "UNROLL"), spec.figures, tuple(rows), spec)


def test_the_page_is_one_file_and_its_data_are_those_of_the_table(table: SweepTable) -> None:
    text = "".join(page_parts(table))
    assert not re.findall(r"(?:src|href)=(?!\"data:,\")|https?://(?!www.w3.org/2000/svg)|@import|url\(", text)
    assert text.count("</script>") == 2
    assert "&lt;b&gt;two &amp; three" in text
    payload = json.loads(re.search(r'id="payload">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert [tuple(row) for row in payload["rows"]] == list(table.rows)
    assert text == "".join(page_parts(table))


def test_a_page_has_an_end() -> None:
    with pytest.raises(UserError, match=f"a page has at most {MAX_ROWS}\n  the table has all of them"):
        refuse_rows(MAX_ROWS + 1)


def test_it_draws_the_best_of_each_field_and_the_front(
    browser: Any, table: SweepTable, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    page = tmp_path / "page.html"
    page.write_text("".join(page_parts(table)))
    browser.get_log("browser")
    browser.get(page.as_uri())

    def texts(selector: str) -> list[str]:
        return [each.text for each in browser.find_elements(By.CSS_SELECTOR, selector)]

    def choose(label: str, text: str) -> None:
        Select(browser.find_element(By.CSS_SELECTOR, f"select[aria-label='{label}']")).select_by_visible_text(
            text
        )

    # rows and columns: the two axes with most values; each field the best over K
    assert texts("#map thead th")[1:] == ["1", "2", "4"]
    assert texts("#map td") == ["100", "200", "300", "700", "800", "900"]
    assert texts("#map td.best") == ["100"]
    assert "The best over K" in texts("#map-hint")[0]
    # TFLOP/s rise with clk but for the fourth run, which two better ones dominate; the last one failed
    assert len(browser.find_elements(By.CSS_SELECTOR, "#front .dot")) == 11
    assert len(browser.find_elements(By.CSS_SELECTOR, "#front .dot.on")) == 10
    choose("only K", "1024")
    assert texts("#map td") == ["400", "500", "600", "1000", "1100", "failed"]
    choose("figure", "tflops")
    assert texts("#map td.best") == ["110"]
    choose("rows", "K")
    choose("only K", "all")
    assert texts("#map td") == ["70", "80", "90", "100", "110", "60"]
    browser.find_element(By.XPATH, "//th/button[text()='tflops']").click()
    browser.find_element(By.XPATH, "//th/button[contains(text(),'tflops')]").click()
    assert texts("#table tbody tr:first-child td")[4] == "110"
    assert browser.get_log("browser") == []


def test_the_command_writes_it(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    wavesim.sweep({"kernels": "kernels/8wave.yaml", "set": {"K": [64, 128]}}, html=page)
    assert '"K","values":[64,128]' in page.read_text()
