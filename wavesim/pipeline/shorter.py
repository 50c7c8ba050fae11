"""A tile program with a smaller contraction depth: the same instructions, fewer passes of its loops.

Adversarial execution goes wave by wave and costs as much as its passes; what it shows, it shows in the first
ones. Only kernels whose depth is a constant of their file can be shortened, and only if their code is the
same otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wavesim.errors import UserError
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.affine import Value, ValueProblem
from wavesim.front.tile.expressions import evaluate
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.yaml_source import load_yaml

DEPTH = 512
"""Depth that adversarial execution is cut to: eight passes at the usual K step of 64."""


@dataclass(frozen=True)
class Shorter:
    """The kernel with its constant ``name`` set to ``value`` in place of ``was``."""

    kernel: LoadedKernel
    name: str
    value: int
    was: int

    def __str__(self) -> str:
        return f"adversarial execution was shortened to {self.name}={self.value} (the launch has {self.was})"


def shorter_kernel(path: Path, options: RunOptions, kernel: LoadedKernel) -> Shorter | None:
    """The kernel at a depth of DEPTH; none where that is not another size of the same code.

    Args:
        path: the kernel's file.
        options: what it was loaded with.
        kernel: as loaded.
    """
    expect = kernel.launch.expect
    if path.suffix.lower() not in (".yaml", ".yml") or expect is None or expect.formula:
        return None
    was = kernel.launch.matrix(expect.left).cols
    if was < 2 * DEPTH:
        return None
    for name in _constants_of(path, options.settings, was, expect.left):
        changed = replace(options, settings={**options.settings, name: str(DEPTH)})
        try:
            candidate, _ = prepare(path, changed)
        except UserError:  # another size that the kernel does not take
            continue
        if _same_but_depth(candidate, kernel):
            return Shorter(candidate, name, DEPTH, was)
    return None


def _constants_of(path: Path, settings: Mapping[str, str], value: int, left: str) -> list[str]:
    """The constants of a kernel file that have a value; those that the columns of ``left`` name come first,
    because each that is tried is lowered anew."""
    data, _ = load_yaml(path)
    if not isinstance(data, Mapping) or left not in data.get("memory", {}):
        return []  # declared in a file that this one includes
    columns = re.findall(r"\w+", str(data["memory"][left]["cols"]))
    constants = data.get("constants")
    names: dict[str, Value] = {}
    for name, text in constants.items() if isinstance(constants, Mapping) else ():
        try:
            names[str(name)] = evaluate(str(settings.get(str(name), text)), names)
        except ValueProblem:
            return []
    found = [name for name, each in names.items() if each.constant == value]
    return sorted(found, key=lambda name: name not in columns)


def _same_but_depth(short: LoadedKernel, kernel: LoadedKernel) -> bool:
    expect = kernel.launch.expect
    if expect is None or short.launch.expect != expect:
        return False
    result, inner = short.launch.matrix(expect.result), short.launch.matrix(expect.left).cols
    return (
        inner == DEPTH
        and result == kernel.launch.matrix(expect.result)
        and short.launch.workgroups == kernel.launch.workgroups
        and [each.opcode for each in short.program] == [each.opcode for each in kernel.program]
    )
