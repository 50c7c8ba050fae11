"""A launch: grid, workgroups simulated, arguments with their data, and the expected result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from wavesim.program import Finding, Program

if TYPE_CHECKING:
    from wavesim.trace import Room

Position = tuple[int, int, int]
Tile = tuple[int, int, int, int]


def corners(grid: Position) -> tuple[Position, ...]:
    """The workgroups at the corners of a grid, the first and the last among them; x runs fastest."""
    ends = [(0, size - 1) if size > 1 else (0,) for size in grid]
    return tuple((x, y, z) for z in ends[2] for y in ends[1] for x in ends[0])


@dataclass(frozen=True, slots=True)
class MatrixArgument:
    """A row-major matrix in global memory, passed by pointer.

    Its elements are a function of (seed, row, column): only the parts that are touched exist.
    ``init``: ``random`` (uniform in [-1, 1), rounded to the type), ``zero``, ``ones``, ``index``
    (row * cols + column, rounded), ``unwritten`` (results: reading before a store is a finding) or ``given``
    (the bytes ``content``, as they lie in memory).
    ``row_elements`` is the leading dimension (``cols`` where 0). ``structs`` are the structs passed by value
    that the pointer is a field of, the outermost first.
    """

    name: str
    dtype: str  # bf16, f16, f32, i32, i8, fp8, bf8
    rows: int
    cols: int
    init: str = "random"
    seed: int = 0
    row_elements: int = 0
    content: bytes = field(default=b"", repr=False)
    structs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScalarArgument:
    """A scalar passed by value; ``dtype`` i32, u32, i64, u64, f32. ``structs`` as for a matrix."""

    name: str
    dtype: str
    value: int | float
    structs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """``result = left · right`` (``right`` transposed if ``transpose_right``), as matrices of the launch; or
    ``result = formula`` (wavesim/front/launch/formula.py), where ``left`` and ``right`` are empty.

    ``tiles`` gives, for each simulated workgroup, the result region it must write:
    (first row, first column, rows, columns); ``corners`` those of workgroups at the corners of the grid,
    where they are known. With ``only_stored`` there are no tiles: what the simulated workgroups stored is
    judged, wherever that is, and nothing else of the result.
    """

    result: str
    left: str
    right: str
    transpose_right: bool = True
    tiles: Mapping[Position, Tile] = field(default_factory=lambda: MappingProxyType({}))
    formula: str = ""
    corners: Mapping[Position, Tile] = field(default_factory=lambda: MappingProxyType({}))
    only_stored: bool = False


@dataclass(frozen=True)
class Launch:
    """What is launched. ``arguments`` stand in kernel-argument order; ``workgroups`` are the grid
    positions on the simulated compute unit, oldest first: the first ``together`` share it (0: all), each of
    the others starts when there is ``room`` for it. ``machine_overrides`` are machine
    values the kernel file states, for ``memory.latency_clk`` also a role (wavesim/isa/memory_roles.py).
    ``dynamic_lds_bytes`` is what the launch adds to the kernel's own LDS. Without ``is_stated`` nobody said
    how many lanes a workgroup has: ``workgroup_size`` is a default. ``states_sharing``: it says how many
    ``workgroups`` there are. ``references`` are matrices that the kernel does not get: what is expected may
    name them. ``shape`` are a workgroup's lanes in x, y and z, x the fastest, where they are not all in x.
    Of a workgroup the first ``executed_lanes`` are executed (0: all)."""

    arguments: tuple[MatrixArgument | ScalarArgument, ...]
    workgroup_size: int
    grid: tuple[int, int, int] = (1, 1, 1)
    workgroups: tuple[tuple[int, int, int], ...] = ((0, 0, 0),)
    expect: Expectation | None = None
    machine_overrides: Mapping[str, int | str] = field(default_factory=lambda: MappingProxyType({}))
    dynamic_lds_bytes: int = 0
    is_stated: bool = True
    states_sharing: bool = False
    references: tuple[MatrixArgument, ...] = ()
    together: int = 0
    room: Room | None = None
    executed_lanes: int = 0
    shape: tuple[int, ...] = ()

    @property
    def sharing(self) -> int:
        """Workgroups that share the compute unit."""
        return min(self.together or len(self.workgroups), len(self.workgroups))

    @property
    def workgroup_shape(self) -> Position:
        """Work-items of a workgroup in x, y and z."""
        x, y, z = (*(self.shape or (self.workgroup_size,)), 1, 1)[:3]
        return x, y, z

    def matrix(self, name: str) -> MatrixArgument:
        """The matrix argument ``name``.

        Raises:
            KeyError: no such matrix.
        """
        for argument in self.arguments:
            if isinstance(argument, MatrixArgument) and argument.name == name:
                return argument
        raise KeyError(name)


@dataclass(frozen=True)
class LoadedKernel:
    """A kernel ready to run: what every front end (YAML, assembly, HIP, code object) returns.

    ``findings`` are faults seen while loading that do not stop it (too much LDS, index out of range).
    """

    name: str
    file: str
    program: Program
    launch: Launch
    about: str = ""
    findings: tuple[Finding, ...] = ()
