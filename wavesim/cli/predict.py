"""`wavesim predict`: what a trace measured, from its kernel alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from wavesim.cli.options import (
    SETTINGS,
    TRACE_ARCH,
    JsonOptions,
    SharingOptions,
    TimingOptions,
    TraceOptions,
    options,
)
from wavesim.cli.paths import InputPath
from wavesim.cli.progress import progress_line


@click.command()
@click.argument("folder", type=InputPath(path_type=Path))
@click.option("--launch", type=InputPath(dir_okay=False), help="Launch file (YAML): what was launched.")
@click.option("--arch", **TRACE_ARCH)
@click.option("--machine", type=InputPath(dir_okay=False), help="Machine file instead of the stock one.")
@click.option("--set", "settings", **SETTINGS, help="Override a launch constant or a machine value.")
@options(choice=TraceOptions, sharing=SharingOptions, timing=TimingOptions, as_json=JsonOptions)
@click.option("--tolerance", type=float, help="Exit 1 if |error| is larger (a fraction).")
def predict(
    folder: Path,
    launch: str | None,
    arch: str,
    machine: str | None,
    settings: Mapping[str, str],
    choice: TraceOptions,
    sharing: SharingOptions,
    timing: TimingOptions,
    as_json: JsonOptions,
    tolerance: float | None,
) -> int:
    """Predict the kernel of the trace in FOLDER from its code and launch, beside what was measured.

    No time of the trace is used. Without a launch its loop is predicted, as a region of unknown data. Of
    several dispatches and compute units the typical one is meant.
    """
    from wavesim.replays.predict import PredictOptions
    from wavesim.replays.predict import predict as run
    from wavesim.report.text.prediction import prediction_json, prediction_lines

    wanted = PredictOptions(
        launch,
        arch,
        machine,
        settings,
        sharing.workgroups,
        sharing.rounds or 1,
        timing.engine,
        timing.clock,
        timing.memory or "dispatch",
        choice.which(),
    )
    with progress_line(f"wavesim predict {folder.name}") as progress:
        found = run(folder, wanted, progress)
    if as_json.wanted:
        as_json.write(json.dumps(prediction_json(found), indent=2) + "\n")
    if not as_json.alone:
        for line in prediction_lines(found):
            click.echo(line)
    return int(tolerance is not None and abs(found.error) > tolerance)
