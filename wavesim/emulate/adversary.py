"""Adversarial execution: results of loads arrive as late as the ISA allows, so that missing waits show.

A load's registers hold NaN from its issue to the ``s_waitcnt`` that covers it. LDS operations of a wave
return in order, and so do vector-memory operations; scalar loads only at ``lgkmcnt(0)`` (CDNA3 ISA
section 4.4). An LDS read takes its bytes when it is delivered, and LDS writes and loads to LDS act then.
Stores to memory and atomics act at issue. Registers that no wait covers never get their values; what goes to
LDS arrives at the latest when the wave ends, or when all waves wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from wavesim.emulate.context import BlockRecord, Context
from wavesim.emulate.registry import Step
from wavesim.emulate.state import UNINITIALISED, VCC, Lanes
from wavesim.program.dataflow import effects
from wavesim.trace.code import CodeEntry, Kind

if TYPE_CHECKING:
    from wavesim.emulate.registry import Array

POISON = np.uint32(UNINITIALISED)
Delivery = Callable[[], None] | None
"""Puts a result into its registers; None for what is only counted (writes and stores)."""


HELD_BACK = ("ds_read", "ds_write", "ds_bpermute", "ds_permute", "ds_swizzle")
"""LDS instructions that act when they are delivered, or do not touch LDS."""


class Adversary:
    """The operations of each wave that have not returned, oldest first. Batches are single waves."""

    def __init__(self, waves: int) -> None:
        self.lds: list[deque[Delivery]] = [deque() for _ in range(waves)]
        self.memory: list[deque[Delivery]] = [deque() for _ in range(waves)]
        self.scalar: list[deque[Delivery]] = [deque() for _ in range(waves)]

    def wrap(self, entry: CodeEntry, lanes: Lanes, context: Context, step: Step) -> Step:
        """The step of an instruction, with its results held back, or of a wait, which delivers them."""
        (wave,) = lanes.numbers.tolist()
        if entry.kind is Kind.WAIT:
            return lambda: self._wait(wave, entry)
        if entry.kind is Kind.ENDPGM:

            def end() -> None:
                step()
                self.arrive(wave)

            return end
        queues = self._queues(wave, entry)
        if not queues:
            return step
        if self.lds[wave] in queues and not entry.instruction.opcode.startswith(HELD_BACK):
            step = self._after_writes(wave, step)
        used = effects(entry.instruction, context.arch)
        vector, scalar = _rows(used.writes, context)
        if entry.to_lds or (entry.kind is Kind.LDS_WRITE and entry.instruction.opcode.startswith("ds_write")):
            return lambda: _join(queues, _held_back(step, context, wave))
        if entry.kind in (Kind.LDS_WRITE, Kind.VMEM_STORE) or not (vector or scalar):

            def count() -> None:
                step()
                _join(queues, None)

            return count
        opcode = entry.instruction.opcode
        reread = _rows(used.reads, context)[0] if opcode.startswith("ds_read") else None
        poison = "d16" not in opcode  # the other half must stay

        def issue() -> None:
            before = lanes.vgpr[vector]
            addresses = lanes.vgpr[reread] if reread is not None else None
            step()
            arrived, scalars = lanes.vgpr[vector], lanes.sgpr[scalar]
            active = lanes.exec.copy()
            lanes.vgpr[vector] = np.where(active, POISON, arrived) if poison else before
            lanes.sgpr[scalar] = POISON

            def deliver() -> None:
                values = arrived
                if addresses is not None and reread is not None:
                    values = _again(lanes, context, step, reread, addresses, vector, active)
                lanes.vgpr[vector] = np.where(active, values, lanes.vgpr[vector])
                lanes.sgpr[scalar] = scalars

            _join(queues, deliver)

        return issue

    def _after_writes(self, wave: int, step: Step) -> Step:
        """The step of an access that acts on LDS at issue (an atomic, a flat access): in order after the
        wave's writes."""

        def run() -> None:
            _shorten(self.lds[wave], 0)
            step()

        return run

    def _queues(self, wave: int, entry: CodeEntry) -> tuple[deque[Delivery], ...]:
        if entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE):
            return (self.lds[wave],)
        if entry.kind in (Kind.VMEM_LOAD, Kind.VMEM_STORE):
            # a flat access joins both counters; its result comes with the vector-memory one
            return (self.memory[wave], self.lds[wave]) if entry.lgkm_increment else (self.memory[wave],)
        if entry.kind is Kind.SMEM and entry.lgkm_increment:
            return (self.scalar[wave],)
        return ()

    def _wait(self, wave: int, entry: CodeEntry) -> None:
        if entry.wait_lgkmcnt is not None:
            _shorten(self.lds[wave], entry.wait_lgkmcnt)
            if entry.wait_lgkmcnt == 0:
                _shorten(self.scalar[wave], 0)
        if entry.wait_vmcnt is not None:
            _shorten(self.memory[wave], entry.wait_vmcnt)

    def arrive(self, wave: int) -> bool:
        """Let everything of a wave arrive, as it does some time after its last wait; whether anything did."""
        waiting = any(
            delivery is not None for queue in (self.lds[wave], self.memory[wave]) for delivery in queue
        )
        _shorten(self.lds[wave], 0)
        _shorten(self.memory[wave], 0)
        return waiting


def _held_back(step: Step, context: Context, wave: int) -> Delivery:
    """Execute a write to LDS, take its bytes away again, and return what puts them there.

    Bytes that hold what is written already are left: they arrive at issue, which is legal too.
    """
    base = int(context.lds.base[wave])
    lds = context.lds.words.view(np.uint8)[base : base + context.lds.size]
    before = lds.copy()
    step()
    places = np.flatnonzero(lds != before)
    values = lds[places]
    lds[places] = before[places]

    def deliver() -> None:
        lds[places] = values
        context.store_version += 1  # polling waves look again

    return deliver


def _join(queues: tuple[deque[Delivery], ...], delivery: Delivery) -> None:
    queues[0].append(delivery)
    for other in queues[1:]:
        other.append(None)


def _shorten(queue: deque[Delivery], count: int) -> None:
    while len(queue) > count:
        delivery = queue.popleft()
        if delivery is not None:
            delivery()


def _rows(registers: Iterable[tuple[str, int]], context: Context) -> tuple[list[int], list[int]]:
    """Rows of the VGPR array (AGPRs behind) and of the SGPR array."""
    vector, scalar = [], []
    for file, index in sorted(registers):
        if file == "v":
            vector.append(index)
        elif file == "a":
            vector.append(context.state.agpr_base + index)
        elif file == "s":
            scalar.append(index)
        elif file == "vcc":
            scalar.extend((VCC, VCC + 1))
    return vector, scalar


def _again(
    lanes: Lanes,
    context: Context,
    step: Step,
    address_rows: list[int],
    addresses: Array,
    result_rows: list[int],
    active: Array,
) -> Array:
    """What an LDS read gets now, with the addresses and EXEC of its issue; leaves no trace of its own."""
    kept = context.record, context.observe_lds, context.track_writers, lanes.exec.copy(), lanes.full
    results, present = lanes.vgpr[result_rows], lanes.vgpr[address_rows]
    context.record, context.observe_lds, context.track_writers = BlockRecord(), False, False
    lanes.exec[...] = active
    lanes.full = bool(active.all())
    lanes.vgpr[address_rows] = addresses
    step()
    values = lanes.vgpr[result_rows]
    lanes.vgpr[address_rows] = present
    lanes.vgpr[result_rows] = results
    context.record, context.observe_lds, context.track_writers, lanes.exec[...], lanes.full = kept
    return values
