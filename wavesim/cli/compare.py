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
from wavesim.cli.paths import InputPath, KernelPath
from wavesim.cli.progress import progress_line


def _share(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """``2%`` as 0.02."""
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < float("inf"):
        raise click.BadParameter(f"{value!r:.40} is no tolerance, such as 2% or 0.02")
    return share


@click.command()
@click.argument("kernels", nargs=-1, required=True, type=KernelPath())
@options(machine=MachineOptions, compiling=CompileOptions, timing=TimingOptions, numbers=NumbersOptions)
@budget_options
@options(as_json=JsonOptions)
@click.option("--timeline", is_flag=True, help="Show each kernel's picture below the table.")
@click.option(
    "--against",
    type=InputPath(dir_okay=False),
    metavar="FILE",
    help="Compare with stored reports, too: a file of run --json or compare --json.",
)
@click.option(
    "--tolerance",
    default="0%",
    show_default=True,
    metavar="SHARE",
    callback=_share,
    help="How much slower than stored a kernel may be, such as 2%.",
)
@options(look=LookOptions)
def compare(
    kernels: tuple[Path, ...],
    machine: MachineOptions,
    compiling: CompileOptions,
    timing: TimingOptions,
    numbers: NumbersOptions,
    as_json: JsonOptions,
    timeline: bool,
    against: str | None,
    tolerance: float,
    look: LookOptions,
) -> int:
    """Run KERNELS with the same settings; differences are to the first.

    Exit code 1 if the verdict of any of them is bad, or if one is slower than --against FILE says by more
    than --tolerance.
    """
    import json

    from wavesim.explanation.glance import at_a_glance
    from wavesim.pipeline.run import run_kernel
    from wavesim.program.verdict import Verdict
    from wavesim.report.regression import change_lines, changes, changes_json

    wanted = run_options(kernels, machine, compiling, timing=timing, numbers=numbers)
    results = []
    for kernel in kernels:
        with progress_line(str(kernel)) as progress:
            results.append(at_a_glance(run_kernel(kernel, wanted, progress), progress))
    changed = changes(results, Path(against)) if against is not None else []
    if as_json.wanted:
        from wavesim.report.text.comparison import comparison_json

        data = comparison_json(results)
        if against is not None:
            data["against"] = changes_json(changed, tolerance)
        as_json.write(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
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
        if against is not None:
            lines += [Text(), Text(f"Against {against}", style="bold")]
            lines += [Text(line) for line in change_lines(changed, tolerance)]
        write_lines(lines, sys.stdout, chosen)
    slower = any(not each.within(tolerance) for each in changed)
    return int(slower or any(result.verdict is Verdict.BAD for result in results))
