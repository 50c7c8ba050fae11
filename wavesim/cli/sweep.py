"""``wavesim sweep``: kernels, constants, machines and settings, each with each, as one table."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from wavesim.cli.options import JsonOptions, budget_options, options
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import progress_line, quiet
from wavesim.errors import UserError
from wavesim.words import counted

EVERY_S = 60
"""So often a line says how far the sweep is, where standard error is no terminal."""


@click.command()
@click.argument("spec", type=KernelPath())
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    metavar="FILE",
    help="Table to write, .csv or .parquet (default: CSV to standard output).",
)
@click.option(
    "--html", type=OutputPath(), metavar="FILE", help="Write a page: heat map, Pareto front, table."
)
@click.option(
    "--processes", type=click.IntRange(1, 1024), metavar="N", help="Processes (default: the cores)."
)
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler that runs the cells, tcp://HOST:PORT.")
@click.option(
    "--resume", is_flag=True, help="Take what a stopped sweep has done from its journal, and keep it."
)
@budget_options
@options(as_json=JsonOptions)
def sweep(
    spec: Path,
    output: str | None,
    html: str | None,
    processes: int | None,
    scheduler: str | None,
    resume: bool,
    as_json: JsonOptions,
) -> int:
    """Run all that the file SPEC (YAML) asks for, and write one row for each run.

    Exit code 1 if the verdict of any of them is bad, or one could not be run: its row says why.
    """
    from wavesim.inputs import plan_output
    from wavesim.program.verdict import Verdict
    from wavesim.report.files import write_atomically
    from wavesim.report.output import write_text
    from wavesim.sweeps.journal import journal_path
    from wavesim.sweeps.page import page_parts, refuse_rows
    from wavesim.sweeps.run import SweepProgress, run_sweep
    from wavesim.sweeps.spec import read_spec
    from wavesim.sweeps.table import sweep_json

    if scheduler is not None and processes is not None:
        raise UserError("--scheduler and --processes exclude each other: a cluster has its own workers")
    if output is not None:
        plan_output(journal_path(Path(output)))
    last, told_s = None, time.monotonic()

    with progress_line(str(spec)) as report:

        def tell(progress: SweepProgress) -> None:
            nonlocal last, told_s
            last = progress
            rate = f"{progress.done} of {progress.total} runs, {progress.per_s:.1f}/s"
            if report is not None:
                report(rate, progress.done / progress.total)
            elif time.monotonic() - told_s > EVERY_S and not quiet():
                told_s = time.monotonic()
                print(rate, file=sys.stderr, flush=True)

        wanted = read_spec(spec)
        if html is not None:
            refuse_rows(wanted.count())
        try:
            table = run_sweep(
                wanted,
                Path(output) if output is not None else None,
                scheduler=scheduler,
                processes=processes,
                resume=resume,
                tell=tell,
            )
        except KeyboardInterrupt:
            if output is not None and last is not None and last.done:
                print(f"{last.done} of {last.total} runs are kept: --resume goes on", file=sys.stderr)
            raise
    if html is not None:
        write_atomically(Path(html), page_parts(table))
    if as_json.wanted:
        as_json.report("sweep", sweep_json(table))
    if output is None and not as_json.alone:
        write_text(str(table))
    assert last is not None
    known = f", {last.known} of them done before" if last.known else ""
    print(f"{counted(last.total, 'run')}{known}, {last.per_s:.1f}/s; {last.bad} bad", file=sys.stderr)
    return int(table.verdict == Verdict.BAD)
