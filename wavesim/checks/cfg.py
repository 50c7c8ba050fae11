"""Control flow of a program: successors of each instruction, and what is reachable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import TypeVar

from wavesim.program import Program, Symbol
from wavesim.program.orders import reverse_postorder
from wavesim.trace import CodeEntry, Kind

State = TypeVar("State")
Edges = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Paths:
    """The instructions once for each thing that is known where they are reached
    (:mod:`wavesim.checks.paths`).

    ``at[n]`` is the instruction of node ``n``; node 0 is the entry. Edges are those that can be taken.
    """

    at: tuple[int, ...]
    successors: Edges
    predecessors: Edges

    @cached_property
    def order(self) -> dict[int, int]:
        """Number of each node such that, loops apart, nodes come before what follows them."""
        return reverse_postorder(0, self.successors)


@dataclass(frozen=True)
class ControlFlow:
    """``successors[i]`` are the instructions that may follow instruction ``i``; ``reachable`` those
    that some path from the entry reaches. A branch to an unknown place has no successor. ``paths`` tells
    paths apart by what is known on them; without it every path through the edges counts."""

    successors: Edges
    predecessors: Edges
    reachable: frozenset[int]
    paths: Paths = field(default_factory=lambda: Paths((), (), ()))

    def __post_init__(self) -> None:
        if not self.paths.at:
            every = Paths(tuple(range(len(self.successors))), self.successors, self.predecessors)
            object.__setattr__(self, "paths", every)

    def back_edges(self) -> Iterator[tuple[int, int]]:
        """Edges (from, to) that go to the same or an earlier place."""
        for source, targets in enumerate(self.successors):
            for target in targets:
                if target <= source and source in self.reachable:
                    yield source, target

    def forward(
        self,
        start: State,
        transfer: Callable[[int, State], State],
        join: Callable[[State, State], State],
    ) -> dict[int, State]:
        """What holds before each reachable instruction on any path: ``transfer(instruction, before)`` gives
        what holds behind it, ``join`` what holds where paths meet; to the fixed point."""
        paths = self.paths
        if not paths.at:
            return {}
        order = paths.order
        before: dict[int, State] = {0: start}
        todo = [(order[0], 0)]
        waiting = {0}
        while todo:
            _, node = heappop(todo)
            waiting.discard(node)
            outgoing = transfer(paths.at[node], before[node])
            for target in paths.successors[node]:
                known = before.get(target)
                joined = outgoing if known is None else join(known, outgoing)
                if known is None or joined != known:
                    before[target] = joined
                    if target not in waiting:
                        waiting.add(target)
                        heappush(todo, (order[target], target))
        found: dict[int, State] = {}
        for node, state in before.items():
            at = paths.at[node]
            found[at] = join(found[at], state) if at in found else state
        return found


def branch_target(program: Program, index: int) -> int | None:
    """Index that a branch jumps to; ``None`` if it is not a label of the program."""
    for operand in program.instructions[index].operands:
        if isinstance(operand, Symbol) and operand.name in program.labels:
            return program.labels[operand.name]
    return None


def _indirect(
    opcode: str, index: int, following: tuple[int, ...], functions: tuple[int, ...], returns: tuple[int, ...]
) -> tuple[int, ...]:
    """Where a call may go (every function, or on if there is none), and where a function's s_setpc may go
    (behind every call). Empty for other branches."""
    if opcode == "s_swappc_b64":
        return functions or following
    if opcode == "s_setpc_b64" and functions and index >= functions[0]:
        return returns
    return ()


def control_flow(program: Program, code: tuple[CodeEntry, ...]) -> ControlFlow:
    """The control-flow graph over instructions (waves all start at the first)."""
    count = len(program)
    functions = program.functions()
    calls = [index for index, entry in enumerate(code) if entry.instruction.opcode == "s_swappc_b64"]
    returns = tuple(index + 1 for index in calls if index + 1 < count)
    successors: list[tuple[int, ...]] = []
    for index, entry in enumerate(code):
        following = (index + 1,) if index + 1 < count else ()
        target = branch_target(program, index)
        jump = (target,) if target is not None and target < count else ()
        if entry.kind is Kind.ENDPGM:
            successors.append(())
        elif entry.kind is Kind.BRANCH:
            successors.append(
                _indirect(entry.instruction.opcode, index, following, functions, returns) or jump
            )
        elif entry.kind is Kind.COND_BRANCH:
            successors.append(tuple(dict.fromkeys(following + jump)))
        else:
            successors.append(following)
    return with_edges(tuple(successors))


def with_edges(successors: Edges, paths: Paths | None = None) -> ControlFlow:
    """The control flow of these edges, with what of it is reachable from the first instruction."""
    predecessors: list[list[int]] = [[] for _ in successors]
    reachable: set[int] = set()
    todo = [0] if successors else []
    while todo:
        index = todo.pop()
        if index in reachable:
            continue
        reachable.add(index)
        for target in successors[index]:
            predecessors[target].append(index)
            todo.append(target)
    backwards = tuple(tuple(sorted(each)) for each in predecessors)
    if paths is None:
        return ControlFlow(successors, backwards, frozenset(reachable))
    return ControlFlow(successors, backwards, frozenset(reachable), paths)
