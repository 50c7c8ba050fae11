"""The traces of a folder: one for each dispatch, each of some compute units; the slowest, the typical one.

A program under ``rocprofv3 --att`` leaves a trace for every dispatch of the kernels it was asked for. Each
of them holds one compute unit of every traced shader engine.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.front.endings import ATT
from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.architecture import find_arch
from wavesim.replays.att.folder import INDEX, TraceFolder, read_code, read_folder
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
    """One trace: its number (``None``: nobody says), its name, how it is read, and its .att files, if it is
    not a folder for the viewer, whose path is its name."""

    number: int | None
    name: str
    read: Callable[[], TraceFolder]
    att_files: tuple[Path, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether it is a trace at all."""
        return bool(self.att_files) or (Path(self.name) / INDEX).is_file()

    @property
    def arch(self) -> str:
        """Of the code; quick to tell in a folder for the viewer."""
        if not self.att_files:
            return find_arch(read_code(self.name), Path(self.name))[0]
        found = self.read()
        assert found.decoded is not None, "raw"
        return found.decoded.arch

    @property
    def size_bytes(self) -> int:
        """Of its files."""
        return sum(each.stat().st_size for each in self.att_files or Path(self.name).glob("*.json"))


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
        return tuple(
            Dispatch(each.number, each.name, each.read, tuple(file for _, file in each.files))
            for each in raw_dispatches(path, decoder)
        )
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
    dispatches = _numbered(path, dispatches_in(path, which.decoder), which.dispatch)
    return _opened(path, dispatches, arch, machine, which.unit)


def _numbered(path: Path, found: Sequence[Dispatch], number: int | None) -> Sequence[Dispatch]:
    """Those of a number, or all."""
    some = [each for each in found if number in (None, each.number)]
    if not some:
        numbers = sorted({each.number for each in found if each.number is not None})
        raise _none_such(path, f"dispatch {number}", map(str, numbers))
    return some


def _opened(
    path: Path,
    dispatches: Sequence[Dispatch],
    arch: str,
    machine: str | None,
    wanted: tuple[int, int] | None,
) -> OpenTraces:
    if len(dispatches) > MOST_DISPATCHES:
        text = f"holds traces of {len(dispatches)} dispatches; at most {MOST_DISPATCHES} are read at once"
        raise LimitExceeded(text, SourceSpan(str(path)), "--dispatch N chooses one")
    rows: list[UnitRow] = []
    kept: dict[str, ImportedTrace] = {}
    there: set[str] = set()
    for each in dispatches:
        imported = import_folder(each.read(), arch, machine)
        there |= {unit.name for unit in imported.units}
        units = _of_unit(imported, wanted)
        parameters = load_machine(imported.machine).parameters
        rows += [_row(each, imported, unit, parameters) for unit in units]
        if len(dispatches) == 1:
            kept[each.name] = imported
    if not rows and wanted is not None:
        raise _no_unit(path, wanted, there)
    ranked = _ranked(rows)
    slowest, typical = ranked[-1], ranked[(len(ranked) - 1) // 2]
    chosen = []
    for row in _picked(slowest, typical):
        imported = kept.get(row.dispatch.name) or import_folder(row.dispatch.read(), arch, machine)
        only = tuple(unit for unit in imported.units if unit.name == row.unit)
        chosen.append(replace(imported, units=only))
    return OpenTraces(path, tuple(rows), slowest, typical, tuple(chosen))


@dataclass(frozen=True)
class Source:
    """A trace that another process, too, can import; with a ``unit`` that compute unit alone."""

    name: str
    dispatch: Dispatch
    unit: tuple[int, int] | None = None

    def opened(self, arch: str = "auto", machine: str | None = None) -> OpenTraces:
        """As :func:`open_traces`, of this one."""
        return _opened(Path(self.dispatch.name), (self.dispatch,), arch, machine, self.unit)

    def imported(self, arch: str = "auto", machine: str | None = None) -> ImportedTrace:
        """The trace.

        Raises:
            UserError: it is unusable, or has no such unit.
        """
        imported = import_folder(self.dispatch.read(), arch, machine)
        units = _of_unit(imported, self.unit)
        if not units and self.unit is not None:
            raise _no_unit(Path(self.dispatch.name), self.unit, (each.name for each in imported.units))
        return replace(imported, units=units)


def sources(path: Path, which: Which = ANY) -> list[Source]:
    """The traces of a folder of traces, in the order of its folders, or of one that is a trace itself.

    A folder for the viewer goes by its name; raw files go by that of the folder that rocprofv3 wrote into,
    with the dispatch behind it if there are several.

    Raises:
        UserError: there is none, or none of that number.
    """
    if not os.path.isdir(path) and not is_raw(path):
        raise UserError("no such folder", SourceSpan(str(path)))
    one = not os.path.isdir(path) or (path / INDEX).is_file() or any(path.glob(f"*{ATT}"))
    found: dict[Dispatch, str] = {}
    for place in [path] if one else sorted(filter(os.path.isdir, path.iterdir())):
        there = [each for each in dispatches_in(place, which.decoder) if each.is_there]
        for each in there:
            raw = place.name if len(there) == 1 else f"{place.name}_{each.name.replace('/', '_')}"
            found[each] = raw if each.att_files else Path(each.name).name
    if not found:
        hint = "a trace is a folder with filenames.json (rocprofv3 UI), or what rocprofv3 --att left"
        raise UserError("holds no thread trace", SourceSpan(str(path)), hint)
    return [Source(found[each], each, which.unit) for each in _numbered(path, list(found), which.dispatch)]


def _picked(slowest: UnitRow, typical: UnitRow) -> tuple[UnitRow, ...]:
    return (slowest,) if slowest.key == typical.key else (slowest, typical)


def _none_such(path: Path, what: str, there: Iterable[str]) -> UserError:
    names = ", ".join(there)
    return UserError(f"has no {what}", SourceSpan(str(path)), f"there are {names}" if names else "")


def _no_unit(path: Path, wanted: tuple[int, int], there: Iterable[str]) -> UserError:
    engine, unit = wanted
    return _none_such(path, f"compute unit se{engine},cu{unit}", sorted(there))


def _of_unit(imported: ImportedTrace, wanted: tuple[int, int] | None) -> tuple[ImportedUnit, ...]:
    return tuple(each for each in imported.units if wanted in (None, (each.shader_engine, each.compute_unit)))


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
