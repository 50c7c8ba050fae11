"""`wavesim trace`: what a measured thread trace holds, its kernel as assembly; capturing one."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.options import TRACE_ARCH, JsonOptions, TraceOptions, options
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
@options(choice=TraceOptions, as_json=JsonOptions)
def info(folder: Path, arch: str, choice: TraceOptions, as_json: JsonOptions) -> None:
    """Print GPU, kernel, waves, opcode mix and loops of the trace in FOLDER.

    Of several dispatches and compute units it prints a table, and the slowest and the typical one.
    """
    from wavesim.replays.att.dispatches import open_traces
    from wavesim.report.text.replay import json_text
    from wavesim.report.text.traces import table_lines, traces_json, traces_lines

    with working_line(str(folder), "read"):
        found = open_traces(folder, arch, None, choice.which())
    if as_json.wanted:
        as_json.write(json_text(traces_json(found)))
    if as_json.alone:
        return
    for line in (*table_lines(found), *traces_lines(found)):
        click.echo(line)


@trace.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--arch", **TRACE_ARCH)
@options(choice=TraceOptions, as_json=JsonOptions)
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Write to this file instead of stdout.")
def listing(folder: Path, arch: str, choice: TraceOptions, as_json: JsonOptions, output: Path | None) -> None:
    """Print the kernel that the trace in FOLDER is of, as assembly that can be assembled and run.

    Labels are made of the addresses. What a trace does not hold, registers and how the kernel is started, is
    deduced and says so; arguments and LDS are for a launch file to say.
    """
    from wavesim.replays.att.dispatches import open_traces
    from wavesim.replays.att.kernel import print_listing, traced_kernel
    from wavesim.report.files import write_atomically
    from wavesim.report.json.programs import listing_json

    with working_line(str(folder), "read"):
        imported = open_traces(folder, arch, None, choice.which()).chosen[-1]
        kernel = traced_kernel(imported)
        text = print_listing(kernel, folder.resolve().name)
    as_json.report("trace-listing", listing_json(kernel.program, kernel.deduced, kernel.notes, text))
    if output is not None:
        write_atomically(output, [text])
    elif not as_json.alone:
        click.echo(text, nl=False)
