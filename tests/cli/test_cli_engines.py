"""Whichever engine times, the same bytes are printed and written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
KERNEL = str(ROOT / "kernels" / "8wave.yaml")
ENGINES = ("compiled", "simpy", "both", "auto")


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(cli, [*arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", KERNEL, "--set", "K=512"],
        ["run", KERNEL, "--set", "K=512", "--json"],
        ["compare", KERNEL, str(ROOT / "kernels" / "4wave.yaml"), "--set", "K=256"],
    ],
)
def test_the_same_text(arguments: list[str]) -> None:
    texts = {printed(*arguments, "--engine", engine) for engine in ENGINES}
    assert len(texts) == 1
    assert "gfx942" in texts.pop()


def test_the_same_page(tmp_path: Path) -> None:
    pages = []
    for engine in ENGINES[:2]:
        page = tmp_path / f"{engine}.html"
        printed("report", KERNEL, "--set", "K=256", "--engine", engine, "-o", str(page))
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
