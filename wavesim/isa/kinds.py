"""Kinds of instructions, the groups of them that rules speak of, and the lanes of a wave: the one list."""

from __future__ import annotations

from enum import StrEnum

LANES = 64
"""Of a wave, on every CDNA (CDNA3 ISA §3)."""


class Kind(StrEnum):
    """How an instruction behaves at issue. One kind per instruction."""

    VALU = "valu"
    TRANS = "trans"  # transcendental VALU: v_exp_f32, v_rcp_f32, ...
    MFMA = "mfma"
    LDS_READ = "lds_read"  # ds_read*, ds_bpermute, ds_swizzle, returning atomics
    LDS_WRITE = "lds_write"  # ds_write*, non-returning atomics
    VMEM_LOAD = "vmem_load"  # buffer/global/flat loads, also direct-to-LDS
    VMEM_STORE = "vmem_store"
    SALU = "salu"
    SMEM = "smem"  # s_load*, s_buffer_load*, s_memtime
    BRANCH = "branch"  # s_branch, s_setpc, s_swappc: always taken
    COND_BRANCH = "cond_branch"
    WAIT = "wait"  # s_waitcnt
    NOP = "nop"
    BARRIER = "barrier"
    SETPRIO = "setprio"
    SLEEP = "sleep"
    ENDPGM = "endpgm"
    INTERNAL = "internal"  # other instructions without a functional unit (s_sethalt, s_inst_prefetch...)


VALU_KINDS = frozenset({Kind.VALU, Kind.TRANS})
LDS_KINDS = frozenset({Kind.LDS_READ, Kind.LDS_WRITE})
VMEM_KINDS = frozenset({Kind.VMEM_LOAD, Kind.VMEM_STORE})
MEMORY_KINDS = LDS_KINDS | VMEM_KINDS
LOAD_KINDS = frozenset({Kind.LDS_READ, Kind.VMEM_LOAD, Kind.SMEM})
"""What may put something that was read into registers."""
STORE_KINDS = frozenset({Kind.LDS_WRITE, Kind.VMEM_STORE})
BRANCH_KINDS = frozenset({Kind.BRANCH, Kind.COND_BRANCH})
IDLE_KINDS = frozenset({Kind.NOP, Kind.SLEEP})
"""What only lets time pass."""
