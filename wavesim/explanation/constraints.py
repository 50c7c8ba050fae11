"""Constraints: what each event had to wait for, as edges with clocks and a cause.

An edge ``a -> b`` with ``clk`` says that b is not before a + clk. The clocks are the contract's
(docs/model); that they fit the Timeline is tested. Of the edges into an event one is *binding*: it
explains the event's clock exactly, the alignment to an issue slot included.
"""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.explanation.events import Event, Events, Use
from wavesim.explanation.program_order import ProgramOrder
from wavesim.isa.kinds import Kind
from wavesim.timing.in_flight import service_clk
from wavesim.timing.ops import LDS, MFMA, VMEM
from wavesim.timing.rules.barrier_phase import place, release_clk
from wavesim.timing.rules.lds_port import latency_clk, port_clk
from wavesim.timing.rules.lds_subdword import subdword_clk
from wavesim.trace import REASON_NAMES, Reason

COUNTED = "counted"
"""Preferred for a wait: whatever access its counter waited for."""

_RETURNS = frozenset({"lds_latency", "memory_latency", "scalar_latency"})
_FETCHING = ("fetch", "branch")
_TAKEN = frozenset(
    REASON_NAMES[reason]
    for reason in (
        Reason.COUNTER_FULL,
        Reason.MATRIX_PIPE,
        Reason.MFMA_COISSUE,
        Reason.VALU_BUSY,
        Reason.LDS_HOLD,
        Reason.ARBITRATION,
        Reason.PORT,
    )
)
"""Reasons that an issue of whoever is to blame ended (docs/model §16)."""


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` is not before ``source`` + ``clk``, because of ``cause``."""

    source: Event
    target: Event
    clk: int
    cause: str


class Constraints:
    """Edges into the events of a Timeline; lists are computed when asked for."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.order = ProgramOrder(events)

    def into(self, event: Event) -> tuple[list[Edge], Edge | None]:
        """All edges into ``event``, and the binding one (``None`` for what nothing came before)."""
        edges, wanted = getattr(self, f"_{event.kind}")(event)
        blame = self.events.to_blame[event.wave].get(event.row) if event.kind == "issue" else None
        return edges, self._binding(event, edges, wanted, blame)

    def _binding(
        self, event: Event, edges: list[Edge], wanted: str, blame: tuple[int, int] | None
    ) -> Edge | None:
        clk = self.events.clk(event)
        aligned = event.kind in ("issue", "arrived")
        tight = []
        for edge in edges:
            reached = self.events.clk(edge.source) + edge.clk
            if aligned:
                reached = self.events.up(reached)
            if reached == clk:
                tight.append(edge)
        meant = [
            each for each in tight if each.cause == wanted or (wanted == COUNTED and each.cause in _RETURNS)
        ]
        meant.sort(key=lambda each: each.source[1:] != blame)
        if meant:
            return self._exact(meant[0])
        if tight and not wanted:
            return self._exact(tight[0])
        if event.kind == "issue" and event.row > 0:
            before = Event("issue", event.wave, event.row - 1)
            if before.row >= self.events.first[event.wave]:
                if tight and wanted in _FETCHING:
                    return self._exact(tight[0])
                cause = "waitcnt" if wanted == COUNTED else wanted or "issue"
                return Edge(before, event, clk - self.events.clk(before), cause)
        return self._exact(tight[0]) if tight else None

    def _exact(self, edge: Edge) -> Edge:
        clk = self.events.clk(edge.target) - self.events.clk(edge.source)
        return edge if clk == edge.clk else Edge(edge.source, edge.target, clk, edge.cause)

    # -- edges by kind of event: (all, the cause to prefer)

    def _issue(self, event: Event) -> tuple[list[Edge], str]:
        events = self.events
        _, wave, row = event
        op = events.op(wave, row)
        edges = [Edge(*edge) for edge in self.order.into(event)]
        reason = events.last_reason[wave].get(row, -1)
        wanted = "" if reason < 0 else REASON_NAMES[Reason(reason)]
        if op.is_barrier:
            edges += self._release(event)
        if op.wait_lgkm is not None or op.wait_vm is not None:
            edges += self._waited(event, op.wait_lgkm, op.wait_vm)
            wanted = COUNTED if wanted in ("lgkmcnt", "vmcnt") else wanted
        category = op.category
        if category == MFMA:
            edges += self._pipe(event)
        elif category == LDS:
            edges += self._lds_entry(event)
        elif category == VMEM:
            edges += self._memory_entry(event)
        if wanted in _TAKEN and row in events.to_blame[wave]:
            source = Event("issue", *events.to_blame[wave][row])
            if events.clk(source) < events.clk(event):
                edges.append(Edge(source, event, events.clk(event) - events.clk(source), wanted))
        return edges, wanted

    def _arrived(self, event: Event) -> tuple[list[Edge], str]:
        return [Edge(*edge) for edge in self.order.into(event)], ""

    def _served(self, event: Event) -> tuple[list[Edge], str]:
        """§6: port clocks from when the access became head, or until the banks were done."""
        events = self.events
        _, wave, row = event
        uses = events.ports[events.pair[events.simd[wave]]]
        place = events.port_place[wave, row]
        use = uses[place]
        service_clk = port_clk(events.p, events.entry(wave, row))
        issue = Event("issue", wave, row)
        late = use.start - events.clk(issue)
        edges = []
        if place:
            before = uses[place - 1]
            edges.append(Edge(Event("served", before.wave, before.row), event, service_clk, "lds_service"))
            if before.end >= use.start:
                late = 0
        edges.append(Edge(issue, event, late + service_clk, "lds_service"))
        if (wave, row) in events.bank_place:
            edges.append(Edge(Event("banks", wave, row), event, 0, "lds_banks"))
        return edges, ""

    def _banks(self, event: Event) -> tuple[list[Edge], str]:
        events = self.events
        _, wave, row = event
        place = events.bank_place[wave, row]
        clk = events.banks[place].end - events.banks[place].start
        edges = []
        if (wave, row) in events.port_place:
            uses = events.ports[events.pair[events.simd[wave]]]
            number = events.port_place[wave, row]
            use = uses[number]
            late = use.start - events.issue[wave][row]
            if number:
                before = uses[number - 1]
                edges.append(Edge(Event("served", before.wave, before.row), event, clk, "lds_banks"))
                late = 0 if before.end >= use.start else late
            edges.append(Edge(Event("issue", wave, row), event, late + clk, "lds_banks"))
        else:
            edges.append(Edge(Event("returned", wave, row), event, clk, "lds_banks"))
        if place:
            before = events.banks[place - 1]
            edges.append(Edge(Event("banks", before.wave, before.row), event, clk, "lds_banks"))
        return edges, ""

    def _accepted(self, event: Event) -> tuple[list[Edge], str]:
        """§10: after the issue, the service of the one before, and a return that makes room."""
        events = self.events
        place = events.memory_place[event.wave, event.row]
        issue = Event("issue", event.wave, event.row)
        edges = [Edge(issue, event, events.p.memory_queue_hold_clk, "memory_service")]
        if place:
            before = events.memory[place - 1]
            source = Event("accepted", before.wave, before.row)
            edges.append(Edge(source, event, self._service(before), "memory_service"))
        room = events.memory_room[place]
        if room >= 0:
            before = events.memory[room]
            source = Event("returned", before.wave, before.row)
            edges.append(Edge(source, event, 0, "memory_in_flight"))
        return edges, ""

    def _returned(self, event: Event) -> tuple[list[Edge], str]:
        events = self.events
        place = events.memory_place[event.wave, event.row]
        use = events.memory[place]
        began, path_clk = events.memory_path[place]
        source = Event("accepted", events.memory[began].wave, events.memory[began].row)
        edges = [Edge(source, event, path_clk + self._latency(use), "memory_latency")]
        if place and "vmem_in_order" not in events.p.rules_off:
            before = events.memory[place - 1]
            source = Event("returned", before.wave, before.row)
            coming = self._service(use)
            if events.op(use.wave, use.row).kind is Kind.VMEM_STORE:
                coming = min(coming, events.p.memory_acknowledge_clk)
            edges.append(Edge(source, event, coming, "memory_service"))
        return edges, ""

    # -- parts

    def _service(self, use: Use) -> int:
        return service_clk(*self.events.memory_bytes(use), self.events.p)

    def _latency(self, use: Use) -> int:
        trace = self.events.timeline.trace
        if len(trace.memory_latency_by_order_clk):
            return 0  # a latency of the place in the order: known to the whole run only
        latency = int(trace.waves[use.wave].memory_latency_clk[use.row])
        latency = self.events.op(use.wave, use.row).latency_clk if latency < 0 else latency
        return max(0, latency - self.events.p.memory_queue_hold_clk)

    def _release(self, event: Event) -> list[Edge]:
        """§8: every arrival, the last one with its release."""
        events = self.events
        arrivals = events.barriers[events.barrier_number[event.wave, event.row]]
        arrived = [(events.clk(each), place(events.p, events.simd[each.wave]), each) for each in arrivals]
        _, last_place, last = max(arrived, key=lambda each: each[:2])
        mine = place(events.p, events.simd[event.wave])
        after_clk = release_clk(events.p, mine, 0, last_place) - events.slot
        return [Edge(each, event, after_clk if each == last else 0, "barrier") for each in arrivals]

    def _waited(self, event: Event, lgkm: int | None, vm: int | None) -> list[Edge]:
        """§7: the access whose return lets the counter fall to the count, for each counter."""
        edges = []
        for counter, count in (("lgkm", lgkm), ("vm", vm)):
            if count is not None:
                edges += self._counted(event, counter, count)
        return edges

    def _counted(self, event: Event, counter: str, count: int) -> list[Edge]:
        """The access that must have returned for the counter to be at most ``count``."""
        events = self.events
        _, wave, row = event
        issued: list[tuple[int, int, int]] = []  # done, row, counts
        total = 0
        for earlier, counts in self.order.counted(wave, row, counter):
            done = events.done[wave][earlier]
            issued.append((done, earlier, counts))
            total += counts
        for _, earlier, counts in sorted(issued):
            total -= counts
            if total <= count:
                return [self._data(event, earlier)]
        return []

    def _data(self, event: Event, row: int) -> Edge:
        events = self.events
        wave = event.wave
        op = events.op(wave, row)
        if op.category == VMEM:
            return Edge(Event("returned", wave, row), event, 0, "memory_latency")
        if (wave, row) in events.port_place:
            entry = events.entry(wave, row)
            clk = subdword_clk(events.p, entry) + latency_clk(events.p, entry)
            return Edge(Event("served", wave, row), event, clk, "lds_latency")
        issue = Event("issue", wave, row)
        return Edge(issue, event, events.done[wave][row] - events.clk(issue), "scalar_latency")

    def _pipe(self, event: Event) -> list[Edge]:
        events = self.events
        before = events.mfma_before(events.simd[event.wave], events.clk(event))
        if before is None:
            return []
        op, earlier = events.op(event.wave, event.row), events.op(before.wave, before.row)
        if op.scaled or earlier.scaled:
            return []  # two halves: whoever is to blame explains them
        return [Edge(Event("issue", before.wave, before.row), event, earlier.pipe_clk, "matrix_pipe")]

    def _lds_entry(self, event: Event) -> list[Edge]:
        events = self.events
        uses = events.ports[events.pair[events.simd[event.wave]]]
        place = events.port_place[event.wave, event.row] - events.p.lds_queue_entries
        if place < 0:
            return []
        use = uses[place]
        clk = subdword_clk(events.p, events.entry(use.wave, use.row)) + events.p.lds_queue_hold_clk
        return [Edge(Event("served", use.wave, use.row), event, clk, "lds_queue")]

    def _memory_entry(self, event: Event) -> list[Edge]:
        events = self.events
        place = events.memory_place[event.wave, event.row] - events.p.memory_queue_entries
        if place < 0:
            return []
        use = events.memory[place]
        return [Edge(Event("accepted", use.wave, use.row), event, 0, "vmem_queue")]
