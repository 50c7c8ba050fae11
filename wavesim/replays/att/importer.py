"""Imports a rocprofv3 thread trace: per compute unit a Trace (what ran) and a measured Timeline (when)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.clock import Clock
from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Program
from wavesim.replays.att.architecture import find_arch
from wavesim.replays.att.clip import without_lonely_barriers
from wavesim.replays.att.folder import (
    CLOCK,
    CODE_ID,
    DURATION,
    STALL,
    TYPE,
    RawWave,
    TraceFolder,
    read_folder,
)
from wavesim.replays.att.imported import ImportedTrace, ImportedUnit
from wavesim.replays.att.listing import Listing, kernel_name, read_listing
from wavesim.replays.att.lost_records import whole_part
from wavesim.replays.att.measured import measured_timeline
from wavesim.replays.att.occupancy import LeftOut, read_occupancy, waves_left_out
from wavesim.replays.att.realtime import clock_from, measured_clock
from wavesim.replays.att.workgroups import group_waves, split_units
from wavesim.trace import UNKNOWN, Category, CodeEntry, Kind, Trace, WaveTrace
from wavesim.trace.decode import code_entries

Int64 = npt.NDArray[np.int64]

TYPE_JUMP = 7
"""Row type of a taken branch."""

ALLOCATION_CLK = "start clocks are the first instruction's: launch and first code fetch are not modelled"


def _stall_is_unusable(waves: Sequence[RawWave]) -> bool:
    """Whether the decoder's stall column cannot be meant: beyond the duration, or never set.

    Old decoders write no stall (or one that is longer than the whole instruction).
    """
    stall = np.concatenate([wave.rows[:, STALL] for wave in waves])
    duration = np.concatenate([wave.rows[:, DURATION] for wave in waves])
    long_rows = duration > 32
    beyond = int((stall > duration).sum())
    never = bool(long_rows.any()) and not stall[long_rows].any()
    return never or beyond * 100 > len(stall)


def _repaired(wave: RawWave, internal: npt.NDArray[np.bool_]) -> RawWave:
    """A wave of an old decoder: an instruction issues 4 clk before its end."""
    rows = wave.rows.copy()
    free = np.where(internal, 0, 4)[rows[:, CODE_ID]]
    rows[:, STALL] = np.maximum(rows[:, DURATION] - free, 0)
    return replace(wave, rows=rows)


def _taken(
    ids: Int64, rows: Int64, conditional: npt.NDArray[np.bool_], program: Program
) -> npt.NDArray[np.bool_]:
    """Of each row, whether it is a conditional branch that was taken.

    The successor tells; where the target is the next instruction, the row's type does.
    """
    ends = np.asarray(program.addresses, np.int64) + np.asarray(program.sizes, np.int64)
    starts = np.asarray(program.addresses, np.int64)
    taken = rows[:, TYPE] == TYPE_JUMP
    if len(ids) > 1:
        falls_through = starts[ids[1:]] == ends[ids[:-1]]
        taken[:-1] = np.where(falls_through, taken[:-1], True)
    result: npt.NDArray[np.bool_] = taken & conditional[ids]
    return result


def _wave_trace(
    raw: RawWave, number: int, workgroup: int, origin_clk: int, listing: Listing, code: Sequence[CodeEntry]
) -> WaveTrace:
    ids = listing.index[raw.rows[:, CODE_ID]].astype(np.int64)
    lds = np.array([entry.category is Category.LDS for entry in code])
    vmem = np.array([entry.category is Category.VMEM for entry in code])
    conditional = np.array([entry.kind is Kind.COND_BRANCH for entry in code])
    return WaveTrace(
        wave=number,
        workgroup=workgroup,
        simd=raw.simd,
        slot=raw.slot,
        start_clk=int(raw.rows[0, CLOCK]) - origin_clk,
        code=ids.astype(np.int32),
        array_clk=np.where(lds[ids], UNKNOWN, 0).astype(np.int32),
        memory_bytes=np.where(vmem[ids], UNKNOWN, 0).astype(np.int32),
        taken=_taken(ids, raw.rows, conditional, listing.program),
        memory_latency_clk=np.full(len(ids), UNKNOWN, np.int32),
    )


def _unit(
    key: tuple[int, int],
    waves: Sequence[RawWave],
    listing: Listing,
    code: tuple[CodeEntry, ...],
    parameters: TimingParameters,
    notes: tuple[str, ...],
    left_out: Sequence[LeftOut],
) -> ImportedUnit:
    barrier_ids = frozenset(
        code_id
        for code_id, place in enumerate(listing.index.tolist())
        if place >= 0 and code[place].kind is Kind.BARRIER
    )
    groups = group_waves(waves, barrier_ids)
    origin_clk = min(int(wave.rows[0, CLOCK]) for wave in waves)
    ordered: list[RawWave] = []
    traces: list[WaveTrace] = []
    for workgroup, group in enumerate(groups):
        for number, wave in enumerate(group):
            ordered.append(wave)
            traces.append(_wave_trace(wave, number, workgroup, origin_clk, listing, code))
    trace = Trace(
        arch=listing.program.arch,
        program=listing.program,
        code=code,
        waves=tuple(traces),
        provenance="measured",
        notes=(*notes, ALLOCATION_CLK),
    )
    timeline = measured_timeline(trace, [wave.rows for wave in ordered], origin_clk, parameters)
    whole = without_lonely_barriers(timeline)
    if whole is not timeline:
        told = (
            *whole.trace.notes,
            "the trace breaks off: workgroups are cut after their last common barrier",
        )
        whole = replace(whole, trace=replace(whole.trace, notes=told))
    unit = ImportedUnit(key[0], key[1], whole.trace, whole, tuple(ordered), origin_clk)
    return replace(unit, left_out=next((each for each in left_out if each.unit == unit.name), None))


def import_trace(path: str | Path, arch: str = "auto", machine: str | None = None) -> ImportedTrace:
    """Imports a UI folder: :func:`import_folder` of what it holds.

    Raises:
        UserError: as that, and where it is not a trace folder.
    """
    asked_machine(arch, machine)
    return import_folder(read_folder(path), arch, machine)


def _clock(folder: TraceFolder) -> tuple[Clock | None, list[str]]:
    """The shader clock that the trace shows, and a note where it is unusable."""
    try:
        if folder.decoded is None:
            return measured_clock(folder.path), []
        data = folder.decoded.realtime
        return (clock_from(data, folder.path) if data is not None else None), []
    except UserError as error:
        return None, [str(error)]


def asked_machine(arch: str, machine: str | None) -> str | None:
    """What a trace is to be simulated with, where somebody says so.

    Raises:
        UserError: both say so.
    """
    if arch != "auto" and machine is not None:
        raise UserError("--arch and --machine exclude each other", None, "a machine file names its base")
    return machine if arch == "auto" else arch


def _found_arch(folder: TraceFolder, asked: str | None) -> tuple[str, list[str]]:
    """The architecture, and a note where nobody said it."""
    if asked is not None:
        return load_machine(asked).arch, []
    if folder.decoded is not None:
        return folder.decoded.arch, [f"architecture {folder.decoded.arch} as the code object says"]
    arch, note = find_arch(folder.code, folder.path)
    return arch, [note]


def import_folder(folder: TraceFolder, arch: str = "auto", machine: str | None = None) -> ImportedTrace:
    """Imports a trace that was read.

    Args:
        folder: what it holds.
        arch: the architecture or device, or ``auto`` to tell the architecture from the instructions.
        machine: machine file instead of the stock one; it says the architecture.

    Raises:
        UserError: a part of it is unusable, or an executed instruction unknown; no such architecture or
            device, or one beside a machine file.
    """
    asked = asked_machine(arch, machine)
    arch, told = _found_arch(folder, asked)
    notes = [*folder.notes, *told]
    executed = frozenset(
        int(code_id) for wave in folder.waves for code_id in np.unique(wave.rows[:, CODE_ID])
    )
    first = min(folder.waves, key=lambda wave: wave.begin_clk)
    kernel = kernel_name(folder.code, int(first.rows[0, CODE_ID]))
    listing = read_listing(folder.path / "code.json", folder.code, executed, arch, kernel)
    notes.extend(listing.notes)
    code = code_entries(listing.program)
    waves: tuple[RawWave, ...] = folder.waves
    if _stall_is_unusable(waves):
        internal = np.zeros(len(folder.code), bool)
        internal[listing.index >= 0] = [entry.category is Category.INTERNAL for entry in code]
        waves = tuple(_repaired(wave, internal) for wave in waves)
        notes.append(
            "old decoder: its stall column is unusable; issue is taken as 4 clk before an instruction's end"
        )
    waves, lost = whole_part(waves, listing.index, listing.program, code)
    notes += lost
    parameters = load_machine(asked or arch).parameters
    clock, told = _clock(folder)
    notes += told
    members_of = split_units(waves)
    if folder.decoded is None:
        occupancy, told = read_occupancy(folder.path)
        notes += told
    else:
        occupancy = folder.decoded.occupancy
    left_out = waves_left_out(occupancy, list(members_of.values()))
    notes += map(str, left_out)
    units = tuple(
        _unit(key, members, listing, code, parameters, tuple(notes), left_out)
        for key, members in members_of.items()
    )
    return ImportedTrace(folder, arch, kernel, listing.program, units, tuple(notes), asked or arch, clock)
