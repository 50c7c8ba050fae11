"""Frames a second of the browser's page while it zooms and pans through 110,000 instructions (issue: 50).

Needs Chromium, selenium and Linux. Browsers draw at most 60 frames/s. The second figure is the time of all
the browser's processes for a frame, which other work on the machine changes least; the third is how long
the script itself takes.
"""

from __future__ import annotations

import os
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
    done([frames, now - begin, spent[spent.length >> 1], spent.at(-2)]);
  }
};
requestAnimationFrame(step);"""


def cpu_s(root: int) -> float:
    """What a process and those that it started have used."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    ours = {root}
    for process in sorted(parents):
        if parents[process] in ours:
            ours.add(process)
    return sum(used[process] for process in ours)


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
            before_s = cpu_s(driver.service.process.pid)
            frames, all_ms, median_ms, worst_ms = driver.execute_async_script(script)
            browser_ms = 1000 * (cpu_s(driver.service.process.pid) - before_s) / frames
            print(
                f"{name:20} {1000 * frames / all_ms:5.1f} frames/s; a frame: "
                f"{browser_ms:5.1f} ms of the browser, {median_ms:.1f} ms of the script, worst {worst_ms:.1f}"
            )
    driver.quit()


if __name__ == "__main__":
    main()
