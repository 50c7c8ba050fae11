"""`wavesim trace`: what a measured thread trace holds; capturing one."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.common import json_option, write_json
from wavesim.cli.operands import STDOUT
from wavesim.cli.paths import InputPath
from wavesim.cli.trace_capture import capture


@click.group()
def trace() -> None:
    """Look into rocprofv3 thread traces, or capture one."""


trace.add_command(capture)


@trace.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option(
    "--arch", default="auto", show_default=True, help="gfx90a, gfx942 or gfx950; auto: from the code."
)
@json_option
def info(folder: Path, arch: str, json_file: str | None) -> None:
    """Print GPU, kernel, waves, opcode mix and loops of the trace in FOLDER."""
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.importer import import_trace
    from wavesim.report.text.replay import json_text, trace_json, trace_lines

    imported = import_trace(folder, arch)
    parameters = load_machine(imported.arch).parameters
    if json_file is not None:
        write_json(json_text(trace_json(imported, parameters)), json_file)
    if json_file == STDOUT:
        return
    for line in trace_lines(imported, parameters):
        click.echo(line)
