"""``wavesim calibrate`` on a device or on kept samples: measure, fit, compare the real kernel, report."""

from __future__ import annotations

import datetime
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import SETTINGS, JsonOptions, TraceOptions, group, option
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.cli.progress import progress_line
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.paths import kernel_path
from wavesim.words import counted

if TYPE_CHECKING:
    from wavesim.calibrate.bench.benchmark import Benchmark
    from wavesim.calibrate.bench.samples import Samples
    from wavesim.calibrate.device.base import Device
    from wavesim.calibrate.real.kernel import Comparison
    from wavesim.front.launch.model import LoadedKernel
    from wavesim.isa.machine import Machine

REAL_KERNEL = Path("hip") / "8wave.hip"
VIRTUAL_BENCHMARK_S = 0.25
"""Of a program on a virtual device: executing it and timing it once (repeats cost next to nothing)."""

VIRTUAL_KERNEL_REPEATS = 3
VIRTUAL_CHIP_REPEATS = 5

LANE_PHASES = "lane_phases"
"""The name of the programs that find lane phases, for --only: which of them run depends on the clocks."""
PHASE_PROGRAMS = 40
"""Of them, where the stock table is right."""

CHIP_VIRTUAL_S = 7
CHIP_GPU_S = 120
"""Most of it for the clock, which must come to rest before each first launch."""

FIT_S_PER_BENCHMARK = 0.3


@dataclass(frozen=True)
class Wishes:
    """The options of the command."""

    gpu: bool = option(
        "--gpu", is_flag=True, help="Measure the AMD GPU of this machine (needs hip-python, ROCm)."
    )
    virtual: str | None = option(
        "--virtual", metavar="ARCH", help="Go through it all on wavesim's own model, which is no GPU."
    )
    traces: tuple[Path, ...] = option(
        "--trace",
        multiple=True,
        type=InputPath(path_type=Path),
        metavar="DIR",
        help="Estimate from measured thread traces instead (more may follow).",
    )
    choice: TraceOptions = group(TraceOptions)
    samples: Path | None = option(
        "--samples",
        type=InputPath(path_type=Path),
        help="Fit once more from kept samples; no device.",
    )
    dry_run: bool = option("--dry-run", is_flag=True, help="List what would run, and for how long.")
    output: Path | None = option(
        "-o", "--output", type=OutputPath(path_type=Path), help="Write the machine file here."
    )
    report: Path | None = option(
        "--report",
        type=OutputPath(path_type=Path),
        help="Write the report here: JSON, or a page for the browser if the name ends in .html.",
    )
    keep: Path | None = option(
        "--keep-samples",
        type=click.Path(path_type=Path),
        help="Keep (and resume from) the raw clocks here.",
    )
    repeats: int = option(
        "--repeats",
        type=click.IntRange(3, 1000),
        default=15,
        show_default=True,
        help="Runs of each program.",
    )
    only: tuple[str, ...] = option(
        "--only", multiple=True, metavar="PATTERN", help="Only these microbenchmarks: 'mfma_*'."
    )
    device: int = option(
        "--device", type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU."
    )
    noise_clk: int = option(
        "--noise",
        type=click.IntRange(0, 64),
        default=4,
        show_default=True,
        help="Of a virtual device, clk.",
    )
    seed: int = option("--seed", type=int, default=0, show_default=True, help="Of a virtual device's noise.")
    kernel: str | None = option(
        "--kernel",
        type=InputPath(),
        help=f"The real kernel to compare with [default: kernels/{REAL_KERNEL.as_posix()}].",
    )
    launch: str | None = option(
        "--launch", type=InputPath(dir_okay=False), help="Launch file (YAML) of the real kernel."
    )
    no_kernel: bool = option("--no-kernel", is_flag=True, help="Microbenchmarks only.")
    settings: Mapping[str, str] = option("--set", **SETTINGS, help="Launch constants of the real kernel.")
    tolerance: float | None = option(
        "--tolerance",
        type=click.FloatRange(0),
        help="Exit 1 if the real kernel is off by more, in per cent.",
    )
    att: Path | None = option(
        "--att",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="With --gpu: also capture the real kernel with rocprofv3 --att into DIR, and replay that.",
    )
    machine: str | None = option(
        "--machine", type=InputPath(), help="With --trace: the machine file to begin with."
    )
    as_json: JsonOptions = group(JsonOptions)

    @property
    def quiet(self) -> bool:
        """Whether JSON alone goes to standard output."""
        return self.as_json.alone

    @property
    def compares(self) -> bool:
        """Whether a real kernel runs."""
        return self.samples is None and not self.no_kernel

    @property
    def kernel_repeats(self) -> int:
        """Launches of the real kernel that count; a virtual device's differ by its noise only."""
        return self.repeats if self.gpu else min(self.repeats, VIRTUAL_KERNEL_REPEATS)

    @property
    def chip_repeats(self) -> int:
        """Of each probe of the chip; a virtual device's differ by its noise only."""
        return self.repeats if self.gpu else min(self.repeats, VIRTUAL_CHIP_REPEATS)

    def check(self) -> None:
        """Options that say nothing together, and files that could not be written in the end.

        Raises:
            UserError: some of them.
        """
        if not self.compares:
            why = "--no-kernel" if self.samples is None else "--samples, which has no device,"
            for given, name in (
                (self.tolerance, "--tolerance"),
                (self.kernel, "--kernel"),
                (self.att, "--att"),
            ):
                if given is not None:
                    raise UserError(f"{name} is about the real kernel, and {why} leaves that out")
        if self.att is not None and not self.gpu:
            raise UserError("--att needs a GPU: a virtual device has no thread trace")
        if self.samples is not None and self.keep is not None:
            raise UserError("--samples and --keep-samples exclude each other: nothing new is measured")
        for file in (self.output, self.report, self.keep):
            if file is not None and os.path.isdir(file):
                raise UserError(f"{file} is a folder; the name of a file is needed")
            if file is not None and not file.absolute().parent.is_dir():
                raise UserError(f"cannot write {file}: no folder {file.absolute().parent}")

    def kernel_path(self) -> Path:
        """The real kernel's file."""
        from wavesim.isa.paths import data_dir

        return kernel_path(self.kernel) if self.kernel is not None else data_dir("kernels") / REAL_KERNEL

    def load_kernel(self, arch: str) -> tuple[LoadedKernel, Machine]:
        """The real kernel and the stock machine with the kernel's values.

        Raises:
            UserError: unusable kernel.
        """
        from wavesim.pipeline.run import RunOptions, prepare

        options = RunOptions(arch=arch, settings=self.settings, launch=LaunchOptions(file=self.launch))
        return prepare(self.kernel_path(), options)


def with_lane_phases(only: Sequence[str]) -> bool:
    """Whether the lane phases are among what was chosen."""
    return not only or any(fnmatchcase(LANE_PHASES, pattern) for pattern in only)


def chip_parts(only: Sequence[str]) -> tuple[str, ...]:
    """The parts of the chip that were chosen."""
    from wavesim.calibrate.chip.measure import PARTS

    return tuple(name for name in PARTS if not only or any(fnmatchcase(name, pattern) for pattern in only))


def chosen(machine: Machine, only: Sequence[str]) -> tuple[Benchmark, ...]:
    """The microbenchmarks, or those whose names match.

    Raises:
        UserError: none does.
    """
    from wavesim.calibrate.bench.programs import microbenchmarks

    found = tuple(microbenchmarks(machine))
    names = (LANE_PHASES, *chip_parts(()), *(each.name for each in found))
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UserError(f"--only {pattern!r:.60}: no such microbenchmark", None, "--dry-run lists them")
    return tuple(
        each for each in found if not only or any(fnmatchcase(each.name, pattern) for pattern in only)
    )


def dry(wishes: Wishes) -> int:
    """List what would run, and for how long."""
    from wavesim.calibrate.bench.samples import Samples, with_overheads
    from wavesim.calibrate.chip.measure import PARTS
    from wavesim.calibrate.device.capture import find_rocprofv3
    from wavesim.isa.load import load_machine

    kept = wishes.samples or (
        wishes.keep if wishes.keep is not None and os.path.exists(wishes.keep) else None
    )
    samples = Samples.read(kept) if kept is not None else None
    arch = samples.properties.arch if samples is not None else wishes.virtual or "gfx942"
    found = chosen(load_machine(arch), wishes.only)
    for benchmark in found:
        waves = benchmark.body.waves
        words = f"{benchmark.about}; {counted(waves, 'wave')}"
        click.echo(f"{benchmark.name:<40} {words}")
        if benchmark.parameters:
            click.echo(f"{'':<40} for {', '.join(benchmark.parameters)}")
    phases = PHASE_PROGRAMS if with_lane_phases(wishes.only) else 0
    if phases:
        click.echo(f"{LANE_PHASES:<40} lanes that the LDS serves together: about {phases} programs, 1 wave")
    parts = chip_parts(wishes.only)
    for name in parts:
        click.echo(f"{name:<40} {PARTS[name]}")
    click.echo("")
    programs = with_overheads(found)
    fit = f"the fit: about {_time(FIT_S_PER_BENCHMARK * len(found))}"
    if wishes.samples is not None:
        click.echo(f"nothing is measured: {len(found)} programs' clocks are kept in {wishes.samples}; {fit}")
        return 0
    todo = [each for each in programs if samples is None or not samples.has(each.name, wishes.repeats)]
    launches = (wishes.repeats + 1) * len(todo)
    seconds = VIRTUAL_BENCHMARK_S * (len(todo) + phases)
    where = "on a GPU: seconds" if wishes.gpu else f"about {_time(seconds)}"
    click.echo(
        f"{len(found)} programs and {len(programs) - len(found)} empty ones, {len(todo)} still to run, "
        f"{launches} launches: {where}"
    )
    if parts:
        share = len(parts) / len(PARTS)
        chip = _time(share * (CHIP_GPU_S if wishes.gpu else CHIP_VIRTUAL_S))
        click.echo(
            f"then the chip around a compute unit: about {chip}" + ("" if wishes.gpu else ", a stand-in")
        )
    click.echo(fit)
    if wishes.compares:
        click.echo(f"then the real kernel: {wishes.kernel_path()}, {wishes.kernel_repeats + 1} launches")
    if wishes.att is not None:
        tool = find_rocprofv3() or "rocprofv3, which is not here,"
        click.echo(f"then a thread trace with {tool} into {wishes.att}")
    if wishes.gpu and arch == "gfx942":
        click.echo("(listed for gfx942; what runs is for the GPU that is found)")
    return 0


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def run(wishes: Wishes) -> int:
    """Everything. Exit code 0, or 1 for a poor fit, wrong numbers or an error beyond the tolerance.

    Raises:
        UserError: unusable device, kernel, samples or file.
    """
    if wishes.samples is not None:
        from wavesim.calibrate.bench.samples import Samples

        return _finish(wishes, Samples.read(wishes.samples), None)[0]
    if wishes.att is not None:
        from wavesim.calibrate.device.capture import require_rocprofv3

        require_rocprofv3(None)
    with _open(wishes) as device:
        if wishes.compares:  # what is wrong with the kernel is said before minutes of measuring
            from wavesim.calibrate.real.kernel import stamped_kernel

            stamped_kernel(*wishes.load_kernel(device.properties.arch))
        code, text = _finish(wishes, _measure(wishes, device), device)
    if wishes.gpu and wishes.compares:
        _trace(wishes, text)
    return code


def _open(wishes: Wishes) -> Device:
    """The device that was asked for."""
    if wishes.gpu:
        from wavesim.calibrate.device.hip import HipDevice

        return HipDevice(wishes.device)
    from wavesim.calibrate.device.virtual import VirtualDevice
    from wavesim.isa.load import load_machine

    assert wishes.virtual is not None
    return VirtualDevice(load_machine(wishes.virtual), noise_clk=wishes.noise_clk, seed=wishes.seed)


def _measure(wishes: Wishes, device: Device) -> Samples:
    """Run the microbenchmarks whose clocks are not kept yet."""
    from wavesim.calibrate.bench.lane_phases import measure_phases
    from wavesim.calibrate.bench.samples import Samples, measure
    from wavesim.calibrate.chip.measure import find_chip
    from wavesim.calibrate.chip.probe import measuring
    from wavesim.isa.load import load_machine

    properties, keep = device.properties, wishes.keep
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    samples = Samples(properties, today)
    if keep is not None and os.path.exists(keep):
        samples = Samples.read(keep)
        if samples.properties != properties:
            raise UserError(
                f"{keep} has samples of {samples.properties.name}, driver {samples.properties.driver}; the "
                f"device is {properties.name}, driver {properties.driver}",
                None,
                "give another file to --keep-samples",
            )
        if samples.clk:
            click.echo(f"{keep}: {len(samples.clk)} programs were measured before", err=True)
    save = None if keep is None else lambda kept: kept.write(keep)
    with progress_line("calibrate") as progress:
        stock = load_machine(properties.arch)
        benchmarks = chosen(stock, wishes.only)
        measure(device, benchmarks, samples, repeats=wishes.repeats, progress=progress, save=save)
        if with_lane_phases(wishes.only):
            measure_phases(device, stock, samples, repeats=wishes.repeats, progress=progress, save=save)
        read = measuring(device, samples, wishes.chip_repeats, progress, save)
        find_chip(stock, properties, read, chip_parts(wishes.only))
    return samples


def _finish(wishes: Wishes, samples: Samples, device: Device | None) -> tuple[int, str]:
    """Fit, write the machine file, compare the real kernel, report; exit code and machine file."""
    from wavesim.calibrate.bench.lane_phases import find_phases, from_samples, with_phases
    from wavesim.calibrate.chip.measure import find_chip
    from wavesim.calibrate.chip.probe import from_samples as numbers_of
    from wavesim.calibrate.fit.chip_outcome import chip_lines
    from wavesim.calibrate.fit.outcome import machine_file, phase_lines, report_json, report_lines
    from wavesim.calibrate.fit.search import fit
    from wavesim.calibrate.real.report import kernel_json, kernel_lines
    from wavesim.isa.load import load_machine
    from wavesim.report.files import write_atomically
    from wavesim.report.json.schemas import headed

    stock = load_machine(samples.properties.arch)
    measured = [each for each in chosen(stock, wishes.only) if samples.has(each.name, 1)]
    phases = find_phases(stock, from_samples(samples)) if with_lane_phases(wishes.only) else {}
    chip = find_chip(stock, samples.properties, numbers_of(samples), chip_parts(wishes.only))
    if not measured and not chip and not any(each.phases for each in phases.values()):
        raise UserError("the samples hold no known microbenchmark", None, "run wavesim calibrate once more")
    with progress_line("calibrate") as progress:
        result = fit(with_phases(stock, phases), measured, samples, progress)
    text = machine_file(stock, result, samples, phases, chip)
    if wishes.output is not None:
        write_atomically(wishes.output, [text])
    found_phases = list(phase_lines(stock, phases))
    found_chip = list(chip_lines(chip, virtual=samples.properties.virtual))
    lines = list(report_lines(samples, result))
    for more in (found_phases, found_chip):
        lines += ["", *more] if more else []
    data, good = report_json(samples, result, phases, chip), result.good
    if device is not None and wishes.compares:
        tolerance = None if wishes.tolerance is None else wishes.tolerance / 100
        comparison = _compare(wishes, device, text)
        lines += ["", *kernel_lines(comparison, samples.properties, tolerance)]
        data["kernel"] = kernel_json(comparison, tolerance)
        good = good and comparison.right and (tolerance is None or comparison.within(tolerance))
    if wishes.report is not None:
        _write_report(wishes.report, data)
    if wishes.as_json.wanted:
        wishes.as_json.write(json.dumps(headed("calibrate", data), indent=1) + "\n")
    if not wishes.quiet:
        for line in lines:
            click.echo(line)
        if wishes.output is not None:
            click.echo(f"\nwritten: {wishes.output} (use it with --machine)")
    sys.stdout.flush()
    return int(not good), text


def _compare(wishes: Wishes, device: Device, text: str) -> Comparison:
    """The real kernel on the device, and with the stock and the calibrated machine in the simulator."""
    from wavesim.calibrate.real.kernel import compare
    from wavesim.isa.load import load_machine

    loaded, plain = wishes.load_kernel(device.properties.arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        calibrated = Path(folder) / "calibrated.yaml"
        calibrated.write_text(text, encoding="utf-8")
        overrides = {
            **loaded.launch.machine_overrides,
            **{name: value for name, value in wishes.settings.items() if "." in name},
        }
        machines = [("stock", plain), ("calibrated", load_machine(str(calibrated), overrides))]
        with progress_line("calibrate: the real kernel") as progress:
            return compare(device, loaded, machines, repeats=wishes.kernel_repeats, progress=progress)


def _write_report(file: Path, data: Mapping[str, object]) -> None:
    from wavesim.report.files import write_atomically
    from wavesim.report.text.calibration import calibration_page

    if file.suffix.lower() in (".html", ".htm"):
        write_atomically(file, calibration_page(data))
    else:
        write_atomically(file, [json.dumps(data, indent=1) + "\n"])


def _trace(wishes: Wishes, machine: str) -> None:
    """The thread trace that ``--att`` asks for; else a line that says it could be had."""
    from wavesim.calibrate.device.capture import AttOptions, find_rocprofv3
    from wavesim.cli.trace_capture import capture_and_replay

    if wishes.att is None:
        if find_rocprofv3() is not None and not wishes.quiet:
            click.echo(
                "\nrocprofv3 is on this machine: --att DIR (or wavesim trace capture) records the real "
                "kernel's thread trace and replays it"
            )
        return
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        calibrated = Path(folder) / "calibrated.yaml"
        calibrated.write_text(machine, encoding="utf-8")
        click.echo("", err=wishes.quiet)
        capture_and_replay(
            wishes.kernel_path(),
            wishes.att,
            AttOptions(),
            wishes.device,
            dict(wishes.settings),
            LaunchOptions(file=wishes.launch),
            str(calibrated),
            quiet=wishes.quiet,
        )
