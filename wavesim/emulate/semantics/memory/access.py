"""An access of a vector memory instruction: addresses, bounds, what is moved and what the Trace records."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from wavesim.emulate.global_access import observe_global, store_global
from wavesim.emulate.memory import Region
from wavesim.emulate.registry import Binding
from wavesim.emulate.semantics.memory.addresses import (
    PRIVATE_APERTURE,
    Addresses,
    has_scratch_buffer,
    scratch_bytes,
)
from wavesim.emulate.touched_lines import LineFinder
from wavesim.emulate.transfer import gather, scatter
from wavesim.emulate.types import Array
from wavesim.isa.kinds import LANES
from wavesim.program import Severity

SHARED_APERTURE = np.uint64(1 << 16)
"""High dword of a flat address that means LDS (see operands)."""
Part = tuple[Region, Array, npt.NDArray[np.bool_]]
"""What an access does in one allocation: byte offsets [n, 64], and the lanes that do it."""


class Access:
    """The common part of vector memory instructions: addresses, bounds, what the Trace records."""

    def __init__(
        self,
        binding: Binding,
        addresses: Callable[[int], Addresses],
        width_bytes: int,
        *,
        moves_data: bool = True,
    ) -> None:
        self.binding = binding
        self.addresses = addresses
        self.width = width_bytes
        self.moves_data = moves_data
        self.context = binding.context
        self.lanes = binding.lanes
        self.finder = LineFinder(width_bytes)
        self.apertures = binding.info.format == "FLAT" or has_scratch_buffer(binding.context.program)
        self.apart: list[tuple[npt.NDArray[np.uint32], Array, npt.NDArray[np.bool_]]] = []

    def begin(self, *, write: bool) -> tuple[list[Part], npt.NDArray[np.bool_]]:
        """Compute addresses, record the access; its parts by allocation, and the lanes taking part."""
        return self._begin(self.addresses(self.width), write=write)

    def _begin(self, found: Addresses, *, write: bool) -> tuple[list[Part], npt.NDArray[np.bool_]]:
        active = self.lanes.exec if found.inside is None else self.lanes.exec & found.inside
        self.apart = []
        if self.apertures:
            active = self._apertures(found.values, active, self.width)
        self._record(found.values, active)
        return self._parts(found.values, active, self.width, write=write), active

    def _parts(
        self, addresses: Array, active: npt.NDArray[np.bool_], width: int, *, write: bool
    ) -> list[Part]:
        """The allocations that are met; what is outside all of them becomes a finding."""
        parts, beyond = self.context.memory.split(addresses, active, width, write=write)
        if beyond is not None:
            self.context.find_out_of_bounds(self.binding, "writes" if write else "reads", beyond)
        for region, offsets, _ in parts:
            if region.matrix is not None and self.moves_data:
                region.matrix.prepare(offsets, offsets + (width - 1))
        return parts

    def _begin_dwords(
        self, dwords: tuple[Array, npt.NDArray[np.bool_]], *, write: bool
    ) -> Iterator[tuple[int, list[Part]]]:
        """The same for an access whose dwords are looked at one by one: (dword, parts) of each;
        ``apart`` holds those of the dword at hand."""
        addresses, active = dwords[0], dwords[1] & self.lanes.exec
        self._record_dwords(addresses, active)
        for place, (values, lanes) in enumerate(zip(addresses, active, strict=True)):
            self.apart = []
            if self.apertures:
                lanes = self._apertures(values, lanes, 4)
            yield place, self._parts(values, lanes, 4, write=write)

    def _apertures(
        self, addresses: Array, active: npt.NDArray[np.bool_], width: int
    ) -> npt.NDArray[np.bool_]:
        """Lanes that go to global memory; those that go to LDS or scratch are put into ``apart``, as (words,
        byte offsets, lanes)."""
        high = addresses >> np.uint64(32)
        for aperture in (SHARED_APERTURE, PRIVATE_APERTURE):
            lanes = active & (high == aperture)
            if not lanes.any():
                continue
            local = (addresses & np.uint64(0xFFFFFFFF)).astype(np.int64)
            words, base, size = self._aperture(aperture)
            inside = lanes & (local + width <= size)
            if (inside != lanes).any():
                rule = "lds-out-of-bounds" if aperture == SHARED_APERTURE else "scratch-out-of-bounds"
                self.context.find(
                    rule,
                    self.binding,
                    f"{self.binding.info.name} accesses byte {int(local[lanes & ~inside][0])} of {size}",
                    self.lanes.numbers[(lanes & ~inside).any(axis=1)],
                )
            self.apart.append((words, np.where(inside, local, 0) + base, inside))
            active = active & ~lanes
        return active

    def _aperture(self, aperture: np.uint64) -> tuple[npt.NDArray[np.uint32], Array, int]:
        context, waves = self.context, self.lanes.waves
        if aperture == SHARED_APERTURE:
            return context.lds.words, context.lds.base[waves][:, None], context.lds.size
        lane = self.lanes.numbers[:, None].astype(np.int64) * LANES + np.arange(LANES)
        return context.scratch, lane * context.scratch_stride, scratch_bytes(context.program)

    def _record(self, addresses: Array, active: npt.NDArray[np.bool_]) -> None:
        record = self.context.record
        whole = bool(active.all())
        if whole:
            moved = np.full(self.lanes.count, LANES * self.width, np.int32)
        else:
            moved = (active.sum(axis=1) * self.width).astype(np.int32)
        record.memory_bytes.append(moved)
        record.lines.append(self.finder.lines(addresses.view(np.int64), None if whole else active))

    def _record_dwords(self, addresses: Array, active: npt.NDArray[np.bool_]) -> None:
        """Record an access of dwords [dwords, n, 64] that lie apart."""
        record = self.context.record
        record.memory_bytes.append((active.sum(axis=(0, 2)) * 4).astype(np.int32))
        side_by_side = np.concatenate(list(addresses), axis=1).view(np.int64)
        record.lines.append(LineFinder(4).lines(side_by_side, np.concatenate(list(active), axis=1)))

    def touch(self, *, write: bool) -> None:
        """Record an access that moves no data; a store counts, and is withheld from its allocations."""
        found = self.addresses(self.width)
        if found.dwords is not None:
            for _, parts in self._begin_dwords(found.dwords, write=write):
                self._touch_parts(parts, 4, write=write)
            return
        parts, _ = self._begin(found, write=write)
        self._touch_parts(parts, self.width, write=write)

    def _touch_parts(self, parts: list[Part], width: int, *, write: bool) -> None:
        atomic = "atomic" in self.binding.info.flags
        for region, offsets, lanes in parts:
            observe_global(self.binding, region, offsets, lanes, width, write=write, atomic=atomic)
            if not write:
                self._note_sources(region, offsets, lanes)
                continue
            region.withheld.add(self.binding.index)
            self._note_writer(region, offsets[lanes], lanes, width)
        for _ in self.apart if write else ():
            self.context.note_store(self.lanes, self.binding.row)

    def load(self) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """Loaded dwords [dwords, n, 64], and the lanes that were really read (None: all of the batch)."""
        found = self.addresses(self.width)
        values = np.zeros((max(1, self.width // 4), self.lanes.count, LANES), np.uint32)
        if found.dwords is not None:
            for place, parts in self._begin_dwords(found.dwords, write=False):
                self._load_parts(values[place : place + 1], parts, 4)
            return values, None
        parts, active = self._begin(found, write=False)
        if len(parts) == 1 and not self.apart:
            region, offsets, lanes = parts[0]
            self._check_written(region, offsets, lanes, self.width)
            self.note_read(region, offsets, lanes)
            whole = gather(region.words, offsets, self.width)
            return whole, None if lanes is active and self._is_exec(active) else lanes
        self._load_parts(values, parts, self.width)
        return values, None

    def _load_parts(self, values: Array, parts: list[Part], width: int) -> None:
        """Put what the parts and ``apart`` hold into ``values`` [dwords, n, 64]."""
        for region, offsets, lanes in parts:
            self._check_written(region, offsets, lanes, width)
            self.note_read(region, offsets, lanes, width)
            np.copyto(values, gather(region.words, offsets, width), where=lanes)
        for words, offsets, lanes in self.apart:
            np.copyto(values, gather(words, offsets, width), where=lanes)

    def _is_exec(self, active: npt.NDArray[np.bool_]) -> bool:
        return active is self.lanes.exec

    def note_read(
        self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_], width: int | None = None
    ) -> None:
        """Tell which stores the values come from, where that is tracked; keep the access for the checks."""
        atomic = "atomic" in self.binding.info.flags
        observe_global(self.binding, region, offsets, lanes, width or self.width, write=atomic, atomic=atomic)
        region.refuse_withheld()
        self._note_sources(region, offsets, lanes)

    def _note_sources(self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_]) -> None:
        if region.writer is not None:
            sources = np.where(lanes, region.writer[offsets >> 2], 0)
            self.context.note_sources(self.binding, sources)

    def _check_written(
        self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_], width: int
    ) -> None:
        matrix = region.matrix
        if matrix is None or matrix.written is None:
            return
        known = matrix.is_written(offsets, width)
        if not known[lanes].all():
            waves = self.lanes.numbers[(lanes & ~known).any(axis=1)]
            self.context.find(
                "global-uninitialised",
                self.binding,
                f"{self.binding.instruction.opcode} reads elements of {region.name} "
                "before anything was stored there",
                waves,
                Severity.WARNING,
            )

    def store(self, values: Array) -> None:
        """Store dwords [dwords, n, 64]."""
        found = self.addresses(self.width)
        if found.dwords is not None:
            for place, parts in self._begin_dwords(found.dwords, write=True):
                self._store_parts(values[place : place + 1], parts, 4)
            return
        parts, _ = self._begin(found, write=True)
        self._store_parts(values, parts, self.width)

    def _store_parts(self, values: Array, parts: list[Part], width: int) -> None:
        for region, offsets, lanes in parts:
            store_global(self.binding, region, offsets, lanes, values, width)
            self.mark(region, offsets, lanes, width)
        for words, offsets, lanes in self.apart:
            scatter(words, offsets, values, width, lanes)
            self.context.note_store(self.lanes, self.binding.row)

    def mark(
        self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_], width: int | None = None
    ) -> None:
        """Note which dwords of an access of ``width`` bytes were stored, and by which store."""
        width = width or self.width
        matrix = region.matrix
        places = offsets[lanes]
        self._note_writer(region, places, lanes, width)
        if matrix is not None:
            matrix.mark_written(places, width)
        if matrix is not None and matrix.observed:
            waves = np.broadcast_to(self.lanes.numbers[:, None], lanes.shape)[lanes]
            matrix.note_waves(places, width, waves, self.binding.index)

    def _note_writer(self, region: Region, places: Array, lanes: npt.NDArray[np.bool_], width: int) -> None:
        """Count a store at the bytes ``places`` of the ``lanes``."""
        numbers = self.context.note_store(self.lanes, self.binding.row)
        if region.writer is not None:
            for part in range(0, width, 4):
                if "atomic" in self.binding.info.flags:
                    self.context.chain(numbers, region.writer[(places + part) >> 2])
                region.writer[(places + part) >> 2] = np.broadcast_to(numbers, lanes.shape)[lanes]
