"""Times many schedules of one loop: the rows of a trace in other orders, with other waits put in.

What does not change is made ready once: the tables of the static instructions and the columns of the streams.
A schedule is then a few gathers and a run of the engine, of which only the issue clocks are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.compiled.engine import drive, engine_of, loaded
from wavesim.timing.compiled.inputs import ROW_COLUMNS, CodeTables, row_column, with_rows
from wavesim.timing.rules.instruction_cache import code_lines
from wavesim.trace import UNKNOWN, CodeEntry, Trace

Int64 = npt.NDArray[np.int64]
EVENTS_PER_CALL = 1 << 40


@dataclass(frozen=True)
class PutIn:
    """An instruction of a schedule that the loop had not; ``entry`` counts from 0 in the pool."""

    entry: int
    wait_vm: int = -1
    wait_lgkm: int = -1


class Rescheduled:
    """Streams whose loop is laid out anew.

    Args:
        trace: the streams as they are.
        parameters: the machine's numbers.
        head, length: the loop's first static instruction, and how many it has.
        passes: per wave the rows at which its passes begin, one behind the other.
        pool: what may be put in; each at most once in a schedule.
    """

    def __init__(
        self,
        trace: Trace,
        parameters: TimingParameters,
        head: int,
        length: int,
        passes: Sequence[Int64],
        pool: Sequence[CodeEntry],
    ) -> None:
        self._library = loaded()
        self._trace = replace(trace, code=(*trace.code, *pool))
        self._parameters = parameters
        self._head, self._length, self._passes = head, length, passes
        self._first_in_pool = len(trace.code)
        self._code = CodeTables.of(self._library, self._trace.code, parameters)
        self._lines = code_lines(self._trace, parameters)
        self._address = np.array([entry.address for entry in self._trace.code], np.int64)
        self._size = np.array([entry.size_bytes for entry in self._trace.code], np.int64)
        self._first_row = np.cumsum([0, *(len(wave) for wave in trace.waves)]).astype(np.int64)
        self._columns = {}
        for name, dtype in ROW_COLUMNS:
            parts = [row_column(wave, name) for wave in trace.waves]
            self._columns[name] = np.concatenate([*parts, np.zeros(1, dtype)]).astype(dtype)
        self._columns["memory_latency_clk"][-1] = UNKNOWN

    def heads(self, origins: Sequence[int | PutIn]) -> list[Int64]:
        """Clocks at which each wave issues the first instruction of each pass of the new loop.

        Args:
            origins: static instructions of the loop as it is, in their new order, and what is put in.
        """
        rows, codes, code = self._laid_out(origins)
        inputs_rows, lengths = self._rows(rows)
        columns = {name: column[inputs_rows] for name, column in self._columns.items()}
        columns["code"] = self._codes(columns["code"], codes, lengths)
        inputs = with_rows(code, self._lines, self._trace, self._parameters, lengths, columns)
        with engine_of(self._library, inputs) as engine:
            self._library.wavesim_start(engine)
            drive(lambda: self._library.wavesim_run(engine, EVENTS_PER_CALL), lambda: None)
        issue, found = inputs.clocks[1], []
        for wave, starts in enumerate(self._passes):
            more = len(origins) - self._length
            heads = inputs.first_row[wave] + starts + more * np.arange(len(starts))
            found.append(issue[heads])
        return found

    def _laid_out(self, origins: Sequence[int | PutIn]) -> tuple[Int64, Int64, CodeTables]:
        """Per instruction of the new loop its row in a pass (-1: put in) and static instruction; the tables
        with the new addresses."""
        rows = np.array([-1 if isinstance(each, PutIn) else each - self._head for each in origins], np.int64)
        codes = np.array(
            [self._first_in_pool + each.entry if isinstance(each, PutIn) else each for each in origins],
            np.int64,
        )
        table = self._code.table.copy()
        fields = self._code.fields
        wait_vm, wait_lgkm = fields.index("wait_vm"), fields.index("wait_lgkm")
        for each, place in zip(origins, codes.tolist(), strict=True):
            if isinstance(each, PutIn):
                table[place, wait_vm], table[place, wait_lgkm] = each.wait_vm, each.wait_lgkm
        address, size = self._address.copy(), self._size
        begin = address[self._head]
        end = begin + int(size[self._head : self._head + self._length].sum())
        sizes = size[codes]
        address[codes] = begin + np.cumsum(sizes) - sizes
        behind = np.arange(len(address)) >= self._head + self._length
        behind[self._first_in_pool :] = False
        address[behind] += begin + int(sizes.sum()) - end
        chunk = self._parameters.fetch_chunk_bytes
        table[:, fields.index("first_chunk")] = address // chunk
        table[:, fields.index("last_chunk")] = (address + size - 1) // chunk
        return rows, codes, replace(self._code, table=table)

    def _rows(self, rows: Int64) -> tuple[Int64, list[int]]:
        """Rows of the streams as they are, in the new order; the last of all stands for what is put in."""
        nothing = int(self._first_row[-1])
        parts: list[Int64] = []
        lengths = []
        for wave, starts in enumerate(self._passes):
            first, last = int(self._first_row[wave]), int(self._first_row[wave + 1])
            if not len(starts):
                parts.append(np.arange(first, last))
                lengths.append(last - first)
                continue
            begin = first + int(starts[0])
            end = first + int(starts[-1]) + self._length
            inner = np.where(rows < 0, nothing, first + starts[:, None] + rows).reshape(-1)
            parts += [np.arange(first, begin), inner, np.arange(end, last)]
            lengths.append(begin - first + len(inner) + last - end)
        return np.concatenate(parts), lengths

    def _codes(
        self, code: npt.NDArray[np.generic], codes: Int64, lengths: Sequence[int]
    ) -> npt.NDArray[np.int32]:
        result = code.astype(np.int32)
        first = 0
        for starts, length in zip(self._passes, lengths, strict=True):
            if len(starts):
                begin = first + int(starts[0])
                result[begin : begin + len(codes) * len(starts)] = np.tile(codes, len(starts))
            first += length
        return result
