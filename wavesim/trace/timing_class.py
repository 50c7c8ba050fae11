"""The class of an instruction as far as its times go: what one measured instruction says of others."""

from __future__ import annotations

from wavesim.isa.kinds import LDS_KINDS, VMEM_KINDS, Kind
from wavesim.trace.code import CodeEntry


def timing_class(entry: CodeEntry) -> str:
    """The matrix instruction by name, a memory access by kind and width, others by the unit that takes them.

    What a VALU instruction computes does not matter to its time; that it is packed or takes several slots
    does.
    """
    if entry.kind is Kind.MFMA:
        return f"{entry.mfma} {entry.mfma_format}".rstrip() + (" scaled" if entry.scaled else "")
    if entry.kind in LDS_KINDS or entry.kind in VMEM_KINDS:
        return f"{entry.kind} {entry.width_bytes} B" + (" to LDS" if entry.to_lds else "")
    if entry.packed_f32:
        return f"{entry.kind} packed"
    return f"{entry.kind} of several slots" if entry.multi_slot else str(entry.kind)
