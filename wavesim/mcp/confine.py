"""Keeps a process to its folders: what an untrusted kernel names is neither read nor written outside.

Two walls. Python's own opens pass an audit hook, everywhere. On Linux the process and every tool that it
starts (a compiler opens what the source includes) are confined by Landlock; where the system has none, tools
are not started.
"""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wavesim.isa.paths import PACKAGE, PLACES

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_SET_NO_NEW_PRIVS = 38
_PATH_BENEATH = 1
_READ = 1 | 1 << 2 | 1 << 3  # execute, read file, read folder
_READ_FILE = 1 | 1 << 2
_WRITE = 1 << 1
_ALL = (1 << 13) - 1
_BY_VERSION = {2: 1 << 13, 3: 1 << 14}
"""Rights that later versions of Landlock know: to link across folders, to truncate."""

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/opt/rocm", "/etc/alternatives")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/dev/urandom", "/dev/zero")
_SHARED_MEMORY = "/dev/shm"
_WRITTEN = ("/dev/null",)


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def confine(root: Path, scratch: Path) -> None:
    """From now on nothing is read but ``root``, the installation and the system's programs, and nothing
    written but ``scratch``; this cannot be undone."""
    readable = [root, *installation()]
    walled = _landlock(readable, [scratch])
    shared = [Path(_SHARED_MEMORY)]
    sys.addaudithook(_Hook([*readable, scratch, *shared], [scratch, *shared], tools=walled))


def installation() -> list[Path]:
    """Folders of Python and of wavesim."""
    checkout = [PACKAGE.parent / place for place in (*PLACES.values(), "docs")]
    paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()]
    libraries = [each for each in sys.path if Path(each).name in ("site-packages", "dist-packages")]
    found = [PACKAGE, *checkout, *map(Path, (*paths, *libraries))]
    return [each for each in dict.fromkeys(found) if each.exists()]


class _Hook:
    """Refuses to open files outside, and to start programs where nothing confines them."""

    def __init__(self, readable: Iterable[Path], writable: Iterable[Path], *, tools: bool) -> None:
        system = [Path(each) for each in _SYSTEM]
        self.readable = [os.path.realpath(each) for each in (*readable, *system)]
        self.files = {*_SYSTEM_FILES, *_WRITTEN}
        self.writable = [os.path.realpath(each) for each in writable]
        self.tools = tools

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            name, mode, flags = arguments
            if isinstance(name, (str, bytes)):
                self._opened(os.path.realpath(os.fsdecode(name)), _writes(mode, flags))
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system") and not self.tools:
            raise PermissionError("no program is started here: the system has no Landlock to confine it")

    def _opened(self, path: str, writes: bool) -> None:
        if path in _WRITTEN or (not writes and path in self.files):
            return
        folders = self.writable if writes else self.readable
        if not any(path == each or path.startswith(each + os.sep) for each in folders):
            raise PermissionError(f"{path} is outside the folder of this server")


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _landlock(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Confines this process and what it starts; false where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    handled = _ALL
    for since, right in _BY_VERSION.items():
        handled |= right if version >= since else 0
    rules = _Ruleset(handled)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    if ruleset < 0:
        return False
    for path in (*readable, *map(Path, _SYSTEM), *map(Path, _SYSTEM_FILES)):
        _allow(libc, ruleset, path, _READ if path.is_dir() else _READ_FILE)
    for path in writable:
        _allow(libc, ruleset, path, handled)
    _allow(libc, ruleset, Path(_SHARED_MEMORY), handled)
    for name in _WRITTEN:
        _allow(libc, ruleset, Path(name), _READ_FILE | _WRITE)
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done = libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return bool(done == 0)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    if not path.exists():
        return
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    beneath = _Beneath(rights, folder)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
    os.close(folder)
