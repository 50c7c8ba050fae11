"""Builds the Trace: what each wave executed, block by block, joined into arrays at the end.

Waves that executed the same blocks together are joined together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.blocks import Block
from wavesim.emulate.context import BlockRecord
from wavesim.trace.trace import UNKNOWN, Spin, WaveTrace

Ints = npt.NDArray[np.int64]
Lines = tuple[Ints, Ints]


@dataclass(frozen=True)
class Placement:
    """Where a wave sits."""

    wave: int
    workgroup: int
    simd: int
    slot: int
    start_clk: int


class Executed:
    """One execution of a block by ``count`` waves; columns are those waves.

    Attributes:
        columns: one wave's share each: this, and its column.
    """

    def __init__(
        self,
        block: Block,
        record: BlockRecord,
        taken: npt.NDArray[np.bool_] | None,
        count: int,
        array_clk: npt.NDArray[np.int32] | None = None,
    ) -> None:
        self.block = block
        self.taken = taken
        self.lines: list[Lines] = record.lines
        self.array_clk = np.array(record.lds_clk, np.int32) if record.lds_clk else array_clk
        self.memory_bytes = np.array(record.memory_bytes, np.int32) if record.memory_bytes else None
        self.line_count = sum(len(numbers) for _, numbers in record.lines)
        self.columns = [(self, column) for column in range(count)]


class Recorder:
    """The rows of all waves so far."""

    def __init__(self, waves: int) -> None:
        self.parts: list[list[tuple[Executed, int]]] = [[] for _ in range(waves)]
        self.spins: list[list[Spin]] = [[] for _ in range(waves)]
        self.dropped = [0] * waves

    def add(self, executed: Executed, waves: list[int]) -> None:
        """A block was executed by ``waves`` (in the order of its columns)."""
        for column, wave in zip(executed.columns, waves, strict=True):
            self.parts[wave].append(column)

    def cut(self, wave: int, parts: int) -> None:
        """Forget what a wave executed after its first ``parts`` blocks."""
        del self.parts[wave][parts:]

    def traces(self, places: Sequence[Placement]) -> tuple[WaveTrace, ...]:
        """The finished streams of all waves."""
        together: dict[tuple[int, ...], list[int]] = {}
        for position, parts in enumerate(self.parts):
            together.setdefault(tuple(id(executed) for executed, _ in parts), []).append(position)
        found: dict[int, WaveTrace] = {}
        for waves in together.values():
            joined = _Joined([self.parts[wave] for wave in waves])
            for number, wave in enumerate(waves):
                rows = joined.rows - self.dropped[wave]
                found[wave] = joined.wave_trace(number, rows, places[wave], tuple(self.spins[wave]))
        return tuple(found[position] for position in range(len(self.parts)))


class _Joined:
    """The rows of waves that executed the same blocks together: arrays [waves, rows]."""

    def __init__(self, waves: list[list[tuple[Executed, int]]]) -> None:
        parts = [executed for executed, _ in waves[0]]
        blocks = [executed.block for executed in parts]
        self.code = np.concatenate([block.code for block in blocks] or [np.zeros(0, np.int32)])
        self.rows = len(self.code)
        ends = np.cumsum([len(block) for block in blocks], dtype=np.int64)
        starts = [int(end) - len(block) for end, block in zip(ends, blocks, strict=True)]
        columns = [[wave[place][1] for wave in waves] for place in range(len(parts))]
        count = len(waves)
        self.array_clk = np.zeros((count, self.rows), np.int32)
        self.memory_bytes = np.zeros((count, self.rows), np.int32)
        self.taken = np.zeros((count, self.rows), np.bool_)
        self.counts = np.zeros((count, self.rows), np.int64)
        rows, values = [], []
        memory_rows, moved, lines = [], [], []
        for executed, start, own in zip(parts, starts, columns, strict=True):
            block = executed.block
            if executed.taken is not None:
                self.taken[:, start + len(block) - 1] = executed.taken[own]
            whole = len(own) == len(executed.columns)  # then in order too: slices ascend
            if executed.array_clk is not None:
                rows.append(start + block.lds_rows)
                values.append(executed.array_clk if whole else executed.array_clk[:, own])
            if executed.memory_bytes is not None:
                memory_rows.append(start + block.memory_rows)
                moved.append(executed.memory_bytes if whole else executed.memory_bytes[:, own])
                lines += executed.lines if whole else [_of(each, own) for each in executed.lines]
        if rows:
            self.array_clk[:, np.concatenate(rows)] = np.concatenate(values).T
        self.lines: list[Ints] = [np.zeros(0, np.int64)] * count
        if memory_rows:
            places = np.concatenate(memory_rows)
            counts = np.array([each[0] for each in lines], np.int64)
            self.memory_bytes[:, places] = np.concatenate(moved).T
            self.counts[:, places] = counts.T
            numbers = np.concatenate([each[1] for each in lines])
            owner = np.repeat(np.tile(np.arange(count, dtype=np.uint16), len(counts)), counts.reshape(-1))
            by_wave = numbers[np.argsort(owner, kind="stable")]
            self.lines = np.split(by_wave, np.cumsum(counts.sum(axis=0))[:-1])

    def wave_trace(self, number: int, rows: int, place: Placement, spins: tuple[Spin, ...]) -> WaveTrace:
        """The first ``rows`` rows of one of the waves."""
        offsets = np.zeros(rows + 1, np.int64)
        np.cumsum(self.counts[number, :rows], out=offsets[1:])
        return WaveTrace(
            wave=place.wave,
            workgroup=place.workgroup,
            simd=place.simd,
            slot=place.slot,
            start_clk=place.start_clk,
            code=self.code[:rows],
            array_clk=self.array_clk[number, :rows],
            memory_bytes=self.memory_bytes[number, :rows],
            taken=self.taken[number, :rows],
            memory_latency_clk=np.full(rows, UNKNOWN, np.int32),
            line_offsets=offsets,
            lines=self.lines[number][: offsets[-1]],
            spins=spins,
        )


def _of(lines: Lines, columns: list[int]) -> Lines:
    """The lines of some of the waves of an access."""
    counts, numbers = lines
    ends = np.cumsum(counts)
    parts = [numbers[ends[column] - counts[column] : ends[column]] for column in columns]
    return counts[columns], np.concatenate(parts)
