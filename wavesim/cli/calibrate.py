"""``wavesim calibrate``: measure a machine (a GPU, a virtual device or thread traces) and fit the model."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavesim.cli.common import parse_settings, progress_line
from wavesim.errors import UserError

if TYPE_CHECKING:
    from wavesim.calibrate.device import Device
    from wavesim.calibrate.samples import Samples

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
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Estimate from measured thread traces instead (more may follow).",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]...")
@click.option(
    "--samples", type=click.Path(path_type=Path), help="Fit once more from kept samples; no device."
)
@click.option("--dry-run", is_flag=True, help="List what would run, and for how long.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the machine file here.")
@click.option(
    "--report", "report_file", type=click.Path(path_type=Path), help="Write the report here as JSON."
)
@click.option(
    "--keep-samples", type=click.Path(path_type=Path), help="Keep (and resume from) the raw clocks here."
)
@click.option(
    "--repeats", type=click.IntRange(3, 1000), default=15, show_default=True, help="Runs of each program."
)
@click.option("--device", type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU.")
@click.option(
    "--noise", type=click.IntRange(0, 64), default=4, show_default=True, help="Of a virtual device, clk."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of a virtual device's noise.")
@click.option("--kernel", default=None, help=f"The real kernel to compare with [default: {REAL_KERNEL}].")
@click.option("--no-kernel", is_flag=True, help="Microbenchmarks only.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=parse_settings,
    help="Launch constants of the real kernel.",
)
@click.option(
    "--tolerance", type=click.FloatRange(0), help="Exit 1 if the real kernel is off by more, in per cent."
)
@click.option("--machine", help="With --trace: the machine file to begin with.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
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
    device: int,
    noise: int,
    seed: int,
    kernel: str | None,
    no_kernel: bool,
    settings: dict[str, str],
    tolerance: float | None,
    machine: str | None,
    as_json: bool,
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
    if dry_run:
        return _dry_run(virtual or "gfx942", repeats)
    if samples is not None:
        from wavesim.calibrate.samples import Samples as Read

        return _finish(
            Read.read(samples), None, output, report_file, None, settings, repeats, tolerance, as_json
        )
    opened = _open(gpu, virtual, device, noise, seed)
    with opened as chosen:
        measured = _measure(chosen, keep_samples, repeats)
        wanted = None if no_kernel else kernel or _default_kernel()
        return _finish(measured, chosen, output, report_file, wanted, settings, repeats, tolerance, as_json)


def _default_kernel() -> str:
    from wavesim.isa.load import data_dir

    return str(data_dir("kernels").parent / REAL_KERNEL)


def _open(gpu: bool, virtual: str | None, number: int, noise: int, seed: int) -> Device:
    """The device that was asked for."""
    if gpu:
        from wavesim.calibrate.hip_device import HipDevice

        return HipDevice(number)
    from wavesim.calibrate.virtual_device import VirtualDevice
    from wavesim.isa.load import load_machine

    assert virtual is not None
    return VirtualDevice(load_machine(virtual), noise_clk=noise, seed=seed)


def _measure(device: Device, keep: Path | None, repeats: int) -> Samples:
    """Run the microbenchmarks that ``keep`` does not have yet."""
    from wavesim.calibrate.microbenchmarks import microbenchmarks
    from wavesim.calibrate.samples import Samples, measure
    from wavesim.isa.load import load_machine

    properties = device.properties
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    samples = Samples(properties, today)
    if keep is not None and keep.exists():
        samples = Samples.read(keep)
        if samples.properties.name != properties.name:
            raise UserError(
                f"{keep} has samples of {samples.properties.name}, the device is {properties.name}",
                None,
                "give another file to --keep-samples",
            )
    save = None if keep is None else lambda kept: kept.write(keep)
    with progress_line("calibrate") as progress:
        measure(
            device,
            microbenchmarks(load_machine(properties.arch)),
            samples,
            repeats=repeats,
            progress=progress,
            save=save,
        )
    return samples


def _dry_run(arch: str, repeats: int) -> int:
    """What would run. A launch takes under a millisecond on a GPU and about 0.06 s on a virtual device."""
    from wavesim.calibrate.microbenchmarks import microbenchmarks
    from wavesim.isa.load import load_machine

    found = microbenchmarks(load_machine(arch))
    for benchmark in found:
        waves = benchmark.body.waves
        words = f"{benchmark.about}; {waves} wave{'s' if waves > 1 else ''}"
        click.echo(f"{benchmark.name:<40} {words}")
        if benchmark.parameters:
            click.echo(f"{'':<40} for {', '.join(benchmark.parameters)}")
    launches = (repeats + 1) * (len(found) + 3)
    click.echo(
        f"\n{len(found)} programs, {launches} launches: seconds on a GPU, about {launches * 0.06:.0f} s on a "
        "virtual device; then the fit, about a minute; then the real kernel."
    )
    return 0


def _finish(
    samples: Samples,
    device: Device | None,
    output: Path | None,
    report_file: Path | None,
    kernel: str | None,
    settings: dict[str, str],
    repeats: int,
    tolerance: float | None,
    as_json: bool,
) -> int:
    """Fit, write the machine file, compare the real kernel, report."""
    import tempfile

    from wavesim.analyze.pipeline import RunOptions, prepare
    from wavesim.calibrate.fit import fit
    from wavesim.calibrate.microbenchmarks import microbenchmarks
    from wavesim.calibrate.outcome import machine_file, report_json, report_lines
    from wavesim.calibrate.real_kernel import compare
    from wavesim.calibrate.real_report import kernel_json, kernel_lines
    from wavesim.isa.load import load_machine
    from wavesim.report.files import write_atomically

    stock = load_machine(samples.properties.arch)
    measured = [each for each in microbenchmarks(stock) if each.name in samples.clk]
    if not measured:
        raise UserError("the samples hold no known microbenchmark", None, "run wavesim calibrate once more")
    with progress_line("calibrate") as progress:
        result = fit(stock, measured, samples, progress)
    text = machine_file(stock, result, samples)
    if output is not None:
        write_atomically(output, [text])
    lines, data, good = list(report_lines(samples, result)), report_json(samples, result), result.good
    if device is not None and kernel is not None:
        with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
            calibrated = Path(folder) / "calibrated.yaml"
            calibrated.write_text(text, encoding="utf-8")
            loaded, plain = prepare(Path(kernel), RunOptions(arch=stock.arch, settings=settings))
            overrides = dict(loaded.launch.machine_overrides)
            machines = [("stock", plain), ("calibrated", load_machine(str(calibrated), overrides))]
            with progress_line("calibrate: the real kernel") as progress:
                comparison = compare(device, loaded, machines, repeats=repeats, progress=progress)
        lines += ["", *kernel_lines(comparison, samples.properties)]
        data["kernel"] = kernel_json(comparison)
        good = good and comparison.within((tolerance if tolerance is not None else 1e9) / 100)
    if report_file is not None:
        write_atomically(report_file, [json.dumps(data, indent=1) + "\n"])
    if as_json:
        click.echo(json.dumps(data, indent=1))
    else:
        for line in lines:
            click.echo(line)
        if output is not None:
            click.echo(f"\nwritten: {output} (use it with --machine)")
    sys.stdout.flush()
    return 0 if good else 1
