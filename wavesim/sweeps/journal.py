"""The journal of a sweep: results in the order in which they came, a line each, so that it can go on.

A line that a killed process left half-written is cut off when the journal is opened again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import IO

from wavesim.errors import SourceSpan, UserError
from wavesim.inputs import refuse_input
from wavesim.sweeps.cells import Result, result_text

_FIELDS = {each.name for each in fields(Result)}


class Journal:
    """An open journal: ``known`` are the results that were in it, by key."""

    def __init__(self, file: IO[bytes], known: dict[str, Result]) -> None:
        self.file = file
        self.known = known

    def add(self, result: Result) -> None:
        """Appends a result, if it would be the same again."""
        if result.lasting:
            self.file.write(result_text(result).encode() + b"\n")
            self.file.flush()


def journal_path(output: Path) -> Path:
    """The journal that belongs to a table: ``out.csv`` -> ``out.csv.journal``."""
    return output.with_name(f"{output.name}.journal")


@contextmanager
def open_journal(path: Path, *, resume: bool) -> Iterator[Journal]:
    """Opens the journal, or makes it. It is removed when the sweep is done, unless that was resumed.

    Raises:
        UserError: there is one already and ``resume`` was not asked for; another sweep writes it; it is none.
    """
    refuse_input(path)
    try:
        file = path.open("a+b")
    except OSError as error:
        raise UserError(f"{path}: cannot write here: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{path}: another sweep is writing this journal") from None
        known = _read(path, file)
        if known and not resume:
            raise UserError(
                f"{path}: {len(known)} results of a sweep that was stopped",
                None,
                "--resume goes on with them; remove the file to begin anew",
            )
        done = False
        try:
            yield Journal(file, known)
            done = not resume
        finally:
            if done or not file.seek(0, os.SEEK_END):
                path.unlink(missing_ok=True)


def _read(path: Path, file: IO[bytes]) -> dict[str, Result]:
    file.seek(0)
    whole, _, _ = file.read().rpartition(b"\n")
    file.truncate(len(whole) + 1 if whole else 0)
    known = {}
    for number, line in enumerate(whole.split(b"\n") if whole else (), 1):
        try:
            data = json.loads(line)
            known[data["key"]] = Result(**{name: data[name] for name in _FIELDS})
        except (ValueError, KeyError, TypeError):
            raise UserError("not a line of a sweep's journal", SourceSpan(str(path), number)) from None
    return known
