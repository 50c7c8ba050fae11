"""Wrong elements of a result, for people and programs: by the wave that stored them, with the first."""

from __future__ import annotations

import math
from typing import Any

from rich.text import Text

from wavesim.emulate.judge.wrong_places import WrongPlaces
from wavesim.pipeline.run import Run

SHOWN = 8
"""Waves that the terminal report lists."""

HEADS = ("rows", "columns", "wrong", "first at", "stored", "expected")


def wrong_lines(run: Run, width: int) -> list[Text]:
    """A line per wave that stored wrong elements, and one for those that none stored."""
    places, expect = run.numerics.wrong_places, run.kernel.launch.expect
    if not places or expect is None:
        return []
    several = len({each.workgroup for each in places}) > 1
    rows: list[tuple[str, ...]] = [("", *HEADS)]
    rows += [_cells(each, several) for each in places[:SHOWN]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS) + 1)]
    lines = [Text(f"Wrong elements  of {expect.result}, by the wave that stored them", style="bold")]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(Text("  " + "  ".join(cells).rstrip(), style="bright_black" if not number else ""))
    if len(places) > SHOWN:
        lines.append(Text("  ... and in other waves", style="bright_black"))
    for line in lines:
        line.truncate(width)
    return lines


def wrong_json(places: tuple[WrongPlaces, ...]) -> list[Any]:
    """The same as plain data; what is not a finite number is null."""
    return [
        {
            "workgroup": list(each.workgroup),
            "wave": each.wave,
            "rows": list(each.rows),
            "columns": list(each.columns),
            "wrong": each.wrong,
            "of": each.of,
            "first": [
                {
                    "row": element.row,
                    "column": element.column,
                    "got": _finite(element.got),
                    "stored": element.got is not None,
                    "expected": _finite(element.expected),
                }
                for element in each.first
            ],
        }
        for each in places
    ]


def _cells(places: WrongPlaces, several: bool) -> tuple[str, ...]:
    x, y, z = places.workgroup
    group = f"g{x},{y}{f',{z}' if z else ''} " if several else ""
    first = places.first[0]
    return (
        group + ("no wave" if places.wave is None else f"wave {places.wave}"),
        _range(places.rows),
        _range(places.columns),
        f"{places.wrong} of {places.of}",
        f"[{first.row}, {first.column}]",
        "-" if first.got is None else f"{first.got:.6g}",
        f"{first.expected:.6g}",
    )


def _range(limits: tuple[int, int]) -> str:
    return f"{limits[0]}-{limits[1]}" if limits[0] != limits[1] else str(limits[0])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
