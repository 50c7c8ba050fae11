"""Timelines derived by hand from docs/model; each comment names the section that gives the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import builders as b
import numpy as np
import pytest

from wavesim.timing import ENGINES, simulate
from wavesim.trace import CodeEntry, Reason, Spin, Timeline, Trace
from wavesim.trace.code import SlotShare

pytestmark = pytest.mark.parametrize("engine", ENGINES)

Bodies = Mapping[int, Sequence[CodeEntry]] | Sequence[Sequence[CodeEntry]]


def timed(engine: str, bodies: Bodies, arch: str = "gfx942", *, fetch: bool = False) -> Timeline:
    return time_trace(engine, b.streams(bodies, arch, fetch=fetch))


def time_trace(engine: str, trace: Trace) -> Timeline:
    return simulate(trace, b.parameters(trace.arch), engine=engine)


def same_simd(engine: str, bodies: Sequence[Sequence[CodeEntry]], arch: str = "gfx942") -> Timeline:
    """All waves on SIMD 0, oldest first; s_endpgm is added; no fetch effects."""
    code: list[CodeEntry] = []
    waves = []
    for number, body in enumerate(bodies):
        waves.append(b.wave(range(len(code), len(code) + len(body) + 1), number=number))
        code += [*body, b.endpgm()]
    return time_trace(engine, b.trace(b.one_chunk(code), waves, arch))


def issue(timeline: Timeline, wave: int = 0) -> list[int]:
    clocks: list[int] = timeline.waves[wave].issue_clk.tolist()
    return clocks


def stalls(timeline: Timeline, wave: int = 0) -> list[tuple[int, Reason, int]]:
    of = timeline.waves[wave]
    return [
        (int(row), Reason(int(reason)), int(clk))
        for row, reason, clk in zip(of.stall_row, of.stall_reason, of.stall_clk, strict=True)
    ]


def test_isolated_b64_read(engine: str) -> None:
    # §6: h = 0, p = 64 * 8 / 64 = 8, a = 4: done = 8, returns at 8 + 44 = 52. §7: the wait issues then and
    # costs 4.
    timeline = timed(engine, [[b.lds_read(8), b.wait(lgkm=0)]])
    assert issue(timeline) == [0, 52, 56]
    assert timeline.waves[0].attempt_clk.tolist() == [0, 4, 56]
    assert timeline.waves[0].done_clk[0] == 52
    assert stalls(timeline) == [(1, Reason.LGKMCNT, 48)]
    assert timeline.clk_total == 60


def test_isolated_b128_read_on_gfx950(engine: str) -> None:
    # §6: p = 64 * 16 / 128 = 8, a = 4, latency 40: 48, and the wait to 52.
    assert issue(timed(engine, [[b.lds_read(16), b.wait(lgkm=0)]], "gfx950")) == [0, 48, 52]


def test_partial_waits_see_returns_one_by_one(engine: str) -> None:
    # §6: reads issue at 0, 4, 8; heads at 0, 8, 16; done at 8, 16, 24; returns at 52, 60, 68.
    body = [b.lds_read(8)] * 3 + [b.wait(lgkm=2), b.wait(lgkm=1), b.wait(lgkm=0)]
    assert issue(timed(engine, [body])) == [0, 4, 8, 52, 60, 68, 72]


def test_write_latency_and_hold_of_the_wave(engine: str) -> None:
    # §6: b64 writes hold their wave 12: 0, 12; p = 12: done at 12, 24; returns 24 + 44 = 68.
    timeline = timed(engine, [[b.lds_write(8), b.lds_write(8), b.wait(lgkm=0)]])
    assert issue(timeline) == [0, 12, 68, 72]
    assert timeline.waves[0].end_clk.tolist() == [12, 24, 72, 76]


def test_a_read_that_sends_data_holds_as_a_write_of_that_data(engine: str) -> None:
    # §6: SIMDs 0 and 1 ask at 0, 0 wins and holds the pair to 12; then 1 to 24. p = max(4, 12): done at
    # 12 and 24, back at + 44 as a write. The other pair is free: its read issues at 0.
    timeline = timed(engine, [[b.lds_exchange(8)], [b.lds_exchange(8)], [b.lds_read(4)]], "gfx950")
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 12, 0]
    assert [int(wave.done_clk[0]) for wave in timeline.waves[:2]] == [56, 68]
    assert stalls(timeline, 1) == [(0, Reason.PORT, 4), (0, Reason.LDS_HOLD, 8)]


def test_a_write_holds_its_pair_and_not_the_other(engine: str) -> None:
    # §6, §11: SIMDs 0 and 1 ask at 0; the lower wins (port), then its write holds the pair to 20.
    timeline = timed(engine, [[b.lds_write(16)], [b.lds_read(8)], [b.lds_read(8)]])
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 20, 0]
    assert stalls(timeline, 1) == [(0, Reason.PORT, 4), (0, Reason.LDS_HOLD, 16)]


def test_simds_of_a_pair_alternate(engine: str) -> None:
    # §11: one grant per slot, the SIMD not granted last wins.
    timeline = timed(engine, [[b.lds_read(4)] * 3, [b.lds_read(4)] * 3])
    assert issue(timeline, 0)[:3] == [0, 8, 16]
    assert issue(timeline, 1)[:3] == [4, 12, 20]


def test_queue_full(engine: str) -> None:
    # §6: ten b64 reads issue at 0, 4, ..., 36; the first is done at 8: its entry is free at 8 + 36 = 44.
    # The next is done at 16: 52; and so on by 8.
    timeline = timed(engine, [[b.lds_read(8)] * 12])
    assert issue(timeline)[:12] == [*range(0, 40, 4), 44, 52]
    assert stalls(timeline) == [(10, Reason.LDS_QUEUE, 4), (11, Reason.LDS_QUEUE, 4)]


def conflicted(pairs: int) -> Trace:
    """gfx942 b64 reads of 8 array clocks (2-way conflict), four by one SIMD of each pair."""
    code = b.one_chunk([b.lds_read(8), b.endpgm()])
    array = dict.fromkeys(range(4), 8)
    waves = [b.wave([0] * 4 + [1], simd=2 * pair, number=pair, array_clk=array) for pair in range(pairs)]
    return b.trace(code, waves)


def test_two_way_conflict_of_one_pair_is_free(engine: str) -> None:
    # §6: array 8 clk beside port 8 clk: done at 8, 16, 24, 32 as without a conflict; + 44.
    done = time_trace(engine, conflicted(1)).waves[0].done_clk
    assert done[:4].tolist() == [52, 60, 68, 76]


def test_two_way_conflict_of_both_pairs_costs_twice(engine: str) -> None:
    # §6: both heads ask at 0, pair 0 first: [0, 8), pair 1 [8, 16). Pair 0 asks again at 8: [16, 24), done
    # at 24; and so on in turn.
    timeline = time_trace(engine, conflicted(2))
    assert timeline.waves[0].done_clk[:4].tolist() == [clk + 44 for clk in (8, 24, 40, 56)]
    assert timeline.waves[1].done_clk[:4].tolist() == [clk + 44 for clk in (16, 32, 48, 64)]
    array = timeline.busy["lds_array", 0]
    assert array.start_clk.tolist() == list(range(0, 64, 8))
    assert array.wave.tolist() == [0, 1] * 4


def test_full_counter(engine: str) -> None:
    # §7: seven x2 scalar loads count 14; an eighth would make 16. The first is back at 0 + 44: issue at 44.
    timeline = timed(engine, [[b.smem(2)] * 8])
    assert issue(timeline)[:8] == [0, 4, 8, 12, 16, 20, 24, 44]
    assert stalls(timeline) == [(7, Reason.COUNTER_FULL, 16)]


def test_scalar_load(engine: str) -> None:
    # §7: returns after 44 (gfx942), 36 (gfx950); the wait ends 4 later.
    assert issue(timed(engine, [[b.smem(1), b.wait(lgkm=0)]])) == [0, 44, 48]
    assert issue(timed(engine, [[b.smem(1), b.wait(lgkm=0)]], "gfx950")) == [0, 36, 40]


def test_nops_and_sleeps(engine: str) -> None:
    # §2: s_nop k takes 4 (k + 1), s_sleep n max(4, 64 n).
    timeline = timed(engine, [[b.nop(0), b.nop(3), b.sleep(0), b.sleep(2)]])
    assert issue(timeline) == [0, 4, 20, 24, 152]


def test_mfma_chain_and_the_valu_of_another_wave(engine: str) -> None:
    # §5: 4 passes of 4 clk: 0, 16, 32. §11: gfx942 keeps VALU out of the same slot only: 4, 8, 12, [16], 20.
    timeline = same_simd(engine, [[b.mfma(b.MFMA_942)] * 3, [b.valu()] * 4])
    assert issue(timeline)[:3] == [0, 16, 32]
    assert issue(timeline, 1)[:4] == [4, 8, 12, 20]
    assert stalls(timeline, 1) == [(0, Reason.MFMA_COISSUE, 4), (3, Reason.MFMA_COISSUE, 4)]


def test_an_older_valu_keeps_the_mfma_out(engine: str) -> None:
    # §11: in order of rank; the conflict holds both ways.
    timeline = same_simd(engine, [[b.valu()], [b.mfma(b.MFMA_942)]])
    assert [issue(timeline, wave)[0] for wave in range(2)] == [0, 4]
    assert stalls(timeline, 1) == [(0, Reason.MFMA_COISSUE, 4)]


@pytest.mark.parametrize(("vgprs", "valu", "memory"), [(2, 4, 4), (4, 8, 8), (8, 12, 8)])
def test_mfma_blocks_of_gfx950(engine: str, vgprs: int, valu: int, memory: int) -> None:
    # §5: counted from the MFMA's issue, by the registers of the larger of A and B.
    bodies = [[b.mfma(b.MFMA_950, vgprs)], [b.valu()], [b.lds_read(16)], [b.load(16)], [b.salu()]]
    timeline = same_simd(engine, bodies, "gfx950")
    assert [issue(timeline, wave)[0] for wave in range(5)] == [0, valu, memory, memory, 0]


def test_scaled_mfma(engine: str) -> None:
    # §5: fp8 f8f6f4 16x16x128 takes 8 passes, 32 clk. t0 = 0, t1 = 4: end 8, pipe to 36. The second's t0 is
    # 36 - 4 = 32: t1 = 36, end 40, pipe to 68. The third's t0 is 64: t1 = 68, pipe to 100. The other wave's
    # plain MFMA finds the pipe free at 100 only.
    scaled = b.mfma(b.MFMA_SCALED, 8, fmt="fp8", scaled=True)
    timeline = same_simd(engine, [[scaled] * 3, [b.mfma(b.MFMA_950, 4)]], "gfx950")
    assert issue(timeline)[:3] == [0, 32, 64]
    assert timeline.waves[0].end_clk[:3].tolist() == [8, 40, 72]
    assert timeline.waves[0].done_clk[:3].tolist() == [36, 68, 100]
    assert issue(timeline, 1)[0] == 100
    assert timeline.busy["mfma", 0].start_clk.tolist() == [4, 36, 68, 100]


def test_two_valu_in_a_slot_on_gfx950(engine: str) -> None:
    # §9: two of different waves; the third waits; one that never shares goes alone.
    timeline = same_simd(engine, [[b.valu()], [b.valu()], [b.valu()], [b.valu(b.ALONE)]], "gfx950")
    assert [issue(timeline, wave)[0] for wave in range(4)] == [0, 0, 4, 8]
    assert stalls(timeline, 3) == [(0, Reason.ARBITRATION, 8)]


SHARED_SLOTS = {
    "classes of sum 3": (SlotShare(1, 0), SlotShare(0, 2), True),
    "and the other way round": (SlotShare(2, 0), SlotShare(0, 1), True),
    "classes of sum 2": (SlotShare(1, 2), SlotShare(2, 1), False),
    "class 0": (SlotShare(2, 2), SlotShare(2, 0), False),
    "one reads an SGPR": (SlotShare(2, 2, scalar_read=True), b.FREE, True),
    "both read an SGPR": (SlotShare(2, 2, scalar_read=True), SlotShare(2, 2, scalar_read=True), False),
    "one reads, one writes": (SlotShare(2, 2, scalar_read=True), SlotShare(2, 2, scalar_write=True), True),
    "both write an SGPR": (SlotShare(2, 2, scalar_write=True), SlotShare(2, 2, scalar_write=True), False),
    "four reads of a bank": (SlotShare(2, 2, odd_reads=2, even_reads=1), SlotShare(2, 2, odd_reads=2), True),
    "five reads of a bank": (SlotShare(2, 2, odd_reads=2), SlotShare(2, 2, odd_reads=3), False),
    "first source behind three": (
        SlotShare(2, 2, even_reads=3),
        SlotShare(2, 2, even_reads=1, first_even=True),
        False,
    ),
    "first source behind two": (
        SlotShare(2, 2, even_reads=2),
        SlotShare(2, 2, even_reads=1, first_even=True),
        True,
    ),
    "first source of the other bank": (
        SlotShare(2, 2, even_reads=3),
        SlotShare(2, 2, odd_reads=1, first_odd=True),
        True,
    ),
}


@pytest.mark.parametrize("case", SHARED_SLOTS)
def test_which_valu_share_a_slot_on_gfx950(engine: str, case: str) -> None:
    # §9: the older wave's is first in rank; classes, scalar ports and the two VGPR banks decide.
    first, second, together = SHARED_SLOTS[case]
    timeline = same_simd(engine, [[b.valu(first)], [b.valu(second)]], "gfx950")
    assert [issue(timeline, wave)[0] for wave in range(2)] == [0, 0 if together else 4]


def test_a_third_wave_shares_where_the_second_cannot(engine: str) -> None:
    # §9, §11: candidates are looked at in order of rank; who has no room beside the first is passed over.
    timeline = same_simd(engine, [[b.valu()], [b.valu(b.ALONE)], [b.valu()]], "gfx950")
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 4, 0]


def test_packed_f32_waits_for_the_matrix_pipe(engine: str) -> None:
    # §5: bf16 16x16x32, issued at 0: the pipe is free at 16, packed f32 from 16 + 12 = 28; other VALU at 4
    # (§5: 4 clk of block). The MFMA blocks VALU until 4: mfma_coissue, from then on matrix_pipe.
    bodies = [[b.mfma(b.MFMA_950)], [b.valu(b.ALONE, packed_f32=True)], [b.valu(b.ALONE)]]
    timeline = same_simd(engine, bodies, "gfx950")
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 28, 4]
    assert stalls(timeline, 1) == [(0, Reason.MFMA_COISSUE, 4), (0, Reason.MATRIX_PIPE, 24)]


def test_a_multi_slot_valu_holds_the_valu_on_gfx950(engine: str) -> None:
    # §9: 8 clk for its wave and its SIMD's VALU; one slot on gfx942.
    swap = b.valu(b.ALONE, multi_slot=True)
    for arch, clocks in (("gfx950", [0, 8, 12]), ("gfx942", [0, 4, 8])):
        timeline = same_simd(engine, [[swap, b.valu(b.ALONE)], [b.valu(b.ALONE)]], arch)
        assert [*issue(timeline)[:2], issue(timeline, 1)[0]] == clocks


def test_no_two_valu_in_a_slot_behind_an_mfma_on_gfx950(engine: str) -> None:
    # §5: bf16 16x16x32 takes 4 passes of 4 clk, issued at 0: the pipe is free at 16. §9: two VALU in a slot
    # from 16 + 12 = 28. Both waves come to 24; there the older goes alone, at 28 both do.
    mfma = [b.mfma(b.MFMA_950), b.nop(4), b.valu(), b.valu()]
    timeline = same_simd(engine, [mfma, [b.nop(5), b.valu(), b.valu()]], "gfx950")
    assert issue(timeline)[2:4] == [24, 28]
    assert issue(timeline, 1)[1:3] == [28, 32]
    assert stalls(timeline, 1) == [(1, Reason.ARBITRATION, 4)]


def test_vector_turns_at_the_beginning_of_a_gfx950_run(engine: str) -> None:
    # §9: turns are called, so slot 0 is free and first, slots 1 to 32 are restricted and active. The turn is
    # SIMD 0's in slots 1-3, 1's in 4-11, 2's in 12-19 and 3's in 20-27, who do not ask: 0's, the next round;
    # 0's in 28-32. Then both go side by side.
    timeline = timed(engine, [[b.valu()] * 30, [b.valu()] * 12], "gfx950")
    assert issue(timeline)[:30] == [4 * slot for slot in (0, 1, 2, 3, *range(12, 38))]
    assert issue(timeline, 1)[:12] == [4 * slot for slot in (0, *range(4, 12), 33, 34, 35)]
    assert stalls(timeline, 1) == [(1, Reason.ARBITRATION, 12), (9, Reason.ARBITRATION, 84)]


@pytest.mark.parametrize(("idle_slots", "clocks"), [(7, [164, 164]), (8, [168, 172])])
def test_a_pause_calls_vector_turns_again(engine: str, idle_slots: int, clocks: list[int]) -> None:
    # §9: SIMD 0 alone is active in slots 0 to 32, which ends the turns. Slots 33 to 32 + idle_slots are not
    # active. After 8 turns are called: slot 41 is free, in slot 42 the turn is SIMD 0's, as it was in 32.
    pause = b.nop(idle_slots - 1)
    bodies = [
        [*[b.valu()] * 33, pause, b.valu(), b.valu()],
        [b.nop(15), b.nop(15), b.nop(0), pause, b.valu(), b.valu()],
    ]
    timeline = timed(engine, bodies, "gfx950")
    assert [issue(timeline)[34], issue(timeline, 1)[4]] == [4 * (33 + idle_slots)] * 2
    assert [issue(timeline)[35], issue(timeline, 1)[5]] == clocks


def test_a_scaled_mfma_keeps_its_turn_for_two_slots(engine: str) -> None:
    # §9: slot 0 is free. In slot 1 the turn is SIMD 0's: its MFMA issues at 4, its matrix half at 8: none
    # goes in slot 2. SIMD 0 has no more.
    scaled = b.mfma(b.MFMA_SCALED, 4, fmt="fp4", scaled=True)
    timeline = timed(engine, [[b.valu(), scaled], [b.valu()] * 2], "gfx950")
    assert issue(timeline)[:2] == [0, 4]
    assert issue(timeline, 1)[:2] == [0, 12]


def test_transcendental_holds_the_valu(engine: str) -> None:
    # §9: 16 clk on gfx942: §11 has the other wave lose the slot at 0 (arbitration), then §2.10.
    timeline = same_simd(engine, [[b.trans()], [b.valu()], [b.salu()]])
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 16, 0]
    assert stalls(timeline, 1) == [(0, Reason.ARBITRATION, 4), (0, Reason.VALU_BUSY, 12)]
    assert timeline.waves[0].end_clk[0] == 16


def test_age_and_priority(engine: str) -> None:
    # §11: the older first; §9: after s_setprio (in force from 4) the younger first.
    timeline = same_simd(engine, [[b.valu()] * 4, [b.setprio(1), b.valu(), b.valu()]])
    assert issue(timeline)[:4] == [0, 12, 16, 20]
    assert issue(timeline, 1)[:3] == [0, 4, 8]
    assert stalls(timeline) == [(1, Reason.ARBITRATION, 8)]


def test_dependency_gaps(engine: str) -> None:
    # §4: VALU -> LDS, VMEM 12; VALU writing an SGPR -> SALU 20; SALU -> conditional branch 8; SALU -> VMEM
    # that reads what it wrote 8.
    assert issue(timed(engine, [[b.valu(), b.lds_read(8)]]))[:2] == [0, 12]
    assert issue(timed(engine, [[b.valu(), b.load()]]))[:2] == [0, 12]
    timeline = timed(engine, [[b.valu(writes_sgpr=True), b.salu()]])
    assert issue(timeline)[:2] == [0, 20]
    assert stalls(timeline) == [(1, Reason.DEPENDENCY, 16)]
    assert timeline.waves[0].attempt_clk[1] == 20
    assert issue(timed(engine, [[b.salu(), b.cbranch()]]))[:2] == [0, 8]
    assert issue(timed(engine, [[b.salu(writes=(7,)), b.load(reads=(7,))]]))[:2] == [0, 8]
    assert issue(timed(engine, [[b.salu(writes=(7,)), b.load(reads=(8,))]]))[:2] == [0, 4]
    assert issue(timed(engine, [[b.valu(), b.salu()]]))[:2] == [0, 4]


def test_straight_line_fetch(engine: str) -> None:
    # §3: 4-byte VALU, eight a chunk. The last of chunk 0 issues at 28: chunk 2 usable at 48, wanted by row 16
    # at 64: no wait.
    assert issue(timed(engine, [[b.valu()] * 20], fetch=True)) == list(range(0, 84, 4))
    # 16-byte instructions, two a chunk: the last of chunk 0 at 4: chunk 2 at 24, wanted at 16; the last of
    # chunk 1 at 12: chunk 3 at 32, wanted at 32.
    timeline = timed(engine, [[b.valu(size_bytes=16)] * 8], fetch=True)
    assert issue(timeline)[:8] == [0, 4, 8, 12, 24, 28, 32, 36]
    assert stalls(timeline)[0] == (4, Reason.FETCH, 8)


def test_fetch_of_an_instruction_across_chunks(engine: str) -> None:
    # §3: 12-byte rows: row 2 is [24, 36), the last that touches chunk 0: issue 8, chunk 2 usable at 28.
    # Row 5 is [60, 72): needs chunk 2, E = 20: waits 8; it is the last that touches chunk 1: chunk 3 at 48.
    # Row 8 is [96, 108), wholly chunk 3, E = 40: waits 8.
    timeline = timed(engine, [[b.valu(size_bytes=12)] * 9], fetch=True)
    assert issue(timeline)[:9] == [0, 4, 8, 12, 16, 28, 32, 36, 48]
    assert stalls(timeline)[:2] == [(5, Reason.FETCH, 8), (8, Reason.FETCH, 8)]


def test_branch_taken(engine: str) -> None:
    # §3: the loop's branch issues at 4 (no SALU before it): target's chunk at 24, the next chunk at 40.
    code = b.laid_out([b.valu(), b.cbranch(), *[b.valu()] * 8, b.endpgm()])
    trace = b.trace(code, [b.wave([0, 1, 0, 1, *range(2, 11)], taken=[1])])
    timeline = time_trace(engine, trace)
    # Second pass 24, 28. Not taken at 28: its chunk stays, chunk 1 usable at 48, chunk 2 at 64.
    # Rows 4..9 (addresses 8..28) at 32..52; address 32 (chunk 1) at 56.
    assert issue(timeline) == [0, 4, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64]
    assert stalls(timeline) == [(2, Reason.BRANCH, 16)]


def test_branch_not_taken_restarts_fetch(engine: str) -> None:
    # §3: the branch is the last of chunk 0, at 28: chunk 1 usable at 48, chunk 2 at 64 although chunk 1
    # was there.
    # Chunk 1 is eight VALU, 48..76; chunk 2 is there at 64: 80.
    timeline = timed(engine, [[*[b.valu()] * 7, b.cbranch(), *[b.valu()] * 9]], fetch=True)
    assert issue(timeline)[:17] == [*range(0, 32, 4), *range(48, 84, 4)]
    assert stalls(timeline) == [(8, Reason.BRANCH, 16)]


def test_always_taken_branch_into_the_end_of_a_chunk(engine: str) -> None:
    # §3: s_branch at 0 to address 28: its chunk (0) at 20, the next (32) at 36, not at 24: 12 clk of branch.
    code = b.laid_out([b.branch(), *[b.salu()] * 6, b.valu(), b.valu(), b.endpgm()])
    timeline = time_trace(engine, b.trace(code, [b.wave([0, 7, 8, 9])]))
    assert issue(timeline) == [0, 20, 36, 40]
    assert stalls(timeline) == [(1, Reason.BRANCH, 16), (2, Reason.BRANCH, 12)]


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        # §8, order 0, 1, 2, 3: all others arrive at 0, the last at 20.
        (0, [28, 24, 24, 24]),
        (1, [28, 28, 24, 24]),
        (2, [28, 28, 28, 24]),
        (3, [28, 28, 28, 28]),
    ],
)
def test_barrier_release_by_last_arriver(engine: str, last: int, ends: list[int]) -> None:
    bodies = [[b.nop(4) if simd == last else b.setprio(0), b.barrier()] for simd in range(4)]
    bodies = [body if simd == last else body[1:] for simd, body in enumerate(bodies)]
    timeline = timed(engine, bodies)
    found = [int(wave.end_clk[-2]) for wave in timeline.waves]
    assert found == ends
    assert [int(wave.issue_clk[-2]) for wave in timeline.waves] == [clk - 4 for clk in ends]


def test_barrier_and_a_wave_that_ends_last(engine: str) -> None:
    # §8: SIMD 1 ends at 16 + 4 = 20 while SIMDs 0 and 2 wait: that is the last arrival. 0 stands before 1
    # in the order: 28; 2 after it: 24.
    timeline = timed(engine, [[b.barrier()], [b.nop(3)], [b.barrier()]])
    assert timeline.waves[1].last_clk == 20
    assert timeline.waves[0].end_clk[0] == 28
    assert timeline.waves[2].end_clk[0] == 24


def test_barriers_of_two_workgroups(engine: str) -> None:
    # §8: each workgroup has its own: the second's single wave goes on at once (late: 8); ages by Trace order.
    code = b.one_chunk([b.barrier(), b.valu(), b.endpgm(), b.nop(9)])
    waves = [
        b.wave([0, 1, 2], simd=0, number=0),
        b.wave([3, 0, 1, 2], simd=1, number=1),
        b.wave([0, 1, 2], simd=0, number=0, workgroup=1),
    ]
    timeline = time_trace(engine, b.trace(code, waves))
    # Workgroup 0: last arrival 40 on SIMD 1; SIMD 0 is earlier in the order: both late, 48. Workgroup 1: 8.
    assert [int(wave.issue_clk[-2]) for wave in timeline.waves] == [48, 48, 8]


def test_memory_returns_in_order(engine: str) -> None:
    # §10: b128: s = 1024 / 64 = 16. Issues 0, 4: a = 0, 16. ret(0) = 1100; ret(1) = max(1116, 16 + 100)
    # = 1116.
    code = b.one_chunk([b.load(16), b.load(16), b.wait(vm=1), b.wait(vm=0), b.endpgm()])
    trace = b.trace(code, [b.wave(range(5), memory_latency_clk={1: 100})])
    timeline = time_trace(engine, trace)
    assert timeline.waves[0].done_clk[:2].tolist() == [1100, 1116]
    assert issue(timeline) == [0, 4, 1100, 1116, 1120]
    assert timeline.busy["memory", 0].start_clk.tolist() == [0, 16]


def test_memory_queue(engine: str) -> None:
    # §10: n issues at 4 n; a(n) = 16 n up to n = 13; a(14) waits for ret(0) = 1100 (tail of 14). At 60 those
    # with a > 60 are n = 4..14, eleven: n = 15 may issue. At 64 they are 5..15: n = 16 may. At 68 they are
    # 5..16, twelve: full until a(5) = 80.
    timeline = timed(engine, [[b.load(16)] * 18])
    assert issue(timeline)[:18] == [*range(0, 68, 4), 80]
    assert stalls(timeline) == [(17, Reason.VMEM_QUEUE, 12)]
    accepted = timeline.busy["memory", 0].start_clk
    assert accepted[:16].tolist() == [*range(0, 224, 16), 1100, 1116]


def test_a_memory_queue_entry_is_held_on_gfx950(engine: str) -> None:
    # §10: loads of 32 bytes a lane take 32 clk of the path: a(n) = 32 n. At 48 those with a + 32 > 48 are
    # n = 1..11, eleven: n = 12 issues. At 52 they are 1..12, full until 32 + 32; at 68 2..13, until 64 + 32.
    timeline = timed(engine, [[b.load(32)] * 15], "gfx950")
    assert issue(timeline)[:15] == [*range(0, 52, 4), 64, 96]
    assert stalls(timeline) == [(13, Reason.VMEM_QUEUE, 12), (14, Reason.VMEM_QUEUE, 28)]


def test_stores_keep_apart_by_their_data_and_return_close(engine: str) -> None:
    # §10: stores of 1 KiB: the second waits for the data of the first until 16, a load of another wave does
    # not. In order of issue (0, 4, 16) a = 0, 16, 32; a store takes 500, a load 1100: ret = 500, 1116, and
    # max(1116 + 4, 32 + 500) = 1120.
    timeline = timed(engine, [[b.store(16), b.store(16)], [b.nop(0), b.load(16)]])
    assert issue(timeline)[:2] == [0, 16]
    assert issue(timeline, 1)[1] == 4
    assert stalls(timeline) == [(1, Reason.VMEM_QUEUE, 12)]
    assert timeline.waves[0].done_clk[:2].tolist() == [500, 1120]
    assert timeline.waves[1].done_clk[1] == 1116


def test_memory_port_prefers_a_run_of_one_wave(engine: str) -> None:
    # §11: SIMD 0 first; its wave's next load follows at once and wins again; then SIMD 1, the next in
    # cyclic order.
    timeline = timed(engine, [[b.load(), b.load(), b.nop(0), b.load()], [b.load()], [b.load()]])
    assert issue(timeline)[:4] == [0, 4, 8, 16]
    assert issue(timeline, 1)[0] == 8
    assert issue(timeline, 2)[0] == 12
    assert stalls(timeline, 1) == [(0, Reason.PORT, 8)]


def test_a_denied_simd_fills_up(engine: str) -> None:
    # §11.3: gfx950: SIMD 1's older wave asks the port and loses it; its younger wave's MFMA, kept out
    # at first, goes.
    code = b.one_chunk([b.lds_read(16), b.endpgm(), b.mfma(b.MFMA_950, 2), b.endpgm()])
    waves = [b.wave([0, 1], simd=0), b.wave([0, 1], simd=1, number=1), b.wave([2, 3], simd=1, number=2)]
    timeline = time_trace(engine, b.trace(code, waves, "gfx950"))
    assert [issue(timeline, wave)[0] for wave in range(3)] == [0, 4, 0]
    assert stalls(timeline, 1) == [(0, Reason.PORT, 4)]


def test_direct_to_lds_takes_the_array(engine: str) -> None:
    # §6, §10: a 4-byte load to LDS returns at 100 and has the array for 256 / 128 = 2 clk. A read becomes
    # head at 100 too; nobody has won yet, so pair 0 comes before requester 2: [100, 104), then [104, 106).
    code = b.one_chunk([b.load(4, to_lds=True), b.endpgm(), b.sleep(1), b.nop(8), b.lds_read(8), b.endpgm()])
    waves = [
        b.wave([0, 1], memory_latency_clk={0: 100}),
        b.wave([2, 3, 4, 5], simd=1, number=1),
    ]
    timeline = time_trace(engine, b.trace(code, waves))
    assert issue(timeline, 1)[2] == 100
    array = timeline.busy["lds_array", 0]
    assert list(zip(array.start_clk.tolist(), array.end_clk.tolist(), strict=True)) == [
        (100, 104),
        (104, 106),
    ]


def test_direct_to_lds_takes_no_array_time_on_gfx950(engine: str) -> None:
    # §6: a 16-byte load to LDS returns at 100, as the read becomes head: array [100, 104) for the read alone.
    code = b.one_chunk([b.load(to_lds=True), b.endpgm(), b.sleep(1), b.nop(8), b.lds_read(16), b.endpgm()])
    waves = [b.wave([0, 1], memory_latency_clk={0: 100}), b.wave([2, 3, 4, 5], simd=1, number=1)]
    timeline = time_trace(engine, b.trace(code, waves, "gfx950"))
    assert timeline.busy["lds_array", 0].start_clk.tolist() == [100]
    assert timeline.waves[1].done_clk[2] == 100 + 8 + 40


def test_a_start_between_slots(engine: str) -> None:
    # §1: rounded up to a slot; clocks before are not the wave's.
    code = b.one_chunk([b.valu(), b.endpgm()])
    timeline = time_trace(engine, b.trace(code, [b.wave([0, 1], start_clk=5)]))
    assert timeline.waves[0].first_clk == 8
    assert issue(timeline) == [8, 12]


def test_a_polling_loop_waits_for_the_store(engine: str) -> None:
    # §12, §3: passes begin at 0 and issue row 1 at 4, then 20 clk after each taken branch: branches at
    # 4, 28, 52, 76, ...
    # The b32 store at 0: p = 8, a = 2: done_clk = 8 + 44 = 52: the branch at 52 sees it.
    code = b.laid_out([b.valu(), b.cbranch(), b.endpgm(), b.lds_write(4), b.endpgm()])
    waves = [b.wave([0, 1, 2], spins=(Spin(0, 1, 1, 0),)), b.wave([3, 4], simd=1, number=1)]
    timeline = time_trace(engine, b.trace(code, waves))
    assert timeline.waves[1].done_clk[0] == 52
    assert timeline.waves[0].spin_repeats == (2,)
    assert issue(timeline) == [48, 52, 56]
    assert int(np.sum(timeline.waves[0].stall_clk)) == 40 - 8
