"""Builds small Timelines by hand: a wave is a list of steps, each an instruction with its stalls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from wavesim.errors import SourceSpan
from wavesim.isa.machine import Machine, Quantity
from wavesim.isa.timing_parameters import MfmaTiming, TimingParameters
from wavesim.program import Instruction, KernelMetadata, Program
from wavesim.trace import BusySpan, CodeEntry, Kind, Reason, Timeline, Trace, WaveTimeline, WaveTrace

MFMA = "v_mfma_f32_16x16x16_bf16"
PIPE_CLK = 16
LDS = (Kind.LDS_READ, Kind.LDS_WRITE)
NAMES = {
    Kind.MFMA: MFMA,
    Kind.LDS_READ: "ds_read_b64",
    Kind.LDS_WRITE: "ds_write_b64",
    Kind.WAIT: "s_waitcnt",
    Kind.BARRIER: "s_barrier",
    Kind.COND_BRANCH: "s_cbranch_scc1",
}


@dataclass(frozen=True)
class Step:
    """One dynamic instruction: code index, what it waited for, and how long it holds its wave."""

    code: int
    stalls: tuple[tuple[Reason, int], ...] = ()
    hold_clk: int = 4
    taken: bool = False


@dataclass
class Wave:
    """A wave's steps; ``simd`` is its number modulo 4 unless given."""

    steps: Sequence[Step]
    start_clk: int = 0
    workgroup: int = 0
    simd: int | None = None


def entry(kind: Kind, opcode: str = "", *, line: int = 0, **facts: object) -> CodeEntry:
    """A code entry with a plausible opcode."""
    span = SourceSpan("toy.s", line) if line else None
    name = opcode or NAMES.get(kind, str(kind))
    if kind is Kind.MFMA:
        facts.setdefault("mfma", MFMA)
    if kind in (Kind.LDS_READ, Kind.LDS_WRITE):
        facts.setdefault("width_bytes", 8)
        facts.setdefault("lgkm_increment", 1)
    return CodeEntry(Instruction(name, span=span), kind, **facts)  # type: ignore[arg-type]


def build(
    code: Sequence[CodeEntry],
    waves: Sequence[Wave],
    *,
    labels: Mapping[str, int] | None = None,
    measured: bool = False,
    complete: bool = True,
    tail_clk: int = 0,
) -> Timeline:
    """A Timeline whose stalls and issues tile every wave's life; busy spans served first come."""
    traces, timed = [], []
    spans: dict[tuple[str, int], list[tuple[int, int, int, int]]] = {}
    for number, wave in enumerate(waves):
        simd = number % 4 if wave.simd is None else wave.simd
        now = wave.start_clk
        issue, end, attempt, row, reason, clk = [], [], [], [], [], []
        for index, step in enumerate(wave.steps):
            attempt.append(now)
            for why, length in step.stalls:
                row.append(index)
                reason.append(int(why))
                clk.append(length)
                now += length
            issue.append(now)
            kind = code[step.code].kind
            if kind is Kind.MFMA:
                spans.setdefault(("mfma", simd), []).append((now, now + PIPE_CLK, number, index))
            if kind in (Kind.LDS_READ, Kind.LDS_WRITE):
                spans.setdefault(("lds_port", simd // 2), []).append((now, now + 8, number, index))
            now += step.hold_clk
            end.append(now)
        rows = len(wave.steps)
        traces.append(
            WaveTrace(
                wave=number,
                workgroup=wave.workgroup,
                simd=simd,
                slot=number // 4,
                start_clk=wave.start_clk,
                code=np.array([step.code for step in wave.steps], np.int32),
                array_clk=np.array(
                    [4 if code[s.code].kind in (Kind.LDS_READ, Kind.LDS_WRITE) else 0 for s in wave.steps],
                    np.int32,
                ),
                memory_bytes=np.zeros(rows, np.int32),
                taken=np.array([step.taken for step in wave.steps], bool),
                memory_latency_clk=np.full(rows, -1, np.int32),
            )
        )
        timed.append(
            WaveTimeline(
                wave=number,
                workgroup=wave.workgroup,
                simd=simd,
                slot=number // 4,
                first_clk=wave.start_clk,
                last_clk=now,
                attempt_clk=np.array(attempt, np.int64),
                issue_clk=np.array(issue, np.int64),
                end_clk=np.array(end, np.int64),
                done_clk=np.array(issue, np.int64),
                stall_row=np.array(row, np.int32),
                stall_reason=np.array(reason, np.int8),
                stall_clk=np.array(clk, np.int32),
            )
        )
    busy = {}
    for resource, used in spans.items():
        free = 0
        served = []
        for start, stop, number, index in sorted(used):
            begin = max(start, free)
            free = begin + stop - start
            served.append((begin, free, number, index))
        columns = np.array(served, np.int64).T
        busy[resource] = BusySpan(
            columns[0], columns[1], columns[2].astype(np.int32), columns[3].astype(np.int32)
        )
    program = Program(
        name="toy",
        arch="gfx942",
        instructions=tuple(each.instruction for each in code),
        labels=dict(labels or {}),
        metadata=KernelMetadata(),
        addresses=tuple(range(0, 4 * len(code), 4)),
        sizes=(4,) * len(code),
        file="toy.s",
    )
    return Timeline(
        trace=Trace(
            "gfx942", program, tuple(code), tuple(traces), "measured" if measured else "emulated", complete
        ),
        waves=tuple(timed),
        clk_total=max((wave.last_clk for wave in timed), default=0) + tail_clk,
        busy={} if measured else busy,
        engine="" if measured else "by hand",
        measured=measured,
        complete=complete,
    )


def machine(**overrides: object) -> Machine:
    """A machine with gfx942's documented numbers, independent of the files in isa/."""
    values: dict[str, object] = dict(  # noqa: C408
        arch="gfx942",
        structure_simds=4,
        structure_simd_pairs=((0, 1), (2, 3)),
        structure_wave_slots_per_simd=8,
        issue_slot_clk=4,
        issue_valu_clk=4,
        issue_trans_clk=16,
        issue_multi_slot_valu_clk=4,
        issue_valu_per_slot=1,
        issue_bank_reads_per_slot=4,
        issue_packed_after_mfma_clk=12,
        issue_dual_after_mfma_clk=12,
        issue_sleep_unit_clk=64,
        issue_turns_idle_clk=32,
        issue_turns_clk=0,
        issue_turn_clk=32,
        mfma_pass_clk=4,
        mfma_blocks_valu_clk={2: 4, 4: 4, 8: 4},
        mfma_blocks_memory_clk={2: 0, 4: 0, 8: 0},
        mfma_scale_load_clk=4,
        mfma_table={MFMA: MfmaTiming(MFMA, 4, flops=2 * 16 * 16 * 16)},
        lds_port_bytes_per_clk=64,
        lds_queue_entries=10,
        lds_queue_hold_clk=36,
        lds_subdword_clk=0,
        lds_from_memory_bytes_per_clk=128,
        lds_join_from_clk=8,
        lds_join_near_clk=20,
        lds_join_most_clk=16,
        lds_join_clk=12,
        lds_read_latency_clk=44,
        lds_write_latency_clk={4: 44, 8: 44, 16: 44},
        lds_write_hold_clk={4: 8, 8: 12, 12: 16, 16: 20},
        lds_array_clk={("read", 4): 2, ("read", 8): 4, ("read", 16): 8, ("write", 8): 4, ("write", 16): 8},
        gap_valu_to_memory_clk=12,
        gap_valu_sgpr_to_scalar_clk=20,
        gap_salu_to_cbranch_clk=8,
        gap_salu_to_vmem_clk=8,
        fetch_chunk_bytes=32,
        fetch_refill_clk=20,
        fetch_restart_first_clk=20,
        fetch_restart_next_clk=36,
        fetch_icache_bytes=65536,
        fetch_icache_line_bytes=128,
        fetch_icache_units=2,
        fetch_page_bytes=4096,
        fetch_code_offset_bytes=2304,
        fetch_prefetch_bytes=1024,
        fetch_miss_clk=300,
        counter_lgkm_max=15,
        counter_vm_max=63,
        barrier_release_early_clk=4,
        barrier_release_late_clk=8,
        barrier_simd_order=(3, 0, 1, 2),
        dispatch_wave_simds=(0, 2, 1, 3),
        dispatch_wave_interval_clk=4,
        dispatch_workgroup_least_clk=16,
        dispatch_engine_units=9,
        dispatch_after_end_clk=36,
        dispatch_first_instruction_clk=32,
        scalar_load_latency_clk=40,
        memory_queue_hold_clk=0,
        memory_acknowledge_clk=4,
        memory_queue_entries=12,
        memory_tail_entries=224,
        memory_tail_bytes=14336,
        memory_to_lds_held_bytes=0,
        memory_bytes_per_clk=64,
        memory_l1_hit_bytes_per_clk=128,
        memory_min_service_clk=4,
        memory_store_queue_bytes=8192,
        memory_idle_clk=1100,
        memory_idle_restart_clk=8,
        memory_latency_clk=880,
        memory_store_latency_clk=880,
    )
    values.update(overrides)
    parameters = TimingParameters(**values)  # type: ignore[arg-type]
    quantities = {
        "structure.compute_units": Quantity("structure.compute_units", 304, "1", "test", "assumed"),
        "clock.sustained_ghz": Quantity("clock.sustained_ghz", 2.0, "GHz", "test clock", "measured"),
        "clock.sustained_range_ghz": Quantity(
            "clock.sustained_range_ghz", (2.0, 2.0), "GHz", "test", "measured"
        ),
        "clock.sustained_by_busy_ghz": Quantity("clock.sustained_by_busy_ghz", {}, "GHz", "test", "measured"),
    }
    return Machine("gfx942", "gfx942", "test", parameters, quantities, {})


@dataclass
class PingPong:
    """Eight waves, one half reading LDS while the other computes: a loop with a known picture."""

    iterations: int = 6
    reads: int = 8
    mfmas: int = 8
    code: tuple[CodeEntry, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.code = (
            entry(Kind.SALU, "s_mov_b32", line=1),
            entry(Kind.BARRIER, line=2),  # the stagger, of the second half only
            *(entry(Kind.LDS_READ, line=3) for _ in range(self.reads)),  # the first is the loop's head
            entry(Kind.WAIT, wait_lgkmcnt=0, line=4),
            entry(Kind.BARRIER, line=5),
            *(entry(Kind.MFMA, line=6) for _ in range(self.mfmas)),
            entry(Kind.BARRIER, line=7),
            entry(Kind.COND_BRANCH, line=8),
            entry(Kind.ENDPGM, "s_endpgm", line=9),
        )

    def timeline(self) -> Timeline:
        """Reads with their wait and a barrier against MFMAs and a barrier; both phases of one length."""
        phase = 16 * self.mfmas + 32
        lgkm = 56
        rest = phase - 4 * self.reads - lgkm - 4 - 4
        wait = 2 + self.reads
        first_mfma = wait + 2
        waves = []
        for number in range(8):
            steps = [Step(0)]
            if number >= 4:
                steps.append(Step(1, ((Reason.BARRIER, phase - 4),)))
            for index in range(self.iterations):
                steps.append(Step(2, ((Reason.BRANCH, 20),) if index else ()))
                steps += [Step(2 + read) for read in range(1, self.reads)]
                steps.append(Step(wait, ((Reason.LGKMCNT, lgkm),)))
                steps.append(Step(wait + 1, ((Reason.BARRIER, rest),)))
                steps.append(Step(first_mfma))
                steps += [
                    Step(first_mfma + mfma, ((Reason.MATRIX_PIPE, 12),)) for mfma in range(1, self.mfmas)
                ]
                steps.append(Step(first_mfma + self.mfmas, ((Reason.BARRIER, 16),)))
                steps.append(Step(first_mfma + self.mfmas + 1, taken=index + 1 < self.iterations))
            steps.append(Step(first_mfma + self.mfmas + 2))
            waves.append(Wave(steps))
        return build(self.code, waves, labels={".Lloop": 2})
