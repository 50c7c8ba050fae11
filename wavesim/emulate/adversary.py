"""Adversarial execution: results of loads arrive as late as the ISA allows, so that missing waits show.

A load's registers hold NaN from its issue to the ``s_waitcnt`` that covers it. LDS operations of a wave
return in order, and so do vector-memory operations; scalar loads only at ``lgkmcnt(0)`` (CDNA3 ISA
section 4.4). A full counter holds the wave until the oldest operation has returned. A read takes its bytes
when it is delivered, and writes and loads to LDS act then. A store to memory reaches it, for all others, when
a vmcnt wait of its wave covers it; whatever its cache bits say, for they tell where it goes and not when.
Atomics act at issue, behind the wave's own stores to the same place. Registers that no wait covers never get
their values; what goes to memory arrives at the latest when the wave ends, or when all waves wait. Scratch is
private and not held back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wavesim.emulate.context import BlockRecord, Context, HeldStore
from wavesim.emulate.memory import Region
from wavesim.emulate.state import UNINITIALISED, VCC, Lanes
from wavesim.emulate.types import Step
from wavesim.isa.kinds import LDS_KINDS, STORE_KINDS, VMEM_KINDS, Kind
from wavesim.isa.opcodes import lookup
from wavesim.program.dataflow import effects
from wavesim.trace.code import COUNTER_MAX, CodeEntry

if TYPE_CHECKING:
    import numpy.typing as npt

    from wavesim.emulate.types import Array

POISON = np.uint32(UNINITIALISED)
Delivery = Callable[[], None] | None
"""Puts a result into its registers or bytes into memory; None for what is only counted."""


HELD_BACK = ("ds_read", "ds_write", "ds_bpermute", "ds_permute", "ds_swizzle")
"""LDS instructions that act when they are delivered, or do not touch LDS."""


@dataclass(frozen=True)
class _Issued:
    """An instruction of ``wave`` whose effect is delivered later; it counts in ``queues``."""

    entry: CodeEntry
    lanes: Lanes
    context: Context
    step: Step
    wave: int
    queues: tuple[deque[Delivery], ...]

    def results(self) -> tuple[list[int], list[int]]:
        """Rows of the vector and of the scalar registers that it writes."""
        return _rows(effects(self.entry.instruction, self.context.arch).writes, self.context)

    def inputs(self) -> list[int]:
        """Rows of the vector registers that it reads."""
        return _rows(effects(self.entry.instruction, self.context.arch).reads, self.context)[0]


class Adversary:
    """The operations of each wave that have not returned, oldest first. Batches are single waves."""

    def __init__(self, waves: int) -> None:
        self.lds: list[deque[Delivery]] = [deque() for _ in range(waves)]
        self.memory: list[deque[Delivery]] = [deque() for _ in range(waves)]
        self.scalar: list[deque[Delivery]] = [deque() for _ in range(waves)]
        self.stores: list[deque[HeldStore]] = [deque() for _ in range(waves)]
        self.lds_changes = 0
        self.memory_changes = 0
        """How often bytes of LDS and of other memory may have changed: a load need not look again before."""

    def wrap(self, entry: CodeEntry, lanes: Lanes, context: Context, step: Step) -> Step:
        """The step of an instruction, with its results held back, or of a wait, which delivers them."""
        (wave,) = lanes.numbers.tolist()
        if entry.kind is Kind.WAIT:
            return lambda: self._wait(wave, entry)
        if entry.kind is Kind.ENDPGM:
            return self._last(wave, step)
        queues = self._queues(wave, entry)
        if not queues:
            return step
        on_lds = any(queue is self.lds[wave] for queue in queues)  # by identity: empty queues are equal
        if on_lds and not entry.instruction.opcode.startswith(HELD_BACK):
            step = self._after_writes(wave, step)
        issued = _Issued(entry, lanes, context, step, wave, queues)
        if entry.to_lds:
            return self._load_to_lds(issued)
        if entry.kind is Kind.LDS_WRITE and entry.instruction.opcode.startswith("ds_write"):
            return lambda: self._join(wave, queues, self._held_back(step, context, wave))
        vector, scalar = issued.results()
        if entry.kind in STORE_KINDS or not (vector or scalar):
            return self._store(issued)
        return self._load(issued, vector, scalar)

    def _last(self, wave: int, step: Step) -> Step:
        """The end of a wave: everything arrives."""

        def end() -> None:
            step()
            self.arrive(wave)

        return end

    def _load_to_lds(self, issued: _Issued) -> Step:
        """LDS gets the data at delivery: what memory holds then, for the registers of the issue."""
        lanes, context, step, wave = issued.lanes, issued.context, issued.step, issued.wave
        inputs = issued.inputs()

        def run() -> None:
            kept = _Inputs(lanes, inputs)
            self._held_back(step, context, wave)

            def deliver() -> None:
                _again(lanes, context, step, kept, [])
                self._lds_changed(context)

            self._join(wave, issued.queues, deliver)

        return run

    def _store(self, issued: _Issued) -> Step:
        """What leaves no result in registers: it counts until its stores have arrived."""

        def run() -> None:
            issued.step()
            self._acted()
            self._join(issued.wave, issued.queues, self._stored(issued.wave, issued.context))

        return run

    def _load(self, issued: _Issued, vector: list[int], scalar: list[int]) -> Step:
        """Registers hold poison until delivery; a plain load gets what memory holds then."""
        lanes, context, step = issued.lanes, issued.context, issued.step
        kind, instruction = issued.entry.kind, issued.entry.instruction
        flags = lookup(instruction.opcode, context.arch, instruction.span).flags
        reread = instruction.opcode.startswith("ds_read") or (
            kind is Kind.VMEM_LOAD and "atomic" not in flags
        )
        acts = not reread and (kind is not Kind.SMEM or "atomic" in flags)
        on_lds, elsewhere = kind not in VMEM_KINDS or issued.entry.lgkm_increment > 0, kind in VMEM_KINDS
        poison = "d16" not in instruction.opcode  # the other half must stay
        inputs = issued.inputs()

        def run() -> None:
            before = lanes.vgpr[vector]
            kept = _Inputs(lanes, inputs) if reread else None
            step()
            if acts:
                self._acted()
            changes = self.lds_changes * on_lds + self.memory_changes * elsewhere
            arrived, scalars = lanes.vgpr[vector], lanes.sgpr[scalar]
            active = lanes.exec.copy()
            lanes.vgpr[vector] = np.where(active, POISON, arrived) if poison else before
            lanes.sgpr[scalar] = POISON

            def deliver() -> None:
                now = self.lds_changes * on_lds + self.memory_changes * elsewhere
                values = arrived
                if kept is not None and now != changes:
                    values = _again(lanes, context, step, kept, vector)
                lanes.vgpr[vector] = np.where(active, values, lanes.vgpr[vector])
                lanes.sgpr[scalar] = scalars

            self._join(issued.wave, issued.queues, deliver)

        return run

    def _stored(self, wave: int, context: Context) -> Delivery:
        """What lets the stores arrive that an instruction left in ``context.held``; None if it left none."""
        stores = tuple(context.held)
        context.held.clear()
        if not stores:
            return None
        self.stores[wave].extend(stores)

        def deliver() -> None:
            for store in stores:
                self.stores[wave].popleft()
                store.arrive()
            self.memory_changes += 1
            context.store_version += 1  # polling waves look again

        return deliver

    def settle(
        self, waves: npt.NDArray[np.int64], parts: list[tuple[Region, Array, npt.NDArray[np.bool_]]]
    ) -> None:
        """Before an atomic: what is under way to its bytes from its own wave arrives first."""
        for wave in waves.tolist():
            for region, offsets, lanes in parts:
                low, high = int(offsets[lanes].min()), int(offsets[lanes].max()) + 8
                while any(
                    store.region == region.name and store.first < high and store.last >= low
                    for store in self.stores[wave]
                ):
                    _shorten(self.memory[wave], len(self.memory[wave]) - 1)

    def _join(self, wave: int, queues: tuple[deque[Delivery], ...], delivery: Delivery) -> None:
        """Issue an operation; what its counter no longer holds has returned."""
        queues[0].append(delivery)
        for other in queues[1:]:
            other.append(None)
        _shorten(self.lds[wave], COUNTER_MAX["lgkmcnt"])
        _shorten(self.memory[wave], COUNTER_MAX["vmcnt"])

    def _held_back(self, step: Step, context: Context, wave: int) -> Callable[[], None]:
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
            self._lds_changed(context)

        return deliver

    def _acted(self) -> None:
        """An operation acted at its issue, wherever."""
        self.lds_changes += 1
        self.memory_changes += 1

    def _lds_changed(self, context: Context) -> None:
        self.lds_changes += 1
        context.store_version += 1  # polling waves look again

    def _after_writes(self, wave: int, step: Step) -> Step:
        """The step of an access that acts on LDS at issue (an atomic, a flat access): in order after the
        wave's writes."""

        def run() -> None:
            _shorten(self.lds[wave], 0)
            step()

        return run

    def _queues(self, wave: int, entry: CodeEntry) -> tuple[deque[Delivery], ...]:
        if entry.kind in LDS_KINDS:
            return (self.lds[wave],)
        if entry.kind in VMEM_KINDS:
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


def delivers(entry: CodeEntry) -> bool:
    """Whether results that were held back may arrive at an instruction."""
    return entry.kind in (Kind.WAIT, Kind.SMEM, Kind.ENDPGM) or entry.kind in LDS_KINDS | VMEM_KINDS


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


class _Inputs:
    """What an instruction reads, as it is at its issue: vector registers ``rows``, all scalar ones, EXEC."""

    def __init__(self, lanes: Lanes, rows: list[int]) -> None:
        self.rows = rows
        self.vector = lanes.vgpr[rows]
        self.scalar = lanes.sgpr.copy()
        self.exec = lanes.exec.copy()


def _again(lanes: Lanes, context: Context, step: Step, inputs: _Inputs, result_rows: list[int]) -> Array:
    """Execute a load once more with the registers of its issue: what it gets now. Leaves no other trace."""
    kept = context.record, context.observe_lds, context.track_writers, lanes.full
    results, present = lanes.vgpr[result_rows], _Inputs(lanes, inputs.rows)
    context.record, context.observe_lds, context.track_writers = BlockRecord(), False, False
    lanes.exec[...], lanes.sgpr[...] = inputs.exec, inputs.scalar
    lanes.full = bool(inputs.exec.all())
    lanes.vgpr[inputs.rows] = inputs.vector
    step()
    values = lanes.vgpr[result_rows]
    lanes.vgpr[inputs.rows] = present.vector
    lanes.vgpr[result_rows] = results
    lanes.exec[...], lanes.sgpr[...] = present.exec, present.scalar
    context.record, context.observe_lds, context.track_writers, lanes.full = kept
    return values
