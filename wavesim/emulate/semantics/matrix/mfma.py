"""Matrix instructions: D = A * B + C on the documented register layouts, batched over the waves.

With M rows, K inner elements and B blocks, element (i, k) of block b of A is item ``k % KL`` of lane
``i + M * (b + B * (k // KL))``, KL = K * M * B / 64 being the items of a lane; B alike with its column.
With H = 4 rows per group (1 for f64), element (i, j) of block b of C and D is item
``i % H + H * (i // (H * MI) + G * (b // BI))`` of lane ``j + N * (i // H % MI + MI * (b % BI))``, with
BI = max(1, 64 H / (M N)), MI = 64 / (BI N), G = M / (H MI) (CDNA3 ISA, matrix arithmetic instructions).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wavesim.emulate.elements import Minifloat, minifloat
from wavesim.emulate.operands import call, immediate_bits, source, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.matrix.denormals import flushes_denormals, flushing, then_flush
from wavesim.emulate.types import Array, Step
from wavesim.front.tile.element_types import ELEMENT_BITS, F8F6F4
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.opcodes import opcode_table
from wavesim.program import Immediate, Modified, Operand

_NAME = re.compile(
    r"v_mfma_(?:scale_)?(?P<result>f32|i32|f64)_(?P<m>\d+)x(?P<n>\d+)x(?P<k>\d+)(?:_(?P<b>\d+)b)?_?"
    r"(?P<a>xf32|bf16|f16|f32|f64|i8|fp8|bf8|f8f6f4)(?:_(?P<second>fp8|bf8|1k))?$"
)
BITS = {**ELEMENT_BITS, "f64": 64}
Unpack = Callable[[Array], Array]
"""From register dwords [registers, n, 64] to elements [n, items, 64]."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a matrix instruction and its kinds of elements."""

    m: int
    n: int
    k: int
    blocks: int
    result: str
    a: str
    b: str

    @property
    def items(self) -> int:
        """Elements of A (and B, as M = N) in a lane."""
        return self.k * self.m * self.blocks // LANES


def shape_of(opcode: str) -> Shape | None:
    """The shape that an MFMA opcode's name says, or None."""
    match = _NAME.match(opcode)
    if match is None:
        return None
    m, n, k = (int(match[name]) for name in "mnk")
    second = match["second"]
    result = match["result"]
    # older names (f32_16x16x1f32) leave the number of blocks to the register counts
    blocks = int(match["b"] or 0)
    if not blocks:
        blocks = _old_blocks(opcode, m, k)
    first = match["a"]
    return Shape(m, n, k, blocks, result, first, second if second in ("fp8", "bf8") else first)


def _old_blocks(opcode: str, m: int, k: int) -> int:
    info = opcode_table()[opcode]
    dwords = info.operands[0].dwords // (2 if "f64" in opcode else 1)
    return max(1, dwords * LANES // (m * m))


def unpacker(kind: str, arch: str) -> Unpack:
    """How register dwords become elements of ``kind``."""
    if kind in ("f32", "xf32"):
        return lambda dwords: dwords.view(np.float32).swapaxes(0, 1)
    if kind == "f64":
        return lambda dwords: _pair(dwords).view(np.float64)
    if kind in ("i8", "fp8", "bf8"):
        return _unpack_bytes(kind, arch)
    if kind in ("bf16", "f16"):
        return _unpack_halves(kind)
    codec, bits = minifloat(kind, arch), BITS[kind]

    def unpack_bits(dwords: Array) -> Array:
        octets = np.ascontiguousarray(np.moveaxis(dwords, 0, -1)).view(np.uint8)
        single = np.unpackbits(octets, axis=-1, bitorder="little")
        count = single.shape[-1] // bits
        fields = single[..., : count * bits].reshape(*single.shape[:-1], count, bits)
        weights = (1 << np.arange(bits)).astype(np.uint8)
        return codec.decode((fields * weights).sum(axis=-1, dtype=np.uint8)).swapaxes(1, 2)

    return unpack_bits


def _unpack_bytes(kind: str, arch: str) -> Unpack:
    codec: Minifloat | None = minifloat(kind, arch) if kind != "i8" else None

    def unpack(dwords: Array) -> Array:
        registers, count, lanes = dwords.shape
        octets = dwords.view(np.uint8).reshape(registers, count, lanes, 4)
        items = octets.transpose(1, 0, 3, 2).reshape(count, 4 * registers, lanes)
        if codec is not None:
            return codec.decode(items)
        return items.view(np.int8).astype(np.float64)

    return unpack


def _unpack_halves(kind: str) -> Unpack:
    """Two passes over whole registers: the low halves and the high ones."""
    sixteen, upper = np.uint32(16), np.uint32(0xFFFF0000)

    def unpack(dwords: Array) -> Array:
        registers, count, lanes = dwords.shape
        items = np.empty((count, registers, 2, lanes), np.float32)
        if kind == "bf16":
            bits = items.view(np.uint32).transpose(1, 0, 2, 3)
            np.left_shift(dwords, sixteen, out=bits[:, :, 0])
            np.bitwise_and(dwords, upper, out=bits[:, :, 1])
        else:
            halves = dwords.view(np.float16).reshape(registers, count, lanes, 2)
            items[...] = halves.transpose(1, 0, 3, 2)
        return items.reshape(count, 2 * registers, lanes)

    return unpack


def _pair(dwords: Array) -> Array:
    """Register pairs [2 items, n, 64] as uint64 [n, items, 64]."""
    low, high = dwords[0::2].astype(np.uint64), dwords[1::2].astype(np.uint64)
    return (high << np.uint64(32) | low).swapaxes(0, 1)


def spread(items: Array, rows: int, blocks: int) -> Array:
    """Items [n, KL, 64] as matrices [n, blocks, K, rows], in an order of K that is the same for A and B."""
    count, per_lane, _ = items.shape
    groups = LANES // (rows * blocks)
    parts = items.reshape(count, per_lane, groups, blocks, rows).transpose(0, 3, 1, 2, 4)
    return parts.reshape(count, blocks, per_lane * groups, rows)


@dataclass(frozen=True)
class ResultLayout:
    """Where C and D stand: the factors of the lane and item numbers (see the module's formula)."""

    outer_blocks: int
    inner_blocks: int
    groups: int
    rows_inner: int
    height: int
    columns: int

    @classmethod
    def of(cls, shape: Shape) -> ResultLayout:
        """The layout of a shape's C and D."""
        height = 1 if shape.result == "f64" else 4
        inner = max(1, LANES * height // (shape.m * shape.n))
        rows_inner = LANES // (inner * shape.n)
        return cls(
            shape.blocks // inner, inner, shape.m // (height * rows_inner), rows_inner, height, shape.n
        )

    @property
    def row_order(self) -> Array:
        """Rows in the order (group, height, inner row), in which a register's lanes follow each other."""
        rows = np.arange(self.groups * self.rows_inner * self.height)
        return rows.reshape(self.groups, self.rows_inner, self.height).swapaxes(1, 2).reshape(-1)

    def ordered_to_registers(self, matrices: Array) -> Array:
        """As :meth:`to_registers`, of matrices whose rows are in ``row_order``."""
        parts = matrices.reshape(
            -1, self.outer_blocks, self.inner_blocks, self.groups, self.height, self.rows_inner, self.columns
        )
        return parts.transpose(1, 3, 4, 0, 2, 5, 6)

    def to_registers(self, matrices: Array) -> Array:
        """Matrices [n, blocks, M, N] as [outer, groups, height, n, inner, rows, columns] = [items, n, 64]."""
        parts = matrices.reshape(
            -1, self.outer_blocks, self.inner_blocks, self.groups, self.rows_inner, self.height, self.columns
        )
        return parts.transpose(1, 3, 5, 0, 2, 4, 6)

    def register_shape(self, count: int) -> tuple[int, ...]:
        """The shape in which [items, n, 64] is taken for :meth:`to_registers`."""
        return (
            self.outer_blocks,
            self.groups,
            self.height,
            count,
            self.inner_blocks,
            self.rows_inner,
            self.columns,
        )


def _reader(binding: Binding, shape: Shape, position: int, kind: str) -> Callable[[], Array]:
    operand = binding.instruction.operands[position]
    row = vector_row(binding, operand)
    bits = BITS.get(kind, 32)
    registers = shape.items * bits // 32
    window = binding.lanes.vgpr[row : row + registers]
    unpack = unpacker(kind, binding.context.arch)
    pattern = binding.integer("blgp") if position == 2 and shape.result != "f64" else 0
    if pattern:
        lanes = lane_groups(pattern)
        return lambda: spread(unpack(window.take(lanes, axis=-1)), shape.m, shape.blocks)
    return lambda: spread(unpack(window), shape.m, shape.blocks)


def lane_groups(pattern: int) -> Array:
    """Source lane of each lane for a B-matrix lane-group pattern (``blgp``): halves broadcast (1, 2), all
    rotated by 16 so that lane 0 gets lane 16's (3), one group of 16 broadcast (4 to 7)."""
    lane = np.arange(LANES)
    if pattern in (1, 2):
        return lane % 32 + 32 * (pattern - 1)
    if pattern == 3:
        return (lane + 16) % LANES
    return lane % 16 + 16 * (pattern - 4)


def _broadcast_blocks(binding: Binding, shape: Shape, read: Callable[[], Array]) -> Callable[[], Array]:
    """``cbsz`` and ``abid``: of each 2^cbsz blocks of A, block ``abid`` stands for all."""
    size = 1 << binding.integer("cbsz")
    if size == 1:
        return read
    if size > shape.blocks or binding.integer("abid") >= size:
        raise binding.refuse("cbsz and abid name blocks that this instruction does not have")
    blocks = np.arange(shape.blocks) // size * size + binding.integer("abid")
    return lambda: read()[:, blocks]


def _negated(binding: Binding, reads: tuple[Callable[[], Array], ...]) -> list[Callable[[], Array]]:
    """f64: ``neg:[a,b,c]`` (encoded in BLGP's bits) changes the signs of A, B and C."""
    value, bits = binding.modifier("neg"), binding.integer("blgp")
    signs = value if isinstance(value, tuple) else tuple(bits >> place & 1 for place in range(3))

    def negative(read: Callable[[], Array]) -> Callable[[], Array]:
        return lambda: -read()

    return [negative(read) if sign else read for read, sign in zip(reads, signs, strict=True)]


_ACCUMULATE: dict[str, Any] = {"f32": np.float32, "i32": np.int32, "f64": np.float64}


def finisher(
    binding: Binding, shape: Shape, layout: ResultLayout
) -> tuple[Callable[[], Array], Callable[[Array, Array], None]]:
    """A reader and a writer of the destination, for D += A * B."""
    return _accumulator(binding, shape, layout, 0), _finish(binding, shape, layout)


def _accumulator(
    binding: Binding, shape: Shape, layout: ResultLayout, position: int = 3
) -> Callable[[], Array]:
    """A reader of C in register order."""
    operand: Operand = binding.instruction.operands[position]
    if isinstance(operand, Modified):
        raise binding.refuse("input modifiers on the accumulator")
    if isinstance(operand, Immediate):
        bits = immediate_bits(operand.value, shape.result)
        dtype: Any = np.uint64 if shape.result == "f64" else np.uint32
        constant = np.array(bits, dtype).view(_ACCUMULATE[shape.result])
        return lambda: constant
    lanes = binding.lanes
    row = vector_row(binding, operand)
    items = shape.m * shape.n * shape.blocks // LANES
    form = layout.register_shape(lanes.count)
    if shape.result == "f64":
        wide = lanes.vgpr[row : row + 2 * items]
        return lambda: _pair(wide).view(np.float64).swapaxes(0, 1).reshape(form)
    window = lanes.vgpr[row : row + items].view(_ACCUMULATE[shape.result])
    view = window.reshape(form)
    if np.shares_memory(view, lanes.vgpr):
        return lambda: view
    return lambda: window.reshape(form)


def _finish(binding: Binding, shape: Shape, layout: ResultLayout) -> Callable[[Array, Array], None]:
    """A writer of C + product, both in register order; EXEC does not matter to matrix instructions."""
    lanes = binding.lanes
    row = vector_row(binding, binding.instruction.operands[0])
    items = shape.m * shape.n * shape.blocks // LANES
    flat = (items, lanes.count, LANES)
    if shape.result == "f64":

        def put_wide(c: Array, product: Array) -> None:
            bits = np.ascontiguousarray(c + product).reshape(flat).view(np.uint64)
            lanes.vgpr[row : row + 2 * items : 2] = bits & np.uint64(0xFFFFFFFF)
            lanes.vgpr[row + 1 : row + 2 * items : 2] = bits >> np.uint64(32)

        return put_wide
    window = lanes.vgpr[row : row + items].view(_ACCUMULATE[shape.result])
    target = window.reshape(layout.register_shape(lanes.count))
    if shape.result == "f32" and np.shares_memory(target, lanes.vgpr):

        def put_direct(c: Array, product: Array) -> None:
            np.add(c, product, out=target)

        return put_direct

    def put(c: Array, product: Array) -> None:
        if shape.result == "i32":
            product = product.astype(np.int64).astype(np.int32)
        window[...] = (c + product).reshape(flat)

    return put


def multiply(a: Array, b: Array) -> Array:
    """The products of A and B [.., k, row or column], summed over k, in the type of the elements.

    float32 is summed in float64, where bf16 products of exponents up to 33 apart add up exactly: numpy
    leaves the order of a sum to the BLAS of the processor it runs on, and the numbers must not show it.
    """
    if a.dtype == np.float32:
        wide = np.matmul(a.swapaxes(-1, -2).astype(np.float64), b.astype(np.float64))
        return np.asarray(wide.astype(np.float32))
    return np.asarray(np.matmul(a.swapaxes(-1, -2), b))


_PRODUCT = {"f32": np.float32}
"""The type of a product by the result's type, where it is not float64."""


def _wide(elements: Array) -> Array:
    """Elements in the type in which products are summed (see :func:`multiply`)."""
    return elements.astype(np.float64, copy=False)


def _shared(
    binding: Binding, shape: Shape, position: int, prepare: Callable[[], Array]
) -> Callable[[], Array]:
    """A factor, prepared once for all instructions of the block that multiply it."""
    if binding.shared is None:
        return prepare
    row = vector_row(binding, binding.instruction.operands[position])
    kind = shape.a if position == 1 else shape.b
    rows = range(row, row + shape.items * BITS.get(kind, 32) // 32)
    return binding.shared.reader((binding.info.name, position, binding.instruction.modifiers), rows, prepare)


def _bind_mfma(binding: Binding) -> Step:
    shape = shape_of(binding.info.name)
    if shape is None:
        raise binding.refuse("no semantics for this matrix instruction")
    if shape.a == "f8f6f4":
        return _bind_f8f6f4(binding, shape)
    layout = ResultLayout.of(shape)
    read_a, read_b = _reader(binding, shape, 1, shape.a), _reader(binding, shape, 2, shape.b)
    read_c, put = _accumulator(binding, shape, layout), _finish(binding, shape, layout)
    read_a = _broadcast_blocks(binding, shape, read_a)
    if shape.result == "f64":
        read_a, read_b, read_c = _negated(binding, (read_a, read_b, read_c))

    flushes = flushes_denormals(binding.context.arch, shape.a)
    if flushes:
        read_a, read_b = flushing(read_a, shape.a), flushing(read_b, shape.a)
        read_c = flushing(read_c, "f32")
    order = layout.row_order
    left = _shared(binding, shape, 1, lambda: _wide(read_a()[..., order]).swapaxes(-1, -2))
    right = _shared(binding, shape, 2, lambda: _wide(read_b()))
    kind: Any = _PRODUCT.get(shape.result, np.float64)

    def run() -> None:
        product = np.matmul(left(), right()).astype(kind, copy=False)
        put(read_c(), layout.ordered_to_registers(product))

    if not flushes:
        return run
    row = vector_row(binding, binding.instruction.operands[0])
    return then_flush(run, binding.lanes.vgpr[row : row + shape.m * shape.n * shape.blocks // LANES])


def _k_order(bits: int, groups: int) -> Array:
    """Which K each item of a lane holds in the f8f6f4 matrices: [item, group of lanes].

    6- and 4-bit items: a group holds 32 consecutive K. 8-bit ones: 16 consecutive K of the lower half of K
    and the 16 at the same place of the upper half (Triton's operand layouts for these instructions, by
    which its scaled products are right on the hardware).
    """
    item, group = np.arange(32)[:, None], np.arange(groups)
    if bits == 8:
        return np.asarray(item // 16 * (16 * groups) + 16 * group + item % 16)
    return np.asarray(32 * group + item)


def _bind_f8f6f4(binding: Binding, shape: Shape) -> Step:
    """A and B in their own formats. A scale (one byte per lane, 2^(x - 127)) counts for 32 consecutive K of
    the lane's row, whichever lanes hold them."""
    layout = ResultLayout.of(shape)
    kinds = [binding.integer("cbsz"), binding.integer("blgp")]
    if max(kinds) >= len(F8F6F4):
        raise binding.refuse("cbsz and blgp must be 0 to 4 here")
    lanes = binding.lanes
    rows = [vector_row(binding, binding.instruction.operands[place]) for place in (1, 2)]
    unpacks = [unpacker(F8F6F4[kind], binding.context.arch) for kind in kinds]
    counts = [shape.items * BITS[F8F6F4[kind]] // 32 for kind in kinds]
    groups = LANES // shape.m
    orders = [np.argsort(_k_order(BITS[F8F6F4[kind]], groups), axis=None) for kind in kinds]
    read_c, put = _accumulator(binding, shape, layout), _finish(binding, shape, layout)
    scaled = "scaled" in binding.info.flags
    scales = [source(binding, place) for place in (4, 5)] if scaled else []
    low, high = binding.modifier("op_sel"), binding.modifier("op_sel_hi")

    def picked(which: int) -> int:
        first = low[which] if isinstance(low, tuple) and which < len(low) else 0
        second = high[which] if isinstance(high, tuple) and which < len(high) else 0
        return first + 2 * second

    shifts = [8 * picked(0), 8 * picked(1)]
    for which, operand in enumerate(binding.instruction.operands[4:6] if scaled else ()):
        if isinstance(operand, Immediate) and isinstance(operand.value, float):
            shifts[which] = 23  # of a float constant the exponent is the scale (CDNA4 ISA 7.2.1)

    def matrix(which: int) -> Array:
        items = unpacks[which](lanes.vgpr[rows[which] : rows[which] + counts[which]])
        values = spread(items, shape.m, shape.blocks)[:, :, orders[which]]
        if scales:
            octet = call(scales[which]) >> np.uint32(shifts[which]) & np.uint32(255)
            factor = np.exp2(octet.astype(np.float64) - 127)
            factor[octet == 255] = np.nan
            by_block = np.broadcast_to(factor, (lanes.count, LANES)).reshape(-1, 1, groups, shape.m)
            values = values.astype(np.float64) * np.repeat(by_block, 32, axis=2)
        return values

    def run() -> None:
        put(read_c(), layout.to_registers(multiply(matrix(0), matrix(1)).astype(np.float32)))

    return run


for _opcode, _info in opcode_table().items():
    if _info.kind is Kind.MFMA and "sparse" not in _info.flags and shape_of(_opcode) is not None:
        semantics(_opcode)(_bind_mfma)
