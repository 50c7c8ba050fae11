"""Rows of a CSV file of isa/: lines that begin with # are comments, and every cell is filled in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from wavesim.errors import SourceSpan, UserError
from wavesim.source_text import read_text


def complete_rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The rows, by the names of their columns.

    Raises:
        UserError: a row is not complete, or the columns are others.
    """
    lines = [line for line in read_text(path).splitlines() if line and not line.startswith("#")]
    for row in csv.DictReader(lines):
        if tuple(row) != columns or not all(row.values()):
            raise incomplete(path, columns, row)
        yield row


def incomplete(path: Path, columns: tuple[str, ...], row: dict[str, str]) -> UserError:
    """What is said of a row that cannot be used."""
    return UserError(f"a row without {', '.join(columns)}: {row}", SourceSpan(str(path)))
