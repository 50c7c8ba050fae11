"""What the workgroups of a launch touch in common, load by load.

One workgroup was executed in full. A load of another one touches the same lines, moved: by how much, its
first address tells. So the first waves of every workgroup of a round are executed for their addresses, each
loop once: the first one, or as many as it takes to see every load (waves that only compute load nothing).
What they find is checked with all waves of one workgroup more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from wavesim.emulate.addresses import emulate_addresses
from wavesim.errors import UserError
from wavesim.front.launch.model import Launch, Position
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.machine import CUS_KEY, Machine
from wavesim.limits import allowing, budget
from wavesim.program import Immediate, Program, Symbol
from wavesim.trace import Trace, WaveTrace
from wavesim.words import counted

Int64 = npt.NDArray[np.int64]

LINE_BYTES = 128
MOST_WAVES = 4096
"""Workgroups of a round that are executed: more than any device has compute units for."""


class Unshared(UserError):
    """The workgroups' lines cannot be told from each other's."""


@dataclass(frozen=True, slots=True)
class LoadSharing:
    """What one pass of one static load touches, in *pieces*: parts of a line as one access touches them.

    Attributes:
        own: of the workgroups of one compute unit, with repetitions.
        device: different ones of all workgroups of the round.
        xcds: different ones of each XCD's workgroups, summed.
        fresh_later: of those of the second round, the ones that the first has not touched; 0: no second.
        run_lines: lines that follow each other in ``device``, in the mean.
        pieces: different ones of one workgroup.
        passes: how often a wave executes it.
        piece_bytes: of a line, that an access touches.
    """

    own: int
    device: int
    xcds: int
    fresh_later: int
    run_lines: float
    pieces: int
    passes: int
    piece_bytes: int


@dataclass(frozen=True)
class Sharing:
    """By code index of the Trace: what its load shares. ``active_units`` compute units have workgroups.
    ``assumed`` says what had to be taken for granted."""

    loads: Mapping[int, LoadSharing]
    active_units: int
    per_unit: int
    rounds: int
    assumed: tuple[str, ...] = ()


def without_repetition(program: Program) -> Program:
    """The program with its loops passed once: branches backwards do nothing."""
    changed = [
        replace(each, opcode="s_nop", operands=(Immediate(0),))
        if each.opcode.startswith(("s_cbranch", "s_branch")) and _leads_back(program, index)
        else each
        for index, each in enumerate(program.instructions)
    ]
    return replace(program, instructions=tuple(changed))


def _without_barriers(program: Program) -> Program:
    changed = [
        replace(each, opcode="s_nop", operands=(Immediate(0),)) if each.opcode == "s_barrier" else each
        for each in program.instructions
    ]
    return replace(program, instructions=tuple(changed))


def _leads_back(program: Program, index: int) -> bool:
    operands = program.instructions[index].operands
    target = operands[0] if operands else None
    return isinstance(target, Symbol) and program.labels.get(target.name, index + 1) <= index


def find_sharing(program: Program, launch: Launch, machine: Machine, trace: Trace) -> Sharing:
    """What the loads of ``trace`` share with those of the launch's other workgroups.

    Args:
        program: the kernel.
        launch: its launch, whose workgroups were executed.
        machine: how many compute units and XCDs there are.
        trace: the executed streams, with the lines they touched.

    Raises:
        Unshared: another workgroup does not touch the same lines moved, or cannot be executed so.
    """
    grid = launch.grid
    numbers = range(min(2 * _round_size(launch, machine), _launched(launch)))
    mine = _executed_loads(trace)
    once = without_repetition(program)
    waves = max((touched.first_wave for touched in mine.values()), default=0) + 1
    moved = _moves(once, launch, machine, [_position(number, grid) for number in numbers], waves)
    home = _number(launch.workgroups[0], grid)
    known = {code: found for code, found in moved.items() if code in mine and home < len(found)}
    late = {code for code, found in known.items() if found[home] != mine[code].first}
    for code in late:  # it stands behind a loop, or hangs on one
        moved[code] = moved[code] + (mine[code].first - moved[code][home])
    for whole in (False, True):
        some = {code: each for code, each in mine.items() if (code in late) == whole}
        _verify(program if whole else once, launch, machine, some, moved)
    found = _sharing(launch, machine, mine, moved)
    apart = len(mine.keys() - moved.keys())
    if not apart:
        return found
    text = f"of {apart} of {counted(len(mine), 'load')}, which some workgroups do not execute"
    return replace(found, assumed=(f"no workgroup shares lines with another: {text}",))


def nothing_shared(launch: Launch, machine: Machine, trace: Trace, why: str) -> Sharing:
    """What the loads of ``trace`` share if every workgroup has lines of its own, and why that is assumed."""
    found = _sharing(launch, machine, _executed_loads(trace), {})
    return replace(found, assumed=(f"no workgroup shares lines with another: {why}",))


def _sharing(
    launch: Launch, machine: Machine, mine: Mapping[int, _Touched], moved: Mapping[int, Int64]
) -> Sharing:
    """``moved`` says where each workgroup's loads begin; those of others are nobody else's."""
    per_unit, size = max(1, launch.sharing), _round_size(launch, machine)
    apart = np.arange(min(2 * size, _launched(launch))) << 40
    xcds = machine.integer("memory.l2_caches")
    loads = {
        code: _shared(touched, moved[code] - touched.first if code in moved else apart, size, xcds, per_unit)
        for code, touched in mine.items()
    }
    active = min(machine.integer(CUS_KEY), -(-_launched(launch) // per_unit))
    return Sharing(loads, active, per_unit, -(-_launched(launch) // size))


def _launched(launch: Launch) -> int:
    return launch.grid[0] * launch.grid[1] * launch.grid[2]


def _round_size(launch: Launch, machine: Machine) -> int:
    """Workgroups that the device holds."""
    return machine.integer(CUS_KEY) * max(1, launch.sharing)


def _executed_loads(trace: Trace) -> dict[int, _Touched]:
    first = [wave for wave in trace.waves if wave.workgroup == trace.waves[0].workgroup]
    load = np.array([entry.kind is Kind.VMEM_LOAD for entry in trace.code], np.bool_)
    found = {int(code): _touched(first, int(code)) for code in _codes(first, load)}
    return {code: touched for code, touched in found.items() if len(touched.lines)}


@dataclass(frozen=True)
class _Touched:
    """A load of the executed workgroup: its very first line and the number of the wave that touches it, the
    lines of a pass in the middle, by wave the lines of the first pass; into how many pieces its accesses cut
    a line; and how often a wave executes it."""

    first: int
    first_wave: int
    lines: Int64
    first_pass: tuple[Int64, ...]
    most_pieces: int
    passes: int


def _codes(waves: Sequence[WaveTrace], load: npt.NDArray[np.bool_]) -> Int64:
    found = [np.unique(wave.code[load[wave.code]]) for wave in waves if len(wave.line_offsets) > 1]
    codes: Int64 = np.unique(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, np.int64)
    return codes


def _lines(wave: WaveTrace, row: int) -> Int64:
    found: Int64 = wave.lines[wave.line_offsets[row] : wave.line_offsets[row + 1]]
    return found


def _touched(waves: Sequence[WaveTrace], code: int) -> _Touched:
    rows = [np.flatnonzero(wave.code == code) for wave in waves]
    using = [(wave, own) for wave, own in zip(waves, rows, strict=True) if len(own)]
    users = [number for number, own in enumerate(rows) if len(own)]
    passes = min(len(own) for _, own in using)
    sample = [(wave, int(own[passes // 2])) for wave, own in using]
    lines = np.concatenate([_lines(wave, row) for wave, row in sample])
    moved = sum(int(wave.memory_bytes[row]) for wave, row in sample)
    begin = tuple(_lines(wave, int(own[0])) for wave, own in using)
    first, first_wave = next(
        ((int(each[0]), number) for each, number in zip(begin, users, strict=True) if len(each)), (0, 0)
    )
    bytes_per_line = max(1, moved // len(lines)) if len(lines) else LINE_BYTES
    return _Touched(first, first_wave, lines, begin, max(1, LINE_BYTES // bytes_per_line), passes)


def _position(number: int, grid: Position) -> Position:
    return number % grid[0], number // grid[0] % grid[1], number // (grid[0] * grid[1])


def _number(position: Position, grid: Position) -> int:
    return position[0] + grid[0] * (position[1] + grid[1] * position[2])


def _executed(program: Program, launch: Launch, machine: Machine) -> Trace:
    waves = len(launch.workgroups) * -(-(launch.executed_lanes or launch.workgroup_size) // LANES)
    try:
        with allowing(replace(budget(), waves=max(waves, budget().waves))):
            return emulate_addresses(program, replace(launch, expect=None), machine).trace
    except UserError as error:  # code that needs its loops, or more of it than the budget allows
        raise Unshared(
            f"other workgroups cannot be executed shortened: {error.message}", error.span
        ) from None


def _moves(
    once: Program, launch: Launch, machine: Machine, workgroups: Sequence[Position], waves: int
) -> dict[int, Int64]:
    """By static load, the first line that each workgroup's first ``waves`` waves touch; of loads that all
    workgroups execute."""
    size = min(launch.workgroup_size, waves * LANES)
    once = _without_barriers(once)  # waves alone wait for nobody
    places: dict[int, list[int]] = {}
    done, together = 0, max(1, MOST_WAVES // waves)
    for begin in range(0, len(workgroups), together):
        part = tuple(workgroups[begin : begin + together])
        trace = _executed(once, replace(launch, workgroups=part, executed_lanes=size), machine)
        load = np.array([entry.kind is Kind.VMEM_LOAD for entry in trace.code], np.bool_)
        for _, group in groupby(trace.waves, key=attrgetter("workgroup")):
            for wave in group:
                for row in np.flatnonzero(load[wave.code]).tolist():
                    found = places.setdefault(int(wave.code[row]), [])
                    if len(found) == done and wave.line_offsets[row + 1] > wave.line_offsets[row]:
                        found.append(int(wave.lines[wave.line_offsets[row]]))
            done += 1
    return {code: np.array(found, np.int64) for code, found in places.items() if len(found) == done}


def _verify(
    program: Program,
    launch: Launch,
    machine: Machine,
    mine: Mapping[int, _Touched],
    moved: Mapping[int, Int64],
) -> None:
    """The last workgroup that was looked at, with all its waves, touches this one's lines moved: so says the
    program with its loops passed once, or the whole of it for loads that do not begin alike there."""
    last = min((len(moved[code]) for code in mine if code in moved), default=0) - 1
    if last < 0:
        return
    grid = launch.grid
    trace = _executed(program, replace(launch, workgroups=(_position(last, grid),)), machine)
    for code, touched in mine.items():
        if code not in moved:
            continue
        theirs = [np.flatnonzero(wave.code == code) for wave in trace.waves]
        found = [_lines(wave, int(own[0])) for wave, own in zip(trace.waves, theirs, strict=True) if len(own)]
        shift = moved[code][last] - touched.first
        same = len(found) == len(touched.first_pass) and all(
            np.array_equal(each, own + shift) for each, own in zip(found, touched.first_pass, strict=True)
        )
        if not same:
            text = trace.program.instructions[code]
            raise Unshared(
                f"workgroup {_position(last, grid)} does not touch the lines of workgroup "
                f"{launch.workgroups[0]} moved",
                text.span,
            )


def _shared(touched: _Touched, shifts: Int64, round_size: int, xcds: int, per_unit: int) -> LoadSharing:
    own, times = np.unique(touched.lines, return_counts=True)
    pieces = float(np.minimum(times, touched.most_pieces).mean()) if len(own) else 1.0
    this, later = shifts[:round_size], shifts[round_size:]
    device = _union(own, this)
    number = np.arange(len(this)) % xcds
    of_xcds = sum(len(_union(own, this[number == each])) for each in range(min(xcds, len(this))))
    fresh = len(np.setdiff1d(_union(own, later), device, assume_unique=True)) if len(later) else 0
    share = len(later) / round_size  # a second round that is not full looks like a full one
    runs = 1 + int((np.diff(device) != 1).sum()) if len(device) else 1
    return LoadSharing(
        own=len(touched.lines) * per_unit,
        device=round(pieces * len(device)),
        xcds=round(pieces * of_xcds),
        fresh_later=round(pieces * fresh / share) if share else 0,
        run_lines=len(device) / runs,
        pieces=round(pieces * len(own)),
        passes=touched.passes,
        piece_bytes=LINE_BYTES // touched.most_pieces,
    )


def _union(lines: Int64, shifts: Int64) -> Int64:
    """All of ``lines`` moved by each of ``shifts``, once, ascending."""
    found: Int64 = np.unique(lines[:, None] + np.unique(shifts)[None, :])
    return found
