"""Whether two Timelines are the same in every array: what both engines are held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from wavesim.errors import UserError
from wavesim.trace import Timeline, WaveTimeline

ROWS = ("attempt_clk", "issue_clk", "end_clk", "done_clk")
STALLS = ("stall_row", "stall_reason", "stall_clk")
CULPRITS = ("stall_by_wave", "stall_by_row")
USES = ("start_clk", "end_clk", "wave", "row")


class EnginesDiffer(UserError):
    """The two engines do not give the same Timeline: a mistake in one of them."""


def differences(one: Timeline, other: Timeline) -> Iterator[str]:
    """What differs, each with the first place; culprits only where both have recorded them."""
    for position, (left, right) in enumerate(zip(one.waves, other.waves, strict=True)):
        for what in _wave_differences(left, right):
            yield f"wave {position}, {what}"
    yield from _figures(one, other, ("clk_total", "complete"))
    if one.busy.keys() != other.busy.keys():
        yield f"resources in use: {sorted(one.busy)} and {sorted(other.busy)}"
        return
    for resource, uses in one.busy.items():
        for name in USES:
            if not np.array_equal(getattr(uses, name), getattr(other.busy[resource], name)):
                yield f"uses of {resource[0]} {resource[1]}, {name}"


def _wave_differences(left: WaveTimeline, right: WaveTimeline) -> Iterator[str]:
    recorded = all(len(each.stall_by_wave) == len(each.stall_row) for each in (left, right))
    for name in (*ROWS, *STALLS, *(CULPRITS if recorded else ())):
        mine, theirs = getattr(left, name), getattr(right, name)
        if not np.array_equal(mine, theirs):
            both = min(len(mine), len(theirs))
            place = int(np.argmax(mine[:both] != theirs[:both])) if both else 0
            values = [int(array[place]) if place < len(array) else None for array in (mine, theirs)]
            yield f"{name}[{place}]: {values[0]} and {values[1]}"
    yield from _figures(left, right, ("simd", "slot", "first_clk", "last_clk", "spin_repeats"))


def _figures(left: object, right: object, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if getattr(left, name) != getattr(right, name):
            yield f"{name}: {getattr(left, name)} and {getattr(right, name)}"


def require_equal(one: Timeline, other: Timeline) -> None:
    """Both are the same in every array.

    Raises:
        EnginesDiffer: they are not.
    """
    found = list(differences(one, other))
    if found:
        raise EnginesDiffer(
            f"the timing engines differ ({one.engine} and {other.engine}): {'; '.join(found[:3])}",
            None,
            f"{len(found)} arrays or figures; a mistake in wavesim, please report it with the kernel",
        )
