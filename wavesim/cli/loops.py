"""``wavesim loops``: the loops of a kernel, and the region to give for each."""

from __future__ import annotations

import json
from pathlib import Path

import click

from wavesim.cli.options import (
    ARCH,
    KERNEL_NAME,
    SETTINGS,
    CompileOptions,
    JsonOptions,
    options,
)
from wavesim.cli.paths import KernelPath
from wavesim.cli.progress import working_line
from wavesim.front.loops import code_loops
from wavesim.pipeline.programs import read_program
from wavesim.report.text.loops import loops_json, loops_text


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option("--arch", **ARCH, help="Architecture or device; default: the kernel's own.")
@click.option("--set", "settings", **SETTINGS, help="Override a launch constant.")
@click.option("--kernel", "kernel_name", **KERNEL_NAME)
@options(compiling=CompileOptions, as_json=JsonOptions)
def loops(
    kernel: Path,
    arch: str | None,
    settings: dict[str, str],
    kernel_name: str | None,
    compiling: CompileOptions,
    as_json: JsonOptions,
) -> None:
    """List the loops of KERNEL with what is in them, from the code alone.

    A loop's name is what --region takes, with an address where the code has no label. Counts are those of
    the loop without the loops inside of it. The hottest is the one with the most MFMAs: --region hottest.
    """
    flags = compiling.flags(kernel)
    with working_line(str(kernel), "read"):
        program, _ = read_program(kernel, arch, kernel_name, flags, settings, allow_unknown=True)
        found = code_loops(program)
    if as_json.wanted:
        as_json.write(json.dumps(loops_json(program, found), indent=1) + "\n")
    if not as_json.alone:
        click.echo(loops_text(program, found))
