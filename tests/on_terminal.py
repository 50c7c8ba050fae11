"""What a command writes to a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path


def on_terminal(command: Sequence[str], cwd: Path | None = None) -> str:
    """Standard output and error of a command, as a terminal of its own gets them."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=cwd, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # how a terminal says that nobody writes any more
            pass
        process.wait(60)
    os.close(ours)
    return b"".join(parts).decode()
