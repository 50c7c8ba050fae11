"""Which word behind an option with an optional file name is that file, and which is what to work on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from wavesim.isa.names import known_name

STDOUT = "-"

FILE_OPTIONS = ("--json", "--sarif")
"""Options whose file name may be left out."""


def keep_operands(arguments: Sequence[str]) -> list[str]:
    """The arguments, with ``--json=-`` where what follows ``--json`` is no file to write.

    That is what exists already under another suffix, a kernel or a trace's folder: it is to be read, and must
    not be overwritten. Nor is a machine's name a file.
    """
    kept = []
    for index, argument in enumerate(arguments):
        follows = arguments[index + 1] if index + 1 < len(arguments) else ""
        if argument in FILE_OPTIONS and not _is_output(follows):
            argument += f"={STDOUT}"
        kept.append(argument)
    return kept


def _is_output(name: str) -> bool:
    if name == STDOUT or Path(name).suffix in (".json", ".sarif"):
        return True
    return bool(name) and not name.startswith("-") and known_name(name) is None and not os.path.exists(name)
