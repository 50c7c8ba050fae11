"""The page's modules under node: their own unit tests, and what they say of a run against its Timeline."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavesim.analyze.culprits import blamed_stalls
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.report.page import page_parts, run_panel
from wavesim.report.page.page import SCRIPTS
from wavesim.trace import REASON_NAMES, Reason

HERE = Path(__file__).resolve().parent / "page"
ASSETS = Path(__file__).resolve().parents[2] / "wavesim" / "report" / "page" / "assets"
IMPORT = re.compile(r'^import \{ (.*) \} from "\./(\w+)\.mjs";$', re.MULTILINE)
OWN = (Reason.HOLD, Reason.NOP)
"""Reasons that are slots of the instruction itself."""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs node (Debian: nodejs)")
    return found


def test_the_unit_tests_of_the_modules(node: str) -> None:
    tests = sorted(map(str, HERE.glob("*.test.mjs")))
    shown = subprocess.run([node, "--test", *tests], capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "# pass 0" not in shown.stdout


def test_each_module_uses_only_those_loaded_before_it() -> None:
    """The page puts them into one scope in this order: an import says the truth, no name comes twice."""
    exported: dict[str, set[str]] = {}
    for name in SCRIPTS:
        text = (ASSETS / f"{name}.mjs").read_text(encoding="utf-8")
        for names, module in IMPORT.findall(text):
            assert set(names.split(", ")) <= exported[module], f"{name} imports from {module}"
        assert len(IMPORT.findall(text)) == len(re.findall("^import ", text, re.MULTILINE)), name
        exported[name] = set(
            re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", text, re.MULTILINE)
        )
    every = [each for names in exported.values() for each in names]
    assert len(every) == len(set(every))
    assert {f"{name}.mjs" for name in SCRIPTS} == {path.name for path in ASSETS.glob("*.mjs")}


@pytest.fixture(scope="module")
def ran(root: Path) -> Run:
    return run_kernel(root / "kernels/8wave.yaml", RunOptions(settings={"K": "512"}))


@pytest.fixture(scope="module")
def said(ran: Run, node: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    page = tmp_path_factory.mktemp("page") / "page.html"
    page.write_text("".join(page_parts([run_panel(ran)])), encoding="utf-8")
    shown = subprocess.run(
        [node, str(HERE / "ask.mjs"), str(page)], capture_output=True, check=True, timeout=120
    )
    found = json.loads(shown.stdout)[0]
    assert isinstance(found, dict)
    return found


def test_clocks_of_the_lines_are_those_of_the_timeline(ran: Run, said: dict[str, Any]) -> None:
    waited: list[Counter[str]] = [Counter() for _ in ran.timeline.trace.code]
    issued = Counter[int]()
    for wave, trace in zip(ran.timeline.waves, ran.timeline.trace.waves, strict=True):
        issued.update(trace.code.tolist())
        for row, reason, clk in zip(wave.stall_row, wave.stall_reason, wave.stall_clk, strict=True):
            if reason not in OWN:
                waited[int(trace.code[row])][REASON_NAMES[Reason(int(reason))]] += int(clk)
    for code, cell in enumerate(said["clocks"]):
        assert cell["issues"] == issued[code]
        assert cell["waits"] == waited[code]
        assert cell["own"] >= 4 * cell["issues"]
    lives = sum(wave.last_clk - wave.first_clk for wave in ran.timeline.waves)
    assert sum(cell["clk"] for cell in said["clocks"]) == lives


def test_culprits_of_the_lines_are_those_of_the_timeline(ran: Run, said: dict[str, Any]) -> None:
    blamed = blamed_stalls(ran.timeline)
    shown = blamed.reason != int(Reason.HOLD)
    shown &= blamed.reason != int(Reason.NOP)
    for code, found in enumerate(said["blamed"]):
        culprits = blamed.culprits((blamed.code == code) & shown, each_wave=False)
        assert sorted(map(tuple, found)) == sorted(
            (REASON_NAMES[each.reason], each.by_code, each.clk) for each in culprits
        )


def test_the_waits_of_a_row_tile_the_clocks_before_it(ran: Run, said: dict[str, Any]) -> None:
    for wave, waits in zip(ran.timeline.waves, said["waits"], strict=True):
        before = np.concatenate(([wave.first_clk], wave.end_clk[: len(waits) - 1]))
        assert waits == (wave.issue_clk[: len(waits)] - before).tolist()


def test_the_hottest_loop_is_the_main_loop(ran: Run, said: dict[str, Any]) -> None:
    assert ran.analysis.loop is not None
    assert said["loop"]["from"] == ran.analysis.loop.head
