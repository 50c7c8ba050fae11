"""Global, flat and buffer memory: loads, stores, loads to LDS, atomics, all widths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wavesim.emulate.addresses import (
    PRIVATE_APERTURE,
    Addresses,
    buffer_addresses,
    flat_addresses,
    has_scratch_buffer,
)
from wavesim.emulate.lds import narrow_result, put_registers
from wavesim.emulate.lds_atomics import ATOMICS, apply_atomic, packed_add
from wavesim.emulate.memory import Region
from wavesim.emulate.observe import LdsAccess, stored_bytes
from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Array, Binding, Step, semantics
from wavesim.emulate.state import LANES, M0
from wavesim.emulate.touched_lines import LineFinder
from wavesim.emulate.transfer import gather, scatter
from wavesim.isa.opcodes import opcode_table
from wavesim.program import Operand, Severity
from wavesim.program.forms import loads_to_lds, returns_old_value

U32 = np.uint32
SHARED_APERTURE = np.uint64(1 << 16)
"""High dword of a flat address that means LDS (see operands)."""


class Access:
    """The common part of vector memory instructions: addresses, bounds, what the Trace records."""

    def __init__(self, binding: Binding, addresses: Callable[[], Addresses], width_bytes: int) -> None:
        self.binding = binding
        self.addresses = addresses
        self.width = width_bytes
        self.context = binding.context
        self.lanes = binding.lanes
        self.finder = LineFinder(width_bytes)
        self.apertures = binding.info.format == "FLAT" or has_scratch_buffer(binding.context.program)
        self.apart: list[tuple[npt.NDArray[np.uint32], Array, npt.NDArray[np.bool_]]] = []

    def begin(
        self, *, write: bool
    ) -> tuple[list[tuple[Region, Array, npt.NDArray[np.bool_]]], npt.NDArray[np.bool_]]:
        """Compute addresses, record the access; its parts by allocation, and the lanes taking part."""
        found = self.addresses()
        active = self.lanes.exec if found.inside is None else self.lanes.exec & found.inside
        self.apart = []
        if self.apertures:
            active = self._apertures(found.values, active)
        self._record(found.values, active)
        parts, beyond = self.context.memory.split(found.values, active, self.width, write=write)
        if beyond is not None:
            waves = self.lanes.numbers[active.any(axis=1)]
            self.context.find_out_of_bounds(self.binding, "writes" if write else "reads", beyond, waves)
        for region, offsets, _ in parts:
            if region.matrix is not None:
                region.matrix.prepare(offsets, offsets + (self.width - 1))
        return parts, active

    def _apertures(self, addresses: Array, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Lanes that go to global memory; those that go to LDS or scratch are put into ``apart``, as (words,
        byte offsets, lanes)."""
        high = addresses >> np.uint64(32)
        for aperture in (SHARED_APERTURE, PRIVATE_APERTURE):
            lanes = active & (high == aperture)
            if not lanes.any():
                continue
            local = (addresses & np.uint64(0xFFFFFFFF)).astype(np.int64)
            words, base, size = self._aperture(aperture)
            inside = lanes & (local + self.width <= size)
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
        return context.scratch, lane * context.scratch_stride, context.program.metadata.scratch_bytes

    def _record(self, addresses: Array, active: npt.NDArray[np.bool_]) -> None:
        record = self.context.record
        whole = bool(active.all())
        if whole:
            moved = np.full(self.lanes.count, LANES * self.width, np.int32)
        else:
            moved = (active.sum(axis=1) * self.width).astype(np.int32)
        record.memory_bytes.append(moved)
        record.lines.append(self.finder.lines(addresses.view(np.int64), None if whole else active))

    def load(self) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """Loaded dwords [dwords, n, 64], and the lanes that were really read (None: all of the batch)."""
        parts, active = self.begin(write=False)
        if len(parts) == 1 and not self.apart:
            region, offsets, lanes = parts[0]
            self._check_written(region, offsets, lanes)
            self.note_read(region, offsets, lanes)
            values = gather(region.words, offsets, self.width)
            return values, None if lanes is active and self._is_exec(active) else lanes
        values = np.zeros((max(1, self.width // 4), self.lanes.count, LANES), np.uint32)
        for region, offsets, lanes in parts:
            self._check_written(region, offsets, lanes)
            self.note_read(region, offsets, lanes)
            values = np.where(lanes, gather(region.words, offsets, self.width), values)
        for words, offsets, lanes in self.apart:
            values = np.where(lanes, gather(words, offsets, self.width), values)
        return values, None

    def _is_exec(self, active: npt.NDArray[np.bool_]) -> bool:
        return active is self.lanes.exec

    def note_read(self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_]) -> None:
        """Tell which stores the values come from, where that is tracked."""
        if region.writer is not None:
            sources = np.where(lanes, region.writer[offsets >> 2], 0)
            self.context.polled.append((self.lanes.numbers, sources))

    def _check_written(self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_]) -> None:
        matrix = region.matrix
        if matrix is None or matrix.written is None:
            return
        first = offsets >> 2
        known = matrix.written[first] & matrix.written[(offsets + self.width - 1) >> 2]
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
        parts, _ = self.begin(write=True)
        for region, offsets, lanes in parts:
            scatter(region.words, offsets, values, self.width, None if lanes.all() else lanes)
            self.mark(region, offsets, lanes)
        for words, offsets, lanes in self.apart:
            scatter(words, offsets, values, self.width, lanes)
            self.context.note_store(self.lanes, self.binding.row)

    def mark(self, region: Region, offsets: Array, lanes: npt.NDArray[np.bool_]) -> None:
        """Note which dwords were stored, and by which store."""
        numbers = self.context.note_store(self.lanes, self.binding.row)
        matrix = region.matrix
        if matrix is not None:
            matrix.stored_to = True
        places = offsets[lanes]
        if matrix is not None and matrix.observed:
            waves = np.broadcast_to(self.lanes.numbers[:, None], lanes.shape)[lanes]
            matrix.note_waves(places, self.width, waves, self.binding.index)
        for part in range(0, self.width, 4):
            if matrix is not None and matrix.written is not None:
                matrix.written[(places + part) >> 2] = True
            if region.writer is not None:
                region.writer[(places + part) >> 2] = np.broadcast_to(numbers, lanes.shape)[lanes]


def split_operands(binding: Binding) -> tuple[list[Operand], Callable[[], Addresses]]:
    """Data operands of an instruction in order, and its addresses."""
    operands = list(binding.instruction.operands)
    layout, width = binding.info.format, binding.info.width_bytes
    if layout in ("MUBUF", "MTBUF"):
        *data, vector, resource, scalar = operands
        return data, buffer_addresses(binding, vector, resource, scalar, width)
    scalar_operand = operands.pop() if layout == "GLOBAL" else None
    store = binding.info.kind == "vmem_store" and not returns_old_value(binding.info, binding.instruction)
    place = 0 if store or loads_to_lds(binding.info, binding.instruction) else 1
    vector = operands.pop(place)
    return operands, flat_addresses(binding, vector, scalar_operand)


def _bind_load(binding: Binding) -> Step:
    if loads_to_lds(binding.info, binding.instruction):
        return _bind_load_to_lds(binding)
    data, addresses = split_operands(binding)
    width = binding.info.width_bytes
    access = Access(binding, addresses, width)
    row = vector_row(binding, data[0])
    put = put_registers(binding, row, max(1, width // 4))
    name = binding.info.name
    narrow = narrow_result(name)
    old = binding.lanes.vgpr[row : row + 1]

    def run() -> None:
        values, lanes = access.load()
        if narrow is not None:
            values = narrow(values, old)
        put(values, lanes)

    return run


def _bind_load_to_lds(binding: Binding) -> Step:
    """Lane i's data goes to LDS byte M0 + offset + i * max(4, width), after those before it."""
    _, addresses = split_operands(binding)
    width = binding.info.width_bytes
    access = Access(binding, addresses, width)
    context, lanes = binding.context, binding.lanes
    offset = binding.integer("offset")
    step = max(4, width)
    place = np.arange(LANES, dtype=np.int64) * step
    m0 = lanes.sgpr[M0]
    limit = U32(0x3FFFF if context.arch == "gfx950" else 0xFFFF)
    narrow = narrow_result(binding.info.name)
    base = context.lds.base[lanes.waves][:, None]

    def run() -> None:
        values, read = access.load()
        if read is not None:
            values = np.where(read, values, U32(0))
        if narrow is not None:
            values = narrow(values, values)
        local = (m0 & limit).astype(np.int64)[:, None] + offset + place
        inside = lanes.exec & (local + step <= context.lds.size)
        if (inside != lanes.exec).any():
            beyond = lanes.exec & ~inside
            context.find(
                "lds-out-of-bounds",
                binding,
                f"{binding.instruction.opcode} writes LDS byte {int(local[beyond][0])}; "
                f"the workgroup has {context.lds.size} bytes",
                lanes.numbers[beyond.any(axis=1)],
            )
        target = np.where(inside, local, 0) + base
        scatter(context.lds.words, target, values, step, None if inside.all() else inside)
        numbers = context.note_store(lanes, binding.row)
        if context.lds.writer is not None:
            for part in range(0, step, 4):
                sources = np.broadcast_to(numbers, inside.shape)[inside]
                context.lds.writer[(target[inside] + part) >> 2] = sources
        if context.observe_lds:
            for index, wave in enumerate(lanes.numbers.tolist()):
                row = int(context.rows[wave]) + binding.row
                chosen = local[index][inside[index]]
                stored = stored_bytes(values[:, index], step, inside[index])
                context.lds_accesses.append(
                    LdsAccess(wave, row, binding.index, chosen, step, True, from_memory=True, values=stored)
                )

    return run


def _bind_store(binding: Binding) -> Step:
    data, addresses = split_operands(binding)
    width = binding.info.width_bytes
    access = Access(binding, addresses, width)
    row = vector_row(binding, data[0])
    window = binding.lanes.vgpr[row : row + max(1, width // 4)]
    if "_d16_hi" in binding.info.name:
        return lambda: access.store(window >> U32(16))
    return lambda: access.store(window)


def _bind_cache_control(binding: Binding) -> Step:
    record, count = binding.context, binding.lanes.count
    nothing = np.zeros(count, np.int32)
    no_lines = (np.zeros(count, np.int64), np.zeros(0, np.int64))

    def run() -> None:
        record.record.memory_bytes.append(nothing)
        record.record.lines.append(no_lines)

    return run


_ATOMIC_KINDS = {"smin": "min", "smax": "max", "umin": "min", "umax": "max"}


def _bind_atomic(binding: Binding) -> Step:
    words = binding.info.name.split("_")
    wide = words[-1] in ("x2", "f64")
    operation = words[2]
    float_kind = words[-1] if words[-1] in ("f32", "f64") else ""
    signed = operation in ("smin", "smax")
    packed = packed_add(words[-1]) if operation == "pk" else None
    change_name = _ATOMIC_KINDS.get(operation, operation)
    compare = operation == "cmpswap"
    dtype: type[np.generic] = np.int64 if wide else np.int32
    if not signed:
        dtype = np.uint64 if wide else np.uint32
    if float_kind:
        dtype = np.float64 if wide else np.float32
    width = 8 if wide else 4
    returns = returns_old_value(binding.info, binding.instruction)
    data, addresses = split_operands(binding)
    access = Access(binding, addresses, width)
    lanes, context = binding.lanes, binding.context
    row = vector_row(binding, data[-1])
    put = put_registers(binding, vector_row(binding, data[0]), width // 4) if returns else None

    def flat(first: int, active: Array) -> Array:
        low = lanes.vgpr[first][active]
        if not wide:
            return np.asarray(low.view(dtype))
        joined = lanes.vgpr[first + 1][active].astype(np.uint64) << np.uint64(32) | low
        return np.asarray(joined.view(dtype))

    def change(old: Array, *values: Array) -> Array:
        if compare:  # data: the new value, then what is expected
            return np.where(old == values[1], values[0], old)
        if packed is not None:
            return packed(old, values[0])
        return ATOMICS[change_name](old, values[0])

    def run() -> None:
        parts, _ = access.begin(write=True)
        result = np.zeros((width // 4, lanes.count, LANES), np.uint32)
        for words, offsets, mask in access.apart:
            near: Array = words.view(dtype)
            rows = (row, row + width // 4) if compare else (row,)
            old = apply_atomic(near, offsets[mask] // width, change, tuple(flat(each, mask) for each in rows))
            result[:, mask] = np.ascontiguousarray(old).view(np.uint32).reshape(-1, width // 4).T
            context.note_store(lanes, binding.row)
        for region, offsets, mask in parts:
            cells: Array = region.data.view(dtype)
            places = offsets[mask] // width
            rows = (row, row + width // 4) if compare else (row,)
            before = cells[places]
            old = apply_atomic(cells, places, change, tuple(flat(each, mask) for each in rows))
            access.note_read(region, offsets, mask)
            if not np.array_equal(before, cells[places]):
                access.mark(region, offsets, mask)
            result[:, mask] = np.ascontiguousarray(old).view(np.uint32).reshape(-1, width // 4).T
        if put is not None:
            put(result, None)

    return run


def _register() -> None:
    for name, info in opcode_table().items():
        if info.format not in ("MUBUF", "GLOBAL", "FLAT"):
            continue
        if "cache" in info.flags:
            semantics(name)(_bind_cache_control)
        elif "format" in name:
            continue  # see vmem_format
        elif "atomic" in info.flags:
            semantics(name)(_bind_atomic)
        elif info.kind == "vmem_load":
            semantics(name)(_bind_load)
        elif info.kind == "vmem_store":
            semantics(name)(_bind_store)


_register()
