"""Program order: what an instruction waits for in its own wave: the one before, fetch, gaps, counters."""

from __future__ import annotations

from wavesim.explanation.events import Event, Events
from wavesim.isa.kinds import IDLE_KINDS
from wavesim.timing.ops import BRANCH, LDS, SCALAR, VALU, VMEM, Op
from wavesim.trace import Kind

Plain = tuple[Event, Event, int, str]
"""(source, target, clocks, cause): an edge before it is one."""

MOST_COUNTED = 160
"""Accesses further back have returned: more than both counters hold, with those that a wait waits for."""


class ProgramOrder:
    """Per wave and row, the rows that fetch and gaps count from (docs/model §3, §4)."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self._edges: list[dict[int, list[tuple[int, int, str]]]] = []
        self._accesses: list[list[tuple[int, int, int]]] = []  # row, lgkm, vm
        for wave in range(len(events.code)):
            self._walk(wave)

    def into(self, event: Event) -> list[Plain]:
        """Edges from the wave's own instructions."""
        events = self.events
        _, wave, row = event
        edges: list[Plain] = []
        barrier = events.op(wave, row).is_barrier
        for source, clk, cause in self._edges[wave].get(row, []):
            edges.append((Event("issue", wave, source), event, clk, cause))
        if barrier and event.kind == "issue":
            return []  # it arrives first
        if row > events.first[wave]:
            before = Event("issue", wave, row - 1)
            op = events.op(wave, row - 1)
            clk = events.end[wave][row - 1] - events.clk(before)
            cause = "issue"
            if clk > events.slot:
                cause = "nop" if op.kind in IDLE_KINDS else "hold"
            edges.insert(0, (before, event, clk, cause))
        return edges

    def counted(self, wave: int, row: int, counter: str) -> list[tuple[int, int]]:
        """(row, counts) of the accesses of a counter that the wave issued before ``row``, newest first."""
        column = 1 if counter == "lgkm" else 2
        accesses = self._accesses[wave]
        low, high = 0, len(accesses)
        while low < high:
            middle = (low + high) // 2
            if accesses[middle][0] < row:
                low = middle + 1
            else:
                high = middle
        recent = reversed(accesses[max(0, low - MOST_COUNTED) : low])
        return [(access[0], access[column]) for access in recent if access[column]]

    def _walk(self, wave: int) -> None:
        events, p = self.events, self.events.p
        edges: dict[int, list[tuple[int, int, str]]] = {}
        accesses: list[tuple[int, int, int]] = []
        chunks: dict[int, tuple[int, int, str]] = {}  # chunk -> (row, clocks, cause)
        valu = valu_sgpr = salu = -1
        written: dict[int, int] = {}
        previous: Op | None = None
        for row in range(events.first[wave], events.last[wave]):
            op = events.op(wave, row)
            if previous is not None:
                jumped = previous.category == BRANCH and (
                    not previous.conditional or events.taken[wave][row - 1]
                )
                self._fetch(chunks, previous, op, jumped, row - 1)
            touched = dict.fromkeys((op.first_chunk, op.last_chunk))
            found = [chunks[chunk] for chunk in touched if chunk in chunks]
            if op.category in (LDS, VMEM):
                if valu >= 0:
                    found.append((valu, p.gap_valu_to_memory_clk, "dependency"))
                if op.category == VMEM:
                    sources = [written[register] for register in op.sgpr_reads if register in written]
                    found += [(source, p.gap_salu_to_vmem_clk, "dependency") for source in sources]
            elif op.category in (SCALAR, BRANCH):
                if valu_sgpr >= 0:
                    found.append((valu_sgpr, p.gap_valu_sgpr_to_scalar_clk, "dependency"))
                if op.conditional and salu >= 0:
                    found.append((salu, p.gap_salu_to_cbranch_clk, "dependency"))
            if found:
                edges[row] = found
            if op.lgkm or op.vm:
                accesses.append((row, op.lgkm, op.vm))
            if op.category == VALU:
                valu = row
                valu_sgpr = row if op.writes_sgpr else valu_sgpr
            elif op.kind is Kind.SALU:
                salu = row
                for register in op.sgpr_writes:
                    written[register] = row
            previous = op
        self._edges.append(edges)
        self._accesses.append(accesses)

    def _fetch(
        self, chunks: dict[int, tuple[int, int, str]], op: Op, following: Op, jumped: bool, row: int
    ) -> None:
        """What becomes usable, and from which row's issue, when ``op`` has issued."""
        p = self.events.p
        if jumped:
            first = following.first_chunk
            chunks.clear()
            chunks[first] = (row, p.fetch_restart_first_clk, "branch")
            chunks[first + 1] = (row, p.fetch_restart_next_clk, "branch")
        elif op.conditional:
            last = op.last_chunk
            here = chunks.get(last)
            chunks.clear()
            if here is not None:
                chunks[last] = here
            chunks[last + 1] = (row, p.fetch_restart_first_clk, "branch")
            chunks[last + 2] = (row, p.fetch_restart_next_clk, "branch")
        else:
            for chunk in range(op.first_chunk, min(op.last_chunk + 1, following.first_chunk)):
                if chunk + 2 not in chunks:
                    chunks[chunk + 2] = (row, p.fetch_refill_clk, "fetch")
                    chunks.pop(chunk, None)
