"""Pairs of accesses that race: they share a byte and a barrier interval, and one writes.

But for two atomics, and for two executions of one instruction that store the same value (data that several
waves hold, as compilers store it): whichever comes last, the byte is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.checks.ordering import Alive
from wavesim.emulate.observe import MemoryAccess

Places = Callable[[npt.NDArray[np.int64], int], npt.NDArray[np.int64]]
"""The bytes that accesses to some addresses, so many bytes each, touch: as numbers from 0, in order; those
that do not matter left out."""


_WaveSets = npt.NDArray[np.uint64]
"""A bit for each wave of a workgroup, by place; in fewer bits where these suffice."""


def bytes_of(addresses: npt.NDArray[np.int64], width_bytes: int) -> npt.NDArray[np.int64]:
    """As :meth:`MemoryAccess.touched`, for accesses of several instructions at once."""
    return (addresses[:, None] + np.arange(width_bytes)).reshape(-1)


@dataclass(frozen=True, slots=True)
class RacingPair:
    """Two accesses that race, and a place that both touch."""

    writer: Alive
    other: Alive
    place: int


def racing_pairs(alive: list[Alive], places: Places, size: int) -> Iterator[RacingPair]:
    """Racing pairs of one workgroup, for each interval one per pair of static instructions.

    Args:
        alive: accesses with their intervals.
        places: of addresses; for a write with ``values`` as many as those.
        size: number of places.
    """
    if not alive:
        return
    starting: dict[int, list[Alive]] = defaultdict(list)
    for each in alive:
        starting[each.first].append(each)
    current: list[Alive] = []
    for interval in range(max(starting) + 1):
        current = [each for each in current if each.last >= interval] + starting[interval]
        yield from _races_in(current, places, size)


def _races_in(alive: list[Alive], places: Places, size: int) -> Iterator[RacingPair]:
    alike: dict[tuple[int, bool, int], list[npt.NDArray[np.int64]]] = defaultdict(list)
    for each in alive:
        access = each.access
        alike[access.wave, access.write, access.width_bytes].append(access.addresses)
    waves = sorted({wave for wave, _, _ in alike})
    if len(waves) < 2 or not any(write for _, write, _ in alike):
        return
    kind = next(kind for kind in (np.uint8, np.uint16, np.uint64) if len(waves) <= np.iinfo(kind).bits)
    one = np.ones((), kind)
    writers: _WaveSets = np.zeros(size, kind)
    readers: _WaveSets = np.zeros(size, kind)
    for (wave, write, width_bytes), addresses in alike.items():
        mask = writers if write else readers
        mask[places(np.concatenate(addresses), width_bytes)] |= one << np.asarray(waves.index(wave), kind)
    several = (writers & (writers - one)) != 0
    if several.any():
        several &= _one_value(alive, places, size).differs() | (readers != 0)
    racy = (writers != 0) & (several | ((readers & ~writers) != 0))
    if racy.any():
        touched = [places(each.access.addresses, each.access.width_bytes) for each in alive]
        yield from _pairs_on(alive, touched, racy)


def _one_value(alive: list[Alive], places: Places, size: int) -> OneValue:
    harmless = OneValue(size)
    for access in (each.access for each in alive):
        if access.write:
            harmless.store(access, places(access.addresses, access.width_bytes))
    return harmless


class OneValue:
    """Which bytes only atomics write, or one instruction with one value."""

    def __init__(self, size: int) -> None:
        self._stored: npt.NDArray[np.int64] = np.full(size, -1, np.int64)
        self._differs: npt.NDArray[np.bool_] = np.zeros(size, np.bool_)
        self._atomic: npt.NDArray[np.bool_] = np.zeros(size, np.bool_)

    def store(self, access: MemoryAccess, touched: npt.NDArray[np.int64]) -> None:
        """A write to the bytes ``touched`` (those of the access that are inside)."""
        if access.atomic:
            self._atomic[touched] = True
            return
        if access.values is None or len(access.values) != len(touched):
            self._differs[touched] = True
            self._stored[touched] = 0
            return
        wanted = access.values.astype(np.int64) | access.index << 8
        before = self._stored[touched]
        self._differs[touched[(before >= 0) & (before != wanted)]] = True
        self._stored[touched] = wanted

    def differs(self) -> npt.NDArray[np.bool_]:
        """Whether the order of the writes can matter, by byte."""
        return self._differs | self._atomic & (self._stored >= 0)


def _pairs_on(
    alive: list[Alive], touched: list[npt.NDArray[np.int64]], racy: npt.NDArray[np.bool_]
) -> Iterator[RacingPair]:
    """Racing pairs by static instruction: for each byte its first writer against every other access."""
    first_writer = np.full(len(racy), -1, np.int64)
    involved = [number for number, bytes_touched in enumerate(touched) if racy[bytes_touched].any()]
    for number in reversed(involved):
        if alive[number].access.write:
            first_writer[touched[number][racy[touched[number]]]] = number
    seen: set[tuple[int, int]] = set()
    for number in involved:
        access = alive[number].access
        places = touched[number][racy[touched[number]]]
        for writer in np.unique(first_writer[places]).tolist():
            first = alive[writer].access
            if writer < 0 or first.wave == access.wave or (first.atomic and access.atomic):
                continue
            key = (first.index, access.index)
            if key not in seen:
                seen.add(key)
                place = int(places[first_writer[places] == writer][0])
                yield RacingPair(alive[writer], alive[number], place)
