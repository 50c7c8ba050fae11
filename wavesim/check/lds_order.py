"""Rule missing-wait for loads into LDS: one wave's LDS accesses and its own loads to LDS are not ordered.

LDS accesses return in order among themselves, and so do global-memory accesses, but a load to LDS counts
with ``vmcnt`` and a ``ds_read`` with ``lgkmcnt``: where both touch a byte and one writes, the earlier one
must be waited for. By the real addresses of an execution.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from wavesim.check.ordering import NEVER, Order, completion_rows
from wavesim.check.waits import span_of
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
    found: dict[tuple[int, int], tuple[LdsAccess, LdsAccess, int, set[int]]] = {}
    for position in sorted(by_wave):
        for first, second, byte in _unordered(trace, position, by_wave[position]):
            known = found.setdefault((second.index, first.index), (first, second, byte, set()))
            known[3].add(trace.waves[position].wave)
    for key in sorted(found):
        yield _finding(trace, *found[key])


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


def _finding(trace: Trace, first: LdsAccess, second: LdsAccess, byte: int, waves: set[int]) -> Finding:
    program = trace.program
    earlier, later = program.instructions[first.index], program.instructions[second.index]
    words = ["writes" if access.write else "reads" for access in (second, first)]
    counter = "vmcnt" if first.from_memory else "lgkmcnt"
    back = " of an earlier loop trip" if first.index >= second.index else ""
    return Finding(
        rule="missing-wait",
        severity=Severity.ERROR,
        message=(
            f"{later.opcode} {words[0]} LDS byte {byte} (0x{byte:x}) before {earlier.opcode}{back}, which "
            f"{words[1]} it, need be done: loads to LDS and LDS accesses are not ordered"
        ),
        spans=(span_of(program, second.index), span_of(program, first.index)),
        waves=tuple(sorted(waves)),
        fix=f"put an s_waitcnt {counter} that covers {earlier.opcode} before {later.opcode}",
    )
