"""Maximum cycle ratio of a graph: most clocks per iteration around any cycle (Howard's policy iteration).

Works on integers and fractions only, and knows nothing of the simulated times: it is the second opinion on
the period.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from typing import Any

import networkx as nx


def maximum_cycle_ratio(graph: nx.MultiDiGraph) -> Fraction | None:
    """The largest sum(``clk``) / sum(``iterations``) over the cycles of ``graph``; ``None`` without a cycle.

    Args:
        graph: edges with integer attributes ``clk`` and ``iterations``; ``binding`` (true or false) says
            where to begin, which changes the time it takes and not the answer.

    Raises:
        ValueError: a cycle with positive clocks and no iterations: no schedule exists.
    """
    best: Fraction | None = None
    for members in nx.strongly_connected_components(graph):
        part = graph.subgraph(members)
        if part.number_of_edges():
            ratio = _of_component(part)
            best = ratio if best is None else max(best, ratio)
    return best


def _of_component(graph: nx.MultiDiGraph) -> Fraction:
    """Policy iteration: every node follows one edge in, backwards; the best cycle so found gives ratio and
    potentials; edges that do better are followed instead, until none does."""
    nodes: list[Hashable] = list(graph)
    out: dict[Hashable, list[tuple[Hashable, int, int]]] = {}
    policy: dict[Hashable, tuple[Hashable, int, int]] = {}
    for node in nodes:
        edges = [
            (bool(data.get("binding")), (source, data["clk"], data["iterations"]))
            for source, _, data in graph.in_edges(node, data=True)
        ]
        out[node] = [edge for _, edge in edges]
        policy[node] = max(edges, key=lambda each: (each[0], each[1][1]))[1]
    while True:
        ratio, values = _evaluate(nodes, policy)
        better = False
        scale, per = ratio.denominator, ratio.numerator
        for node in nodes:
            best = values[node]
            for target, clk, iterations in out[node]:
                value = clk * scale - per * iterations + values[target]
                if value > best:
                    best = value
                    policy[node] = (target, clk, iterations)
                    better = True
        if not better:
            return ratio


def _evaluate(
    nodes: list[Hashable], policy: dict[Hashable, tuple[Hashable, int, int]]
) -> tuple[Fraction, dict[Hashable, int]]:
    """The best cycle's ratio under a policy, and potentials (times the ratio's denominator).

    Nodes that lead to a worse cycle are sent, by their first edge that reaches it, to the best one: the
    component is strongly connected, so a search from the best cycle against the edges finds them all.
    """
    best: Fraction | None = None
    start: Any = None
    state: dict[Hashable, int] = {}
    for number, node in enumerate(nodes):
        path: list[Hashable] = []
        at = node
        while at not in state:
            state[at] = number
            path.append(at)
            at = policy[at][0]
        if state[at] == number:  # a new cycle, on this path
            cycle = path[path.index(at) :]
            clk = sum(policy[each][1] for each in cycle)
            iterations = sum(policy[each][2] for each in cycle)
            if iterations <= 0:
                if clk > 0 or iterations < 0:
                    raise ValueError("a cycle of constraints that takes clocks but no iteration")
                continue
            ratio = Fraction(clk, iterations)
            if best is None or ratio > best:
                best, start = ratio, at
    if best is None:
        raise ValueError("no cycle with iterations")
    return best, _potentials(nodes, policy, best, start)


def _potentials(
    nodes: list[Hashable],
    policy: dict[Hashable, tuple[Hashable, int, int]],
    ratio: Fraction,
    start: Hashable,
) -> dict[Hashable, int]:
    before: dict[Hashable, list[Hashable]] = {}
    for node in nodes:
        before.setdefault(policy[node][0], []).append(node)
    values: dict[Hashable, int] = {start: 0}
    todo = [start]
    while todo:
        target = todo.pop()
        for node in before.get(target, ()):
            if node not in values:
                _, clk, iterations = policy[node]
                values[node] = clk * ratio.denominator - ratio.numerator * iterations + values[target]
                todo.append(node)
    low = min(values.values()) - (1 << 40)
    for node in nodes:
        values.setdefault(node, low)
    return values
