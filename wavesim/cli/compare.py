"""``wavesim compare``: several kernels side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wavesim.cli.options import (
    CompileOptions,
    JsonOptions,
    LookOptions,
    MachineOptions,
    NumbersOptions,
    TimingOptions,
    budget_options,
    options,
    run_options,
)
from wavesim.cli.paths import KernelPath
from wavesim.cli.progress import progress_line


@click.command()
@click.argument("kernels", nargs=-1, required=True, type=KernelPath())
@options(machine=MachineOptions, compiling=CompileOptions, timing=TimingOptions, numbers=NumbersOptions)
@budget_options
@options(as_json=JsonOptions)
@click.option("--timeline", is_flag=True, help="Show each kernel's picture below the table.")
@options(look=LookOptions)
def compare(
    kernels: tuple[Path, ...],
    machine: MachineOptions,
    compiling: CompileOptions,
    timing: TimingOptions,
    numbers: NumbersOptions,
    as_json: JsonOptions,
    timeline: bool,
    look: LookOptions,
) -> int:
    """Run KERNELS with the same settings; differences are to the first.

    Exit code 1 if the verdict of any of them is bad.
    """
    import json

    from wavesim.explanation.diagnosis import diagnosed
    from wavesim.pipeline.run import run_kernel
    from wavesim.program.verdict import Verdict

    wanted = run_options(kernels, machine, compiling, timing=timing, numbers=numbers)
    results = []
    for kernel in kernels:
        with progress_line(str(kernel)) as progress:
            results.append(diagnosed(run_kernel(kernel, wanted, progress)))
    if as_json.wanted:
        from wavesim.report.text.comparison import comparison_json

        as_json.write(json.dumps(comparison_json(results), indent=1, ensure_ascii=False) + "\n")
    if not as_json.alone:
        from rich.text import Text

        from wavesim.report.output import write_lines
        from wavesim.report.text.comparison import comparison_lines
        from wavesim.report.text.picture import picture

        chosen = look.look()
        lines = comparison_lines(results, chosen.width)
        for result in results if timeline else ():
            lines += [Text(), Text(result.kernel.name, style="bold")]
            lines += picture(
                result.timeline, result.analysis, result.machine.parameters, chosen.width, chosen.ascii_only
            )
        write_lines(lines, sys.stdout, chosen)
    return int(any(result.verdict is Verdict.BAD for result in results))
