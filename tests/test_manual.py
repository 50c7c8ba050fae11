"""The manual builds without a warning, and no page of it asks for anything outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from notebook_pages import NOTEBOOKS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="needs mkdocs-material (extra docs)")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_command_reference_is_made_from_the_code(site: Path) -> None:
    from wavesim.cli.main import COMMANDS

    text = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"wavesim {command}" in text


def test_pages_load_nothing_from_outside(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]+\.(?:js|css|woff2?|png)', text), page


BLOCKS = ("ul", "ol", "li", "table", "tr")


class Structure(HTMLParser):
    """Lists and tables of a rendered page, as words with how deep they are nested: ``1 ul``, ``2 li``."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.depth = 0
        self.skipped = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self.skipped or "md-code__nav" in dict(attributes).get("class", "") or "":
            self.skipped += tag not in ("br", "img", "input")
        elif tag in BLOCKS:
            self.depth += 1
            self.found.append(f"{self.depth} {tag}")

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            self.skipped -= 1
        elif tag in BLOCKS:
            self.depth -= 1


def structure(html: str) -> list[str]:
    parser = Structure()
    parser.feed(html)
    return parser.found


MADE_FROM_CODE = ("api.md", "reference/cli.md")


def test_lists_and_tables_are_those_of_the_source(site: Path) -> None:
    """Two renderers agree: the manual's, and one that reads Markdown as GitHub does. They differ where a list
    needs an empty line or more indentation, and where a line of prose begins with a number or a sign."""
    markdown = MarkdownIt("commonmark").enable("table")
    wrong = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        name = page.relative_to(ROOT / "docs").as_posix()
        if name in MADE_FROM_CODE:
            continue
        built = site / name.replace("README.md", "index.html").replace(".md", ".html")
        article = built.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
        if structure(article) != structure(markdown.render(page.read_text(encoding="utf-8"))):
            wrong.append(name)
    assert wrong == []


def test_the_search_finds_words_in_a_manual_that_was_opened_as_a_file(site: Path, browser: Any) -> None:
    browser.get((site / "checks" / "missing-wait.html").as_uri())
    field = browser.find_element("css selector", ".md-search__input")
    field.click()
    field.send_keys("half-split")
    from selenium.webdriver.support.wait import WebDriverWait

    links = "return [...document.querySelectorAll('.md-search-result__link')].map(link => link.href)"
    found = WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(links))
    assert (site / "lessons" / "05-half-split.html").as_uri() in {link.partition("?")[0] for link in found}


@pytest.mark.parametrize("page", ["index.html", "checks/README.html", "trust.html", "comparison.html"])
def test_no_page_is_wider_than_a_phone(site: Path, browser: Any, page: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get((site / page.replace("README", "index")).as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_rules_of_checks_are_folded_away(site: Path, browser: Any) -> None:
    """From the page of all rules none of theirs is in sight in the navigation."""
    browser.get((site / "checks" / "index.html").as_uri())
    links = "return [...document.querySelectorAll('.md-nav--primary a')].filter(%s).map(link => link.href)"
    seen = browser.execute_script(links % "link => link.checkVisibility({visibilityProperty: true})")
    assert (site / "checks" / "seed.html").as_uri() in seen
    assert [link for link in seen if link.endswith("missing-wait.html")] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_page_with_its_pictures(site: Path, notebook: Path) -> None:
    text = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
    article = text.partition("<article")[2].partition("</article>")[0]
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert article.count('<div class="output">') >= sum(cell["cell_type"] == "code" for cell in cells) / 2
    assert "data:image/svg+xml" in article
    assert "<table" in article


def test_what_a_notebook_shows_can_be_read_in_the_dark(site: Path, browser: Any) -> None:
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    browser.get((site / "notebooks" / "half_split.html").as_uri())
    looks = browser.execute_script(
        """return [...document.querySelectorAll(".output pre, .output td")].map((element) => {
          let under = element;
          while (getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
          return `${getComputedStyle(element).color} on ${getComputedStyle(under).backgroundColor}`;
        })"""
    )
    assert set(looks) == {"rgb(34, 34, 34) on rgb(255, 255, 255)"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
