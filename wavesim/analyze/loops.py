"""Loops, found from the backward jumps that the waves executed, and their clocks per iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.analyze.passes import find_passes
from wavesim.analyze.result import Loop
from wavesim.trace import Kind, Timeline, Trace, WaveTrace

Int64 = npt.NDArray[np.int64]

CALLS = frozenset({"s_swappc_b64", "s_setpc_b64", "s_call_b64", "s_cbranch_g_fork", "s_rfe_b64"})
"""Jumps that call or return: backward ones are not loops."""


@dataclass(frozen=True)
class WaveLoop:
    """One wave's run of a loop: ``head_rows`` are the rows at which its head issued, in order;
    ``joined[k]`` says whether head k+1 was reached from head k by the loop's own back edge (false where
    the loop was left and entered again)."""

    wave: int
    head_rows: Int64
    joined: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FoundLoop:
    """A loop as code: ``[head, tail]`` are indices into ``Trace.code``; ``closing`` are the branches
    that went back to the head."""

    head: int
    tail: int
    waves: tuple[WaveLoop, ...]
    closing: frozenset[int] = frozenset()


def find_loops(trace: Trace, issued: Sequence[int]) -> tuple[FoundLoop, ...]:
    """Every loop of which some wave issued the head at least twice, by head.

    Args:
        trace: The executed streams.
        issued: Per wave the number of rows that issued (an incomplete run has rows that never did).
    """
    branches = np.array(
        [
            entry.kind in (Kind.BRANCH, Kind.COND_BRANCH) and entry.instruction.opcode not in CALLS
            for entry in trace.code
        ],
        bool,
    )
    back: list[Int64] = []
    closing: dict[int, set[int]] = {}
    for wave, rows in zip(trace.waves, issued, strict=True):
        code = wave.code[:rows].astype(np.int64)
        jumps = (
            np.flatnonzero((code[1:] <= code[:-1]) & branches[code[:-1]]) if rows > 1 else np.zeros(0, int)
        )
        back.append(jumps)
        for head, tail in {(int(code[row + 1]), int(code[row])) for row in _representatives(code, jumps)}:
            closing.setdefault(head, set()).add(tail)
    loops = []
    for head in sorted(closing):
        runs = []
        for index, (wave, rows) in enumerate(zip(trace.waves, issued, strict=True)):
            run = _wave_loop(index, wave, rows, head, back[index])
            if run is not None:
                runs.append(run)
        if runs:
            loops.append(FoundLoop(head, max(closing[head]), tuple(runs), frozenset(closing[head])))
    return tuple(loops)


def _representatives(code: Int64, jumps: Int64) -> Int64:
    """One row per distinct (branch, target) of the back edges."""
    if not len(jumps):
        return jumps
    pairs = code[jumps] * (int(code.max()) + 1) + code[jumps + 1]
    return np.asarray(jumps[np.unique(pairs, return_index=True)[1]], np.int64)


def _wave_loop(index: int, wave: WaveTrace, rows: int, head: int, back: Int64) -> WaveLoop | None:
    heads = np.flatnonzero(wave.code[:rows] == head).astype(np.int64)
    if len(heads) < 2:
        return None
    joined = np.isin(heads[1:] - 1, back)
    return WaveLoop(index, heads, joined) if joined.any() else None


def iteration_clk(run: WaveLoop, timeline: Timeline) -> Int64:
    """Clocks of the wave's single iterations, head issue to head issue."""
    issue = timeline.waves[run.wave].issue_clk[run.head_rows]
    return np.asarray(np.diff(issue)[run.joined], np.int64)


def measure_loops(found: Sequence[FoundLoop], timeline: Timeline) -> tuple[tuple[FoundLoop, Loop], ...]:
    """Statistics of every loop, the outermost with most clocks first."""
    program = timeline.trace.program
    names: dict[int, list[str]] = {}
    for name, place in program.labels.items():
        names.setdefault(place, []).append(name)
    measured = []
    for loop in found:
        depth = sum(
            other is not loop and other.head <= loop.head and loop.tail <= other.tail for other in found
        )
        unroll = max((program.unrolled.get(name, 1) for name in names.get(loop.head, ())), default=1)
        clocks = [iteration_clk(run, timeline) for run in loop.waves]
        every = np.concatenate(clocks)
        p10, median, p90 = (float(value) / unroll for value in np.percentile(every, (10, 50, 90)))
        result = Loop(
            head=loop.head,
            tail=loop.tail,
            label=names.get(loop.head, [""])[0],
            span=timeline.trace.code[loop.head].instruction.span,
            depth=depth,
            waves=tuple(run.wave for run in loop.waves),
            iterations=unroll * max(len(run.head_rows) for run in loop.waves),
            clk=int(every.sum()),
            clk_per_iteration=find_passes(loop, timeline).clk_per_pass / unroll,
            wave_clk_per_iteration=float(np.median([clk.mean() for clk in clocks])) / unroll,
            p10=p10,
            median=median,
            p90=p90,
            unroll=unroll,
        )
        measured.append((loop, result))
    measured.sort(key=lambda pair: (pair[1].depth, -pair[1].clk, pair[1].head))
    return tuple(measured)


def iterations_of_each_wave(
    measured: Sequence[tuple[FoundLoop, Loop]], timeline: Timeline, issued: Sequence[int]
) -> list[WaveLoop | None]:
    """Per wave the rows at which iterations of the first loop (in published order) begin.

    A wave that does not run that loop (a producer with a loop of its own, say) is cut at the clocks at
    which the oldest wave that does begins its iterations. ``None`` for waves that are there for less
    than half of them, and for all where there is no loop.
    """
    chosen: list[WaveLoop | None] = [None] * len(timeline.waves)
    if not measured:
        return chosen
    main = measured[0][0]
    for run in main.waves:
        chosen[run.wave] = run
    reference = main.waves[0]
    begins = timeline.waves[reference.wave].issue_clk[reference.head_rows]
    for position, wave in enumerate(timeline.waves):
        if chosen[position] is None:
            rows = np.searchsorted(wave.issue_clk[: issued[position]], begins).astype(np.int64)
            rows = rows[rows < issued[position]]
            if len(rows) > 1 and 2 * len(rows) >= len(begins) and wave.first_clk < begins[-1]:
                chosen[position] = WaveLoop(position, rows, np.ones(len(rows) - 1, bool))
    return chosen
