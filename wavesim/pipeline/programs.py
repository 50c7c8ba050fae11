"""What is known of a kernel file without a launch: its instructions, and a launch file to fill in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from wavesim.asm.compile import debug_ir
from wavesim.errors import LimitExceeded, UserError
from wavesim.front.code_object import read_code_object
from wavesim.front.endings import ASSEMBLY, CODE_OBJECTS, HIP, TILES
from wavesim.front.hip import read_hip
from wavesim.front.launch.signature import Parameter, parameters
from wavesim.front.launch.skeleton import skeleton
from wavesim.isa.load import arch_of, load_machine
from wavesim.program import Finding, Program
from wavesim.source_text import read_text


def is_hip(kernel: Path) -> bool:
    """Whether the file is compiled."""
    return kernel.suffix.lower() in HIP


def read_program(
    kernel: Path,
    arch: str | None,
    name: str | None,
    flags: Sequence[str],
    settings: Mapping[str, str],
    *,
    allow_unknown: bool = False,
) -> tuple[Program, tuple[Finding, ...]]:
    """The Program of one kernel of a file, and what there is to say of how it was read.

    Args:
        kernel: the file.
        arch: architecture or device; ``None``: the kernel's own.
        name: which kernel, where the file has several.
        flags: of the compiler, for HIP.
        settings: constants of a tile program.
        allow_unknown: keep instructions without data, marked.

    Raises:
        UserError: it cannot be read.
    """
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


def launch_skeleton(kernel: Path, arch: str | None, name: str | None, flags: Sequence[str]) -> str:
    """The text of a launch file in which what is not known is left to fill in.

    Raises:
        UserError: a tile program, which says its launch itself, or a file that cannot be read.
    """
    if os.path.isdir(kernel):
        raise UserError(f"{kernel}: a folder, not a kernel's file")
    if kernel.suffix.lower() in TILES:
        raise UserError(
            f"{kernel}: a tile program says how it is launched", None, "launch: in the file itself"
        )
    program, _ = read_program(kernel, arch, name, flags, {}, allow_unknown=True)
    stated: Sequence[Parameter] = ()
    if is_hip(kernel):
        with suppress(LimitExceeded):  # then without the names of fields
            stated = parameters(debug_ir(kernel, program.arch, flags), program.name)
    return skeleton(program, load_machine(arch or program.arch), stated)
