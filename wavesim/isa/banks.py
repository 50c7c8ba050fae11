"""LDS bank conflicts: how many clocks the bank array needs for an access, from its lane addresses.

The lanes are served in phases (:class:`wavesim.isa.machine.LanePhases`); in a phase every bank delivers
one dword per clock, so a phase takes as long as the bank with the most *distinct* dwords. Lanes that ask
for the same dword share it. A phase without an active lane takes no time.

Moving all addresses by the same number of dwords turns the banks round and leaves the conflicts alone, so
results are remembered by the addresses relative to the first lane: a loop that walks through a buffer is
computed once.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import LANES
from wavesim.isa.machine import LanePhases

_REMEMBERED = 16384
_NOTHING = np.iinfo(np.int64).max

_memory: dict[tuple[LanePhases, int], dict[bytes, int]] = {}

Addresses = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]


def array_clk(
    phases: LanePhases, byte_addresses: Addresses, width_bytes: int, exec_mask: int | Mask | None = None
) -> int:
    """Clocks that the bank array needs for one access.

    Args:
        phases: of the access's kind and width (``machine.lane_phases``).
        byte_addresses: one LDS byte address per lane, shape [64].
        width_bytes: bytes per lane, from the address on.
        exec_mask: active lanes, as 64 bits or as bool [64]; None: all.
    """
    mask = None if exec_mask is None else exec_lanes(exec_mask)[None, :]
    return int(array_clk_batch(phases, np.asarray(byte_addresses)[None, :], width_bytes, mask)[0])


def array_clk_batch(
    phases: LanePhases, byte_addresses: Addresses, width_bytes: int, active: Mask | None = None
) -> npt.NDArray[np.int64]:
    """As :func:`array_clk` for n accesses of one kind and width.

    Args:
        phases: of the accesses' kind and width.
        byte_addresses: shape [n, 64].
        width_bytes: bytes per lane.
        active: active lanes, bool [n, 64]; None: all.

    Returns:
        Clocks, int64 [n].
    """
    addresses = np.asarray(byte_addresses).astype(np.int64, copy=False)
    if active is not None:
        if active.all():
            active = None
        else:  # inactive lanes' addresses mean nothing: give them the first active lane's
            first = np.take_along_axis(addresses, active.argmax(axis=1)[:, None], axis=1)
            addresses = np.where(active, addresses, first)
    relative = addresses - (addresses[:, :1] & ~3)
    memory = _memory.setdefault((phases, width_bytes), {})
    size = relative.shape[1] * relative.itemsize
    blob = relative.tobytes()
    keys = [blob[start : start + size] for start in range(0, len(blob), size)]
    if active is not None:
        packed = np.packbits(active, axis=1)
        keys = [key + packed[row].tobytes() for row, key in enumerate(keys)]
    known = [memory.get(key) for key in keys]
    missing = [row for row, value in enumerate(known) if value is None]
    if missing:
        if len(memory) + len(missing) > _REMEMBERED:
            memory.clear()
        fresh = _compute(phases, relative[missing], width_bytes, None if active is None else active[missing])
        for row, value in zip(missing, fresh.tolist(), strict=True):
            known[row] = memory[keys[row]] = value
    return np.array(known, dtype=np.int64)


def exec_lanes(exec_mask: int | Mask) -> Mask:
    """Active lanes as bool [64], from 64 bits or from that form itself."""
    if isinstance(exec_mask, np.ndarray):
        return exec_mask.astype(np.bool_, copy=False)
    bits = np.frombuffer((int(exec_mask) & (2**LANES - 1)).to_bytes(8, "little"), dtype=np.uint8)
    return np.unpackbits(bits, bitorder="little").astype(np.bool_)


@cache
def _lane_order(phases: LanePhases) -> tuple[npt.NDArray[np.intp], int, int]:
    """Lanes phase by phase as [phases, lanes per phase], short phases filled with their own first lane."""
    longest = max(len(lanes) for lanes in phases.phases)
    table = [list(lanes) + [lanes[0]] * (longest - len(lanes)) for lanes in phases.phases]
    return np.array(table, dtype=np.intp).reshape(-1), len(table), longest


def _compute(
    phases: LanePhases, relative: npt.NDArray[np.int64], width_bytes: int, active: Mask | None
) -> npt.NDArray[np.int64]:
    """The clocks themselves: counts, per phase and bank, the distinct dwords."""
    order, phase_count, phase_lanes = _lane_order(phases)
    accesses = relative.shape[0]
    lanes = relative[:, order]
    first = lanes >> 2
    last = (lanes + (width_bytes - 1)) >> 2
    dwords = int((last - first).max(initial=0)) + 1
    touched = first[:, :, None] + np.arange(dwords)
    touched[touched > last[:, :, None]] = _NOTHING  # only for addresses off a dword boundary
    if active is not None:
        touched[~active[:, order]] = _NOTHING
    touched = np.sort(touched.reshape(accesses * phase_count, phase_lanes * dwords), axis=1)
    new = touched != _NOTHING
    new[:, 1:] &= touched[:, 1:] != touched[:, :-1]
    row = np.arange(accesses * phase_count)[:, None] * phases.banks
    slots = (row + touched % phases.banks)[new]
    counts = np.bincount(slots, minlength=accesses * phase_count * phases.banks)
    worst = counts.reshape(accesses, phase_count, phases.banks).max(axis=2)
    return np.asarray(worst.sum(axis=1), dtype=np.int64)
