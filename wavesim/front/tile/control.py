"""Lowers the statements that order others: loops, branches, macros, interleaving, waits, flags, raw lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from wavesim.asm.text.parse import parse_instruction
from wavesim.errors import LimitExceeded
from wavesim.front.tile.affine import Value, ValueProblem, add, multiply, variable
from wavesim.front.tile.declarations import LdsBuffer, look_up
from wavesim.front.tile.emitter import Item, Label, Raw, part
from wavesim.front.tile.expressions import Comparison, evaluate_condition
from wavesim.front.tile.lowering import Lowering
from wavesim.front.tile.node import Node
from wavesim.front.tile.tile_bounds import waves_where
from wavesim.limits import MAX_UNROLL
from wavesim.program import Register, Symbol, Waitcnt

MAX_MACRO_DEPTH = 16
_INVERSE = {"eq": "lg", "lg": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*(?:\[[^\]]*\])?)(?::(\d+)(?::(\d+))?)?\}")


class Statements(Lowering):
    """Lowers lists of statements."""

    def statements(self, nodes: list[Node]) -> None:
        """Lowers statements in order."""
        for node in nodes:
            self.statement(node)

    def statement(self, node: Node) -> None:
        """Lowers one statement: a word (``barrier``), or a mapping with one statement key."""
        if isinstance(node.data, str):
            name = node.data
            if name not in ("barrier",):
                hint = f"{name}: ..." if name in OPERATIONS else f"statements: {', '.join(OPERATIONS)}"
                raise node.error(f"statement {name!r}", hint)
        else:
            node.mapping("a statement")
            names = [key for key in node.data if key in OPERATIONS]
            if len(names) != 1:
                found = " and ".join(map(str, names)) or ", ".join(map(str, node.data)) or "nothing"
                raise node.error(
                    f"a statement has one of the statement keys; this has {found}",
                    f"statements: {', '.join(OPERATIONS)}",
                )
            name = str(names[0])
        lower, options = OPERATIONS[name]
        if isinstance(node.data, dict):
            node.keys((name, *options), f"statement {name}")
            self.emitter.span = node.marks.key_span((*node.path, name))
        else:
            self.emitter.span = node.span
        lower(self, node)

    def body(self, node: Node, key: str) -> list[Node]:
        """The statements under ``key``."""
        return node.need(key).items(key)

    # --- loops

    def loop(self, node: Node) -> None:
        """A run-time loop over a variable; ``unroll`` copies of the body per turn, the rest after it."""
        name = node.child("loop").text()
        self.check_new(name, node)
        reader = self.reader
        first = reader.number(node.need("from"), -(1 << 31), 1 << 31)
        end = reader.number(node.need("to"), -(1 << 31), 1 << 31)
        step = reader.optional(node, "step", 1, 1, 1 << 20)
        unroll = reader.optional(node, "unroll", 1, 1, 1 << 30)
        self.check_copies(unroll, node.get("unroll") or node)
        body = self.body(node, "body")
        count = max(0, -(-(end - first) // step))
        turns, rest = divmod(count, unroll)
        if turns:
            self._turns(node, body, name, first, step, unroll, turns)
        for copy in range(count - rest, count):
            self._pass(body, name, Value(first + step * copy))
        self.forget(name)

    def _turns(
        self, node: Node, body: list[Node], name: str, first: int, step: int, unroll: int, turns: int
    ) -> None:
        emitter, values = self.emitter, self.values
        span = emitter.span
        label = emitter.new_label(name)
        turn_name = f"{name} {label}"
        counter = values.sources[turn_name] = values.new("s")
        turn = variable(turn_name, 0, turns - 1)
        emitter.put("s_mov_b32", counter, 0, comment=f"{name} = {first}")
        emitter.body.append(Label(label))
        if unroll > 1:
            self.unrolled[label] = unroll
        values.boundary()
        bound = dict(self.binding)
        for copy in range(unroll):
            start = add(multiply(turn, Value(step * unroll)), Value(first + step * copy))
            self._pass(body, name, start)
        emitter.span = span
        if self.binding != bound:
            raise node.error(
                f"loop {name}: after one turn, swapped fragments are not back in place",
                "unroll by a multiple of the swaps' period (two swapped fragments: unroll: 2)",
            )
        emitter.put("s_add_u32", counter, counter, 1)
        emitter.put("s_cmp_lt_u32", counter, turns)
        emitter.put("s_cbranch_scc1", Symbol(label))
        values.boundary()

    def _pass(self, body: list[Node], name: str, value: Value) -> None:
        self.reader.names[name] = value
        self.statements(body)

    def for_(self, node: Node) -> None:
        """Copies of the body, one per value of a variable that is known while lowering."""
        name = node.child("for").text()
        self.check_new(name, node)
        first = self.reader.number(node.need("from"), -(1 << 31), 1 << 31)
        end = self.reader.number(node.need("to"), -(1 << 31), 1 << 31)
        self.check_copies(end - first, node.need("to"))
        body = self.body(node, "body")
        for value in range(first, end):
            self._pass(body, name, Value(value))
        self.forget(name)

    def check_new(self, name: str, node: Node) -> None:
        """Refuses a variable that hides another name."""
        if not name.isidentifier():
            raise node.error(f"{name!r} cannot be a name", "letters, digits and _, no digit first")
        if name in self.reader.names:
            raise node.error(f"{name} is taken already", "choose another name")

    def forget(self, name: str) -> None:
        """Ends the life of a variable."""
        self.reader.names.pop(name, None)

    def check_copies(self, count: int, node: Node) -> None:
        """Refuses more copies of a body than the limit, nesting included."""
        self.copies += max(count, 0)
        if count > MAX_UNROLL or self.copies > 16 * MAX_UNROLL:
            raise LimitExceeded(
                f"{count} copies of a body; at most {MAX_UNROLL}", node.span, "use loop: without unroll:"
            )

    # --- branches, macros

    def if_(self, node: Node) -> None:
        """``then`` or ``else``; decided now if it can be, else by a branch on SCC."""
        condition = node.child("if")
        try:
            found = evaluate_condition(_text(condition), self.reader.names)
        except ValueProblem as problem:
            raise condition.error(f"if: {problem}") from None
        then = self.body(node, "then")
        otherwise = node.get("else")
        other = otherwise.items("else") if otherwise is not None else []
        if not isinstance(found, Comparison):
            self.statements(then if found else other)
            return
        self._branch(node, condition, found, then, other)

    def _branch(
        self, node: Node, condition: Node, found: Comparison, then: list[Node], other: list[Node]
    ) -> None:
        emitter, values = self.emitter, self.values
        end, no = emitter.new_label("end"), emitter.new_label("else")
        left, right = self.scalar(found.left, condition), self.scalar(found.right, condition)
        signed = "u32" if found.relation in ("eq", "lg") else "i32"
        emitter.put(f"s_cmp_{found.relation}_{signed}", left, right)
        emitter.put("s_cbranch_scc0", Symbol(no if other else end))
        span = emitter.span
        before = dict(self.binding)
        values.boundary()
        everyone = self.active
        self.active = waves_where(found, everyone)
        self.statements(then)
        after = dict(self.binding)
        if other:
            emitter.span = span
            emitter.put("s_branch", Symbol(end))
            emitter.body.append(Label(no))
            values.boundary()
            self.binding = before
            self.active = waves_where(Comparison(_INVERSE[found.relation], found.left, found.right), everyone)
            self.statements(other)
        elif after != before:
            raise node.error("if: swap in one branch only", "swap outside, or in both branches")
        if self.binding != after:
            raise node.error("if: the branches swap differently", "swap alike in both branches")
        self.active = everyone
        emitter.body.append(Label(end))
        values.boundary()

    def use(self, node: Node) -> None:
        """The statements of a macro; ``with`` gives names to values, fragments, loads and buffers."""
        name = node.child("use").text()
        macro = self.macros.get(name)
        if macro is None:
            raise node.error(f"no macro {name!r}", f"macros: {', '.join(self.macros) or 'none'}")
        if self.macro_depth >= MAX_MACRO_DEPTH:
            raise node.error(f"macro {name} is used inside itself, or more than {MAX_MACRO_DEPTH} deep")
        names, aliases = dict(self.reader.names), dict(self.aliases)
        given = node.get("with")
        if given is not None:
            for key, each in list(given.mapping("with")):
                if self.is_register_name(each):
                    base, index = self.reference(each)
                    self.aliases[key] = f"{base}[{index}]"
                else:
                    self.aliases.pop(key, None)
                    names[key] = self.reader.value(each)
        outer, self.reader.names = self.reader.names, names
        self.macro_depth += 1
        self.statements(macro.items(f"macro {name}"))
        self.macro_depth -= 1
        self.reader.names, self.aliases = outer, aliases

    def is_register_name(self, node: Node) -> bool:
        """Whether a macro argument names a fragment or an accumulator."""
        if not isinstance(node.data, str):
            return False
        name = node.data.partition("[")[0].strip()
        return name in self.aliases or name in self.declared.fragments or name in self.declared.accumulators

    def interleave(self, node: Node) -> None:
        """Merges streams in turn: ``take`` instructions of each, until all are used up."""
        streams = node.child("interleave").items("interleave")
        emitter, values = self.emitter, self.values
        if values.ahead is not None:
            raise node.error("interleave: inside interleave:", "put all streams into one")
        outer, opened = emitter.body, dict(values.opened)
        pieces: list[tuple[int, list[Item]]] = []
        values.ahead = outer  # addresses come before the merged streams
        for stream in streams:
            stream.keys(("take", "body"), "a stream of interleave")
            take = self.reader.number(stream.need("take"), 1, 4096)
            emitter.body = []
            self.statements(self.body(stream, "body"))
            if any(isinstance(item, Label) for item in emitter.body):
                raise stream.error("a stream of interleave cannot branch", "put loop: and if: around it")
            pieces.append((take, emitter.body))
        values.ahead = None
        emitter.body = outer
        if values.exhausted(opened):
            raise node.error(
                "the streams compute too many run-time values", "fewer statements, or unroll the loop"
            )
        outer.extend(merged(pieces))

    # --- waits and order

    def wait(self, node: Node) -> None:
        """``s_waitcnt``."""
        counts = node.child("wait")
        counts.keys(("vmcnt", "lgkmcnt"), "wait")
        if not counts.data:
            raise counts.error("wait: names no counter", "wait: {lgkmcnt: 0}, or vmcnt, or both")
        vmcnt, lgkmcnt = counts.get("vmcnt"), counts.get("lgkmcnt")
        self.emitter.put(
            "s_waitcnt",
            Waitcnt(
                vmcnt=None if vmcnt is None else self.reader.number(vmcnt, 0, 63),
                lgkmcnt=None if lgkmcnt is None else self.reader.number(lgkmcnt, 0, 15),
            ),
        )

    def barrier(self, node: Node) -> None:
        """``s_barrier``."""
        self.emitter.put("s_barrier")

    def priority(self, node: Node) -> None:
        """``s_setprio``."""
        self.emitter.put("s_setprio", self.reader.number(node.child("priority"), 0, 3))

    def nop(self, node: Node) -> None:
        """``s_nop``: that many wait states and one more."""
        self.emitter.put("s_nop", self.reader.number(node.child("nop"), 0, 15))

    # --- flags in LDS

    def flag(self, node: Node, key: str) -> tuple[Register, int]:
        """Address of element ``index`` of an i32 LDS buffer."""
        buffer: LdsBuffer = look_up(node.child(key), self.declared.buffers, "LDS buffer")
        if buffer.dtype != "i32":
            raise node.error(f"{buffer.name} is {buffer.dtype}; flags are i32", "type: i32")
        index = multiply(self.value(node, "index"), Value(4))
        return self.lds_address(self.lds_place(buffer, Value(0), Value(0), index), node)

    def flag_set(self, node: Node) -> None:
        """Writes a flag (every lane of the wave writes the same dword)."""
        address, offset = self.flag(node, "flag_set")
        data = self.vector(self.value(node, "value", None), node)
        self.emitter.put("ds_write_b32", address, data, offset=offset)

    def spin(self, node: Node) -> None:
        """Reads a flag until it has a value."""
        emitter, values = self.emitter, self.values
        address, offset = self.flag(node, "spin")
        wanted = self.scalar(self.value(node, "until", None), node)
        seen, flag = values.new("v"), values.new("s")
        label = emitter.new_label("spin")
        emitter.body.append(Label(label))
        values.boundary()
        emitter.put("ds_read_b32", seen, address, offset=offset)
        emitter.put("s_waitcnt", Waitcnt(lgkmcnt=0))
        emitter.put("v_readfirstlane_b32", flag, seen)
        emitter.put("s_cmp_lg_u32", flag, wanted)
        emitter.put("s_cbranch_scc1", Symbol(label))

    # --- raw assembly

    def raw(self, node: Node) -> None:
        """Assembly lines as they are; ``{a}`` stands for a fragment's registers, ``{a:2:4}`` for some."""
        for line in node.child("raw").items("raw"):
            text = _PLACEHOLDER.sub(partial(self._registers, line), line.text())
            if "\n" in text:
                raise line.error("one instruction per line of raw", "- s_nop 0")
            self.emitter.body.append(Raw(parse_instruction(text, self.arch, line.span)))
        self.values.boundary()

    def _registers(self, node: Node, match: re.Match[str]) -> str:
        named = Node(match[1], node.marks, node.path)
        base = self.reference(named)[0]
        if base in self.declared.loads:
            registers = self.declared.loads[base].registers
        else:
            table = self.declared.fragments
            holder = self.fragment(named) if base in table else self.accumulator(named)
            if holder is None:
                raise node.error(f"{match[1]} does not exist")
            registers = holder.registers
        first = int(match[2] or 0)
        count = int(match[3] or (1 if match[2] else registers.count))
        if first + count > registers.count:
            raise node.error(f"{match[0]}: {match[1]} has {registers.count} registers")
        return str(part(registers, first, count))


def _text(node: Node) -> str:
    return str(node.data) if isinstance(node.data, bool) else node.expression()


def merged(pieces: list[tuple[int, list[Item]]]) -> list[Item]:
    """The streams merged in turn, ``take`` items of each."""
    result: list[Item] = []
    places = [0] * len(pieces)
    while any(place < len(items) for place, (_, items) in zip(places, pieces, strict=True)):
        for index, (take, items) in enumerate(pieces):
            result.extend(items[places[index] : places[index] + take])
            places[index] += take
    return result


Operation = Callable[[Statements, Node], None]

OPERATIONS: Mapping[str, tuple[Operation, tuple[str, ...]]] = {
    "global_load": (Statements.global_load, ("col", "piece")),
    "lds_write": (Statements.lds_write, ("stage", "piece")),
    "lds_read": (Statements.lds_read, ("from", "row", "col", "stage", "width")),
    "mfma": (Statements.mfma, ("a", "b")),
    "zero": (Statements.zero, ()),
    "copy": (Statements.copy, ("to",)),
    "swap": (Statements.swap, ()),
    "store": (Statements.store, ("to", "row", "col")),
    "wait": (Statements.wait, ()),
    "barrier": (Statements.barrier, ()),
    "priority": (Statements.priority, ()),
    "nop": (Statements.nop, ()),
    "loop": (Statements.loop, ("from", "to", "step", "unroll", "body")),
    "for": (Statements.for_, ("from", "to", "body")),
    "if": (Statements.if_, ("then", "else")),
    "use": (Statements.use, ("with",)),
    "interleave": (Statements.interleave, ()),
    "flag_set": (Statements.flag_set, ("index", "value")),
    "spin": (Statements.spin, ("index", "until")),
    "raw": (Statements.raw, ()),
}
"""Every statement: its key, and the options beside it."""
