"""``wavesim trace capture``: a kernel under ``rocprofv3 --att``, imported and replayed in one go."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wavesim.cli.options import SETTINGS, CompileOptions, JsonOptions, LaunchOptions, options
from wavesim.cli.paths import KernelPath
from wavesim.cli.progress import progress_line
from wavesim.words import signed_percent

if TYPE_CHECKING:
    from wavesim.calibrate.device.capture import AttOptions
    from wavesim.front.launch.file import LaunchOptions as LaunchTexts


@click.command()
@click.argument("kernel", type=KernelPath())
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="New folder for the trace."
)
@click.option("--device", type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU.")
@click.option("--machine", metavar="FILE", help="Machine file to replay with.")
@click.option("--set", "settings", **SETTINGS, help="Override a launch constant (K=512).")
@options(launch=LaunchOptions, compiling=CompileOptions)
@click.option("--rocprofv3", metavar="PATH", help="rocprofv3 (default: on PATH, in ROCM_PATH, /opt/rocm).")
@click.option(
    "--att-library-path",
    "library",
    type=click.Path(path_type=Path),
    help="Folder of librocprof-trace-decoder.so.",
)
@click.option(
    "--target-cu", type=click.IntRange(0, 15), default=1, show_default=True, help="Compute unit to trace."
)
@click.option(
    "--shader-engines", default="0x1", show_default=True, metavar="MASK", help="Shader engines to trace."
)
@click.option("--simds", default="0xF", show_default=True, metavar="MASK", help="SIMDs to trace.")
@click.option(
    "--buffer-bytes",
    type=click.IntRange(1 << 20, 2 << 30),
    default=96 << 20,
    show_default=True,
    help="Trace buffer.",
)
@click.option(
    "--activity", type=click.IntRange(0, 16), default=0, help="Period of activity counters; 0: off."
)
@click.option(
    "--copies",
    type=click.IntRange(0),
    default=0,
    help="Grids side by side; 0: such that each compute unit gets one to four workgroups; 1: as it is.",
)
@options(as_json=JsonOptions)
def capture(
    kernel: Path,
    output: Path,
    device: int,
    machine: str | None,
    settings: dict[str, str],
    launch: LaunchOptions,
    compiling: CompileOptions,
    rocprofv3: str | None,
    library: Path | None,
    target_cu: int,
    shader_engines: str,
    simds: str,
    buffer_bytes: int,
    activity: int,
    copies: int,
    as_json: JsonOptions,
) -> int:
    """Run KERNEL on this machine's GPU under rocprofv3 --att, import the trace and replay it.

    KERNEL is any kernel that wavesim can run. A small launcher starts it a few times; one launch is traced.
    """
    from wavesim.calibrate.device.capture import AttOptions

    wanted = AttOptions(rocprofv3, library, target_cu, shader_engines, simds, buffer_bytes, activity, copies)
    texts = launch.texts(compiling.flags(kernel))
    found = capture_and_replay(kernel, output, wanted, device, settings, texts, machine, quiet=as_json.alone)
    as_json.report("trace-capture", found)
    return 0


def capture_and_replay(
    kernel: Path,
    output: Path,
    options: AttOptions,
    device: int,
    settings: dict[str, str],
    launch: LaunchTexts,
    machine: str | None,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """Capture, import, replay, and print what the replay found (to standard error if ``quiet``). The same as
    plain data.

    Raises:
        UserError: as ``capture`` and ``import_trace``.
    """
    from wavesim.calibrate.device.capture import capture
    from wavesim.isa.load import load_machine
    from wavesim.pipeline.run import RunOptions, run_kernel
    from wavesim.replays.att.importer import import_trace
    from wavesim.replays.compute_unit import memory_mode, replay
    from wavesim.report.output import look_for, write_lines
    from wavesim.report.text.replay import replay_json, replay_lines, worst_place

    out = sys.stderr if quiet else sys.stdout

    def say(text: str) -> None:
        click.echo(text, file=out)

    with progress_line("rocprofv3 --att") as progress:
        if progress is not None:
            progress("the kernel runs, then the trace is decoded", 0.0)
        captured = capture(kernel, output, options, device=device, settings=settings, launch=launch)
    gpu = captured.device
    say(f"captured on {gpu.name} ({gpu.arch}): {captured.folder}")
    say(f"  {captured.kernel}, {captured.workgroups} workgroups; command: {captured.command}")
    imported = import_trace(captured.folder, "auto" if machine else gpu.arch, machine)
    other = bool(imported.kernel) and captured.kernel not in imported.kernel
    if other:
        say(f"  NOTE: the trace is of {imported.kernel}, not of {captured.kernel}")
    look = look_for(out, no_color=bool(os.environ.get("NO_COLOR")))
    results = replay(imported, load_machine(imported.machine), memory_mode("measured"))
    for result in results:
        say("")
        for line in replay_lines(result):
            say(line)
        say("")
        write_lines(worst_place(result, look), out, look)
    wanted = RunOptions(arch=None if machine else gpu.arch, machine=machine, settings=settings, launch=launch)
    loop = run_kernel(kernel, replace(wanted, numbers=False), need_launch=True).analysis.loop
    measured = [each.measured.clk_per_iteration for each in results if each.measured.clk_per_iteration]
    pace = None
    if loop is not None and measured and not other:
        pace = loop.wave_clk_per_iteration * loop.unroll  # a trace shows passes
        found = f"{pace:.1f} clk/iteration, {signed_percent(pace / measured[0] - 1)}"
        say(f"\nsimulated without the trace, as wavesim run does: {found}")
    say(f"\nmore of it: wavesim replay {captured.folder}")
    return {
        "device": gpu.name,
        "arch": gpu.arch,
        "folder": str(captured.folder),
        "kernel": captured.kernel,
        "traced_kernel": imported.kernel,
        "workgroups": captured.workgroups,
        "command": captured.command,
        "simulated_clk_per_iteration": pace,
        "units": [replay_json(result) for result in results],
    }
