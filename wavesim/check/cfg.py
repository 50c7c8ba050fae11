"""Control flow of a program: successors of each instruction, and what is reachable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wavesim.program import Program, Symbol
from wavesim.trace import CodeEntry, Kind


@dataclass(frozen=True)
class ControlFlow:
    """``successors[i]`` are the instructions that may follow instruction ``i``; ``reachable`` those
    that some path from the entry reaches. A branch to an unknown place has no successor."""

    successors: tuple[tuple[int, ...], ...]
    predecessors: tuple[tuple[int, ...], ...]
    reachable: frozenset[int]

    def back_edges(self) -> Iterator[tuple[int, int]]:
        """Edges (from, to) that go to the same or an earlier place."""
        for source, targets in enumerate(self.successors):
            for target in targets:
                if target <= source and source in self.reachable:
                    yield source, target


def branch_target(program: Program, index: int) -> int | None:
    """Index that a branch jumps to; ``None`` if it is not a label of the program."""
    for operand in program.instructions[index].operands:
        if isinstance(operand, Symbol) and operand.name in program.labels:
            return program.labels[operand.name]
    return None


def _indirect(
    opcode: str, index: int, following: tuple[int, ...], functions: tuple[int, ...], returns: tuple[int, ...]
) -> tuple[int, ...]:
    """Where a call may go (every function; on, if there is none) and a function's s_setpc (behind every
    call); nowhere for other branches."""
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
    predecessors: list[list[int]] = [[] for _ in range(count)]
    reachable: set[int] = set()
    todo = [0] if count else []
    while todo:
        index = todo.pop()
        if index in reachable:
            continue
        reachable.add(index)
        for target in successors[index]:
            predecessors[target].append(index)
            todo.append(target)
    return ControlFlow(
        tuple(successors), tuple(tuple(sorted(each)) for each in predecessors), frozenset(reachable)
    )
