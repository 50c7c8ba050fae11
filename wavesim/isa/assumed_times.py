"""isa/assumed_times.csv: instructions whose time nobody has measured, and what is taken for it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from wavesim.isa.archs import ARCHS
from wavesim.isa.csv_rows import complete_rows, incomplete
from wavesim.isa.opcodes import expand
from wavesim.isa.paths import data_dir

FILE = "assumed_times.csv"
COLUMNS = ("name", "opcodes", "archs", "taken", "why")


@dataclass(frozen=True, slots=True)
class AssumedTime:
    """A kind of instruction without a measured time.

    ``opcodes`` are patterns of their names, ``patterns`` the same one by one, with ``_dpp`` or ``_to_lds``
    behind the name of what is. ``taken`` says what its time is taken for, ``why`` what speaks for it, or that
    nothing does.
    """

    name: str
    opcodes: str
    patterns: tuple[str, ...]
    archs: tuple[str, ...]
    taken: str
    why: str


@cache
def assumed_times() -> tuple[AssumedTime, ...]:
    """All kinds, in the file's order.

    Raises:
        UserError: a row is not complete, or names an architecture that there is not.
    """
    path = data_dir("isa") / FILE
    found = []
    for row in complete_rows(path, COLUMNS):
        archs = ARCHS if row["archs"] == "*" else tuple(row["archs"].split())
        if not set(archs) <= set(ARCHS):
            raise incomplete(path, COLUMNS, row)
        patterns = tuple(expand(row["opcodes"]))
        found.append(
            AssumedTime(row["name"], row["opcodes"], patterns, tuple(archs), row["taken"], row["why"])
        )
    return tuple(found)


@cache
def assumed_time(opcode: str, arch: str) -> AssumedTime | None:
    """What is taken for the time of ``opcode`` (with its ``_dpp`` or ``_to_lds``); ``None``: it was seen."""
    return next(
        (
            each
            for each in assumed_times()
            if arch in each.archs and any(fnmatchcase(opcode, pattern) for pattern in each.patterns)
        ),
        None,
    )
