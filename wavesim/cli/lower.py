"""`wavesim lower`: print the assembly that a kernel file becomes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wavesim.asm.printer import print_program
from wavesim.cli.options import ARCH, KERNEL_NAME, SETTINGS, CompileOptions, JsonOptions, options
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.pipeline.programs import read_program
from wavesim.report.files import write_atomically


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option("--arch", **ARCH, help="Architecture or device; default: the kernel's own.")
@click.option("--set", "settings", **SETTINGS, help="Override a launch constant.")
@click.option("--kernel", "kernel_name", **KERNEL_NAME)
@options(compiling=CompileOptions, as_json=JsonOptions)
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Write to this file instead of stdout.")
def lower(
    kernel: Path,
    arch: str | None,
    settings: dict[str, str],
    kernel_name: str | None,
    compiling: CompileOptions,
    as_json: JsonOptions,
    output: Path | None,
) -> None:
    """Print the complete AMDGPU assembly that KERNEL (a tile program, HIP, assembly or code object) becomes.

    The text is what is simulated; LLVM's assembler accepts it.
    """
    flags = compiling.flags(kernel)
    with working_line(str(kernel), "read"):
        program, findings = read_program(kernel, arch, kernel_name, flags, settings)
    for finding in findings:
        place = f"{finding.spans[0]}: " if finding.spans else ""
        print(f"{place}{finding.severity}: {finding.message} [{finding.rule}]", file=sys.stderr)
    printed = print_program(program)
    if as_json.wanted:
        from wavesim.report.json.programs import lowered_json

        as_json.report("lower", lowered_json(program, findings, printed))
    if output is not None:
        write_atomically(output, [printed])
    elif not as_json.alone:
        click.echo(printed, nl=False)
