"""A launch as the text of a launch file, for a kernel that is written as assembly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wavesim.errors import UserError
from wavesim.front.launch.file import STORED
from wavesim.front.launch.model import Expectation, Launch, MatrixArgument, ScalarArgument
from wavesim.program import Program


def with_its_workgroup(program: Program, launch: Launch) -> Program:
    """The program to be printed for that launch: its metadata say the workgroup where no launch file does."""
    if launch.arguments or program.metadata.workgroup_size:
        return program
    return replace(program, metadata=replace(program.metadata, workgroup_size=launch.workgroup_size))


def launch_text(launch: Launch) -> str:
    """The launch file of ``launch``: :func:`wavesim.front.launch.file.read_launch` reads it.

    Random data are drawn by the place of an argument there, so that their seeds may become others.

    Raises:
        UserError: a launch that no file can state (matrices with given content or a leading dimension).
    """
    return "\n".join(_lines(launch)) + "\n"


def _lines(launch: Launch) -> Iterator[str]:
    x, y, z = launch.workgroups[0]
    yield f"workgroup: {list(launch.shape) if launch.shape else launch.workgroup_size}"
    yield f"grid: {list(launch.grid)}"
    yield f"position: {[x, y, z]}"
    yield "arguments:"
    for argument in launch.arguments:
        yield f"  {argument.name}: {_argument(argument)}"
    expect = launch.expect
    if expect is not None:
        yield f"expect: '{_expected(expect)}'"
        if expect.only_stored:
            yield f"tile: {STORED}"
        region = expect.tiles.get((x, y, z))
        if region is not None:
            row, col, rows, cols = region
            yield f"tile: {[rows, cols] if (row, col) == (y * rows, x * cols) else list(region)}"
    memory = {name.removeprefix("memory."): value for name, value in launch.machine_overrides.items()}
    if memory:
        yield f"memory: {{{', '.join(f'{name}: {value}' for name, value in memory.items())}}}"
    if launch.dynamic_lds_bytes:
        yield f"lds: {launch.dynamic_lds_bytes}"


def _argument(argument: MatrixArgument | ScalarArgument) -> str:
    if isinstance(argument, ScalarArgument):
        return f"{argument.dtype}:{argument.value}"
    if argument.content or argument.row_elements not in (0, argument.cols):
        raise UserError(f"no launch file can state the matrix {argument.name}: its content was given")
    return f"{argument.dtype}[{argument.rows},{argument.cols}]:{argument.init}"


def _expected(expect: Expectation) -> str:
    if expect.formula:
        return f"{expect.result} = {expect.formula}"
    return f"{expect.result} = {expect.left} @ {expect.right}{'.T' if expect.transpose_right else ''}"
