"""The `wavesim` command: subcommands are imported when they are asked for, so that --help is quick."""

from __future__ import annotations

import importlib
import sys

import click

from wavesim import __version__
from wavesim.errors import UserError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("wavesim.cli.run", "Execute, time and report a kernel."),
    "check": ("wavesim.cli.check", "Find races, missing waits and hazards in a kernel."),
    "compare": ("wavesim.cli.compare", "Report several kernels side by side."),
    "explain": ("wavesim.cli.explain", "Say why a kernel takes its clocks, and what would help."),
    "report": ("wavesim.cli.report", "Write a page for the browser: timeline, listing, figures."),
    "compile": ("wavesim.cli.compile", "Compile HIP as run does, and say with what."),
    "lower": ("wavesim.cli.lower", "Print the assembly that a kernel file becomes."),
    "isa": ("wavesim.cli.isa", "List and explain the machine data."),
    "trace": ("wavesim.cli.trace", "Look into a measured thread trace, or capture one."),
    "replay": ("wavesim.cli.replay", "Replay a measured thread trace and compare."),
    "calibrate": ("wavesim.cli.calibrate", "Measure a machine, fit the model, compare the real kernel."),
    "validate": ("wavesim.cli.validate", "Replay a folder of traces: the accuracy table."),
    "lesson": ("wavesim.cli.lesson", "Learn how waves overlap, step by step."),
}
"""Command name -> (module with a click command of that name, one-line help)."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wavesim")
def cli() -> None:
    """Simulate how the waves of an AMD CDNA kernel share a compute unit, clock by clock."""


def main() -> None:
    """Entry point: maps errors to the exit codes of the manual (0 good, 1 bad verdict, 2 unusable)."""
    try:
        code = cli.main(standalone_mode=False)
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
