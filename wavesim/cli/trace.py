"""`wavesim trace`: what a measured thread trace holds; capturing one."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.options import TRACE_ARCH, JsonOptions, options
from wavesim.cli.paths import InputPath
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

    imported = import_trace(folder, arch)
    parameters = load_machine(imported.arch).parameters
    if as_json.wanted:
        as_json.write(json_text(trace_json(imported, parameters)))
    if as_json.alone:
        return
    for line in trace_lines(imported, parameters):
        click.echo(line)
