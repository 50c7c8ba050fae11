"""Paths that cannot be are not followed: control flow with what is known on the way.

The usual case is a prefetch under a guard, and its use under the same guard later: the path that takes only
one of them does not exist. Each basic block is entered once for each different set of facts
(:mod:`wavesim.checks.conditions`) that can hold there (a *context*), as far as a later branch asks for them.
Contexts from which the same paths lead on are one. Beyond ``MOST_CONTEXTS`` of them a block keeps what all
of them say, so a path is left out only if it is known to be impossible, never for want of room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from wavesim.checks.cfg import ControlFlow, Edges, Paths, branch_target, with_edges
from wavesim.checks.conditions import (
    EXEC,
    NOTHING,
    SCC,
    VCC,
    Atom,
    Condition,
    Fact,
    Facts,
    assume,
    common,
    moved_constant,
    nonzero_after,
    scc_after,
    test_of,
    without,
)
from wavesim.isa.unknown import is_marked
from wavesim.program import Program
from wavesim.program.dataflow import Effects, RegisterName
from wavesim.trace import CodeEntry, Kind

MOST_CONTEXTS = 12
"""Different sets of facts with which a block is entered."""

MOST_TIMES = 12
"""How often the program's instructions are looked at; new contexts beyond that know nothing."""

_FLAGS = {"scc": SCC, "vcc": VCC, "exec": EXEC}
_INDIRECT = ("s_movreld_", "s_swappc_", "s_setpc_", "s_cbranch_g_fork", "s_cbranch_i_fork", "s_cbranch_join")


@dataclass(frozen=True, slots=True)
class _Context:
    """Facts at a block's entry, and what SCC and VCC say there (``None``: unknown)."""

    facts: frozenset[tuple[Atom, Fact]] = frozenset()
    scc: Condition | None = None
    vcc: Condition | None = None


@dataclass(slots=True)
class _Event:
    """What one instruction does to the facts."""

    written: frozenset[RegisterName]
    forgets: bool = False
    scc: Condition | None = None
    vcc: Condition | None = None
    moved: Condition | None = None


@dataclass(slots=True)
class _Block:
    """Instructions ``first`` to ``last``. ``flag`` is what the branch at its end asks for, ``set`` whether
    it is taken if the flag is set."""

    first: int
    last: int
    events: list[_Event] = field(default_factory=list)
    flag: str = ""
    set: bool = True
    taken: int = -1
    live: frozenset[Atom] = frozenset()
    asks: frozenset[str] = frozenset()


def possible_paths(
    program: Program, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...], flow: ControlFlow
) -> ControlFlow:
    """``flow`` without the edges that no path takes, and with its paths told apart by what is known."""
    if not code or not any(entry.kind is Kind.COND_BRANCH for entry in code):
        return flow
    blocks = _blocks(program, code, effects, flow)
    _find_live(blocks, flow)
    if not any(block.live for block in blocks.values()):
        return flow
    return _explore(blocks, flow, MOST_TIMES * len(code))


def _blocks(
    program: Program, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...], flow: ControlFlow
) -> dict[int, _Block]:
    """The reachable basic blocks by their first instruction."""
    firsts = {0}
    for index in flow.reachable:
        following = flow.successors[index]
        if following != (index + 1,):
            firsts.update(following)
    ordered = sorted(firsts)
    blocks = {}
    for number, first in enumerate(ordered):
        end = ordered[number + 1] if number + 1 < len(ordered) else len(code)
        last = first
        while last + 1 < end and flow.successors[last] == (last + 1,):
            last += 1
        block = _Block(first, last)
        for index in range(first, last + 1):
            event = _event(code[index], effects[index])
            if event is not None:
                block.events.append(event)
        opcode = code[last].instruction.opcode
        if code[last].kind is Kind.COND_BRANCH and "cdbg" not in opcode:
            target = branch_target(program, last)
            if target is not None and len(flow.successors[last]) == 2:
                block.taken = target
                block.flag, block.set = opcode[10:13], opcode.endswith(("1", "nz"))
                if block.flag == "exe":
                    block.flag = "exec"
        blocks[first] = block
    return blocks


def _event(entry: CodeEntry, effects: Effects) -> _Event | None:
    instruction = entry.instruction
    written = frozenset(name for name in effects.writes if name[0] not in ("v", "a"))
    forgets = instruction.opcode.startswith(_INDIRECT) or is_marked(instruction.opcode)
    vector = frozenset(name for name in effects.writes if name[0] in ("v", "a"))
    if not written and not forgets and not vector:
        return None
    event = _Event(written | vector, forgets)
    if SCC in written and entry.kind is Kind.SALU:
        event.scc = scc_after(instruction)
    if VCC in written:
        event.vcc = nonzero_after(instruction, effects)
    event.moved = moved_constant(instruction)
    return event


def _find_live(blocks: dict[int, _Block], flow: ControlFlow) -> None:
    """For each block the atoms and flags that a later branch asks for before they change."""
    asked = {
        condition.atom
        for block in blocks.values()
        for event in block.events
        for condition in (event.scc, event.vcc)
        if condition is not None
    }
    users: dict[RegisterName, set[Atom]] = {}
    flags = {name: test_of(name, register).atom for name, register in _FLAGS.items()}
    for atom in asked | set(flags.values()):
        for register in atom.inputs:
            users.setdefault(register, set()).add(atom)
    summaries = {first: _summary(block, users, flags) for first, block in blocks.items()}
    before: dict[int, list[int]] = {}
    for first, block in blocks.items():
        for target in flow.successors[block.last]:
            before.setdefault(target, []).append(first)
    todo = list(blocks)
    while todo:
        first = todo.pop()
        block = blocks[first]
        made, killed, uses, defines = summaries[first]
        targets = [blocks[target] for target in flow.successors[block.last] if target in blocks]
        live = made | (frozenset().union(*(each.live for each in targets)) - killed)
        asks = uses | (frozenset().union(*(each.asks for each in targets)) - defines)
        if asks - uses:  # a flag that was set here and is asked for later: any of its tests
            live |= asked - killed
        if live != block.live or asks != block.asks:
            block.live, block.asks = live, asks
            todo.extend(before.get(first, ()))


def _summary(
    block: _Block, users: dict[RegisterName, set[Atom]], flags: dict[str, Atom]
) -> tuple[frozenset[Atom], frozenset[Atom], frozenset[str], frozenset[str]]:
    """Atoms that are asked for before the block changes them, atoms that it changes, flags that it asks for
    as they come in, flags that it sets."""
    made: set[Atom] = set()
    killed: set[Atom] = set()
    defines: set[str] = set()
    pending: dict[str, Condition | None] = {}
    for event in block.events:
        for register in event.written:
            killed |= users.get(register, set())
        for name, register, condition in (("scc", SCC, event.scc), ("vcc", VCC, event.vcc)):
            if register in event.written:
                defines.add(name)
                pending[name] = condition
                if condition is not None and condition.atom not in killed:
                    made.add(condition.atom)
        if EXEC in event.written:
            defines.add("exec")
        if event.forgets:
            for atoms in users.values():
                killed |= atoms
    uses: set[str] = set()
    if block.flag and block.flag not in defines:
        uses.add(block.flag)
        made.add(flags[block.flag])
    return frozenset(made), frozenset(killed), frozenset(uses), frozenset(defines)


def _leave(block: _Block, context: _Context) -> list[tuple[int | None, _Context]]:
    """The contexts behind a block: (the target, or ``None`` for every one, what is known then)."""
    facts: Facts = dict(context.facts)
    scc, vcc = context.scc, context.vcc
    for event in block.events:
        if event.forgets:
            facts, scc, vcc = NOTHING, None, None
        written = event.written
        facts = without(facts, written)
        if scc is not None and not scc.atom.inputs.isdisjoint(written):
            scc = None
        if vcc is not None and not vcc.atom.inputs.isdisjoint(written):
            vcc = None
        if SCC in written:
            scc = event.scc
        if VCC in written:
            vcc = event.vcc
        if event.moved is not None:
            facts = assume(facts, event.moved, True) or facts
    if not block.flag:
        return [(None, _Context(frozenset(facts.items()), scc, vcc))]
    flag = test_of(block.flag, _FLAGS[block.flag])
    asked = [
        flag,
        *(each for each in (scc if block.flag == "scc" else vcc if block.flag == "vcc" else None,) if each),
    ]
    found: list[tuple[int | None, _Context]] = []
    for taken in (True, False):
        known: Facts | None = facts
        for condition in asked:
            # the flags of VCC and EXEC that branches test are "is zero"; here the flag is "is not zero"
            known = assume(known, condition, taken == block.set) if known is not None else None
        if known is not None:
            target = block.taken if taken else block.last + 1
            found.append((target, _Context(frozenset(known.items()), scc, vcc)))
    return found or [(None, _Context())]


def _trimmed(context: _Context, block: _Block) -> _Context:
    """What of a context a block or what follows it asks for."""
    return _Context(
        frozenset(item for item in context.facts if item[0] in block.live),
        context.scc if "scc" in block.asks else None,
        context.vcc if "vcc" in block.asks else None,
    )


def _joined(first: _Context, second: _Context) -> _Context:
    """What both say."""
    return _Context(
        frozenset(common(dict(first.facts), dict(second.facts)).items()),
        first.scc if first.scc == second.scc else None,
        first.vcc if first.vcc == second.vcc else None,
    )


def _explore(blocks: dict[int, _Block], flow: ControlFlow, most_instructions: int) -> ControlFlow:
    """Every block in every context in which it can be entered, as paths."""
    start = (0, _Context())
    known: dict[int, dict[_Context, None]] = {0: {_Context(): None}}
    merged: dict[int, _Context] = {}
    edges: dict[tuple[int, _Context], list[tuple[int, _Context]]] = {}
    size = 0
    todo = [start]
    while todo:
        first, context = todo.pop()
        if (first, context) in edges:
            continue
        block = blocks[first]
        size += block.last - block.first + 1
        targets: list[tuple[int, _Context]] = []
        for target, left in _leave(block, context):
            for place in flow.successors[block.last] if target is None else (target,):
                entered = _trimmed(left, blocks[place]) if size < most_instructions else _Context()
                contexts = known.setdefault(place, {})
                if entered not in contexts and len(contexts) >= MOST_CONTEXTS:
                    base = merged.get(place)
                    for each in contexts if base is None else (base,):
                        entered = _joined(entered, each)
                    merged[place] = entered
                contexts[entered] = None
                targets.append((place, entered))
        edges[first, context] = list(dict.fromkeys(targets))
        todo.extend(edges[first, context])
    return _as_flow(blocks, flow, *_told_apart(edges, start))


def _told_apart(
    edges: dict[tuple[int, _Context], list[tuple[int, _Context]]], start: tuple[int, _Context]
) -> tuple[dict[tuple[int, int], list[tuple[int, int]]], tuple[int, int]]:
    """The same with contexts numbered, and those as one from which the same paths lead on."""
    number = dict.fromkeys(edges, 0)
    classes = len({first for first, _ in edges})
    while True:
        signatures: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
        found = {}
        for entered, targets in edges.items():
            ahead = tuple(sorted({(target[0], number[target]) for target in targets}))
            found[entered] = signatures.setdefault((entered[0], ahead), len(signatures))
        if len(signatures) == classes:
            break
        number, classes = found, len(signatures)
    merged = {
        (entered[0], number[entered]): list(dict.fromkeys((each[0], number[each]) for each in targets))
        for entered, targets in edges.items()
    }
    return merged, (start[0], number[start])


def _as_flow(
    blocks: dict[int, _Block],
    flow: ControlFlow,
    edges: dict[tuple[int, int], list[tuple[int, int]]],
    start: tuple[int, int],
) -> ControlFlow:
    begin: dict[tuple[int, int], int] = {}
    at: list[int] = []
    for entered in (start, *(each for each in edges if each != start)):
        block = blocks[entered[0]]
        begin[entered] = len(at)
        at.extend(range(block.first, block.last + 1))
    successors: list[tuple[int, ...]] = [(node + 1,) for node in range(len(at))]
    predecessors: list[list[int]] = [[] for _ in at]
    taken: dict[int, set[int]] = {}
    for entered, targets in edges.items():
        block = blocks[entered[0]]
        last = begin[entered] + block.last - block.first
        successors[last] = tuple(begin[each] for each in targets)
        taken.setdefault(block.last, set()).update(each[0] for each in targets)
    for node, following in enumerate(successors):
        for target in following:
            predecessors[target].append(node)
    paths = Paths(tuple(at), tuple(successors), tuple(tuple(sorted(each)) for each in predecessors))
    return with_edges(_pruned(flow.successors, taken), paths)


def _pruned(successors: Edges, taken: dict[int, set[int]]) -> Edges:
    """The edges of which some path takes each."""
    kept: Iterable[tuple[int, ...]] = (
        tuple(target for target in targets if target in taken[index]) if index in taken else targets
        for index, targets in enumerate(successors)
    )
    return tuple(kept)
