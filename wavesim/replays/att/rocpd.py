"""A rocpd database beside a raw trace: where its code objects were loaded, and the kernel of each dispatch.

rocprofv3's database (schema version 3: source/share/rocprofiler-sdk-rocpd/rocpd_tables.sql of
github.com/ROCm/rocm-systems, projects/rocprofiler-sdk) holds no thread trace and no code: the .att files and
the code objects lie beside it. Its tables end in a number of their own (``rocpd_info_code_object_0123...``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.inputs import note_input

MOST_ROWS = 100_000


@dataclass(frozen=True)
class Database:
    """``loaded_at``: code object -> address and size of its place in memory; ``kernels``: dispatch ->
    name."""

    loaded_at: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    kernels: Mapping[int, str] = field(default_factory=dict)


def read_database(path: Path) -> Database:
    """What a rocpd database says of code objects and dispatches.

    Raises:
        UserError: it is none.
    """
    note_input(path)
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            objects = _rows(
                connection, "rocpd_info_code_object", "SELECT id, load_base, load_size FROM {0} LIMIT ?"
            )
            symbols = _rows(connection, "rocpd_info_kernel_symbol", "SELECT id, kernel_name FROM {0} LIMIT ?")
            launches = _rows(
                connection, "rocpd_kernel_dispatch", "SELECT dispatch_id, kernel_id FROM {0} LIMIT ?"
            )
        finally:
            connection.close()
    except sqlite3.Error as error:
        hint = "a database of rocprofv3 --output-format rocpd is expected"
        raise UserError(f"is no rocpd database: {error}", SourceSpan(str(path)), hint) from None
    names = {int(number): str(name) for number, name in symbols}
    return Database(
        {int(number): (int(base), int(size)) for number, base, size in objects if base and size},
        {int(number): names[int(kernel)] for number, kernel in launches if int(kernel) in names},
    )


def _rows(connection: sqlite3.Connection, table: str, query: str) -> list[Any]:
    """Rows of all tables whose names begin so (one a process).

    Raises:
        sqlite3.Error: there is none, or it has other columns.
    """
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ? ESCAPE '\\' ORDER BY name",
        (table.replace("_", "\\_") + "%",),
    ).fetchall()
    if not found:
        raise sqlite3.DatabaseError(f"it has no table {table}")
    rows: list[Any] = []
    for (name,) in found:
        quoted = '"' + name.replace('"', '""') + '"'
        rows += connection.execute(query.format(quoted), (MOST_ROWS,)).fetchall()
    return rows
