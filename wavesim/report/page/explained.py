"""What the page shows of an explanation: words, figures, and the critical path as stretches of clocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wavesim.errors import SourceSpan
from wavesim.explanation.critical_path import CriticalPath, Link
from wavesim.explanation.explanation import Explanation
from wavesim.report.json.run import Json
from wavesim.report.page.columns import ColumnWriter
from wavesim.report.text.explanation import CAUSES
from wavesim.report.text.ladder import SIGNS, per_pass, signs
from wavesim.words import number

MOST_LINKS = 20_000
"""Links of a chain that a page draws; a longer one (a whole run without a loop) is cut at its start."""

LINK_COLUMNS = ("wave", "row", "start", "end", "cause", "about_wave", "about_row")


def explained(found: Explanation, columns: ColumnWriter) -> dict[str, Json]:
    """The explanation as plain data; the links of the critical path go to ``columns``."""
    return {
        "clk": found.pace_clk,
        "per": "clk/iteration" if found.per_iteration else "clk",
        "steady": f"{number(found.steady_clk)} {per_pass(found)}" if found.per_iteration else "",
        "path_per": per_pass(found),
        "path": _path(found, columns),
        "ladder": [
            {
                "name": each.name,
                "text": each.text,
                "clk": each.clk,
                "gain": each.gain_clk,
                "exact": each.exact,
                "signs": signs(each),
            }
            for each in found.ladder
        ],
        "signs": [text for text, is_meant in SIGNS if any(is_meant(each) for each in found.ladder)],
        "see": f"wavesim run {found.run.kernel.file} --what-if",
        "exposed": [
            {
                "place": _place(each.span),
                "wait": _place(each.wait),
                "opcode": each.opcode,
                "loads": each.loads,
                "latency": list(each.latency_clk),
                "clk": each.exposed_clk,
                "mfmas": each.mfmas,
            }
            for each in found.exposed
        ],
        "strong": [
            {
                "place": _place(each.span),
                "written": each.written,
                "enough": each.enough,
                "clk": each.cost_clk,
            }
            for each in found.strong_waits
        ],
        "advice": [
            {
                "text": each.text,
                "places": [_place(span) for span in each.spans],
                "clk": each.clk,
                "gain": each.gain_clk,
                "exact": each.exact,
                "checked": each.how_checked,
            }
            for each in found.advice
        ],
        "tried": found.tried,
    }


def _place(span: SourceSpan | None) -> Json:
    """File and line, of the source where the line was compiled from one."""
    if span is not None and span.source is not None:
        span = span.source
    return [span.file, span.line] if span is not None and span.line else None


def _path(found: Explanation, columns: ColumnWriter) -> dict[str, Json]:
    path = found.path
    causes = list(path.per_iteration)
    stretches = list(_stretches(path))[-MOST_LINKS:]
    table = np.array([(*each[:4], causes.index(each[4]), *each[5:]) for each in stretches], np.int64)
    table = table.reshape(-1, len(LINK_COLUMNS))
    return {
        "causes": [[CAUSES.get(name, name), clk] for name, clk in path.per_iteration.items()],
        "periods": path.periods,
        "period_clk": path.period_clk,
        "iterations": path.iterations,
        "period_rows": [[wave, rows] for wave, rows in sorted(path.period_rows.items())],
        "slack": [[wave, code, clk] for (wave, code), clk in path.slack_clk.items()],
        **{name: columns.add(table[:, at]) for at, name in enumerate(LINK_COLUMNS)},
    }


def _stretches(path: CriticalPath) -> Iterator[tuple[int, int, int, int, str, int, int]]:
    """Per link its wave, row, from clk, to clk, cause, and wave and row of the instruction it is about.

    A closed chain is laid out in time: each link is moved by whole periods to where the one before it ends.
    """
    moved = 0  # periods
    clk = path.links[0].at_clk - path.links[0].clk if path.links else 0
    before: Link | None = None
    for link in path.links:
        rows = path.period_rows.get(link.after.wave, 0)
        if before is not None and rows:
            moved += (before.event.row - link.after.row) // rows
        before = link
        about = link.after if link.event.kind == "issue" and link.after.kind != "issue" else link.event
        if link.clk:
            yield (
                link.event.wave,
                link.event.row + moved * path.period_rows.get(link.event.wave, 0),
                clk,
                clk + link.clk,
                link.cause,
                about.wave,
                about.row + moved * path.period_rows.get(about.wave, 0),
            )
        clk += link.clk
