"""Global-memory latencies from a measured trace (docs/evidence/memory.md, M1, rules 1-8).

A trace shows issue times; completions are inferred. Exact ones come from waits that stalled and from
issue stalls that the in-flight limit ended; bounds from satisfied waits and from the order of return,
which is that of issue for the whole compute unit. The result belongs to places in the unit's issue order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import BRANCH_KINDS, LANES
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.in_flight import held_bytes, makes_room, service_clk
from wavesim.trace import UNKNOWN, Category, Kind, Timeline, Trace

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

FAR = np.int64(2**40)

STALLED_WAIT_CLK = 8
"""A wait longer than this was not satisfied when it began."""
BRANCH_SHADOW_CLK = 44
"""A wait that ends so close behind a branch may show instruction fetch, not memory (rule 1)."""
LDS_READ_MOST_CLK, LDS_WRITE_MOST_CLK, SCALAR_MOST_CLK = 208, 400, 1500
"""An LDS read or write, or a scalar load, that issued so long ago has returned: a wait for both counters that
goes on shows global memory. A read: a full queue of 10, 16 clk each, and 44 for the way back; a write 400
behind loads to LDS (GLUON); a cold scalar load 500 to 600 (traces)."""
ISSUE_STALL_CLK = 40
"""A stall and a gap of the unit's issues of at least this mark the in-flight limit (rule 2)."""
ACCEPT_STALL_CLK = 16
"""A stall and a gap of the unit's issues of at least this mark a full queue (rule 8)."""
JITTER_CLK = 8
"""Two returns that were seen are so much nearer or further apart than they were (rule 9)."""
SLACK_CLK = 4
"""Stamps are so much off: what contradicts another by no more does not contradict it."""
NEIGHBOURS = 16
"""Loads on either side whose upper bounds cap an interpolated latency (rule 5)."""
CAP_SHARE = 0.7
QUEUED_LATENCY_CLK = 100
"""Stands for the unknown own latency of a load that was only queued behind its predecessor (rule 6)."""


@dataclass(frozen=True)
class MemoryOrder:
    """Global-memory instructions in the compute unit's issue order; arrays have one row for each."""

    wave: Int32  # position in Trace.waves
    row: Int32
    issue_clk: Int64
    stall_clk: Int64
    moved_bytes: Int64
    hit_bytes: Int64  # of them, those that the L1 seems to have
    service_clk: Int64
    held_bytes: Int64  # of what may be in flight
    to_lds: Bool
    store_bytes: Int64  # the data of a store; 0: a load
    return_clk: Int64  # how far its return keeps from the one before


@dataclass(frozen=True)
class Latencies:
    """What was derived, one row per place in the issue order.

    ``latency_clk`` counts from acceptance; ``head_clk`` is how long the access was first in the queue
    before that; ``return_clk`` is the inferred return, ``exact`` whether it was seen; ``conflicts`` counts
    places where a lower bound passed an upper one.
    """

    order: MemoryOrder
    latency_clk: Int32
    head_clk: Int32
    return_clk: Int64
    exact: Bool
    conflicts: int

    def shifted(self, trace: Trace, head: int, iterations: int, clk: Int32 | None = None) -> Int32:
        """The latencies of ``iterations`` loop passes later, for the accesses of the loop.

        Args:
            clk: shift these in place of the latencies.
            trace: the trace they were derived from.
            head: code index of the loop's head.
            iterations: passes of the loop; places whose later one is outside the loop keep their own.
        """
        passes = np.zeros(len(self.latency_clk), np.int64)
        heads = [np.flatnonzero(wave.code == head) for wave in trace.waves]
        for position, rows in enumerate(heads):
            mine = self.order.wave == position
            passes[mine] = np.searchsorted(rows, self.order.row[mine], side="right")
        counts = [len(rows) for rows in heads if len(rows) > 1]
        inside = np.flatnonzero((passes > 0) & (passes < (max(counts) if counts else 0)))
        own = self.latency_clk if clk is None else clk
        result = own.copy()
        if not len(inside):
            return result
        first, last = int(inside[0]), int(inside[-1])
        in_pass = np.bincount(passes[inside])
        per_pass = int(np.median(in_pass[in_pass > 0]))  # some passes (the last ones) may issue none
        places = np.arange(first, last + 1)
        later = places + iterations * per_pass
        fits = (later >= first) & (later <= last)
        result[places[fits]] = own[later[fits]]
        return result


def memory_order(timeline: Timeline, parameters: TimingParameters) -> MemoryOrder:
    """Every global-memory instruction, by issue."""
    trace = timeline.trace
    vmem = np.array([entry.category is Category.VMEM for entry in trace.code])
    width = np.array([entry.width_bytes for entry in trace.code], np.int64)
    is_store = np.array([entry.kind is Kind.VMEM_STORE for entry in trace.code])
    to_lds = np.array([entry.to_lds for entry in trace.code], np.bool_)
    waves, rows, issues, stalls, bytes_moved, bytes_held, stores, lds = [], [], [], [], [], [], [], []
    for position, (wave, timed) in enumerate(zip(trace.waves, timeline.waves, strict=True)):
        mine = np.flatnonzero(vmem[wave.code])
        waves.append(np.full(len(mine), position, np.int32))
        lds.append(to_lds[wave.code[mine]])
        rows.append(mine.astype(np.int32))
        stores.append(np.where(is_store, LANES * width, 0)[wave.code[mine]])
        issues.append(timed.issue_clk[mine])
        stalls.append(timed.issue_clk[mine] - timed.attempt_clk[mine])
        known = wave.memory_bytes[mine].astype(np.int64)
        bytes_moved.append(np.where(known == UNKNOWN, width[wave.code[mine]] * LANES, known))
        bytes_held.append(held_bytes(bytes_moved[-1], to_lds[wave.code[mine]], parameters))
    issue = np.concatenate(issues)
    order = np.argsort(issue, kind="stable")
    placed_stores = np.concatenate(stores)[order]
    moved = np.concatenate(bytes_moved)[order]
    service = np.maximum(parameters.memory_min_service_clk, -(-moved // parameters.memory_bytes_per_clk))
    return MemoryOrder(
        np.concatenate(waves)[order],
        np.concatenate(rows)[order],
        issue[order],
        np.concatenate(stalls)[order],
        moved,
        np.zeros_like(moved),
        service,
        np.concatenate(bytes_held)[order],
        np.concatenate(lds)[order],
        placed_stores,
        np.where(placed_stores > 0, np.minimum(service, parameters.memory_acknowledge_clk), service),
    )


def _with_hits(order: MemoryOrder, exact: Int64, p: TimingParameters) -> MemoryOrder:
    """Rule 9: where returns that waits have seen come faster than the path brings lines of the L2, the L1 has
    as many of the bytes of the loads between them as that takes."""
    hit_bytes = np.zeros_like(order.hit_bytes)
    loads = order.store_bytes == 0
    reach = np.cumsum(order.return_clk)
    known = np.flatnonzero(exact >= 0).tolist()
    begin = known[0] if known else 0
    for place in known[1:]:
        owed = int(reach[place] - reach[begin])
        missing = owed - int(exact[place] - exact[begin])
        if abs(missing) <= JITTER_CLK:
            continue
        between = slice(begin + 1, place + 1)
        begin = place
        if missing > 0:
            come = (np.cumsum(order.return_clk[between]) * (owed - missing)) // owed
            saved_clk = order.moved_bytes[between] / p.memory_bytes_per_clk - np.diff(come, prepend=0)
            per_byte = 1 / p.memory_bytes_per_clk - 1 / p.memory_l1_hit_bytes_per_clk
            hit_bytes[between] = np.where(loads[between], np.ceil(saved_clk / per_byte), 0)
    hit_bytes = np.clip(hit_bytes, 0, order.moved_bytes)
    if not hit_bytes.any():
        return order
    service = np.array(
        [service_clk(*each, p) for each in zip(order.moved_bytes.tolist(), hit_bytes.tolist(), strict=True)],
        np.int64,
    )
    return replace(
        order,
        hit_bytes=hit_bytes,
        service_clk=service,
        held_bytes=held_bytes(order.moved_bytes - hit_bytes, order.to_lds, p),
        return_clk=np.where(loads, service, order.return_clk),
    )


def _from_waits(timeline: Timeline, order: MemoryOrder) -> tuple[Int64, Int64]:
    """(exact return or -1, upper bound) of each place, from the waves' s_waitcnt (rules 1 and 3)."""
    trace = timeline.trace
    exact = np.full(len(order.row), -1, np.int64)
    bound = np.full(len(order.row), FAR)
    increments = np.array([entry.vm_increment for entry in trace.code], np.int64)
    branch = np.array([entry.kind in BRANCH_KINDS for entry in trace.code])
    waits = np.array([entry.kind is Kind.WAIT and entry.wait_vmcnt is not None for entry in trace.code])
    others = {  # what a wait for both counters may be waiting for beside global memory
        LDS_READ_MOST_CLK: np.array([entry.kind is Kind.LDS_READ for entry in trace.code]),
        LDS_WRITE_MOST_CLK: np.array([entry.kind is Kind.LDS_WRITE for entry in trace.code]),
        SCALAR_MOST_CLK: np.array([entry.kind is Kind.SMEM for entry in trace.code]),
    }
    for position, (wave, timed) in enumerate(zip(trace.waves, timeline.waves, strict=True)):
        places = np.flatnonzero(order.wave == position)
        issued = np.cumsum(increments[wave.code])
        jumps = np.flatnonzero(branch[wave.code])
        back_clk = _back_by(wave.code, timed.issue_clk, others)
        for row in np.flatnonzero(waits[wave.code]).tolist():
            entry = trace.code[int(wave.code[row])]
            awaited = int(issued[row]) - (entry.wait_vmcnt or 0) - 1
            if not 0 <= awaited < len(places):
                continue
            place = places[awaited]
            begin, end = int(timed.attempt_clk[row]), int(timed.end_clk[row])
            before = np.searchsorted(jumps, row) - 1
            shadow = before >= 0 and end - int(timed.issue_clk[jumps[before]]) <= BRANCH_SHADOW_CLK
            pure = entry.wait_lgkmcnt is None or end - 4 >= back_clk[row]
            if end - begin > STALLED_WAIT_CLK:
                bound[place] = min(bound[place], end - 4)
                if pure and not shadow and exact[place] < 0:
                    exact[place] = end - 4
            else:
                bound[place] = min(bound[place], begin)
    return exact, bound


def _back_by(code: Int32, issue_clk: Int64, others: Mapping[int, Bool]) -> Int64:
    """By row, when all that ``others`` of the rows before have surely returned: least age -> code entries."""
    latest = np.full(len(code), -FAR)
    for least_clk, entries in others.items():
        back = np.where(entries[code], issue_clk + least_clk, -FAR)
        latest = np.maximum(latest, np.maximum.accumulate(back))
    return latest


def _from_ends(timeline: Timeline, order: MemoryOrder, exact: Int64, bound: Int64) -> None:
    """Adds what the waves' ends tell: s_endpgm waits for the wave's last access (docs/model §9)."""
    trace = timeline.trace
    for position, (wave, timed) in enumerate(zip(trace.waves, timeline.waves, strict=True)):
        places = np.flatnonzero(order.wave == position)
        if trace.code[int(wave.code[-1])].kind is Kind.ENDPGM and len(places):
            last = places[-1]
            bound[last] = min(bound[last], timed.last_clk)
            if timed.last_clk - int(timed.issue_clk[-1]) > STALLED_WAIT_CLK:
                exact[last] = timed.last_clk


def _from_issues(order: MemoryOrder, p: TimingParameters, room: Int64, exact: Int64, bound: Int64) -> None:
    """Adds what the in-flight limit tells: an access may issue only when the one that leaves it an entry of
    the queue has been accepted, for which ``room`` says who has returned. Stores do not tell: the queue may
    hold them up for the room of their data. What waits saw is surer than the limit: it has not been in force
    where an access would have returned before one that was seen later."""
    issuing = np.arange(p.memory_queue_entries, len(order.row))
    returned = room[: len(issuing)]
    issuing, returned = issuing[returned >= 0], returned[returned >= 0]
    reach = np.cumsum(order.return_clk)
    lowest = np.maximum.accumulate(np.where(exact >= 0, exact - reach, -FAR)) + reach
    held = order.issue_clk[issuing] >= lowest[returned] - SLACK_CLK
    issuing, returned = issuing[held], returned[held]
    later = order.issue_clk[issuing]
    np.minimum.at(bound, returned, later)
    gap = np.diff(order.issue_clk, prepend=-FAR)[issuing]
    ended = (order.stall_clk[issuing] >= ISSUE_STALL_CLK) & (gap >= ISSUE_STALL_CLK)
    ended &= order.store_bytes[issuing] == 0
    chosen = ended & (exact[returned] < 0)
    exact[returned[chosen][::-1]] = later[chosen][::-1]  # of several that one return lets issue, the first


def _seen_acceptances(order: MemoryOrder, p: TimingParameters) -> Int64:
    """When the path accepted an access, as the end of a later one's stall in the full queue tells; or -1."""
    seen = np.full(len(order.row), -1, np.int64)
    gap = np.diff(order.issue_clk, prepend=-FAR)
    stored = np.cumsum(order.store_bytes)
    data_clk = np.concatenate([[0], order.store_bytes[:-1]]) // p.memory_bytes_per_clk
    for_data = (order.store_bytes > 0) & (gap <= data_clk + JITTER_CLK)  # of the store before
    full = (order.stall_clk >= ACCEPT_STALL_CLK) & (gap >= ACCEPT_STALL_CLK) & ~for_data
    for place in np.flatnonzero(full).tolist():
        leaves = place - p.memory_queue_entries
        left_bytes = stored[place] - p.memory_store_queue_bytes  # data of stores that must have left
        if order.store_bytes[place] and left_bytes > 0:
            leaves = max(leaves, int(np.searchsorted(stored, left_bytes)))
        if leaves >= 0:
            seen[leaves] = order.issue_clk[place]
    return seen


def _guessed(order: MemoryOrder, begun: Int64, exact: Int64, bound: Int64) -> npt.NDArray[np.float64]:
    """Latency of every place by interpolation between the exact ones, capped by nearby bounds (rule 5)."""
    count = len(order.row)
    known = np.flatnonzero(exact >= 0)
    if len(known):
        guess = np.interp(np.arange(count), known, (exact - begun)[known].astype(np.float64))
    else:
        guess = np.full(count, np.inf)
    room = (bound - begun).astype(np.float64)
    padded = np.concatenate([np.full(NEIGHBOURS, np.inf), room, np.full(NEIGHBOURS, np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    capped: npt.NDArray[np.float64] = np.minimum(guess, CAP_SHARE * windows.min(axis=1))
    return capped


def _walk(
    order: MemoryOrder,
    room: Int64,
    exact: Int64,
    bound: Int64,
    guess: npt.NDArray[np.float64],
    seen: Int64,
    hold_clk: int,
) -> tuple[Int64, Int64, Int64, int]:
    """(begin of the latency, returned, at the head, conflicts) by docs/model §10, with returns inside their
    bounds."""
    count = len(order.row)
    begun = np.zeros(count, np.int64)
    returned = np.zeros(count, np.int64)
    conflicts = 0
    last_accept = last_return = -int(FAR)
    issue, service, coming = (
        column.tolist() for column in (order.issue_clk, order.service_clk, order.return_clk)
    )
    known, upper, latency = exact.tolist(), bound.tolist(), guess.tolist()
    freed_by, accepted_clk = room.tolist(), seen.tolist()
    head = np.zeros(count, np.int64)
    for place in range(count):
        accept = max(issue[place] + hold_clk, last_accept)
        if freed_by[place] >= 0:
            accept = max(accept, int(returned[freed_by[place]]))
        if accepted_clk[place] <= upper[place]:
            head[place] = max(0, accepted_clk[place] - accept)
        accept += int(head[place])
        lowest = max(last_return + coming[place], accept)
        if known[place] >= 0:
            wanted = known[place]
        elif latency[place] == float("inf"):
            wanted = lowest
        else:
            wanted = min(accept - hold_clk + max(int(latency[place]), 0), upper[place])
        conflicts += upper[place] < lowest - SLACK_CLK
        value = max(wanted, lowest)
        begun[place], returned[place] = accept - hold_clk, value
        last_accept, last_return = accept + service[place], value
    return begun, returned, head, conflicts


def derive_latencies(timeline: Timeline, parameters: TimingParameters) -> Latencies:
    """Latencies by issue order, from a measured timeline.

    Args:
        timeline: measured (its trace names the instructions).
        parameters: service, the queue, and what may be in flight beyond it.
    """
    order = memory_order(timeline, parameters)
    if not len(order.row):
        none = np.zeros(0, np.int32)
        return Latencies(order, none, none, np.zeros(0, np.int64), np.zeros(0, np.bool_), 0)
    exact, bound = _from_waits(timeline, order)
    _from_ends(timeline, order, exact, bound)
    order = _with_hits(order, exact, parameters)
    room = makes_room(order.held_bytes, parameters)
    _from_issues(order, parameters, room, exact, bound)
    # Returns are in order: what returned by then, all before it had too.
    stamps = np.where(exact >= 0, np.minimum(bound, exact), bound)
    reach = np.cumsum(order.return_clk)
    bound = np.minimum.accumulate((stamps - reach)[::-1])[::-1] + reach
    exact = np.where((exact >= 0) & (exact <= bound + SLACK_CLK), exact, -1)
    begun, seen = order.issue_clk, _seen_acceptances(order, parameters)
    hold_clk = parameters.memory_queue_hold_clk
    returned, head, conflicts = begun, begun, 0
    for _ in range(3):  # acceptance depends on the returns it helps to infer; settles at once
        guess = _guessed(order, begun, exact, bound)
        begun, returned, head, conflicts = _walk(order, room, exact, bound, guess, seen, hold_clk)
    latency = returned - begun
    behind = np.diff(returned, prepend=-FAR) <= order.return_clk + 4
    latency = np.where(behind, np.minimum(latency, QUEUED_LATENCY_CLK), latency)
    return Latencies(order, latency.astype(np.int32), head.astype(np.int32), returned, exact >= 0, conflicts)


def scalar_latencies(timeline: Timeline) -> tuple[Int32, ...]:
    """Per wave, latency of scalar-memory rows (``UNKNOWN`` elsewhere) from stalled lgkmcnt(0) waits.

    A wait that no LDS access shares and that stalled shows when the last of its loads returned; that time
    is taken for all of them, since the wave could not use an earlier one.
    """
    trace = timeline.trace
    counts = [
        entry.lgkm_increment > 0 or (entry.kind is Kind.WAIT and entry.wait_lgkmcnt == 0)
        for entry in trace.code
    ]
    concerned = np.array(counts, np.bool_)
    result = []
    for wave, timed in zip(trace.waves, timeline.waves, strict=True):
        latency = np.full(len(wave), UNKNOWN, np.int32)
        pending: list[int] = []
        mixed = False
        for row in np.flatnonzero(concerned[wave.code]).tolist():
            entry = trace.code[int(wave.code[row])]
            if entry.kind is Kind.SMEM and entry.lgkm_increment:
                pending.append(row)
            elif entry.category is Category.LDS and entry.lgkm_increment:
                mixed = True
            elif entry.kind is Kind.WAIT and entry.wait_lgkmcnt == 0:
                long_wait = int(timed.end_clk[row] - timed.attempt_clk[row]) > STALLED_WAIT_CLK
                if pending and not mixed and long_wait and entry.wait_vmcnt is None:
                    returned = int(timed.end_clk[row]) - 4
                    latency[pending] = [returned - int(timed.issue_clk[place]) for place in pending]
                pending, mixed = [], False
        result.append(latency)
    return tuple(result)
