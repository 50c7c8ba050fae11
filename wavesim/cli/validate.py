"""``wavesim validate``: the accuracy table over a folder of measured traces."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import JsonOptions, options
from wavesim.cli.paths import InputPath, OutputPath

if TYPE_CHECKING:
    from wavesim.replays.ablation import Ablation


@click.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--machine", type=InputPath(), help="Machine file instead of the stock ones.")
@options(as_json=JsonOptions)
@click.option(
    "-o", "--output", type=OutputPath(path_type=Path), help="Write the dated page (docs/accuracy.md)."
)
@click.option(
    "--footprints",
    type=InputPath(path_type=Path),
    help="YAML: trace folder to bytes of operands, for the modelled memory latencies.",
)
@click.option(
    "--notes",
    type=InputPath(path_type=Path, exists=True, dir_okay=False),
    help="Text that the page carries below the figures not met (Markdown).",
)
@click.option("--processes", type=click.IntRange(1), help="Processes (default: one per core).")
@click.option("--ablate", is_flag=True, help="Also replay without each rule of the model: what it is worth.")
def validate(
    folder: Path,
    machine: str | None,
    as_json: JsonOptions,
    output: Path | None,
    footprints: Path | None,
    notes: Path | None,
    processes: int | None,
    ablate: bool,
) -> int:
    """Replay every rocprofv3 thread trace in FOLDER and print how far the model is off.

    Exit code 1 if a trace cannot be replayed or is off by more than 5 %.
    """
    from wavesim.replays.validate import read_footprints
    from wavesim.replays.validate import validate as run
    from wavesim.report.files import write_atomically
    from wavesim.report.text.validation import (
        ablation_table,
        failures,
        forced_table,
        json_rows,
        misses,
        page,
        ratio_lines,
        table,
    )
    from wavesim.source_text import read_text

    def tell(what: str) -> None:
        print(f"  {what}", file=sys.stderr, flush=True)

    rows = run(
        folder,
        machine,
        footprints=read_footprints(footprints) if footprints is not None else {},
        processes=processes,
        progress=tell,
    )
    ablations: list[Ablation] = []
    if ablate:
        from wavesim.replays.ablation import ablate as run_ablation

        print("without each rule:", file=sys.stderr)
        ablations = run_ablation(folder, machine, processes=processes, progress=tell)
    if output is not None:
        given = f" --footprints {footprints.name}" if footprints is not None else ""
        given += f" --notes {notes.name}" if notes is not None else ""
        given += " --ablate" if ablate else ""
        command = f"wavesim validate FOLDER{given} -o docs/accuracy.md"
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        text = read_text(notes) if notes is not None else ""
        write_atomically(output, page(rows, date, command, ablations, text))
    if as_json.wanted:
        as_json.write(json_rows(rows, ablations) + "\n")
    if not as_json.alone:
        parts = [table(rows), forced_table(rows), ratio_lines(rows)]
        if ablations:
            parts.append(ablation_table(ablations))
        for part in parts:
            for line in part:
                click.echo(line)
            if part:
                click.echo("")
        for line in misses(rows):
            click.echo(f"not met: {line}")
        for line in failures(rows):
            click.echo(f"beyond the target: {line}")
    return 1 if failures(rows) else 0
