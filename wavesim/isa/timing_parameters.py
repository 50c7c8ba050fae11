"""The numbers of a machine that timing uses, as plain integers.

Every field is one key of the machine file (``isa/gfx942.yaml``): ``lds.queue_entries`` is the field
``lds_queue_entries``. Unit, source and confidence stand in the file; ``wavesim isa explain`` shows
them. docs/model says how each is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import wavesim.read_only  # noqa: F401  parameters can be pickled


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
    structure_simds: int
    structure_simd_pairs: tuple[tuple[int, ...], ...]
    structure_wave_slots_per_simd: int
    # issue
    issue_slot_clk: int
    issue_valu_clk: int
    issue_trans_clk: int
    issue_multi_slot_valu_clk: int
    issue_valu_per_slot: int
    issue_bank_reads_per_slot: int
    issue_dual_after_mfma_clk: int
    issue_packed_after_mfma_clk: int  # from the end of the matrix pipe; 0: at once, even under it
    issue_sleep_unit_clk: int
    # vector turns (docs/model §9); issue_turns_clk 0: none
    issue_turns_idle_clk: int
    issue_turns_clk: int
    issue_turn_clk: int
    # matrix pipe; keys 2, 4, 8: VGPRs of the larger of A and B
    mfma_pass_clk: int
    mfma_blocks_valu_clk: Mapping[int, int]
    mfma_blocks_memory_clk: Mapping[int, int]
    mfma_scale_load_clk: int
    mfma_table: Mapping[str, MfmaTiming] = field(repr=False)
    # LDS
    lds_port_bytes_per_clk: int
    lds_queue_entries: int
    lds_queue_hold_clk: int
    lds_subdword_port_clk: int
    lds_from_memory_bytes_per_clk: int  # 0: data from memory takes no time of the bank array
    lds_join_from_clk: int
    lds_join_near_clk: int
    lds_join_most_clk: int
    lds_join_clk: int
    lds_read_latency_clk: int
    lds_write_latency_clk: Mapping[int, int]  # by bytes per lane: 4, 8, 16 (others: next larger)
    lds_write_hold_clk: Mapping[int, int]  # by bytes per lane: 4, 8, 12, 16 (others: next larger)
    lds_array_clk: Mapping[tuple[str, int], int]  # conflict-free; ("read" | "write", bytes per lane)
    # dependency gaps, issue to issue
    gap_valu_to_memory_clk: int
    gap_valu_sgpr_to_scalar_clk: int
    gap_salu_to_cbranch_clk: int
    gap_salu_to_vmem_clk: int
    # instruction fetch
    fetch_chunk_bytes: int
    fetch_refill_clk: int
    fetch_restart_first_clk: int
    fetch_restart_next_clk: int
    # counters
    counter_lgkm_max: int
    counter_vm_max: int
    # barrier
    barrier_release_early_clk: int
    barrier_release_late_clk: int
    barrier_simd_order: tuple[int, ...]
    # scalar memory
    scalar_load_latency_clk: int
    # global memory
    memory_queue_entries: int
    memory_tail_entries: int
    memory_tail_bytes: int
    memory_bytes_per_clk: int
    memory_min_service_clk: int
    memory_idle_clk: int
    memory_idle_restart_clk: int
    memory_latency_clk: int
    memory_store_latency_clk: int
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
