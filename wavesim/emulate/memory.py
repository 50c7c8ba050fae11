"""Global memory: matrices and the kernarg segment at addresses far apart; bounds are checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.types import Array

REGION_SHIFT = 40
"""Every allocation has its own 2^40 bytes, so that running over an end meets nothing else."""


@dataclass
class Region:
    """An allocation at ``number << REGION_SHIFT``: a matrix, or plain bytes (kernarg, dispatch packet).

    ``writer`` holds, per dword, the number of the last store (0: none); made only for programs with
    polling loops. ``withheld`` are the static instructions whose stores to it were not executed.
    """

    name: str
    number: int
    size: int
    data: npt.NDArray[np.uint8]
    matrix: VirtualMatrix | None = None
    writable: bool = True
    words: npt.NDArray[np.uint32] = field(init=False)
    writer: npt.NDArray[np.int32] | None = None
    withheld: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.words = self.data.view(np.uint32)

    @property
    def base(self) -> int:
        """Address of the first byte."""
        return self.number << REGION_SHIFT

    def refuse_withheld(self) -> None:
        """Before a read.

        Raises:
            Withheld: stores to it were not executed.
        """
        if self.withheld:
            raise Withheld(self.withheld)


class Withheld(Exception):
    """A load that is needed met an allocation to which ``stores`` (static instructions) were not executed."""

    def __init__(self, stores: Iterable[int]) -> None:
        super().__init__()
        self.stores = frozenset(stores)


@dataclass(frozen=True)
class OutOfBounds:
    """What an access touched outside every allocation: count of lanes, the first one's address, and which
    waves [n] of the batch have such lanes."""

    lanes: int
    address: int
    near: str
    waves: npt.NDArray[np.bool_]


class Memory:
    """All allocations. Addresses are uint64 arrays [n, 64]; masks say which lanes take part."""

    def __init__(self) -> None:
        self.regions: dict[int, Region] = {}
        self.version = 0
        self.track_writers = False

    def add(
        self, name: str, data: npt.NDArray[np.uint8], size: int, matrix: VirtualMatrix | None = None
    ) -> Region:
        """Place an allocation; ``data`` may be longer than its ``size`` bytes."""
        number = len(self.regions) + 1
        region = Region(name, number, size, data, matrix, writable=matrix is not None)
        if self.track_writers and matrix is not None:
            region.writer = np.zeros(len(data) // 4, np.int32)
        self.regions[number] = region
        return region

    def add_bytes(self, name: str, content: bytes) -> Region:
        """Place read-only bytes."""
        padded = content + bytes(-len(content) % 16 + 64)
        return self.add(name, np.frombuffer(padded, np.uint8), len(content))

    def split(
        self, addresses: Array, active: npt.NDArray[np.bool_], width_bytes: int, *, write: bool = False
    ) -> tuple[list[tuple[Region, Array, npt.NDArray[np.bool_]]], OutOfBounds | None]:
        """Accesses by region: (region, byte offsets [n, 64] int64, lanes), and what is out of bounds.

        Offsets of lanes that do not take part are 0.
        """
        if not active.any():
            return [], None
        whole = bool(active.all())
        if whole:
            number = int(addresses.flat[0]) >> REGION_SHIFT
        else:
            number = int(addresses.flat[int(active.argmax())]) >> REGION_SHIFT
        region = self.regions.get(number)
        if region is not None:
            offsets = addresses.view(np.int64) - region.base
            last = region.size - width_bytes
            if whole:
                if int(offsets.min()) >= 0 and int(offsets.max()) <= last and (region.writable or not write):
                    return [(region, offsets, active)], None
            else:
                inside = active & (offsets >= 0) & (offsets <= last)
                if np.array_equal(inside, active) and (region.writable or not write):
                    return [(region, np.where(active, offsets, 0), active)], None
        return self._split_slowly(addresses, active, width_bytes, write)

    def _split_slowly(
        self, addresses: Array, active: npt.NDArray[np.bool_], width_bytes: int, write: bool
    ) -> tuple[list[tuple[Region, Array, npt.NDArray[np.bool_]]], OutOfBounds | None]:
        numbers = (addresses >> np.uint64(REGION_SHIFT)).astype(np.int64)
        remaining = active.copy()
        found = []
        for number in np.unique(numbers[active]).tolist():
            region = self.regions.get(number)
            if region is None or (write and not region.writable):
                continue
            offsets = addresses.view(np.int64) - region.base
            inside = remaining & (numbers == number) & (offsets >= 0) & (offsets <= region.size - width_bytes)
            if inside.any():
                found.append((region, np.where(inside, offsets, 0), inside))
                remaining &= ~inside
        if not remaining.any():
            return found, None
        address = int(addresses[remaining][0])
        waves = np.asarray(remaining.reshape(len(remaining), -1).any(axis=1))
        return found, OutOfBounds(int(remaining.sum()), address, self._place(address), waves)

    def _place(self, address: int) -> str:
        """An address by the allocation that it is behind, or not far before."""
        number, offset = divmod(address, 1 << REGION_SHIFT)
        after = self.regions.get(number + 1)
        if after is not None and offset >= 1 << (REGION_SHIFT - 1):
            return f"{after.name}-{after.base - address}"
        near = self.regions.get(number)
        return f"{near.name}+{offset} of {near.size} bytes" if near else hex(address)

    def owner(self, address: int) -> str:
        """Name of the allocation of an address, or the address."""
        region = self.regions.get(address >> REGION_SHIFT)
        return region.name if region else hex(address)
