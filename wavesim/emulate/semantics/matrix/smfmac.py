"""Sparse matrix instructions: D += A * B, where A holds two of every four elements along K.

Of each four consecutive K two are stored in A, in order; two index bits per stored element say which of the
four it is (CDNA3 and CDNA4 ISA, sparse matrices: 4:2 structure). The bits of a lane's elements follow each
other in the index register: 8 bits for four elements, 16 for eight, 32 for sixteen. Where there is room for
several sets ABID selects one, if CBSZ is 0.

A lane's stored elements of A are consecutive, group after group of lanes. Its elements of B are pieces of 16
bytes: where a lane has two (the deep shapes of gfx950), the second lies behind the first ones of all groups
(CDNA4 ISA 7.5.1.3), so that A and B of one K are in different lanes.
"""

from __future__ import annotations

import re

import numpy as np

from wavesim.emulate.operands import call, source, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.matrix.mfma import (
    BITS,
    ResultLayout,
    Shape,
    finisher,
    multiply,
    spread,
    unpacker,
)
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import LANES
from wavesim.isa.opcodes import opcode_table

_NAME = re.compile(
    r"v_smfmac_(?P<result>f32|i32)_(?P<m>\d+)x(?P<n>\d+)x(?P<k>\d+)_(?P<a>bf16|f16|i8|fp8|bf8)(?:_(?P<b>fp8|bf8))?$"
)


def expand(stored: Array, index: Array) -> Array:
    """Stored elements [n, S, 64] with their index bits [n, 64] as dense elements [n, 2 S, 64]."""
    count, size, lanes = stored.shape
    place = np.arange(size)
    within = (index[:, None, :] >> (2 * place)[None, :, None].astype(np.uint32) & np.uint32(3)).astype(
        np.intp
    )
    rows = 4 * (place // 2)[None, :, None] + within
    dense = np.zeros((count, 2 * size, lanes), stored.dtype)
    # of two equal indices of a pair the later one stays
    for item in range(size):
        np.put_along_axis(dense, rows[:, item : item + 1], stored[:, item : item + 1], axis=1)
    return dense


_PIECE_BITS = 128
"""Bits of the consecutive elements of B that a group of lanes holds at a time."""


def _b_order(items: int, groups: int, bits: int) -> Array:
    """Where each K of B stands in what :func:`spread` gives, of ``items`` elements in each group of lanes."""
    piece = min(items, _PIECE_BITS // bits)
    item, group = np.arange(items)[:, None], np.arange(groups)
    return np.argsort((item // piece * groups + group) * piece + item % piece, axis=None)


def _a_order(items: int, groups: int) -> Array:
    item, group = np.arange(items)[:, None], np.arange(groups)
    return np.argsort(group * items + item, axis=None)


@semantics(" ".join(name for name in opcode_table() if name.startswith("v_smfmac_")))
def _bind_smfmac(binding: Binding) -> Step:
    match = _NAME.match(binding.info.name)
    assert match is not None
    m, n, k = (int(match[name]) for name in "mnk")
    shape = Shape(m, n, k, 1, match["result"], match["a"], match["b"] or match["a"])
    arch, lanes = binding.context.arch, binding.lanes
    layout = ResultLayout.of(shape)
    operands = binding.instruction.operands
    dense_items = k * m // LANES
    unpacks = [unpacker(kind, arch) for kind in (shape.a, shape.b)]
    windows = []
    for place, (kind, items) in enumerate(((shape.a, dense_items // 2), (shape.b, dense_items)), start=1):
        row = vector_row(binding, operands[place])
        windows.append(lanes.vgpr[row : row + items * BITS[kind] // 32])
    bits = dense_items  # two for each of the stored half
    chosen = binding.integer("abid") if not binding.integer("cbsz") else 0
    shift = np.uint32(chosen * bits % 32)
    index = source(binding, 3)
    groups = LANES // m
    orders = _a_order(dense_items, groups), _b_order(dense_items, groups, BITS[shape.b])
    read_d, put = finisher(binding, shape, layout)

    def run() -> None:
        picks = np.broadcast_to(call(index) >> shift, (lanes.count, LANES))
        a = spread(expand(unpacks[0](windows[0]), picks), m, 1)[:, :, orders[0]]
        b = spread(unpacks[1](windows[1]), n, 1)[:, :, orders[1]]
        put(read_d(), layout.to_registers(multiply(a, b)))

    return run
