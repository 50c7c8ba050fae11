"""Streams of a program whose basic blocks hold their instructions in another order, or in other blocks.

Nothing is executed again: waves take the same way from block to block, and each instruction of theirs is
executed as often as before. The n-th time that a wave executes an instruction is the n-th time that it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import BRANCH_KINDS, Kind
from wavesim.program import Program
from wavesim.trace.code import CodeEntry
from wavesim.trace.trace import PUT_IN, Trace, WaveTrace

Int64 = npt.NDArray[np.int64]


def block_starts(program: Program, code: Sequence[CodeEntry]) -> list[int]:
    """Where basic blocks begin: at the entry, at labels and after what may jump."""
    starts = {0, *(place for place in program.labels.values() if place < len(program))}
    jumps = BRANCH_KINDS | {Kind.ENDPGM}
    starts |= {
        index + 1 for index, entry in enumerate(code) if entry.kind in jumps and index + 1 < len(program)
    }
    return sorted(starts)


@dataclass(frozen=True)
class Relaid:
    """Rows of new streams, those of all waves one behind the other.

    Attributes:
        source: of each its row in the streams as they are; ``PUT_IN`` for new ones.
        place: its instruction in the new program.
        begins: per executed block its first row.
        first_row: per wave its first row, and the number of all.
    """

    source: Int64
    place: Int64
    begins: Int64
    first_row: Int64


_OTHER_TIMES = "an instruction would be executed another number of times"


class Ways:
    """The ways that waves took through a program: which blocks they executed, one after the other.

    Args:
        trace: the streams.
        blocks: per wave the numbers of the blocks that it executes; ``None``: of the program as it is
            (:func:`block_starts`).
    """

    def __init__(self, trace: Trace, blocks: Sequence[Int64] | None = None) -> None:
        codes = [wave.code.astype(np.int64) for wave in trace.waves]
        self.count = len(trace.program)
        if blocks is None:
            blocks = self._as_it_is(block_starts(trace.program, trace.code), codes)
        self.blocks = np.concatenate([*blocks, np.zeros(0, np.int64)]).astype(np.int64)
        self.waves = np.cumsum([0, *(len(each) for each in blocks)])
        small = np.uint16 if self.count < 1 << 16 else np.int64  # sorts much faster
        self._small = small
        self._code = np.concatenate([*codes, np.zeros(0, np.int64)]).astype(small)
        self._by_code = np.argsort(self._code, kind="stable")
        self._sorted = self._code[self._by_code]
        self._executed = np.bincount(self._code, minlength=self.count)
        self._first = np.cumsum(self._executed) - self._executed
        instances = np.bincount(self.blocks)
        by_block = np.argsort(self.blocks, kind="stable")
        turn = np.arange(len(by_block)) - np.repeat(np.cumsum(instances) - instances, instances)
        self._turn = np.empty(len(by_block), np.int64)  # the how-manieth time its block is executed
        self._turn[by_block] = turn
        self._instances = instances

    def _as_it_is(self, starts: list[int], codes: Sequence[Int64]) -> list[Int64]:
        number = np.full(self.count, -1, np.int64)
        number[starts] = np.arange(len(starts))
        return [number[code][number[code] >= 0] for code in codes]

    def relaid(self, origins: Int64, bounds: Int64) -> Relaid:
        """The streams of the program that holds these instructions.

        Args:
            origins: per instruction of the new program which of the program as it is it was, or ``PUT_IN``.
            bounds: where its blocks begin, and how many instructions it has.

        Raises:
            ValueError: an instruction would be executed more or less often than it was.
        """
        lengths = np.diff(bounds)[self.blocks]
        ends = np.cumsum(lengths)
        begins = ends - lengths
        total = int(ends[-1]) if len(ends) else 0
        place = np.repeat(bounds[self.blocks] - begins, lengths) + np.arange(total)
        source = self._once(origins, bounds, place, lengths)
        if source is None:
            source = self._sources(origins, origins[place])
        first_row = np.concatenate((begins, [total]))[self.waves]
        return Relaid(source, place, begins, first_row)

    def _once(self, origins: Int64, bounds: Int64, place: Int64, lengths: Int64) -> Int64 | None:
        """The rows' sources where each instruction stands in one place, so that the n-th time of its block is
        its n-th; ``None`` where one stands in several."""
        new = origins == PUT_IN
        kept = origins[~new]
        if len(kept) and np.bincount(kept).max() > 1:
            return None
        block = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        times = np.zeros(len(bounds) - 1, np.int64)
        times[: len(self._instances)] = self._instances
        if (self._executed[kept] != times[block[~new]]).any():
            raise ValueError(_OTHER_TIMES)
        first = np.where(new, PUT_IN, self._first[origins])[place]
        rows = self._by_code[np.where(first == PUT_IN, 0, first + np.repeat(self._turn, lengths))]
        return np.where(first == PUT_IN, PUT_IN, rows)

    def _sources(self, origins: Int64, origin: Int64) -> Int64:
        """The rows' sources, by the instruction that each was."""
        old = np.flatnonzero(origin != PUT_IN)
        there = np.zeros(self.count, bool)
        there[origins[origins != PUT_IN]] = True
        rows = self._by_code[there[self._sorted]]
        by_origin = old[np.argsort(origin[old].astype(self._small), kind="stable")]
        source = np.full(len(origin), PUT_IN, np.int64)
        if len(rows) != len(by_origin) or (self._code[rows] != origin[by_origin]).any():
            raise ValueError(_OTHER_TIMES)
        source[by_origin] = rows
        return source

    def streams(self, trace: Trace, relaid: Relaid) -> tuple[WaveTrace, ...]:
        """The waves' streams with their rows so; polling loops keep theirs."""
        waves = []
        first = np.cumsum([0, *(len(wave) for wave in trace.waves)])
        for number, wave in enumerate(trace.waves):
            rows = slice(int(relaid.first_row[number]), int(relaid.first_row[number + 1]))
            source = relaid.source[rows]
            source = np.where(source == PUT_IN, PUT_IN, source - first[number])
            waves.append(wave.gathered(source, relaid.place[rows]))
        if not any(wave.spins for wave in waves):
            return tuple(waves)
        now = np.full(int(first[-1]), PUT_IN, np.int64)
        kept = np.flatnonzero(relaid.source != PUT_IN)
        now[relaid.source[kept]] = kept

        def moved(wave: int, row: int) -> int:
            return int(now[first[wave] + row] - relaid.first_row[wave])

        return tuple(
            replace(
                wave,
                spins=tuple(
                    replace(
                        spin,
                        first=moved(number, spin.first),
                        last=moved(number, spin.last),
                        store_index=moved(spin.store_wave, spin.store_index),
                    )
                    for spin in wave.spins
                ),
            )
            for number, wave in enumerate(waves)
        )
