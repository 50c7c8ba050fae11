"""Options that several commands share, as values that click fills.

A group of options is a frozen dataclass. Each field declares its option, once. A command takes the groups
it needs by :func:`options` and gets one value for each. What the pipeline is asked for is made of them in
one place, :func:`run_options`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wavesim.cli.operands import STDOUT
from wavesim.cli.paths import Block, InputPath, MachineName, OutputPath
from wavesim.errors import UserError
from wavesim.front.endings import HIP
from wavesim.front.launch.file import MAX_DYNAMIC_LDS_BYTES
from wavesim.front.launch.file import LaunchOptions as LaunchTexts
from wavesim.front.region import DEFAULT_TRIPS, DEFAULT_WAVES, MOST_WAVES, RegionOptions
from wavesim.isa.clock import SUSTAINED, Choice, read_choice
from wavesim.isa.memory_roles import MODES
from wavesim.limits import MAX_CLK, MAX_INSTRUCTIONS, MAX_WAVES, allowing, budget

if TYPE_CHECKING:
    from wavesim.pipeline.run import RunOptions
    from wavesim.replays.att.dispatches import Which
    from wavesim.report.output import Look

_OPTION, _GROUP = "option", "group"


def option(*names: str, **attributes: Any) -> Any:
    """A field that ``click.option(*names, **attributes)`` fills."""
    return field(metadata={_OPTION: (names, attributes)})


def group(options_of: type) -> Any:
    """A field that holds another group of options."""
    return field(metadata={_GROUP: options_of})


def options(**groups: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a command: its parameter ``name`` is the group ``name=Group``, filled from the command line.

    The help shows the options in the order of the groups and of their fields.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def filled(*args: Any, **given: Any) -> Any:
            found = {name: _filled(options_of, name, given) for name, options_of in groups.items()}
            return command(*args, **given, **found)

        for name, options_of in reversed(groups.items()):
            for known_as, (names, attributes) in reversed(list(_declared(options_of, name))):
                filled = click.option(*names, known_as, **attributes)(filled)
        return filled

    return decorate


def _declared(options_of: type, name: str) -> Iterator[tuple[str, Any]]:
    """Click's name and the option of each field. No two groups of a command can meet in a name, for that of
    the parameter comes first."""
    for each in fields(options_of):
        known_as = f"{name}__{each.name}"
        if _GROUP in each.metadata:
            yield from _declared(each.metadata[_GROUP], known_as)
        else:
            yield known_as, each.metadata[_OPTION]


def _filled(options_of: type, name: str, given: dict[str, Any]) -> Any:
    """The group, made of what click gave; its options are taken from ``given``."""
    values = {}
    for each in fields(options_of):
        known_as = f"{name}__{each.name}"
        inner = each.metadata.get(_GROUP)
        values[each.name] = _filled(inner, known_as, given) if inner is not None else given.pop(known_as)
    return options_of(**values)


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


SETTINGS: dict[str, Any] = {"multiple": True, "metavar": "NAME=VALUE", "callback": parse_settings}
"""How ``--set`` is read; each command says what it overrides."""

ENGINE_CHOICES = ("auto", "compiled", "simpy", "both")
ENGINE: dict[str, Any] = {
    "type": click.Choice(ENGINE_CHOICES),
    "default": "auto",
    "show_default": True,
    "help": "Timing engine; auto: compiled where it is built, else simpy. both: run both and compare.",
}
"""``--engine``."""

KERNEL_NAME: dict[str, Any] = {
    "metavar": "NAME",
    "help": "Which kernel, where the file has several: its name, or a part that no other has.",
}
"""``--kernel``."""

ARCH: dict[str, Any] = {"type": MachineName(), "metavar": "NAME"}
"""``--arch``; each command says what it does without."""

TRACE_ARCH: dict[str, Any] = {
    "type": MachineName(also="auto"),
    "metavar": "NAME",
    "default": "auto",
    "show_default": True,
    "help": "Architecture (gfx942) or device (MI325X); auto: the architecture, from the code.",
}
"""``--arch`` of commands that read a thread trace."""


@dataclass(frozen=True)
class TraceOptions:
    """Which of the thread traces that lie in a folder, and what decodes raw ones."""

    dispatch: int | None = option(
        "--dispatch", type=click.IntRange(0), metavar="N", help="Only that dispatch."
    )
    unit: str | None = option("--unit", metavar="SE,CU", help="Only that compute unit: se0,cu1.")
    decoder: str | None = option(
        "--decoder",
        type=click.Path(),
        metavar="FILE",
        help="AMD's librocprof-trace-decoder.so, which reads .att files.",
    )

    def which(self) -> Which:
        """The same for what opens traces."""
        from wavesim.replays.att.dispatches import Which, read_unit

        unit = read_unit(self.unit) if self.unit is not None else None
        return Which(self.dispatch, unit, self.decoder)


OF_A_TRACE = ("choice__",)
"""How the options begin that choose a trace, where a command calls the group ``choice``."""


def refuse_given(beginnings: tuple[str, ...], message: str) -> None:
    """Refuse options of the running command, by the beginnings of their names, that say nothing here.

    Raises:
        UserError: one was given; ``{}`` of the message is it.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and name.startswith(beginnings):
            raise UserError(message.format(parameter.opts[0]))


@dataclass(frozen=True)
class MachineOptions:
    """What the kernel runs on, and what is set otherwise than it says."""

    arch: str | None = option(
        "--arch", **ARCH, help="Architecture (gfx942, the default) or device (MI325X): wavesim isa list."
    )
    machine: str | None = option(
        "--machine", type=InputPath(dir_okay=False), help="Machine file instead of the stock one."
    )
    settings: Mapping[str, str] = option(
        "--set",
        **SETTINGS,
        help="Override a launch constant (K=512) or a machine value (memory.latency_clk=800).",
    )


@dataclass(frozen=True)
class LaunchOptions:
    """How an assembly kernel, HIP or a code object is launched."""

    file: str | None = option("--launch", type=InputPath(dir_okay=False), help="Launch file (YAML).")
    arguments: tuple[str, ...] = option(
        "--arg",
        multiple=True,
        metavar="NAME=WHAT",
        help="Kernel argument, in order: A=bf16[128,512]:random or K=512.",
    )
    block: tuple[int, ...] | None = option(
        "--block", type=Block(), help="Threads of a workgroup: 256, or 16,16."
    )
    grid: str | None = option("--grid", metavar="X,Y", help="Position of the simulated workgroup.")
    expect: str | None = option("--expect", metavar="TEXT", help="Expected result: 'C = A @ B.T'.")
    tile: str | None = option(
        "--tile", metavar="ROWS,COLS", help="Result tile of a workgroup (default: all of it)."
    )
    kernel: str | None = option("--kernel", **KERNEL_NAME)
    dynamic_lds_bytes: int = option(
        "--lds",
        type=click.IntRange(0, MAX_DYNAMIC_LDS_BYTES),
        default=0,
        metavar="BYTES",
        help="Dynamic LDS that the launch adds (Triton's 'shared').",
    )

    def texts(self, flags: tuple[str, ...] = ()) -> LaunchTexts:
        """The same for the front ends; ``flags`` are the compiler's."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        shape = self.block or ()
        said["block"] = prod(shape) if shape else None
        return LaunchTexts(**said, shape=shape if len(shape) > 1 else (), compile_flags=flags)


_FLAGS = ("-std=", "-O", "-f", "-m", "-W", "-w", "-U", "-isystem")
_NOT_FLAGS = r"-f(pass-)?plugin|-W[alp],|-ftime-trace=|-fprofile|-fdump|-fcrash|-save|-wrapper"
_FLAG_HINT = "flags of the language, of code and of warnings are: -std=c++20, -O1, -ffast-math, -mllvm=-..."


@dataclass(frozen=True)
class CompileOptions:
    """What the compiler of HIP is told."""

    includes: tuple[str, ...] = option(
        "-I",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="Folder of header files, for HIP.",
    )
    defines: tuple[str, ...] = option(
        "-D", multiple=True, metavar="NAME[=VALUE]", help="Define a macro, for HIP."
    )
    further: tuple[str, ...] = option(
        "--flag", multiple=True, metavar="FLAG", help="A flag of the compiler, for HIP: --flag=-O1."
    )

    def flags(self, *kernels: Path) -> tuple[str, ...]:
        """The compiler's flags, with whole paths.

        Raises:
            UserError: a malformed macro, a flag about files, or none of the kernels is HIP.
        """
        for define in self.defines:
            if re.fullmatch(r"[A-Za-z_]\w*(\([\w ,.]*\))?(=.*)?", define, re.DOTALL) is None:
                raise UserError(f"-D {define!r:.60} is no macro", None, "NAME or NAME=VALUE")
        folders = (f"-I{Path(folder).absolute()}" for folder in self.includes)
        flags = (*folders, *(f"-D{each}" for each in self.defines))
        for flag in self.further:
            if not flag.startswith(_FLAGS) or re.match(_NOT_FLAGS, flag):
                raise UserError(f"--flag={flag!s:.60} is not handed on", None, _FLAG_HINT)
        flags = (*flags, *self.further)
        if flags and not any(kernel.suffix.lower() in HIP for kernel in kernels):
            raise UserError("-I, -D and --flag are for HIP: there is nothing to compile here")
        return flags


@dataclass(frozen=True)
class UnknownOptions:
    """How far a kernel is followed of which not everything is known."""

    allow_unknown: bool = option(
        "--allow-unknown",
        is_flag=True,
        help="Go on past instructions without data; figures that rest on them are marked.",
    )
    region: str | None = option(
        "--region",
        metavar="LABEL1:LABEL2",
        help="Take only the code from one label up to another, or the hottest loop (hottest), without "
        "launch and data: wavesim loops.",
    )
    trips: int = option(
        "--trips",
        type=click.IntRange(min=1),
        default=DEFAULT_TRIPS,
        show_default=True,
        help="How often a loop runs whose condition is not known.",
    )
    waves: int | None = option(
        "--waves",
        type=click.IntRange(1, MOST_WAVES),
        help=f"Waves that execute the region (default: the kernel's, or {DEFAULT_WAVES}).",
    )


@dataclass(frozen=True)
class SharingOptions:
    """Who shares the compute unit."""

    workgroups: int | None = option(
        "--workgroups",
        type=click.IntRange(1, MAX_WAVES),
        metavar="N",
        help="Workgroups on the compute unit (default: as many as fit and the launch has for each).",
    )
    rounds: int | None = option(
        "--rounds",
        type=click.IntRange(1, MAX_WAVES),
        metavar="N",
        help="Rounds of workgroups that follow one another there, each when there is room for it (default: 4 "
        "for short kernels without MFMA, else 1).",
    )


def _read_clock(context: click.Context, parameter: click.Parameter, value: str) -> Choice:
    return read_choice(value)


@dataclass(frozen=True)
class TimingOptions:
    """Which engine times the kernel, and at which clock."""

    engine: str = option("--engine", **ENGINE)
    clock: float | str = option(
        "--clock",
        "--clock-ghz",
        default=SUSTAINED,
        show_default=True,
        metavar="GHZ",
        callback=_read_clock,
        help="Clock for TFLOP/s: GHz, or the device's sustained one or that of one short launch.",
    )
    memory: str | None = option(
        "--memory",
        type=click.Choice(MODES),
        help="Predict global memory: in the first round of workgroups, a later one, or the whole dispatch.",
    )


@dataclass(frozen=True)
class NumbersOptions:
    """Whether the kernel's numbers are computed."""

    numbers: bool = option(
        "--numbers/--no-numbers",
        default=True,
        help="Compute and check the results, or execute only addresses, branches and lanes (faster).",
    )


@dataclass(frozen=True)
class LookOptions:
    """How a report looks in the terminal."""

    ascii_only: bool = option("--ascii", is_flag=True, help="Plain ASCII, no line or block characters.")
    width: int | None = option(
        "--width", type=click.IntRange(60, 200), help="Columns (default: the terminal's, or 80)."
    )
    color: bool | None = option(
        "--color/--no-color", default=None, help="Colours or none (default: on terminals)."
    )

    def look(self) -> Look:
        """The look of a report on standard output."""
        from wavesim.report.output import look_for

        return look_for(
            sys.stdout,
            width=self.width,
            ascii_only=self.ascii_only,
            color=self.color,
            no_color=bool(os.environ.get("NO_COLOR")),
        )


OPTIONAL_FILE: dict[str, Any] = {
    "is_flag": False,
    "flag_value": STDOUT,
    "type": OutputPath(),
    "metavar": "[FILE]",
}
"""An option whose file name may be left out, for standard output."""


@dataclass(frozen=True)
class JsonOptions:
    """Where the report goes as JSON."""

    file: str | None = option(
        "--json", **OPTIONAL_FILE, help="Write the report as JSON to FILE, or alone to standard output."
    )

    @property
    def wanted(self) -> bool:
        """Whether there is to be JSON at all."""
        return self.file is not None

    @property
    def alone(self) -> bool:
        """Whether nothing but JSON goes to standard output."""
        return self.file == STDOUT

    def write(self, text: str) -> None:
        """Writes it where it is wanted."""
        assert self.file is not None, "it is not wanted"
        write_json(text, self.file)

    def report(self, schema: str, data: Mapping[str, Any]) -> None:
        """Writes a report of a schema where it is wanted, if it is."""
        from wavesim.report.json.schemas import headed

        if self.wanted:
            self.write(json.dumps(headed(schema, data), indent=2, ensure_ascii=False) + "\n")


def write_json(text: str, file: str) -> None:
    """JSON to standard output alone, or to a file."""
    from wavesim.report.files import write_atomically
    from wavesim.report.output import write_text
    from wavesim.visible import visible_json

    text = visible_json(text)
    if file == STDOUT:
        write_text(text)
    else:
        write_atomically(Path(file), [text])


def run_options(
    kernels: tuple[Path, ...],
    machine: MachineOptions,
    compiling: CompileOptions,
    launch: LaunchOptions | None = None,
    unknown: UnknownOptions | None = None,
    sharing: SharingOptions | None = None,
    timing: TimingOptions | None = None,
    numbers: NumbersOptions | None = None,
) -> RunOptions:
    """What a run of ``kernels`` is asked for; a group that a command does not have stays at its defaults.

    Raises:
        UserError: flags of a compiler that has nothing to compile.
    """
    from wavesim.pipeline.run import RunOptions

    flags = compiling.flags(*kernels)
    wanted = RunOptions(
        arch=machine.arch,
        machine=machine.machine,
        settings=machine.settings,
        launch=launch.texts(flags) if launch is not None else LaunchTexts(compile_flags=flags),
    )
    if unknown is not None:
        region = (
            RegionOptions(unknown.region, unknown.trips, unknown.waves)
            if unknown.region is not None
            else None
        )
        wanted = replace(wanted, allow_unknown=unknown.allow_unknown, region=region, trips=unknown.trips)
    if sharing is not None:
        wanted = replace(wanted, workgroups=sharing.workgroups, rounds=sharing.rounds)
    if timing is not None:
        wanted = replace(wanted, engine=timing.engine, clock=timing.clock, memory=timing.memory or "")
    if numbers is not None:
        wanted = replace(wanted, numbers=numbers.numbers)
    return wanted


def _allow(context: click.Context, parameter: click.Parameter, value: int | None) -> None:
    """Puts a budget in force while the command runs."""
    if value is not None:
        context.with_resource(allowing(replace(budget(), **{str(parameter.name): value})))


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--max-instructions and --max-clk, in force while the command runs."""
    bound: dict[str, Any] = {
        "type": click.IntRange(min=1),
        "metavar": "N",
        "expose_value": False,
        "callback": _allow,
    }
    clk = click.option(
        "--max-clk", "clk", **bound, help=f"Clocks that a simulation may last (default: {MAX_CLK})."
    )
    instructions = click.option(
        "--max-instructions",
        "instructions",
        **bound,
        help=f"Instructions that all waves may execute (default: {MAX_INSTRUCTIONS}).",
    )
    return instructions(clk(command))
