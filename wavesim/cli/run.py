"""``wavesim run``: execute, time and report one kernel."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from wavesim.cli import completion
from wavesim.cli.options import (
    CompileOptions,
    JsonOptions,
    LaunchOptions,
    LookOptions,
    MachineOptions,
    NumbersOptions,
    SharingOptions,
    TimingOptions,
    UnknownOptions,
    budget_options,
    options,
    run_options,
)
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import progress_line


@click.command()
@click.argument("kernel", type=KernelPath())
@options(
    machine=MachineOptions,
    launch=LaunchOptions,
    compiling=CompileOptions,
    unknown=UnknownOptions,
    sharing=SharingOptions,
)
@budget_options
@options(timing=TimingOptions, numbers=NumbersOptions, as_json=JsonOptions)
@click.option("--perfetto", type=OutputPath(), metavar="FILE", help="Write a trace for ui.perfetto.dev.")
@click.option("--konata", type=OutputPath(), metavar="FILE", help="Write a pipeline log for Konata.")
@click.option(
    "--adversarial",
    is_flag=True,
    help="Execute with loads as late as the ISA allows and waves in hostile order.",
)
@click.option(
    "--what-if",
    "what_if",
    metavar="NAME",
    shell_complete=completion.what_ifs,
    help="Time it with one thing changed: a row of explain's ladder, such as no_barrier.",
)
@click.option("--details", is_flag=True, help="Print all figures, bounds and stalls too.")
@options(look=LookOptions)
def run(
    kernel: Path,
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    unknown: UnknownOptions,
    sharing: SharingOptions,
    timing: TimingOptions,
    numbers: NumbersOptions,
    as_json: JsonOptions,
    perfetto: str | None,
    konata: str | None,
    adversarial: bool,
    what_if: str | None,
    details: bool,
    look: LookOptions,
) -> int:
    """Execute KERNEL, time it clock by clock and report how its waves overlap.

    The report says whether it is right, how fast it is, why, and what to try first; --details adds the rest.

    Races, missing waits and hazards are not looked for (wavesim check does): the verdict is bad or unchecked.

    Exit code 0: nothing found. 1: a warning or error, wrong numbers or a deadlock. 2: unusable input.
    """
    from wavesim.explanation.glance import at_a_glance
    from wavesim.pipeline.run import run_kernel
    from wavesim.program.verdict import Verdict

    wanted = run_options((kernel,), machine, compiling, launch, unknown, sharing, timing, numbers)
    wanted = replace(wanted, adversarial=adversarial)
    if what_if is not None:
        from wavesim.explanation.reproduce import what_if_options

        wanted = what_if_options(kernel, wanted, what_if)
    with progress_line(str(kernel)) as progress:
        result = at_a_glance(run_kernel(kernel, wanted, progress), progress)
        if perfetto is not None:
            from wavesim.report.export.perfetto import perfetto_parts
            from wavesim.report.files import write_atomically

            write_atomically(Path(perfetto), perfetto_parts(result.timeline, result.kernel.name))
        if konata is not None:
            from wavesim.report.export.konata import konata_parts
            from wavesim.report.files import write_atomically

            write_atomically(Path(konata), konata_parts(result.timeline))
    if as_json.wanted:
        from wavesim.report.json.run import run_json_text

        as_json.write(run_json_text(result))
    if not as_json.alone:
        from wavesim.report.output import write_lines
        from wavesim.report.text.terminal import report_lines

        chosen = look.look()
        write_lines(report_lines(result, chosen, details=details), sys.stdout, chosen)
    return int(result.verdict is Verdict.BAD)
