"""Builds the compiled timing engine with whatever C compiler there is.

Standard library only, and nothing of wavesim: the package's build (``hatch_build.py``) loads this file by
its path. The library's name holds the machine and a hash of the source, so that a stale one is not found.
What only building needs is imported when something is built: each start asks where the library is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SOURCE = FOLDER / "engine.c"
COMPILERS = ("cc", "clang", "gcc")
FLAGS = ("-std=c11", "-O3", "-shared", "-fvisibility=hidden")
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


def source_hash() -> str:
    """The first 16 hexadecimal digits of the source's SHA-256."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]


def library_path() -> Path:
    """Where the library of this source for this machine is, or would be."""
    machine = f"{sys.platform}-{platform.machine().lower()}"
    return FOLDER / f"engine-{machine}-{source_hash()}{SUFFIX}"


def compilers() -> list[list[str]]:
    """The commands to try, in this order: ``$CC`` alone if it is set, else those that are installed."""
    import shlex
    import shutil

    if os.environ.get("CC"):
        return [shlex.split(os.environ["CC"])]
    return [[name] for name in COMPILERS if shutil.which(name)]


def build(target: Path | None = None, extra_flags: Sequence[str] = ()) -> str:
    """Build the library; what went wrong, or nothing if it is there.

    Args:
        target: where to put it; None: where it is looked for, libraries of other sources being removed.
        extra_flags: added to the compiler's, for sanitizers.
    """
    path = target or library_path()
    tried = []
    for command in compilers():
        problem = compile_with(command, path, extra_flags)
        if not problem:
            if target is None:
                _remove_others(path)
            return ""
        tried.append(f"{' '.join(command)}: {problem}")
    return "; ".join(tried) or "no C compiler ($CC, " + ", ".join(COMPILERS) + ")"


def compile_with(command: Sequence[str], path: Path, extra_flags: Sequence[str]) -> str:
    """Compile beside the target and move it there whole: another process may be loading or building it."""
    import subprocess
    import tempfile

    flags = [*FLAGS, *extra_flags, f'-DWAVESIM_SOURCE_HASH="{source_hash()}"']
    if sys.platform != "win32":
        flags.append("-fPIC")
    try:
        with tempfile.TemporaryDirectory(prefix=".build-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            arguments = [*command, *flags, str(SOURCE), "-o", str(made)]
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
            os.replace(made, path)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


def _remove_others(path: Path) -> None:
    machine = path.name.rsplit("-", 1)[0]
    for other in FOLDER.glob(f"{machine}-*{SUFFIX}"):
        if other != path:
            with contextlib.suppress(
                OSError
            ):  # in use, or not ours: it is not found under this source's name
                other.unlink()
