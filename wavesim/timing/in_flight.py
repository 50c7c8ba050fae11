"""Bytes of the compute unit's path to global memory (docs/model, section 10): how long an access takes it,
and how much may be in flight: which return makes room for an access."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters

Int64 = npt.NDArray[np.int64]


def service_clk(moved_bytes: int, hit_bytes: int, p: TimingParameters) -> int:
    """Clocks of the path for an access, *s(n)*; ``hit_bytes`` of its bytes are in the L1."""
    rate, hit_rate = p.memory_bytes_per_clk, p.memory_l1_hit_bytes_per_clk
    clk = -(-((moved_bytes - hit_bytes) * hit_rate + hit_bytes * rate) // (rate * hit_rate))
    return max(p.memory_min_service_clk, clk)


def held_bytes(missing_bytes: Int64, to_lds: npt.NDArray[np.bool_], p: TimingParameters) -> Int64:
    """What accesses take of ``memory.tail_bytes``.

    Args:
        missing_bytes: of each access, those that the L1 does not have.
        to_lds: whether it is a load to LDS, which takes at least ``memory.to_lds_held_bytes`` if it misses.
        p: the machine's numbers.
    """
    least = np.where(to_lds & (missing_bytes > 0), p.memory_to_lds_held_bytes, 0)
    result: Int64 = np.maximum(missing_bytes, least)
    return result


def makes_room(held: Int64, p: TimingParameters) -> Int64:
    """For each access, in order of issue, the one before it whose return makes room for it; -1: none has to.

    Args:
        held: :func:`held_bytes` of each access.
        p: ``memory.tail_bytes`` and ``memory.tail_entries``.
    """
    count = len(held)
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(held)])
    by_bytes = np.searchsorted(before, before[1:] - p.memory_tail_bytes, side="left")
    by_entries = np.arange(count) + 1 - p.memory_tail_entries
    first = np.minimum(np.maximum(by_bytes, by_entries), np.arange(count))
    result: Int64 = np.maximum(first, 0) - 1
    return result


def share_in_flight(held: Int64, p: TimingParameters) -> npt.NDArray[np.float64]:
    """How much of what may be in flight each access takes, 0 to 1."""
    share: npt.NDArray[np.float64] = np.maximum(held / p.memory_tail_bytes, 1.0 / p.memory_tail_entries)
    return np.minimum(share, 1.0)
