"""Critical path: the chain of waits that sets the period of a loop, and the slack of everything else.

The events of one steady period of all waves become the nodes of a graph; an edge that reaches back into
an earlier iteration says how many periods. Following binding edges backwards from the oldest wave's loop
head ends in a cycle: it takes exactly its number of periods, and no cycle takes longer, because every
event keeps every edge. Without a steady loop the chain goes back from the end of the run to its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import networkx as nx

from wavesim.analyze.loops import WaveLoop
from wavesim.analyze.steady import Window
from wavesim.errors import UserError
from wavesim.explanation.constraints import Constraints, Edge
from wavesim.explanation.events import Event, Events
from wavesim.explanation.main_loop import Steady, steady_of
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Timeline

LOOK_BACK_CLK = 30_000
LOOK_BACK_PERIODS = 2
"""What is looked at before the period that is explained: accesses in flight reach back so far."""


@dataclass(frozen=True, slots=True)
class Link:
    """One edge of the chain, in the order of time: ``event`` (kind, wave position, row) waited ``clk``
    clocks after ``after`` for ``cause``, until ``at_clk``. ``code``, ``after_code``: static instructions."""

    after: Event
    event: Event
    clk: int
    cause: str
    code: int
    after_code: int
    at_clk: int


@dataclass(frozen=True)
class CriticalPath:
    """The chain that sets the time.

    Attributes:
        links: oldest first. Their clocks add up to ``clk``.
        clk: ``periods`` periods of the loop, or all clocks from the start to the end of the run.
        periods: periods of the loop around which the chain closes; 0 for a chain through the whole run.
        period_clk, period_iterations: the loop's (0 without).
        iterations: iterations of the loop that the chain spans; 0 without a loop. A loop whose issue times do
            not repeat has a chain from the end of its steady stretch back to its start (``periods`` 0).
        by_cause: clocks of the chain by cause, most first.
        slack_clk: per (wave position, static instruction) the clocks by which it could come later in
            every iteration without making the period longer, with the order of grants as it is; 0 is
            critical.
        graph: the periodic graph, (kind, wave, row) to (kind, wave, row) with ``clk``, ``iterations``
            (periods), ``cause`` and ``binding``.
        period_rows: rows that a wave issues in a period, by wave position.
    """

    links: tuple[Link, ...]
    clk: int
    periods: int
    period_clk: int
    period_iterations: int
    by_cause: Mapping[str, int]
    slack_clk: Mapping[tuple[int, int], int]
    graph: nx.MultiDiGraph = field(repr=False, compare=False)
    iterations: int = 0
    period_rows: Mapping[int, int] = field(default_factory=dict)

    @property
    def per_iteration(self) -> dict[str, float]:
        """Clocks of the chain by cause, per iteration (of the whole run where there is no loop)."""
        count = max(1, self.iterations)
        return {cause: clk / count for cause, clk in self.by_cause.items()}


def critical_path(timeline: Timeline, parameters: TimingParameters) -> CriticalPath:
    """The critical path of a complete simulated run.

    Raises:
        UserError: the run did not finish, or was measured: it does not say who waited for whom.
    """
    if not timeline.complete or not timeline.trace.complete:
        raise UserError("a run that did not finish has no critical path", None, "see `wavesim check`")
    if timeline.measured:
        raise UserError("a measured trace does not say who waited for whom", None, "replay it first")
    steady = steady_of(timeline)
    if steady.window is not None and steady.window.period is not None:
        folded = _Folded.of(timeline, parameters, steady)
        if folded is not None:
            path = folded.path()
            if path is not None:
                return path
    if steady.window is not None and steady.reference is not None:
        return _stretch(timeline, parameters, steady.window, steady.reference)
    return _whole_run(timeline, parameters)


def _stretch(
    timeline: Timeline, parameters: TimingParameters, window: Window, reference: WaveLoop
) -> CriticalPath:
    """From the last head of the window back to the clock of the first; the earliest link is cut there."""
    issue = timeline.waves[reference.wave].issue_clk
    first, last = int(reference.head_rows[window.first]), int(reference.head_rows[window.last])
    begin, end = int(issue[first]), int(issue[last])
    events = Events(timeline, parameters, begin - LOOK_BACK_CLK, end)
    constraints = Constraints(events)
    event = Event("issue", reference.wave, last)
    links: list[Link] = []
    while events.clk(event) > begin:
        _, edge = constraints.into(event)
        if edge is None:
            break
        link = _link(events, edge)
        over = max(0, begin - events.clk(edge.source))
        links.append(replace(link, clk=link.clk - over))
        event = edge.source
    chain = tuple(reversed(links))
    graph = nx.MultiDiGraph()
    count = window.last - window.first
    return CriticalPath(chain, sum(link.clk for link in chain), 0, 0, 0, _by_cause(chain), {}, graph, count)


def _link(events: Events, edge: Edge) -> Link:
    return Link(
        edge.source,
        edge.target,
        edge.clk,
        edge.cause,
        events.code[edge.target.wave][edge.target.row],
        events.code[edge.source.wave][edge.source.row],
        events.clk(edge.target),
    )


def _by_cause(links: tuple[Link, ...]) -> dict[str, int]:
    total: dict[str, int] = {}
    for link in links:
        total[link.cause] = total.get(link.cause, 0) + link.clk
    return dict(
        sorted(((cause, clk) for cause, clk in total.items() if clk), key=lambda item: (-item[1], item[0]))
    )


def _whole_run(timeline: Timeline, parameters: TimingParameters) -> CriticalPath:
    """From the end of the wave that ends last, back to the first event that nothing came before."""
    events = Events(timeline, parameters)
    constraints = Constraints(events)
    last = max(range(len(timeline.waves)), key=lambda wave: (timeline.waves[wave].last_clk, -wave))
    row = len(events.issue[last]) - 1
    if row < 0:
        return CriticalPath((), 0, 0, 0, 0, {}, {}, nx.MultiDiGraph())
    end = Event("issue", last, row)
    links: list[Link] = []
    held = timeline.waves[last].last_clk - events.clk(end)
    if held:
        cause = "issue" if held <= events.slot else "memory_latency"
        code = events.code[last][row]
        links.append(Link(end, end, held, cause, code, code, events.clk(end) + held))
    event = end
    while True:
        _, edge = constraints.into(event)
        if edge is None:
            break
        links.append(_link(events, edge))
        event = edge.source
    start = events.clk(event)
    if start:
        code = events.code[event.wave][event.row]
        links.append(Link(event, event, start, "not_started", code, code, start))
    chain = tuple(reversed(links))
    graph = nx.MultiDiGraph()
    return CriticalPath(chain, sum(link.clk for link in chain), 0, 0, 0, _by_cause(chain), {}, graph)


class _Folded:
    """The events of one period, and edges between them with the periods that they reach back."""

    def __init__(
        self, events: Events, rows: dict[int, tuple[int, int]], period_clk: int, steady: Steady
    ) -> None:
        self.events = events
        self.rows = rows
        self.period_clk = period_clk
        self.steady = steady
        self.constraints = Constraints(events)
        self.graph = nx.MultiDiGraph()
        self.binding: dict[Event, tuple[Event, int, Edge]] = {}

    @classmethod
    def of(cls, timeline: Timeline, parameters: TimingParameters, steady: Steady) -> _Folded | None:
        """``None`` where a period in the middle of the window cannot be laid out."""
        window, reference = steady.window, steady.reference
        if window is None or reference is None or window.period is None or window.period_clk is None:
            return None
        periods = (window.last - window.first) // window.period
        base = window.first + max(1, (periods + 1) // 2) * window.period
        if base + window.period > window.last:
            base = window.last - window.period
        rows = {}
        clks = []
        for run in steady.runs:
            if run is not None and len(run.head_rows) > base + window.period:
                first, last = int(run.head_rows[base]), int(run.head_rows[base + window.period])
                rows[run.wave] = (first, last)
                issue = timeline.waves[run.wave].issue_clk
                clks += [int(issue[first]), int(issue[last])]
        if reference.wave not in rows:
            return None
        back = max(LOOK_BACK_PERIODS * window.period_clk, LOOK_BACK_CLK)
        events = Events(timeline, parameters, min(clks) - back, max(clks) + 2 * window.period_clk)
        return cls(events, rows, window.period_clk, steady)

    def fold(self, event: Event) -> tuple[Event, int] | None:
        """The event of the base period that stands for ``event``, and how many periods later that is."""
        if event.wave not in self.rows:
            return None
        first, last = self.rows[event.wave]
        periods, offset = divmod(event.row - first, last - first)
        return Event(event.kind, event.wave, first + offset), -periods

    def path(self) -> CriticalPath | None:
        """Build the graph, follow binding edges from the oldest wave's head to a cycle."""
        for wave, (first, last) in self.rows.items():
            for row in range(first, last):
                self._add(Event("issue", wave, row))
                for kind, place in (
                    ("served", self.events.port_place),
                    ("banks", self.events.bank_place),
                    ("accepted", self.events.memory_place),
                    ("returned", self.events.memory_place),
                    ("arrived", self.events.barrier_number),
                ):
                    if (wave, row) in place:
                        self._add(Event(kind, wave, row))
        assert self.steady.reference is not None
        at = Event("issue", self.steady.reference.wave, self.rows[self.steady.reference.wave][0])
        seen: dict[Event, int] = {}
        walked: list[tuple[int, Edge]] = []
        while at not in seen:
            if at not in self.binding:
                return None
            seen[at] = len(walked)
            source, periods, edge = self.binding[at]
            walked.append((periods, edge))
            at = source
        cycle = walked[seen[at] :]
        periods = sum(each for each, _ in cycle)
        links = tuple(_link(self.events, edge) for _, edge in reversed(cycle))
        clk = sum(link.clk for link in links)
        if periods <= 0 or clk != periods * self.period_clk:
            return None
        window = self.steady.window
        return CriticalPath(
            _in_order(links),
            clk,
            periods,
            self.period_clk,
            (window.period if window else None) or 1,
            _by_cause(links),
            self._slack({link.event for link in links}),
            self.graph,
            periods * ((window.period if window else None) or 1),
            {wave: last - first for wave, (first, last) in self.rows.items()},
        )

    def _add(self, event: Event) -> None:
        edges, binding = self.constraints.into(event)
        if binding is not None and binding not in edges:
            edges = [*edges, binding]
        for edge in edges:
            folded = self.fold(edge.source)
            if folded is None:
                continue
            source, periods = folded
            is_binding = edge is binding or edge == binding
            if self.events.clk(edge.source) != self.events.clk(source) - periods * self.period_clk:
                continue  # reaches back to before the steady state
            self.graph.add_edge(
                source,
                event,
                clk=edge.clk,
                iterations=periods,
                cause=edge.cause,
                binding=is_binding,
                slack=self.events.clk(event) - self.events.clk(edge.source) - edge.clk,
            )
            if is_binding:
                self.binding[event] = (source, periods, edge)

    def _slack(self, critical: set[Event]) -> dict[tuple[int, int], int]:
        """Per (wave, static instruction): least slack of the edges that lead from it to the chain."""
        base = {Event(event.kind, event.wave, self.fold(event)[0].row) for event in critical}  # type: ignore[index]
        weights = nx.DiGraph()
        for source, target, slack in self.graph.edges(data="slack"):
            known = weights.get_edge_data(target, source)
            if known is None or known["slack"] > slack:
                weights.add_edge(target, source, slack=slack)
        distance = nx.multi_source_dijkstra_path_length(weights, base & set(weights), weight="slack")
        found: dict[tuple[int, int], int] = {}
        for (kind, wave, row), slack in distance.items():
            if kind == "issue":
                key = (wave, self.events.code[wave][row])
                found[key] = min(found.get(key, slack), slack)
        return dict(sorted(found.items()))


def _in_order(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """A cycle's links from the one that begins at the earliest static instruction of the oldest wave."""
    start = min(
        range(len(links)),
        key=lambda number: (
            links[number].after.kind != "issue",
            links[number].after.wave,
            links[number].after_code,
        ),
    )
    return links[start:] + links[:start]
