"""``wavesim launch``: a launch file for a kernel, to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.options import ARCH, KERNEL_NAME, CompileOptions, JsonOptions, options
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.errors import UserError
from wavesim.pipeline.programs import launch_skeleton
from wavesim.report.files import write_atomically


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option("--arch", **ARCH, help="Architecture or device; default: the kernel's own.")
@click.option("--kernel", "kernel_name", **KERNEL_NAME)
@options(compiling=CompileOptions, as_json=JsonOptions)
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Write to this file instead of stdout.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def launch(
    kernel: Path,
    arch: str | None,
    kernel_name: str | None,
    compiling: CompileOptions,
    as_json: JsonOptions,
    output: Path | None,
    force: bool,
) -> None:
    """Write a launch file for KERNEL (HIP, assembly or a code object) from what it says of itself.

    What it does not say is FILL_IN, with a comment, and is refused until it is filled in.
    """
    with working_line(str(kernel), "read"):
        text = launch_skeleton(kernel, arch, kernel_name, compiling.flags(kernel))
    if output is not None and output.exists() and not force:
        raise UserError(f"{output}: is there already", None, "--force replaces it")
    if as_json.wanted:
        from wavesim.report.json.programs import launch_json

        as_json.report("launch", launch_json(text, str(output or kernel)))
    if output is not None:
        write_atomically(output, [text])
    elif not as_json.alone:
        click.echo(text, nl=False)
