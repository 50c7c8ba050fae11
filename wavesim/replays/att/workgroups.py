"""Which traced waves shared a compute unit, and which of those formed a workgroup.

A trace names SIMD and slot of a wave, not its workgroup. Waves of one workgroup start within tens of
clocks of each other and leave each barrier together (within two slots, M6), so waves with the same
barrier history are one workgroup; without barriers, waves that start together are taken as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from wavesim.replays.att.folder import CLOCK, CODE_ID, DURATION, RawWave

START_WINDOW_CLK = 96
"""Waves of one workgroup begin at most this far after the one before them (traces: up to 12)."""

RELEASE_WINDOW_CLK = 24
"""A workgroup leaves a barrier within 4 clk, plus jitter; two workgroups agree in this but once."""

Int64 = npt.NDArray[np.int64]


def split_units(waves: Sequence[RawWave]) -> Mapping[tuple[int, int], tuple[RawWave, ...]]:
    """Waves by (shader engine, compute unit): units share neither SIMDs nor LDS."""
    units: dict[tuple[int, int], list[RawWave]] = {}
    for wave in waves:
        units.setdefault((wave.shader_engine, wave.compute_unit), []).append(wave)
    return {key: tuple(units[key]) for key in sorted(units)}


def _releases(wave: RawWave, barriers: frozenset[int]) -> Int64:
    """End clocks of the wave's barriers."""
    rows = wave.rows[np.isin(wave.rows[:, CODE_ID], list(barriers))]
    released: Int64 = rows[:, CLOCK] + rows[:, DURATION]
    return released


def _together(one: Int64, other: Int64) -> bool:
    """Whether two waves left every barrier that both reached together."""
    common = min(len(one), len(other))
    return bool((np.abs(one[:common] - other[:common]) <= RELEASE_WINDOW_CLK).all())


def group_waves(waves: Sequence[RawWave], barriers: frozenset[int]) -> tuple[tuple[RawWave, ...], ...]:
    """The workgroups of one compute unit, oldest first, each with its waves in order of their begin.

    Args:
        waves: waves of one compute unit.
        barriers: code ids of s_barrier.
    """
    groups: list[list[RawWave]] = []
    history: list[Int64] = []
    for wave in sorted(waves, key=lambda wave: (wave.begin_clk, wave.slot, wave.simd)):
        releases = _releases(wave, barriers)
        home = None
        for place in range(len(groups) - 1, -1, -1):
            last = groups[place][-1]
            close = wave.begin_clk - last.begin_clk <= START_WINDOW_CLK
            taken = {(other.simd, other.slot) for other in groups[place]}
            if not close or (wave.simd, wave.slot) in taken:
                continue
            # A wave that reached no barrier says nothing; it goes with those that began with it.
            if _together(releases, history[place]):
                home = place
                break
        if home is None:
            groups.append([wave])
            history.append(releases)
        else:
            groups[home].append(wave)
            if len(releases) > len(history[home]):
                history[home] = releases
    return tuple(tuple(group) for group in groups)
