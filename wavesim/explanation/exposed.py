"""Exposed latency: the clocks that waves stand at a wait while a load is out, and what would hide them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from wavesim.analyze.stalls import issued_rows, stall_starts
from wavesim.errors import SourceSpan
from wavesim.explanation.main_loop import Steady, steady_of
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Kind, Reason, Timeline

LOADS = {Kind.LDS_READ: "lgkm", Kind.VMEM_LOAD: "vm"}


@dataclass(frozen=True, slots=True)
class ExposedLatency:
    """The loads of one source line and the wait that they are waited for at.

    Attributes:
        span: line of the loads; ``opcode`` of the first.
        wait: line of the ``s_waitcnt``.
        kind: ``lds_read`` or ``vmem_load``.
        loads: static loads of the line.
        latency_clk: (least, most) from a load's issue to its return.
        exposed_clk: clocks per iteration and wave that the wait stands while one of the loads is out, of the
            wave that stands longest (the whole run where there is no loop).
        mfmas: independent MFMAs of the loop's kind before the wait that would hide it (0: nothing to hide;
            ``None`` if the kernel has no MFMA).
        mfma_clk: matrix-pipe clocks of one.
    """

    span: SourceSpan | None
    wait: SourceSpan | None
    opcode: str
    kind: str
    loads: int
    latency_clk: tuple[int, int]
    exposed_clk: float
    mfmas: int | None
    mfma_clk: int


def exposed_latencies(
    timeline: Timeline, parameters: TimingParameters, steady: Steady | None = None
) -> tuple[ExposedLatency, ...]:
    """Every load line of the loop (of the whole kernel where there is none), the most exposed first."""
    steady = steady or steady_of(timeline)
    pipe_clk = _usual_mfma(timeline, parameters, steady)
    clocks: dict[tuple[object, object], dict[int, int]] = {}
    latency: dict[tuple[object, object], list[int]] = {}
    static: dict[tuple[object, object], set[int]] = {}
    waits: dict[tuple[object, object], int] = {}
    iterations = 1
    code = timeline.trace.code
    for position in range(len(timeline.waves)):
        part = _rows(timeline, steady, position)
        if part is None:
            continue
        first, last, iterations = part
        for each in _waited(timeline, position, first, last):
            span = code[each.loads[0]].instruction.span or each.loads[0]
            key: tuple[object, object] = (span, code[each.wait].instruction.span or each.wait)
            by_wave = clocks.setdefault(key, {})
            by_wave[position] = by_wave.get(position, 0) + each.exposed
            latency.setdefault(key, []).extend(each.latencies)
            static.setdefault(key, set()).update(each.loads)
            waits.setdefault(key, each.wait)
    found = []
    for key, by_wave in clocks.items():
        load, wait = min(static[key]), waits[key]
        exposed_clk = max(by_wave.values()) / iterations
        mfmas = None if not pipe_clk else -(-int(np.ceil(exposed_clk)) // pipe_clk)
        found.append(
            ExposedLatency(
                code[load].instruction.span,
                code[wait].instruction.span,
                code[load].instruction.opcode,
                str(code[load].kind),
                len(static[key]),
                (min(latency[key]), max(latency[key])),
                exposed_clk,
                mfmas,
                pipe_clk,
            )
        )
    found.sort(key=lambda each: (-each.exposed_clk, str(each.span), str(each.wait)))
    return tuple(found)


def _rows(timeline: Timeline, steady: Steady, position: int) -> tuple[int, int, int] | None:
    """Rows [first, last) of the window of one wave, and their iterations."""
    window = steady.window
    if window is None:
        return 0, issued_rows(timeline.waves[position]), 1
    run = steady.runs[position]
    if run is None or len(run.head_rows) <= window.last:
        return None
    first, last = window.first, window.last
    if window.period:
        first = max(first, last - window.period * max(1, 8 // window.period))
    return int(run.head_rows[first]), int(run.head_rows[last]), last - first


def _usual_mfma(timeline: Timeline, p: TimingParameters, steady: Steady) -> int:
    """Matrix-pipe clocks of the MFMA that is executed most (0: none)."""
    counts: Counter[int] = Counter()
    for wave in timeline.trace.waves:
        numbers, times = np.unique(wave.code, return_counts=True)
        for index, count in zip(numbers.tolist(), times.tolist(), strict=True):
            entry = timeline.trace.code[index]
            if entry.kind is Kind.MFMA and entry.mfma in p.mfma_table:
                counts[p.matrix_pipe_clk(entry.mfma, entry.mfma_format)] += count
    return min(counts, key=lambda clk: (-counts[clk], clk)) if counts else 0


@dataclass(frozen=True, slots=True)
class _Waited:
    """Loads of one line that one executed wait waited for; ``exposed`` is the most of them."""

    loads: tuple[int, ...]
    wait: int
    exposed: int
    latencies: tuple[int, ...]


def _waited(timeline: Timeline, position: int, first: int, last: int) -> list[_Waited]:
    """What the waits among rows [first, last) waited for."""
    wave, trace = timeline.waves[position], timeline.trace
    code = trace.waves[position].code[first:last].tolist()
    issue = wave.issue_clk[first:last].tolist()
    done = wave.done_clk[first:last].tolist()
    stalls = _stalls_at_waits(timeline, position, first, last)
    pending: dict[str, list[int]] = {"lgkm": [], "vm": []}
    found: list[_Waited] = []
    for row, index in enumerate(code):
        entry = trace.code[index]
        counter = LOADS.get(entry.kind)
        if entry.kind is Kind.WAIT:
            for name, count in (("lgkm", entry.wait_lgkmcnt), ("vm", entry.wait_vmcnt)):
                if count is None:
                    continue
                waited = pending[name][: max(0, len(pending[name]) - count)]
                begin, end = stalls.get((row, name), (issue[row], issue[row]))
                lines: dict[object, list[int]] = {}
                for load in waited:
                    if load >= 0:
                        lines.setdefault(trace.code[code[load]].instruction.span or load, []).append(load)
                for loads in lines.values():
                    exposed = max(min(end, done[load]) - max(begin, issue[load]) for load in loads)
                    found.append(
                        _Waited(
                            tuple(code[load] for load in loads),
                            index,
                            max(0, exposed),
                            tuple(done[load] - issue[load] for load in loads),
                        )
                    )
                pending[name] = pending[name][len(waited) :]
        elif counter is not None and not entry.to_lds:
            pending[counter].append(row)
        elif entry.lgkm_increment or entry.vm_increment:
            pending["lgkm" if entry.lgkm_increment else "vm"].append(-1)  # others count too
    return found


def _stalls_at_waits(
    timeline: Timeline, position: int, first: int, last: int
) -> dict[tuple[int, str], tuple[int, int]]:
    """(row from ``first`` on, counter) -> the clocks [begin, end) of its stall."""
    wave = timeline.waves[position]
    starts = stall_starts(wave)
    names = {int(Reason.LGKMCNT): "lgkm", int(Reason.VMCNT): "vm"}
    low, high = np.searchsorted(wave.stall_row, (first, last))
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for number in range(int(low), int(high)):
        name = names.get(int(wave.stall_reason[number]))
        if name is not None:
            key = (int(wave.stall_row[number]) - first, name)
            begin = int(starts[number])
            end = begin + int(wave.stall_clk[number])
            known = found.get(key, (begin, end))
            found[key] = (min(begin, known[0]), max(end, known[1]))
    return found
