"""Times many schedules of one program: its streams with the instructions of its blocks in other orders, and
with others put in.

What does not change is made ready once: the tables of the static instructions and the columns of the streams.
A schedule is then a few gathers and a run of the engine, of which only the issue clocks are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.compiled.engine import drive, engine_of, loaded
from wavesim.timing.compiled.inputs import ROW_COLUMNS, CodeTables, row_column, with_rows
from wavesim.timing.rules.instruction_cache import lines_at
from wavesim.trace import UNKNOWN, CodeEntry, Trace
from wavesim.trace.relaid import Ways

Int64 = npt.NDArray[np.int64]
EVENTS_PER_CALL = 1 << 40


@dataclass(frozen=True)
class PutIn:
    """Instructions that a schedule puts in: at the places ``place`` of the new program stand the entries
    ``entry`` of the pool, as waits for ``wait_vm`` and ``wait_lgkm`` (-1: not for that counter)."""

    place: Int64
    entry: Int64
    wait_vm: Int64
    wait_lgkm: Int64


class Rescheduled:
    """Streams whose blocks are laid out anew.

    Args:
        trace: the streams as they are.
        parameters: the machine's numbers.
        head: the number of the block whose clocks are asked for.
        pool: what may be put in; each at most once in a schedule.
    """

    def __init__(
        self, trace: Trace, parameters: TimingParameters, head: int, pool: Sequence[CodeEntry]
    ) -> None:
        self._library = loaded()
        self._trace = replace(trace, code=(*trace.code, *pool))
        self._parameters = parameters
        self._ways = Ways(trace)
        self._heads = np.flatnonzero(self._ways.blocks == head)
        self._first_head = np.searchsorted(self._heads, self._ways.waves)
        self._first_in_pool = len(trace.code)
        self._code = CodeTables.of(self._library, self._trace.code, parameters)
        self._size = np.array([entry.size_bytes for entry in self._trace.code], np.int64)
        self._begin = trace.code[0].address if trace.code else 0
        self._columns = {}
        for name, dtype in ROW_COLUMNS:
            if name == "code":  # made anew for each schedule
                continue
            parts = [row_column(wave, name) for wave in trace.waves]
            self._columns[name] = np.concatenate([*parts, np.zeros(1, dtype)]).astype(dtype)
        self._columns["memory_latency_clk"][-1] = UNKNOWN

    def heads(self, origins: Int64, bounds: Int64, put_in: PutIn) -> list[Int64]:
        """Clocks at which each wave issues the first instruction of each pass.

        Args:
            origins: of each instruction of the new program which one of the program as it is it was, or
                ``PUT_IN``.
            bounds: where its blocks begin, and how many instructions it has.
            put_in: what is put in.
        """
        relaid = self._ways.relaid(origins, bounds)
        entries = origins.copy()
        entries[put_in.place] = self._first_in_pool + put_in.entry
        columns = {name: column[relaid.source] for name, column in self._columns.items()}
        columns["code"] = entries[relaid.place].astype(np.int32)
        address = self._begin + np.cumsum(self._size[entries]) - self._size[entries]
        parameters = self._parameters
        lines = lines_at(address, self._size[entries], parameters, cold=self._trace.cold_code)
        inputs = with_rows(
            self._table(entries, address, put_in),
            lines,
            self._trace,
            parameters,
            np.diff(relaid.first_row).tolist(),
            columns,
        )
        with engine_of(self._library, inputs) as engine:
            self._library.wavesim_start(engine)
            drive(lambda: self._library.wavesim_run(engine, EVENTS_PER_CALL), lambda: None)
        clocks = inputs.clocks[1][relaid.begins[self._heads]]
        return [clocks[a:b] for a, b in pairwise(self._first_head)]

    def _table(self, entries: Int64, address: Int64, put_in: PutIn) -> CodeTables:
        """The tables with the new addresses, and with the counts of what is put in."""
        table, fields = self._code.table.copy(), self._code.fields
        places = self._first_in_pool + put_in.entry
        table[places, fields.index("wait_vm")] = put_in.wait_vm
        table[places, fields.index("wait_lgkm")] = put_in.wait_lgkm
        chunk = self._parameters.fetch_chunk_bytes
        table[entries, fields.index("first_chunk")] = address // chunk
        table[entries, fields.index("last_chunk")] = (address + self._size[entries] - 1) // chunk
        return replace(self._code, table=table)
