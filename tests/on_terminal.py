"""What a command writes to a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path


def read_all(descriptor: int) -> str:
    """What is written to a pipe or a terminal until nobody writes any more; it is closed then."""
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # how a terminal says that nobody writes any more
        pass
    os.close(descriptor)
    return b"".join(parts).decode("utf-8")


def on_terminal(command: Sequence[str], cwd: Path | None = None) -> str:
    """Standard output and error of a command, as a terminal of its own gets them."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=cwd, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = read_all(ours)
        process.wait(60)
    return shown
