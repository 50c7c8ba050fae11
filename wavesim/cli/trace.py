"""`wavesim trace`: what a measured thread trace holds, its kernel as assembly; capturing one."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.options import TRACE_ARCH, JsonOptions, options
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.cli.trace_capture import capture


@click.group()
def trace() -> None:
    """Look into rocprofv3 thread traces, or capture one."""


trace.add_command(capture)


@trace.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--arch", **TRACE_ARCH)
@options(as_json=JsonOptions)
def info(folder: Path, arch: str, as_json: JsonOptions) -> None:
    """Print GPU, kernel, waves, opcode mix and loops of the trace in FOLDER."""
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.importer import import_trace
    from wavesim.report.text.replay import json_text, trace_json, trace_lines

    with working_line(str(folder), "read"):
        imported = import_trace(folder, arch)
    parameters = load_machine(imported.machine).parameters
    if as_json.wanted:
        as_json.write(json_text(trace_json(imported, parameters)))
    if as_json.alone:
        return
    for line in trace_lines(imported, parameters):
        click.echo(line)


@trace.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--arch", **TRACE_ARCH)
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Write to this file instead of stdout.")
def listing(folder: Path, arch: str, output: Path | None) -> None:
    """Print the kernel that the trace in FOLDER is of, as assembly that can be assembled and run.

    Labels are made of the addresses. What a trace does not hold, registers and how the kernel is started, is
    deduced and says so; arguments and LDS are for a launch file to say.
    """
    from wavesim.replays.att.importer import import_trace
    from wavesim.replays.att.kernel import print_listing, traced_kernel
    from wavesim.report.files import write_atomically

    with working_line(str(folder), "read"):
        text = print_listing(traced_kernel(import_trace(folder, arch)), folder.resolve().name)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(output, [text])
