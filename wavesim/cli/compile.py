"""``wavesim compile``: HIP to assembly or a code object, and with what."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.operands import STDOUT
from wavesim.cli.options import ARCH, CompileOptions, JsonOptions, options
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.errors import UserError
from wavesim.isa.archs import DEFAULT_ARCH


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option("--arch", **ARCH, default=DEFAULT_ARCH, show_default=True, help="Architecture or device.")
@click.option("-o", "--output", type=OutputPath(), help="Write the assembly to this file (- is stdout).")
@click.option("--co", "code_object", type=OutputPath(path_type=Path), help="Write a code object, too.")
@options(compiling=CompileOptions, as_json=JsonOptions)
def compile(
    kernel: Path,
    arch: str,
    output: str | None,
    code_object: Path | None,
    compiling: CompileOptions,
    as_json: JsonOptions,
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

    to_stdout = output == STDOUT
    if to_stdout and as_json.alone:
        raise UserError("-o - and --json both write to standard output", None, "name a file for one of them")
    arch = arch_of(arch)
    flags = compiling.flags(kernel)
    with working_line(str(kernel), "compile"):
        compiled = compile_hip(kernel, arch, flags)
    programs = [
        parse_program(compiled.text, compiled.file, arch, name)
        for name in read_source(compiled.text, compiled.file, arch).kernels
    ]
    lines = [f"compiler  {compiled.compiler}", f"command   {compiled.command_line}"]
    for program in programs:
        data = program.metadata
        lines.append(
            f"kernel    {program.name}: {len(program)} instructions, {data.vgprs} VGPRs, {data.sgprs} SGPRs,"
            f" {data.lds_bytes} bytes of LDS, {data.scratch_bytes} of scratch"
        )
    if to_stdout:
        click.echo(compiled.text, nl=False)
    elif output is not None:
        write_atomically(Path(output), [compiled.text])
        lines.append(f"wrote     {output}")
    if code_object is not None:
        image = link(compiled.text, arch)
        write_atomically(code_object, [image])
        lines.append(f"wrote     {code_object} ({len(image)} bytes)")
    if as_json.wanted:
        from wavesim.report.json.programs import compiled_json

        as_json.report("compile", compiled_json(compiled, str(kernel), arch, programs))
    if not as_json.alone:
        click.echo("\n".join(lines), err=to_stdout)
    if compiled.messages:
        click.echo(compiled.messages, err=True)
