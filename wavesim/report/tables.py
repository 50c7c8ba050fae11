"""Tables of a run as NumPy structured arrays: rows of the timeline, stalls, loops; pandas if it is there."""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.analyze.result import Analysis
from wavesim.analyze.stalls import issued_rows
from wavesim.errors import UserError
from wavesim.trace import REASON_NAMES, Reason, Timeline

SHOWN_ROWS = 20


class Table(np.ndarray[Any, np.dtype[np.void]]):
    """A structured array that shows itself; ``table["issue_clk"]`` is a column, ``table[3]`` a row.

    A slice or a mask selects a smaller table. Whatever takes a structured array takes a table, too:
    ``numpy.asarray(table)``, ``pandas.DataFrame(table)``, ``polars.DataFrame(table)``.
    """

    def __new__(cls, array: npt.NDArray[np.void]) -> Table:
        return np.asarray(array).view(cls)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.dtype.names or ())

    def to_dict(self) -> dict[str, list[Any]]:
        """Column name -> plain Python values."""
        return {name: self[name].tolist() for name in self.columns}

    def __getitem__(self, key: Any) -> Any:
        """A column by name, a row by number, or a Table of the rows that a slice or mask selects."""
        found = super().__getitem__(key)
        is_column = isinstance(found, Table) and found.dtype.names is None
        return found.view(np.ndarray) if is_column else found

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame.

        Raises:
            UserError: pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError as error:
            raise UserError("to_pandas() needs pandas", None, "pip install pandas") from error
        return pandas.DataFrame(self)

    def __repr__(self) -> str:
        cells = [self.columns, *([str(value) for value in row] for row in self[:SHOWN_ROWS].tolist())]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.columns))]
        lines = [
            "  ".join(value.rjust(width) for value, width in zip(row, widths, strict=True)) for row in cells
        ]
        if len(self) > SHOWN_ROWS:
            lines.append(f"... {len(self)} rows")
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html_table(self.columns, self[:SHOWN_ROWS].tolist(), len(self))


def html_table(columns: Sequence[str], rows: Iterable[Sequence[object]], total: int) -> str:
    """A table for a notebook: the rows given, and how many there are in ``total`` if those are more."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_shown(value))}</td>" for value in row) + "</tr>" for row in rows
    )
    more = f"<p>{total} rows</p>" if total > SHOWN_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _shown(value: object) -> str:
    """Floats with as many digits as a person reads."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def structured(columns: dict[str, Any]) -> Table:
    """A Table of equally long columns."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    length = len(next(iter(arrays.values()), ()))
    array = np.empty(length, [(name, values.dtype) for name, values in arrays.items()])
    for name, values in arrays.items():
        array[name] = values
    return Table(array)


def stall_table(analysis: Analysis) -> Table:
    """One row per wave: workgroup, wave, SIMD and the clocks of every reason; they add up to ``clk``."""
    names = list(
        dict.fromkeys([*REASON_NAMES.values(), *(n for wave in analysis.waves for n in wave.stalls)])
    )
    columns: dict[str, Any] = {
        "workgroup": np.array([wave.workgroup for wave in analysis.waves], np.int64),
        "wave": np.array([wave.wave for wave in analysis.waves], np.int64),
        "simd": np.array([wave.simd for wave in analysis.waves], np.int64),
        "clk": np.array([wave.clk for wave in analysis.waves], np.int64),
    }
    for name in names:
        columns[name] = np.array([wave.stalls.get(name, 0) for wave in analysis.waves], np.int64)
    return structured(columns)


def timeline_table(timeline: Timeline, from_clk: int = 0, to_clk: int | None = None) -> Table:
    """One row per executed instruction that issued in [from_clk, to_clk), by wave and in order.

    Columns: workgroup, wave, simd, row, line, opcode, attempt_clk, issue_clk, end_clk, done_clk, waited_clk
    (from the end of the instruction before to the issue) and reason (what most of them went to).
    """
    code = timeline.trace.code
    lines = np.array(
        [entry.instruction.span.line if entry.instruction.span else 0 for entry in code], np.int64
    )
    opcodes = np.array([entry.instruction.opcode for entry in code] or [""], dtype="U")
    names = np.array([REASON_NAMES[reason] for reason in Reason], dtype="U")
    parts: dict[str, list[npt.NDArray[Any]]] = {}
    for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
        rows = issued_rows(wave)
        issue = wave.issue_clk[:rows]
        first = int(np.searchsorted(issue, from_clk))
        last = rows if to_clk is None else int(np.searchsorted(issue, to_clk))
        count = last - first
        static = trace.code[first:last]
        clocks = np.zeros((count, len(Reason)), np.int64)
        low, high = np.searchsorted(wave.stall_row, (first, last))
        np.add.at(
            clocks,
            (wave.stall_row[low:high] - first, wave.stall_reason[low:high].astype(np.int64)),
            wave.stall_clk[low:high],
        )
        waited = clocks.sum(axis=1)
        most = np.where(waited > 0, clocks.argmax(axis=1) if count else 0, int(Reason.ISSUE))
        for name, values in {
            "workgroup": np.full(count, wave.workgroup, np.int64),
            "wave": np.full(count, wave.wave, np.int64),
            "simd": np.full(count, wave.simd, np.int64),
            "row": np.arange(first, last, dtype=np.int64),
            "line": lines[static],
            "opcode": opcodes[static],
            "attempt_clk": wave.attempt_clk[first:last],
            "issue_clk": issue[first:last],
            "end_clk": wave.end_clk[first:last],
            "done_clk": wave.done_clk[first:last],
            "waited_clk": waited,
            "reason": names[most],
        }.items():
            parts.setdefault(name, []).append(values)
    return structured({name: np.concatenate(values) for name, values in parts.items()})
