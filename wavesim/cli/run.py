"""``wavesim run``: execute, time and report one kernel."""

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
    timing_options,
    unknown_options,
    workgroups_option,
    write_json,
)
from wavesim.cli.paths import OutputPath


@click.command()
@click.argument("kernel", type=KernelPath())
@machine_options
@launch_options
@compile_options
@unknown_options
@workgroups_option
@budget_options
@timing_options
@json_option
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
    help="Time it with one thing changed: a row of explain's ladder, such as no_barrier.",
)
@look_options
def run(
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
    engine: str,
    clock_ghz: float | None,
    json_file: str | None,
    perfetto: str | None,
    konata: str | None,
    adversarial: bool,
    what_if: str | None,
    ascii_only: bool,
    width: int | None,
    color: bool | None,
) -> int:
    """Execute KERNEL, time it clock by clock and report how its waves overlap.

    Races, missing waits and hazards are not looked for (wavesim check does): the verdict is bad or unchecked.

    Exit code 0: nothing found. 1: a warning or error, wrong numbers or a deadlock. 2: unusable input.
    """
    from wavesim.explanation.diagnosis import diagnosed
    from wavesim.pipeline.run import RunOptions, run_kernel
    from wavesim.program.verdict import Verdict

    options = RunOptions(
        arch=arch,
        machine=machine,
        settings=settings,
        engine=engine,
        clock_ghz=clock_ghz,
        adversarial=adversarial,
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
    if what_if is not None:
        from wavesim.explanation.reproduce import what_if_options

        options = what_if_options(kernel, options, what_if)
    with progress_line(str(kernel)) as progress:
        result = diagnosed(run_kernel(kernel, options, progress))
        if perfetto is not None:
            from wavesim.report.export.perfetto import perfetto_parts
            from wavesim.report.files import write_atomically

            write_atomically(Path(perfetto), perfetto_parts(result.timeline, result.kernel.name))
        if konata is not None:
            from wavesim.report.export.konata import konata_parts
            from wavesim.report.files import write_atomically

            write_atomically(Path(konata), konata_parts(result.timeline))
    if json_file is not None:
        from wavesim.report.json.run import run_json_text

        write_json(run_json_text(result), json_file)
    if json_file != "-":
        from wavesim.report.output import write_lines
        from wavesim.report.text.terminal import report_lines

        chosen = look(ascii_only, width, color)
        write_lines(report_lines(result, chosen), sys.stdout, chosen)
    return int(result.verdict is Verdict.BAD)
