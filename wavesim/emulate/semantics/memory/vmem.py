"""Global, flat and buffer memory: loads, stores, loads to LDS, atomics, all widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wavesim.emulate.observe import LdsAccess, stored_bytes
from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import narrow_result, put_registers
from wavesim.emulate.semantics.lds.atomics import ATOMICS, apply_atomic, packed_add
from wavesim.emulate.semantics.memory.access import Access
from wavesim.emulate.semantics.memory.addresses import (
    Addresses,
    flat_addresses,
)
from wavesim.emulate.semantics.memory.buffers import buffer_addresses
from wavesim.emulate.state import M0
from wavesim.emulate.transfer import scatter
from wavesim.emulate.types import Array, Step
from wavesim.isa.archs import ARCHITECTURES
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.opcodes import opcode_table
from wavesim.program import Operand
from wavesim.program.forms import loads_to_lds, returns_old_value

U32 = np.uint32


def split_operands(binding: Binding) -> tuple[list[Operand], Callable[[int], Addresses]]:
    """Data operands of an instruction in order, and its addresses."""
    operands = list(binding.instruction.operands)
    layout = binding.info.format
    if layout in ("MUBUF", "MTBUF"):
        *data, vector, resource, scalar = operands
        return data, buffer_addresses(binding, vector, resource, scalar)
    scalar_operand = operands.pop() if layout == "GLOBAL" else None
    store = binding.info.kind is Kind.VMEM_STORE and not returns_old_value(binding.info, binding.instruction)
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


class LdsTarget:
    """Where a load to LDS puts its data."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.context, self.lanes = binding.context, binding.lanes
        self.step = max(4, binding.info.width_bytes)
        self.first = np.arange(LANES, dtype=np.int64) * self.step + binding.integer("offset")
        self.m0 = self.lanes.sgpr[M0]
        self.limit = U32((1 << ARCHITECTURES[self.context.arch].lds_address_bits) - 1)
        self.base = self.context.lds.base[self.lanes.waves][:, None]

    def places(self) -> tuple[Array, Array]:
        """Bytes within the workgroup's LDS, and the lanes that write there; others become a finding."""
        lanes, context = self.lanes, self.context
        local = (self.m0 & self.limit).astype(np.int64)[:, None] + self.first
        inside = lanes.exec & (local + self.step <= context.lds.size)
        if (inside != lanes.exec).any():
            beyond = lanes.exec & ~inside
            context.find(
                "lds-out-of-bounds",
                self.binding,
                f"{self.binding.instruction.opcode} writes LDS byte {int(local[beyond][0])}; "
                f"the workgroup has {context.lds.size} bytes",
                lanes.numbers[beyond.any(axis=1)],
            )
        return local, inside

    def mark(self, places: Array, inside: Array) -> None:
        """Count the store, at bytes of the array of all workgroups."""
        numbers = self.context.note_store(self.lanes, self.binding.row)
        writer = self.context.lds.writer
        if writer is not None:
            sources = np.broadcast_to(numbers, inside.shape)[inside]
            for part in range(0, self.step, 4):
                writer[(places[inside] + part) >> 2] = sources

    def observe(self, local: Array, inside: Array, values: Array | None) -> None:
        """Keep the access for the checks, if they asked for it; ``values`` [dwords, n, 64] are stored."""
        context, binding = self.context, self.binding
        for index, wave in enumerate(self.lanes.numbers.tolist() if context.observe_lds else ()):
            row = int(context.rows[wave]) + binding.row
            chosen = local[index][inside[index]]
            stored = None if values is None else stored_bytes(values[:, index], self.step, inside[index])
            context.lds_accesses.append(
                LdsAccess(wave, row, binding.index, chosen, self.step, True, from_memory=True, values=stored)
            )


def _bind_load_to_lds(binding: Binding) -> Step:
    """Lane i's data goes to LDS byte M0 + offset + i * max(4, width), after those before it."""
    _, addresses = split_operands(binding)
    access = Access(binding, addresses, binding.info.width_bytes)
    context = binding.context
    narrow = narrow_result(binding.info.name)
    target = LdsTarget(binding)
    step = target.step

    def run() -> None:
        values, read = access.load()
        if read is not None:
            values = np.where(read, values, U32(0))
        if narrow is not None:
            values = narrow(values, values)
        local, inside = target.places()
        places = np.where(inside, local, 0) + target.base
        scatter(context.lds.words, places, values, step, None if inside.all() else inside)
        target.mark(places, inside)
        target.observe(local, inside, values)

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


@dataclass(frozen=True)
class _AtomicForm:
    """What the name of an atomic says: the type of its cells, and what it makes of a cell and its data."""

    dtype: type[np.generic]
    compares: bool
    change: Callable[..., Array]

    @property
    def width(self) -> int:
        """Bytes of a cell."""
        return np.dtype(self.dtype).itemsize

    @property
    def dwords(self) -> int:
        """Registers of a cell."""
        return self.width // 4


def _atomic_form(name: str) -> _AtomicForm:
    words = name.split("_")
    operation, last = words[2], words[-1]
    wide = last in ("x2", "f64")
    dtype: type[np.generic]
    if last in ("f32", "f64"):
        dtype = np.float64 if wide else np.float32
    elif operation in ("smin", "smax"):
        dtype = np.int64 if wide else np.int32
    else:
        dtype = np.uint64 if wide else np.uint32
    compares = operation == "cmpswap"
    change: Callable[..., Array]
    if compares:  # data: the new value, then what is expected
        change = _swap_if_equal
    elif operation == "pk":
        change = packed_add(last)
    else:
        change = ATOMICS[_ATOMIC_KINDS.get(operation, operation)]
    return _AtomicForm(dtype, compares, change)


def _swap_if_equal(old: Array, new: Array, expected: Array) -> Array:
    return np.where(old == expected, new, old)


def _bind_atomic(binding: Binding) -> Step:
    form = _atomic_form(binding.info.name)
    width, dwords = form.width, form.dwords
    data, addresses = split_operands(binding)
    access = Access(binding, addresses, width)
    lanes, context = binding.lanes, binding.context
    row = vector_row(binding, data[-1])
    rows = (row, row + dwords) if form.compares else (row,)
    returns = returns_old_value(binding.info, binding.instruction)
    put = put_registers(binding, vector_row(binding, data[0]), dwords) if returns else None

    def flat(first: int, active: Array) -> Array:
        low = lanes.vgpr[first][active]
        if dwords == 1:
            return np.asarray(low.view(form.dtype))
        joined = lanes.vgpr[first + 1][active].astype(np.uint64) << np.uint64(32) | low
        return np.asarray(joined.view(form.dtype))

    def apply(cells: Array, offsets: Array, mask: Array, result: Array) -> None:
        """Change cells of memory of one kind; the old values go to the lanes of ``result``."""
        values = tuple(flat(each, mask) for each in rows)
        old = apply_atomic(cells, offsets[mask] // width, form.change, values)
        result[:, mask] = np.ascontiguousarray(old).view(np.uint32).reshape(-1, dwords).T

    def run() -> None:
        parts, _ = access.begin(write=True)
        if context.adversary is not None:
            context.adversary.settle(lanes.numbers, parts)
        result = np.zeros((dwords, lanes.count, LANES), np.uint32)
        for words, offsets, mask in access.apart:
            apply(words.view(form.dtype), offsets, mask, result)
            context.note_store(lanes, binding.row)
        for region, offsets, mask in parts:
            cells: Array = region.data.view(form.dtype)
            places = offsets[mask] // width
            before = cells[places]
            apply(cells, offsets, mask, result)
            access.note_read(region, offsets, mask)
            if region.matrix is not None:
                region.matrix.stored_to = True  # also where it changes nothing
            if not np.array_equal(before, cells[places]):
                access.mark(region, offsets, mask)
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
        elif info.kind is Kind.VMEM_LOAD:
            semantics(name)(_bind_load)
        elif info.kind is Kind.VMEM_STORE:
            semantics(name)(_bind_store)


_register()
