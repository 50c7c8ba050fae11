"""Builds the Trace: what each wave executed, block by block, joined into arrays at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.blocks import Block
from wavesim.emulate.context import BlockRecord
from wavesim.trace.trace import UNKNOWN, Spin, WaveTrace

Lines = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Placement:
    """Where a wave sits."""

    wave: int
    workgroup: int
    simd: int
    slot: int
    start_clk: int


class Executed:
    """One execution of a block by a batch of waves; columns are the batch's waves."""

    def __init__(self, block: Block, record: BlockRecord, taken: npt.NDArray[np.bool_] | None) -> None:
        self.block = block
        self.taken = taken
        self.lines: list[Lines] = record.lines
        self.starts = [np.concatenate([[0], np.cumsum(counts)]) for counts, _ in record.lines]
        self.array_clk = np.array(record.lds_clk, np.int32) if record.lds_clk else None
        self.memory_bytes = np.array(record.memory_bytes, np.int32) if record.memory_bytes else None
        self.line_count = sum(len(numbers) for _, numbers in record.lines)
        self._columns: list[tuple[Executed, int]] = []

    def column(self, number: int) -> tuple[Executed, int]:
        """One wave's share, the same object each time."""
        while number >= len(self._columns):
            self._columns.append((self, len(self._columns)))
        return self._columns[number]


class Recorder:
    """The rows of all waves so far."""

    def __init__(self, waves: int) -> None:
        self.parts: list[list[tuple[Executed, int]]] = [[] for _ in range(waves)]
        self.spins: list[list[Spin]] = [[] for _ in range(waves)]
        self.dropped = [0] * waves

    def add(self, executed: Executed, waves: list[int]) -> None:
        """A block was executed by ``waves`` (in the order of its columns)."""
        for column, wave in enumerate(waves):
            self.parts[wave].append(executed.column(column))

    def cut(self, wave: int, parts: int) -> None:
        """Forget what a wave executed after its first ``parts`` blocks."""
        del self.parts[wave][parts:]

    def wave_trace(self, position: int, place: Placement) -> WaveTrace:
        """The finished stream of one wave."""
        parts = self.parts[position]
        code = _join([executed.block.code for executed, _ in parts], np.int32)
        rows = len(code) - self.dropped[position]
        array_clk = np.zeros(len(code), np.int32)
        memory_bytes = np.zeros(len(code), np.int32)
        taken = np.zeros(len(code), np.bool_)
        counts = np.zeros(len(code), np.int64)
        lines: list[npt.NDArray[np.int64]] = []
        start = 0
        for executed, column in parts:
            block = executed.block
            if executed.array_clk is not None:
                array_clk[start + block.lds_rows] = executed.array_clk[:, column]
            if executed.memory_bytes is not None:
                memory_rows = start + block.memory_rows
                memory_bytes[memory_rows] = executed.memory_bytes[:, column]
                for row, bounds, (_, numbers) in zip(
                    memory_rows.tolist(), executed.starts, executed.lines, strict=True
                ):
                    touched = numbers[bounds[column] : bounds[column + 1]]
                    counts[row] = len(touched)
                    lines.append(touched)
            start += len(block)
            if executed.taken is not None:
                taken[start - 1] = executed.taken[column]
        offsets = np.zeros(rows + 1, np.int64)
        np.cumsum(counts[:rows], out=offsets[1:])
        return WaveTrace(
            wave=place.wave,
            workgroup=place.workgroup,
            simd=place.simd,
            slot=place.slot,
            start_clk=place.start_clk,
            code=code[:rows],
            array_clk=array_clk[:rows],
            memory_bytes=memory_bytes[:rows],
            taken=taken[:rows],
            memory_latency_clk=np.full(rows, UNKNOWN, np.int32),
            line_offsets=offsets,
            lines=_join(lines, np.int64)[: offsets[-1]],
            spins=tuple(self.spins[position]),
        )


def _join(parts: list[npt.NDArray[np.int32]] | list[npt.NDArray[np.int64]], dtype: type) -> npt.NDArray:  # type: ignore[type-arg]
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
