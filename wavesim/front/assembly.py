"""Programs of files as kernels: the Launch from a launch file or options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from wavesim.asm.names import short_name
from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.file import (
    LaunchOptions,
    launch_from_options,
    launch_path,
    read_launch,
)
from wavesim.front.launch.model import Launch, LoadedKernel
from wavesim.front.lds_use import triton_metadata, uses_lds
from wavesim.front.occupancy import UNSTATED_THREADS, refuse_workgroup, required_shape, required_threads
from wavesim.isa.load import load_machine
from wavesim.program import Finding, Program, Severity

DEFAULT_WORKGROUP = 256


def launch_of(program: Program, path: Path, options: LaunchOptions) -> Launch:
    """The launch of a kernel: from ``--arg`` and similar options, a named launch file, or the file beside it.

    Without any, the launch has no arguments. It is stated if ``--block`` or the kernel gives the workgroup.
    """
    span = SourceSpan(str(path))
    if options.arguments:
        return launch_from_options(options, span)
    beside = Path(options.file) if options.file else launch_path(path)
    if options.file and not os.path.isfile(beside):
        raise UserError(f"no such launch file: {beside}", span)
    if os.path.isfile(beside):
        return read_launch(beside, options.constants)
    size = options.block or program.metadata.workgroup_size or DEFAULT_WORKGROUP
    return Launch((), size, is_stated=options.block is not None, shape=options.shape)


def _refuse_ignored(options: LaunchOptions, path: Path, launch: Launch) -> None:
    """Refuses what the command line says of a launch where a launch file says it otherwise."""
    beside = Path(options.file) if options.file else launch_path(path)
    if not os.path.isfile(beside):
        return
    said = [name for name in ("grid", "expect", "tile") if getattr(options, name) is not None]
    other = options.shape and options.shape != launch.shape
    if options.block and (options.block != launch.workgroup_size or other):
        said.insert(0, "block")
    if said:
        raise UserError(
            f"--{said[0]} is given, but the launch file {beside} holds",
            SourceSpan(str(path)),
            "change it there, use another one with --launch, or say all of it with --arg",
        )


def loaded(
    program: Program,
    path: Path,
    settings: Mapping[str, str],
    options: LaunchOptions | None = None,
    findings: tuple[Finding, ...] = (),
) -> LoadedKernel:
    """A program of the file ``path`` with its launch.

    ``settings`` are values of launch constants, ``findings`` what there is to say of how it was read.

    Raises:
        UserError: the launch cannot be read.
    """
    given = options or LaunchOptions()
    if settings:
        given = replace(given, constants={**given.constants, **settings})
    beside = triton_metadata(path)
    declared = program.metadata.workgroup_size
    span = SourceSpan(str(path))
    if given.block is not None:
        refuse_workgroup(program.metadata, given.block, f"--block {given.block}", span)
    else:
        stated = required_threads(program.metadata) or (declared if declared < UNSTATED_THREADS else 0)
        shape = required_shape(program.metadata)
        given = replace(
            given,
            block=beside.workgroup_size or stated or None,
            shape=shape if max(shape[1:], default=1) > 1 else (),
        )
    launch = launch_of(program, path, given)
    refuse_workgroup(program.metadata, launch.workgroup_size, "workgroup of the launch", span)
    if options is not None and not options.arguments:
        _refuse_ignored(options, path, launch)
    extra = given.dynamic_lds_bytes or launch.dynamic_lds_bytes or beside.lds_bytes
    if not extra and not program.metadata.lds_bytes and uses_lds(program):
        extra = load_machine(program.arch).integer("lds.size_bytes")
        findings = (
            *findings,
            Finding(
                "occupancy",
                Severity.NOTE,
                f"the kernel uses LDS but declares none: all {extra} bytes are taken as its own",
                (SourceSpan(str(path)),),
                fix="say what the launch adds: --lds BYTES, or lds: in the launch file",
            ),
        )
    if extra:
        size_bytes = program.metadata.lds_bytes + extra
        program = replace(program, metadata=replace(program.metadata, lds_bytes=size_bytes))
    return LoadedKernel(short_name(program.name), str(path), program, launch, findings=findings)
