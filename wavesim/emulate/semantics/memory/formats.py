"""Buffer loads and stores with a data format: elements are converted between memory and registers.

The format comes from the resource's fourth dword (MUBUF) or from the instruction (MTBUF); the tables of data
formats (sizes of the components in bits) and number formats are those of the CDNA3 ISA, buffer resource and
MTBUF. Components that the format does not have load as 0, the fourth as 1; DST_SEL is taken to be x, y, z, w.
"""

from __future__ import annotations

import re

import numpy as np

from wavesim.emulate.global_access import store_global
from wavesim.emulate.operands import scalar_row, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import put_registers
from wavesim.emulate.semantics.memory.access import Access
from wavesim.emulate.semantics.memory.vmem import split_operands
from wavesim.emulate.transfer import gather
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.opcodes import opcode_table

U32, I32 = np.uint32, np.int32

DATA_FORMATS: dict[int, tuple[int, ...]] = {
    1: (8,),
    2: (16,),
    3: (8, 8),
    4: (32,),
    5: (16, 16),
    6: (10, 11, 11),
    7: (11, 11, 10),
    8: (10, 10, 10, 2),
    9: (2, 10, 10, 10),
    10: (8, 8, 8, 8),
    11: (32, 32),
    12: (16, 16, 16, 16),
    13: (32, 32, 32),
    14: (32, 32, 32, 32),
}
"""Bits of the components by data format, from the lowest bits up."""
NUMBER_FORMATS = ("UNORM", "SNORM", "USCALED", "SSCALED", "UINT", "SINT", "", "FLOAT")
_LARGEST_BYTES = 16
_TEXT = re.compile(r"BUF_(DATA|NUM)_FORMAT_(\w+)")


def _static_format(binding: Binding) -> tuple[int, int] | None:
    """Data and number format that the instruction itself names (MTBUF), else None."""
    if binding.info.format != "MTBUF":
        return None
    value = binding.modifier("format")
    if isinstance(value, int):
        return value & 15, value >> 4
    data, number = binding.integer("dfmt", 1), binding.integer("nfmt", 0)
    for what, name in _TEXT.findall(value if isinstance(value, str) else ""):
        if what == "NUM":
            number = NUMBER_FORMATS.index(name)
        else:
            sizes = tuple(int(size) for size in name.split("_"))
            # the names count from the highest component down
            data = next((key for key, bits in DATA_FORMATS.items() if bits == sizes[::-1]), data)
    return data, number


def decode(bits: Array, size: int, number: str) -> Array:
    """Components of ``size`` bits as register dwords."""
    value = bits & U32((1 << size) - 1 if size < 32 else 0xFFFFFFFF)
    signed = (value << U32(32 - size)).view(I32) >> (32 - size)
    if number == "UINT":
        return np.asarray(value)
    if number == "SINT":
        return np.asarray(signed.view(U32))
    if number == "FLOAT":
        if size == 16:
            return value.astype(np.uint16).view(np.float16).astype(np.float32).view(U32)
        return np.asarray(value)
    wide = signed.astype(np.float64) if number.startswith("S") else value.astype(np.float64)
    if number == "UNORM":
        wide = wide / ((1 << size) - 1)
    elif number == "SNORM":
        wide = np.maximum(wide / ((1 << size - 1) - 1), -1.0)
    return np.asarray(wide.astype(np.float32)).view(U32)


def encode(words: Array, size: int, number: str) -> Array:
    """Register dwords as components of ``size`` bits."""
    top = 1 << size
    mask = U32(top - 1 if size < 32 else 0xFFFFFFFF)
    if number == "UINT":
        return np.asarray(np.minimum(words, mask))
    if number == "SINT":
        return np.asarray(np.clip(words.view(I32), -(top // 2), top // 2 - 1).view(U32) & mask)
    value = np.ascontiguousarray(words).view(np.float32)
    if number == "FLOAT":
        if size == 16:
            return value.astype(np.float16).view(np.uint16).astype(U32)
        return np.asarray(words)
    wide = np.nan_to_num(value.astype(np.float64))
    if number == "UNORM":
        wide = np.clip(wide, 0, 1) * (top - 1)
    elif number == "SNORM":
        wide = np.clip(wide, -1, 1) * (top // 2 - 1)
    low, high = (-(top // 2), top // 2 - 1) if number.startswith("S") else (0, top - 1)
    return np.asarray(np.clip(np.rint(wide), low, high).astype(np.int64).astype(U32) & mask)


class _Format:
    """Which format an instruction uses, and the components of it in memory."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.static = _static_format(binding)
        row = scalar_row(binding, binding.instruction.operands[2])
        self.word = binding.lanes.sgpr[row + 3]

    def now(self) -> tuple[tuple[int, ...], str]:
        """Component sizes and number format at this execution."""
        if self.static is not None:
            data, number = self.static
        else:
            word = int(self.word[0])
            data, number = word >> 15 & 15, word >> 12 & 7
        sizes = DATA_FORMATS.get(data)
        if sizes is None or ((10 in sizes or 11 in sizes) and NUMBER_FORMATS[number] == "FLOAT"):
            raise self.binding.refuse(f"data format {data} with number format {number} has no semantics")
        return sizes, NUMBER_FORMATS[number]


def _components(name: str) -> int:
    return len(name.rpartition("_")[2])


def _pieces(words: Array, sizes: tuple[int, ...]) -> list[Array]:
    """Components of memory dwords [dwords, n, 64]."""
    found, start = [], 0
    for size in sizes:
        found.append(words[start // 32] >> U32(start % 32))
        start += size
    return found


def _with_width(access: Access, sizes: tuple[int, ...]) -> int:
    access.width = max(1, sum(sizes) // 8)
    return access.width


def _bind_load(binding: Binding) -> Step:
    data, addresses = split_operands(binding)
    access = Access(binding, addresses, binding.info.width_bytes)
    count, packed = _components(binding.info.name), "_d16_" in binding.info.name
    high = "_d16_hi_" in binding.info.name
    registers = -(-count // 2) if packed else count
    row = vector_row(binding, data[0])
    put = put_registers(binding, row, registers)
    old = binding.lanes.vgpr[row]
    form, lanes = _Format(binding), binding.lanes
    one = U32(0x3F800000)

    def run() -> None:
        sizes, number = form.now()
        _with_width(access, sizes)
        parts, _ = access.begin(write=False)
        words = np.zeros((max(1, access.width // 4), lanes.count, LANES), np.uint32)
        read = np.zeros((lanes.count, LANES), np.bool_)
        for region, offsets, mask in parts:
            access.note_read(region, offsets, mask)
            words = np.where(mask, gather(region.words, offsets, access.width), words)
            read |= mask
        whole = U32(1) if number in ("UINT", "SINT") else one
        values = [decode(bits, size, number) for bits, size in zip(_pieces(words, sizes), sizes, strict=True)]
        while len(values) < 4:
            values.append(np.full_like(values[0], whole if len(values) == 3 else 0))
        chosen = values[:count]
        if packed:
            if number not in ("UINT", "SINT"):
                chosen = [each.view(np.float32).astype(np.float16).view(np.uint16) for each in chosen]
            halves = [each.astype(U32) & U32(0xFFFF) for each in chosen] + [np.zeros_like(old)]
            if high:
                chosen = [old & U32(0xFFFF) | halves[0] << U32(16)]
            else:
                chosen = [halves[2 * at] | halves[2 * at + 1] << U32(16) for at in range(registers)]
        put(np.stack(np.broadcast_arrays(*chosen)), read)

    return run


def _bind_store(binding: Binding) -> Step:
    data, addresses = split_operands(binding)
    access = Access(binding, addresses, binding.info.width_bytes)
    count, packed = _components(binding.info.name), "_d16_" in binding.info.name
    high = "_d16_hi_" in binding.info.name
    row = vector_row(binding, data[0])
    window = binding.lanes.vgpr[row : row + (-(-count // 2) if packed else count)]
    form = _Format(binding)

    def run() -> None:
        sizes, number = form.now()
        _with_width(access, sizes)
        values = [window[at] for at in range(len(window))]
        if packed:
            shift = 16 if high else 0
            values = [
                window[(at + shift // 16) // 2] >> U32(16 * ((at + shift // 16) % 2)) for at in range(count)
            ]
            halves = [np.ascontiguousarray(each).astype(np.uint16) for each in values]
            if number in ("UINT", "SINT"):
                values = [half.view(np.int16).astype(I32).view(U32) for half in halves]
            else:
                values = [half.view(np.float16).astype(np.float32).view(U32) for half in halves]
        words = np.zeros((max(1, access.width // 4), *values[0].shape), np.uint32)
        start = 0
        for at, size in enumerate(sizes):
            value = values[at] if at < count else np.zeros_like(values[0])
            words[start // 32] |= encode(value, size, number) << U32(start % 32)
            start += size
        parts, _ = access.begin(write=True)
        for region, offsets, lanes in parts:
            store_global(binding, region, offsets, lanes, words, access.width)
            access.mark(region, offsets, lanes)

    return run


for _name, _info in opcode_table().items():
    if "_format_" in _name:
        semantics(_name)(_bind_load if _info.kind is Kind.VMEM_LOAD else _bind_store)
