"""``wavesim calibrate``: measure a machine (a GPU, a virtual device or thread traces) and fit the model."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.options import SETTINGS, JsonOptions, options
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.errors import UserError

REAL_KERNEL = "kernels/hip/8wave.hip"


@click.command()
@click.option(
    "--gpu", "gpu", is_flag=True, help="Measure the AMD GPU of this machine (needs hip-python, ROCm)."
)
@click.option("--virtual", metavar="ARCH", help="Go through it all on wavesim's own model, which is no GPU.")
@click.option(
    "--trace",
    "traces",
    multiple=True,
    type=InputPath(path_type=Path),
    metavar="DIR",
    help="Estimate from measured thread traces instead (more may follow).",
)
@click.argument("more", nargs=-1, type=InputPath(path_type=Path), metavar="[DIR]...")
@click.option("--samples", type=InputPath(path_type=Path), help="Fit once more from kept samples; no device.")
@click.option("--dry-run", is_flag=True, help="List what would run, and for how long.")
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Write the machine file here.")
@click.option(
    "--report",
    "report_file",
    type=OutputPath(path_type=Path),
    help="Write the report here: JSON, or a page for the browser if the name ends in .html.",
)
@click.option(
    "--keep-samples", type=click.Path(path_type=Path), help="Keep (and resume from) the raw clocks here."
)
@click.option(
    "--repeats", type=click.IntRange(3, 1000), default=15, show_default=True, help="Runs of each program."
)
@click.option("--only", multiple=True, metavar="PATTERN", help="Only these microbenchmarks: 'mfma_*'.")
@click.option("--device", type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU.")
@click.option(
    "--noise", type=click.IntRange(0, 64), default=4, show_default=True, help="Of a virtual device, clk."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of a virtual device's noise.")
@click.option(
    "--kernel",
    type=InputPath(),
    default=None,
    help=f"The real kernel to compare with [default: {REAL_KERNEL}].",
)
@click.option(
    "--launch", "launch_file", type=InputPath(dir_okay=False), help="Launch file (YAML) of the real kernel."
)
@click.option("--no-kernel", is_flag=True, help="Microbenchmarks only.")
@click.option("--set", "settings", **SETTINGS, help="Launch constants of the real kernel.")
@click.option(
    "--tolerance", type=click.FloatRange(0), help="Exit 1 if the real kernel is off by more, in per cent."
)
@click.option(
    "--att",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --gpu: also capture the real kernel with rocprofv3 --att into DIR, and replay that.",
)
@click.option("--machine", type=InputPath(), help="With --trace: the machine file to begin with.")
@options(as_json=JsonOptions)
def calibrate(
    gpu: bool,
    virtual: str | None,
    traces: tuple[Path, ...],
    more: tuple[Path, ...],
    samples: Path | None,
    dry_run: bool,
    output: Path | None,
    report_file: Path | None,
    keep_samples: Path | None,
    repeats: int,
    only: tuple[str, ...],
    device: int,
    noise: int,
    seed: int,
    kernel: str | None,
    launch_file: str | None,
    no_kernel: bool,
    settings: dict[str, str],
    tolerance: float | None,
    att: Path | None,
    machine: str | None,
    as_json: JsonOptions,
) -> int:
    """Measure the machine with microbenchmarks, fit the model to it, and compare a real kernel.

    Say which machine: --gpu, --virtual ARCH, --trace DIR or --samples FILE. The outcome is a machine file
    for --machine, with where each value comes from.

    Exit code 1: a poor fit, wrong numbers, or an error beyond --tolerance. 2: no usable device.
    """
    ways = [bool(gpu), virtual is not None, bool(traces), samples is not None]
    if sum(ways) != 1:
        raise UserError(
            "say which machine to calibrate",
            None,
            "one of --gpu, --virtual ARCH, --trace DIR, --samples FILE",
        )
    if more and not traces:
        raise UserError(f"what is {more[0]} for?", hint="thread traces follow --trace DIR")
    if traces:
        from wavesim.cli.calibrate_traces import calibrate_from_traces

        return calibrate_from_traces([*traces, *more], machine, output, as_json=as_json, processes=None)
    if machine is not None:
        raise UserError("--machine goes with --trace; the other ways begin with the stock machine")
    from wavesim.cli.calibrate_device import Wishes, dry, run

    wishes = Wishes(
        gpu=gpu,
        virtual=virtual,
        samples=samples,
        output=output,
        report=report_file,
        keep=keep_samples,
        repeats=repeats,
        only=only,
        device=device,
        noise_clk=noise,
        seed=seed,
        kernel=kernel,
        launch=launch_file,
        no_kernel=no_kernel,
        settings=settings,
        tolerance=tolerance,
        att=att,
        as_json=as_json,
    )
    wishes.check()
    return dry(wishes) if dry_run else run(wishes)
