"""The loops of a kernel's code, found without an execution, and which of them to look at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavesim.isa.kinds import BRANCH_KINDS, LDS_KINDS, VMEM_KINDS, Kind
from wavesim.isa.opcodes import lookup
from wavesim.program import Immediate, Program, Symbol

if TYPE_CHECKING:
    import networkx as nx

HOTTEST = "hottest"
"""The region's name for the hottest loop, where no label is of that name."""

_CALLS = frozenset({"s_swappc_b64", "s_call_b64"})


@dataclass(frozen=True)
class CodeLoop:
    """A loop of the code. All instruction indices are of the program.

    ``first`` and ``stop`` span its code: [first, stop) also holds what the compiler put between that is not
    of the loop. ``members`` are the instructions of the loop, with those of the loops inside of it. ``own``
    counts those that are in no loop inside, by kind. ``depth`` is 1 for an outermost loop.
    """

    head: int
    first: int
    stop: int
    depth: int
    members: frozenset[int]
    own: Counter[Kind]

    @property
    def mfmas(self) -> int:
        """MFMAs of its own."""
        return self.own[Kind.MFMA]

    @property
    def lds_accesses(self) -> int:
        """LDS instructions of its own."""
        return sum(self.own[kind] for kind in LDS_KINDS)

    @property
    def memory_accesses(self) -> int:
        """Global-memory instructions of its own, also loads to LDS."""
        return sum(self.own[kind] for kind in VMEM_KINDS)

    @property
    def instructions(self) -> int:
        """Instructions of its own."""
        return self.own.total()


def code_loops(program: Program) -> tuple[CodeLoop, ...]:
    """Every loop, an outer one before those inside of it, else in the order of the code.

    A loop is what can be reached from each of its instructions again; without its head, the loops inside.
    """
    import networkx as nx  # takes its time to import

    kinds = [lookup(each.opcode, program.arch, each.span).kind for each in program.instructions]
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(program)))
    index_of = {address: index for index, address in enumerate(program.addresses)}
    for index, kind in enumerate(kinds):
        graph.add_edges_from((index, follows) for follows in _successors(program, index, kind, index_of))
    found: list[CodeLoop] = []
    todo = [(graph, 1)]
    while todo:
        part, depth = todo.pop()
        for members in nx.strongly_connected_components(part):
            head = min(members)
            if len(members) == 1 and not part.has_edge(head, head):
                continue
            head = min((each for each in members if _is_entered(graph, each, members)), default=head)
            inside = nx.DiGraph(part.subgraph(members))
            inside.remove_edges_from(list(inside.in_edges(head)))
            todo.append((inside, depth + 1))
            found.append(CodeLoop(head, min(members), max(members) + 1, depth, frozenset(members), Counter()))
    found.sort(key=lambda loop: (loop.first, -loop.stop, loop.depth))
    deepest: dict[int, int] = {}
    for loop in sorted(found, key=lambda each: each.depth):
        deepest.update(dict.fromkeys(loop.members, loop.depth))
    for loop in found:
        loop.own.update(kinds[index] for index in loop.members if deepest[index] == loop.depth)
    return tuple(found)


def _is_entered(graph: nx.DiGraph, index: int, members: set[int]) -> bool:
    return any(each not in members for each in graph.predecessors(index))


def _successors(program: Program, index: int, kind: Kind, index_of: dict[int, int]) -> Iterator[int]:
    """Where it may go on; a call goes on behind itself."""
    target = branch_target(program, index, index_of) if kind in BRANCH_KINDS else None
    if target is not None and 0 <= target < len(program):
        yield target
    ends = kind is Kind.ENDPGM or (kind is Kind.BRANCH and program.instructions[index].opcode not in _CALLS)
    if not ends and index + 1 < len(program):
        yield index + 1


def branch_target(program: Program, index: int, index_of: dict[int, int]) -> int | None:
    """Instruction that a branch goes to; -1 if none of the kernel; None where ``index`` is no branch.

    Args:
        program: the kernel.
        index: which instruction.
        index_of: instruction by address.
    """
    instruction = program.instructions[index]
    kind = lookup(instruction.opcode, program.arch, instruction.span).kind
    if kind not in BRANCH_KINDS or not instruction.operands:
        return None
    operand = instruction.operands[-1]
    if isinstance(operand, Symbol):
        return program.labels.get(operand.name, -1)
    if isinstance(operand, Immediate):
        offset = (int(operand.value) & 0xFFFF ^ 0x8000) - 0x8000
        return index_of.get(program.addresses[index] + program.sizes[index] + 4 * offset, -1)
    return None


def hottest(loops: tuple[CodeLoop, ...]) -> CodeLoop | None:
    """The loop with the most MFMAs of its own; of several the deepest, then that with the most accesses and
    instructions. Nothing was executed: how often each runs is not known."""
    return max(
        loops,
        key=lambda loop: (
            loop.mfmas,
            loop.depth,
            loop.lds_accesses + loop.memory_accesses,
            loop.instructions,
            -loop.first,
        ),
        default=None,
    )


def region_of(program: Program, loop: CodeLoop) -> str:
    """What ``--region`` takes for it: ``LABEL1:LABEL2``, with an address where no label stands."""
    return f"{_place(program, loop.first)}:{_place(program, loop.stop)}"


def _place(program: Program, index: int) -> str:
    label = program.label_at(index)
    if label is not None:
        return label
    return f"{shown_address(program, index):#x}" if index < len(program) else ""


def shown_address(program: Program, index: int) -> int:
    """Of an instruction: in a code object that of the file, as disassemblers show it; else from the kernel's
    start."""
    comment = program.instructions[index].comment
    in_file = comment.startswith("0x") and comment[2:].isalnum()
    return int(comment, 16) if in_file else program.addresses[index]
