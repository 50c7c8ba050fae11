"""The example notebooks run from top to bottom, and what their cells end in shows itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_pages import NOTEBOOKS, ROOT, run_cell


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)  # the first with the cells' ids
    names: dict[str, Any] = {}
    pictures = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            shown = run_cell("".join(cell["source"]), names)
            html = getattr(shown, "_repr_html_", None)
            if html is not None:
                pictures += "data:image/svg+xml" in html()
            assert repr(shown)
    assert pictures >= 2


def test_there_is_one() -> None:
    assert NOTEBOOKS
