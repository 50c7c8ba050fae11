"""Global, flat and buffer memory: loads, stores, loads to LDS, atomics, all widths."""

from __future__ import annotations

from collections.abc import Callable

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
    limit = U32((1 << ARCHITECTURES[context.arch].lds_address_bits) - 1)
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
        if context.adversary is not None:
            context.adversary.settle(lanes.numbers, parts)
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
            if region.matrix is not None:
                region.matrix.stored_to = True  # also where it changes nothing
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
        elif info.kind is Kind.VMEM_LOAD:
            semantics(name)(_bind_load)
        elif info.kind is Kind.VMEM_STORE:
            semantics(name)(_bind_store)


_register()
