"""docs/mcp.md does what it says: its configuration is JSON, its Python runs, its numbers are the code's."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import get_args

import pytest

from wavesim.mcp.answers import MOST_FINDINGS, SEARCHED, TOOLS
from wavesim.mcp.pool import Code
from wavesim.mcp.request import FLAGS, MAX_TEXT_BYTES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_the_configuration_is_json_for_this_command() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(block)["mcpServers"]["wavesim"]["args"][:2] == ["mcp", "--root"]


def test_the_tools_are_those_of_the_table() -> None:
    tools, _, errors = PAGE.partition("An error is one text")
    assert re.findall(r"^\| `(\w+)` \|", tools, re.MULTILINE) == list(TOOLS_IN_ORDER)
    assert set(TOOLS_IN_ORDER) == set(TOOLS)
    rows = re.findall(r"^\| (`.*?`) \|", errors, re.MULTILINE)
    assert re.findall(r"`([\w-]+)`", " ".join(rows)) == list(get_args(Code))


TOOLS_IN_ORDER = ("run", "check", "explain", "predict", "tune", "compare")


def test_the_bounds_are_the_codes() -> None:
    assert (MOST_FINDINGS, MAX_TEXT_BYTES, SEARCHED) == (5, 1_000_000, 0.3)
    for flag in ("-O0", "-O3", "-std=c++20", "-fno-fast-math", "-funroll-loops", "-ffp-contract=fast"):
        assert FLAGS.fullmatch(flag)


def test_the_python_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    anyio = pytest.importorskip("anyio", reason="needs the package mcp (extra mcp)")
    pytest.importorskip("mcp", reason="needs the package mcp (extra mcp)")
    (tmp_path / "kernels").symlink_to(ROOT / "kernels")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    head, _, body = block.partition("\n\n")
    source = f"{head}\nasync def talk():\n{textwrap.indent(body, '    ')}"
    names: dict[str, object] = {}
    exec(compile(source, "mcp.md", "exec"), names)
    anyio.run(names["talk"])
    clk, _, interval = capfd.readouterr().out.partition(" ")
    assert float(clk) > 2000
    assert "share" in interval
