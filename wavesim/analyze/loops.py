"""Loops, found from the backward jumps that the waves executed, and their clocks per iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.trace import Trace, WaveTrace

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
        [entry.kind in BRANCH_KINDS and entry.instruction.opcode not in CALLS for entry in trace.code],
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
