"""Trace: per wave the executed instructions in order, each with what timing needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.program import Finding, Program
from wavesim.trace.code import CodeEntry

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

UNKNOWN = -1
"""In ``array_clk`` and ``memory_bytes``: not known (a measured trace); the machine's value for a
conflict-free access with all lanes active is used."""

FOLLOWS = -1
"""In ``start_clk``: the wave's workgroup starts when the compute unit has room for it (docs/model, section
1). Its ``simd`` and ``slot`` are found then, and stand in the Timeline."""

PUT_IN = -1
"""In the place of a row, or of a static instruction, that another stream or program had not."""


MEMORY_COLUMNS = ("memory_path_clk16", "memory_hit_bytes", "memory_l2_clk16", "memory_level")
"""Columns of a stream that say what its accesses cost the device's memory; empty where nothing is known."""


class MemoryLevel(StrEnum):
    """Where a line of global memory comes from."""

    L1 = "L1"
    L2 = "L2"
    MALL = "Infinity Cache"
    HBM = "HBM"


@dataclass(frozen=True, slots=True)
class Room:
    """What a compute unit holds at once: waves on a SIMD, and workgroups."""

    waves_per_simd: int
    workgroups: int


@dataclass(frozen=True, slots=True)
class Spin:
    """A polling loop: the records ``[first, last]`` are one pass of its body and are repeated until
    record ``store_index`` of wave ``store_wave`` (an LDS or global store) is visible; then the wave
    goes on after ``last``."""

    first: int
    last: int
    store_wave: int
    store_index: int


@dataclass(frozen=True)
class WaveTrace:
    """One wave's stream. All arrays have one row per dynamic instruction.

    Attributes:
        code: index into :attr:`Trace.code`.
        array_clk: LDS accesses: clocks of the bank array, summed over the lane phases; else 0.
        memory_bytes: global memory: bytes moved by the active lanes; else 0.
        taken: conditional branches: whether it was taken.
        memory_latency_clk: global memory: latency of this access, ``UNKNOWN`` for the machine's.
        memory_path_clk16: global memory: sixteenths of a clock that its lines take of the compute
            unit's share of the device's memory (docs/model, section 10); empty: nothing of any.
        memory_hit_bytes: global memory: of :attr:`memory_bytes`, those in lines that the L1 has; empty:
            none of any.
        memory_l2_clk16: global memory: sixteenths of a clock in which the L2 gives the compute unit its
            lines; empty: nothing is known of it. Timing does not look at it.
        memory_level: global memory: from where its slowest line comes, an index into
            :class:`MemoryLevel`; empty: not known. Timing does not look at it.
        line_offsets, lines: 128-byte line numbers touched by global memory, row ``i`` owning
            ``lines[line_offsets[i]:line_offsets[i + 1]]``; empty where not recorded.
    """

    wave: int
    workgroup: int
    simd: int
    slot: int
    start_clk: int
    code: Int32
    array_clk: Int32
    memory_bytes: Int32
    taken: Bool
    memory_latency_clk: Int32
    line_offsets: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))
    lines: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))
    spins: tuple[Spin, ...] = ()
    memory_path_clk16: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    memory_hit_bytes: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    memory_l2_clk16: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    memory_level: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.code)

    def of_memory(self, name: str) -> Int32:
        """A column of :data:`MEMORY_COLUMNS` with a row for each instruction: 0 where it is empty."""
        column: Int32 = getattr(self, name)
        return column if len(column) else np.zeros(len(self), np.int32)

    def with_unknown_memory(self) -> WaveTrace:
        """The stream without what was found of the device's memory."""
        empty: dict[str, Any] = dict.fromkeys(MEMORY_COLUMNS, np.zeros(0, np.int32))
        return replace(self, **empty)

    def gathered(self, source: Int64, code: npt.NDArray[np.integer]) -> WaveTrace:
        """A stream of the rows ``source`` of this one (``PUT_IN`` for new ones); its static instructions are
        ``code``. It has no memory lines: its latencies are those of its rows."""
        put_in = source == PUT_IN
        taken_from = np.where(put_in, 0, source)

        def column(values: npt.NDArray[Any], empty: int) -> npt.NDArray[Any]:
            return np.where(put_in, empty, values[taken_from]).astype(values.dtype)

        known: dict[str, Any] = {
            name: column(getattr(self, name), 0) for name in MEMORY_COLUMNS if len(getattr(self, name))
        }
        return replace(
            self,
            code=code.astype(np.int32),
            array_clk=column(self.array_clk, 0),
            memory_bytes=column(self.memory_bytes, 0),
            taken=column(self.taken, 0),
            memory_latency_clk=column(self.memory_latency_clk, UNKNOWN),
            **known,
            line_offsets=np.zeros(0, np.int64),
            lines=np.zeros(0, np.int64),
        )


@dataclass(frozen=True)
class Trace:
    """The executed streams of the waves that share a compute unit.

    ``waves`` stand in order of age: (workgroup dispatch order, wave id); the first is the oldest.
    ``provenance`` says where the streams come from: ``"emulated"`` or ``"measured"``. ``complete`` is
    false if the execution stopped early (a deadlock); ``findings`` then say why.
    ``memory_latency_by_order_clk``: latency of the n-th global-memory instruction that the compute
    unit issues in the timed run, whichever wave's it is (``UNKNOWN``: the record's, else the
    machine's); empty where not given. A measured trace gives latencies so, because the order of two
    waves may differ between the machine and the model while the memory system's state does not.
    ``memory_head_by_order_clk``: likewise, how long that instruction is first in the queue before the
    path accepts it, beyond what the model knows (``UNKNOWN``: 0).
    ``cold_code``: no compute unit has executed the code before.
    ``room``: for workgroups that start when others have ended (:data:`FOLLOWS`), which are the last in
    ``waves``.
    """

    arch: str
    program: Program
    code: tuple[CodeEntry, ...]
    waves: tuple[WaveTrace, ...]
    provenance: str = "emulated"
    complete: bool = True
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    memory_latency_by_order_clk: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    memory_head_by_order_clk: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    cold_code: bool = False
    room: Room | None = None

    @property
    def instruction_count(self) -> int:
        """Dynamic instructions of all waves."""
        return sum(len(wave) for wave in self.waves)
