"""The instructions of a kernel file for commands that need no launch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wavesim.cli.options import CompileOptions
from wavesim.errors import UserError
from wavesim.front.code_object import read_code_object
from wavesim.front.endings import ASSEMBLY, CODE_OBJECTS, HIP
from wavesim.front.hip import read_hip
from wavesim.isa.load import arch_of
from wavesim.program import Finding, Program
from wavesim.source_text import read_text


def is_hip(kernel: Path) -> bool:
    """Whether the file is compiled."""
    return kernel.suffix.lower() in HIP


def read_program(
    kernel: Path,
    arch: str | None,
    name: str | None,
    compiling: CompileOptions,
    settings: Mapping[str, str],
    *,
    allow_unknown: bool = False,
) -> tuple[Program, tuple[Finding, ...]]:
    """The Program of one kernel of a file, and what there is to say of how it was read.

    Args:
        kernel: the file.
        arch: architecture or device; ``None``: the kernel's own.
        name: which kernel, where the file has several.
        compiling: flags for HIP.
        settings: constants of a tile program.
        allow_unknown: keep instructions without data, marked.

    Raises:
        UserError: it cannot be read.
    """
    flags = compiling.flags(kernel)
    arch = arch_of(arch) if arch is not None else None
    ending = kernel.suffix.lower()
    if ending in CODE_OBJECTS:
        return read_code_object(kernel, arch, name, allow_unknown=allow_unknown), ()
    if is_hip(kernel):
        return read_hip(kernel, arch, name, flags, allow_unknown=allow_unknown), ()
    if ending in ASSEMBLY:
        from wavesim.front.assembled import read_assembly

        if not os.path.exists(kernel):
            raise UserError(f"cannot read {kernel}: No such file or directory")
        text = read_text(kernel, lenient=True)
        return read_assembly(text, kernel, str(kernel), arch, name, allow_unknown=allow_unknown)
    from wavesim.front.tile.load import load_tile_program

    loaded = load_tile_program(kernel, arch, settings)
    return loaded.program, loaded.findings
