"""What-if ladder: the same executed streams timed with one thing changed, by parameters or Trace.

A change says what a cause is worth; most are not things that a kernel can do (no barrier, no latency).
The streams are the kernel's own; what changes is only what a row says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from wavesim.errors import UserError
from wavesim.explanation.pace import Pace, Streams
from wavesim.isa.kinds import LDS_KINDS, VMEM_KINDS
from wavesim.isa.machine import Machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import Change
from wavesim.timing.rules import without
from wavesim.trace import UNKNOWN, CodeEntry, Kind, Trace


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A row of the ladder. ``change`` gives the other inputs, or ``None`` where there is nothing to
    change; ``text`` says it in plain words."""

    name: str
    text: str
    change: Change


@dataclass(frozen=True, slots=True)
class Rung:
    """What a row gave: clocks per iteration (of the whole run where there is no loop), and what is gained
    on the kernel as it is, both by throughput over the whole run (:class:`wavesim.explanation.pace.Pace`).

    ``exact``: both are of periods that repeat; ``run_gain_clk``: what the whole run gains; ``at_bound``: the
    bound, left in place by the row, that a loop too short to be steady was raised to.
    """

    name: str
    text: str
    clk: float
    gain_clk: float
    share: float
    exact: bool
    run_gain_clk: int = 0
    at_bound: str = ""


# -- changes


def _code(trace: Trace, change: Callable[[CodeEntry], CodeEntry]) -> Trace | None:
    code = tuple(change(entry) for entry in trace.code)
    return None if code == trace.code else replace(trace, code=code)


def _has(trace: Trace, *kinds: Kind) -> bool:
    used = np.unique(np.concatenate([wave.code for wave in trace.waves])) if trace.waves else ()
    return any(trace.code[int(index)].kind in kinds for index in used)


def _lds_latency(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    if not _has(trace, *LDS_KINDS):
        return None
    none = dict.fromkeys(p.lds_write_latency_clk, 0)
    return trace, replace(p, lds_read_latency_clk=0, lds_write_latency_clk=none)


def _lds_bandwidth(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    if not _has(trace, *LDS_KINDS):
        return None
    waves = tuple(
        replace(wave, array_clk=np.where(wave.array_clk > 0, (wave.array_clk + 1) // 2, wave.array_clk))
        for wave in trace.waves
    )
    array = {key: (clk + 1) // 2 for key, clk in p.lds_array_clk.items()}
    changed = replace(p, lds_port_bytes_per_clk=2 * p.lds_port_bytes_per_clk, lds_array_clk=array)
    return replace(trace, waves=waves), changed


def _no_conflicts(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    free = np.zeros(len(trace.code), np.int32)
    for index, entry in enumerate(trace.code):
        if entry.kind in LDS_KINDS:
            kind = "write" if entry.kind is Kind.LDS_WRITE else "read"
            table = {width: clk for (which, width), clk in p.lds_array_clk.items() if which == kind}
            free[index] = p.write_clk(table, max(4, entry.width_bytes))
    waves = []
    changed = False
    for wave in trace.waves:
        least = np.where(free[wave.code] > 0, np.minimum(wave.array_clk, free[wave.code]), wave.array_clk)
        changed |= bool((least != wave.array_clk).any())
        waves.append(replace(wave, array_clk=least.astype(np.int32)))
    return (replace(trace, waves=tuple(waves)), p) if changed else None


def _no_barrier(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    def change(entry: CodeEntry) -> CodeEntry:
        return replace(entry, kind=Kind.INTERNAL) if entry.kind is Kind.BARRIER else entry

    changed = _code(trace, change) if _has(trace, Kind.BARRIER) else None
    return None if changed is None else (changed, p)


def _free_waits(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    def change(entry: CodeEntry) -> CodeEntry:
        return replace(entry, wait_vmcnt=None, wait_lgkmcnt=None)

    changed = _code(trace, change)
    return None if changed is None else (changed, p)


def _free_pipe(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    return (trace, replace(p, mfma_pass_clk=0)) if _has(trace, Kind.MFMA) else None


def _no_arbitration(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    simds = [wave.simd for wave in trace.waves]
    return (trace, without(p, ("arbitration",))) if len(set(simds)) < len(simds) else None


def _memory_latency(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    if not _has(trace, *VMEM_KINDS):
        return None
    scalar = np.array([entry.kind is Kind.SMEM for entry in trace.code], np.bool_)
    waves = tuple(
        replace(
            wave.with_unknown_memory(),
            memory_latency_clk=np.where(scalar[wave.code], wave.memory_latency_clk, UNKNOWN).astype(np.int32),
            memory_hit_bytes=wave.memory_hit_bytes,
        )
        for wave in trace.waves
    )
    none = trace.memory_latency_by_order_clk[:0]
    return (
        replace(trace, waves=waves, memory_latency_by_order_clk=none, memory_head_by_order_clk=none),
        replace(p, memory_latency_clk=0, memory_store_latency_clk=0),
    )


def _memory_bandwidth(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    if not _has(trace, *VMEM_KINDS):
        return None
    service = (p.memory_min_service_clk + 1) // 2
    return trace, replace(
        p,
        memory_bytes_per_clk=2 * p.memory_bytes_per_clk,
        memory_l1_hit_bytes_per_clk=2 * p.memory_l1_hit_bytes_per_clk,
        memory_min_service_clk=service,
    )


def _memory_in_flight(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    if not _has(trace, *VMEM_KINDS):
        return None
    return trace, without(p, ("memory_in_flight", "memory_queue"))


def _no_priorities(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    return (trace, without(p, ("setprio",))) if _has(trace, Kind.SETPRIO) else None


def _reversed_priorities(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    def change(entry: CodeEntry) -> CodeEntry:
        return replace(entry, priority=3 - entry.priority) if entry.kind is Kind.SETPRIO else entry

    changed = _code(trace, change) if _has(trace, Kind.SETPRIO) else None
    return None if changed is None else (changed, p)


def _youngest_first(trace: Trace, p: TimingParameters) -> tuple[Trace, TimingParameters] | None:
    simds = [wave.simd for wave in trace.waves]
    return (trace, without(p, ("oldest_first",))) if len(set(simds)) < len(simds) else None


WHAT_IFS: tuple[WhatIf, ...] = (
    WhatIf("lds_latency_0", "LDS answered at once (latency 0)", _lds_latency),
    WhatIf("lds_bandwidth_2", "LDS had twice the bandwidth", _lds_bandwidth),
    WhatIf("no_bank_conflicts", "no LDS access had a bank conflict", _no_conflicts),
    WhatIf("no_barrier", "waves ran on at every s_barrier", _no_barrier),
    WhatIf("free_waits", "no s_waitcnt ever waited", _free_waits),
    WhatIf("matrix_pipe_free", "MFMAs took no time in the matrix pipe", _free_pipe),
    WhatIf("no_arbitration", "waves of a SIMD lost no slots to each other", _no_arbitration),
    WhatIf("memory_latency_0", "global memory answered at once (latency 0)", _memory_latency),
    WhatIf("memory_rate_2", "global memory had twice the bandwidth", _memory_bandwidth),
    WhatIf("memory_in_flight", "any number of loads could be in flight", _memory_in_flight),
    WhatIf("no_priorities", "all waves kept priority 0", _no_priorities),
    WhatIf("setprio_reversed", "s_setprio were turned round (3 - n)", _reversed_priorities),
    WhatIf("youngest_first", "the youngest wave won at equal priority", _youngest_first),
)


def measure(
    streams: Streams,
    machine: Machine,
    row: WhatIf,
    base: Pace,
    head: int | None,
    enough_clk: float = inf,
) -> Rung | None:
    """Time one row; ``None`` where it changes nothing of this kernel or cannot run.

    Args:
        streams: the kernel's.
        machine: what it runs on.
        row: what to change.
        base: the pace of the kernel as it is.
        head: code index of its main loop.
        enough_clk: a pace that is slower need not be held against the bounds.
    """
    try:
        pace = streams.pace(machine, row.change, head, enough_clk)
    except UserError:
        return None
    return rung(row.name, row.text, pace, base) if pace is not None else None


def rung(name: str, text: str, pace: Pace, base: Pace) -> Rung:
    """A row's figures from its pace and the kernel's own."""
    gain = base.clk - pace.clk
    return Rung(
        name,
        text,
        pace.clk,
        gain,
        gain / base.clk if base.clk else 0.0,
        pace.exact and base.exact,
        base.run_clk - pace.run_clk,
        pace.at_bound,
    )


def by_gain(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """The largest gain first, equal ones by name; behind them rows with which the whole run is slower."""
    return tuple(sorted(rungs, key=lambda each: (each.run_gain_clk < 0, -each.gain_clk, each.name)))
