"""Options that several commands share, and the progress line."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wavesim.cli.operands import STDOUT
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.cli.paths import KernelPath as KernelPath
from wavesim.errors import UserError
from wavesim.front.launch.file import MAX_DYNAMIC_LDS_BYTES, LaunchOptions
from wavesim.front.region import DEFAULT_TRIPS, DEFAULT_WAVES, MOST_WAVES, RegionOptions
from wavesim.limits import MAX_CLK, MAX_INSTRUCTIONS, MAX_WAVES, allowing, budget
from wavesim.visible import uncovered, visible

if TYPE_CHECKING:
    from wavesim.report.output import Look

Command = TypeVar("Command", bound=Callable[..., Any])

PROGRESS_AFTER_S = 1.0


def parse_settings(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """``NAME=VALUE`` pairs; the last of two with one name counts."""
    settings = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip() or not text.strip():
            raise click.BadParameter(f"{value!r} is not NAME=VALUE, such as K=512 or memory.latency_clk=800")
        settings[name.strip()] = text.strip()
    return settings


def apply(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several option decorators as one, in the order they show in the help."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


launch_options = apply(
    click.option("--launch", "launch_file", type=InputPath(dir_okay=False), help="Launch file (YAML)."),
    click.option(
        "--arg",
        "arguments",
        multiple=True,
        metavar="NAME=WHAT",
        help="Kernel argument, in order: A=bf16[128,512]:random or K=512.",
    ),
    click.option("--block", type=int, help="Threads of a workgroup."),
    click.option("--grid", metavar="X,Y", help="Position of the simulated workgroup."),
    click.option("--expect", metavar="TEXT", help="Expected result: 'C = A @ B.T'."),
    click.option("--tile", metavar="ROWS,COLS", help="Result tile of a workgroup (default: all of it)."),
    click.option("--kernel", "kernel_name", metavar="NAME", help="Which kernel, where the file has several."),
    click.option(
        "--lds",
        "dynamic_lds_bytes",
        type=click.IntRange(0, MAX_DYNAMIC_LDS_BYTES),
        default=0,
        metavar="BYTES",
        help="Dynamic LDS that the launch adds (Triton's 'shared').",
    ),
)


compile_options = apply(
    click.option(
        "-I",
        "includes",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="Folder of header files, for HIP.",
    ),
    click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="Define a macro, for HIP."),
)
"""-I and -D of every command that compiles HIP."""


def compile_flags(includes: Sequence[str], defines: Sequence[str], *kernels: Path) -> tuple[str, ...]:
    """The compiler's flags that ``compile_options`` say, with whole paths.

    Raises:
        UserError: a macro that is none, or none of the kernels is HIP.
    """
    for define in defines:
        if re.fullmatch(r"[A-Za-z_]\w*(\([\w ,.]*\))?(=.*)?", define, re.DOTALL) is None:
            raise UserError(f"-D {define!r:.60} is no macro", None, "NAME or NAME=VALUE")
    flags = (*(f"-I{Path(folder).absolute()}" for folder in includes), *(f"-D{each}" for each in defines))
    if flags and not any(kernel.suffix.lower() == ".hip" for kernel in kernels):
        raise UserError("-I and -D are for HIP: there is nothing to compile here")
    return flags


def launch_of(
    launch_file: str | None,
    arguments: tuple[str, ...],
    block: int | None,
    grid: str | None,
    expect: str | None,
    tile: str | None,
    kernel_name: str | None = None,
    dynamic_lds_bytes: int = 0,
    flags: tuple[str, ...] = (),
) -> LaunchOptions:
    """What ``launch_options`` say; ``flags`` are the compiler's."""
    return LaunchOptions(
        launch_file,
        arguments,
        block,
        grid,
        expect,
        tile,
        kernel_name,
        dynamic_lds_bytes=dynamic_lds_bytes,
        compile_flags=flags,
    )


unknown_options = apply(
    click.option(
        "--allow-unknown",
        is_flag=True,
        help="Go on past instructions without data; figures that rest on them are marked.",
    ),
    click.option(
        "--region",
        metavar="LABEL1:LABEL2",
        help="Take only the code from one label up to another, without launch and data.",
    ),
    click.option(
        "--trips",
        type=click.IntRange(min=1),
        default=DEFAULT_TRIPS,
        show_default=True,
        help="How often a loop runs whose condition is not known.",
    ),
    click.option(
        "--waves",
        type=click.IntRange(1, MOST_WAVES),
        help=f"Waves that execute the region (default: the kernel's, or {DEFAULT_WAVES}).",
    ),
)
"""--allow-unknown, --region, --trips and --waves."""


def region_of(region: str | None, trips: int, waves: int | None) -> RegionOptions | None:
    """What ``--region`` and its kin say."""
    return RegionOptions(region, trips, waves) if region is not None else None


workgroups_option = click.option(
    "--workgroups",
    type=click.IntRange(1, MAX_WAVES),
    metavar="N",
    help="Workgroups on the compute unit (default: as many as fit and the launch has for each).",
)
"""--workgroups."""


def _allow(context: click.Context, parameter: click.Parameter, value: int | None) -> None:
    """Puts a budget in force while the command runs."""
    if value is not None:
        name = {"max_instructions": "instructions", "max_clk": "clk"}[parameter.name or ""]
        context.with_resource(allowing(replace(budget(), **{name: value})))


budget_options = apply(
    click.option(
        "--max-instructions",
        type=click.IntRange(min=1),
        metavar="N",
        expose_value=False,
        callback=_allow,
        help=f"Instructions that all waves may execute (default: {MAX_INSTRUCTIONS}).",
    ),
    click.option(
        "--max-clk",
        type=click.IntRange(min=1),
        metavar="N",
        expose_value=False,
        callback=_allow,
        help=f"Clocks that a simulation may last (default: {MAX_CLK}).",
    ),
)
"""--max-instructions and --max-clk, in force while the command runs."""

machine_options = apply(
    click.option("--arch", metavar="NAME", help="Architecture: gfx942 (the default), gfx950, ..."),
    click.option("--machine", type=InputPath(dir_okay=False), help="Machine file instead of the stock one."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        callback=parse_settings,
        help="Override a launch constant (K=512) or a machine value (memory.latency_clk=800).",
    ),
)
"""--arch, --machine and --set."""

ENGINE_CHOICES = ("auto", "compiled", "simpy", "both")
ENGINE_HELP = "Timing engine; auto: compiled where it is built, else simpy. both: run both and compare."

timing_options = apply(
    click.option(
        "--engine",
        type=click.Choice(ENGINE_CHOICES),
        default="auto",
        show_default=True,
        help=ENGINE_HELP,
    ),
    click.option(
        "--clock-ghz",
        type=click.FloatRange(min=0, min_open=True),
        help="Clock for TFLOP/s instead of the machine file's.",
    ),
)
"""--engine and --clock-ghz."""

look_options = apply(
    click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII, no line or block characters."),
    click.option("--width", type=click.IntRange(60, 200), help="Columns (default: the terminal's, or 80)."),
    click.option("--color/--no-color", default=None, help="Colours or none (default: on terminals)."),
)
"""--ascii, --width and --color."""


json_option = click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value=STDOUT,
    type=OutputPath(),
    metavar="[FILE]",
    help="Write the report as JSON to FILE, or alone to standard output.",
)
"""--json [FILE]; ``-`` is standard output."""


def look(ascii_only: bool, width: int | None, color: bool | None) -> Look:
    """The look of a report on standard output."""
    from wavesim.report.output import look_for

    return look_for(
        sys.stdout,
        width=width,
        ascii_only=ascii_only,
        color=color,
        no_color=bool(os.environ.get("NO_COLOR")),
    )


def write_json(text: str, json_file: str) -> None:
    """JSON to standard output alone, or to a file."""
    from wavesim.report.files import write_atomically
    from wavesim.report.output import write_text
    from wavesim.visible import visible_json

    text = visible_json(text)
    if json_file == STDOUT:
        write_text(text)
    else:
        write_atomically(Path(json_file), [text])


@contextmanager
def progress_line(what: str) -> Iterator[Callable[[str, float], None] | None]:
    """A line on a terminal's standard error, shown once the work has lasted over a second.

    Gives the function to call with (stage, share done), or ``None`` where nobody would see it.
    """
    if not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    shown = [0.0, 0]
    terminal = uncovered(sys.stderr)

    def report(stage: str, share: float) -> None:
        now = time.monotonic()
        if now - started < PROGRESS_AFTER_S or now - shown[0] < 0.1:
            return
        shown[0] = now
        done = f" {100 * share:3.0f} %" if share > 0 else ""
        text = visible(f"{what}: {stage}{done}  {now - started:.0f} s").replace("\n", "\\n")
        shown[1] = max(shown[1], len(text))
        terminal.write(f"\r{text:<{int(shown[1])}}")
        terminal.flush()

    try:
        yield report
    finally:
        if shown[1]:
            terminal.write("\r" + " " * int(shown[1]) + "\r")
            terminal.flush()
