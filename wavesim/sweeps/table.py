"""The table of a sweep, and how it is written: CSV, or Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wavesim.errors import UserError
from wavesim.program.verdict import Verdict
from wavesim.report.files import write_atomically
from wavesim.sweeps.measures import Value
from wavesim.sweeps.spec import Spec

Row = tuple[Value, ...]


@dataclass(frozen=True)
class SweepTable:
    """A sweep's rows in the order of its spec: the axes, then the figures, ``verdict`` and ``error``."""

    axes: tuple[str, ...]
    figures: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)
    spec: Spec = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return (*self.axes, *self.figures, "verdict", "error")

    @property
    def verdict(self) -> str:
        """``bad`` if any row's is, else ``unchecked``: a run alone calls no kernel good."""
        bad = any(verdict == Verdict.BAD for verdict in self["verdict"])
        return str(Verdict.BAD if bad else Verdict.UNCHECKED)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[Value]:
        """A column by its name."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]

    def to_dict(self) -> dict[str, list[Value]]:
        """Column name -> values; pandas makes a data frame of it."""
        return {name: self[name] for name in self.columns}

    def csv_parts(self) -> Iterator[str]:
        """The table as CSV, a piece for each row; what a run does not have is empty."""
        for row in (self.columns, *self.rows):
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow("" if value is None else value for value in row)
            yield line.getvalue()

    def __str__(self) -> str:
        return "".join(self.csv_parts())

    def _repr_html_(self) -> str:
        from wavesim.report.tables import SHOWN_ROWS, html_table

        return html_table(self.columns, self.rows[:SHOWN_ROWS], len(self))


def sweep_json(table: SweepTable) -> dict[str, Any]:
    """A table as plain data: of each run where it stands, its figures, verdict and error."""
    split = len(table.axes)
    return {
        "axes": list(table.axes),
        "figures": list(table.figures),
        "verdict": table.verdict,
        "runs": [
            {
                "at": dict(zip(table.axes, row[:split], strict=True)),
                "figures": dict(zip(table.figures, row[split:-2], strict=True)),
                "verdict": row[-2],
                "error": row[-1] or None,
            }
            for row in table.rows
        ],
    }


def writer_for(path: Path) -> Callable[[SweepTable], None]:
    """What writes a table to ``path``, by its ending.

    Raises:
        UserError: another ending than .csv and .parquet; Parquet without pyarrow.
    """
    if path.suffix == ".csv":
        return lambda table: write_atomically(path, table.csv_parts())
    if path.suffix != ".parquet":
        raise UserError(f"{path}: a table ends in .csv or .parquet")
    try:
        arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError:
        raise UserError(
            f"{path}: Parquet needs pyarrow", None, "pip install 'wavesim-cdna[sweep]', or write .csv"
        ) from None
    return lambda table: write_atomically(path, [_parquet(table, arrow, parquet)])


def _parquet(table: SweepTable, arrow: Any, parquet: Any) -> bytes:
    columns = {name: _of_one_type(values) for name, values in table.to_dict().items()}
    sink = io.BytesIO()
    parquet.write_table(arrow.table({name: arrow.array(values) for name, values in columns.items()}), sink)
    return sink.getvalue()


def _of_one_type(values: list[Value]) -> list[Value]:
    """Numbers stay numbers, whole ones become others' fractions; a column that has text is text."""
    there = {type(value) for value in values if value is not None}
    if str in there and len(there) > 1:
        return [None if value is None else str(value) for value in values]
    if float in there:
        return [None if value is None else float(value) for value in values]
    return values
