"""The `wavesim` command: subcommands are imported when they are asked for, so that --help is quick."""

from __future__ import annotations

import importlib
import os
import sys
from difflib import get_close_matches
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from wavesim._version import __version__
from wavesim.cli.operands import keep_operands
from wavesim.errors import UserError
from wavesim.inputs import noted_inputs
from wavesim.visible import visible_streams

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("wavesim.cli.run", "Execute, time and report a kernel."),
    "check": ("wavesim.cli.check", "Find races, missing waits and hazards in a kernel."),
    "compare": ("wavesim.cli.compare", "Report several kernels side by side."),
    "sweep": ("wavesim.cli.sweep", "Run kernels, constants and machines, each with each, as a table."),
    "explain": ("wavesim.cli.explain", "Say why a kernel takes its clocks, and what would help."),
    "tune": ("wavesim.cli.tune", "Find a better schedule of a kernel's loop, and prove it."),
    "swizzle": ("wavesim.cli.swizzle", "Find a layout of a tile in LDS without bank conflicts."),
    "report": ("wavesim.cli.report", "Write a page for the browser: timeline, listing, figures."),
    "compile": ("wavesim.cli.compile", "Compile HIP as run does, and say with what."),
    "triton": ("wavesim.cli.triton", "Compile a Triton or Gluon kernel of a Python file, with its launch."),
    "lower": ("wavesim.cli.lower", "Print the assembly that a kernel file becomes."),
    "loops": ("wavesim.cli.loops", "List the loops of a kernel, and the region to give for each."),
    "launch": ("wavesim.cli.launch", "Write a launch file for a kernel, to fill in."),
    "isa": ("wavesim.cli.isa", "List and explain the machine data."),
    "trace": ("wavesim.cli.trace", "Look into a measured thread trace, list its kernel, or capture one."),
    "replay": ("wavesim.cli.replay", "Replay a measured thread trace and compare."),
    "predict": ("wavesim.cli.predict", "Predict what a thread trace measured, from its kernel alone."),
    "calibrate": ("wavesim.cli.calibrate", "Measure a machine, fit the model, compare the real kernel."),
    "validate": ("wavesim.cli.validate", "Replay a folder of traces: the accuracy table."),
    "mcp": ("wavesim.cli.mcp", "Serve programs that write kernels (Model Context Protocol)."),
    "lesson": ("wavesim.cli.lesson", "Learn how waves overlap, step by step."),
    "explain-word": ("wavesim.cli.explain_word", "Say what a word of a report means."),
}
"""Command name -> (module with a click command of that name, one-line help)."""


EXAMPLES: dict[str, str] = {
    "run": "wavesim run kernels/8wave.yaml --set K=1024",
    "check": "wavesim check kernels/seed/v0.yaml",
    "compare": "wavesim compare kernels/4wave.yaml kernels/8wave.yaml --set K=2048",
    "sweep": "wavesim sweep kernels/sweeps/ladder.yaml -o ladder.csv --html ladder.html",
    "explain": "wavesim explain kernels/lessons/strong_wait.s",
    "tune": "wavesim tune kernels/8wave.yaml --minutes 1 -o best.s",
    "swizzle": "wavesim swizzle --tile 128x64 --type bf16 --read mfma16x16x32 --write b128",
    "report": "wavesim report kernels/8wave.yaml kernels/8wave_pingpong.yaml -o both.html",
    "compile": "wavesim compile kernels/hip/8wave.hip -o 8wave.s",
    "triton": "wavesim triton kernels/triton/kernels.py --kernel mm_kernel --arch gfx950 "
    "--constant BM=64 --constant BN=64 --constant BK=64 --programs 4,4 --arg 'a_ptr=bf16[256,256]' "
    "--arg 'b_ptr=bf16[256,256]' --arg 'c_ptr=f32[256,256]:unwritten' --arg K=256 --arg sa=256 "
    "--arg sb=256 --arg sc=256 --expect 'c_ptr = a_ptr @ b_ptr.T' -o mm.s",
    "lower": "wavesim lower kernels/8wave.yaml -o 8wave.s",
    "loops": "wavesim loops kernels/8wave.yaml",
    "launch": "wavesim launch kernels/hip/8wave.hip -o mine.launch.yaml",
    "isa list": "wavesim isa list",
    "isa show": "wavesim isa show gfx942 lds",
    "isa explain": "wavesim isa explain gfx942 lds.read_latency_clk",
    "isa coverage": "wavesim isa coverage",
    "isa rules": "wavesim isa rules",
    "trace info": "wavesim trace info FOLDER",
    "trace listing": "wavesim trace listing FOLDER -o kernel.s",
    "trace capture": "wavesim trace capture kernels/8wave.yaml",
    "replay": "wavesim replay FOLDER --memory model",
    "predict": "wavesim predict FOLDER --launch FILE --arch MI325X",
    "calibrate": "wavesim calibrate --virtual gfx942 -o fitted.yaml",
    "validate": "wavesim validate FOLDER",
    "mcp": "wavesim mcp --root kernels",
    "lesson": "wavesim lesson 1",
    "explain-word": "wavesim explain-word lgkmcnt",
}
"""Command -> an example of it, shown under its help."""


WORKING = frozenset(COMMANDS) - {"isa", "mcp", "lesson", "explain-word"}
"""Commands that may take more than a second: they say how far they are, unless ``--quiet``."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does. For an unknown command the message names the one that may be meant."""
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            close = get_close_matches(name, COMMANDS, 1, 0.5)
            if Path(name).suffix and os.path.exists(name):
                meant = f"did you mean: wavesim run {name}?"
            elif close:
                meant = f"did you mean: wavesim {close[0]}?"
            else:
                meant = f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {name!r:.60}; {meant}", ctx)
        return super().resolve_command(ctx, keep_operands(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        _add_examples(cmd_name, command)
        if cmd_name in WORKING:
            _add_quiet(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands with their help, none of which is imported for it."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=said)
            for name, (_, said) in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _add_examples(name: str, command: click.Command) -> None:
    """Each command's help ends in an example of it."""
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            _add_examples(f"{name} {part}", inner)
    elif name in EXAMPLES:
        command.epilog = f"Example: {EXAMPLES[name]}"


def _add_quiet(command: click.Command) -> None:
    """Once: click asks for a command as often as it likes."""
    from wavesim.cli.progress import quiet_option

    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _add_quiet(inner)
    elif not any(each.name == "quiet" for each in command.params):
        command.params.append(quiet_option())


def _version(context: click.Context) -> None:
    from wavesim.timing.compiled import available

    problem = available()
    click.echo(f"wavesim, version {__version__}")
    click.echo(f"timing engines: {f'simpy; no compiled one: {problem}' if problem else 'compiled, simpy'}")
    context.exit()


@click.command(
    cls=LazyGroup,
    epilog="Start: wavesim lesson 1, or wavesim run kernels/8wave.yaml. "
    "wavesim COMMAND --help says more, with an example.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, asked: _version(context) if asked else None,
    help="Show the version and which timing engines are there.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Simulate how the waves of an AMD CDNA kernel share a compute unit, clock by clock."""
    context.with_resource(noted_inputs())


def main() -> None:
    """Entry point: maps errors to the exit codes of the manual (0 good, 1 bad verdict, 2 unusable)."""
    # numpy's linear algebra would start threads for the few small products here, and let them spin
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code: object = 2
    with visible_streams():
        try:
            code = cli.main(standalone_mode=False)
            sys.stdout.flush()
        except UserError as error:
            print(f"wavesim: {error}", file=sys.stderr)
            code = error.exit_code
        except click.ClickException as error:
            error.show()
            code = 2
        except (KeyboardInterrupt, click.exceptions.Abort):
            print("wavesim: interrupted", file=sys.stderr)
            code = 130
    sys.exit(code if isinstance(code, int) else 0)
