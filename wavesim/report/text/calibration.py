"""The report of a calibration as one page for the browser, without any outside address."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wavesim.words import percent, signed_percent

STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .15rem .8rem; text-align: right; border-bottom: 1px solid #8884 }
th:first-child, td:first-child { text-align: left; font-family: ui-monospace, monospace }
td:last-child.words { text-align: left }
.bad { color: #c0392b; font-weight: bold }
.note { border-left: 4px solid #c77d00; padding: .3rem .8rem }
"""


def calibration_page(data: Mapping[str, Any]) -> Iterator[str]:
    """The page in pieces, from the JSON report (``--report FILE.json`` holds the same)."""
    device = data["device"]
    title = f"calibration of {device['name']}"
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
    yield f"<style>{STYLE}</style></head><body>\n<h1>{_text(title)}</h1>\n"
    facts = f"{device['arch']}, {device['compute_units']} compute units, {device['clock_mhz']:g} MHz, "
    facts += f"driver {device['driver']}, runtime {device['runtime']}, {data['date']}"
    yield f"<p>{_text(facts)}</p>\n"
    if device["virtual"]:
        words = "This device is wavesim's own model, not a GPU: nothing here was measured."
        yield f'<p class="note">{_text(words)}</p>\n'
    poor = [each for each in data["benchmarks"] if each["poor"]]
    if data["good"] and data["benchmarks"]:
        yield f"<p>Good fit: all {len(data['benchmarks'])} benchmarks agree with the model.</p>\n"
    elif poor:
        count = f"{len(poor)} of {len(data['benchmarks'])}"
        yield f'<p class="bad">Poor fit: {count} benchmarks disagree with the model.</p>\n'
    if "kernel" in data:
        yield from _kernel(data["kernel"])
    yield "<h2>Values</h2>\n"
    yield from _table(
        ("value", "stock", "found", "interval", "clocks", ""),
        (
            (
                each["name"],
                each["stock"],
                each["value"] if each["determined"] else "-",
                f"{each['low']} to {each['high']}",
                each["observations"],
                each["why"],
            )
            for each in data["values"]
        ),
    )
    yield from _chip(data["chip"])
    yield "<h2>Benchmarks</h2>\n"
    yield from _table(
        ("benchmark", "measured, clk", "simulated, clk", "error, clk", ""),
        (
            (
                each["name"],
                f"{each['measured_clk']:.1f}",
                f"{each['simulated_clk']:.1f}",
                f"{each['simulated_clk'] - each['measured_clk']:+.1f}",
                "disagrees" if each["poor"] else "",
            )
            for each in sorted(data["benchmarks"], key=lambda each: not each["poor"])
        ),
    )
    yield "</body></html>\n"


def _chip(chip: Mapping[str, Any]) -> Iterator[str]:
    """What was found of the chip around a compute unit, and the curves behind it."""
    if not chip["values"] and not chip["curves"]:
        return
    yield "<h2>The chip around a compute unit</h2>\n"
    if chip["stand_in"]:
        yield '<p class="note">A stand-in answered; nothing of it was measured or simulated.</p>\n'
    yield from _table(
        ("value", "stock", "found", "spread", "readings", ""),
        (
            (
                each["name"],
                _number(each["stock"]),
                _number(each["value"]) if each["determined"] else "-",
                f"{each['low']:.7g} to {each['high']:.7g}",
                each["observations"],
                each["why"],
            )
            for each in chip["values"]
        ),
    )
    for curve in chip["curves"]:
        yield f"<h3>{_text(curve['title'])}</h3>\n"
        labels = curve["labels"] or [""] * len(curve["rows"])
        rows = zip(labels, curve["rows"], strict=True)
        columns = ("", *curve["columns"])
        yield from _table(columns, ([label, *(f"{each:.7g}" for each in row)] for label, row in rows))


def _number(value: object) -> str:
    """A number, a range or a table of numbers."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {each:g}" for key, each in value.items()) or "none"
    if isinstance(value, tuple | list):
        return " to ".join(f"{each:g}" for each in value)
    return f"{value:.7g}"


def _kernel(kernel: Mapping[str, Any]) -> Iterator[str]:
    """Measured beside simulated."""
    yield f"<h2>The real kernel: {_text(kernel['kernel'])}</h2>\n"
    simulated = kernel["simulated"]
    rows: list[Sequence[object]] = [
        (
            f"{'clk of a wave' if kernel['whole_run'] else 'clk/iteration'}, {name}",
            f"{kernel['measured'][name]:.1f}",
            *(f"{each['clk_per_iteration'][name]:.1f}" for each in simulated),
        )
        for name in ("median", "p10", "p90")
    ]
    rows.append(("error", "", *(signed_percent(each["error"]) for each in simulated)))
    rows.append(("LDS hidden", "", *(percent(each["hidden"]) for each in simulated)))
    rows.append(("MFMA busy", "", *(percent(each["mfma_busy"]) for each in simulated)))
    rows.append(("cost of the stamps, clk", "", *(f"{each['stamping_clk']:+.0f}" for each in simulated)))
    rows += [
        (f"stall: {reason}, clk", "", *(f"{each['stalls_clk'].get(reason, 0):.1f}" for each in simulated))
        for reason in sorted({name for each in simulated for name in each["stalls_clk"]})
    ]
    yield from _table(("", "measured", *(each["machine"] for each in simulated)), rows)
    error = kernel["max_rel_error"]
    size = "" if error is None else f", max rel error {error:.1e}"
    yield f"<p>Numbers: {kernel['numbers']}{size}.</p>\n"
    if kernel.get("verdict"):
        yield f"<p>{_text(kernel['verdict'])}</p>\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in head) + "</tr>\n"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>\n"
    yield "</table>\n"


def _text(value: object) -> str:
    return html.escape(str(value))
