"""Frames a second of the browser's page while it zooms and pans through 110,000 instructions (issue: 50).

Needs Chromium and selenium. Browsers draw at most 60 frames/s. The second figure is how long the script
itself takes for a frame.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.report.page import page_parts, run_panel

KERNEL = Path(__file__).resolve().parent.parent / "kernels" / "8wave.yaml"
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1920,1080")
SECONDS = 3

READY = "return document.documentElement.dataset.ready"

MOVES = {
    "in and out": "view.zoom(frames % 80 < 40 ? 0.85 : 1 / 0.85)",
    "pan, whole run": "view.show(frames, view.endClk / 2 + frames * 50)",
    "pan, an iteration": "view.show(9000 + 17 * frames, 11400 + 17 * frames)",
    "pan, slots": "view.show(9000 + 2 * frames, 9200 + 2 * frames)",
}
MEASURE = """const done = arguments[0], {view} = window.wavesim, spent = [];
const paint = view.paint.bind(view);
view.paint = () => { const from = performance.now(); paint(); spent.push(performance.now() - from); };
view.show(view.startClk, view.endClk);
let frames = 0, begin = 0;
const step = (now) => {
  begin = begin || now;
  MOVE; frames += 1;
  if (now - begin < 1000 * SECONDS) requestAnimationFrame(step);
  else {
    spent.sort((a, b) => a - b);
    done([1000 * frames / (now - begin), spent[spent.length >> 1], spent.at(-2)]);
  }
};
requestAnimationFrame(step);"""


def main() -> None:
    options = webdriver.ChromeOptions()
    for argument in ARGUMENTS:
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text("".join(page_parts([run_panel(run_kernel(KERNEL, RunOptions()))])), encoding="utf-8")
        for name, move in MOVES.items():
            driver.get(page.as_uri())
            WebDriverWait(driver, 60).until(lambda browser: browser.execute_script(READY))
            script = MEASURE.replace("MOVE", move).replace("SECONDS", str(SECONDS))
            per_s, median_ms, worst_ms = driver.execute_async_script(script)
            print(f"{name:20} {per_s:5.1f} frames/s; {median_ms:5.1f} ms a frame, worst {worst_ms:.1f} ms")
    driver.quit()


if __name__ == "__main__":
    main()
