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
SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}
HERE = f"{sys.platform}-{platform.machine().lower()}"
"""This machine: its operating system and processor, as Python names them."""

WHEELS = {
    "manylinux_2_17_x86_64": ("linux-x86_64", "x86_64-linux-gnu.2.17"),
    "manylinux_2_17_aarch64": ("linux-aarch64", "aarch64-linux-gnu.2.17"),
    "macosx_11_0_x86_64": ("darwin-x86_64", "x86_64-macos.11.0"),
    "macosx_11_0_arm64": ("darwin-arm64", "aarch64-macos.11.0"),
    "win_amd64": ("win32-amd64", "x86_64-windows-gnu"),
}
"""Platform tag of a released wheel -> the machine it is for, and that machine in the words of ``zig cc``.
The library needs nothing but C's own, so one machine builds all of them (``release/wheels.py``)."""


def source_hash() -> str:
    """The first 16 hexadecimal digits of the source's SHA-256."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]


def library_path(machine: str = HERE) -> Path:
    """Where the library of this source for a machine is, or would be."""
    suffix = SUFFIXES.get(machine.partition("-")[0], ".so")
    return FOLDER / f"engine-{machine}-{source_hash()}{suffix}"


def compilers() -> list[list[str]]:
    """The commands to try, in this order: ``$CC`` alone if it is set, else those that are installed."""
    import shlex
    import shutil

    if os.environ.get("CC"):
        return [shlex.split(os.environ["CC"])]
    return [[name] for name in COMPILERS if shutil.which(name)]


def build(target: Path | None = None, extra_flags: Sequence[str] = (), machine: str = HERE) -> str:
    """Build the library; what went wrong, or nothing if it is there.

    Args:
        target: where to put it; None: where it is looked for, libraries of other sources being removed.
        extra_flags: added to the compiler's, for sanitizers.
        machine: which it is for; one that is not this needs a compiler for it in ``$CC``.
    """
    path = target or library_path(machine)
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
    if path.suffix != SUFFIXES["win32"]:
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
    for other in FOLDER.glob(f"{machine}-*{path.suffix}"):
        if other != path:
            with contextlib.suppress(
                OSError
            ):  # in use, or not ours: it is not found under this source's name
                other.unlink()
