"""`wavesim lower`: print the assembly that a kernel file becomes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from wavesim.asm.printer import print_program
from wavesim.cli.options import ARCH, KERNEL_NAME, SETTINGS, CompileOptions, options
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.errors import UserError
from wavesim.front.code_object import ENDINGS, read_code_object
from wavesim.front.hip import read_hip
from wavesim.isa.load import arch_of
from wavesim.program import Finding
from wavesim.report.files import write_atomically
from wavesim.source_text import read_text


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option("--arch", **ARCH, help="Architecture or device; default: the kernel's own.")
@click.option("--set", "settings", **SETTINGS, help="Override a launch constant.")
@click.option("--kernel", "kernel_name", **KERNEL_NAME)
@options(compiling=CompileOptions)
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Write to this file instead of stdout.")
def lower(
    kernel: Path,
    arch: str | None,
    settings: dict[str, str],
    kernel_name: str | None,
    compiling: CompileOptions,
    output: Path | None,
) -> None:
    """Print the complete AMDGPU assembly that KERNEL (a tile program, HIP, assembly or code object) becomes.

    The text is what is simulated; LLVM's assembler accepts it.
    """
    flags = compiling.flags(kernel)
    arch = arch_of(arch) if arch is not None else None
    findings: tuple[Finding, ...] = ()
    if kernel.suffix in ENDINGS:
        program = read_code_object(kernel, arch, kernel_name)
    elif kernel.suffix == ".hip":
        program = read_hip(kernel, arch, kernel_name, flags)
    elif kernel.suffix in (".s", ".amdgcn"):
        from wavesim.front.assembled import read_assembly

        if not os.path.exists(kernel):
            raise UserError(f"cannot read {kernel}: No such file or directory")
        text = read_text(kernel, lenient=True)
        program, findings = read_assembly(text, kernel, str(kernel), arch, kernel_name)
    else:
        from wavesim.front.tile.load import load_tile_program

        loaded = load_tile_program(kernel, arch, settings)
        program, findings = loaded.program, loaded.findings
    for finding in findings:
        place = f"{finding.spans[0]}: " if finding.spans else ""
        print(f"{place}{finding.severity}: {finding.message} [{finding.rule}]", file=sys.stderr)
    printed = print_program(program)
    if output is None:
        click.echo(printed, nl=False)
        return
    write_atomically(output, [printed])
