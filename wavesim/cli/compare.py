"""``wavesim compare``: several kernels side by side."""

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
    look,
    look_options,
    machine_options,
    progress_line,
    timing_options,
    write_json,
)


@click.command()
@click.argument("kernels", nargs=-1, required=True, type=KernelPath())
@machine_options
@compile_options
@timing_options
@budget_options
@json_option
@click.option("--timeline", is_flag=True, help="Show each kernel's picture below the table.")
@look_options
def compare(
    kernels: tuple[Path, ...],
    arch: str | None,
    machine: str | None,
    settings: dict[str, str],
    includes: tuple[str, ...],
    defines: tuple[str, ...],
    engine: str,
    clock_ghz: float | None,
    json_file: str | None,
    timeline: bool,
    ascii_only: bool,
    width: int | None,
    color: bool | None,
) -> int:
    """Run KERNELS with the same settings; differences are to the first.

    Exit code 1 if the verdict of any of them is bad.
    """
    import json

    from wavesim.explanation.diagnosis import diagnosed
    from wavesim.front.launch.file import LaunchOptions
    from wavesim.pipeline.run import RunOptions, run_kernel
    from wavesim.program.verdict import Verdict

    options = RunOptions(
        arch=arch,
        machine=machine,
        settings=settings,
        engine=engine,
        clock_ghz=clock_ghz,
        launch=LaunchOptions(compile_flags=compile_flags(includes, defines, *kernels)),
    )
    results = []
    for kernel in kernels:
        with progress_line(str(kernel)) as progress:
            results.append(diagnosed(run_kernel(kernel, options, progress)))
    if json_file is not None:
        from wavesim.report.text.comparison import comparison_json

        write_json(json.dumps(comparison_json(results), indent=1, ensure_ascii=False) + "\n", json_file)
    if json_file != "-":
        from rich.text import Text

        from wavesim.report.output import write_lines
        from wavesim.report.text.comparison import comparison_lines
        from wavesim.report.text.picture import picture

        chosen = look(ascii_only, width, color)
        lines = comparison_lines(results, chosen.width)
        for result in results if timeline else ():
            lines += [Text(), Text(result.kernel.name, style="bold")]
            lines += picture(
                result.timeline, result.analysis, result.machine.parameters, chosen.width, chosen.ascii_only
            )
        write_lines(lines, sys.stdout, chosen)
    return int(any(result.verdict is Verdict.BAD for result in results))
