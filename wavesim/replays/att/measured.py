"""The measured Timeline: issue times of a thread trace, and why instructions waited (as far as told)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from wavesim.analyze.intervals import Intervals, union
from wavesim.isa.kinds import BRANCH_KINDS, LDS_KINDS, VALU_KINDS, VMEM_KINDS
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.folder import CLOCK, DURATION, STALL
from wavesim.timing.rules.dependency_gaps import StreamGaps
from wavesim.timing.rules.fetch import restart_stall_clk
from wavesim.timing.rules.mfma_coissue import blocked_clk
from wavesim.trace import (
    BusySpan,
    Category,
    CodeEntry,
    Kind,
    Reason,
    Timeline,
    Trace,
    WaveTimeline,
    WaveTrace,
)

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]
Clocks = tuple[Int64, Int64, Int64]
"""attempt, issue and end of a wave's rows."""

KIND_NUMBER: Mapping[Kind, int] = {kind: number for number, kind in enumerate(Kind)}

JITTER_CLK = 4
"""So far a trace's clocks of one wave are off."""

KEPT_OUT = {Category.VALU: VALU_KINDS, Category.LDS: LDS_KINDS, Category.VMEM: VMEM_KINDS}
"""What an MFMA keeps out of its SIMD."""

STALL_REASON: Mapping[Kind, Reason] = {
    Kind.MFMA: Reason.MATRIX_PIPE,
    Kind.LDS_READ: Reason.LDS_QUEUE,
    Kind.LDS_WRITE: Reason.LDS_QUEUE,
    Kind.VMEM_LOAD: Reason.VMEM_QUEUE,
    Kind.VMEM_STORE: Reason.VMEM_QUEUE,
    Kind.BARRIER: Reason.BARRIER,
    Kind.WAIT: Reason.LGKMCNT,
    Kind.NOP: Reason.FETCH,
    Kind.SETPRIO: Reason.FETCH,
    Kind.SLEEP: Reason.FETCH,
    Kind.INTERNAL: Reason.FETCH,
}
"""Reason of a stalled issue by kind; others lost an arbitration."""


def kinds_of(code: Sequence[CodeEntry]) -> Int64:
    """Number of each entry's kind in :data:`KIND_NUMBER`, shape (len(code),)."""
    return np.array([KIND_NUMBER[entry.kind] for entry in code], np.int64)


def is_kind(kinds: Int64, *wanted: Kind) -> Bool:
    """Elementwise: the kind is one of ``wanted``."""
    result: Bool = np.isin(kinds, [KIND_NUMBER[kind] for kind in wanted])
    return result


def _clocks(rows: Int64, code: Sequence[CodeEntry], ids: Int64, origin_clk: int) -> Clocks:
    """attempt, issue and end of each row.

    Waits, barriers and their like report their whole duration as stall: they issue 4 clk (s_nop, s_sleep:
    their own length) before their end. Overlaps from the ±4 jitter are cut off the earlier row.
    """
    slots = np.array(
        [
            4 * entry.nop_slots
            if entry.kind is Kind.NOP
            else 64 * entry.sleep_units or 4
            if entry.kind is Kind.SLEEP
            else 4
            for entry in code
        ],
        np.int64,
    )[ids]
    internal = np.array([entry.category is Category.INTERNAL for entry in code])[ids]
    endpgm = np.array([entry.kind is Kind.ENDPGM for entry in code])[ids]
    attempt = rows[:, CLOCK] - origin_clk
    end = attempt + rows[:, DURATION]
    end[:-1] = np.minimum(end[:-1], attempt[1:])
    issue = np.where(internal & ~endpgm, end - np.maximum(slots, 4), attempt + rows[:, STALL])
    issue = np.maximum(np.minimum(issue, end - 4), attempt)
    return attempt, issue, np.maximum(end, issue)


def _waits_for_memory(code: Sequence[CodeEntry], ids: Int64) -> Bool:
    """Rows of waits that name vmcnt while more than that many of the wave's accesses were unproven."""
    increments = np.array([entry.vm_increment for entry in code], np.int64)[ids]
    issued = np.cumsum(increments)
    result = np.zeros(len(ids), bool)
    proven = 0
    is_wait = np.array([entry.kind is Kind.WAIT and entry.wait_vmcnt is not None for entry in code])
    for row in np.nonzero(is_wait[ids])[0].tolist():
        count = code[int(ids[row])].wait_vmcnt or 0
        needed = int(issued[row]) - count
        result[row] = needed > proven or code[int(ids[row])].wait_lgkmcnt is None
        proven = max(proven, needed)
    return result


def _kept_out(
    waves: Sequence[WaveTrace], clocks: Sequence[Clocks], code: Sequence[CodeEntry], p: TimingParameters
) -> Mapping[tuple[int, Category], Intervals]:
    """By SIMD and category, when MFMAs keep its instructions out.

    Of a scaled MFMA that stalled, the trace has the clock of the matrix half (M4).
    """
    mfma = np.array([entry.kind is Kind.MFMA for entry in code], np.bool_)
    load_clk = np.array([p.mfma_scale_load_clk * entry.scaled for entry in code], np.int64)
    blocked = {
        category: np.array([blocked_clk(p, entry, category) if entry.mfma else 0 for entry in code], np.int64)
        for category in KEPT_OUT
    }
    found: dict[tuple[int, Category], Intervals] = {}
    for simd in {wave.simd for wave in waves}:
        ids, load, half = [], [], []
        for wave, (attempt, issue, _) in zip(waves, clocks, strict=True):
            if wave.simd == simd:
                rows = np.flatnonzero(mfma[wave.code])
                ids.append(wave.code[rows])
                load.append(load_clk[wave.code[rows]])
                half.append(np.maximum(issue[rows], attempt[rows] + load[-1]))
        executed, start = np.concatenate(ids), np.concatenate(half)
        begin = start - np.concatenate(load)
        for category in KEPT_OUT:
            clk = blocked[category][executed]
            found[simd, category] = union(np.where(clk > 0, begin, start), start + clk)
    return found


class _Stalls:
    """Collects (row, reason, clocks) in time order: gaps first, then what held the issue."""

    def __init__(self) -> None:
        self.parts: list[tuple[Int64, Int64, Reason, int]] = []

    def add(self, clocks: Int64, reason: Reason, order: int) -> None:
        rows = np.nonzero(clocks > 0)[0]
        if len(rows):
            self.parts.append((rows, clocks[rows], reason, order))

    def arrays(self) -> tuple[Int32, npt.NDArray[np.int8], Int32]:
        if not self.parts:
            return np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.int32)
        rows = np.concatenate([part[0] for part in self.parts])
        clocks = np.concatenate([part[1] for part in self.parts])
        reasons = np.concatenate([np.full(len(part[0]), int(part[2])) for part in self.parts])
        orders = np.concatenate([np.full(len(part[0]), part[3]) for part in self.parts])
        order = np.lexsort((orders, rows))
        return rows[order].astype(np.int32), reasons[order].astype(np.int8), clocks[order].astype(np.int32)


def _wave_timeline(
    wave: WaveTrace,
    code: Sequence[CodeEntry],
    timed: Clocks,
    blocks: Mapping[tuple[int, Category], Intervals],
    gaps: StreamGaps,
    parameters: TimingParameters,
) -> WaveTimeline:
    ids = wave.code.astype(np.int64)
    kinds = kinds_of(code)[ids]
    attempt, issue, end = timed
    before = np.concatenate([[wave.start_clk], end[:-1]])
    idle, stall = attempt - before, issue - attempt
    stalls = _Stalls()

    after_branch = np.concatenate([[False], is_kind(kinds, *BRANCH_KINDS)[:-1]])
    need = gaps.earliest_clk(ids, issue)
    dependency = np.clip(np.minimum(need, attempt) - before, 0, idle)
    # what lasts longer than the gaps is fetch, and the model, too, gives fetch what both keep out (§2)
    dependency = np.where(after_branch | (attempt > need + JITTER_CLK), 0, dependency)
    stalls.add(np.where(after_branch, idle, 0), Reason.BRANCH, 0)
    stalls.add(np.where(after_branch, 0, idle - dependency), Reason.FETCH, 0)
    stalls.add(dependency, Reason.DEPENDENCY, 1)

    # Waits and barriers show the restart after a branch as stall (M3).
    internal = np.array([entry.category is Category.INTERNAL for entry in code])[ids]
    restart = np.where(after_branch & internal, np.clip(restart_stall_clk(parameters, idle), 0, stall), 0)
    stalls.add(restart, Reason.BRANCH, 2)
    stall = stall - restart
    kept_out = np.zeros(len(ids), np.int64)
    for category, members in KEPT_OUT.items():
        blocked = blocks[wave.simd, category]
        covered = blocked.covered_before(issue) - blocked.covered_before(attempt)
        kept_out = np.where(is_kind(kinds, *members), np.minimum(stall, covered), kept_out)
    stalls.add(kept_out, Reason.MFMA_COISSUE, 3)
    stall = stall - kept_out
    loads_scales = np.array([entry.scaled for entry in code], np.bool_)[ids]
    loading = np.where(loads_scales, np.minimum(stall, parameters.mfma_scale_load_clk), 0)
    stalls.add(loading, Reason.HOLD, 3)  # the first slot of two; the trace has the second one's clock
    stall = stall - loading

    memory_wait = _waits_for_memory(code, ids)
    stalls.add(np.where(memory_wait, stall, 0), Reason.VMCNT, 4)
    stall = np.where(memory_wait, 0, stall)
    told = np.zeros(len(ids), bool)
    for kind, reason in STALL_REASON.items():
        where = kinds == KIND_NUMBER[kind]
        stalls.add(np.where(where, stall, 0), reason, 4)
        told |= where
    stalls.add(np.where(told, 0, stall), Reason.ARBITRATION, 4)
    row, reason_number, clocks = stalls.arrays()
    return WaveTimeline(
        wave=wave.wave,
        workgroup=wave.workgroup,
        simd=wave.simd,
        slot=wave.slot,
        first_clk=wave.start_clk,
        last_clk=int(end[-1]),
        attempt_clk=attempt,
        issue_clk=issue,
        end_clk=end,
        done_clk=issue.copy(),
        stall_row=row,
        stall_reason=reason_number,
        stall_clk=clocks,
    )


def _mfma_busy(
    trace: Trace, waves: Sequence[WaveTimeline], parameters: TimingParameters
) -> dict[tuple[str, int], BusySpan]:
    """Matrix-pipe spans by SIMD: from the measured issue for the machine's pipe clocks."""
    pipe = np.array(
        [
            parameters.matrix_pipe_clk(entry.mfma, entry.mfma_format)
            if entry.kind is Kind.MFMA and entry.mfma in parameters.mfma_table
            else 0
            for entry in trace.code
        ],
        np.int64,
    )
    busy: dict[tuple[str, int], BusySpan] = {}
    for simd in range(parameters.structure_simds):
        start, length, number, place = [], [], [], []
        for position, (wave, timed) in enumerate(zip(trace.waves, waves, strict=True)):
            if wave.simd != simd:
                continue
            rows = np.nonzero(pipe[wave.code] > 0)[0]
            start.append(timed.issue_clk[rows])
            length.append(pipe[wave.code[rows]])
            number.append(np.full(len(rows), position, np.int32))
            place.append(rows.astype(np.int32))
        if not start:
            continue
        starts = np.concatenate(start)
        order = np.argsort(starts, kind="stable")
        begin = starts[order]
        ends = begin + np.concatenate(length)[order]
        # Jitter may overlap two uses by 4 clk; the pipe serves one at a time.
        ends[:-1] = np.minimum(ends[:-1], np.maximum(begin[1:], begin[:-1]))
        busy[("mfma", simd)] = BusySpan(
            begin, ends, np.concatenate(number)[order], np.concatenate(place)[order]
        )
    return busy


def _told(trace: Trace, clocks: Sequence[Clocks], parameters: TimingParameters) -> tuple[WaveTimeline, ...]:
    """The waves with the reasons that their clocks tell."""
    gaps = StreamGaps(trace.code, parameters)
    blocks = _kept_out(trace.waves, clocks, trace.code, parameters)
    return tuple(
        _wave_timeline(wave, trace.code, mine, blocks, gaps, parameters)
        for wave, mine in zip(trace.waves, clocks, strict=True)
    )


def as_a_trace_tells(simulated: Timeline, parameters: TimingParameters) -> Timeline:
    """A simulated timeline with the clocks and reasons of stalls that a thread trace of it would show.

    Of a scaled MFMA that stalled that is the matrix half; and what it keeps its wave's next LDS instruction
    out is its own duration, no stall (docs/evidence/mfma.md).
    """
    trace = simulated.trace
    load_clk = np.array([parameters.mfma_scale_load_clk * entry.scaled for entry in trace.code], np.int64)
    lds = np.array([entry.category is Category.LDS for entry in trace.code], np.bool_)
    clocks = []
    for wave, timed in zip(trace.waves, simulated.waves, strict=True):
        load = load_clk[wave.code]
        issue = timed.issue_clk + np.where(timed.issue_clk > timed.attempt_clk, load, 0)
        behind = np.flatnonzero((load[:-1] > 0) & lds[wave.code[1:]]) + 1
        attempt, end = timed.attempt_clk.copy(), timed.end_clk.copy()
        attempt[behind] = np.minimum(end[behind - 1] + parameters.issue_slot_clk, issue[behind])
        end[behind - 1] = attempt[behind]
        clocks.append((attempt, issue, end))
    return replace(simulated, waves=_told(trace, clocks, parameters))


def measured_timeline(
    trace: Trace, rows: Sequence[Int64], origin_clk: int, parameters: TimingParameters
) -> Timeline:
    """The Timeline that was measured.

    Args:
        trace: the imported Trace of one compute unit.
        rows: of each wave, shape (n, 5): clock, type, stall, duration, code id.
        origin_clk: the trace's clock that becomes 0.
        parameters: gaps and pipe clocks, which tell reasons apart.
    """
    clocks = [
        _clocks(raw, trace.code, wave.code.astype(np.int64), origin_clk)
        for wave, raw in zip(trace.waves, rows, strict=True)
    ]
    waves = _told(trace, clocks, parameters)
    return Timeline(
        trace=trace,
        waves=waves,
        clk_total=max(wave.last_clk for wave in waves),
        busy=_mfma_busy(trace, waves, parameters),
        engine="measured",
        measured=True,
        notes=(
            "waits on data are told from the counters they name; port and queue stalls are not told apart",
        ),
    )
