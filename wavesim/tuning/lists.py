"""First orders: lists that say how matrix work is laid beside memory, made for every choice of a few rules.

Annealing moves single operations; it does not find the structure of a loop's phases. A list does: it
issues what is ready by kind, so many MFMAs behind each access to LDS, and says at which barriers the MFMAs
before it come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from wavesim.trace import CodeEntry, Kind
from wavesim.tuning.dependence import Order

_PACES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
_MOST_BARRIERS = 4
"""Beyond these, either all barriers come behind the MFMAs before them or none does."""


@dataclass(frozen=True)
class ListRule:
    """``pace`` MFMAs behind each access to LDS; ``drained`` barriers come behind every MFMA that is ready;
    loads of global memory and other work come ``early`` or as late as something needs them."""

    pace: float
    drained: frozenset[int]
    loads_early: bool
    others_early: bool


def rules_for(entries: Sequence[CodeEntry]) -> Iterator[ListRule]:
    """All rules worth trying on a block of these operations."""
    barriers = [number for number, entry in enumerate(entries) if entry.kind is Kind.BARRIER]
    if len(barriers) <= _MOST_BARRIERS:
        choices = [
            frozenset(each for each, chosen in zip(barriers, flags, strict=True) if chosen)
            for flags in product((False, True), repeat=len(barriers))
        ]
    else:
        choices = [frozenset(), frozenset(barriers)]
    lds = any(entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE) for entry in entries)
    loads = any(entry.kind is Kind.VMEM_LOAD for entry in entries)
    for drained in choices:
        for pace in _PACES if lds else (1.0,):
            for loads_early in (True, False) if loads else (True,):
                for others_early in (True, False):
                    yield ListRule(pace, drained, loads_early, others_early)


def list_order(order: Order, entries: Sequence[CodeEntry], rule: ListRule) -> list[int]:
    """The operations as a rule lays them, each as soon as those before it have been."""
    left = [len(each) for each in order.before]
    ready = {number for number, count in enumerate(left) if not count}
    result: list[int] = []
    credit = 0.0

    def take(number: int) -> None:
        ready.discard(number)
        result.append(number)
        for later in order.after[number]:
            left[later] -= 1
            if not left[later]:
                ready.add(later)

    urgent = _wanted_by_memory(order, entries)
    while ready:
        groups: dict[str, list[int]] = {}
        for number in sorted(ready):
            groups.setdefault(_group(entries[number]), []).append(number)
        others = groups.get("other", [])
        needed = [number for number in others if rule.others_early or number in urgent]
        matrix, lds, loads = groups.get("matrix", []), groups.get("lds", []), groups.get("load", [])
        barrier = groups.get("barrier", [])
        if needed:
            take(needed[0])
        elif loads and (rule.loads_early or not (lds or matrix or barrier or others)):
            take(loads[0])
        elif matrix and credit >= 1.0:
            take(matrix[0])
            credit -= 1.0
        elif lds:
            take(lds[0])
            credit += rule.pace if matrix else 0.0
        elif barrier and not (matrix and barrier[0] in rule.drained):
            take(barrier[0])
        elif matrix:
            take(matrix[0])
        else:
            take(min(ready))
    return result


def _group(entry: CodeEntry) -> str:
    if entry.kind is Kind.MFMA:
        return "matrix"
    if entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE):
        return "lds"
    if entry.kind in (Kind.VMEM_LOAD, Kind.VMEM_STORE, Kind.SMEM):
        return "load"
    return "barrier" if entry.kind is Kind.BARRIER else "other"


def _wanted_by_memory(order: Order, entries: Sequence[CodeEntry]) -> frozenset[int]:
    """Operations without which some access to memory or a barrier cannot issue."""
    found: set[int] = set()
    todo = [n for n, entry in enumerate(entries) if _group(entry) in ("lds", "load", "barrier")]
    while todo:
        for earlier in order.before[todo.pop()]:
            if earlier not in found:
                found.add(earlier)
                todo.append(earlier)
    return frozenset(found)
