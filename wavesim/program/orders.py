"""Orders of the nodes of a graph of code."""

from __future__ import annotations

from collections.abc import Sequence


def reverse_postorder(start: int, successors: Sequence[Sequence[int]]) -> dict[int, int]:
    """Of each node that can be reached from ``start`` its place behind those that lead to it, loops apart."""
    finished: list[int] = []
    seen = {start}
    stack = [(start, iter(successors[start]))]
    while stack:
        node, rest = stack[-1]
        following = next((each for each in rest if each not in seen), None)
        if following is None:
            finished.append(node)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(successors[following])))
    return {node: place for place, node in enumerate(reversed(finished))}
