"""What timing needs to know of a static instruction, independent of any machine's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wavesim.isa.kinds import Kind
from wavesim.program import Instruction


class Category(StrEnum):
    """Issue categories: per SIMD and slot at most one instruction each, internal without limit."""

    VALU = "valu"
    MFMA = "mfma"
    LDS = "lds"
    VMEM = "vmem"
    SCALAR = "scalar"
    BRANCH = "branch"
    INTERNAL = "internal"


CATEGORY_OF_KIND: dict[Kind, Category] = {
    Kind.VALU: Category.VALU,
    Kind.TRANS: Category.VALU,
    Kind.MFMA: Category.MFMA,
    Kind.LDS_READ: Category.LDS,
    Kind.LDS_WRITE: Category.LDS,
    Kind.VMEM_LOAD: Category.VMEM,
    Kind.VMEM_STORE: Category.VMEM,
    Kind.SALU: Category.SCALAR,
    Kind.SMEM: Category.SCALAR,
    Kind.BRANCH: Category.BRANCH,
    Kind.COND_BRANCH: Category.BRANCH,
    Kind.WAIT: Category.INTERNAL,
    Kind.NOP: Category.INTERNAL,
    Kind.BARRIER: Category.INTERNAL,
    Kind.SETPRIO: Category.INTERNAL,
    Kind.SLEEP: Category.INTERNAL,
    Kind.ENDPGM: Category.INTERNAL,
    Kind.INTERNAL: Category.INTERNAL,
}

COUNTER_MAX = {"vmcnt": 63, "lgkmcnt": 15}
"""What the counters of outstanding operations hold: 6 and 4 bits (CDNA3 ISA §4.4). At a full counter the wave
does not issue, so of operations that return in order no more are outstanding; as a count of an
``s_waitcnt`` it means that nothing is waited for."""

SGPR_VCC, SGPR_EXEC, SGPR_M0, SGPR_SCC = 1000, 1001, 1002, 1003
"""Pseudo indices beside the SGPR numbers in :attr:`CodeEntry.sgpr_reads` and ``sgpr_writes``."""


@dataclass(frozen=True, slots=True)
class SlotShare:
    """With which others of its SIMD a VALU instruction has room in one issue slot (gfx950; docs/model §9).

    Of two the first in rank is the *first*. ``as_first`` and ``as_second`` are classes (isa/valu_pairs.csv):
    2 free, 1 restricted, 0 never. Scalars are SGPRs and VCC, not EXEC. VGPR reads count operand by operand.
    """

    as_first: int = 0
    as_second: int = 0
    scalar_read: bool = False
    scalar_write: bool = False
    even_reads: int = 0
    odd_reads: int = 0
    first_even: bool = False  # its first source has an even VGPR
    first_odd: bool = False


ALONE = SlotShare()
"""Never shares a slot."""


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """A static instruction as timing sees it; facts of the instruction only, no clocks.

    Widths are bytes per lane. Counts are ``None`` where a wait does not name the counter.
    """

    instruction: Instruction
    kind: Kind
    address: int = 0
    size_bytes: int = 4
    width_bytes: int = 0
    data_bytes: int = 0  # an LDS instruction: what it sends beside its address, whole dwords
    to_lds: bool = False
    lgkm_increment: int = 0
    vm_increment: int = 0
    wait_vmcnt: int | None = None
    wait_lgkmcnt: int | None = None
    nop_slots: int = 0  # s_nop k: k + 1
    priority: int = 0  # s_setprio
    sleep_units: int = 0  # s_sleep n
    mfma: str = ""  # opcode as in the machine's MFMA table
    mfma_format: str = ""  # f8f6f4 only: "fp8" if A or B is an 8-bit format, else "fp4" (fp6/fp4)
    mfma_source_vgprs: int = 0  # the larger of A's and B's registers: 2, 4 or 8
    scaled: bool = False  # v_mfma_scale_*: two slots
    share: SlotShare = ALONE  # VALU: with which others it has room in one slot
    packed_f32: bool = False  # v_pk_{add,mul,fma}_f32: behind the matrix pipe
    multi_slot: bool = False  # a VALU that is no transcendental and takes several slots
    writes_sgpr: bool = False  # a VALU that writes an SGPR or VCC
    sgpr_reads: frozenset[int] = frozenset()
    sgpr_writes: frozenset[int] = frozenset()

    @property
    def category(self) -> Category:
        """The issue category."""
        return CATEGORY_OF_KIND[self.kind]
