"""ds_swizzle in all its modes against the manual's loops (CDNA3 ISA, DS_SWIZZLE_B32)."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.semantics.lds.exchange import swizzle_lanes
from wavesim.emulate.state import State


def source_lane(offset: int, lane: int) -> int:
    """The lane whose value ``lane`` gets, as the manual's pseudo-code finds it."""
    half = lane & 32
    if offset >= 0xE000:
        mask = offset & 31
        turned = int(f"{lane & 31:05b}"[::-1], 2) >> mask.bit_count()
        return turned | lane & mask | half
    if offset >= 0xC000:
        mask, rotate = offset & 31, offset >> 5 & 31
        rotate = -rotate if offset >> 10 & 1 else rotate
        return (lane & mask | (lane + rotate) & ~mask) & 31 | half
    if offset & 0x8000:
        return lane & ~3 | offset >> 2 * (lane & 3) & 3
    kept = lane & 31 & offset & 31
    return (kept | offset >> 5 & 31) ^ offset >> 10 & 31 | half


OFFSETS = [
    *(0xE000 | mask for mask in range(32)),
    *(
        0xC000 | left << 10 | count << 5 | mask
        for left in (0, 1)
        for count in range(32)
        for mask in (0, 1, 3, 16)
    ),
    *(0x8000 | quad for quad in range(256)),
    *(int(offset) for offset in np.random.default_rng(1).integers(0, 0x8000, 300)),
]


def test_every_lane_gets_what_the_manual_says() -> None:
    for offset in OFFSETS:
        assert swizzle_lanes(offset).tolist() == [source_lane(offset, lane) for lane in range(64)], hex(
            offset
        )


@pytest.mark.parametrize("offset", [0xE010, 0xE000, 0xE01F, 0xE003, 0xC020, 0xC420, 0x80B1, 0x401F, 0x0010])
def test_inactive_lanes_give_zero_and_keep_their_own(offset: int) -> None:
    def setup(state: State) -> None:
        state.vgpr[1] = np.arange(64) + 100
        state.vgpr[20] = 7

    active = 0xFFFF0000F0F0FF0F
    text = f"s_mov_b32 exec_lo, {active & 0xFFFFFFFF:#x}\n s_mov_b32 exec_hi, {active >> 32:#x}\n"
    outcome = execute(f"{text} ds_swizzle_b32 v20, v1 offset:{offset:#x}\n s_waitcnt lgkmcnt(0)", setup)
    for lane in range(64):
        source = source_lane(offset, lane)
        expected = source + 100 if active >> source & 1 else 0
        assert outcome.v(20)[0, lane] == (expected if active >> lane & 1 else 7)
