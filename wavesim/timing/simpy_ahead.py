"""Issuing ahead of time: a wave's coming instructions at once while no other wave of its SIMD can compete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim.timing.ops import BATCH_SCALAR, BATCH_VECTOR, BATCH_WAIT, MFMA, Op
from wavesim.timing.simpy_stream import MEMORY, SCALARS, VECTOR
from wavesim.timing.simpy_wave import UNKNOWN_CLK, Wave
from wavesim.trace import Reason

if TYPE_CHECKING:
    from wavesim.timing.simpy_simd import Simd

MATRIX_PIPE, COISSUE = int(Reason.MATRIX_PIPE), int(Reason.MFMA_COISSUE)


class Ahead:
    """Issues a wave's coming instructions at once, as long as no other wave of its SIMD can compete.

    How soon another wave can is bounded from below: it needs a slot for every instruction before the first
    one that competes, and passes no barrier of the workgroup before this wave comes to it.
    """

    __slots__ = ("bounds", "issue_clk", "now", "simd", "since", "vectors", "wave")

    def __init__(self, simd: Simd, wave: Wave) -> None:
        self.simd = simd
        self.wave = wave
        self.now = 0  # the slot from which it looks ahead
        self.issue_clk = 0  # of what it issued last
        self.since = self.vectors = 0  # VALU and MFMA issued ahead of time from that slot
        self.forget()

    def forget(self) -> None:
        """Bounds hold until this wave comes to a barrier, which may let others go on."""
        self.bounds = [0, 0, 0]

    def _competes(self, what: int, clk: int) -> bool:
        """Whether another wave of the SIMD could attempt such an instruction at ``clk`` or before."""
        bounds = self.bounds
        if clk < bounds[what]:
            return False
        bound = UNKNOWN_CLK
        wave, now, slot = self.wave, self.now, self.simd.slot
        for other in self.simd.waves:
            if other is wave:
                continue
            row = other.row
            stream = other.stream
            competes = stream.competes[what][row]
            if other.spin_of_last and row <= max(other.spin_of_last):
                competes = row  # may go back any number of times
            if competes > other.length:
                continue
            same_group = other.trace.workgroup == wave.trace.workgroup
            if stream.barrier[row] < competes and other.release_clk < 0 and same_group:
                continue
            begin = now
            if other.stalled_for < 0 and other.ready_clk > now:
                begin = other.ready_clk
            begin += slot * (competes - row)
            if begin <= clk:
                return True
            if begin < bound:
                bound = begin
        bounds[what] = bound
        return False

    def _no_turns_by(self, clk: int) -> bool:
        """Whether vector turns (§9) are not called by ``clk``, whatever other SIMDs do."""
        turns = self.simd.turns
        if turns is None:
            return True
        if self.since != self.now:
            self.since, self.vectors = self.now, 0
        idle_slots = (clk - self.now) // self.simd.slot - self.vectors
        if idle_slots > turns.spare_slots(self.now):
            return False
        self.vectors += 1
        return True

    def issue(self, op: Op, ready: int) -> int:
        """Issue ``op``, to be tested at ``ready``: its end, or -1 if another wave could compete by then."""
        wave, simd = self.wave, self.simd
        batch = op.batch
        clk = ready
        if batch == BATCH_VECTOR:
            matrix = op.category == MFMA
            if matrix:
                free, reason = simd.pipe_free, MATRIX_PIPE
            elif simd.valu_held_until > ready:
                return -1
            else:
                free, reason = simd.valu_blocked_until, COISSUE
            if free > ready:
                clk = -(-free // simd.slot) * simd.slot
            if op.blocks_memory and self._competes(MEMORY, clk):
                return -1
            if self._competes(VECTOR, clk):
                return -1
            if simd.turns is not None and not self._no_turns_by(clk):
                return -1
            if clk > ready:
                wave.stalls.append((wave.row, reason, ready))
            if matrix:
                simd.start_mfma(wave, op, clk)
            else:
                simd.note(wave, op, clk)
        else:
            if batch == BATCH_SCALAR:
                if self._competes(SCALARS, clk):
                    return -1
            elif batch == BATCH_WAIT:  # satisfied, whatever the accesses not served yet will do
                if op.wait_lgkm is not None and wave.outstanding(wave.lgkm, clk) > op.wait_lgkm:
                    return -1
                if op.wait_vm is not None and wave.outstanding(wave.vm, clk) > op.wait_vm:
                    return -1
            simd.note(wave, op, clk)
        row = wave.row
        wave.stalled_for = -1
        wave.issue[row] = self.issue_clk = clk
        end = wave.end[row] = clk + op.hold_clk
        return end
