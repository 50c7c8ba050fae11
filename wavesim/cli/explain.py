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
@options(look=LookOptions)
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
    look: LookOptions,
) -> int:
    """Explain the time of KERNEL: critical path, what-ifs, exposed latencies, and advice that was tried.

    With --trace, say where the waves of a measured trace stalled, for whom, and what if not.

    Exit code 0: explained. 1: its waves do not finish. 2: unusable input.
    """
    if trace is not None:
        _refuse_with_trace(kernel)
        _explain_trace(trace, machine, as_json, processes, look)
        return 0
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


def _refuse_with_trace(kernel: Path | None) -> None:
    """A trace says itself what ran."""
    if kernel is not None:
        raise UserError(f"{kernel}: give a KERNEL or --trace, not both")
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and name.startswith(OF_A_KERNEL):
            raise UserError(f"{parameter.opts[0]} and --trace exclude each other: a trace says what ran")


def _explain_trace(
    folder: Path, machine: MachineOptions, as_json: JsonOptions, processes: int | None, look: LookOptions
) -> None:
    """The explanation of each compute unit of the trace in ``folder``."""
    from wavesim.explanation.measured import explain_unit
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.importer import import_trace
    from wavesim.report.output import write_lines
    from wavesim.report.text.measured import measured_json_text, measured_lines

    with progress_line(str(folder)) as progress:
        imported = import_trace(folder, machine.arch or "auto", machine.machine)
        loaded = load_machine(imported.machine)
        found = [explain_unit(unit, loaded, progress, processes=processes) for unit in imported.units]
    if as_json.wanted:
        as_json.write(measured_json_text(folder, found))
    if as_json.alone:
        return
    chosen = look.look()
    for place, each in enumerate(found):
        if place:
            click.echo("")
        write_lines(measured_lines(each, chosen), sys.stdout, chosen)
