"""``wavesim validate``: the accuracy table over a folder of measured traces."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--machine", help="Machine file instead of the stock ones.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the dated page (docs/accuracy.md)."
)
@click.option(
    "--footprints",
    type=click.Path(path_type=Path),
    help="YAML: trace folder to bytes of operands, for the modelled memory latencies.",
)
@click.option("--processes", type=click.IntRange(1), help="Processes (default: one per core).")
def validate(
    folder: Path,
    machine: str | None,
    as_json: bool,
    output: Path | None,
    footprints: Path | None,
    processes: int | None,
) -> int:
    """Replay every rocprofv3 thread trace in FOLDER and print how far the model is off.

    Exit code 1 if a trace cannot be replayed or is off by more than 5 %.
    """
    from wavesim.analyze.validate import read_footprints
    from wavesim.analyze.validate import validate as run
    from wavesim.report.files import write_atomically
    from wavesim.report.validation import failures, json_rows, page, table

    def tell(name: str) -> None:
        print(f"  {name}", file=sys.stderr)

    rows = run(
        folder,
        machine,
        footprints=read_footprints(footprints) if footprints is not None else {},
        processes=processes,
        progress=tell if sys.stderr.isatty() else None,
    )
    if output is not None:
        given = f" --footprints {footprints.name}" if footprints is not None else ""
        command = f"wavesim validate FOLDER{given} -o docs/accuracy.md"
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        write_atomically(output, page(rows, date, command))
    if as_json:
        click.echo(json_rows(rows))
    else:
        for line in table(rows):
            click.echo(line)
        for line in failures(rows):
            click.echo(f"beyond the target: {line}")
    return 1 if failures(rows) else 0
