"""Occupancy: when matrix pipes and LDS ports were busy, their shares, and how much LDS is hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.analyze.code_tables import CodeTables, array_clk_of_rows
from wavesim.analyze.intervals import Intervals, complement, intersection, union
from wavesim.analyze.result import Overlap, PairOverlap, SteadyState
from wavesim.analyze.stalls import issued_rows, stall_intervals
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import BusySpan, Kind, Reason, Timeline, WaveTimeline, WaveTrace, empty_busy

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Occupancy:
    """Busy spans of every matrix pipe (by SIMD) and LDS port (by pair). ``estimated`` where the
    Timeline has none (a measured one) and they were rebuilt from issue times and service times."""

    pipes: tuple[BusySpan, ...]
    ports: tuple[BusySpan, ...]
    estimated: bool


def find_occupancy(timeline: Timeline, tables: CodeTables, parameters: TimingParameters) -> Occupancy:
    """The Timeline's own busy spans, or an estimate from issue times where it has none."""
    simds, pairs = range(parameters.structure_simds), parameters.structure_simd_pairs
    known = {resource for resource, _ in timeline.busy}
    estimated = timeline.measured and not {"mfma", "lds_port"} <= known
    pipes = tuple(timeline.busy.get(("mfma", simd), empty_busy()) for simd in simds)
    ports = tuple(timeline.busy.get(("lds_port", pair), empty_busy()) for pair in range(len(pairs)))
    if estimated and "mfma" not in known:
        pipe_clk = [tables.pipe_clk[wave.code] for wave in timeline.trace.waves]
        pipes = tuple(_serve(timeline, (simd,), pipe_clk) for simd in simds)
    if estimated and "lds_port" not in known:
        port_clk = [_port_clk(wave, tables) for wave in timeline.trace.waves]
        ports = tuple(_serve(timeline, pair, port_clk) for pair in pairs)
    return Occupancy(pipes, ports, estimated)


def _port_clk(wave: WaveTrace, tables: CodeTables) -> Int64:
    """Port clocks per row, or the array's where bank conflicts make it the slower one."""
    service = np.maximum(tables.port_clk[wave.code], array_clk_of_rows(wave, tables))
    return np.where(tables.to_lds[wave.code], 0, service)


def _serve(timeline: Timeline, simds: tuple[int, ...], service: list[Int64]) -> BusySpan:
    """First come, first served: every request of the SIMDs' waves in order of issue."""
    issue, clk, waves, rows = [], [], [], []
    for position, wave in enumerate(timeline.waves):
        if wave.simd in simds:
            used = np.flatnonzero(service[position][: issued_rows(wave)])
            issue.append(wave.issue_clk[used])
            clk.append(service[position][used])
            waves.append(np.full(len(used), position, np.int32))
            rows.append(used.astype(np.int32))
    if not issue:
        return empty_busy()
    asked, needed = np.concatenate(issue), np.concatenate(clk)
    order = np.argsort(asked, kind="stable")
    asked, needed = asked[order], needed[order]
    total = np.cumsum(needed)
    end = total + np.maximum.accumulate(asked - (total - needed)) if len(asked) else total
    return BusySpan(end - needed, end, np.concatenate(waves)[order], np.concatenate(rows)[order])


def busy_share(span: BusySpan, steady: SteadyState) -> float:
    """Share of the steady window's clocks in which the resource is busy."""
    busy = union(span.start_clk, span.end_clk).within(steady.from_clk, steady.to_clk)
    return busy.clk / steady.clk if steady.clk else 0.0


def read_service(timeline: Timeline, span: BusySpan, tables: CodeTables) -> Intervals:
    """The clocks in which an LDS port serves reads."""
    reads = tables.is_kind(Kind.LDS_READ)
    is_read = np.zeros(len(span.wave), bool)
    for position, wave in enumerate(timeline.trace.waves):
        chosen = span.wave == position
        is_read[chosen] = reads[wave.code[span.row[chosen]]]
    return union(span.start_clk[is_read], span.end_clk[is_read])


def find_overlap(
    timeline: Timeline,
    occupancy: Occupancy,
    tables: CodeTables,
    parameters: TimingParameters,
    steady: SteadyState,
) -> Overlap | None:
    """LDS read service hidden under MFMA and exposed; ``None`` if nothing is read in the window."""
    window = (steady.from_clk, steady.to_clk)
    pipes = [union(span.start_clk, span.end_clk).within(*window) for span in occupancy.pipes]
    pairs = []
    for pair, simds in enumerate(parameters.structure_simd_pairs):
        service = read_service(timeline, occupancy.ports[pair], tables).within(*window)
        if service.clk:
            hidden = sum(service.common_clk(pipes[simd]) for simd in simds) / len(simds)
            pairs.append(PairOverlap(pair, service.clk, hidden))
    if not pairs:
        return None
    share = len(pairs) * max(1, steady.iterations)
    service_clk = sum(pair.service_clk for pair in pairs)
    hidden_clk = sum(pair.hidden_clk for pair in pairs)
    return Overlap(
        hidden=hidden_clk / service_clk,
        exposed=1 - hidden_clk / service_clk,
        service_clk_per_iteration=service_clk / share,
        hidden_clk_per_iteration=hidden_clk / share,
        exposed_clk_per_iteration=(service_clk - hidden_clk) / share,
        mfma_idle_on_lds_clk=_idle_on_lds(timeline, pipes, steady),
        pairs=tuple(pairs),
    )


def _idle_on_lds(timeline: Timeline, pipes: list[Intervals], steady: SteadyState) -> float:
    """Idle matrix-pipe clocks, every live wave of the SIMD waiting for lgkmcnt: mean over the SIMDs
    with waves, per iteration."""
    lost, simds = 0, 0
    for simd, pipe in enumerate(pipes):
        waves = [wave for wave in timeline.waves if wave.simd == simd]
        if not waves:
            continue
        simds += 1
        absent = [_absent(wave, timeline.clk_total) for wave in waves]
        waiting = [
            union(np.concatenate((gone.start, stalled.start)), np.concatenate((gone.end, stalled.end)))
            for gone, stalled in zip(
                absent, (stall_intervals(wave, Reason.LGKMCNT) for wave in waves), strict=True
            )
        ]
        idle = complement(pipe, steady.from_clk, steady.to_clk)
        lost += intersection([*waiting, idle]).clk - intersection([*absent, idle]).clk
    return lost / (max(1, simds) * max(1, steady.iterations))


def _absent(wave: WaveTimeline, clk_total: int) -> Intervals:
    start = np.array([0, wave.last_clk], np.int64)
    return union(start, np.array([wave.first_clk, max(clk_total, wave.last_clk)], np.int64))
