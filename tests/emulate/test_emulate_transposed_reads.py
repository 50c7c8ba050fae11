"""ds_read_b64_tr_* and ds_read_b96_tr_b6: what they are for, and what a published fix says of the hardware.

Second sources: the lane formula of ds_read_b64_tr_b16 in ROCm/rocm-systems 10175; and the use that
kernels make of all four, a matrix product whose B lies in LDS row by row: 16 lanes read 16 columns of 4,
8 or 16 rows, each lane the elements that its address says, and the matrix instruction finds B[k][n] where
its layout wants it. The product is compared with numpy's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.state import State

BITS = {"b16": 16, "b8": 8, "b6": 6, "b4": 4}
A, DATA, ADDRESS, B, D = 0, 8, 20, 24, 40
SMALL = {
    "b16": {0x0000: 0.0, 0x3C00: 1.0, 0xC000: -2.0, 0x3800: 0.5},  # f16
    "b8": {0x00: 0.0, 0x38: 1.0, 0xC0: -2.0, 0x30: 0.5},  # fp8, OCP e4m3
    "b6": {0x00: 0.0, 0x08: 1.0, 0x30: -2.0, 0x04: 0.5},  # fp6, e2m3
    "b4": {0x0: 0.0, 0x2: 1.0, 0xC: -2.0, 0x1: 0.5},  # fp4, e2m1
}
"""Some encodings of each size with their values (OCP formats)."""
DEPTH = {"b16": 16, "b8": 32, "b6": 128, "b4": 128}
INSTRUCTION = {
    "b16": "v_mfma_f32_16x16x16_f16",
    "b8": "v_mfma_f32_16x16x32_fp8_fp8",
    "b6": "v_mfma_f32_16x16x128_f8f6f4",
    "b4": "v_mfma_f32_16x16x128_f8f6f4",
}


def words_of(codes: list[int], bits: int) -> list[int]:
    whole = sum(code << bits * at for at, code in enumerate(codes))
    return [whole >> 32 * at & 0xFFFFFFFF for at in range(-(-len(codes) * bits // 32))]


@pytest.mark.parametrize("kind", list(BITS))
def test_product_with_b_row_by_row_in_lds(kind: str) -> None:
    bits, depth = BITS[kind], DEPTH[kind]
    generator = np.random.default_rng(2)
    codes = list(SMALL[kind])
    a, b = generator.choice(codes, (16, depth)), generator.choice(codes, (depth, 16))
    value = np.vectorize(lambda code: SMALL[kind][int(code)])
    per_lane = depth // 4  # k of a lane
    read = 96 if bits == 6 else 64  # bits of a read
    rows = read // bits  # of B in a read of 16 lanes
    row_bytes = 16 * bits // 8
    reads = per_lane // rows
    image = b"".join(np.array(words_of(row.tolist(), bits), "<u4").tobytes()[:row_bytes] for row in b)
    lane = np.arange(64)

    def setup(state: State) -> None:
        for each in range(64):
            mine = a[each % 16, per_lane * (each // 16) : per_lane * (each // 16 + 1)].tolist()
            state.vgpr[A : A + per_lane * bits // 32, 0, each] = words_of(mine, bits)
        content = np.frombuffer(image.ljust(64 * 32, b"\0"), "<u4").reshape(8, 64, 1)
        state.vgpr[DATA : DATA + 8, 0] = content[..., 0]
        state.vgpr[18, 0] = 4 * lane
        for at in range(reads):
            row = per_lane * (lane // 16) + rows * at + lane % 16 * rows // 16
            state.vgpr[ADDRESS + at, 0] = row * row_bytes + lane % 16 * read // 8 % row_bytes

    width = read // 32
    text = "\n".join(
        [f"ds_write_b32 v18, v{DATA + at} offset:{256 * at}" for at in range(8)]
        + [
            f"ds_read_b{read}_tr_{kind} v[{B + width * at}:{B + width * at + width - 1}], v{ADDRESS + at}"
            for at in range(reads)
        ]
        + [
            f"{INSTRUCTION[kind]} v[{D}:{D + 3}], v[{A}:{A + per_lane * bits // 32 - 1}], "
            f"v[{B}:{B + per_lane * bits // 32 - 1}], 0"
            + {"b6": " cbsz:2 blgp:2", "b4": " cbsz:4 blgp:4"}.get(kind, "")
        ]
    )
    registers = execute(text, setup, arch="gfx950", lds_bytes=4096).state.vgpr[D : D + 4, 0]
    expected = value(a) @ value(b)
    for register in range(4):
        got = registers[register].view(np.float32)
        np.testing.assert_array_equal(got, expected[register + 4 * (lane // 16), lane % 16])


def transposed(kind: str, source: Callable[[int, int], tuple[int, int]], elements: int) -> None:
    """Each lane's n-th element is what ``source`` says, as (lane, element) of what the lanes address."""
    bits = BITS[kind]
    generator = np.random.default_rng(8)
    codes = generator.integers(0, 1 << bits, (64, elements))

    def setup(state: State) -> None:
        for lane in range(64):
            state.vgpr[4:6, 0, lane] = words_of(codes[lane].tolist(), bits)
        state.vgpr[1, 0] = 8 * np.arange(64)

    outcome = execute(f"ds_write_b64 v1, v[4:5]\n ds_read_b64_tr_{kind} v[8:9], v1", setup, arch="gfx950")
    for lane in range(64):
        both = int(outcome.v(8)[0, lane]) | int(outcome.v(9)[0, lane]) << 32
        got = [both >> bits * at & (1 << bits) - 1 for at in range(elements)]
        assert got == [codes[source(lane, at)] for at in range(elements)], lane


def test_halves_by_the_published_formula() -> None:
    transposed("b16", lambda lane, n: ((lane & ~15 | lane >> 2 & 3) + 4 * n, lane & 3), 4)


def test_bytes_as_kernels_address_them() -> None:
    """Lane l of 16 reads row l / 2, columns 8 (l % 2) to 8 (l % 2) + 7, and gets column l of the 8 rows."""
    transposed("b8", lambda lane, n: ((lane & ~15) + 2 * n + (lane & 15) // 8, lane & 7), 8)
