"""``wavesim calibrate``: a machine file from measurements."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.errors import UserError


@click.command()
@click.option(
    "--trace",
    "traces",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Measured rocprofv3 thread trace, or a folder of them (more may follow).",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]...")
@click.option("--machine", help="Machine file to begin with (default: the stock one of the architecture).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Machine file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--processes", type=click.IntRange(1), help="Processes (default: one per core).")
@click.option("--no-leave-out", is_flag=True, help="Without the replays that leave one trace out.")
def calibrate(
    traces: tuple[Path, ...],
    more: tuple[Path, ...],
    machine: str | None,
    output: Path | None,
    as_json: bool,
    processes: int | None,
    no_leave_out: bool,
) -> int:
    """Estimate machine values from measured thread traces and write them as a machine file."""
    if not traces:
        raise UserError("nothing to calibrate from", hint="--trace DIR [DIR...]: thread traces of rocprofv3")
    from wavesim.cli.calibrate_traces import calibrate_from_traces

    return calibrate_from_traces(
        [*traces, *more], machine, output, as_json=as_json, processes=processes, leave_out=not no_leave_out
    )
