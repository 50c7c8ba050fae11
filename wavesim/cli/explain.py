"""``wavesim explain``: why a kernel takes the clocks it takes, and what would make it faster."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wavesim.cli.options import (
    CompileOptions,
    JsonOptions,
    LaunchOptions,
    LookOptions,
    MachineOptions,
    SharingOptions,
    UnknownOptions,
    budget_options,
    options,
    run_options,
)
from wavesim.cli.paths import KernelPath
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
@options(as_json=JsonOptions)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Processes for the what-ifs (default: the cores for long runs, else 1).",
)
@options(look=LookOptions)
def explain(
    kernel: Path,
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    unknown: UnknownOptions,
    sharing: SharingOptions,
    as_json: JsonOptions,
    processes: int | None,
    look: LookOptions,
) -> int:
    """Explain the time of KERNEL: critical path, what-ifs, exposed latencies, and advice that was tried.

    Exit code 0: explained. 1: its waves do not finish. 2: unusable input.
    """
    from wavesim.explanation.explanation import explain_kernel

    wanted = run_options((kernel,), machine, compiling, launch, unknown, sharing)
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
