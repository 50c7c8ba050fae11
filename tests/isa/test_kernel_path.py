"""A kernel that wavesim brings is found under its name in any folder; a file that is there goes first."""

from __future__ import annotations

from pathlib import Path

import pytest

import wavesim
from wavesim.isa.paths import data_dir, kernel_path


def test_shipped_kernels_are_found_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = kernel_path("kernels/lessons/strong_wait.s")
    assert found == data_dir("kernels") / "lessons" / "strong_wait.s"
    assert wavesim.run("kernels/lessons/strong_wait.s").clk_total > 0


def test_own_files_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "kernels" / "8wave.yaml"
    own.parent.mkdir()
    own.write_text("mine")
    assert kernel_path("kernels/8wave.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["8wave.yaml", "kernels/none.yaml", "kernels/../isa/gfx942.yaml", "other/kernels/8wave.yaml"]
)
def test_other_names_stay_as_they_are(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert kernel_path(name) == Path(name)
