"""HIP files as kernels: compiled to assembly for the architecture asked for, then loaded like assembly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from wavesim.asm.compile import compile_hip
from wavesim.asm.names import chosen
from wavesim.errors import SourceSpan, UserError
from wavesim.front.assembled import read_assembly
from wavesim.front.assembly import loaded
from wavesim.front.launch.file import LaunchOptions, launch_kernel
from wavesim.front.launch.model import LoadedKernel
from wavesim.isa.archs import DEFAULT_ARCH
from wavesim.program import Finding, Program

_KERNEL = re.compile(r"^\s*\.amdhsa_kernel\s+(\S+)", re.MULTILINE)


def load_hip(
    path: Path,
    arch: str | None,
    settings: Mapping[str, str],
    options: LaunchOptions | None = None,
    *,
    allow_unknown: bool = False,
    text: str | None = None,
) -> LoadedKernel:
    """Compile and load a ``.hip`` file, or ``text`` in its place; its instructions know their lines in it.

    Raises:
        MissingTool: no compiler for the architecture.
        UserError: the compiler refuses the file, or its assembly or launch cannot be read.
    """
    given = options or LaunchOptions()
    program, findings = _read(
        path, arch, launch_kernel(path, given), given.compile_flags, allow_unknown=allow_unknown, text=text
    )
    return loaded(program, path, settings, given, findings)


def read_hip(
    path: Path,
    arch: str | None = None,
    kernel: str | None = None,
    flags: Sequence[str] = (),
    *,
    allow_unknown: bool = False,
) -> Program:
    """The Program of one kernel of a ``.hip`` file, compiled with further ``flags``.

    Raises:
        MissingTool: no compiler for the architecture.
        UserError: the compiler refuses the file, or there are several kernels and none is chosen.
    """
    return _read(path, arch, kernel, flags, allow_unknown=allow_unknown)[0]


def _read(
    path: Path,
    arch: str | None,
    kernel: str | None,
    flags: Sequence[str],
    *,
    allow_unknown: bool,
    text: str | None = None,
) -> tuple[Program, tuple[Finding, ...]]:
    arch = arch or DEFAULT_ARCH
    compiled = compile_hip(path, arch, flags, text)
    kernels = _KERNEL.findall(compiled.text)
    if not kernels:
        raise UserError(
            "there is no kernel in it",
            SourceSpan(str(path)),
            "a kernel is a function under __global__; a template needs an instance, such as a launch of it",
        )
    name = chosen(kernels, kernel, str(path))
    return read_assembly(compiled.text, path, compiled.file, arch, name, allow_unknown=allow_unknown)
