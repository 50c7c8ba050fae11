"""``wavesim report``: the explanation is in the page, or left out when asked; always the same bytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STRONG = "kernels/lessons/strong_wait.s"
PIECE = ("kernels/foreign/piece.s", "--region", ".Lloop:.Ldone", "--waves", "4", "--allow-unknown")


def report(page: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wavesim", "report", *words, "-o", str(page)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"},
        timeout=120,
        check=False,
    )


def runs_of(page: Path) -> list[dict[str, Any]]:
    found = re.search(r'id="payload">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    runs: list[dict[str, Any]] = json.loads(found[1])["runs"]
    return runs


def test_two_kernels_each_with_its_explanation_and_always_the_same_bytes(tmp_path: Path) -> None:
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page in pages:
        done = report(page, STRONG, "kernels/lessons/stepwise_waits.s")
        assert done.returncode == 0, done.stderr
    assert pages[0].read_bytes() == pages[1].read_bytes()
    strong, other = runs_of(pages[0])
    for one in (strong, other):
        assert one["explanation"]["clk"] == pytest.approx(one["figures"]["clk_per_iteration"])
    assert strong["explanation"]["steady"] == "260 clk per iteration"
    assert sum(clk for _, clk in strong["explanation"]["path"]["causes"]) == 260
    assert {row["name"] for row in strong["explanation"]["ladder"]} >= {"free_waits", "no_barrier"}
    saved = strong["explanation"]["clk"] - other["explanation"]["clk"]
    assert strong["explanation"]["advice"][0]["gain"] == pytest.approx(saved)  # it is that advice, followed


def test_without_explanation(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert report(page, STRONG, "--no-explain", "--no-check").returncode == 0
    (run,) = runs_of(page)
    assert run["explanation"] is None


def test_a_stuck_kernel_has_a_page_that_says_so(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = report(page, "kernels/seed/v1.yaml", "--set", "K=256")
    assert done.returncode == 1
    (run,) = runs_of(page)
    assert run["explanation"] is None
    assert any(note.startswith("not explained") for note in run["notes"])


def test_a_piece_of_a_foreign_kernel_says_what_it_rests_on(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = report(page, *PIECE)
    assert done.returncode == 0, done.stderr
    (run,) = runs_of(page)
    assert "clk_per_iteration" in run["figures"]["unknowns"]["figures"]
    assert any("v_softcap_f32" in note for note in run["notes"])
    assert run["explanation"]["ladder"]
