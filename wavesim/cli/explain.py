"""``wavesim explain``: why a kernel takes the clocks it takes, and what would make it faster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import (
    OF_A_TRACE,
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
    refuse_given,
    run_options,
)
from wavesim.cli.paths import InputPath, KernelPath, OutputPath, is_trace
from wavesim.cli.progress import progress_line
from wavesim.errors import UserError

if TYPE_CHECKING:
    from wavesim.explanation.explanation import Explanation


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
@click.option(
    "--apply",
    "applied",
    metavar="N",
    help="Write the kernel with this piece of advice followed to -o FILE: its number, or its name as in "
    "move-wait-31.",
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(path_type=Path),
    metavar="FILE",
    help="Where --apply writes; without an ending it gets the one of what is written.",
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
    applied: str | None,
    output: Path | None,
    choice: TraceOptions,
    look: LookOptions,
) -> int:
    """Explain the time of KERNEL: critical path, what-ifs, exposed latencies, and advice that was tried.

    Each piece of advice comes with its patch; --apply N -o FILE writes the kernel with it.
    With --trace, or a folder as KERNEL: where the waves of a measured trace stalled, for whom, what if not.

    Exit code 0: explained. 1: its waves do not finish. 2: unusable input.
    """
    if trace is None and kernel is not None and is_trace(kernel):
        trace, kernel = kernel, None
    if trace is not None:
        if kernel is not None:
            raise UserError(f"{kernel}: give a KERNEL or --trace, not both")
        refuse_given(OF_A_KERNEL, "{} and --trace exclude each other: a trace says what ran")
        _explain_trace(trace, machine, choice, as_json, processes, look)
        return 0
    refuse_given(OF_A_TRACE, "{} is for a thread trace: --trace FOLDER")
    if kernel is None:
        raise UserError(
            "explain needs a KERNEL, or --trace FOLDER", None, "wavesim explain kernels/8wave.yaml"
        )
    from wavesim.explanation.explanation import explain_kernel

    if (applied is None) != (output is None):
        raise click.UsageError("--apply N and -o FILE belong together")
    wanted = run_options((kernel,), machine, compiling, launch, unknown, sharing, numbers=numbers)
    with progress_line(str(kernel)) as progress:
        found = explain_kernel(kernel, wanted, progress, processes=processes)
    if applied is not None and output is not None:
        _apply(found, applied, output, silent=as_json.alone)
    if as_json.wanted:
        from wavesim.report.json.explanation import explanation_json_text

        as_json.write(explanation_json_text(found))
    if not as_json.alone and applied is None:
        from wavesim.report.output import write_lines
        from wavesim.report.text.explanation import explanation_lines

        chosen = look.look()
        write_lines(explanation_lines(found, chosen), sys.stdout, chosen)
    return 0


def _apply(found: Explanation, applied: str, output: Path, *, silent: bool) -> None:
    """Writes the kernel with a piece of advice followed.

    Raises:
        UserError: there is no such advice, it has no patch, or a file that cannot take it.
    """
    from wavesim.explanation.patch import patch_files
    from wavesim.inputs import plan_output
    from wavesim.report.files import write_atomically
    from wavesim.report.text.ladder import per_pass
    from wavesim.words import number

    names = {str(place): each for place, each in enumerate(found.advice, 1)}
    names |= {each.name: each for each in reversed(found.advice)}
    advice = names.get(applied)
    if advice is None:
        known = ", ".join(f"{place} ({each.name})" for place, each in enumerate(found.advice, 1))
        raise UserError(f"--apply {applied}: there is no such advice", None, f"there is {known or 'none'}")
    if advice.patch is None:
        raise UserError(f"--apply {applied}: a piece of a kernel is not written", None, "leave --region out")
    if not output.suffix:
        output = output.with_suffix(advice.patch.ending)
        plan_output(str(output))
    files = list(patch_files(advice.patch, found.run.kernel, output))
    for path, _ in files:
        if path != output:
            plan_output(str(path))
    for path, text in files:
        write_atomically(path, [text])
    if silent:
        return
    unit = "clk per iteration" if found.per_iteration else "clk"
    click.echo(f"{output}: {advice.text}")
    click.echo(f"{number(advice.clk)} in place of {number(found.pace_clk)} {unit}; {advice.how_checked}")
    if advice.patch.why_assembly:
        click.echo(f"as assembly: {advice.patch.why_assembly}; {per_pass(found)} there")
    if advice.replaces:
        click.echo(f"run it without --set {', '.join(advice.replaces)}: the file says it now")
    click.echo(f"wavesim check {output}, with the options of this command, checks it as a whole")


OF_A_KERNEL = (
    "machine__settings",
    "launch__",
    "compiling__",
    "unknown__",
    "sharing__",
    "numbers__",
    "applied",
    "output",
)
"""Options, by the beginnings of their names, that are of a kernel alone."""


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
