"""Makes the pictures of the browser's pages in the manual (needs Chromium and selenium)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

import wavesim

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LADDER = "kernels/sweeps/ladder.yaml"
SETTINGS = {"K": "2048"}
REPORT = ("report", "kernels/8wave.yaml", "kernels/8wave_pingpong.yaml", "--set", "K=2048", "--quiet")
CANDIDATES = 600
"""Of the search whose page is shown."""
SHOW = """const {view, runs} = window.wavesim, starts = runs[0].iterations();
window.wavesim.align(); window.wavesim.panels.open("explain");
view.show(starts[15] - 40, starts[16] + 60); view.paint();"""


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
        subprocess.run([sys.executable, "-m", "wavesim", *REPORT, "-o", page], check=True)
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
