"""Writes output files: whole or not at all, and never over a file that the command reads."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from wavesim.errors import UserError
from wavesim.inputs import refuse_input


def write_atomically(path: Path, parts: Iterable[str | bytes]) -> None:
    """Write ``parts`` one after the other to a temporary file beside ``path``, then rename it.

    A symbolic link is followed; a device or a pipe, which cannot be replaced, is written to as it is.

    Raises:
        UserError: the file cannot be written, or it is one that the command reads.
    """
    refuse_input(path)
    target = Path(os.path.realpath(path))
    data = (part.encode("utf-8", "backslashreplace") if isinstance(part, str) else part for part in parts)
    try:
        mode = target.stat().st_mode if os.path.exists(target) else stat.S_IFREG
        if stat.S_ISDIR(mode):
            raise UserError(f"{path}: is a folder", hint="a file is needed")
        if not stat.S_ISREG(mode):
            with target.open("wb") as file:
                file.writelines(data)
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:64]}.", dir=target.parent)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot write here: {_reason(error)}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UserError(f"{path}: cannot be written: {_reason(error)}") from None
        raise


def _reason(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or error)
