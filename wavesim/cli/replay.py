"""`wavesim replay`: a measured thread trace through the timing engine, against the silicon."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from wavesim.cli import completion
from wavesim.cli.options import ENGINE, TRACE_ARCH, JsonOptions, TraceOptions, options
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.errors import UserError


@click.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--arch", **TRACE_ARCH)
@click.option("--machine", type=InputPath(path_type=Path), help="A machine file of your own.")
@click.option(
    "--memory",
    default="measured",
    show_default=True,
    metavar="MODE",
    help="Global-memory latencies: measured (an input), shifted:N (N iterations later), model, "
    "model:ROLE (l2, mall, stream, hbm) or model:FOOTPRINT (bytes of operands, 16MiB).",
)
@click.option(
    "--without",
    multiple=True,
    metavar="RULE",
    shell_complete=completion.timing_rules,
    help="Leave a rule of the model out (repeatable).",
)
@click.option("--engine", **ENGINE)
@options(choice=TraceOptions, as_json=JsonOptions)
@click.option("--perfetto", type=OutputPath(path_type=Path), help="Write both timelines for ui.perfetto.dev.")
@click.option(
    "--teacher-forced",
    is_flag=True,
    help="Also predict each instruction with every earlier issue as measured.",
)
@click.option("--tolerance", type=float, help="Exit 1 if |error| of clk/iteration is larger (a fraction).")
def replay(
    folder: Path,
    arch: str,
    machine: Path | None,
    memory: str,
    without: tuple[str, ...],
    engine: str,
    choice: TraceOptions,
    as_json: JsonOptions,
    perfetto: Path | None,
    teacher_forced: bool,
    tolerance: float | None,
) -> int:
    """Replay the thread trace in FOLDER and compare simulated with measured.

    FOLDER is a rocprofv3 "UI" folder (filenames.json, code.json, se*_sm*_sl*_wv*.json), or holds such, or
    what rocprofv3 --att left behind. Of several dispatches and compute units the slowest and the typical one
    are replayed.
    """
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.dispatches import open_traces
    from wavesim.replays.compute_unit import memory_mode
    from wavesim.replays.compute_unit import replay as run
    from wavesim.report.files import write_atomically
    from wavesim.report.json.schemas import headed
    from wavesim.report.output import look_for, write_lines
    from wavesim.report.text.replay import json_text, replay_json, replay_lines, replay_perfetto, worst_place
    from wavesim.report.text.traces import table_lines
    from wavesim.timing.rules import BY_NAME

    mode = memory_mode(memory)
    for name in without:
        if name not in BY_NAME:
            raise UserError(f"--without {name!r:.40}: no such rule", hint="rules: " + ", ".join(BY_NAME))
    rows = None if teacher_forced else 0
    with working_line(str(folder), "replay"):
        opened = open_traces(folder, arch, str(machine) if machine is not None else None, choice.which())
        results = tuple(
            result
            for each in opened.chosen
            for result in run(
                each, load_machine(each.machine), mode, without=without, engine=engine, forced_rows=rows
            )
        )
    if perfetto is not None:
        write_atomically(perfetto, replay_perfetto(results))
    if as_json.wanted:
        data = [replay_json(result) for result in results]
        as_json.write(json_text(headed("replay", data[0] if len(data) == 1 else {"units": data})))
    if not as_json.alone:
        look = look_for(sys.stdout, no_color=bool(os.environ.get("NO_COLOR")))
        for line in table_lines(opened):
            click.echo(line)
        for place, result in enumerate(results):
            if place:
                click.echo("")
            if len(opened.rows) > 1:
                click.echo(f"== {opened.names[place]}")
            for line in replay_lines(result):
                click.echo(line)
            click.echo("")
            write_lines(worst_place(result, look), sys.stdout, look)
    return int(tolerance is not None and any(abs(result.error) > tolerance for result in results))
