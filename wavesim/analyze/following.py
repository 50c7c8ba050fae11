"""Workgroups that follow one another on a compute unit: clocks for each, for a launch, and their bytes."""

from __future__ import annotations

import numpy as np

from wavesim.analyze.code_tables import CodeTables, memory_bytes_of_rows
from wavesim.analyze.result import Bandwidth, Following
from wavesim.front.launch.model import Launch
from wavesim.isa.clock import SUSTAINED, Choice, clock_of
from wavesim.isa.kinds import VMEM_KINDS
from wavesim.isa.machine import CUS_KEY, Machine
from wavesim.trace import FOLLOWS, Timeline

PEAK = "launch"


def find_following(timeline: Timeline) -> Following | None:
    """The rate at which workgroups follow; ``None`` where none does, or one never started."""
    starts: dict[int, int] = {}
    together = 0
    for trace, wave in zip(timeline.trace.waves, timeline.waves, strict=True):
        if wave.workgroup not in starts:
            starts[wave.workgroup] = wave.first_clk
            together += trace.start_clk != FOLLOWS
    if len(starts) == together or not timeline.complete:
        return None
    start = np.array(list(starts.values()), np.int64)
    apart = (start[together:] - start[:-together]) / together
    later = apart[together:]  # between two that both followed
    return Following(len(starts), together, float(np.mean(later if len(later) else apart)))


def span_clk(timeline: Timeline, following: Following, workgroups: int) -> float:
    """Clocks of a launch of so many workgroups for each compute unit: those that were simulated, then all
    others at the rate of those that followed."""
    return timeline.clk_total + max(0, workgroups - following.workgroups) * following.clk_per_workgroup


def find_bandwidth(
    timeline: Timeline,
    machine: Machine,
    launch: Launch | None,
    tables: CodeTables,
    following: Following | None,
    clock: Choice,
) -> Bandwidth | None:
    """Bytes of global memory that loads and stores move on all compute units; ``None`` where there are none,
    or the run did not finish, or it has MFMA, whose rate says more.

    Without MFMA a device runs near its peak clock (FACTS_2, single launches), at which its memory is
    predicted too. So that is the clock, if none is given.
    """
    vmem = tables.is_kind(*VMEM_KINDS)
    moved = path_clk = 0.0
    for wave in timeline.trace.waves:
        moved += float(memory_bytes_of_rows(wave, tables)[vmem[wave.code]].sum())
        if following is None or wave.start_clk == FOLLOWS:
            path_clk += float(wave.of_memory("memory_path_clk16").sum()) / 16
    if not moved or not timeline.complete or timeline.measured or tables.flop.any():
        return None
    workgroups = len({wave.workgroup for wave in timeline.waves})
    later = workgroups if following is None else workgroups - following.together
    clk = timeline.clk_total / workgroups if following is None else following.clk_per_workgroup
    at = clock_of(machine, PEAK if clock == SUSTAINED else clock)
    units = machine.integer(CUS_KEY)
    each = moved / workgroups
    launched = int(np.prod(launch.grid)) if launch is not None else 0
    whole = None
    if following is not None:
        whole = launched * each / span_clk(timeline, following, -(-launched // units)) * at.ghz
    return Bandwidth(
        bytes_per_workgroup=each,
        clock=at,
        gbytes_per_s=each / clk * units * at.ghz,
        gbytes_per_s_with_tail=whole,
        memory_gbytes_per_s=each * later / path_clk * units * at.ghz if path_clk else None,
    )
