"""Paths and names on the command line: what is read and what is written, which is never the same file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from wavesim.cli.completion import kernel_files, machines
from wavesim.cli.operands import STDOUT
from wavesim.front.endings import RAW_TRACES
from wavesim.inputs import note_input, plan_output
from wavesim.isa.names import named
from wavesim.isa.paths import kernel_path


class InputPath(click.Path):
    """A file or folder that is read."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as :class:`click.Path` gives it."""
        path = super().convert(value, param, ctx)
        note_input(str(path))
        return path


def is_trace(path: Path) -> bool:
    """Whether a path in the place of a kernel is of a thread trace: a folder, or what rocprofv3 left."""
    return os.path.isdir(path) or path.suffix in RAW_TRACES


class KernelPath(click.Path):
    """A kernel's file; ``kernels/8wave.yaml`` is found wherever wavesim is installed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path to read."""
        path = kernel_path(value)
        note_input(str(path))
        return path

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Files, and the kernels that come with wavesim."""
        return kernel_files(incomplete)


class OutputPath(click.Path):
    """A file that is written; ``-`` is standard output where the command says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as :class:`click.Path` gives it."""
        path = super().convert(value, param, ctx)
        if str(path) != STDOUT:
            plan_output(str(path))
        return path


class Block(click.ParamType[tuple[int, ...]]):
    """Threads of a workgroup, in one number or in x, y and z."""

    name = "X[,Y[,Z]]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers."""
        if isinstance(value, tuple):
            return value
        if re.fullmatch(r"[1-9]\d{0,9}(,[1-9]\d{0,9}){0,2}", str(value)) is None:
            self.fail(
                f"{value!r}: one to three numbers with commas between, such as 256 or 16,16", param, ctx
            )
        return tuple(map(int, str(value).split(",")))


class MachineName(click.ParamType[str]):
    """An architecture or a device, upper or lower case."""

    name = "machine"

    def __init__(self, also: str | None = None) -> None:
        """Take the word ``also``, too."""
        self.also = also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as its file has it."""
        return value if value == self.also else named(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The architectures and devices that there are."""
        return machines(ctx, param, incomplete)
