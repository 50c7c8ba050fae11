"""Rule bank-conflict: LDS accesses whose lanes meet in a bank, with the clocks, hidden or exposed.

Conflict clocks are the bank array's clocks of the executed addresses beyond those of a conflict-free
access. How much of them shows is the difference of two simulations: with them, and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from wavesim.analyze.code_tables import array_clk_of_rows, code_tables
from wavesim.checks.costs import Cost, CostMeter
from wavesim.checks.waits import span_of
from wavesim.emulate.run import Execution
from wavesim.errors import SourceSpan
from wavesim.isa.kinds import LDS_KINDS
from wavesim.isa.machine import Machine
from wavesim.program import Finding, Severity
from wavesim.trace import Trace

SHOWN_PLACES = 3
"""Places of alike accesses that a finding names."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Instructions of one opcode whose accesses take ``worst`` clocks in place of ``free``."""

    opcode: str
    free: int
    worst: int
    members: tuple[int, ...]
    clk: int
    waves: tuple[int, ...]


def bank_conflicts(execution: Execution, machine: Machine) -> Iterator[Finding]:
    """One note per group of alike accesses, those with most conflict clocks first."""
    trace = execution.trace
    groups = sorted(_groups(trace, machine), key=lambda group: (-group.clk, group.members))
    meter = CostMeter(trace, machine)
    for group in groups:
        cost = meter.cost(_without(trace, machine, group)) if execution.complete else None
        yield _finding(trace, group, cost)


def _groups(trace: Trace, machine: Machine) -> Iterator[_Group]:
    tables = code_tables(trace, machine.parameters)
    count = len(trace.code)
    extra = np.zeros(count, np.int64)
    worst = np.zeros(count, np.int64)
    waves: list[set[int]] = [set() for _ in range(count)]
    is_lds = tables.is_kind(*LDS_KINDS)
    for wave in trace.waves:
        clk = array_clk_of_rows(wave, tables)
        over = np.where(is_lds[wave.code], clk - tables.array_clk[wave.code], 0)
        rows = np.flatnonzero(over > 0)
        np.add.at(extra, wave.code[rows], over[rows])
        np.maximum.at(worst, wave.code[rows], clk[rows])
        for index in np.unique(wave.code[rows]).tolist():
            waves[index].add(wave.wave)
    alike: dict[tuple[str, int, int], list[int]] = {}
    for index in np.flatnonzero(extra).tolist():
        opcode = trace.code[index].instruction.opcode
        alike.setdefault((opcode, int(tables.array_clk[index]), int(worst[index])), []).append(index)
    for (opcode, free, most), members in alike.items():
        numbers = sorted(set().union(*(waves[index] for index in members)))
        yield _Group(opcode, free, most, tuple(members), int(extra[members].sum()), tuple(numbers))


def _without(trace: Trace, machine: Machine, group: _Group) -> Trace:
    """The trace with the group's accesses free of conflicts."""
    changed = []
    for wave in trace.waves:
        rows = np.isin(wave.code, group.members)
        clk = np.where(rows, np.minimum(wave.array_clk, group.free), wave.array_clk).astype(np.int32)
        changed.append(replace(wave, array_clk=clk))
    return replace(trace, waves=tuple(changed))


def _finding(trace: Trace, group: _Group, cost: Cost | None) -> Finding:
    spans: dict[SourceSpan, None] = dict.fromkeys(span_of(trace.program, index) for index in group.members)
    places = f" at {len(spans)} places" if len(spans) > 1 else ""
    return Finding(
        rule="bank-conflict",
        severity=Severity.NOTE,
        message=(
            f"{group.opcode}{places} takes up to {group.worst} clk of the LDS banks, {group.free} without "
            f"conflicts: {group.clk} conflict clk in the run, {_exposed(cost, group)}"
        ),
        spans=tuple(spans)[:SHOWN_PLACES],
        waves=group.waves,
        fix="pad the rows or swizzle, so that the lanes served together are on different banks",
    )


def _exposed(cost: Cost | None, group: _Group) -> str:
    if cost is None:
        return "how much of it shows was not simulated"
    saved = cost.now.total - cost.without.total
    if saved <= 0:
        return "hidden: without them the simulated kernel takes as long"
    per_iteration = cost.per_iteration
    if per_iteration is not None and round(per_iteration) > 0:
        return f"exposed: {per_iteration:.0f} of {cost.now.per_iteration:.0f} clk per iteration (simulated)"
    return f"exposed: {saved} of {cost.now.total} clk (simulated)"
