"""Makes the pictures of the browser's pages in the manual (needs Chromium and selenium)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

import wavesim
from wavesim.explanation.explanation import explain_run
from wavesim.explanation.glance import at_a_glance
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.report.page import page_parts, run_panel

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LADDER = "kernels/sweeps/ladder.yaml"
SETTINGS = {"K": "2048"}
CANDIDATES = 600
"""Of the search whose page is shown."""
SHOW = """const {view, runs} = window.wavesim, starts = runs[0].iterations();
window.wavesim.align(); window.wavesim.panels.open("explain");
view.show(starts[15] - 40, starts[16] + 60); view.paint();"""


def report_page() -> str:
    """Two kernels on one clock axis."""
    kernels = [Path("kernels") / name for name in ("8wave.yaml", "8wave_pingpong.yaml")]
    wanted = RunOptions(settings=SETTINGS)
    panels = []
    for kernel in kernels:
        run = at_a_glance(run_kernel(kernel, wanted))
        panels.append(run_panel(run, explanation=explain_run(run, kernel, wanted)))
    return "".join(page_parts(panels))


def main() -> None:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--window-size=1600,1100"):
        options.add_argument(argument)
    os.chdir(ROOT)  # places in the page are as the kernels are named
    IMAGES.mkdir(exist_ok=True)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        wavesim.sweep(LADDER, html=page)
        driver.get(page.as_uri())
        driver.save_screenshot(str(IMAGES / "sweep.png"))
        page.write_text(report_page(), encoding="utf-8")
        driver.get(page.as_uri())
        ready = "return document.documentElement.dataset.ready"
        WebDriverWait(driver, 30).until(lambda browser: browser.execute_script(ready))
        driver.execute_script(SHOW)
        driver.save_screenshot(str(IMAGES / "report.png"))
        wavesim.tune("kernels/8wave.yaml", settings=SETTINGS, candidates=CANDIDATES).page(page)
        driver.get(page.as_uri())
        WebDriverWait(driver, 30).until(lambda browser: browser.execute_script(ready))
        driver.save_screenshot(str(IMAGES / "tune.png"))
    driver.quit()


if __name__ == "__main__":
    main()
