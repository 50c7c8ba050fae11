"""Program order: what an instruction waits for in its own wave: the one before, fetch, gaps, counters."""

from __future__ import annotations

from heapq import merge

from wavesim.explanation.events import Event, Events
from wavesim.isa.kinds import IDLE_KINDS
from wavesim.timing.rules.dependency_gaps import StreamGaps
from wavesim.timing.rules.fetch import Chunk, FetchBuffer, jumps
from wavesim.timing.rules.instruction_cache import InstructionCache

Plain = tuple[Event, Event, int, str]
"""(source, target, clocks, cause): an edge before it is one."""

MOST_COUNTED = 160
"""Accesses further back have returned: more than both counters hold, with those that a wait waits for."""


class ProgramOrder:
    """Per wave and row, the rows that fetch and gaps count from (docs/model §3, §4)."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self._gaps = StreamGaps(events.entries, events.p)
        self._edges: list[dict[int, list[tuple[int, int, str]]]] = []
        self._accesses: list[list[tuple[int, int, int]]] = []  # row, lgkm, vm
        self._waited = self._fetched()
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

    def _fetched(self) -> list[dict[int, list[Chunk]]]:
        """Per wave and row, the chunks that it waits for: the waves share the lines that they ask for."""
        events, p = self.events, self.events.p
        cache = InstructionCache(events.timeline.trace, p)
        buffers = [FetchBuffer(p, cache) for _ in events.code]
        waited: list[dict[int, list[Chunk]]] = [{} for _ in events.code]
        rows = [  # what was asked for before the window counts where lines can be missing
            [(events.issue[wave][row], wave, row) for row in range(0 if cache.lines else first, last - 1)]
            for wave, (first, last) in enumerate(zip(events.first, events.last, strict=True))
        ]
        for clk, wave, row in merge(*rows):
            before, entry = (events.entries[code] for code in events.code[wave][row : row + 2])
            fetch = buffers[wave]
            fetch.issued(before, entry, jumps(before, events.taken[wave][row]), row, clk)
            needed = [chunk for chunk in fetch.needed(entry) if chunk.row >= events.first[wave]]
            if needed:
                waited[wave][row + 1] = needed
        return waited

    def _walk(self, wave: int) -> None:
        events = self.events
        first, last = events.first[wave], events.last[wave]
        code = events.code[wave]
        edges: dict[int, list[tuple[int, int, str]]] = {}
        accesses: list[tuple[int, int, int]] = []
        issue_clk = events.issue[wave]
        for row in range(first, last):
            entry = events.entries[code[row]]
            waited = self._waited[wave].get(row)
            if waited:
                edges[row] = [
                    (source, usable_clk - issue_clk[source], "branch" if by_branch else "fetch")
                    for usable_clk, source, by_branch in waited
                ]
            if entry.lgkm_increment or entry.vm_increment:
                accesses.append((row, entry.lgkm_increment, entry.vm_increment))
        executed = events.timeline.trace.waves[wave].code[first:last]
        for rows, earlier, clk in self._gaps.rows(executed):
            for row, source in zip((rows + first).tolist(), (earlier + first).tolist(), strict=True):
                edges.setdefault(row, []).append((source, clk, "dependency"))
        self._edges.append(edges)
        self._accesses.append(accesses)
