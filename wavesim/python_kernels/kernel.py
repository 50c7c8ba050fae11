"""A kernel compiled from Python, with its launch, as files that every function and command takes."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wavesim.errors import UserError
from wavesim.front.launch.file import STORED, launch_path
from wavesim.python_kernels.values import Value, read_value
from wavesim.report.files import write_atomically

Grid = Sequence[int] | int | Callable[[Mapping[str, Any]], Sequence[int]]
"""Workgroups in x, y and z, or a function of the constants that gives them, as Triton takes it."""


@dataclass(frozen=True)
class Compiled:
    """What a compiler made: the assembly or code object of one kernel (``ending`` says which), and what it
    says of the launch."""

    name: str
    code: str | bytes
    ending: str
    threads: int
    dynamic_lds_bytes: int


@dataclass(frozen=True)
class Wanted:
    """What is expected of a launch: ``text`` such as ``"C = A @ B"``, or ``arrays`` by the name of the
    argument that shall have them; ``tile`` is the part that the workgroup at ``position`` computes (without
    it all that it stores is judged)."""

    text: str | None = None
    arrays: Mapping[str, Any] = field(default_factory=dict)
    tile: Sequence[int] | None = None
    position: Sequence[int] = (0, 0, 0)


@dataclass(frozen=True)
class PythonKernel(os.PathLike[str]):
    """A compiled kernel: the path of its assembly or code object, with the launch file beside it.

    Every function of the API takes it in place of a path: ``wavesim.run(kernel)``. The files are gone with
    this value, unless a file was named for them.
    """

    path: Path
    compiled: Compiled

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The kernel's name in the code."""
        return self.compiled.name

    @property
    def launch(self) -> Path:
        """The launch file."""
        return launch_path(self.path)


def written(
    compiled: Compiled,
    values: Sequence[Value],
    grid: Sequence[int],
    wanted: Wanted,
    output: str | os.PathLike[str] | None,
    arch: str,
) -> PythonKernel:
    """The kernel's code in the file ``output`` with the launch file beside it, or in a folder that goes with
    the value.

    Raises:
        UserError: the files cannot be written, or what is expected names no argument.
    """
    references = [_reference(name, array, values, arch) for name, array in wanted.arrays.items()]
    folder = tempfile.mkdtemp(prefix="wavesim-") if output is None else None
    path = Path(output or Path(folder or "") / f"{compiled.name}{compiled.ending}")
    if path.suffix != compiled.ending:
        raise UserError(f"{path}: the code is written to a file ending in {compiled.ending}")
    text = launch_text(compiled, values, references, grid, wanted, path.stem)
    write_atomically(path, [compiled.code])
    for each in (*values, *references):
        if each.content is not None:
            data = io.BytesIO()
            np.save(data, each.content)
            write_atomically(path.parent / _data_file(path.stem, each), [data.getvalue()])
    write_atomically(launch_path(path), [text])
    kernel = PythonKernel(path, compiled)
    if folder is not None:
        weakref.finalize(kernel, shutil.rmtree, folder, ignore_errors=True)
    return kernel


def _data_file(stem: str, value: Value) -> str:
    return f"{stem}.{value.name}.npy"


def _reference(name: str, array: Any, values: Sequence[Value], arch: str) -> Value:
    if not any(each.name == name and each.is_matrix for each in values):
        known = ", ".join(each.name for each in values if each.is_matrix)
        raise UserError(f"expected: {name!r} is no matrix of the kernel", None, f"they are {known}")
    kept = np.asarray(array)
    kept = kept if kept.dtype.kind in "iu" else kept.astype(np.float64)
    return read_value(f"{name}_expected", kept, "", arch)


def launch_text(
    compiled: Compiled,
    values: Sequence[Value],
    references: Sequence[Value],
    grid: Sequence[int],
    wanted: Wanted,
    stem: str,
) -> str:
    """The launch file; data are in files whose names begin with ``stem``.

    Raises:
        UserError: results of two arguments are expected.
    """
    expect = wanted.text
    if references:
        if len(references) > 1 or expect is not None:
            raise UserError("one result can be expected, of one argument")
        expect = f"{references[0].name.removesuffix('_expected')} = {references[0].name}"
    lines = [
        f"kernel: {compiled.name}",
        f"workgroup: {compiled.threads}",
        f"grid: {list(grid)}",
        f"position: {list(wanted.position)}",
        "arguments:" if values else "arguments: {}",
        *(f"  {each.name}: {_stated(each, stem)}" for each in values),
    ]
    if references:
        lines += ["references:", *(f"  {each.name}: {_stated(each, stem)}" for each in references)]
    if expect is not None:
        lines += [f"expect: '{expect}'", f"tile: {list(wanted.tile) if wanted.tile is not None else STORED}"]
    if compiled.dynamic_lds_bytes:
        lines.append(f"lds: {compiled.dynamic_lds_bytes}")
    return "\n".join(lines) + "\n"


def _stated(value: Value, stem: str) -> str:
    if value.fields:
        return "{" + ", ".join(f"d{place}: u32:{number}" for place, number in enumerate(value.fields)) + "}"
    return json.dumps(f"{value.text}:{_data_file(stem, value)}" if value.content is not None else value.text)


def grid_of(grid: Grid, constants: Mapping[str, Any]) -> tuple[int, int, int]:
    """Workgroups in x, y and z.

    Raises:
        UserError: not one to three numbers from 1 on.
    """
    found = grid(constants) if callable(grid) else grid
    sizes = [found] if isinstance(found, int) else list(found)
    if not 1 <= len(sizes) <= 3 or any(not isinstance(size, int) or size < 1 for size in sizes):
        raise UserError(f"grid: {found!r}", None, "one to three numbers of workgroups, such as (64, 64)")
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z
