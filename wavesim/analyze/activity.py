"""Activity: what each wave does at every clock, in the few classes that a picture can show."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from wavesim.analyze.intervals import Intervals, complement, intersection, union
from wavesim.analyze.stalls import is_stuck, issued_rows, stall_starts, stuck_at_barrier
from wavesim.trace import CodeEntry, Kind, Reason, Timeline

Int64 = npt.NDArray[np.int64]


class Activity(IntEnum):
    """Classes of a wave's clocks; of two equally long ones in a column the earlier is shown."""

    MFMA = 0  # an MFMA of this wave issues or is in the pipe
    LDS_READ = 1  # issues LDS reads, or queues to
    LDS_WRITE = 2
    GLOBAL = 3  # issues global loads and stores, or queues to
    WAIT_LGKM = 4
    WAIT_VM = 5
    BARRIER = 6
    PIPE_WAIT = 7  # has an MFMA to issue, another wave's is in the pipe
    ALU = 8  # VALU, scalar, branch
    OTHER = 9  # fetch, branch restart, dependency gap, nop, arbitration lost
    ABSENT = 10  # not started or finished


OF_KIND: Mapping[Kind, Activity] = {
    Kind.MFMA: Activity.MFMA,
    Kind.LDS_READ: Activity.LDS_READ,
    Kind.LDS_WRITE: Activity.LDS_WRITE,
    Kind.VMEM_LOAD: Activity.GLOBAL,
    Kind.VMEM_STORE: Activity.GLOBAL,
    Kind.BARRIER: Activity.BARRIER,
    Kind.VALU: Activity.ALU,
    Kind.TRANS: Activity.ALU,
    Kind.SALU: Activity.ALU,
    Kind.SMEM: Activity.ALU,
    Kind.BRANCH: Activity.ALU,
    Kind.COND_BRANCH: Activity.ALU,
}

OF_REASON: Mapping[Reason, Activity] = {
    Reason.BARRIER: Activity.BARRIER,
    Reason.LGKMCNT: Activity.WAIT_LGKM,
    Reason.VMCNT: Activity.WAIT_VM,
    Reason.MATRIX_PIPE: Activity.PIPE_WAIT,
}

QUEUEING = (Reason.LDS_HOLD, Reason.LDS_QUEUE, Reason.VMEM_QUEUE, Reason.PORT, Reason.COUNTER_FULL)
"""Waits that belong to the memory instruction that waits: shown as its own class."""


def activity_of_code(entry: CodeEntry) -> Activity:
    """The class of the clocks in which an instruction issues."""
    if entry.kind is Kind.WAIT:
        if entry.wait_lgkmcnt is not None:
            return Activity.WAIT_LGKM
        return Activity.WAIT_VM if entry.wait_vmcnt is not None else Activity.OTHER
    return OF_KIND.get(entry.kind, Activity.OTHER)


def wave_activity(
    timeline: Timeline, position: int, from_clk: int, to_clk: int
) -> Mapping[Activity, Intervals]:
    """The clocks of ``[from_clk, to_clk)`` that the wave at ``position`` spends on each class."""
    wave, trace = timeline.waves[position], timeline.trace.waves[position]
    rows = issued_rows(wave)
    own = np.array([activity_of_code(entry) for entry in timeline.trace.code], np.int64)
    issue, end = wave.issue_clk[:rows], wave.end_clk[:rows]
    first, last = np.searchsorted(end, from_clk, side="right"), np.searchsorted(issue, to_clk)
    start = [issue[first:last]]
    stop = [end[first:last]]
    activity = [own[trace.code[:rows][first:last]]]

    of_reason = np.full(len(Reason), int(Activity.OTHER))
    for reason, shown in OF_REASON.items():
        of_reason[reason] = shown
    begun = stall_starts(wave)
    near = (begun < to_clk) & (begun + wave.stall_clk > from_clk)
    reasons = wave.stall_reason[near].astype(np.int64)
    start.append(begun[near])
    stop.append(begun[near] + wave.stall_clk[near])
    queueing = np.isin(reasons, [int(reason) for reason in QUEUEING])
    activity.append(np.where(queueing, own[trace.code[wave.stall_row[near]]], of_reason[reasons]))

    if not timeline.complete and rows < len(wave.issue_clk):
        start.append(np.array([wave.end_clk[rows - 1] if rows else wave.first_clk], np.int64))
        stop.append(np.array([wave.last_clk], np.int64))
        activity.append(own[trace.code[[rows]]])
    start.append(np.array([0, wave.last_clk], np.int64))
    stop.append(np.array([wave.first_clk, max(timeline.clk_total, wave.last_clk)], np.int64))
    afterwards = Activity.ABSENT
    if is_stuck(timeline, position):
        afterwards = Activity.BARRIER if stuck_at_barrier(timeline, position) else Activity.OTHER
    activity.append(np.array([Activity.ABSENT, afterwards], np.int64))

    begin, finish, kind = np.concatenate(start), np.concatenate(stop), np.concatenate(activity)
    found = {
        shown: union(begin[kind == shown], finish[kind == shown]).within(from_clk, to_clk)
        for shown in Activity
    }
    return _own_mfma(timeline, position, found, from_clk, to_clk)


def _own_mfma(
    timeline: Timeline, position: int, found: dict[Activity, Intervals], from_clk: int, to_clk: int
) -> Mapping[Activity, Intervals]:
    """Count waiting for the pipe as MFMA while the wave's own MFMA is what keeps it busy."""
    span = timeline.busy.get(("mfma", timeline.waves[position].simd))
    if span is None or not len(found[Activity.PIPE_WAIT].start):
        return found
    mine = span.wave == position
    busy = union(span.start_clk[mine], span.end_clk[mine])
    inside = intersection([busy, found[Activity.PIPE_WAIT]])
    computing = found[Activity.MFMA]
    found[Activity.MFMA] = union(
        np.concatenate((computing.start, inside.start)), np.concatenate((computing.end, inside.end))
    )
    free = complement(busy, from_clk, to_clk)
    found[Activity.PIPE_WAIT] = intersection([free, found[Activity.PIPE_WAIT]])
    return found


def barrier_releases(timeline: Timeline, position: int) -> Int64:
    """The clocks at which the wave's barriers let it go."""
    barrier = np.array([entry.kind is Kind.BARRIER for entry in timeline.trace.code], bool)
    wave = timeline.waves[position]
    rows = issued_rows(wave)
    chosen = barrier[timeline.trace.waves[position].code[:rows]]
    return np.asarray(wave.issue_clk[:rows][chosen], np.int64)
