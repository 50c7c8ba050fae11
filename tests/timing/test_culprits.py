"""Who is to blame for a stall (docs/model §16): by hand, and checked against what the named row did."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import builders as b
import numpy as np
import pytest
import random_traces

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing import ENGINES, simulate
from wavesim.timing.rules.lds_subdword import subdword_clk
from wavesim.trace import Category, CodeEntry, Kind, Reason, Spin, Timeline, Trace, WaveTrace

Blamed = list[tuple[int, str, int, int, int]]
"""(row, reason, clocks, by wave, by row)"""

PORTS = (Category.LDS, Category.VMEM)
NOBODY = (-1, -1)


def stalls(timeline: Timeline, wave: int) -> Blamed:
    of = timeline.waves[wave]
    columns = (of.stall_row, of.stall_reason, of.stall_clk, of.stall_by_wave, of.stall_by_row)
    return [
        (row, Reason(reason).name.lower(), clk, by_wave, by_row)
        for row, reason, clk, by_wave, by_row in zip(*(column.tolist() for column in columns), strict=True)
    ]


def timed(engine: str, trace: Trace, **changes: object) -> Timeline:
    return simulate(trace, b.parameters(trace.arch, **changes), engine=engine)


def same_simd(*bodies: Sequence[CodeEntry], arch: str = "gfx942") -> Trace:
    code = b.one_chunk([entry for body in bodies for entry in (*body, b.endpgm())])
    waves, first = [], 0
    for number, body in enumerate(bodies):
        waves.append(b.wave(range(first, first + len(body) + 1), simd=0, number=number))
        first += len(body) + 1
    return b.trace(code, waves, arch)


SCALED = b.mfma(b.MFMA_SCALED, 8, fmt="fp8", scaled=True)
CASES: dict[str, tuple[Trace, dict[str, object], int, Blamed]] = {
    # the valu of row 0 and the salu of row 1 both let the load go at 12: the later row is named
    "dependency": (
        b.streams([[b.valu(), b.salu(writes=(3,)), b.load(reads=(3,))]]),
        {},
        0,
        [(2, "dependency", 4, 0, 1)],
    ),
    # three reads return at 52, 60, 68; lgkmcnt(1) ends with the second, lgkmcnt(0) with the third
    "lgkmcnt": (
        b.streams([[b.lds_read()] * 3 + [b.wait(lgkm=1), b.wait(lgkm=0)]]),
        {},
        0,
        [(3, "lgkmcnt", 48, 0, 1), (4, "lgkmcnt", 4, 0, 2)],
    ),
    # the scalar load returns at 400, which is known when the wait begins; the second read returns at 80
    "lgkmcnt, out of order": (
        b.streams([[b.smem(1), b.lds_read(16), b.lds_read(16), b.wait(lgkm=1)]]),
        {"scalar_load_latency_clk": 400},
        0,
        [(3, "lgkmcnt", 68, 0, 2)],
    ),
    "vmcnt": (
        b.streams([[b.load(16), b.wait(vm=0)]]),
        {"memory_latency_clk": 100},
        0,
        [(1, "vmcnt", 96, 0, 0)],
    ),
    "counter_full": (
        b.streams([[b.load()] * 3]),
        {"counter_vm_max": 2, "memory_latency_clk": 100},
        0,
        [(2, "counter_full", 92, 0, 0)],
    ),
    # SIMD 0 arrives last; SIMD 2 leaves early, SIMD 3 late, both because of wave 0's row 1
    "barrier": (
        b.streams([[b.nop(3), b.barrier()], [b.barrier()], [b.barrier()], [b.barrier()]]),
        {},
        3,
        [(0, "barrier", 16, 0, 1)],
    ),
    "barrier, the last arriver": (
        b.streams([[b.nop(3), b.barrier()], [b.barrier()]]),
        {},
        0,
        [(1, "barrier", 4, *NOBODY)],
    ),
    "barrier, completed by an end": (
        b.streams([[b.barrier()], [b.nop(9)]]),
        {},
        0,
        [(0, "barrier", 48, 1, 1)],
    ),
    "matrix_pipe": (same_simd([b.mfma(), b.mfma()], [b.mfma()]), {}, 0, [(1, "matrix_pipe", 12, 0, 0)]),
    # the second MFMA of wave 0 takes the pipe when the first leaves it, being older
    "matrix_pipe, taken by another": (
        same_simd([b.mfma(), b.mfma()], [b.mfma()]),
        {},
        1,
        [(0, "arbitration", 4, 0, 0), (0, "matrix_pipe", 12, 0, 0), (0, "arbitration", 4, 0, 1)],
    ),
    "mfma_coissue, in the slot": (same_simd([b.mfma()], [b.valu()]), {}, 1, [(0, "mfma_coissue", 4, 0, 0)]),
    # gfx950, 8 VGPRs: VALU are kept out for 12 clk, one record: its last slot is a later one
    "mfma_coissue, by a block": (
        same_simd([b.mfma(b.MFMA_950, 8)], [b.valu()], arch="gfx950"),
        {},
        1,
        [(0, "mfma_coissue", 12, 0, 0)],
    ),
    # the second MFMA's block ends at 16 + 4, within the first one's
    "mfma_coissue, the block that ends last": (
        same_simd([b.mfma(b.MFMA_950, 8), b.mfma(b.MFMA_950, 2)], [b.valu()], arch="gfx950"),
        {"mfma_blocks_valu_clk": {2: 4, 4: 8, 8: 40}},
        1,
        [(0, "mfma_coissue", 40, 0, 0)],
    ),
    "mfma_coissue, the reverse": (
        same_simd([b.valu()], [b.mfma()]),
        {},
        1,
        [(0, "mfma_coissue", 4, 0, 0)],
    ),
    "valu_busy": (
        same_simd([b.trans()], [b.valu()]),
        {},
        1,
        [(0, "arbitration", 4, 0, 0), (0, "valu_busy", 12, 0, 0)],
    ),
    "lds_hold": (
        b.streams([[b.lds_write(16)], [b.lds_read()]]),
        {},
        1,
        [(0, "port", 4, 0, 0), (0, "lds_hold", 16, 0, 0)],
    ),
    # two entries: the first read's is free at 16 + 36
    "lds_queue": (
        b.streams([[b.lds_read(16)] * 4]),
        {"lds_queue_entries": 2},
        0,
        [(2, "lds_queue", 44, 0, 0), (3, "lds_queue", 12, 0, 1)],
    ),
    # accepted at 0, 16, 32: at 12 the second and the third are queued, and the second goes first
    "vmem_queue": (
        b.streams([[b.load(16)] * 4]),
        {"memory_queue_entries": 2},
        0,
        [(3, "vmem_queue", 4, 0, 1)],
    ),
    # 40 clk of pause: the path wakes 8 clk after the attempt, for which nobody is to blame
    "vmem_queue, restart": (
        b.streams([[b.load(4), b.nop(12), b.load(4)]]),
        {"memory_idle_clk": 40, "memory_latency_clk": 8},
        0,
        [(2, "vmem_queue", 8, *NOBODY)],
    ),
    "arbitration": (same_simd([b.salu()], [b.salu()]), {}, 1, [(0, "arbitration", 4, 0, 0)]),
    # two plain VALU a slot: the third loses to both, the first in rank is named
    "arbitration, to two": (
        same_simd([b.valu()], [b.valu()], [b.valu()], arch="gfx950"),
        {},
        2,
        [(0, "arbitration", 4, 0, 0)],
    ),
    "port": (
        b.streams([[b.load(4)] * 2, [b.load(4)]]),
        {},
        1,
        [(0, "port", 8, 0, 1)],
    ),
    # vector turns from the start: SIMD 0 has the turn in slot 4, its wave is the first in rank
    "arbitration, by turns": (
        b.streams([[b.valu()] * 2, [b.valu()] * 2], "gfx950"),
        {},
        1,
        [(1, "arbitration", 4, 0, 1)],
    ),
    # row 4 straddles into chunk 1 and issues at 16: chunk 2 is there at 36, row 8 straddles into it
    "fetch": (
        b.streams([[b.salu(), *[b.salu(size_bytes=8)] * 8]], fetch=True),
        {},
        0,
        [(8, "fetch", 4, *NOBODY)],
    ),
    "branch": (
        b.trace(b.laid_out([b.branch(), b.valu(), b.endpgm()]), [b.wave([0, 1, 2])]),
        {},
        0,
        [(1, "branch", 16, *NOBODY)],
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_by_hand(engine: str, name: str) -> None:
    trace, changes, wave, expected = CASES[name]
    found = [stall for stall in stalls(timed(engine, trace, **changes), wave) if stall[1] != "finished"]
    assert found[: len(expected)] == expected


class Facts:
    """What rows did, for the checks of records."""

    def __init__(self, timeline: Timeline, p: TimingParameters) -> None:
        self.timeline, self.p = timeline, p
        self.pair = {simd: pair for pair, simds in enumerate(p.structure_simd_pairs) for simd in simds}
        self.spans = {
            resource: {
                (wave, row): (start, end)
                for wave, row, start, end in zip(
                    *(getattr(span, name).tolist() for name in ("wave", "row", "start_clk", "end_clk")),
                    strict=True,
                )
            }
            for resource, span in timeline.busy.items()
        }

    def entry(self, wave: int, row: int) -> CodeEntry:
        trace = self.timeline.trace
        return trace.code[trace.waves[wave].code[row]]

    def clk(self, name: str, wave: int, row: int) -> int:
        return int(getattr(self.timeline.waves[wave], name)[row])

    def simd(self, wave: int) -> int:
        return self.timeline.waves[wave].simd

    def check(self, wave: int, row: int, reason: Reason, begin: int, until: int, by: tuple[int, int]) -> bool:
        """Whether the contract lets ``by`` be named for the record [begin, until)."""
        last = until - self.p.issue_slot_clk
        entry = self.entry(wave, row)
        if by == NOBODY:
            return self.nobody(wave, row, reason, last)
        issue, done = self.clk("issue_clk", *by), self.clk("done_clk", *by)
        named = self.entry(*by)
        mine = by[0] == wave and by[1] < row
        same_simd = self.simd(by[0]) == self.simd(wave)
        same_pair = self.pair[self.simd(by[0])] == self.pair[self.simd(wave)]
        match reason:
            case Reason.DEPENDENCY:
                return mine and named.kind in (Kind.VALU, Kind.TRANS, Kind.SALU) and issue + 20 >= until
            case Reason.BARRIER:
                return self.is_last_arriver(wave, row, begin, until, by)
            case Reason.LGKMCNT | Reason.VMCNT | Reason.COUNTER_FULL:
                return mine and last < done <= until
            case Reason.MATRIX_PIPE if entry.packed_f32:
                return same_simd and issue <= last < done + self.p.issue_packed_after_mfma_clk
            case Reason.MATRIX_PIPE:
                early_clk = self.p.mfma_scale_load_clk if entry.scaled else 0
                return same_simd and issue <= last < done - early_clk
            case Reason.MFMA_COISSUE if entry.category is Category.MFMA:
                return same_simd and issue == last and named.category is not Category.MFMA
            case Reason.MFMA_COISSUE:
                start, _ = self.spans["mfma", self.simd(wave)][by]
                table = (
                    self.p.mfma_blocks_memory_clk if entry.category in PORTS else self.p.mfma_blocks_valu_clk
                )
                block = start + self.p.write_clk(table, named.mfma_source_vgprs)
                return same_simd and issue <= last < max(block, issue + 4)
            case Reason.VALU_BUSY:
                end = self.clk("end_clk", *by)
                several = named.kind is Kind.TRANS or named.multi_slot
                return same_simd and several and issue <= last < end == until
            case Reason.LDS_HOLD:
                end = self.clk("end_clk", *by)
                return same_pair and named.data_bytes > 0 and issue <= last < end
            case Reason.LDS_QUEUE:
                _, served = self.spans["lds_port", self.pair[self.simd(wave)]][by]
                late_clk = subdword_clk(self.p, named)
                return issue <= last < served + late_clk + self.p.lds_queue_hold_clk
            case Reason.VMEM_QUEUE:
                accepted, _ = self.spans["memory", 0][by]
                stores = entry.kind is named.kind is Kind.VMEM_STORE
                data_clk = 64 * named.width_bytes // self.p.memory_bytes_per_clk if stores else 0
                return issue <= last < max(accepted, issue + data_clk)
            case Reason.ARBITRATION:
                vector = {named.category, entry.category} <= {Category.VALU, Category.MFMA}
                in_turn = vector and self.p.issue_turns_clk > 0 and by[0] != wave
                same = same_simd and named.category is entry.category and by[0] != wave
                return (same and issue >= last) or (in_turn and (issue >= last or named.scaled))
            case Reason.PORT:
                place = same_pair if entry.category is Category.LDS else True
                if named.category is Category.MFMA:  # it keeps out whose turn it is
                    return place and issue <= last
                return place and named.category is entry.category and issue == last and by[0] != wave
            case _:
                return False

    def nobody(self, wave: int, row: int, reason: Reason, last: int) -> bool:
        """Whether nobody may be named: a latency by itself."""
        if reason in (Reason.BRANCH, Reason.FETCH):
            return True
        if reason is Reason.BARRIER:
            return self.timeline.waves[wave].issue_clk[row] < 0 or self.arrived(wave, row) == last
        return reason is Reason.VMEM_QUEUE and "vmem_idle_restart" not in self.p.rules_off

    def arrived(self, wave: int, row: int) -> int:
        """A wave's arrival at a barrier: the begin of its record, or its issue if it has none."""
        of = self.timeline.waves[wave]
        mine = (of.stall_row == row) & (of.stall_reason == Reason.BARRIER)
        return int(of.issue_clk[row] - of.stall_clk[mine].sum())

    def is_last_arriver(self, wave: int, row: int, begin: int, until: int, by: tuple[int, int]) -> bool:
        named = self.entry(*by)
        if self.timeline.waves[by[0]].workgroup != self.timeline.waves[wave].workgroup:
            return False
        if named.kind is Kind.ENDPGM:
            at = self.clk("end_clk", *by)
        elif named.kind is Kind.BARRIER:
            at = self.arrived(*by)
        else:
            return False
        released = until + self.p.issue_slot_clk - at
        return begin < at and released in (self.p.barrier_release_early_clk, self.p.barrier_release_late_clk)


def assert_blamed(timeline: Timeline, p: TimingParameters) -> int:
    """Every record names whom it may name; how many name somebody."""
    facts = Facts(timeline, p)
    named = 0
    for position, (wave, stream) in enumerate(zip(timeline.waves, timeline.trace.waves, strict=True)):
        assert len(wave.stall_by_wave) == len(wave.stall_by_row) == len(wave.stall_row)
        ready = np.concatenate(([wave.first_clk], wave.end_clk[:-1])) if len(stream) else wave.end_clk
        clk, at = 0, -1
        for row, reason, length, by_wave, by_row in zip(
            wave.stall_row.tolist(),
            wave.stall_reason.tolist(),
            wave.stall_clk.tolist(),
            wave.stall_by_wave.tolist(),
            wave.stall_by_row.tolist(),
            strict=True,
        ):
            clk, at = (int(ready[row]), row) if row != at else (clk, at)
            until = clk + length
            who = f"wave {position} row {row} {Reason(reason).name} [{clk}, {until}): {by_wave}, {by_row}"
            assert facts.check(position, row, Reason(reason), clk, until, (by_wave, by_row)), who
            named += by_wave >= 0
            clk = until
    return named


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first", range(0, 600, 200))
def test_on_random_traces(engine: str, first: int) -> None:
    named = 0
    for seed in range(first, first + 200):
        random = Random(seed)
        arch = ("gfx90a", "gfx942", "gfx950")[seed % 3]
        p = random_traces.random_parameters(random, arch)
        trace = random_traces.random_trace(random, arch)
        if any(wave.spins for wave in trace.waves) or p.rules_off:
            continue  # repeated passes overwrite what rows did; a rule off changes what may be named
        named += assert_blamed(simulate(trace, p, engine=engine), p)
    assert named > 5000


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wrong_name_is_seen(engine: str) -> None:
    """The check itself: the same records with every name moved to the next wave fail it."""
    trace = b.streams([[b.load(4)] * 4, [b.load(4)] * 4])
    timeline = timed(engine, trace)
    assert assert_blamed(timeline, b.parameters())
    timeline.waves[1].stall_by_wave[:] = 1
    with pytest.raises(AssertionError, match="PORT"):
        assert_blamed(timeline, b.parameters())


@pytest.mark.parametrize("engine", ENGINES)
def test_records_of_repeated_passes_and_stuck_waves_are_complete(engine: str) -> None:
    code = b.one_chunk([b.lds_read(4), b.wait(lgkm=0), b.cbranch(), b.endpgm(), b.barrier(), b.lds_write(4)])
    spinner: WaveTrace = b.wave([0, 1, 2, 3], spins=(Spin(0, 2, 1, 1),))
    timeline = timed(engine, b.trace(code, [spinner, b.wave([4, 5, 3], simd=1, number=1)]))
    assert not timeline.complete
    assert stalls(timeline, 1)[-1][:2] == (0, "barrier")
    assert stalls(timeline, 1)[-1][3:] == NOBODY
    assert (1, "lgkmcnt", 44, 0, 0) in stalls(timeline, 0)
