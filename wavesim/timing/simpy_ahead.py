"""Issuing ahead of time: a wave's coming instructions at once while no other wave of its SIMD can compete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim.timing.ops import BATCH_SCALAR, BATCH_VECTOR, BATCH_WAIT, MFMA, Op
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

    __slots__ = ("memory", "now", "scalar", "simd", "vector", "wave")

    def __init__(self, simd: Simd, wave: Wave) -> None:
        self.simd = simd
        self.wave = wave
        self.now = 0  # of the slot in which it issued last
        self.forget()

    def forget(self) -> None:
        """Bounds hold until this wave comes to a barrier, which may let others go on."""
        self.vector = self.memory = self.scalar = 0

    def _bound(self, what: str) -> int:
        """Before this clock no other wave of the SIMD attempts such an instruction."""
        bound = UNKNOWN_CLK
        slot, now = self.simd.slot, self.now
        for other in self.simd.waves:
            if other is self.wave:
                continue
            row = other.row
            stream = other.stream
            steps: int = getattr(stream, what)[row]
            if other.spin_of_last and row <= max(other.spin_of_last):
                steps = row  # may go back any number of times
            if steps > other.length:
                continue
            same_group = other.trace.workgroup == self.wave.trace.workgroup
            if same_group and other.release_clk < 0 and stream.barrier[row] < steps:
                continue
            begin = now if other.stalled_for >= 0 else max(other.ready_clk, now)
            bound = min(bound, begin + slot * (steps - row))
        setattr(self, what, bound)
        return bound

    def issue_clk(self, op: Op, ready: int) -> int:
        """When ``op``, which may be tested at ``ready``, issues; -1 if another wave could compete by then."""
        simd, wave = self.simd, self.wave
        clk = ready
        if op.batch == BATCH_VECTOR:
            if op.category == MFMA:
                free, reason = simd.pipe_free, MATRIX_PIPE
                clk = max(free, ready)
                if op.blocks_memory and self.memory <= clk and self._bound("memory") <= clk:
                    return -1
            elif simd.valu_held_until > ready:
                return -1
            else:
                free, reason = simd.valu_blocked_until, COISSUE
            if free > ready:
                clk = -(-free // simd.slot) * simd.slot
            if clk >= self.vector and clk >= self._bound("vector"):
                return -1
            if clk > ready:
                wave.stalls.append((wave.row, reason, ready))
        elif op.batch == BATCH_SCALAR:
            if clk >= self.scalar and clk >= self._bound("scalar"):
                return -1
        elif op.batch == BATCH_WAIT:  # satisfied, whatever the accesses not served yet will do
            if op.wait_lgkm is not None and wave.outstanding(wave.lgkm, clk) > op.wait_lgkm:
                return -1
            if op.wait_vm is not None and wave.outstanding(wave.vm, clk) > op.wait_vm:
                return -1
        return clk

    def issue(self, op: Op, clk: int) -> int:
        """``op`` issues at ``clk``: its end."""
        wave, simd = self.wave, self.simd
        row = wave.row
        wave.stalled_for = -1
        wave.issue[row] = clk
        end = clk + op.hold_clk
        if op.category == MFMA:
            end = simd.start_mfma(wave, op, clk)
        else:
            wave.done[row] = clk
            simd.note(wave, op, clk)
        wave.end[row] = end
        return end
