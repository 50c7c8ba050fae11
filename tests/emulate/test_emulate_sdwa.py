"""SDWA: every select of sources and destination, by a plain reading of the CDNA3 manual (SDWA, 13.3.7).

A source's byte or half is taken out and extended with zeros or its sign; the low bits of the result go to the
destination's part, and the rest is 0 (PAD), the sign above and 0 below (SEXT), or what it was (PRESERVE).
"""

from __future__ import annotations

import numpy as np
from emulate_harness import execute
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.emulate.state import State

PARTS = {
    **{f"BYTE_{at}": (8 * at, 8) for at in range(4)},
    **{f"WORD_{at}": (16 * at, 16) for at in range(2)},
    "DWORD": (0, 32),
}
UNUSED = ("UNUSED_PAD", "UNUSED_SEXT", "UNUSED_PRESERVE")
WORDS = np.random.default_rng(4).integers(0, 2**32, (3, 64), dtype=np.uint64).astype(np.uint32)
WHOLE = 0xFFFFFFFF
INTEGER = {
    "v_add_u32": lambda x, y: x + y,
    "v_sub_u32": lambda x, y: x - y,
    "v_xor_b32": lambda x, y: x ^ y,
    "v_mul_u32_u24": lambda x, y: (x & 0xFFFFFF) * (y & 0xFFFFFF),
    "v_lshlrev_b32": lambda x, y: y << (x & 31),
    "v_max_u32": max,
}


def part_of(word: int, select: str, *, signed: bool) -> int:
    start, size = PARTS[select]
    value = word >> start & (1 << size) - 1
    if signed and value >> size - 1:
        value -= 1 << size
    return value & WHOLE


def put(result: int, before: int, select: str, unused: str) -> int:
    start, size = PARTS[select]
    low = result & (1 << size) - 1
    above = WHOLE << start + size & WHOLE
    if unused == "UNUSED_PRESERVE":
        return before & ~(((1 << size) - 1) << start) & WHOLE | low << start
    if unused == "UNUSED_SEXT" and low >> size - 1:
        return low << start | above
    return low << start


def registers(state: State) -> None:
    state.vgpr[0:3, 0] = WORDS
    state.vgpr[8, 0] = WORDS[2]


SELECT, UNUSED_BITS = st.sampled_from(sorted(PARTS)), st.sampled_from(UNUSED)


@settings(max_examples=200)
@given(st.sampled_from(sorted(INTEGER)), SELECT, UNUSED_BITS, SELECT, SELECT, st.booleans(), st.booleans())
def test_integers(
    opcode: str, dst: str, unused: str, first: str, second: str, first_signed: bool, second_signed: bool
) -> None:
    names = [
        f"sext({name})" if signed else name for name, signed in (("v0", first_signed), ("v1", second_signed))
    ]
    outcome = execute(
        f"{opcode}_sdwa v8, {names[0]}, {names[1]} dst_sel:{dst} dst_unused:{unused} "
        f"src0_sel:{first} src1_sel:{second}",
        registers,
    )
    for lane in range(64):
        x = part_of(int(WORDS[0, lane]), first, signed=first_signed)
        y = part_of(int(WORDS[1, lane]), second, signed=second_signed)
        expected = put(INTEGER[opcode](x, y) & WHOLE, int(WORDS[2, lane]), dst, unused)
        assert int(outcome.v(8)[0, lane]) == expected, lane


@settings(max_examples=60)
@given(
    st.sampled_from(["eq", "lt", "ge", "ne"]), st.sampled_from(["u32", "i32"]), SELECT, SELECT, st.booleans()
)
def test_comparisons(relation: str, kind: str, first: str, second: str, signed: bool) -> None:
    """They write a mask, and have no destination select."""
    name = "sext(v0)" if signed else "v0"
    outcome = execute(
        f"v_cmp_{relation}_{kind}_sdwa s[6:7], {name}, v1 src0_sel:{first} src1_sel:{second}", registers
    )
    for lane in range(64):
        x = part_of(int(WORDS[0, lane]), first, signed=signed)
        y = part_of(int(WORDS[1, lane]), second, signed=False)
        if kind == "i32":
            x, y = ((value ^ 1 << 31) - (1 << 31) for value in (x, y))
        holds = {"eq": x == y, "lt": x < y, "ge": x >= y, "ne": x != y}[relation]
        assert outcome.s64(6) >> lane & 1 == holds, lane


@settings(max_examples=60)
@given(st.integers(0, 1), st.integers(0, 1), SELECT, UNUSED_BITS, st.integers(0, 3), st.integers(0, 3))
def test_halves_with_signs(
    first: int, second: int, dst: str, unused: str, first_sign: int, second_sign: int
) -> None:
    """A half of each source, its magnitude (1) taken, then its sign turned (2); the result is a half."""
    numbers = np.random.default_rng(5).uniform(-9, 9, (2, 64, 2)).astype(np.float16)

    def setup(state: State) -> None:
        registers(state)
        state.vgpr[0:2, 0] = numbers.view(np.uint32)[..., 0]

    def written(name: str, sign: int) -> str:
        name = f"|{name}|" if sign & 1 else name
        return f"-{name}" if sign & 2 else name

    outcome = execute(
        f"v_add_f16_sdwa v8, {written('v0', first_sign)}, {written('v1', second_sign)} dst_sel:{dst} "
        f"dst_unused:{unused} src0_sel:WORD_{first} src1_sel:WORD_{second}",
        setup,
    )

    def read(which: int, half: int, sign: int) -> np.ndarray:
        values = numbers[which, :, half]
        values = np.abs(values) if sign & 1 else values
        return -values if sign & 2 else values

    total = read(0, first, first_sign) + read(1, second, second_sign)
    for lane in range(64):
        expected = put(int(total[lane].view(np.uint16)), int(WORDS[2, lane]), dst, unused)
        assert int(outcome.v(8)[0, lane]) == expected, lane
