"""``wavesim compile``: HIP to assembly or a code object, and with what."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.options import ARCH, CompileOptions, options
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.isa.archs import DEFAULT_ARCH


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option("--arch", **ARCH, default=DEFAULT_ARCH, show_default=True, help="Architecture or device.")
@click.option("-o", "--output", type=OutputPath(), help="Write the assembly to this file (- is stdout).")
@click.option("--co", "code_object", type=OutputPath(path_type=Path), help="Write a code object, too.")
@options(compiling=CompileOptions)
def compile(
    kernel: Path,
    arch: str,
    output: str | None,
    code_object: Path | None,
    compiling: CompileOptions,
) -> None:
    """Compile KERNEL (HIP) as `wavesim run` does, and say with which compiler and command.

    With neither -o nor --co it only names these, and the kernels that it compiled.
    """
    from wavesim.asm.compile import compile_hip
    from wavesim.asm.text.parse import parse_program
    from wavesim.asm.text.source import read_source
    from wavesim.asm.tools import link
    from wavesim.isa.load import arch_of
    from wavesim.report.files import write_atomically

    arch = arch_of(arch)
    flags = compiling.flags(kernel)
    with working_line(str(kernel), "compile"):
        compiled = compile_hip(kernel, arch, flags)
    to_stdout = output == "-"
    click.echo(f"compiler  {compiled.compiler}", err=to_stdout)
    click.echo(f"command   {compiled.command_line}", err=to_stdout)
    for name in read_source(compiled.text, compiled.file, arch).kernels:
        program = parse_program(compiled.text, compiled.file, arch, name)
        data = program.metadata
        click.echo(
            f"kernel    {name}: {len(program)} instructions, {data.vgprs} VGPRs, {data.sgprs} SGPRs,"
            f" {data.lds_bytes} bytes of LDS, {data.scratch_bytes} of scratch",
            err=to_stdout,
        )
    if compiled.messages:
        click.echo(compiled.messages, err=True)
    if to_stdout:
        click.echo(compiled.text, nl=False)
    elif output is not None:
        write_atomically(Path(output), [compiled.text])
        click.echo(f"wrote     {output}")
    if code_object is not None:
        image = link(compiled.text, arch)
        write_atomically(code_object, [image])
        click.echo(f"wrote     {code_object} ({len(image)} bytes)", err=to_stdout)
