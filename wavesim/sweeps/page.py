"""The page of a sweep: heat map over two axes, Pareto front of two figures, and the table, in one file."""

from __future__ import annotations

import html
from collections.abc import Iterator
from importlib.resources import files

from wavesim._version import __version__
from wavesim.errors import LimitExceeded
from wavesim.report.page import embedded, filled, style_sheet
from wavesim.sweeps.measures import MEASURES
from wavesim.sweeps.table import SweepTable

MAX_ROWS = 100_000
"""Rows of a page: what a browser holds."""


def refuse_rows(count: int) -> None:
    """Refuses a page of more rows than ``MAX_ROWS``.

    Raises:
        LimitExceeded: there are more.
    """
    if count > MAX_ROWS:
        raise LimitExceeded(f"{count} runs; a page has at most {MAX_ROWS}", None, "the table has all of them")


def page_parts(table: SweepTable) -> Iterator[str]:
    """The HTML text in pieces; the same table gives the same bytes."""
    refuse_rows(len(table))
    spec = table.spec
    payload = {
        "wavesim": __version__,
        "about": spec.about,
        "axes": [{"name": axis.name, "values": axis.values} for axis in spec.axes],
        "figures": [
            {"name": name, "label": MEASURES[name].label, "better": MEASURES[name].better}
            for name in table.figures
        ],
        "rows": table.rows,
        "page": {
            "rows": spec.page.rows,
            "columns": spec.page.columns,
            "figure": spec.page.figure,
            "front": spec.page.front,
        },
    }
    values = {
        "TITLE": html.escape(spec.about or spec.file),
        "STYLE": style_sheet() + _asset("sweep.css"),
        "PAYLOAD": embedded(payload),
        "SCRIPT": _asset("sweep.js"),
    }
    yield from filled(_asset("sweep.html"), values)


def _asset(name: str) -> str:
    return (files("wavesim.sweeps") / "assets" / name).read_text(encoding="utf-8")
