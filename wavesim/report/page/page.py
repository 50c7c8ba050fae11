"""Page: template, style, scripts and payload put together into one file without any outside address."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files

from wavesim._version import __version__
from wavesim.report.page.columns import ColumnWriter
from wavesim.report.page.payload import Panel, panel_json, vocabulary
from wavesim.report.palette import colours

SCRIPTS = (
    *("run", "why", "clocks", "find", "link", "dom", "tip"),
    *("levels", "paint", "marks", "view", "split", "code", "panels", "player", "main"),
)
"""The modules of the page, in the order in which they are loaded: each uses only those before it."""

LARGEST_BYTES = 5_000_000


@dataclass(frozen=True)
class Chapter:
    """A part of a :class:`Story`: a heading, sentences, a table whose first row heads it, a listing."""

    heading: str
    sentences: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    listing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """What the panels of a page are there to show, in a tab of its own; the page opens with it, and with an
    iteration of each panel at the same clock."""

    name: str
    title: str
    chapters: tuple[Chapter, ...]


def page_parts(panels: Sequence[Panel], story: Story | None = None) -> Iterator[str]:
    """The HTML text in pieces; the same panels give the same bytes."""
    columns = ColumnWriter()
    runs = [panel_json(panel, columns) for panel in panels]
    payload = {
        "wavesim": __version__,
        "vocabulary": vocabulary(),
        "runs": runs,
        "story": asdict(story) if story is not None else None,
        "counts": columns.counts,
        "columns": columns.text(),
    }
    title = " | ".join(panel.title for panel in panels)
    values = {
        "TITLE": html.escape(title),
        "STYLE": style_sheet(),
        "PAYLOAD": embedded(payload),
        "SCRIPT": script(),
    }
    yield from filled(_asset("report.html"), values)


def embedded(payload: object) -> str:
    """Data as JSON inside a page: no ``</script>`` or ``<!--`` can end it early."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def script() -> str:
    """The modules as one script: without their imports, as all stand in one scope."""
    text = "\n".join(_asset(f"{name}.mjs") for name in SCRIPTS)
    text = re.sub(r"^import .*\n", "", text, flags=re.MULTILINE)
    return '"use strict";\n' + re.sub(r"^export ", "", text, flags=re.MULTILINE)


def style_sheet() -> str:
    """The look of the project's pages, with the palette on a light and on a dark ground."""
    return "".join(filled(_asset("report.css"), _colours()))


def _colours() -> dict[str, str]:
    """The palette as variables of the style sheet, on a light and on a dark ground."""
    return {
        "LIGHT": " ".join(f"--{name}: {glyph.light};" for name, glyph in colours().items()),
        "DARK": " ".join(f"--{name}: {glyph.dark};" for name, glyph in colours().items()),
    }


def filled(rest: str, values: Mapping[str, str]) -> Iterator[str]:
    """A template with ``{{NAME}}`` replaced, in pieces."""
    while "{{" in rest:
        before, _, rest = rest.partition("{{")
        name, _, rest = rest.partition("}}")
        yield before
        yield values[name]
    yield rest


def _asset(name: str) -> str:
    return (files("wavesim.report.page") / "assets" / name).read_text(encoding="utf-8")
