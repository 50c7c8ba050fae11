"""Sparse matrix instructions, and broadcasts and lane patterns of the dense ones, element by element."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute
from test_emulate_mfma import KINDS, element, fill

from wavesim.emulate.semantics.matrix.mfma import shape_of
from wavesim.emulate.state import State
from wavesim.isa.opcodes import opcode_table

A, B, D, INDEX = 0, 8, 16, 40
SPARSE = [(name, info) for name, info in opcode_table().items() if name.startswith("v_smfmac_")]


def b_place(k: int, piece: int, groups: int) -> tuple[int, int]:
    """Group of lanes and item of B[k]: a group holds ``piece`` consecutive k of each round of groups."""
    return k // piece % groups, k // (piece * groups) * piece + k % piece


# CDNA3 and CDNA4 ISA, matrix B layouts of the sparse instructions: the k of each VGPR's first element, by
# group of lanes (row); the elements of a VGPR follow it.
B_LAYOUTS = {
    "16x16x32_f16": [(0, 8, 16, 24), (2, 10, 18, 26), (4, 12, 20, 28), (6, 14, 22, 30)],
    "32x32x16_f16": [(0, 8), (2, 10), (4, 12), (6, 14)],
    "16x16x64_i8": [(0, 16, 32, 48), (4, 20, 36, 52), (8, 24, 40, 56), (12, 28, 44, 60)],
    "32x32x32_i8": [(0, 16), (4, 20), (8, 24), (12, 28)],
    "16x16x64_f16": [
        *[(0, 8, 16, 24), (2, 10, 18, 26), (4, 12, 20, 28), (6, 14, 22, 30)],
        *[(32, 40, 48, 56), (34, 42, 50, 58), (36, 44, 52, 60), (38, 46, 54, 62)],
    ],
    "32x32x32_f16": [(0, 8), (2, 10), (4, 12), (6, 14), (16, 24), (18, 26), (20, 28), (22, 30)],
    "16x16x128_i8": [
        *[(0, 16, 32, 48), (4, 20, 36, 52), (8, 24, 40, 56), (12, 28, 44, 60)],
        *[(64, 80, 96, 112), (68, 84, 100, 116), (72, 88, 104, 120), (76, 92, 108, 124)],
    ],
    "32x32x64_i8": [(0, 16), (4, 20), (8, 24), (12, 28), (32, 48), (36, 52), (40, 56), (44, 60)],
}


@pytest.mark.parametrize("shape", list(B_LAYOUTS))
def test_layout_of_the_manual(shape: str) -> None:
    """The whole product, with B put together from the manual's table and A from its packed rows."""
    size, kind = shape.split("_")
    m, _, depth = map(int, size.split("x"))
    bits = KINDS[kind]
    name = f"v_smfmac_{'f32' if kind == 'f16' else 'i32'}_{shape}"
    counts = [spec.dwords for spec in opcode_table()[name].operands]
    stored = depth * m // 128  # of A in a lane
    generator = np.random.default_rng(6)
    pairs = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    picks = pairs[generator.integers(0, 6, (64, stored // 2))].reshape(64, stored)

    def setup(state: State) -> None:
        for first, count in ((A, counts[1]), (B, counts[2])):
            state.vgpr[first : first + count] = fill(generator, kind, state.vgpr[first : first + count].shape)
        state.vgpr[D : D + counts[0]] = 0
        index = (picks.astype(np.uint64) << (2 * np.arange(stored)).astype(np.uint64)).sum(axis=1)
        state.vgpr[INDEX, 0] = index.astype(np.uint32)

    text = (
        f"{name} v[{D}:{D + counts[0] - 1}], v[{A}:{A + counts[1] - 1}], v[{B}:{B + counts[2] - 1}], v{INDEX}"
    )
    registers = execute(text, setup, arch="gfx950").state.vgpr[:, 0]
    dense_a, dense_b = np.zeros((m, depth)), np.zeros((depth, m))
    for lane in range(64):
        row, group = lane % m, lane // m
        for item in range(stored):
            k = 2 * stored * group + 4 * (item // 2) + int(picks[lane, item])
            dense_a[row, k] = element(registers[A : A + counts[1]], item, lane, kind, "gfx950")
        for register, starts in enumerate(B_LAYOUTS[shape]):
            for inner in range(32 // bits):
                item = register * 32 // bits + inner
                value = element(registers[B : B + counts[2]], item, lane, kind, "gfx950")
                dense_b[starts[group] + inner, row] = value
    expected = dense_a @ dense_b
    view = np.float32 if kind == "f16" else np.int32
    for register in range(counts[0]):
        rows = 4 * (64 // m) * (register // 4) + register % 4 + 4 * (np.arange(64) // m)
        got = registers[D + register].view(view).astype(np.float64)
        np.testing.assert_allclose(got, expected[rows, np.arange(64) % m], rtol=1e-6, atol=1e-6)


PROBED = {
    # (item of A, group of lanes): (item of B, group of lanes), as seen in D's first and second register
    (0, 0): ((0, 0), (2, 0)), (0, 1): ((0, 2), (2, 2)), (0, 2): ((8, 0), (10, 0)), (0, 3): ((8, 2), (10, 2)),
    (2, 0): ((4, 0), (6, 0)), (2, 3): ((12, 2), (14, 2)), (4, 0): ((0, 1), (2, 1)), (4, 1): ((0, 3), (2, 3)),
    (5, 2): ((9, 1), (11, 1)), (6, 1): ((4, 3), (6, 3)), (7, 0): ((5, 1), (7, 1)), (7, 3): ((13, 3), (15, 3)),
}  # fmt: skip


@pytest.mark.parametrize(("item", "group"), list(PROBED))
def test_deep_shape_as_probed(item: int, group: int) -> None:
    """v_smfmac_f32_16x16x64_f16 with single elements, as a published probe saw it on a gfx950 (notes to a
    product that packs dense rows: even rows of A pick the first two of each four k, odd rows the last).
    """
    for register, (inner, group_b) in enumerate(PROBED[item, group]):

        def setup(state: State, register: int = register, inner: int = inner, group_b: int = group_b) -> None:
            state.vgpr[0:60] = 0
            state.vgpr[INDEX, 0] = np.where(np.arange(64) % 2 == 0, 0x4444, 0xEEEE)
            state.vgpr[A + item // 2, 0, 16 * group + register] = 0x3C00 << 16 * (item % 2)
            state.vgpr[B + inner // 2, 0, 16 * group_b] = 0x3C00 << 16 * (inner % 2)

        text = f"v_smfmac_f32_16x16x64_f16 v[{D}:{D + 3}], v[{A}:{A + 3}], v[{B}:{B + 7}], v{INDEX}"
        registers = execute(text, setup, arch="gfx950").state.vgpr[D : D + 4, 0]
        assert float(registers[register, 0].view(np.float32)) == 1.0
        assert np.count_nonzero(registers) == 1


@pytest.mark.parametrize("name", [name for name, _ in SPARSE])
def test_sparse_product(name: str) -> None:
    info = opcode_table()[name]
    words = name.split("_")
    m, n, k = map(int, words[3].split("x"))
    kinds = (words[4], words[-1])
    arch = "gfx950" if "gfx942" not in info.archs else "gfx942"
    counts = [spec.dwords for spec in info.operands]
    generator = np.random.default_rng(3)
    stored = k * m // 128  # of A in a lane
    sets = 32 // (2 * stored)
    chosen = sets - 1
    pairs = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    index = np.zeros((2, 64), np.uint64)
    picks = np.zeros((2, 64, stored), np.int64)
    for pair in range(stored // 2):
        both = pairs[generator.integers(0, 6, (2, 64))]
        picks[:, :, 2 * pair : 2 * pair + 2] = both
        for side in (0, 1):
            shift = np.uint64(2 * stored * chosen + 2 * (2 * pair + side))
            index |= both[..., side].astype(np.uint64) << shift
    before: list[np.ndarray] = []

    def setup(state: State) -> None:
        for first, count, kind in ((A, counts[1], kinds[0]), (B, counts[2], kinds[1])):
            state.vgpr[first : first + count] = fill(generator, kind, state.vgpr[first : first + count].shape)
        rows = state.vgpr[D : D + counts[0]]
        rows[...] = (
            generator.integers(0, 50, rows.shape) if words[2] == "i32" else fill(generator, "f32", rows.shape)
        )
        before.append(rows.copy())
        state.vgpr[INDEX] = index.astype(np.uint32)

    def span(first: int, count: int) -> str:
        return f"v[{first}:{first + count - 1}]"

    text = f"{name} {span(D, counts[0])}, {span(A, counts[1])}, {span(B, counts[2])}, v{INDEX}"
    outcome = execute(f"{text} abid:{chosen}" if chosen else text, setup, waves=2, arch=arch)
    wave = 1
    registers = outcome.state.vgpr[:, wave]
    view = np.int32 if words[2] == "i32" else np.float32
    groups = 64 // m
    for row, column in generator.integers(0, m, (20, 2)).tolist():
        total = 0.0
        for group in range(groups):
            lane_a = row + m * group
            for item in range(stored):
                k_dense = 2 * stored * group + 4 * (item // 2) + int(picks[wave, lane_a, item])
                lane_b, inner = b_place(k_dense, 128 // KINDS[kinds[1]], groups)
                first = element(registers[A : A + counts[1]], item, lane_a, kinds[0], arch)
                second = element(registers[B : B + counts[2]], inner, column + m * lane_b, kinds[1], arch)
                total += first * second
        rows_inner = 64 // n
        register = row % 4 + 4 * (row // (4 * rows_inner))
        lane = column + n * (row // 4 % rows_inner)
        expected = float(before[0][register, wave, lane].view(view)) + total
        got = float(registers[D + register, lane].view(view))
        assert got == pytest.approx(expected, rel=1e-5, abs=1e-4), (row, column)


def run_dense(name: str, modifiers: str, lanes_of_b: np.ndarray, block_of_a: dict[int, int]) -> None:
    shape = shape_of(name)
    assert shape is not None
    info = opcode_table()[name]
    counts = [spec.dwords for spec in info.operands]
    generator = np.random.default_rng(4)

    def setup(state: State) -> None:
        state.vgpr[A : A + counts[1]] = fill(generator, shape.a, state.vgpr[A : A + counts[1]].shape)
        state.vgpr[B : B + counts[2]] = fill(generator, shape.b, state.vgpr[B : B + counts[2]].shape)

    def span(first: int, count: int) -> str:
        return f"v[{first}:{first + count - 1}]" if count > 1 else f"v{first}"

    text = f"{name} {span(D, counts[0])}, {span(A, counts[1])}, {span(B, counts[2])}, 0 {modifiers}"
    registers = execute(text, setup).state.vgpr[:, 0]
    m, n, k, blocks = shape.m, shape.n, shape.k, shape.blocks
    per_lane = k * m * blocks // 64
    inner_blocks = max(1, 256 // (m * n))
    rows_inner = 64 // (inner_blocks * n)
    groups = m // (4 * rows_inner)
    for i, j, block in generator.integers(0, [m, n, blocks], (24, 3)).tolist():
        total = 0.0
        for inner in range(k):
            start = blocks * (inner // per_lane)
            lane_a = i + m * (block_of_a.get(block, block) + start)
            lane_b = int(lanes_of_b[j + n * (block + start)])
            first = element(registers[A : A + counts[1]], inner % per_lane, lane_a, shape.a, "gfx942")
            total += first * element(
                registers[B : B + counts[2]], inner % per_lane, lane_b, shape.b, "gfx942"
            )
        item = i % 4 + 4 * (i // (4 * rows_inner) + groups * (block // inner_blocks))
        lane = j + n * (i // 4 % rows_inner + rows_inner * (block % inner_blocks))
        assert float(registers[D + item, lane].view(np.float32)) == pytest.approx(total, rel=1e-5, abs=1e-5)


IDENTITY = np.arange(64)


@pytest.mark.parametrize(("cbsz", "abid"), [(1, 0), (1, 1), (2, 2), (4, 7)])
def test_blocks_of_a_are_broadcast(cbsz: int, abid: int) -> None:
    size = 1 << cbsz
    blocks = {block: block // size * size + abid for block in range(16)}
    run_dense("v_mfma_f32_4x4x1_16b_f32", f"cbsz:{cbsz} abid:{abid}", IDENTITY, blocks)


@pytest.mark.parametrize(
    ("blgp", "lanes"),
    [
        (1, IDENTITY % 32),
        (2, IDENTITY % 32 + 32),
        (3, (IDENTITY + 16) % 64),
        (4, IDENTITY % 16),
        (7, IDENTITY % 16 + 48),
    ],
)
def test_lane_groups_of_b(blgp: int, lanes: np.ndarray) -> None:
    run_dense("v_mfma_f32_32x32x8_f16", f"blgp:{blgp}", lanes, {})


def test_f64_signs() -> None:
    def setup(state: State) -> None:
        values = np.full((64,), 1.5)
        pair = values.view(np.uint32).reshape(64, 2).T
        for first in (0, 2, 4):
            state.vgpr[first : first + 2, 0] = pair

    text = "v_mfma_f64_4x4x4_4b_f64 v[8:9], v[0:1], v[2:3], v[4:5] "
    plain = execute(text, setup).state.vgpr[8:10, 0]
    signed = execute(text + "neg:[1,0,1]", setup).state.vgpr[8:10, 0]
    value = lambda pair: np.ascontiguousarray(pair.T).view(np.float64)[:, 0]  # noqa: E731
    assert (value(plain) == 4 * 2.25 + 1.5).all()
    assert (value(signed) == -(4 * 2.25) - 1.5).all()
