"""Machine values from measured thread traces: those with which instructions issue when they were seen to.

Every value is looked at on its own: the trace is predicted teacher-forced (every earlier issue as measured)
with several candidates, and the candidate with the smallest sum of |issue-time errors| is the estimate.
The run is cut into blocks of time; resampling the blocks gives the interval. What makes no difference, or
has an interval that leaves several candidates, is not determined. Latencies of global memory are read off
the waits that stalled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.dispatches import Source
from wavesim.replays.att.latencies import QUEUED_LATENCY_CLK, derive_latencies
from wavesim.replays.att.lds_addresses import find_conflicts, with_conflicts
from wavesim.replays.compute_unit import memory_mode, replay, replay_inputs
from wavesim.replays.slot_frame import in_one_frame
from wavesim.timing.forced import forced_issue_clk
from wavesim.trace import Kind, Timeline

Float = npt.NDArray[np.float64]

CANDIDATES: Mapping[str, tuple[int, ...]] = {
    "lds.port_bytes_per_clk": (32, 64, 128),
    "lds.read_latency_clk": (32, 36, 40, 44, 48, 52, 56),
    "lds.queue_entries": (6, 8, 9, 10, 11, 12),
    "lds.queue_hold_clk": (20, 28, 32, 36, 40, 44),
    "lds.write_hold_clk.8": (4, 8, 12, 16),
    "lds.write_latency_clk.8": (36, 40, 44, 48, 52),
    "lds.join_clk": (0, 4, 8, 12, 16),
    "lds.join_most_clk": (0, 8, 12, 16, 20),
    "gap.valu_to_memory_clk": (4, 8, 12, 16),
    "gap.valu_sgpr_to_scalar_clk": (12, 16, 20, 24),
    "gap.salu_to_cbranch_clk": (4, 8, 12),
    "gap.salu_to_vmem_clk": (4, 8, 12),
    "fetch.refill_clk": (12, 16, 20, 24),
    "fetch.restart_first_clk": (12, 16, 20, 24),
    "fetch.restart_next_clk": (28, 32, 36, 40),
    "barrier.release_early_clk": (0, 4, 8),
    "barrier.release_late_clk": (4, 8, 12),
    "memory.queue_entries": (8, 10, 11, 12, 13, 14),
    "memory.min_service_clk": (4, 8, 16),
    "memory.idle_restart_clk": (0, 4, 8, 12),
    "mfma.pass_clk": (3, 4, 5),
}
"""What is tried; a stock value that is not among them is added."""

SKIPPED: Mapping[str, str] = {
    "memory.tail_bytes": "the latencies are derived with it: it cannot be told by them",
    "lds.array_clk": "needs conflicting accesses of both pairs at known times",
    "issue.trans_clk": "set by the instruction, waves seldom meet in it",
}
"""Values that traces do not determine this way, and why."""

MOST_ROWS = 8_000
"""Instructions of a trace that are predicted for each candidate: its beginning."""
BLOCKS = 24
RESAMPLES = 400
INTERVAL = (0.05, 0.95)
FEWEST = 16
"""Observations below which nothing is said."""
WIDE_SHARE = 0.25
"""An interval of a median latency wider than this share of it does not determine it."""
FLAT_CLK = 1.0
"""Candidates whose errors differ by less than this many clocks per thousand instructions do not differ."""


@dataclass(frozen=True, slots=True)
class TraceEvidence:
    """One trace's errors: per value [candidates, blocks] sums of |error| in clk and, per value, how many
    instructions a change of it moved; ``latencies`` are clk of loads and of stores as seen."""

    name: str
    arch: str
    rows: int
    errors: Mapping[str, Float]
    moved: Mapping[str, int]
    latencies: Mapping[str, Float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` with its interval from resampled blocks; counts only if ``determined``, else ``why`` not."""

    name: str
    value: int
    stock: int
    low: int
    high: int
    observations: int
    determined: bool
    why: str = ""


def candidates(name: str, stock: int) -> tuple[int, ...]:
    """Candidates of a value, in order, the stock one among them."""
    return tuple(sorted({*CANDIDATES[name], stock}))


def value_of(parameters: TimingParameters, name: str) -> int:
    """The value of a name such as ``lds.queue_entries`` or ``lds.write_hold_clk.8``."""
    section, key, *index = name.split(".")
    found = getattr(parameters, f"{section}_{key}")
    return int(found[int(index[0])]) if index else int(found)


def changed(parameters: TimingParameters, values: Mapping[str, int]) -> TimingParameters:
    """The parameters with other values."""
    for name, value in values.items():
        section, key, *index = name.split(".")
        field = f"{section}_{key}"
        new = {**getattr(parameters, field), int(index[0]): value} if index else value
        parameters = replace(parameters, **{field: new})  # type: ignore[arg-type]
    return parameters


def gather(source: Source, machine: str | None, most_rows: int = MOST_ROWS) -> list[TraceEvidence]:
    """What each compute unit of a trace says.

    Args:
        source: the trace.
        machine: the machine file to begin with; None: the stock one of the trace's architecture.
        most_rows: instructions predicted for each candidate.

    Raises:
        UserError: not a trace that can be read.
    """
    imported = source.imported(machine=machine)
    loaded = load_machine(imported.machine)
    parameters = loaded.parameters
    found = []
    for unit in imported.units:
        measured = in_one_frame(unit.timeline, parameters)
        inputs, _ = replay_inputs(measured, loaded, memory_mode("measured"))
        trace = with_conflicts(inputs, find_conflicts(inputs, loaded))
        issued = np.sort(np.concatenate([wave.issue_clk for wave in measured.waves]))
        until = int(issued[min(most_rows, len(issued) - 1)])
        seen = np.concatenate([wave.issue_clk for wave in measured.waves])
        inside = seen < until
        block = np.minimum(seen[inside] * BLOCKS // max(1, until), BLOCKS - 1)

        def errors(values: Mapping[str, int]) -> npt.NDArray[np.int64]:
            predicted = forced_issue_clk(measured, trace, changed(parameters, values), until)  # noqa: B023
            every = np.concatenate(predicted)
            return np.where(every >= 0, np.abs(every - seen), 0)[inside]  # noqa: B023

        base = errors({})
        table: dict[str, Float] = {}
        moved: dict[str, int] = {}
        for name in CANDIDATES:
            rows = []
            hit = np.zeros(len(base), np.bool_)
            for value in candidates(name, value_of(parameters, name)):
                error = base if value == value_of(parameters, name) else errors({name: value})
                hit |= error != base
                rows.append(np.bincount(block, error.astype(np.float64), BLOCKS))
            table[name] = np.array(rows, np.float64)
            moved[name] = int(hit.sum())
        found.append(
            TraceEvidence(
                f"{source.name} {unit.name}" if len(imported.units) > 1 else source.name,
                imported.arch,
                int(inside.sum()),
                table,
                moved,
                _latencies(measured, parameters),
            )
        )
    return found


def _latencies(measured: Timeline, parameters: TimingParameters) -> dict[str, Float]:
    """Latencies of loads and stores whose return was seen, clk."""
    derived = derive_latencies(measured, parameters)
    code = measured.trace.code
    kinds = [
        code[int(measured.trace.waves[wave].code[row])].kind
        for wave, row in zip(derived.order.wave.tolist(), derived.order.row.tolist(), strict=True)
    ]
    store = np.array([kind is Kind.VMEM_STORE for kind in kinds], np.bool_)
    latency = derived.latency_clk.astype(np.float64)
    own = derived.exact & (latency > QUEUED_LATENCY_CLK)  # not only queued behind the access before
    return {"load": latency[own & ~store], "store": latency[own & store]}


def estimate(evidence: Sequence[TraceEvidence], parameters: TimingParameters) -> list[Estimate]:
    """The values that the traces together say, with intervals."""
    random = np.random.default_rng(0)
    rows = sum(one.rows for one in evidence)
    found = []
    for name in CANDIDATES:
        stock = value_of(parameters, name)
        tried = candidates(name, stock)
        blocks = np.concatenate([one.errors[name] for one in evidence], axis=1)
        moved = sum(one.moved[name] for one in evidence)
        best = _best(blocks.sum(axis=1), tried, stock)
        draws = random.integers(0, blocks.shape[1], (RESAMPLES, blocks.shape[1]))
        values = np.sort([_best(blocks[:, draw].sum(axis=1), tried, stock) for draw in draws])
        low, high = (int(values[min(int(share * RESAMPLES), RESAMPLES - 1)]) for share in INTERVAL)
        totals = blocks.sum(axis=1)
        why = ""
        if moved < FEWEST:
            why = "too few instructions depend on it" if moved else "no instruction depends on it"
        elif totals.max() - totals.min() < FLAT_CLK * rows / 1000:
            why = "makes no difference to speak of"
        elif low < best or high > best:
            why = f"between {low} and {high}"
        elif best in (tried[0], tried[-1]) and best != stock:
            why = f"at the edge of what was tried ({best})"
        found.append(Estimate(name, best, stock, low, high, moved, not why, why))
    return found


def _best(totals: Float, tried: Sequence[int], stock: int) -> int:
    """The candidate with the smallest error; the stock one if it is as good."""
    place = int(totals.argmin())
    return stock if totals[tried.index(stock)] <= totals[place] else tried[place]


def memory_latencies(evidence: Sequence[TraceEvidence], parameters: TimingParameters) -> list[Estimate]:
    """Medians of the latencies that were seen, clk, with 90 % intervals of the median."""
    found = []
    random = np.random.default_rng(0)
    for name, which, stock in (
        ("memory.latency_clk", "load", parameters.memory_latency_clk),
        ("memory.store_latency_clk", "store", parameters.memory_store_latency_clk),
    ):
        seen = np.concatenate([one.latencies[which] for one in evidence])
        if len(seen) < FEWEST:
            found.append(Estimate(name, stock, stock, 0, 0, len(seen), False, "too few returns were seen"))
            continue
        medians = np.sort([np.median(random.choice(seen, len(seen))) for _ in range(RESAMPLES)])
        low, high = (int(medians[min(int(share * RESAMPLES), RESAMPLES - 1)]) for share in INTERVAL)
        value = int(np.median(seen))
        why = f"between {low} and {high}" if high - low > WIDE_SHARE * value else ""
        found.append(Estimate(name, value, stock, low, high, len(seen), not why, why))
    return found


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A trace replayed with the values that the others determine, and with those it began with."""

    name: str
    error: float
    stock_error: float


def leave_one_out(
    traces: Sequence[Source],
    evidence: Sequence[TraceEvidence],
    machine: str | None,
    progress: Callable[[str], None] | None = None,
) -> list[LeftOut]:
    """Signed errors (of clk/iteration, or the span) of each trace under values from the others.

    Global-memory latencies are those of the left-out trace (``measured``): the values cover the rest.
    """
    found = []
    for source in traces:
        others = [one for one in evidence if one.name.split(" ")[0] != source.name]
        if not others:
            continue
        if progress is not None:
            progress(f"leaving out {source.name}")
        imported = source.imported(machine=machine)
        loaded = load_machine(imported.machine)
        values = {one.name: one.value for one in estimate(others, loaded.parameters) if one.determined}
        fitted = replace(loaded, parameters=changed(loaded.parameters, values))
        mode = memory_mode("measured")
        conflicts = [find_conflicts(unit.trace, loaded) for unit in imported.units]
        stock = replay(imported, loaded, mode, conflicts=conflicts)
        fits = replay(imported, fitted, mode, conflicts=conflicts) if values else stock
        for one, other in zip(fits, stock, strict=True):
            name = source.name if len(fits) == 1 else f"{source.name} {one.unit}"
            found.append(LeftOut(name, one.error, other.error))
    return found


def one_arch(traces: Sequence[Source]) -> str:
    """The architecture of all the traces, from their listings: told before anything takes time.

    Raises:
        UserError: there are several, or one is no trace.
    """
    of = {trace: trace.dispatch.arch for trace in traces}
    arches = sorted(set(of.values()))
    if len(arches) != 1:
        names = "; ".join(
            f"{arch}: {', '.join(trace.name for trace in traces if of[trace] == arch)}" for arch in arches
        )
        raise UserError(
            f"traces of {', '.join(arches)}: a machine file is of one architecture",
            hint=f"name the traces of one ({names})",
        )
    return arches[0]
