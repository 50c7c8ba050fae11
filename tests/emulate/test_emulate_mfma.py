"""Matrix instructions against an element-by-element reading of the ISA manual's layout formulas."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.elements import minifloat
from wavesim.emulate.semantics.matrix.mfma import multiply, shape_of
from wavesim.emulate.state import State
from wavesim.isa.opcodes import opcode_table

A, B, C, D = 0, 8, 16, 64
KINDS = {"bf16": 16, "f16": 16, "i8": 8, "fp8": 8, "bf8": 8, "f32": 32, "xf32": 32, "f64": 64}


def supported(arch: str) -> list[str]:
    return [
        name
        for name, info in opcode_table().items()
        if info.kind == "mfma" and arch in info.archs and shape_of(name) and "f8f6f4" not in name
    ]


def element(registers: np.ndarray, item: int, lane: int, kind: str, arch: str) -> float:
    """Item of a lane of one wave's registers [count, 64]."""
    bits = KINDS[kind]
    if bits == 64:
        pair = registers[2 * item : 2 * item + 2, lane].copy()
        return float(pair.view(np.float64)[0])
    word = int(registers[item * bits // 32, lane]) >> item * bits % 32 & (1 << bits) - 1
    if kind in ("f32", "xf32"):
        return float(np.uint32(word).view(np.float32))
    if kind == "bf16":
        return float(np.uint32(word << 16).view(np.float32))
    if kind == "f16":
        return float(np.uint16(word).view(np.float16))
    if kind == "i8":
        return float(np.int8(word - 256 if word > 127 else word))
    return float(minifloat(kind, arch).values[word])


def fill(generator: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Register contents that are small numbers of a kind."""
    if kind in ("i8",):
        return generator.integers(0, 2**32, shape, dtype=np.uint64).astype(np.uint32)
    if kind in ("fp8", "bf8"):
        octets = generator.integers(0, 0x48, (*shape, 4)).astype(np.uint8) | (
            generator.integers(0, 2, (*shape, 4)) << 7
        ).astype(np.uint8)
        octets[octets == 0x80] = 0
        return octets.view(np.uint32)[..., 0]
    if kind == "f64":
        values = generator.integers(-8, 8, (shape[0] // 2, *shape[1:])).astype(np.float64) / 4
        pairs = np.ascontiguousarray(values).view(np.uint32).reshape(*values.shape, 2)
        return np.moveaxis(pairs, -1, 1).reshape(shape)
    values = generator.integers(-8, 8, (*shape, 2)).astype(np.float32) / 4
    if kind == "bf16":
        halves = (values.view(np.uint32) >> 16).astype(np.uint16)
        return np.ascontiguousarray(halves).view(np.uint32)[..., 0]
    if kind == "f16":
        return np.ascontiguousarray(values.astype(np.float16)).view(np.uint32)[..., 0]
    return values[..., 0].copy().view(np.uint32)


@pytest.mark.parametrize(
    ("arch", "opcode"),
    [("gfx942", name) for name in supported("gfx942")]
    + [("gfx950", name) for name in supported("gfx950") if name not in supported("gfx942")]
    + [
        ("gfx90a", name)
        for name in ("v_mfma_f32_32x32x8bf16_1k", "v_mfma_f32_4x4x4f16", "v_mfma_f32_16x16x1f32")
    ],
)
def test_layout(arch: str, opcode: str) -> None:
    info = opcode_table()[opcode]
    shape = shape_of(opcode)
    assert shape is not None
    m, n, k, blocks = shape.m, shape.n, shape.k, shape.blocks
    counts = [spec.dwords for spec in info.operands]
    generator = np.random.default_rng(1)
    result_kind = {"i32": "i32"}.get(shape.result, shape.result)

    def setup(state: State) -> None:
        state.vgpr[A : A + counts[1]] = fill(generator, shape.a, state.vgpr[A : A + counts[1]].shape)
        state.vgpr[B : B + counts[2]] = fill(generator, shape.b, state.vgpr[B : B + counts[2]].shape)
        rows = state.vgpr[C : C + counts[3]]
        rows[...] = (
            generator.integers(0, 1000, rows.shape)
            if result_kind == "i32"
            else fill(generator, result_kind, rows.shape)
        )

    def span(first: int, count: int) -> str:
        return f"v[{first}:{first + count - 1}]" if count > 1 else f"v{first}"

    outcome = execute(
        f"{opcode} {span(D, counts[0])}, {span(A, counts[1])}, {span(B, counts[2])}, {span(C, counts[3])}",
        setup,
        waves=2,
        arch=arch,
    )
    per_lane = k * m * blocks // 64
    height = 1 if shape.result == "f64" else 4
    inner = max(1, 64 * height // (m * n))
    rows_inner = 64 // (inner * n)
    groups = m // (height * rows_inner)
    wave = 1
    registers = outcome.state.vgpr[:, wave]
    a, b = registers[A : A + counts[1]], registers[B : B + counts[2]]
    c, d = registers[C : C + counts[3]], registers[D : D + counts[0]]

    def input_of(side: np.ndarray, kind: str, row: int, inner_k: int, block: int) -> float:
        lane = row + m * (block + blocks * (inner_k // per_lane))
        return element(side, inner_k % per_lane, lane, kind, arch)

    for i, j, block in generator.integers(0, [m, n, blocks], (24, 3)).tolist():
        item = i % height + height * (i // (height * rows_inner) + groups * (block // inner))
        lane = j + n * (i // height % rows_inner + rows_inner * (block % inner))
        total = sum(
            input_of(a, shape.a, i, kk, block) * input_of(b, shape.b, j, kk, block) for kk in range(k)
        )
        if shape.result == "i32":
            assert int(d[item, lane]) == (int(c[item, lane]) + int(total)) % 2**32
        else:
            kind = shape.result
            expected = element(c, item, lane, kind, arch) + total
            assert element(d, item, lane, kind, arch) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_accumulates_in_place_with_a_constant_and_in_agprs() -> None:
    def setup(state: State) -> None:
        state.vgpr[0:4] = 0x3F803F80  # bf16 ones

    outcome = execute(
        """
        v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[2:3], 0
        v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[2:3], a[0:3]
        v_mfma_f32_16x16x16_bf16 v[8:11], v[0:1], v[2:3], 1.0
        v_accvgpr_read_b32 v12, a3
        """,
        setup,
    )
    assert (outcome.v(12, np.float32) == 32).all()
    assert (outcome.v(10, np.float32) == 17).all()


def test_exec_does_not_matter() -> None:
    def setup(state: State) -> None:
        state.vgpr[0:4] = 0x3F803F80

    outcome = execute(
        "s_mov_b64 exec, 1\n v_mfma_f32_16x16x16_bf16 v[8:11], v[0:1], v[2:3], 0\n s_mov_b64 exec, -1", setup
    )
    assert (outcome.v(8, np.float32) == 16).all()


def test_scaled_f8f6f4_with_fp4() -> None:
    """fp4 ones (code 2) and scales 2^1 and 2^-2: 128 products of 0.5."""

    def setup(state: State) -> None:
        state.vgpr[0:8] = 0x22222222
        state.vgpr[8] = 128
        state.vgpr[9] = 125

    outcome = execute(
        "v_mfma_scale_f32_16x16x128_f8f6f4 v[16:19], v[0:3], v[4:7], 0, v8, v9 "
        "op_sel_hi:[0,0,0] cbsz:4 blgp:4",
        setup,
        arch="gfx950",
    )
    assert (outcome.v(16, np.float32) == 64).all()


def test_unscaled_f8f6f4_equals_fp8_products() -> None:
    def setup(state: State) -> None:
        state.vgpr[0:16] = 0x38383838  # OCP e4m3 ones

    outcome = execute("v_mfma_f32_16x16x128_f8f6f4 v[16:19], v[0:7], v[8:15], 0", setup, arch="gfx950")
    assert (outcome.v(17, np.float32) == 128).all()


@pytest.mark.parametrize(("m", "depth"), [(16, 128), (32, 64)])
@pytest.mark.parametrize("formats", [(0, 0), (0, 4), (4, 1), (4, 4)])
def test_f8f6f4_operand_layout(m: int, depth: int, formats: tuple[int, int]) -> None:
    """A row of A holds one 1 at each K in turn, B holds codes of K, scales differ by K block: 8-bit items lie
    16 of the lower half of K and 16 of the upper, 4-bit ones 32 in a row; a scale belongs to 32 of K."""
    groups = 64 // m
    bits = [4 if each == 4 else 8 for each in formats]
    one = [{0: 0x38, 1: 0x3C, 4: 0x2}[each] for each in formats]
    generator = np.random.default_rng(3)
    nonzero = [generator.integers(0, 2, (m, depth)) for _ in range(2)]
    exponents = [generator.integers(-2, 3, (m, depth // 32)) for _ in range(2)]

    def place(k: int, width: int) -> tuple[int, int]:
        """(group of lanes, item) of K."""
        if width == 4:
            return k // 32, k % 32
        return k % (depth // 2) // 16, k % 16 + 16 * (k // (depth // 2))

    def setup(state: State) -> None:
        state.vgpr[0:20] = 0
        for which in range(2):
            for row, k in zip(*np.nonzero(nonzero[which]), strict=True):
                group, item = place(int(k), bits[which])
                per_word = 32 // bits[which]
                word = 8 * which + item // per_word
                state.vgpr[word, 0, group * m + row] |= np.uint32(
                    one[which] << bits[which] * (item % per_word)
                )
            for lane in range(64):
                state.vgpr[16 + which, 0, lane] = 127 + exponents[which][lane % m, lane // m]

    registers = {4: 3, 0: 7, 1: 7}
    text = (
        f"v_mfma_scale_f32_{m}x{m}x{depth}_f8f6f4 v[20:{19 + m * m // 64}], v[0:{registers[formats[0]]}], "
        f"v[8:{8 + registers[formats[1]]}], 0, v16, v17 op_sel_hi:[0,0,0] cbsz:{formats[0]} blgp:{formats[1]}"
    )
    outcome = execute(text, setup, arch="gfx950")
    matrices = [nonzero[at] * np.repeat(np.exp2(exponents[at]), 32, axis=1) for at in range(2)]
    expected = matrices[0] @ matrices[1].T
    for register in range(m * m // 64):
        rows = 8 * (register // 4) + register % 4 + 4 * (np.arange(64) // m)
        got = outcome.v(20 + register, np.float32)[0]
        assert (got == expected[rows, np.arange(64) % m]).all(), (register, groups)


@pytest.mark.parametrize("k", [8, 16, 32, 128])
def test_products_do_not_depend_on_the_order_of_the_sum(k: int) -> None:
    """numpy sums in the order of the processor's BLAS; the same kernel prints the same bytes anywhere."""
    generator = np.random.default_rng(k)
    words = generator.uniform(-1, 1, (2, 4, k, 32)).astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    a, b = words.view(np.float32)
    order = generator.permutation(k)
    assert np.array_equal(multiply(a, b), multiply(a[:, order], b[:, order]))


@pytest.mark.parametrize(
    "between",
    [
        "s_nop 7",
        "v_mov_b32_e32 v1, v10",
        "v_mfma_f32_4x4x1_16b_f32 v[0:3], v20, v21, v[0:3]",
        "ds_read_b64 v[0:1], v30\n s_waitcnt lgkmcnt(0)",
        "v_swap_b32 v2, v10",
    ],
)
def test_a_factor_is_read_again_when_something_between_wrote_it(between: str) -> None:
    """Instructions of a block that multiply the same registers share what they read; a jump between them
    ends the block, and nothing is shared."""

    def setup(state: State) -> None:
        for row in range(24):
            state.vgpr[row] = (
                (np.random.default_rng(row).random((1, 64)) + 0.5).astype(np.float32).view(np.uint32)
            )
        state.vgpr[state.agpr_base] = state.vgpr[5]
        state.vgpr[30] = 0

    product = "v_mfma_f32_32x32x8_bf16 v[{}], v[0:1], v[2:3], 0\n"
    parts = [product.format("32:47"), between, product.format("48:63") + "s_nop 7"]
    shared = execute("\n".join(parts), setup)
    apart = execute(
        "\n s_branch b\n b:\n".join((parts[0], parts[1] + "\n s_branch c\n c:\n" + parts[2])), setup
    )
    np.testing.assert_array_equal(shared.state.vgpr, apart.state.vgpr)
