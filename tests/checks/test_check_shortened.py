"""Adversarial execution of deep tile programs is cut to a smaller depth, and the result says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import wavesim.api
from wavesim.cli.main import cli
from wavesim.front.launch.model import LoadedKernel
from wavesim.pipeline import run, shorter
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
    options = RunOptions(settings=dict.fromkeys("MNK", "2048"))
    kernel, _ = prepare(KERNEL, options)
    tried: list[RunOptions] = []

    def counted(path: Path, changed: RunOptions) -> object:
        tried.append(changed)
        return prepare(path, changed)

    monkeypatch.setattr(shorter, "prepare", counted)
    assert shorter_kernel(KERNEL, options, kernel) is not None
    assert [each.settings["K"] for each in tried] == [str(DEPTH)]


def test_the_api_and_the_page_shorten_too(tmp_path: Path) -> None:
    words = "adversarial execution was shortened to K=512 (the launch has 1024)"
    assert words in wavesim.api.check(KERNEL, settings={"K": 1024}).text
    page = tmp_path / "page.html"
    call = CliRunner().invoke(
        cli, ["report", str(KERNEL), "--set", "K=1024", "--no-explain", "-o", str(page)]
    )
    assert call.exception is None, call.output
    assert words in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["check", "report"])
def test_a_kernel_is_lowered_once_and_once_shorter(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``report`` is without its explanation here, which lowers the edits that it tries."""
    lowered = []
    plain = run.LOADERS[".yaml"]

    def counted(path: Path, *rest: Any) -> LoadedKernel:
        lowered.append(path)
        return plain(path, *rest)

    monkeypatch.setitem(run.LOADERS, ".yaml", counted)
    monkeypatch.setattr(run, "_load_tile_program", counted)
    more = ["--no-explain", "-o", str(tmp_path / "page.html")] if command == "report" else []
    result = CliRunner().invoke(cli, [command, str(KERNEL), "--set", "K=1024", "--set", "M=1024", *more])
    assert result.exit_code == 0, result.output
    assert len(lowered) == 2
