"""``wavesim explain``: why a kernel takes the clocks it takes, and what would make it faster."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wavesim.cli.common import (
    KernelPath,
    budget_options,
    compile_flags,
    compile_options,
    json_option,
    launch_of,
    launch_options,
    look,
    look_options,
    machine_options,
    progress_line,
    region_of,
    unknown_options,
    workgroups_option,
    write_json,
)


@click.command()
@click.argument("kernel", type=KernelPath())
@machine_options
@launch_options
@compile_options
@unknown_options
@workgroups_option
@budget_options
@json_option
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Processes for the what-ifs (default: the cores for long runs, else 1).",
)
@look_options
def explain(
    kernel: Path,
    arch: str | None,
    machine: str | None,
    settings: dict[str, str],
    launch_file: str | None,
    arguments: tuple[str, ...],
    block: int | None,
    grid: str | None,
    expect: str | None,
    tile: str | None,
    kernel_name: str | None,
    dynamic_lds_bytes: int,
    includes: tuple[str, ...],
    defines: tuple[str, ...],
    allow_unknown: bool,
    region: str | None,
    trips: int,
    waves: int | None,
    workgroups: int | None,
    json_file: str | None,
    processes: int | None,
    ascii_only: bool,
    width: int | None,
    color: bool | None,
) -> int:
    """Explain the time of KERNEL: critical path, what-ifs, exposed latencies, and advice that was tried.

    Exit code 0: explained. 1: its waves do not finish. 2: unusable input.
    """
    from wavesim.explanation.explanation import explain_kernel
    from wavesim.pipeline.run import RunOptions

    options = RunOptions(
        arch=arch,
        machine=machine,
        settings=settings,
        launch=launch_of(
            launch_file,
            arguments,
            block,
            grid,
            expect,
            tile,
            kernel_name,
            dynamic_lds_bytes,
            compile_flags(includes, defines, kernel),
        ),
        allow_unknown=allow_unknown,
        region=region_of(region, trips, waves),
        trips=trips,
        workgroups=workgroups,
    )
    with progress_line(str(kernel)) as progress:
        found = explain_kernel(kernel, options, progress, processes=processes)
    if json_file is not None:
        from wavesim.report.json.explanation import explanation_json_text

        write_json(explanation_json_text(found), json_file)
    if json_file != "-":
        from wavesim.report.output import write_lines
        from wavesim.report.text.explanation import explanation_lines

        chosen = look(ascii_only, width, color)
        write_lines(explanation_lines(found, chosen), sys.stdout, chosen)
    return 0
