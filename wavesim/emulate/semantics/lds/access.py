"""LDS instructions: reads and writes of all widths, two-address forms, transposed reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.observe import LdsAccess, stored_bytes
from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.transfer import gatherer, scatter
from wavesim.emulate.types import Array, Step
from wavesim.isa.banks import array_clk_batch
from wavesim.trace.trace import UNKNOWN

U32 = np.uint32


@dataclass
class Pattern:
    """Lane addresses that were seen last, and what follows from them."""

    addresses: Array  # register values [n, 64]
    offsets: npt.NDArray[np.int64]  # bytes into the LDS array [n, 64]
    active: npt.NDArray[np.bool_] | None  # lanes that access; None: all
    clk: npt.NDArray[np.int32]  # array clocks [n]
    words: npt.NDArray[np.uint32]  # the array
    width_bytes: int
    _reader: Callable[[], Array] | None = None

    def read(self) -> Array:
        """The dwords there now [dwords, n, 64]."""
        if self._reader is None:
            self._reader = gatherer(self.words, self.offsets, self.width_bytes)
        return self._reader()


class Accessor:
    """Addresses of one offset of an LDS instruction; remembers the last pattern of addresses."""

    def __init__(self, binding: Binding, address: Array, offset: int, width_bytes: int, write: bool) -> None:
        self.binding = binding
        self.address = address
        self.offset = offset
        self.width = width_bytes
        self.write = write
        self.context = binding.context
        self.lanes = binding.lanes
        self.base = self.context.lds.base[self.lanes.waves][:, None]
        self.phases = self.context.phases("write" if write else "read", width_bytes)
        self.last: Pattern | None = None

    def pattern(self) -> Pattern:
        """The addresses now; lanes out of bounds are left out, with a finding."""
        last = self.last
        if last is not None and self.lanes.full and (self.address == last.addresses).all():
            return last
        found = self._compute()
        # a pattern with inactive lanes depends on EXEC too, so it is not kept
        self.last = found if self.lanes.full and found.active is None else None
        return found

    def _compute(self) -> Pattern:
        addresses = self.address.copy()
        # in 32 bits: compilers put what is subtracted in the register (LLVM: hasUsableDSOffset)
        offsets = (addresses + np.uint32(self.offset)).astype(np.int64)
        active = self.lanes.exec
        inside = active & (offsets + self.width <= self.context.lds.size)
        if (inside != active).any():
            self._out_of_bounds(offsets, active & ~inside)
        clk = self._clk(offsets, inside)
        whole = bool(inside.all())
        places = (offsets if whole else np.where(inside, offsets, 0)) + self.base
        accessing = None if whole else inside.copy()
        return Pattern(addresses, places, accessing, clk, self.context.lds.words, self.width)

    def _clk(self, offsets: Array, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        if self.phases is None:
            return np.full(self.lanes.count, UNKNOWN, np.int32)
        return array_clk_batch(self.phases, offsets, self.width, inside).astype(np.int32)

    def _out_of_bounds(self, offsets: Array, beyond: npt.NDArray[np.bool_]) -> None:
        opcode = self.binding.instruction.opcode
        waves = self.lanes.numbers[beyond.any(axis=1)]
        self.context.find(
            "lds-out-of-bounds",
            self.binding,
            f"{opcode} accesses LDS byte {int(offsets[beyond][0])} ({int(beyond.sum())} lanes); "
            f"the workgroup has {self.context.lds.size} bytes",
            waves,
        )

    def observe(self, pattern: Pattern, data: Array | None = None, *, atomic: bool = False) -> None:
        """Keep the access for the checks, if they asked for it; ``data`` [dwords, n, 64] is stored."""
        context = self.context
        if not context.observe_lds:
            return
        local = pattern.offsets - self.base
        for place, wave in enumerate(self.lanes.numbers.tolist()):
            active = None if pattern.active is None else pattern.active[place]
            chosen = local[place] if active is None else local[place][active]
            values = None if data is None else stored_bytes(data[:, place], self.width, active)
            row = int(context.rows[wave]) + self.binding.row
            context.lds_accesses.append(
                LdsAccess(
                    wave, row, self.binding.index, chosen, self.width, self.write, False, atomic, values
                )
            )

    def note_read(self, pattern: Pattern) -> None:
        """Tell which stores the values come from, where that is tracked."""
        writer = self.context.lds.writer
        if writer is not None:
            active = self.lanes.exec if pattern.active is None else pattern.active
            sources = np.where(active, writer[pattern.offsets >> 2], 0)
            self.context.note_sources(self.binding, sources)

    def note_write(self, pattern: Pattern, *, atomic: bool = False) -> None:
        """Count the store."""
        numbers = self.context.note_store(self.lanes, self.binding.row)
        writer = self.context.lds.writer
        if writer is not None:
            active = self.lanes.exec if pattern.active is None else pattern.active
            if atomic:
                self.context.chain(numbers, writer[pattern.offsets[active] >> 2])
            sources = np.broadcast_to(numbers, active.shape)[active]
            for part in range(0, self.width, 4):
                writer[(pattern.offsets[active] + part) >> 2] = sources


def put_registers(binding: Binding, row: int, dwords: int) -> Callable[[Array, Array | None], None]:
    """A writer of loaded dwords [dwords, n, 64] to VGPRs from ``row``.

    Lanes that were left out of an access (second argument) read 0; inactive lanes keep theirs.
    """
    lanes = binding.lanes
    target = lanes.vgpr[row : row + dwords]

    def put(values: Array, accessed: Array | None) -> None:
        if accessed is not None:
            values = np.where(accessed, values, U32(0))
        if lanes.full:
            target[...] = values
        else:
            np.copyto(target, values, where=lanes.exec)

    return put


def narrow_result(name: str) -> Callable[[Array, Array], Array] | None:
    """How a loaded byte or short [1, n, 64] becomes the destination dword (old value given)."""
    signed8 = any(word in name for word in ("_i8", "sbyte"))
    signed16 = any(word in name for word in ("_i16", "sshort"))

    def extend(values: Array) -> Array:
        if signed8:
            return values.astype(np.int8).astype(np.int32).view(U32)
        if signed16:
            return values.astype(np.int16).astype(np.int32).view(U32)
        return values

    if name.endswith("d16"):
        return lambda values, old: old & U32(0xFFFF0000) | extend(values) & U32(0xFFFF)
    if name.endswith("d16_hi"):
        return lambda values, old: old & U32(0xFFFF) | extend(values) << U32(16)
    if signed8 or signed16:
        return lambda values, old: extend(values)
    return None


def two_offsets(binding: Binding, unit: int) -> tuple[int, int]:
    """The two offsets of an LDS instruction, in bytes; they count accesses of ``unit`` bytes."""
    scale = unit * (64 if "st64" in binding.info.name else 1)
    return binding.integer("offset0") * scale, binding.integer("offset1") * scale


_PLAIN_READS = (
    "ds_read_u8 ds_read_i8 ds_read_u16 ds_read_i16 ds_read_u8_d16 ds_read_u8_d16_hi ds_read_i8_d16 "
    "ds_read_i8_d16_hi ds_read_u16_d16 ds_read_u16_d16_hi ds_read_b32 ds_read_b64 ds_read_b96 ds_read_b128"
)


@semantics(_PLAIN_READS)
def _bind_read(binding: Binding) -> Step:
    width = binding.info.width_bytes
    operands = binding.instruction.operands
    address = binding.lanes.vgpr[vector_row(binding, operands[1])]
    accessor = Accessor(binding, address, binding.integer("offset"), width, write=False)
    row = vector_row(binding, operands[0])
    dwords = max(1, width // 4)
    put = put_registers(binding, row, dwords)
    narrow = narrow_result(binding.info.name)
    old = binding.lanes.vgpr[row : row + 1]
    context = binding.context

    def run() -> None:
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        values = pattern.read()
        if narrow is not None:
            values = narrow(values, old)
        put(values, pattern.active)
        if context.track_writers:
            accessor.note_read(pattern)
        if context.observe_lds:
            accessor.observe(pattern)

    return run


@semantics("ds_read2_b32 ds_read2st64_b32 ds_read2_b64 ds_read2st64_b64")
def _bind_read2(binding: Binding) -> Step:
    width = binding.info.width_bytes // 2
    operands = binding.instruction.operands
    address = binding.lanes.vgpr[vector_row(binding, operands[1])]
    accessors = [
        Accessor(binding, address, offset, width, write=False) for offset in two_offsets(binding, width)
    ]
    first = vector_row(binding, operands[0])
    dwords = width // 4
    puts = [put_registers(binding, first + place * dwords, dwords) for place in (0, 1)]
    context = binding.context

    def run() -> None:
        patterns = [accessor.pattern() for accessor in accessors]
        context.record.lds_clk.append(sum_clk(patterns))
        values = [pattern.read() for pattern in patterns]
        for put, value, pattern, accessor in zip(puts, values, patterns, accessors, strict=True):
            put(value, pattern.active)
            if context.track_writers:
                accessor.note_read(pattern)
            if context.observe_lds:
                accessor.observe(pattern)

    return run


def sum_clk(patterns: list[Pattern]) -> npt.NDArray[np.int32]:
    """Array clocks of an instruction that makes two accesses."""
    first, second = patterns[0].clk, patterns[1].clk
    return np.where((first < 0) | (second < 0), UNKNOWN, first + second).astype(np.int32)


_PLAIN_WRITES = (
    "ds_write_b8 ds_write_b8_d16_hi ds_write_b16 ds_write_b16_d16_hi ds_write_b32 ds_write_b64 ds_write_b96 "
    "ds_write_b128"
)


@semantics(_PLAIN_WRITES)
def _bind_write(binding: Binding) -> Step:
    width = binding.info.width_bytes
    operands = binding.instruction.operands
    address = binding.lanes.vgpr[vector_row(binding, operands[0])]
    accessor = Accessor(binding, address, binding.integer("offset"), width, write=True)
    row = vector_row(binding, operands[1])
    data = binding.lanes.vgpr[row : row + max(1, width // 4)]
    shift = U32(16 if binding.info.name.endswith("d16_hi") else 0)
    context, words = binding.context, binding.context.lds.words

    def run() -> None:
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        stored = data >> shift if shift else data
        scatter(words, pattern.offsets, stored, width, pattern.active)
        accessor.note_write(pattern)
        if context.observe_lds:
            accessor.observe(pattern, stored)

    return run


@semantics("ds_write2_b32 ds_write2st64_b32 ds_write2_b64 ds_write2st64_b64")
def _bind_write2(binding: Binding) -> Step:
    width = binding.info.width_bytes // 2
    operands = binding.instruction.operands
    address = binding.lanes.vgpr[vector_row(binding, operands[0])]
    accessors = [
        Accessor(binding, address, offset, width, write=True) for offset in two_offsets(binding, width)
    ]
    rows = [vector_row(binding, operand) for operand in operands[1:3]]
    data = [binding.lanes.vgpr[row : row + width // 4] for row in rows]
    context, words = binding.context, binding.context.lds.words

    def run() -> None:
        patterns = [accessor.pattern() for accessor in accessors]
        context.record.lds_clk.append(sum_clk(patterns))
        for accessor, pattern, values in zip(accessors, patterns, data, strict=True):
            scatter(words, pattern.offsets, values, width, pattern.active)
            accessor.note_write(pattern)
            accessor.observe(pattern, values)

    return run
