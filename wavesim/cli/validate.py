"""``wavesim validate``: the accuracy table over a folder of measured traces."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import JsonOptions, TraceOptions, options
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.cli.progress import quiet
from wavesim.errors import UserError

if TYPE_CHECKING:
    from wavesim.replays.ablation import Ablation
    from wavesim.replays.att.dispatches import Which


@click.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--machine", type=InputPath(), help="Machine file instead of the stock ones.")
@options(choice=TraceOptions, as_json=JsonOptions)
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
@click.option(
    "--predict",
    "launches",
    type=InputPath(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Predict instead of replaying; launches are DIR/NAME.launch.yaml (docs/prediction.md).",
)
@click.option(
    "--arch",
    "machines",
    multiple=True,
    metavar="[PATTERN=]NAME",
    help="Device to predict for (repeatable): of the folders that fit, or of its architecture's others.",
)
def validate(
    folder: Path,
    machine: str | None,
    choice: TraceOptions,
    as_json: JsonOptions,
    output: Path | None,
    footprints: Path | None,
    notes: Path | None,
    processes: int | None,
    ablate: bool,
    launches: Path | None,
    machines: tuple[str, ...],
) -> int:
    """Replay every rocprofv3 thread trace in FOLDER and print how far the model is off.

    Exit code 1 if a trace cannot be replayed or is off by more than 5 %. With --predict nothing measured goes
    in: each kernel runs from its listing and launch. Exit code 1 if one with a launch cannot be predicted.
    """
    if launches is not None:
        return _predict(folder, launches, machines, choice.which(), as_json, output, processes)
    if machines:
        raise UserError("--arch is for --predict", None, "--machine FILE says what to replay with")
    return _replay(
        folder, machine, choice.which(), as_json, output, footprints, notes, processes, ablate=ablate
    )


def _replay(
    folder: Path,
    machine: str | None,
    which: Which,
    as_json: JsonOptions,
    output: Path | None,
    footprints: Path | None,
    notes: Path | None,
    processes: int | None,
    *,
    ablate: bool,
) -> int:
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

    rows = run(
        folder,
        machine,
        which,
        footprints=read_footprints(footprints) if footprints is not None else {},
        processes=processes,
        progress=_tell,
    )
    ablations: list[Ablation] = []
    if ablate:
        from wavesim.replays.ablation import ablate as run_ablation

        if not quiet():
            print("without each rule:", file=sys.stderr)
        ablations = run_ablation(folder, machine, which, processes=processes, progress=_tell)
    if output is not None:
        given = f" --footprints {footprints.name}" if footprints is not None else ""
        given += f" --notes {notes.name}" if notes is not None else ""
        given += " --ablate" if ablate else ""
        command = f"wavesim validate FOLDER{given} -o docs/accuracy.md"
        date = _today()
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


def _tell(what: str) -> None:
    if not quiet():
        print(f"  {what}", file=sys.stderr, flush=True)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _predict(
    folder: Path,
    launches: Path,
    machines: tuple[str, ...],
    which: Which,
    as_json: JsonOptions,
    output: Path | None,
    processes: int | None,
) -> int:
    from wavesim.replays.prediction_study import study
    from wavesim.report.files import write_atomically
    from wavesim.report.text.prediction_study import (
        left_out_table,
        misses,
        not_predicted,
        prediction_page,
        prediction_table,
        study_json,
    )

    found = study(folder, launches, machines, which, processes=processes, progress=_tell)
    if output is not None:
        given = "".join(f" --arch {quote(name)}" for name in machines)
        command = f"wavesim validate FOLDER --predict LAUNCHES{given} -o docs/prediction.md"
        write_atomically(output, [prediction_page(found, _today(), command)])
    if as_json.wanted:
        as_json.write(study_json(found) + "\n")
    if not as_json.alone:
        for line in (*prediction_table(found), "", *left_out_table(found.left_out), ""):
            click.echo(line)
        for line in not_predicted(found.rows):
            click.echo(f"not predicted: {line}")
        for line in misses(found):
            click.echo(f"not met: {line}")
    return int(any(row.with_launch and row.failure for row in found.rows))
