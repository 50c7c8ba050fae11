"""The search: lists first, then annealing from the best of them.

It is deterministic for a seed and a number of tries. A trial on the ladder taught this order: lists find how
the phases of a loop lie beside each other, annealing then moves single operations and runs of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, gcd

from wavesim.trace import CodeEntry
from wavesim.tuning.dependence import Order
from wavesim.tuning.lists import ListRule, list_order, rules_for

Score = Callable[[Sequence[int]], float]
HOT, BOLD, COLD = 0.005, 0.012, 0.0003
"""Temperatures at which annealing begins, or boldly begins, and ends, as shares of the score."""

LONGEST_RUN = 6
"""Operations that move together at most."""


@dataclass
class Found:
    """What a search has found so far: the best order with its clocks, and how many were tried."""

    order: list[int]
    clk: float
    tried: int = 0

    def offer(self, order: Sequence[int], clk: float) -> bool:
        """Take a better one."""
        self.tried += 1
        if clk < self.clk:
            self.order, self.clk = list(order), clk
            return True
        return False


def by_lists(
    order: Order,
    entries: Sequence[CodeEntry],
    score: Score,
    found: Found,
    go_on: Callable[[Found], bool],
    part: slice,
) -> list[tuple[float, list[int]]]:
    """Try a part of the lists, in an order in which each part is spread over all of their rules; the distinct
    ones with their clocks, the fastest first."""
    seen: dict[tuple[int, ...], float] = {}
    for rule in _spread(list(rules_for(entries)))[part]:
        candidate = list_order(order, entries, rule)
        key = tuple(candidate)
        if key in seen:
            continue
        seen[key] = score(candidate)
        found.offer(candidate, seen[key])
        if not go_on(found):
            break
    return sorted((clk, list(key)) for key, clk in seen.items())


def _spread(rules: Sequence[ListRule]) -> list[ListRule]:
    """All of them, by strides of about the golden ratio."""
    count = len(rules)
    stride = next(each for each in range(round(count * 0.618), count + 1) if gcd(each, count) == 1)
    return [rules[number * stride % count] for number in range(count)]


def anneal(
    order: Order,
    start: Sequence[int],
    score: Score,
    tries: int,
    generator: random.Random,
    found: Found,
    go_on: Callable[[Found], bool],
    hot: float = HOT,
) -> None:
    """Move operations about, first boldly, then hardly; ``found`` keeps the best."""
    now, clk = list(start), score(start)
    found.offer(now, clk)
    for step in range(tries):
        moved = move(order, now, generator)
        if moved is None:
            continue
        tried = score(moved)
        found.offer(moved, tried)
        temperature = clk * hot * (COLD / hot) ** (step / max(1, tries - 1))
        if tried <= clk or generator.random() < exp((clk - tried) / temperature):
            now, clk = moved, tried
        if not go_on(found):
            return


def move(order: Order, now: Sequence[int], generator: random.Random) -> list[int] | None:
    """A run of operations at another place that their order allows; ``None`` where it cannot move."""
    count = len(now)
    first = generator.randrange(count)
    length = 1 if generator.random() < 0.6 else generator.randint(2, LONGEST_RUN)
    run = list(now[first : first + length])
    mine = set(run)
    low = first
    while low > 0 and not order.after[now[low - 1]] & mine:
        low -= 1
    high = first + len(run)
    while high < count and not order.before[now[high]] & mine:
        high += 1
    places = high - low - len(run)
    if not places:
        return None
    if generator.random() < 0.5:
        near = generator.choice((-1, 1)) * generator.randint(1, 8)
        place = min(max(first + near, low), high - len(run))
    else:
        place = low + generator.randint(0, places)
    if place == first:
        return None
    rest = [*now[:first], *now[first + len(run) :]]
    return [*rest[:place], *run, *rest[place:]]
