"""What `wavesim trace info` prints: a table of dispatches and compute units, and those that are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wavesim.isa.load import load_machine
from wavesim.replays.att.dispatches import OpenTraces, UnitRow
from wavesim.report.text.replay import trace_json, trace_lines
from wavesim.words import NOTHING, counted

Json = dict[str, Any]
KERNEL = 36


def table_lines(found: OpenTraces) -> Iterator[str]:
    """The table, and which are chosen; nothing where there is one compute unit only."""
    if len(found.rows) < 2:
        return
    dispatches = len({row.dispatch.name for row in found.rows})
    units = counted(len(found.rows), "compute unit")
    yield f"{dispatches} dispatch{'' if dispatches == 1 else 'es'}, {units} in all"
    yield f"{'dispatch':>9}  {'unit':<10}{'waves':>6}{'clk/iteration':>15}{'span, clk':>14}  kernel"
    for row in found.rows:
        number = NOTHING if row.dispatch.number is None else str(row.dispatch.number)
        clk = NOTHING if row.clk_per_iteration is None else f"{row.clk_per_iteration:,.1f}"
        yield (
            f"{number:>9}  {row.unit:<10}{row.waves:>6}{clk:>15}{row.figures.span_clk:>14,}  "
            f"{row.kernel[:KERNEL]}{_called(found, row)}"
        )
    what = ", of the kernel with most clocks" if len({row.kernel for row in found.rows}) > 1 else ""
    yield f"chosen{what}: the slowest, {found.slowest.name}; the typical (median) one, {found.typical.name}"
    yield "--dispatch N and --unit SE,CU choose another"
    yield ""


def _called(found: OpenTraces, row: UnitRow) -> str:
    names = [
        name
        for name, which in (("slowest", found.slowest), ("typical", found.typical))
        if which.key == row.key
    ]
    return f"  <- {', '.join(names)}" if names else ""


def traces_lines(found: OpenTraces) -> Iterator[str]:
    """What is in each of the traces chosen."""
    for place, (imported, name) in enumerate(zip(found.chosen, found.names, strict=True)):
        if place:
            yield ""
        if len(found.rows) > 1:
            yield f"== {name}"
        yield from trace_lines(imported, load_machine(imported.machine).parameters)


def _row_json(row: UnitRow) -> Json:
    clk = row.clk_per_iteration
    return {
        "dispatch": row.dispatch.number,
        "unit": row.unit,
        "kernel": row.kernel,
        "waves": row.waves,
        "clk_per_iteration": None if clk is None else round(clk, 2),
        "span_clk": row.figures.span_clk,
    }


def traces_json(found: OpenTraces) -> Json:
    """The documented JSON of `wavesim trace info`: head, units and notes are of the traces chosen."""
    first, *others = [trace_json(each, load_machine(each.machine).parameters) for each in found.chosen]
    for each in others:
        first["units"] += each["units"]
        first["notes"] += [note for note in each["notes"] if note not in first["notes"]]
    return {
        **first,
        "table": [_row_json(row) for row in found.rows],
        "slowest": _row_json(found.slowest),
        "typical": _row_json(found.typical),
    }
