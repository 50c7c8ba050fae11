"""Rule missing-wait for loads into LDS: one wave's LDS accesses and its own loads to LDS are not ordered.

LDS accesses return in order among themselves, and so do global-memory accesses, but a load to LDS counts
with ``vmcnt`` and a ``ds_read`` with ``lgkmcnt``: where both touch a byte and one writes, the earlier one
must be waited for. By the real addresses of an execution.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wavesim.checks.ordering import NEVER, Order, completion_rows, count_of, rows_of
from wavesim.checks.race_fix import covering_wait
from wavesim.checks.waits import span_of
from wavesim.emulate.observe import LdsAccess
from wavesim.program import Finding, Severity
from wavesim.trace import Trace


def unordered_lds_accesses(trace: Trace, accesses: Sequence[LdsAccess]) -> Iterator[Finding]:
    """One finding per pair of instructions of which the second may come before the first's effect."""
    if not any(access.from_memory for access in accesses):
        return
    by_wave: dict[int, list[LdsAccess]] = defaultdict(list)
    for access in accesses:
        by_wave[access.wave].append(access)
    found: dict[tuple[int, int], _Pair] = {}
    for position in sorted(by_wave):
        for first, second, byte in _unordered(trace, position, by_wave[position]):
            pair = found.setdefault((second.index, first.index), _Pair(first, second, byte))
            pair.times.append((position, first.row, second.row))
    for key in sorted(found):
        yield _finding(trace, found[key])


@dataclass(slots=True)
class _Pair:
    """Two accesses, a byte that both touch, and all the times that their instructions met so: (wave, row of
    the first, row of the second)."""

    first: LdsAccess
    second: LdsAccess
    byte: int
    times: list[tuple[int, int, int]] = field(default_factory=list)


def _unordered(
    trace: Trace, position: int, accesses: list[LdsAccess]
) -> Iterator[tuple[LdsAccess, LdsAccess, int]]:
    wave = trace.waves[position]
    done = {
        memory: completion_rows(trace, wave, Order.VECTOR if memory else Order.LDS)
        for memory in (False, True)
    }
    open_accesses: dict[bool, list[LdsAccess]] = {False: [], True: []}
    for access in sorted(accesses, key=lambda each: each.row):
        other = not access.from_memory
        still = [each for each in open_accesses[other] if done[other].get(each.row, NEVER) > access.row]
        open_accesses[other] = still
        for earlier in still:
            if earlier.write or access.write:
                common = _common_byte(earlier, access)
                if common is not None:
                    yield earlier, access, common
        open_accesses[access.from_memory].append(access)


def _common_byte(first: LdsAccess, second: LdsAccess) -> int | None:
    if not len(first.addresses) or not len(second.addresses):
        return None
    low = max(first.addresses.min(), second.addresses.min())
    high = min(first.addresses.max() + first.width_bytes, second.addresses.max() + second.width_bytes)
    if low >= high:
        return None
    common = np.intersect1d(first.touched(), second.touched())
    return int(common[0]) if len(common) else None


def _fix(trace: Trace, pair: _Pair) -> str:
    """The last wait between the two with the largest count that covers the first, or a wait to put there."""
    order = Order.VECTOR if pair.first.from_memory else Order.LDS
    operations: dict[int, npt.NDArray[np.int64]] = {}
    found = []
    for position, row, before in pair.times:
        wave = trace.waves[position]
        if position not in operations:
            counted = (index for index, entry in enumerate(trace.code) if order.has(entry))
            operations[position] = rows_of(trace, wave, counted)
        found.append(covering_wait(trace, wave, row, before, order, operations[position]))
    count = min(each for _, each in found)
    earlier, later = (trace.code[access.index].instruction.opcode for access in (pair.first, pair.second))
    places = {place for place, _ in found}
    place = places.pop()
    if place is None or places:
        return f"put s_waitcnt {order.counter}({count}), which covers {earlier}, before {later}"
    return (
        f"the s_waitcnt at {span_of(trace.program, place)} needs {order.counter}({count}), not "
        f"{order.counter}({count_of(trace.code[place], order.counter)}), to cover {earlier}"
    )


def _finding(trace: Trace, pair: _Pair) -> Finding:
    program = trace.program
    first, second, byte = pair.first, pair.second, pair.byte
    earlier, later = program.instructions[first.index], program.instructions[second.index]
    words = ["writes" if access.write else "reads" for access in (second, first)]
    back = " of an earlier loop trip" if first.index >= second.index else ""
    return Finding(
        rule="missing-wait",
        severity=Severity.ERROR,
        message=(
            f"{later.opcode} {words[0]} LDS byte {byte} (0x{byte:x}) before {earlier.opcode}{back}, which "
            f"{words[1]} it, need be done: loads to LDS and LDS accesses are not ordered"
        ),
        spans=(span_of(program, second.index), span_of(program, first.index)),
        waves=tuple(sorted({trace.waves[position].wave for position, _, _ in pair.times})),
        fix=_fix(trace, pair),
    )
