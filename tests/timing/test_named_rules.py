"""The named rules of docs/model §14: the newer ones to the clock, and every one can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import builders as b
import numpy as np
import pytest

from wavesim.errors import UserError
from wavesim.timing import ENGINES, simulate
from wavesim.timing.rules import BY_NAME, RULES, without
from wavesim.trace import CodeEntry, Reason, Timeline, Trace
from wavesim.trace.code import SlotShare

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def timed(engine: str, trace: Trace, *off: str, **changes: object) -> Timeline:
    return simulate(trace, without(b.parameters(trace.arch, **changes), off), engine=engine)


def issue(timeline: Timeline, wave: int = 0) -> list[int]:
    clocks: list[int] = timeline.waves[wave].issue_clk.tolist()
    return clocks


# -- lds_join (§6)


def joined(offset_clk: int, entry: CodeEntry, stream: int = 12) -> Trace:
    """SIMD 0 reads from clock 0; SIMD 2, of the other pair, makes one access ``offset_clk`` later."""
    late = [b.nop(offset_clk // 4 - 1), entry] if offset_clk else [entry]
    return b.streams({0: [b.lds_read()] * stream, 2: late})


@pytest.mark.parametrize(
    ("offset_clk", "delay_clk"), [(0, 0), (4, 0), (8, 8), (12, 12), (16, 16), (20, 16), (24, 12), (40, 12)]
)
def test_a_pair_that_joins_starts_late(engine: str, offset_clk: int, delay_clk: int) -> None:
    """A b64 read: 8 clk at the port from the head on, 44 to the return; the array (4 clk) is free in time."""
    row = 1 if offset_clk else 0
    timeline = timed(engine, joined(offset_clk, b.lds_read()))
    wave = timeline.waves[1]
    assert wave.issue_clk[row] == offset_clk
    assert wave.done_clk[row] == offset_clk + delay_clk + 8 + 44
    plain = timed(engine, joined(offset_clk, b.lds_read()), "lds_join").waves[1]
    assert plain.done_clk[row] == offset_clk + 8 + 44


def test_writes_and_pairs_that_follow_an_idle_one_do_not_join(engine: str) -> None:
    write = timed(engine, joined(16, b.lds_write())).waves[1]
    assert write.done_clk[1] == 16 + 12 + 44
    alone = timed(engine, joined(8, b.lds_read(), stream=1)).waves[1]
    assert alone.done_clk[1] == 8 + 8 + 44  # the other pair's read was done at 8


def test_a_stream_starts_anew_when_its_pair_was_idle(engine: str) -> None:
    """SIMD 0 reads at 0 (done at 8), at 24 and on; SIMD 2 at 40 is 16 behind the second stream."""
    body = {0: [b.lds_read(), b.nop(4), *[b.lds_read()] * 8], 2: [b.nop(9), b.lds_read()]}
    assert timed(engine, b.streams(body)).waves[1].done_clk[1] == 40 + 16 + 8 + 44


# -- lds_write_drain (§6)


def written(array_clk: int, simds: Sequence[int], writes: int = 6) -> Trace:
    code = b.one_chunk([b.lds_write(), b.endpgm()])
    rows = [0] * writes + [1]
    conflicts = dict.fromkeys(range(writes), array_clk)
    return b.trace(
        code,
        [b.wave(rows, simd=simd, number=number, array_clk=conflicts) for number, simd in enumerate(simds)],
    )


def test_conflicting_writes_of_both_pairs_go_as_fast_as_the_array(engine: str) -> None:
    """Two pairs, 8 array clocks a write: the array serves them at 0, 8, 16, 24, ... in turn. Pair 0's are
    done at 12 (its port), 24, 40, 56, ...; pair 1's at 16, 32, 48, 64."""
    timeline = timed(engine, written(8, (0, 2)))
    assert issue(timeline, 0)[:6] == [0, 12, 24, 40, 56, 72]
    assert issue(timeline, 1)[:6] == [0, 16, 32, 48, 64, 80]
    plain = timed(engine, written(8, (0, 2)), "lds_write_drain")
    assert issue(plain, 0)[:6] == issue(plain, 1)[:6] == [0, 12, 24, 36, 48, 60]


def test_conflict_free_writes_and_those_of_one_pair_keep_their_hold(engine: str) -> None:
    assert issue(timed(engine, written(4, (0, 2))), 1)[:6] == [0, 12, 24, 36, 48, 60]
    assert issue(timed(engine, written(12, (0,))))[:6] == [0, 12, 24, 36, 48, 60]
    assert issue(timed(engine, written(14, (0,))))[:4] == [0, 16, 32, 48]  # done at 14: the slot after


def test_a_write_behind_reads_keeps_its_hold(engine: str) -> None:
    timeline = timed(engine, b.streams([[b.lds_read(16), b.lds_write(), b.valu()]]))
    assert issue(timeline)[:3] == [0, 4, 16]


# -- lds_subdword (§6)


@pytest.mark.parametrize(("arch", "clk"), [("gfx942", 4 + 44), ("gfx950", 4 + 4 + 40)])
def test_reads_of_less_than_a_dword(engine: str, arch: str, clk: int) -> None:
    byte = replace(b.lds_read(4), width_bytes=1)
    assert timed(engine, b.streams([[byte]], arch)).waves[0].done_clk[0] == clk
    dword = timed(engine, b.streams([[b.lds_read(4)]], arch)).waves[0]
    assert dword.done_clk[0] == 4 + (44 if arch == "gfx942" else 40)


def test_both_pairs_share_the_array_for_reads_of_less_than_a_dword(engine: str) -> None:
    """A pair alone reads every 4 clk. With the other one it has the array every other time: pair 0 at 0, 8
    and 16, pair 1 at 4, 12 and 20. A read is done 4 clk behind the array's 4, and returns 40 later."""
    alone = timed(engine, b.streams([[BYTE] * 3], "gfx950")).waves[0]
    assert alone.done_clk[:3].tolist() == [48, 52, 56]
    both = timed(engine, b.streams({0: [BYTE] * 3, 2: [BYTE] * 3}, "gfx950"))
    assert both.waves[0].done_clk[:3].tolist() == [48, 56, 64]
    assert both.waves[1].done_clk[:3].tolist() == [52, 60, 68]


# -- vmem_idle_restart (§10)


@pytest.mark.parametrize(("units", "restart_clk"), [(17, 0), (18, 8)])
def test_global_memory_restarts_after_a_pause(engine: str, units: int, restart_clk: int) -> None:
    """The second load has its attempt 4 + 64 × units clk behind the first one: 1092, 1156."""
    timeline = timed(engine, b.streams([[b.load(), b.sleep(units), b.load()]]))
    attempt = 4 + 64 * units
    wave = timeline.waves[0]
    assert (wave.attempt_clk[2], wave.issue_clk[2]) == (attempt, attempt + restart_clk)
    reasons = [Reason(int(reason)) for reason in wave.stall_reason]
    assert (Reason.VMEM_QUEUE in reasons) == (restart_clk > 0)


def test_nothing_restarts_at_the_beginning_or_behind_a_full_queue(engine: str) -> None:
    first = timed(engine, b.streams([[b.sleep(30), b.load()]]))
    assert issue(first)[1] == 30 * 64
    # two loads; the first returns at 2000, the second is accepted only then: at 1156 it is still queued
    body = {0: [b.load(), b.load()], 1: [b.sleep(18), b.load()]}
    queued = timed(engine, b.streams(body), memory_tail_entries=1, memory_latency_clk=2000)
    assert issue(queued, 1)[1] == 18 * 64


def test_who_attempts_during_a_restart_waits_for_it_too(engine: str) -> None:
    """SIMD 0 restarts the path at 1156 (until 1164); SIMD 1 attempts at 1160, SIMD 2 at 1164."""
    body = {
        0: [b.load(), b.sleep(18), b.load()],
        1: [b.sleep(18), b.nop(1), b.load()],
        2: [b.sleep(18), b.nop(2), b.load()],
    }
    timeline = timed(engine, b.streams(body))
    assert [issue(timeline, wave)[2] for wave in range(3)] == [1164, 1168, 1172]


# -- memory_in_flight and memory_path (§10)


def test_bytes_in_flight_and_not_instructions_hold_the_next_access_back(engine: str) -> None:
    """2048 bytes: two loads of 1 KiB, or eight of 256 bytes. The next is accepted as the first returns."""
    room = {"memory_tail_bytes": 2048, "memory_latency_clk": 1000}
    wide = timed(engine, b.streams([[b.load(16)] * 3]), **room)
    assert wide.busy["memory", 0].start_clk.tolist() == [0, 16, 1000]
    narrow = timed(engine, b.streams([[b.load(4)] * 9]), **room)
    assert narrow.busy["memory", 0].start_clk.tolist() == [*range(0, 32, 4), 1000]
    to_lds = b.streams([[b.load(4, to_lds=True)] * 3 + [b.load(4)]])
    held = timed(engine, to_lds, **room, memory_to_lds_held_bytes=800)
    # two take 1600 bytes, a third does not fit; the last one, not to LDS, fits beside the second and third
    assert held.busy["memory", 0].start_clk.tolist() == [0, 4, 1000, 1004]


def test_lines_take_the_share_of_the_devices_memory_one_after_the_other(engine: str) -> None:
    """40 clk of the path each: it ends at 40, 80 and (a third of a clock more, rounded up) 121; the latency
    of 100 counts from there. The second load takes none of it and returns behind the first."""
    code = b.one_chunk([b.load(4), b.endpgm()])
    path = {0: 16 * 40, 2: 16 * 40, 3: 16 * 40 + 5}
    trace = b.trace(code, [b.wave([0, 0, 0, 0, 1], memory_path_clk16=path)])
    timeline = timed(engine, trace, memory_latency_clk=100)
    assert timeline.waves[0].done_clk[:4].tolist() == [140, 144, 180, 221]


def test_bytes_that_the_l1_has_come_faster_and_are_not_in_flight(engine: str) -> None:
    """1 KiB takes 16 clk of the path from the L2, 8 from the L1, 12 by halves. 2048 bytes may be in flight:
    two misses are, and hits beside them; the next miss waits for the first to return."""
    code = b.one_chunk([b.load(16), b.endpgm()])
    hit = {1: 1024, 2: 512, 3: 0}
    trace = b.trace(code, [b.wave([0] * 4 + [1], memory_hit_bytes=hit)])
    timeline = timed(engine, trace, memory_tail_bytes=2048, memory_latency_clk=1000)
    assert timeline.busy["memory", 0].start_clk.tolist() == [0, 16, 24, 1000]
    assert timeline.waves[0].done_clk[:4].tolist() == [1000, 1016, 1028, 2000]


# -- vmem_first_come (§11)


def test_the_port_takes_the_lowest_simd_of_those_that_asked_at_once(engine: str) -> None:
    """SIMD 0 was last; after a pause both SIMDs attempt at 24."""
    body = {0: [b.load(), b.nop(4), b.load()], 1: [b.nop(5), b.load()]}
    assert [issue(timed(engine, b.streams(body)), w)[row] for w, row in ((0, 2), (1, 1))] == [24, 28]
    off = timed(engine, b.streams(body), "vmem_first_come")
    assert [issue(off, w)[row] for w, row in ((0, 2), (1, 1))] == [28, 24]


@pytest.mark.parametrize("rule", ["vmem_first_come", "lds_alternation"])
@pytest.mark.parametrize("later", [0, 1])
def test_a_port_waits_for_the_simd_whose_turn_it_is_though_an_mfma_keeps_it_out(
    engine: str, rule: str, later: int
) -> None:
    """An MFMA of SIMD 0 keeps its other wave out at 0 and 4, which has asked since 0. SIMD 1 asks at 0, when
    SIMD 0 goes first, or at 4. Without the rule SIMD 1 goes at once."""
    access = b.load() if rule == "vmem_first_come" else b.lds_read()
    other = [b.salu()] * later + [access]
    body = [[b.mfma(b.MFMA_950, 4)], other, [b.salu()], [b.salu()], [access]]
    timeline = timed(engine, b.streams(body, "gfx950"))
    assert [issue(timeline, 4)[0], issue(timeline, 1)[later]] == [8, 12]
    reasons = [timeline.waves[wave].stall_reason.tolist() for wave in (1, 4)]
    assert reasons == [[Reason.PORT], [Reason.MFMA_COISSUE]]
    assert issue(timed(engine, b.streams(body, "gfx950"), rule), 1)[later] == 4 * later


def test_a_simd_asks_from_its_first_attempt_since_the_port_served_it(engine: str) -> None:
    """Loads of 64 clk and a queue of one. At 8 two waves of SIMD 0 and one of SIMD 1 attempt. SIMD 0 is
    served; its other wave then counts from 12, so SIMD 1 goes when the queue has room again, at 64."""
    code = b.one_chunk([b.load(16), b.endpgm(), b.nop(1)])
    waves = [b.wave([0, 1], simd=0, number=0)]
    waves += [b.wave([2, 0, 1], simd=simd, number=number) for number, simd in ((1, 0), (2, 0), (3, 1))]
    timeline = timed(engine, b.trace(code, waves), memory_queue_entries=1, memory_bytes_per_clk=16)
    assert [issue(timeline, wave)[-2] for wave in range(4)] == [0, 8, 128, 64]


# -- vmem_store_queue and acceptance_by_order (§10)


def test_the_queue_holds_8_kib_of_stores(engine: str) -> None:
    """Stores go 16 apart; the path accepts the first at 1000. Eight of 1 KiB are in the queue by then, and
    the ninth goes at 1000. Stores of 256 bytes: 12 entries of the queue are full first."""
    for store, last in ((b.store(16), 8), (b.store(4), 12)):
        code = b.one_chunk([store, b.endpgm()])
        late = np.array([1000], np.int32)
        trace = b.trace(code, [b.wave([0] * (last + 1) + [1])], memory_head_by_order_clk=late)
        clk = issue(timed(engine, trace), 0)
        apart = 16 if last == 8 else 4
        assert clk[:last] == list(range(0, apart * last, apart))
        assert clk[last] == 1000


def test_an_access_that_is_first_in_the_queue_for_longer_keeps_the_others_back(engine: str) -> None:
    """The second of three loads of 1 KiB could be accepted at 16, and is 100 clk later, like those behind."""
    late = np.array([-1, 100], np.int32)
    trace = b.trace(
        b.one_chunk([b.load(16), b.endpgm()]), [b.wave([0, 0, 0, 1])], memory_head_by_order_clk=late
    )
    timeline = timed(engine, trace, memory_latency_clk=50)
    assert timeline.busy["memory", 0].start_clk.tolist() == [0, 116, 132]
    assert timeline.waves[0].done_clk[:3].tolist() == [50, 166, 182]


# -- endpgm_drain (§9)


def test_a_wave_ends_when_its_global_memory_has_returned(engine: str) -> None:
    trace = b.streams([[b.store(4), b.lds_read()]])
    wave = timed(engine, trace, memory_store_latency_clk=101).waves[0]
    assert (wave.issue_clk[2], wave.end_clk[2], wave.last_clk) == (8, 104, 104)
    assert timed(engine, trace, "endpgm_drain").clk_total == 12


def test_a_draining_wave_keeps_a_barrier_waiting(engine: str) -> None:
    """SIMD 0 ends at 104, before SIMD 1 in the order of release: SIMD 1 leaves at + 4."""
    trace = b.streams([[b.load(4)], [b.barrier()]])
    timeline = timed(engine, trace, memory_latency_clk=104)
    assert (timeline.waves[0].last_clk, timeline.waves[1].end_clk[0]) == (104, 108)


# -- engine switches


def test_returns_out_of_order(engine: str) -> None:
    code = b.one_chunk([b.load(16), b.endpgm()])
    trace = b.trace(code, [b.wave([0, 0, 1], memory_latency_clk={0: 200, 1: 50})])
    assert timed(engine, trace).waves[0].done_clk[:2].tolist() == [200, 216]
    assert timed(engine, trace, "vmem_in_order").waves[0].done_clk[:2].tolist() == [200, 66]


def test_who_asked_before_goes_before_who_asks_now(engine: str) -> None:
    """§11: at 4 both SIMDs have their attempt, so the lower one goes although it was the last. Then each
    stands while the other goes: 8, 12, 16."""
    reads = b.streams([[b.lds_read()] * 3, [b.nop(0)] + [b.lds_read()] * 2])
    timeline = timed(engine, reads)
    assert issue(timeline, 0)[:3] == [0, 4, 12]
    assert issue(timeline, 1)[1:3] == [8, 16]
    assert issue(timed(engine, reads, "lds_alternation"), 1)[1:3] == [12, 16]


def test_the_lowest_simd_wins_without_turns(engine: str) -> None:
    reads = b.streams([[b.lds_read()] * 3, [b.lds_read()] * 3])
    assert issue(timed(engine, reads))[:3] == [0, 8, 16]
    assert issue(timed(engine, reads, "lds_alternation"))[:3] == [0, 4, 8]
    loads = b.streams({0: [b.nop(0), b.load(4)], 1: [b.load(4), b.load(4)]})
    assert issue(timed(engine, loads), 1)[:2] == [0, 4]
    assert issue(timed(engine, loads, "vmem_round_robin"), 1)[:2] == [0, 8]


def test_the_youngest_ranks_first_without_age(engine: str) -> None:
    code = b.one_chunk([b.valu(), b.endpgm()])
    trace = b.trace(code, [b.wave([0, 1], number=n) for n in range(2)])
    assert [issue(timed(engine, trace), wave)[0] for wave in range(2)] == [0, 4]
    assert [issue(timed(engine, trace, "oldest_first"), wave)[0] for wave in range(2)] == [4, 0]


def test_a_scaled_mfma_ranks_before_older_waves(engine: str) -> None:
    scaled = b.mfma(b.MFMA_SCALED, 4, fmt="fp4", scaled=True)
    trace = _one_simd("gfx950", [b.valu()], [scaled])
    # the MFMA's scales take the slot at 0, itself 4, and its four source registers keep VALU out until 12
    assert [issue(timed(engine, trace), wave)[0] for wave in range(2)] == [12, 0]
    assert [issue(timed(engine, trace, "scaled_mfma_first"), wave)[0] for wave in range(2)] == [0, 4]
    plain = _one_simd("gfx950", [b.valu()], [b.mfma(b.MFMA_950, 4)])
    assert [issue(timed(engine, plain), wave)[0] for wave in range(2)] == [0, 4]


# -- every rule


def _one_simd(arch: str, *bodies: Sequence[CodeEntry]) -> Trace:
    code = b.one_chunk([entry for body in bodies for entry in (*body, b.endpgm())])
    waves, first = [], 0
    for number, body in enumerate(bodies):
        waves.append(b.wave(range(first, first + len(body) + 1), simd=0, number=number))
        first += len(body) + 1
    return b.trace(code, waves, arch)


def _by_order() -> Trace:
    trace = _one_simd("gfx942", [b.load(4), b.wait(vm=0)])
    return replace(trace, memory_latency_by_order_clk=np.array([77], np.int32))


def _scalar() -> Trace:
    code = b.one_chunk([b.smem(), b.wait(lgkm=0), b.endpgm()])
    return b.trace(code, [b.wave([0, 1, 2], memory_latency_clk={0: 400})])


def _into_lds() -> Trace:
    code = b.one_chunk([b.load(to_lds=True), b.endpgm(), b.sleep(1), b.nop(9), b.lds_read(), b.endpgm()])
    waves = [
        b.wave([0, 1], memory_latency_clk={0: 100}),
        b.wave([2, 3, 4, 5], simd=1, number=1, array_clk={2: 8}),
    ]
    return b.trace(code, waves)


SCALED = b.mfma(b.MFMA_SCALED, 8, fmt="fp8", scaled=True)
BYTE = replace(b.lds_read(4), width_bytes=1)
LOADS = [*[b.load(16)] * 60, b.wait(vm=0)]

SENSITIVE: dict[str, Callable[[], Trace]] = {
    "dependency_gaps": lambda: b.streams([[b.valu(), b.lds_read()]]),
    "fetch": lambda: b.streams([[b.cbranch(), *[b.salu(size_bytes=8)] * 20]], fetch=True),
    "instruction_cache": lambda: replace(
        b.trace(b.laid_out([*[b.salu()] * 40, b.endpgm()], 4032), [b.wave(range(41))]), cold_code=True
    ),
    "mfma_coissue": lambda: _one_simd("gfx942", [b.mfma()], [b.valu()]),
    "scaled_mfma": lambda: _one_simd("gfx950", [SCALED, b.salu()]),
    "dual_valu": lambda: _one_simd("gfx950", [b.valu()], [b.valu()]),
    "valu_classes": lambda: _one_simd("gfx950", [b.valu(SlotShare(1, 1))], [b.valu(SlotShare(1, 1))]),
    "valu_scalar_port": lambda: _one_simd(
        "gfx950", *[[b.valu(SlotShare(2, 2, scalar_read=True))] for _ in range(2)]
    ),
    "valu_banks": lambda: _one_simd("gfx950", *[[b.valu(SlotShare(2, 2, even_reads=3))] for _ in range(2)]),
    "packed_after_mfma": lambda: _one_simd(
        "gfx950", [b.mfma(b.MFMA_950)], [b.nop(3), b.valu(b.ALONE, packed_f32=True)]
    ),
    "multi_slot_valu": lambda: _one_simd(
        "gfx950", [b.valu(b.ALONE, multi_slot=True), b.valu()], [b.nop(0), b.valu()]
    ),
    "dual_after_mfma": lambda: _one_simd(
        "gfx950", [b.mfma(b.MFMA_950), b.nop(2), b.valu()], [b.nop(3), b.valu()]
    ),
    "vector_turns": lambda: b.streams([[b.valu()] * 4] * 2, "gfx950"),
    "lds_port": lambda: b.streams([[b.lds_read(16), b.wait(lgkm=0)]]),
    "lds_subdword": lambda: b.streams([[BYTE, b.wait(lgkm=0)]], "gfx950"),
    "lds_array": lambda: b.trace(
        b.one_chunk([b.lds_read(), b.endpgm()]), [b.wave([0, 1], array_clk={0: 32})]
    ),
    "lds_from_memory": _into_lds,
    "lds_queue": lambda: b.streams([[b.lds_read()] * 14]),
    "lds_write_hold": lambda: b.streams([[b.lds_write(), b.valu()]]),
    "lds_write_drain": lambda: written(8, (0, 2)),
    "lds_join": lambda: joined(16, b.lds_read()),
    "lds_alternation": lambda: b.streams([[b.lds_read()] * 3] * 2),
    "counter_full": lambda: b.streams([[b.lds_read(16)] * 20]),
    "barrier_phase": lambda: b.streams([[b.nop(1), b.barrier()]] + [[b.barrier()]] * 3),
    "memory_queue": lambda: b.streams([LOADS]),
    "memory_in_flight": lambda: b.streams([LOADS]),
    "memory_service": lambda: b.streams([LOADS]),
    "vmem_in_order": lambda: b.trace(
        b.one_chunk([b.load(16), b.endpgm()]), [b.wave([0, 0, 1], memory_latency_clk={0: 200, 1: 50})]
    ),
    "vmem_acknowledge": lambda: b.streams([[b.load(16), b.store(16)]]),
    "vmem_store_queue": lambda: b.trace(
        b.one_chunk([b.store(16), b.endpgm()]),
        [b.wave([0] * 9 + [1])],
        memory_head_by_order_clk=np.array([300], np.int32),
    ),
    "vmem_store_data": lambda: b.streams([[b.store(16), b.store(16)]]),
    "vmem_idle_restart": lambda: b.streams([[b.load(), b.sleep(18), b.load()]]),
    "vmem_first_come": lambda: b.streams({0: [b.load(), b.nop(4), b.load()], 1: [b.nop(5), b.load()]}),
    "vmem_round_robin": lambda: b.streams({0: [b.nop(0), b.load(4)], 1: [b.load(4), b.load(4)]}),
    "latency_by_order": _by_order,
    "acceptance_by_order": lambda: replace(_by_order(), memory_head_by_order_clk=np.array([40], np.int32)),
    "scalar_latency": _scalar,
    "endpgm_drain": lambda: b.streams([[b.store()]]),
    "arbitration": lambda: _one_simd("gfx942", [b.valu()], [b.valu()]),
    "scaled_mfma_first": lambda: _one_simd(
        "gfx950", [b.valu()], [b.mfma(b.MFMA_SCALED, 4, fmt="fp4", scaled=True)]
    ),
    "oldest_first": lambda: _one_simd("gfx942", [b.valu()], [b.valu()]),
    "setprio": lambda: _one_simd("gfx942", [b.salu()] * 3, [b.setprio(1), b.salu(), b.salu()]),
}

CHANGES: dict[str, dict[str, object]] = {
    "counter_full": {"lds_queue_entries": 100},
    "instruction_cache": {"fetch_code_offset_bytes": 0, "fetch_miss_clk": 100},
}
"""Machine values with which the rule shows."""


@pytest.mark.parametrize("name", BY_NAME)
def test_each_switch_changes_what_its_rule_governs(engine: str, name: str) -> None:
    trace = SENSITIVE[name]()
    changes = CHANGES.get(name, {})
    with_rule, without_it = timed(engine, trace, **changes), timed(engine, trace, name, **changes)
    assert without_it.trace is trace
    differ = [
        not np.array_equal(getattr(one, column), getattr(other, column))
        for one, other in zip(with_rule.waves, without_it.waves, strict=True)
        for column in ("issue_clk", "end_clk", "done_clk")
    ]
    assert any(differ)


def test_all_rules_off_at_once(engine: str) -> None:
    trace = b.streams([[*LOADS, b.lds_read(), b.lds_write(), b.barrier(), b.mfma(), b.valu()]] * 8)
    timeline = timed(engine, trace, *(rule.name for rule in RULES))
    assert timeline.complete


def test_unknown_rules_are_refused(engine: str) -> None:
    with pytest.raises(UserError, match="no rule 'gravity'"):
        timed(engine, b.streams([[b.valu()]]), "gravity")
