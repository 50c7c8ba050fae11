"""Adversarial execution of deep tile programs is cut to a smaller depth, and the result says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import wavesim.api
from wavesim.cli.main import cli
from wavesim.pipeline import shorter
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.pipeline.shorter import DEPTH, shorter_kernel

KERNEL = Path(__file__).resolve().parents[2] / "kernels" / "8wave.yaml"


def test_only_the_depth_differs() -> None:
    options = RunOptions(settings={"K": "2048"})
    kernel, _ = prepare(KERNEL, options)
    short = shorter_kernel(KERNEL, options, kernel)
    assert short is not None
    assert (short.name, short.value, short.was) == ("K", DEPTH, 2048)
    assert short.kernel.launch.matrix("C") == kernel.launch.matrix("C")


@pytest.mark.parametrize("depth", ["512", "960"])
def test_small_ones_are_executed_as_they_are(depth: str) -> None:
    options = RunOptions(settings={"K": depth})
    kernel, _ = prepare(KERNEL, options)
    assert shorter_kernel(KERNEL, options, kernel) is None


def test_the_output_says_what_was_shortened() -> None:
    for words in ([], ["--json"]):
        call = CliRunner().invoke(cli, ["check", str(KERNEL), "--set", "K=1024", *words])
        assert "adversarial execution was shortened to K=512 (the launch has 1024)" in call.output
    assert json.loads(call.output)["good"] is True


def test_it_is_lowered_once_more_not_once_for_each_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    options = RunOptions(settings={"K": "2048"})
    kernel, _ = prepare(KERNEL, options)
    tried: list[RunOptions] = []

    def counted(path: Path, changed: RunOptions) -> object:
        tried.append(changed)
        return prepare(path, changed)

    monkeypatch.setattr(shorter, "prepare", counted)
    assert shorter_kernel(KERNEL, options, kernel) is not None
    assert [each.settings for each in tried] == [{"K": str(DEPTH)}]


def test_the_api_and_the_page_shorten_too(tmp_path: Path) -> None:
    words = "adversarial execution was shortened to K=512 (the launch has 1024)"
    assert words in wavesim.api.check(KERNEL, settings={"K": 1024}).text
    page = tmp_path / "page.html"
    call = CliRunner().invoke(
        cli, ["report", str(KERNEL), "--set", "K=1024", "--no-explain", "-o", str(page)]
    )
    assert call.exception is None, call.output
    assert words in page.read_text(encoding="utf-8")
