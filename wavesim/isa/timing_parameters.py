"""The numbers of a machine that timing uses, as plain integers.

Every field is one key of the machine file (``isa/gfx942.yaml``): ``lds.queue_entries`` is the field
``lds_queue_entries``. Its type says what a machine file may give; the schema, the loader and the compiled
engine read the fields from here. Unit, source and confidence stand in the file; ``wavesim isa explain``
shows them. docs/model says how each is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import wavesim.read_only  # noqa: F401  parameters can be pickled
from wavesim.isa.quantity_kinds import ByVgprs, ByWidth, Count, SimdGroups, SimdList, Size, WholeNumber


@dataclass(frozen=True, slots=True)
class MfmaTiming:
    """One row of the MFMA table: passes (4 clk each), by format where it matters (f8f6f4)."""

    opcode: str
    passes: int
    passes_fp4: int = 0  # f8f6f4 without an 8-bit operand; 0: same as passes
    flops: int = 0
    flops_fp4: int = 0


@dataclass(frozen=True, slots=True)
class TimingParameters:
    """Units are in the names: ``_clk`` shader clocks, ``_bytes``, ``_entries``."""

    arch: str
    # structure
    structure_simds: Count
    structure_simd_pairs: SimdGroups
    structure_wave_slots_per_simd: Size
    # issue
    issue_slot_clk: Size
    issue_valu_clk: Size
    issue_trans_clk: Size
    issue_multi_slot_valu_clk: Size
    issue_valu_per_slot: Size
    issue_bank_reads_per_slot: Size
    issue_dual_after_mfma_clk: WholeNumber
    issue_packed_after_mfma_clk: WholeNumber  # from the end of the matrix pipe; 0: at once, even under it
    issue_sleep_unit_clk: Size
    # vector turns (docs/model §9); issue_turns_clk 0: none
    issue_turns_idle_clk: Size
    issue_turns_clk: WholeNumber
    issue_turn_clk: Size
    # matrix pipe; keys 2, 4, 8: VGPRs of the larger of A and B
    mfma_pass_clk: Size
    mfma_blocks_valu_clk: ByVgprs
    mfma_blocks_memory_clk: ByVgprs
    mfma_scale_load_clk: WholeNumber
    mfma_table: Mapping[str, MfmaTiming] = field(repr=False)
    # LDS
    lds_port_bytes_per_clk: Size
    lds_queue_entries: Size
    lds_queue_hold_clk: WholeNumber
    lds_subdword_clk: WholeNumber
    lds_from_memory_bytes_per_clk: WholeNumber  # 0: data from memory takes no time of the bank array
    lds_join_from_clk: WholeNumber
    lds_join_near_clk: WholeNumber
    lds_join_most_clk: WholeNumber
    lds_join_clk: WholeNumber
    lds_read_latency_clk: WholeNumber
    lds_write_latency_clk: ByWidth  # by bytes per lane: 4, 8, 16 (others: next larger)
    lds_write_hold_clk: ByWidth  # by bytes per lane: 4, 8, 12, 16 (others: next larger)
    lds_array_clk: Mapping[tuple[str, int], int]  # conflict-free; ("read" | "write", bytes per lane)
    # dependency gaps, issue to issue
    gap_valu_to_memory_clk: WholeNumber
    gap_valu_sgpr_to_scalar_clk: WholeNumber
    gap_salu_to_cbranch_clk: WholeNumber
    gap_salu_to_vmem_clk: WholeNumber
    # instruction fetch
    fetch_chunk_bytes: Size
    fetch_refill_clk: WholeNumber
    fetch_restart_first_clk: WholeNumber
    fetch_restart_next_clk: WholeNumber
    fetch_icache_bytes: Size
    fetch_icache_line_bytes: Size
    fetch_icache_units: Size  # compute units that share it
    fetch_page_bytes: Size
    fetch_code_offset_bytes: WholeNumber  # where on its page a kernel begins whose place is not known
    fetch_prefetch_bytes: WholeNumber
    fetch_miss_clk: WholeNumber  # 0: no line is ever missing
    # counters
    counter_lgkm_max: Size
    counter_vm_max: Size
    # barrier
    barrier_release_early_clk: Size
    barrier_release_late_clk: Size
    barrier_simd_order: SimdList
    # workgroups that follow (docs/model §1)
    dispatch_wave_simds: SimdList
    dispatch_wave_interval_clk: WholeNumber
    dispatch_workgroup_least_clk: WholeNumber
    dispatch_engine_units: Size
    dispatch_after_end_clk: WholeNumber
    dispatch_first_instruction_clk: WholeNumber
    # scalar memory
    scalar_load_latency_clk: Size
    # global memory
    memory_queue_entries: Size
    memory_queue_hold_clk: WholeNumber
    memory_tail_entries: Size
    memory_tail_bytes: Size
    memory_to_lds_held_bytes: WholeNumber
    memory_bytes_per_clk: Size
    memory_l1_hit_bytes_per_clk: Size
    memory_min_service_clk: Size
    memory_acknowledge_clk: WholeNumber
    memory_store_queue_bytes: Size
    memory_idle_clk: Size
    memory_idle_restart_clk: WholeNumber
    memory_latency_clk: Size
    memory_store_latency_clk: Size
    # names of switched-off rules (docs/model §14); wavesim.timing.rules knows them
    rules_off: frozenset[str] = frozenset()

    def write_clk(self, table: Mapping[int, int], width_bytes: int) -> int:
        """Value of a by-width table: the entry of the smallest width not below ``width_bytes``."""
        for width in sorted(table):
            if width >= width_bytes:
                return table[width]
        return table[max(table)]

    def matrix_pipe_clk(self, opcode: str, mfma_format: str = "") -> int:
        """Clocks an MFMA occupies its SIMD's matrix pipe.

        Raises:
            KeyError: no such opcode on this machine.
        """
        row = self.mfma_table[opcode]
        passes = row.passes_fp4 if mfma_format == "fp4" and row.passes_fp4 else row.passes
        return passes * self.mfma_pass_clk
