"""The first screen of a run: right or not, how fast, why, what to try, where to look next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.analyze.result import BOUND_NAMES, BOUND_WORDS
from wavesim.cli.main import cli
from wavesim.explanation.glance import at_a_glance
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.report.text.first_screen import MEND_FIRST

LABELS = ("verdict", "speed", "why", "try", "next")


def screen(root: Path, *words: str) -> str:
    return CliRunner().invoke(cli, ["run", *words]).output.split("\nTimeline")[0]


def test_five_things_are_said(root: Path) -> None:
    shown = screen(root, str(root / "kernels/8wave.yaml"), "--set", "K=1024")
    assert re.findall(r"^(\w+) ", shown, re.MULTILINE)[1:] == list(LABELS)
    assert "numbers right" in shown
    assert "% of what is possible" in shown


def test_it_says_what_waves_do_while_the_matrix_pipes_are_idle(root: Path) -> None:
    """As the details count it; nothing of a kernel without MFMAs."""
    shown = " ".join(screen(root, str(root / "kernels/8wave.yaml"), "--set", "K=1024", "--details").split())
    found = re.search(
        r"The matrix pipes are idle (\d+) % of the time, mostly while waves (.*?)\. try ", shown
    )
    busy = re.search(r"MFMA busy ([\d.]+) %", shown)
    assert found is not None
    assert busy is not None
    assert int(found[1]) + float(busy[1]) == pytest.approx(100, abs=0.6)
    assert re.fullmatch(r"write LDS \(\d+ %\), read LDS \(\d+ %\), access global memory \(\d+ %\)", found[2])
    none = screen(root, str(root / "kernels/lessons/one_read.s"), "--block", "64")
    assert "why" in none
    assert "matrix pipes are idle" not in none


def test_what_to_try_is_what_was_simulated(root: Path) -> None:
    """Explain tries the same edit, and more; the clocks are the same."""
    options = RunOptions(settings={"K": "1024"})
    said = at_a_glance(run_kernel(root / "kernels/8wave.yaml", options)).to_try
    explained = CliRunner().invoke(cli, ["explain", str(root / "kernels/8wave.yaml"), "--set", "K=1024"])
    text = " ".join(explained.output.split())
    edit, clk = re.fullmatch(r".*?(issue these global loads) .*: ([\d.]+) in place of .*", said).groups()
    assert edit in text
    assert f"({clk} left)" in text


def test_a_wrong_kernel_is_mended_before_it_is_made_faster(root: Path) -> None:
    shown = screen(root, str(root / "kernels/wrong/wrong-result.yaml"))
    assert "verdict  bad: wrong numbers" in shown
    assert f"try      {MEND_FIRST}" in shown


def test_every_bound_has_words() -> None:
    assert set(BOUND_WORDS) == set(BOUND_NAMES)


def test_a_predicted_run_says_where_its_lines_come_from(root: Path) -> None:
    """The shares are those of the details, and the level that is the largest bound is said to limit."""
    kernel = (str(root / "kernels/8wave.yaml"), "--set", "K=256")
    shown = " ".join(screen(root, *kernel, "--arch", "MI325X", "--details").split())
    said = re.search(r"memory (\d+) % of cache lines come from L2, (\d+) % from HBM; HBM limits", shown)
    assert said is not None
    details = re.search(
        r"round of workgroups: (\d+) % of lines wait for HBM.*?(\d+) % of lines find L2", shown
    )
    assert said.groups() == details.groups()[::-1]
    assert "% of what is possible" in shown
    assert "(HBM)" in shown
    assert not re.search(r"^memory", screen(root, *kernel), re.MULTILINE)  # an input, not predicted


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_keeps_to_the_width(root: Path, width: int) -> None:
    shown = screen(root, str(root / "kernels/8wave.yaml"), "--set", "K=256", "--width", str(width))
    assert max(map(len, shown.splitlines())) <= width


def test_details_have_all_figures(root: Path) -> None:
    short = screen(root, str(root / "kernels/8wave.yaml"), "--set", "K=256")
    details = screen(root, str(root / "kernels/8wave.yaml"), "--set", "K=256", "--details")
    assert details.startswith(short.rstrip())
    for block in ("Figures", "Bounds", "Where the clocks go"):
        assert block not in short
        assert block in details
