"""Timeline: when each dynamic instruction was attempted and issued, and why it waited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from wavesim.trace.trace import Trace

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Int8 = npt.NDArray[np.int8]


class Reason(IntEnum):
    """What a wave's clocks go to, in the published order: the first that holds has the clock."""

    NOT_STARTED = 0  # before the wave's dispatch
    FINISHED = 1  # after s_endpgm
    ISSUE = 2  # the slot in which an instruction issues
    HOLD = 3  # further slots of the same issue (LDS write data, transcendental, scaled MFMA)
    NOP = 4  # s_nop and s_sleep beyond their first slot
    BRANCH = 5  # fetch restart after a branch
    FETCH = 6  # next 32-byte chunk of straight-line code not there
    DEPENDENCY = 7  # gap after an earlier instruction of the same wave
    BARRIER = 8
    LGKMCNT = 9
    VMCNT = 10
    COUNTER_FULL = 11  # lgkmcnt or vmcnt cannot count one more
    MATRIX_PIPE = 12  # MFMA: pipe of the SIMD busy
    MFMA_COISSUE = 13  # vector or memory instruction kept out by an MFMA just issued, or the reverse
    VALU_BUSY = 14  # VALU of the SIMD held by a multi-slot instruction
    LDS_HOLD = 15  # pair's port taken by an LDS write's data
    LDS_QUEUE = 16
    VMEM_QUEUE = 17
    ARBITRATION = 18  # another wave of the SIMD had the category
    PORT = 19  # another SIMD had the shared LDS or VMEM port


REASON_NAMES: Mapping[Reason, str] = {reason: reason.name.lower() for reason in Reason}


@dataclass(frozen=True)
class WaveTimeline:
    """Clocks of one wave; arrays have one row per dynamic instruction of the wave's trace.

    Attributes:
        attempt_clk: first clock at which it stood ready but for waits, queues, pipes and
            arbitration (fetch, branch and dependency gaps are before it; for s_waitcnt and s_barrier
            fetch counts as part of the wait).
        issue_clk: the slot in which it issued. Waits and barriers issue when they are satisfied.
        end_clk: when the wave may attempt its next instruction.
        done_clk: data return: LDS data (or write) complete and counted, global memory returned, MFMA
            out of the matrix pipe; ``issue_clk`` for what has none.
        stall_row, stall_reason, stall_clk: why rows waited, in time order: row ``stall_row[k]``
            waited ``stall_clk[k]`` clocks for ``Reason(stall_reason[k])``. The stalls of a row and
            its issue tile the time since the end of the row before.
        first_clk, last_clk: dispatch and end of the wave.
        spin_repeats: extra passes of each :class:`~wavesim.trace.trace.Spin`.
        stall_by_wave, stall_by_row: who is to blame for stall k in its last clock (docs/model §16):
            position in :attr:`Trace.waves` and row, -1 and -1 for nobody; empty where not recorded.
    """

    wave: int
    workgroup: int
    simd: int
    slot: int
    first_clk: int
    last_clk: int
    attempt_clk: Int64
    issue_clk: Int64
    end_clk: Int64
    done_clk: Int64
    stall_row: Int32
    stall_reason: Int8
    stall_clk: Int32
    spin_repeats: tuple[int, ...] = ()
    stall_by_wave: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))
    stall_by_row: Int32 = field(default_factory=lambda: np.zeros(0, np.int32))


@dataclass(frozen=True)
class BusySpan:
    """Use of a shared resource: ``resource`` is ``("mfma", simd)``, ``("lds_port", pair)``,
    ``("lds_array", 0)`` or ``("memory", 0)``; arrays are starts, ends (clk), wave positions in
    :attr:`Trace.waves` and rows."""

    start_clk: Int64
    end_clk: Int64
    wave: Int32
    row: Int32


@dataclass(frozen=True)
class Timeline:
    """The timed (or measured) form of a :class:`Trace`."""

    trace: Trace
    waves: tuple[WaveTimeline, ...]
    clk_total: int
    busy: Mapping[tuple[str, int], BusySpan] = field(default_factory=dict)
    engine: str = ""
    measured: bool = False
    complete: bool = True
    notes: tuple[str, ...] = ()


def empty_busy() -> BusySpan:
    """A resource that nobody used."""
    return BusySpan(
        np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32)
    )
