"""Which files a command reads: no output may replace one of them.

A file is known by what it is on its disk, not by its name. So another spelling, a symbolic or a hard link
is the same file. Each file that is opened for reading is noted, also includes and bases. Each path of the
command line is noted before anything is done. Outside of a command (in Python) nothing is noted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wavesim.errors import SourceSpan, UserError

Identity = tuple[int, int]
PathLike = str | os.PathLike[str]


@dataclass
class _Noted:
    inputs: set[Identity] = field(default_factory=set)
    outputs: dict[Identity | str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)


_noted: _Noted | None = None
_read: dict[str, None] | None = None


@contextmanager
def noted_inputs() -> Iterator[None]:
    """Within it, files that are read are remembered."""
    global _noted
    before, _noted = _noted, _Noted()
    try:
        yield
    finally:
        _noted = before


@contextmanager
def files_read() -> Iterator[dict[str, None]]:
    """Gives the absolute paths of the files that are read within it, in order, as keys."""
    global _read
    before, _read = _read, {}
    try:
        yield _read
    finally:
        _read = before


def note_input(path: PathLike) -> None:
    """Remember a file, or a folder with all that is in it, as one that is read.

    Raises:
        UserError: it is to be written, too.
    """
    if _read is not None and os.path.isfile(path):
        _read[os.path.abspath(path)] = None
    if _noted is None or (identity := _identity(path)) is None:
        return
    if os.path.realpath(path) in _noted.written:
        return
    _noted.inputs.add(identity)
    for key, output in _noted.outputs.items():
        if not isinstance(key, str):
            _refuse(output)


def plan_output(path: PathLike) -> None:
    """Remember a file as one that the command is going to write.

    Raises:
        UserError: it is read, or another output goes there, too.
    """
    if _noted is None:
        return
    _refuse(path)
    identity = _identity(path)
    regular = identity is None or os.path.isfile(path)
    key: Identity | str = identity or os.path.realpath(path)
    if regular and key in _noted.outputs:
        raise UserError("two outputs go to this file", SourceSpan(str(path)), "give each a file of its own")
    _noted.outputs[key] = os.fspath(path)


def refuse_input(path: PathLike) -> None:
    """To be called before a file is written.

    Raises:
        UserError: the command reads it.
    """
    if _noted is not None:
        _refuse(path)
        _noted.written.add(os.path.realpath(path))


def _refuse(path: PathLike) -> None:
    assert _noted is not None
    identity = _identity(path)
    if identity is None or os.path.realpath(path) in _noted.written:
        return
    hint = "give the output another name"
    if identity in _noted.inputs:
        raise UserError("the output would replace an input of this command", SourceSpan(str(path)), hint)
    if os.path.isdir(path):
        return
    for folder in Path(os.path.realpath(path)).parents:
        if _identity(folder) in _noted.inputs:
            raise UserError(
                f"the output would replace a file of {folder}, which this command reads",
                SourceSpan(str(path)),
                hint,
            )


def _identity(path: PathLike) -> Identity | None:
    """What a path stands for on its disk; ``None`` where there is nothing, or no file and no folder."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not (os.path.isfile(path) or os.path.isdir(path)):
        return None
    return found.st_dev, found.st_ino
