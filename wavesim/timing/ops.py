"""Static instructions with their clocks on one machine: every table looked up once, before time runs."""

from __future__ import annotations

from collections.abc import Mapping

from wavesim.isa.kinds import LANES
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules.lds_subdword import subdword_clk
from wavesim.trace import Category, CodeEntry, Kind
from wavesim.trace.code import SGPR_EXEC

VALU, MFMA, LDS, VMEM, SCALAR, BRANCH, INTERNAL = range(7)
CATEGORY_NUMBER: Mapping[Category, int] = {
    Category.VALU: VALU,
    Category.MFMA: MFMA,
    Category.LDS: LDS,
    Category.VMEM: VMEM,
    Category.SCALAR: SCALAR,
    Category.BRANCH: BRANCH,
    Category.INTERNAL: INTERNAL,
}


class Op:
    """A :class:`~wavesim.trace.CodeEntry` with its clocks on one machine (sections: docs/model)."""

    __slots__ = (
        "array_clk",
        "blocks_memory",
        "blocks_valu",
        "category",
        "conditional",
        "first_chunk",
        "goes_first",
        "hold_clk",
        "is_barrier",
        "kind",
        "last_chunk",
        "latency_clk",
        "lgkm",
        "memory_bytes",
        "pipe_clk",
        "port_clk",
        "priority",
        "scaled",
        "sends",
        "sgpr_reads",
        "sgpr_writes",
        "subdword_clk",
        "to_lds",
        "vm",
        "wait_lgkm",
        "wait_vm",
        "write",
        "writes_sgpr",
    )

    def __init__(self, entry: CodeEntry, p: TimingParameters) -> None:
        self.kind = entry.kind
        self.category = CATEGORY_NUMBER[entry.category]
        self.first_chunk = entry.address // p.fetch_chunk_bytes
        self.last_chunk = (entry.address + entry.size_bytes - 1) // p.fetch_chunk_bytes
        self.conditional = entry.kind is Kind.COND_BRANCH
        self.hold_clk = _hold_clk(entry, p)
        self.is_barrier = entry.kind is Kind.BARRIER
        self.writes_sgpr = entry.writes_sgpr
        self.sgpr_writes = tuple(entry.sgpr_writes)
        self.sgpr_reads = tuple(entry.sgpr_reads | {SGPR_EXEC})
        self.lgkm = entry.lgkm_increment
        self.vm = entry.vm_increment
        self.wait_lgkm = entry.wait_lgkmcnt
        self.wait_vm = entry.wait_vmcnt
        self.priority = entry.priority
        self.to_lds = entry.to_lds
        self.scaled = entry.scaled
        self.goes_first = entry.scaled and "scaled_mfma_first" not in p.rules_off
        self.write = entry.kind is Kind.LDS_WRITE
        self.sends = entry.data_bytes > 0
        self.port_clk = self.array_clk = self.latency_clk = self.memory_bytes = self.subdword_clk = 0
        self.pipe_clk = self.blocks_valu = self.blocks_memory = 0
        if self.category == LDS:
            self._lds(entry, p)
        elif self.category == VMEM:
            self.memory_bytes = LANES * entry.width_bytes
            store = entry.kind is Kind.VMEM_STORE
            self.latency_clk = p.memory_store_latency_clk if store else p.memory_latency_clk
        elif entry.kind is Kind.SMEM:
            self.latency_clk = p.scalar_load_latency_clk
        elif entry.kind is Kind.MFMA:
            self.pipe_clk = p.matrix_pipe_clk(entry.mfma, entry.mfma_format)
            self.blocks_valu = p.write_clk(p.mfma_blocks_valu_clk, entry.mfma_source_vgprs)
            self.blocks_memory = p.write_clk(p.mfma_blocks_memory_clk, entry.mfma_source_vgprs)

    def _lds(self, entry: CodeEntry, p: TimingParameters) -> None:
        """§6: port, array (conflict-free) and return clocks."""
        width = max(4, entry.width_bytes)
        if self.write:
            self.port_clk = self.hold_clk
        else:
            self.port_clk = max(4, LANES * width // p.lds_port_bytes_per_clk, self.hold_clk)
        self.subdword_clk = subdword_clk(p, entry)
        self.latency_clk = p.lds_read_latency_clk
        if self.sends:
            self.latency_clk = p.write_clk(p.lds_write_latency_clk, entry.data_bytes)
        self.array_clk = _array_clk(p, "write" if self.write else "read", width)


def _array_clk(p: TimingParameters, kind: str, width_bytes: int) -> int:
    table = {bytes_: clk for (which, bytes_), clk in p.lds_array_clk.items() if which == kind}
    return p.write_clk(table, width_bytes)


def _hold_clk(entry: CodeEntry, p: TimingParameters) -> int:
    """§2: clocks from issue until the wave may attempt its next instruction (scaled MFMA: in the engine)."""
    slot = p.issue_slot_clk
    if entry.data_bytes:
        return p.write_clk(p.lds_write_hold_clk, entry.data_bytes)
    if entry.kind is Kind.TRANS:
        return p.issue_trans_clk
    if entry.multi_slot:
        return p.issue_multi_slot_valu_clk
    if entry.kind is Kind.NOP:
        return slot * max(1, entry.nop_slots)
    if entry.kind is Kind.SLEEP:
        return max(slot, p.issue_sleep_unit_clk * entry.sleep_units)
    return slot
