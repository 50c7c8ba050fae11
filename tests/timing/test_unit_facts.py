"""The unit facts that silicon shows, to the clock, on both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import builders as b
import pytest

from wavesim.timing import ENGINES, simulate
from wavesim.trace import CodeEntry, Timeline

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def timed(
    engine: str,
    bodies: Mapping[int, Sequence[CodeEntry]] | Sequence[Sequence[CodeEntry]],
    arch: str = "gfx942",
) -> Timeline:
    return simulate(b.streams(bodies, arch), b.parameters(arch), engine=engine)


def issue(timeline: Timeline, wave: int = 0) -> list[int]:
    clocks: list[int] = timeline.waves[wave].issue_clk.tolist()
    return clocks


@pytest.mark.parametrize(("arch", "width", "clk"), [("gfx942", 8, 56), ("gfx950", 16, 52)])
def test_isolated_read_to_the_end_of_its_wait(engine: str, arch: str, width: int, clk: int) -> None:
    wave = timed(engine, [[b.lds_read(width), b.wait(lgkm=0)]], arch).waves[0]
    assert wave.end_clk[1] - wave.issue_clk[0] == clk


@pytest.mark.parametrize(("data_bytes", "hold_clk", "clk"), [(4, 8, 56), (0, 4, 48)])
def test_isolated_permutation_and_swizzle_of_lanes(
    engine: str, data_bytes: int, hold_clk: int, clk: int
) -> None:
    """ATT: ds_bpermute_b32 holds its wave 8 clk and is back after 56, ds_swizzle_b32 4 and 48."""
    wave = timed(engine, [[b.lds_exchange(data_bytes), b.wait(lgkm=0)]], "gfx950").waves[0]
    assert (wave.end_clk[0] - wave.issue_clk[0], wave.end_clk[1] - wave.issue_clk[0]) == (hold_clk, clk)


@pytest.mark.parametrize(("arch", "opcode"), [("gfx942", b.MFMA_942), ("gfx950", b.MFMA_950)])
def test_mfma_back_to_back(engine: str, arch: str, opcode: str) -> None:
    assert issue(timed(engine, [[b.mfma(opcode, 4)] * 4], arch))[:4] == [0, 16, 32, 48]


def test_vector_instruction_after_an_mfma_on_gfx950(engine: str) -> None:
    """Another wave's VALU and LDS read are kept out at +0 and +4, and issue at +8."""
    code = b.one_chunk([b.mfma(b.MFMA_950, 4), b.endpgm(), b.valu(), b.endpgm(), b.lds_read(16), b.endpgm()])
    waves = [b.wave([2 * i, 2 * i + 1], simd=0, number=i) for i in range(3)]
    timeline = simulate(b.trace(code, waves, "gfx950"), b.parameters("gfx950"), engine=engine)
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 8, 8]


def test_24_reads_by_each_of_four_waves(engine: str) -> None:
    timeline = timed(engine, [[b.lds_read(8)] * 24 + [b.wait(lgkm=0)]] * 4)
    clocks = [int(wave.end_clk[24] - wave.issue_clk[0]) for wave in timeline.waves]
    assert clocks == [424, 428, 424, 428]


def test_burst_of_reads_by_both_simds_of_a_pair(engine: str) -> None:
    """Silicon: 0, 8, 16, 24, 32, 44, 60, 76 on the SIMD that starts first; 0, 8, ..., 32, 48, 64, 80 on
    its partner, 4 clk later: the same schedule of the shared port."""
    timeline = timed(engine, [[b.lds_read(8)] * 8] * 2)
    first, second = issue(timeline, 0)[:8], issue(timeline, 1)[:8]
    assert [clk - first[0] for clk in first] == [0, 8, 16, 24, 32, 44, 60, 76]
    assert second[0] == first[0] + 4
    assert [clk - second[0] for clk in second] == [0, 8, 16, 24, 32, 48, 64, 80]


def test_last_of_16_writes_to_the_end_of_its_wait(engine: str) -> None:
    wave = timed(engine, [[b.lds_write(8)] * 16 + [b.wait(lgkm=0)]]).waves[0]
    assert wave.end_clk[16] - wave.issue_clk[15] == 60


@pytest.mark.parametrize(
    ("waves", "by_conflict"), [(1, {4: 8, 8: 8, 16: 16, 32: 32}), (4, {4: 16, 8: 32, 16: 64, 32: 128})]
)
def test_read_interval_under_conflicts(engine: str, waves: int, by_conflict: dict[int, int]) -> None:
    """gfx950 b128: 0-, 2-, 4-, 8-way conflicts; clocks per instruction of each wave, in the steady part."""
    for array_clk, interval in by_conflict.items():
        reads = 40
        code = b.one_chunk([b.lds_read(16), b.endpgm()])
        streams = [
            b.wave(
                [0] * reads + [1],
                simd=simd,
                number=simd,
                array_clk=dict.fromkeys(range(reads), array_clk),
            )
            for simd in range(waves)
        ]
        timeline = simulate(b.trace(code, streams, "gfx950"), b.parameters("gfx950"), engine=engine)
        done = timeline.waves[0].done_clk[:reads]
        assert done[30] - done[28] == 2 * interval


def test_ping_pong_hand_over(engine: str) -> None:
    """Last MFMA of one wave to the first MFMA of the other wave of its SIMD, over a barrier: 24 (+-4)."""
    body = [b.setprio(1)] + [b.mfma()] * 4 + [b.setprio(0), b.barrier()]
    code = b.one_chunk([*body, b.endpgm(), b.barrier(), *body[:-1], b.endpgm()])
    waves = []
    for number in range(8):
        rows = range(0, 8) if number < 4 else range(8, 16)
        waves.append(b.wave(list(rows), simd=number % 4, number=number))
    timeline = simulate(b.trace(code, waves), b.parameters(), engine=engine)
    for simd in range(4):
        hand_over = timeline.waves[simd + 4].issue_clk[2] - timeline.waves[simd].issue_clk[4]
        assert 20 <= hand_over <= 28
