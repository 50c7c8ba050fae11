"""The traces of a folder: one for each dispatch, each of some compute units; the slowest, the typical one.

A program under ``rocprofv3 --att`` leaves a trace for every dispatch of the kernels it was asked for. Each
of them holds one compute unit of every traced shader engine.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.folder import INDEX, TraceFolder, read_folder
from wavesim.replays.att.imported import ImportedTrace, ImportedUnit
from wavesim.replays.att.importer import import_folder
from wavesim.replays.att.raw import DEPTH, is_raw, raw_dispatches
from wavesim.replays.compare import FEWEST_PASSES, Side, main_loop, side

MOST_DISPATCHES = 256
_DISPATCH = re.compile(r"dispatch_(\d+)")
_UNIT = re.compile(r"\s*se\s*(\d+)\s*[,: ]?\s*cu\s*(\d+)\s*")


@dataclass(frozen=True)
class Which:
    """Which of the traces: ``dispatch`` by its number, ``unit`` as (shader engine, compute unit); ``decoder``
    is AMD's decoder library."""

    dispatch: int | None = None
    unit: tuple[int, int] | None = None
    decoder: str | None = None


def read_unit(text: str) -> tuple[int, int]:
    """Reads ``se0,cu1``.

    Raises:
        UserError: anything else.
    """
    match = _UNIT.fullmatch(text.lower())
    if match is None:
        raise UserError(f"--unit {text!r:.40} is no compute unit", None, "such as --unit se0,cu1")
    return int(match[1]), int(match[2])


ANY = Which()


@dataclass(frozen=True)
class Dispatch:
    """One trace: its number (``None``: nobody says), its name, and how it is read."""

    number: int | None
    name: str
    read: Callable[[], TraceFolder]


@dataclass(frozen=True)
class UnitRow:
    """One compute unit of one dispatch; ``clk`` is what it is ranked by: clocks of an iteration where all
    units of this kernel have a steady loop, else of the whole span."""

    dispatch: Dispatch
    unit: str
    kernel: str
    waves: int
    figures: Side
    clk: float = 0.0

    @property
    def clk_per_iteration(self) -> float | None:
        """Of its main loop, if that has passes enough."""
        return self.figures.clk_per_iteration if self.figures.iterations >= FEWEST_PASSES else None

    @property
    def key(self) -> tuple[str, str]:
        """What no other row has."""
        return self.dispatch.name, self.unit

    @property
    def name(self) -> str:
        """``dispatch 3, se0 cu1``."""
        number = self.dispatch.number
        return self.unit if number is None else f"dispatch {number}, {self.unit}"


@dataclass(frozen=True)
class OpenTraces:
    """Traces as they were found: ``rows`` in their order, and of the kernel with most clocks the ``slowest``
    and the ``typical`` (median) row. ``chosen`` are those two, each as a trace of one compute unit, unless
    somebody said which; with one or two units, all."""

    path: Path
    rows: tuple[UnitRow, ...]
    slowest: UnitRow
    typical: UnitRow
    chosen: tuple[ImportedTrace, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the rows chosen, in their order."""
        return tuple(row.name for row in _picked(self.slowest, self.typical))


def dispatches_in(path: Path, decoder: str | None) -> tuple[Dispatch, ...]:
    """The traces of a folder: UI folders, in it or below it, else what the decoder is to read.

    Raises:
        UserError: there is none, or the decoder is not there.
    """
    if os.path.isdir(path) and not (path / INDEX).exists():
        found = sorted(
            {each.parent for below in DEPTH[1:] for each in path.glob(f"{below}{INDEX}")}, key=_in_order
        )
        if found:
            return tuple(Dispatch(_number(each), str(each), partial(read_folder, each)) for each in found)
    if is_raw(path):
        return tuple(Dispatch(each.number, each.name, each.read) for each in raw_dispatches(path, decoder))
    return (Dispatch(_number(path), str(path), partial(read_folder, path)),)


def _number(folder: Path) -> int | None:
    match = _DISPATCH.search(folder.name)
    return int(match[1]) if match else None


def _in_order(folder: Path) -> tuple[int, str]:
    return _number(folder) or 0, str(folder)


def open_traces(path: Path, arch: str, machine: str | None, which: Which) -> OpenTraces:
    """The traces at ``path``, and of them those that are chosen.

    Raises:
        UserError: no trace, an unusable one, or no such dispatch or unit.
    """
    dispatches = dispatches_in(path, which.decoder)
    if which.dispatch is not None:
        numbers = sorted({each.number for each in dispatches if each.number is not None})
        dispatches = tuple(each for each in dispatches if each.number == which.dispatch)
        if not dispatches:
            raise _none_such(path, f"dispatch {which.dispatch}", map(str, numbers))
    if len(dispatches) > MOST_DISPATCHES:
        text = f"holds traces of {len(dispatches)} dispatches; at most {MOST_DISPATCHES} are read at once"
        raise LimitExceeded(text, SourceSpan(str(path)), "--dispatch N chooses one")
    rows: list[UnitRow] = []
    kept: dict[str, ImportedTrace] = {}
    for each in dispatches:
        imported = import_folder(each.read(), arch, machine)
        units = tuple(unit for unit in imported.units if which.unit in (None, _place(unit)))
        parameters = load_machine(imported.machine).parameters
        rows += [_row(each, imported, unit, parameters) for unit in units]
        if len(dispatches) == 1:
            kept[each.name] = imported
    if not rows and which.unit is not None:
        engine, unit = which.unit
        names = sorted({unit.name for trace in kept.values() for unit in trace.units})
        raise _none_such(path, f"compute unit se{engine},cu{unit}", names)
    ranked = _ranked(rows)
    slowest, typical = ranked[-1], ranked[(len(ranked) - 1) // 2]
    chosen = []
    for row in _picked(slowest, typical):
        imported = kept.get(row.dispatch.name) or import_folder(row.dispatch.read(), arch, machine)
        only = tuple(unit for unit in imported.units if unit.name == row.unit)
        chosen.append(replace(imported, units=only))
    return OpenTraces(path, tuple(rows), slowest, typical, tuple(chosen))


def _picked(slowest: UnitRow, typical: UnitRow) -> tuple[UnitRow, ...]:
    return (slowest,) if slowest.key == typical.key else (slowest, typical)


def _none_such(path: Path, what: str, there: Iterable[str]) -> UserError:
    names = ", ".join(there)
    return UserError(f"has no {what}", SourceSpan(str(path)), f"there are {names}" if names else "")


def _place(unit: ImportedUnit) -> tuple[int, int]:
    return unit.shader_engine, unit.compute_unit


def _row(
    dispatch: Dispatch, imported: ImportedTrace, unit: ImportedUnit, parameters: TimingParameters
) -> UnitRow:
    figures = side(unit.timeline, main_loop(unit.timeline), parameters)
    return UnitRow(dispatch, unit.name, imported.kernel, len(unit.waves), figures)


def _ranked(rows: list[UnitRow]) -> list[UnitRow]:
    """Rows of the kernel with most clocks, the fastest first."""
    clocks: Counter[str] = Counter()
    for row in rows:
        clocks[row.kernel] += row.figures.span_clk
    kernel = max(clocks, key=lambda name: (clocks[name], name))
    mine = [row for row in rows if row.kernel == kernel]
    by_loop = all(row.clk_per_iteration for row in mine)
    mine = [
        replace(row, clk=float(row.clk_per_iteration or 0.0) if by_loop else float(row.figures.span_clk))
        for row in mine
    ]
    return sorted(mine, key=lambda row: row.clk)
