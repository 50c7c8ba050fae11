"""A SIMD's pipes (docs/model §5, §9): the matrix pipe, what an MFMA keeps out, and the VALU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.gaps import LONG_AGO
from wavesim.timing.model.record import NOBODY, By
from wavesim.timing.rules.mfma_coissue import blocked_clk
from wavesim.trace import Category, CodeEntry, Kind, Reason


class Refusal(NamedTuple):
    """Why an instruction does not issue in this slot, and who is to blame.

    ``until_clk``: it cannot issue before; 0: that is not known.
    """

    reason: Reason
    by: By
    until_clk: int = 0


@dataclass(slots=True)
class Until:
    """Something is taken until ``clk``, by ``by``."""

    clk: int = LONG_AGO
    by: By = NOBODY

    def extend(self, clk: int, by: By) -> None:
        """Taken until ``clk`` at the least."""
        if clk > self.clk:
            self.clk, self.by = clk, by


class Simd:
    """The state of one SIMD's pipes. ``scaled``: there are scaled MFMAs in what is executed."""

    def __init__(self, p: TimingParameters, scaled: bool) -> None:
        self.p = p
        self.matrix_pipe = Until()
        self.valu_blocked = Until()  # by an MFMA
        self.memory_blocked = Until()  # by an MFMA
        self.valu_held = Until()  # by a multi-slot VALU instruction
        blocks = (*p.mfma_blocks_valu_clk.values(), *p.mfma_blocks_memory_clk.values(), 0)
        self.blocks_later_slots = scaled or max(blocks) > p.issue_slot_clk
        self.dual_from_clk = 0  # no two VALU in a slot before (rule dual_after_mfma)
        self.packed_from_clk = 0  # no packed f32 before (rule packed_after_mfma)

    def refuses(self, entry: CodeEntry, now: int) -> Refusal | None:
        """Conditions 8 to 11."""
        if entry.category is Category.MFMA:
            pipe = self.matrix_pipe
            opens_clk = pipe.clk - (self.p.mfma_scale_load_clk if entry.scaled else 0)
            return Refusal(Reason.MATRIX_PIPE, pipe.by, opens_clk) if opens_clk > now else None
        if entry.category is Category.VALU:
            if self.valu_blocked.clk > now:
                return Refusal(Reason.MFMA_COISSUE, self.valu_blocked.by)
            held = self.valu_held
            if held.clk > now:
                return Refusal(Reason.VALU_BUSY, held.by, held.clk)
            if entry.packed_f32 and self.packed_from_clk > now:
                return Refusal(Reason.MATRIX_PIPE, self.matrix_pipe.by)
            return None
        if entry.category in (Category.LDS, Category.VMEM) and self.memory_blocked.clk > now:
            return Refusal(Reason.MFMA_COISSUE, self.memory_blocked.by)
        return None

    def issue_valu(self, entry: CodeEntry, now: int, by: By) -> int:
        """A VALU instruction issues; when its wave may go on."""
        end_clk = now + self.p.issue_slot_clk
        if entry.kind is Kind.TRANS:
            end_clk = now + self.p.issue_trans_clk
        elif entry.multi_slot:
            end_clk = now + self.p.issue_multi_slot_valu_clk
        if end_clk > now + self.p.issue_slot_clk:
            self.valu_held.extend(end_clk, by)
        return end_clk

    def issue_mfma(self, entry: CodeEntry, now: int, by: By) -> tuple[int, int]:
        """An MFMA issues; it has the pipe in [start, end). A scaled one loads its scales first."""
        p = self.p
        start = now + p.mfma_scale_load_clk if entry.scaled else now
        end = start + p.matrix_pipe_clk(entry.mfma, entry.mfma_format)
        self.matrix_pipe = Until(end, by)
        self.dual_from_clk = end + p.issue_dual_after_mfma_clk
        self.packed_from_clk = end + p.issue_packed_after_mfma_clk if p.issue_packed_after_mfma_clk else 0
        self.valu_blocked.extend(start + blocked_clk(p, entry, Category.VALU), by)
        self.memory_blocked.extend(start + blocked_clk(p, entry, Category.LDS), by)
        return start, end
