"""``wavesim explain``: why a kernel takes the clocks it takes, and what would make it faster."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.core import ParameterSource

from wavesim.cli.options import (
    CompileOptions,
    JsonOptions,
    LaunchOptions,
    LookOptions,
    MachineOptions,
    NumbersOptions,
    SharingOptions,
    TraceOptions,
    UnknownOptions,
    budget_options,
    options,
    run_options,
)
from wavesim.cli.paths import InputPath, KernelPath
from wavesim.cli.progress import progress_line
from wavesim.errors import UserError


@click.command()
@click.argument("kernel", type=KernelPath(), required=False)
@click.option(
    "--trace",
    type=InputPath(path_type=Path),
    metavar="FOLDER",
    help="Explain the thread trace in FOLDER, by its replay, in place of a kernel.",
)
@options(
    machine=MachineOptions,
    launch=LaunchOptions,
    compiling=CompileOptions,
    unknown=UnknownOptions,
    sharing=SharingOptions,
)
@budget_options
@options(numbers=NumbersOptions, as_json=JsonOptions)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Processes for the what-ifs (default: the cores for long runs, else 1).",
)
@options(choice=TraceOptions, look=LookOptions)
def explain(
    kernel: Path | None,
    trace: Path | None,
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    unknown: UnknownOptions,
    sharing: SharingOptions,
    numbers: NumbersOptions,
    as_json: JsonOptions,
    processes: int | None,
    choice: TraceOptions,
    look: LookOptions,
) -> int:
    """Explain the time of KERNEL: critical path, what-ifs, exposed latencies, and advice that was tried.

    With --trace, or a folder as KERNEL: where the waves of a measured trace stalled, for whom, what if not.

    Exit code 0: explained. 1: its waves do not finish. 2: unusable input.
    """
    if trace is None and kernel is not None and kernel.is_dir():
        trace, kernel = kernel, None
    if trace is not None:
        if kernel is not None:
            raise UserError(f"{kernel}: give a KERNEL or --trace, not both")
        _refuse(OF_A_KERNEL, "{} and --trace exclude each other: a trace says what ran")
        _explain_trace(trace, machine, choice, as_json, processes, look)
        return 0
    _refuse(OF_A_TRACE, "{} is for a thread trace: --trace FOLDER")
    if kernel is None:
        raise UserError(
            "explain needs a KERNEL, or --trace FOLDER", None, "wavesim explain kernels/8wave.yaml"
        )
    from wavesim.explanation.explanation import explain_kernel

    wanted = run_options((kernel,), machine, compiling, launch, unknown, sharing, numbers=numbers)
    with progress_line(str(kernel)) as progress:
        found = explain_kernel(kernel, wanted, progress, processes=processes)
    if as_json.wanted:
        from wavesim.report.json.explanation import explanation_json_text

        as_json.write(explanation_json_text(found))
    if not as_json.alone:
        from wavesim.report.output import write_lines
        from wavesim.report.text.explanation import explanation_lines

        chosen = look.look()
        write_lines(explanation_lines(found, chosen), sys.stdout, chosen)
    return 0


OF_A_KERNEL = ("machine__settings", "launch__", "compiling__", "unknown__", "sharing__", "numbers__")
"""Options, by the beginnings of their names, that say how a kernel is launched."""


OF_A_TRACE = ("choice__",)
"""Options that choose a trace."""


def _refuse(beginnings: tuple[str, ...], message: str) -> None:
    """Refuse options that say nothing here."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and name.startswith(beginnings):
            raise UserError(message.format(parameter.opts[0]))


def _explain_trace(
    folder: Path,
    machine: MachineOptions,
    choice: TraceOptions,
    as_json: JsonOptions,
    processes: int | None,
    look: LookOptions,
) -> None:
    """The explanation of the slowest and the typical compute unit of the traces in ``folder``."""
    from wavesim.explanation.measured import explain_unit
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.dispatches import open_traces
    from wavesim.report.output import write_lines
    from wavesim.report.text.measured import measured_json_text, measured_lines
    from wavesim.report.text.traces import table_lines

    with progress_line(str(folder)) as progress:
        opened = open_traces(folder, machine.arch or "auto", machine.machine, choice.which())
        found = [
            explain_unit(unit, load_machine(each.machine), progress, processes=processes)
            for each in opened.chosen
            for unit in each.units
        ]
    if as_json.wanted:
        as_json.write(measured_json_text(folder, found))
    if as_json.alone:
        return
    chosen = look.look()
    for line in table_lines(opened):
        click.echo(line)
    for place, each in enumerate(found):
        if place:
            click.echo("")
        if len(opened.rows) > 1:
            click.echo(f"== {opened.names[place]}")
        write_lines(measured_lines(each, chosen), sys.stdout, chosen)
