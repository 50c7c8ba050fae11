"""Rule wait-too-strong: waits that could leave more operations outstanding, and the clocks they cost.

The largest safe count comes from the code (:mod:`wavesim.checks.relaxing`). Where only the LDS accesses
behind a barrier forbid more, the addresses of an execution decide, if it went round every loop often
enough to show them. The cost is the difference of two simulations of the same trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wavesim.checks.costs import CostMeter
from wavesim.checks.lds_order import unordered_lds_accesses
from wavesim.checks.pending import pending_before
from wavesim.checks.races import races_at_all
from wavesim.checks.relaxing import NOT_WAITED, Need, Relaxation, WaitRelaxer, counts_from, with_count
from wavesim.checks.waits import missing_waits, span_of
from wavesim.emulate.observe import LdsAccess
from wavesim.emulate.run import Execution
from wavesim.errors import SourceSpan
from wavesim.isa.machine import Machine
from wavesim.program import Finding, Severity, Waitcnt
from wavesim.trace import CodeEntry, Kind

ENOUGH_TRIPS = 3
"""Trips of each loop after which its addresses are believed to repeat: two buffers show in three."""

EARLY_BARRIERS = 12
"""Intervals between barriers that are looked at before the whole run."""


@dataclass(frozen=True, slots=True)
class StrongWait:
    """An ``s_waitcnt`` of the source (lowered perhaps several times) and its largest safe counts.

    Attributes:
        waits: static instructions.
        counts: counter -> largest safe count (``NOT_WAITED``: leave the counter out).
        by_addresses: whether the addresses of the execution had to be believed.
        needs: what forbids one more, where something does.
    """

    waits: tuple[int, ...]
    counts: dict[str, int]
    by_addresses: bool
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class _Weaker:
    """The largest count that a wait could have for a counter."""

    count: int
    relaxation: Relaxation

    @property
    def need(self) -> Need | None:
        """What keeps it from being larger."""
        largest = self.count == self.relaxation.possible
        return self.relaxation.last_need if largest else self.relaxation.need


def strong_waits(
    relaxer: WaitRelaxer, machine: Machine, execution: Execution | None = None, *, ordered: bool = False
) -> Iterator[Finding]:
    """One note per ``s_waitcnt`` of the source, in program order; with the simulated cost if there is an
    ``execution`` in which every wave came to its end.

    ``ordered``: nothing was found that more order would fix (missing waits, races, deadlocks). Else only
    the code is judged, and waits that nothing relies on are kept: with the fault fixed something may.
    """
    found = list(find_strong_waits(relaxer, execution if ordered else None))
    if not ordered:
        found = [each for each in found if NOT_WAITED not in each.counts.values()]
    costs = _costs(relaxer, found, execution, machine) if execution else [""] * len(found)
    for strong, cost in zip(found, costs, strict=True):
        yield _finding(relaxer, strong, cost)


def find_strong_waits(relaxer: WaitRelaxer, execution: Execution | None) -> Iterator[StrongWait]:
    """Waits of the source that could be weaker; of a line lowered to several waits, all must be.

    ``execution``: one whose LDS accesses have no conflict, to judge by addresses.
    """
    relaxable = list(relaxer.relaxations())
    addresses = None
    if execution is not None and any(each.possible > each.safe for each in relaxable):
        addresses = LdsEvidence.of(relaxer, execution)
    known: dict[int, dict[str, _Weaker]] = {}
    for each in relaxable:
        count = each.safe
        if addresses is not None and each.possible > each.safe:
            count = addresses.largest(each)
        if count > each.count:
            known.setdefault(each.wait, {})[each.counter] = _Weaker(count, each)
    for waits in _waits_of_lines(relaxer):
        counts: dict[str, int] = {}
        needs: list[Need] = []
        by_addresses = False
        for counter in ("vmcnt", "lgkmcnt"):
            weaker = [known[wait][counter] for wait in waits if counter in known.get(wait, {})]
            if len(weaker) < len(waits):
                continue
            counts[counter] = least = min(each.count for each in weaker)
            by_addresses |= any(least > each.relaxation.safe for each in weaker)
            needs += [each.need for each in weaker if each.need is not None and each.count == least]
        if counts and (len(waits) == 1 or _safe_together(relaxer, waits, counts, addresses)):
            yield StrongWait(tuple(waits), counts, by_addresses, tuple(dict.fromkeys(needs)))


def _waits_of_lines(relaxer: WaitRelaxer) -> Iterable[list[int]]:
    """The reached waits of the code, those of a source line together."""
    found: dict[tuple[SourceSpan, int], list[int]] = {}
    for index, entry in enumerate(relaxer.code):
        if entry.kind is Kind.WAIT and index in relaxer.before:
            span = span_of(relaxer.program, index)
            found.setdefault((span, 0 if span.line else index), []).append(index)
    return found.values()


def _early_accesses(execution: Execution) -> tuple[LdsAccess, ...]:
    """The LDS accesses before each wave's ``EARLY_BARRIERS``-th barrier."""
    trace = execution.trace
    barriers = [index for index, entry in enumerate(trace.code) if entry.kind is Kind.BARRIER]
    ends = []
    for wave in trace.waves:
        rows = np.flatnonzero(np.isin(wave.code, barriers))
        ends.append(int(rows[EARLY_BARRIERS]) if len(rows) > EARLY_BARRIERS else len(wave))
    return tuple(access for access in execution.lds_accesses if access.row < ends[access.wave])


def relaxed_code(
    code: Sequence[CodeEntry], waits: Sequence[int], counts: dict[str, int]
) -> tuple[CodeEntry, ...]:
    """The code with other counts at ``waits``."""
    result = list(code)
    for wait in waits:
        for counter, count in counts.items():
            result[wait] = with_count(result[wait], counter, count)
    return tuple(result)


def _safe_together(
    relaxer: WaitRelaxer, waits: list[int], counts: dict[str, int], addresses: LdsEvidence | None
) -> bool:
    """Whether several waits may have the counts at once: each alone was judged with the others unchanged."""
    if addresses is None:
        return False
    code = relaxed_code(relaxer.code, waits, counts)
    before = pending_before(relaxer.flow, code, relaxer.effects)
    missing = set(missing_waits(relaxer.program, code, relaxer.effects, before))
    known = set(missing_waits(relaxer.program, relaxer.code, relaxer.effects, relaxer.before))
    return missing <= known and addresses.ordered(code)


@dataclass(frozen=True)
class LdsEvidence:
    """What the LDS addresses of an execution show of a changed wait: whether a conflict comes with it."""

    relaxer: WaitRelaxer
    execution: Execution
    early: tuple[LdsAccess, ...]

    @classmethod
    def of(cls, relaxer: WaitRelaxer, execution: Execution) -> LdsEvidence | None:
        """``None`` if the execution shows too little: it stopped, waves poll, or loops ran too few trips."""
        trace = execution.trace
        if not execution.complete or any(wave.spins for wave in trace.waves):
            return None
        for source, target in relaxer.flow.back_edges():
            trips = [
                np.count_nonzero((wave.code[:-1] == source) & (wave.code[1:] == target))
                for wave in trace.waves
            ]
            if max(trips, default=0) < ENOUGH_TRIPS - 1:
                return None
        return cls(relaxer, execution, _early_accesses(execution))

    def ordered(self, code: tuple[CodeEntry, ...]) -> bool:
        """Whether the LDS accesses are ordered with the waits of ``code``."""
        trace = replace(self.execution.trace, code=code)
        lds_bytes = trace.program.metadata.lds_bytes
        for accesses in (self.early, self.execution.lds_accesses):  # most conflicts come early
            if races_at_all(trace, accesses, lds_bytes):
                return False
        return not any(True for _ in unordered_lds_accesses(trace, accesses))

    def largest(self, relaxation: Relaxation) -> int:
        """The largest count with which no pair of LDS accesses loses its order."""
        counts = [
            count
            for count in counts_from(relaxation.safe, relaxation.counter)
            if count <= relaxation.possible
        ]
        if len(counts) < 2 or not self._may_have(relaxation, counts[1]):
            return counts[0]  # the usual case
        low, high = 1, len(counts)
        while high - low > 1:
            middle = (low + high) // 2
            if self._may_have(relaxation, counts[middle]):
                low = middle
            else:
                high = middle
        return counts[low]

    def _may_have(self, relaxation: Relaxation, count: int) -> bool:
        code = relaxed_code(self.relaxer.code, (relaxation.wait,), {relaxation.counter: count})
        return self.ordered(code)


def _costs(
    relaxer: WaitRelaxer, found: list[StrongWait], execution: Execution, machine: Machine
) -> list[str]:
    if not found or not execution.complete:
        return [""] * len(found)
    meter = CostMeter(execution.trace, machine)
    costs = []
    for strong in found:
        cost = meter.cost(
            replace(execution.trace, code=relaxed_code(relaxer.code, strong.waits, strong.counts))
        )
        costs.append(str(cost) if cost is not None else "")
    return costs


def _finding(relaxer: WaitRelaxer, strong: StrongWait, cost: str) -> Finding:
    program = relaxer.program
    wait = strong.waits[0]
    instruction = program.instructions[wait]
    safe = " ".join(f"{name}({count})" for name, count in strong.counts.items() if count < NOT_WAITED)
    idle = " and ".join(name for name, count in strong.counts.items() if count >= NOT_WAITED)
    parts = []
    if safe:
        parts.append(f"{safe} is the largest safe count")
    if idle:
        parts.append(f"nothing relies on its {idle}")
    where = " as far as this launch's LDS addresses show" if strong.by_addresses else ""
    written = " ".join(str(operand) for operand in instruction.operands)
    message = f"{instruction.opcode} {written} is stronger than needed: {' and '.join(parts)}{where}"
    spans = [span_of(program, wait)]
    for need in strong.needs[:1]:
        spans += [span_of(program, need.operation), span_of(program, need.user)]
        later, earlier = program.instructions[need.user], program.instructions[need.operation]
        message += f" ({later.opcode} needs {earlier.opcode} complete)"
    return Finding(
        rule="wait-too-strong",
        severity=Severity.NOTE,
        message=message + (f"; {cost}" if cost else "; the clocks it costs were not simulated"),
        spans=tuple(spans),
        fix=_fix(relaxer.code[wait], strong.counts),
    )


def _fix(entry: CodeEntry, counts: dict[str, int]) -> str:
    for counter, count in counts.items():
        entry = with_count(entry, counter, count)
    if entry.wait_vmcnt is None and entry.wait_lgkmcnt is None:
        return "leave the wait out, or move it to where its data is needed"
    return f"write s_waitcnt {Waitcnt(entry.wait_vmcnt, None, entry.wait_lgkmcnt)}"
