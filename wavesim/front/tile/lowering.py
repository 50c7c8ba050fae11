"""Lowers the statements of a tile program that move data and compute, one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from wavesim.errors import UserError
from wavesim.front.tile.affine import Value, ValueProblem, add, bounds, combine, divide, modulo, multiply
from wavesim.front.tile.declarations import (
    CHUNK_BYTES,
    Accumulator,
    Declarations,
    Fragment,
    LdsBuffer,
    Load,
    Reader,
    look_up,
)
from wavesim.front.tile.element_types import ELEMENT_BITS, bytes_of
from wavesim.front.tile.emitter import Emitter, part
from wavesim.front.tile.materialize import Materializer
from wavesim.front.tile.node import Node
from wavesim.front.tile.operand_checks import check_order, check_read
from wavesim.front.tile.shapes import MfmaShape
from wavesim.front.tile.tile_bounds import rows_outside
from wavesim.isa.archs import ARCHITECTURES
from wavesim.isa.kinds import LANES
from wavesim.program import Finding, Immediate, Register, Severity

WIDTHS = {"b32": 4, "b64": 8, "b128": 16, "b96": 12}
MAX_LDS_OFFSET = 65535
MAX_GLOBAL_OFFSET = 4095
"""Largest immediate offsets of DS and GLOBAL instructions (the latter also down to -4096)."""

MAX_PREPARED = 8
"""Addresses computed ahead of a statement's accesses: half of the materializer's temporary VGPRs."""

_REFERENCE = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\[(.*)\])?\s*", re.DOTALL)


@dataclass
class Lowering:
    """The state of lowering: what is declared, what names mean now, and the code so far.

    ``binding`` says which registers a fragment name stands for at this place (``swap`` changes it);
    ``aliases`` are names given by ``use``; ``active`` are the waves that can come here; ``unrolled`` says of
    a loop's label how many copies of the body a pass has.
    """

    arch: str
    declared: Declarations
    reader: Reader
    emitter: Emitter
    values: Materializer
    shape: MfmaShape
    macros: Mapping[str, Node]
    binding: dict[tuple[str, int], Fragment] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    macro_depth: int = 0
    active: frozenset[int] = frozenset()
    copies: int = 0
    unrolled: dict[str, int] = field(default_factory=dict)

    # --- names

    def reference(self, node: Node) -> tuple[str, int]:
        """Name and index of ``a`` or ``a[t % 2]``, aliases resolved."""
        text = node.text()
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise node.error(f"{text!r} is not a name or name[index]")
        name, index = match.groups()
        if name in self.aliases:
            name, index = self.aliases[name], index if "[" not in self.aliases[name] else None
            if "[" in name:
                name, _, inner = name.partition("[")
                index = inner.rstrip("]")
        if index is None:
            return name, 0
        found = self.expression(index, node)
        if not found.is_constant:
            raise node.error(
                f"{text}: the index changes at run time", "registers have no index: unroll the loop"
            )
        return name, found.constant

    def expression(self, text: str, node: Node) -> Value:
        """The value of ``text``, with errors at ``node``."""
        return self.reader.value(Node(text, node.marks, node.path))

    def value(self, node: Node, key: str, default: int | None = 0) -> Value:
        """The value of the expression under ``key``."""
        child = node.get(key) if default is not None else node.need(key)
        return Value(default or 0) if child is None else self.reader.value(child)

    def fragment(self, node: Node) -> Fragment | None:
        """The fragment that ``node`` names; ``None`` with a finding if its index is out of range."""
        name, index = self.reference(node)
        if name not in self.declared.fragments:
            raise UserError(
                f"no fragment {name!r}",
                node.span,
                f"declared: {', '.join(self.declared.fragments) or 'none'}",
            )
        found = self.binding.get((name, index))
        if found is None:
            self.out_of_range(node, name, index, len(self.declared.fragments[name]))
        return found

    def accumulator(self, node: Node) -> Accumulator | None:
        """The accumulator that ``node`` names; ``None`` with a finding if its index is out of range."""
        name, index = self.reference(node)
        table = self.declared.accumulators
        if name not in table:
            raise UserError(f"no accumulator {name!r}", node.span, f"declared: {', '.join(table) or 'none'}")
        if 0 <= index < len(table[name]):
            return table[name][index]
        self.out_of_range(node, name, index, len(table[name]))
        return None

    def out_of_range(self, node: Node, name: str, index: int, count: int) -> None:
        """A finding for an index that does not exist; the statement has no code then."""
        self.findings.append(
            Finding(
                "register-index",
                Severity.ERROR,
                f"{name}[{index}] does not exist: {name} has {count} (0 to {count - 1}); nothing is done",
                (node.span,),
                fix=f"declare count: {index + 1}, or use an index below {count}",
            )
        )

    def scalar(self, value: Value, node: Node) -> Register | Immediate:
        """``value`` in an SGPR, with errors at ``node``."""
        try:
            return self.values.scalar(value)
        except ValueProblem as problem:
            raise node.error(f"{node.name}: {problem}") from None

    def vector(self, value: Value, node: Node) -> Register:
        """``value`` in a VGPR, with errors at ``node``."""
        try:
            return self.values.vector(value)
        except ValueProblem as problem:
            raise node.error(f"{node.name}: {problem}") from None

    # --- global memory to LDS

    def _pieces(self, node: Node, load: Load) -> range:
        only = node.get("piece")
        if only is None:
            return range(load.pieces)
        found = self.reader.number(only, 0, load.pieces - 1)
        return range(found, found + 1)

    def global_load(self, node: Node) -> None:
        """Issues the loads of a tile into the staging registers; nothing waits for them."""
        load = look_up(node.child("global_load"), self.declared.loads, "load")
        matrix = load.matrix
        row_bytes = matrix.row_bytes
        column = self.column_bytes(node, matrix.dtype)
        offset = add(multiply(load.row, Value(row_bytes)), column)
        immediate = offset.constant if 0 <= offset.constant <= MAX_GLOBAL_OFFSET else 0
        base = self.address(node, load.matrix.pointer, add(offset, Value(-immediate)))
        for piece in self._pieces(node, load):
            row, first = load.place(piece)
            place = add(multiply(row, Value(row_bytes)), first)
            self.emitter.put(
                "global_load_dwordx4",
                part(load.registers, 4 * piece, 4),
                self.vector(place, node),
                base,
                offset=immediate,
            )

    def column_bytes(self, node: Node, dtype: str) -> Value:
        """Bytes before the column that ``col`` names."""
        try:
            return bytes_of(self.value(node, "col"), dtype)
        except ValueProblem as problem:
            raise node.error(f"col: {problem}") from None

    def address(self, node: Node, pointer: Register, offset: Value) -> Register:
        """An SGPR pair that holds ``pointer`` + ``offset``."""
        try:
            return self.values.address(pointer, offset)
        except ValueProblem as problem:
            raise node.error(f"row and col of global memory: {problem}") from None

    def lds_write(self, node: Node) -> None:
        """Writes the staging registers of a load to its LDS buffer."""
        load = look_up(node.child("lds_write"), self.declared.loads, "load")
        buffer = load.buffer
        wide = buffer.row_bytes % CHUNK_BYTES == 0 and buffer.swizzle_bytes in (0, CHUNK_BYTES)
        width = CHUNK_BYTES if wide else 8
        stage = self.value(node, "stage")
        places = []
        for piece in self._pieces(node, load):
            row, first = load.place(piece)
            for half in range(CHUNK_BYTES // width):
                place = self.lds_place(buffer, stage, row, add(first, Value(half * width)))
                data = part(load.registers, 4 * piece + half * width // 4, width // 4)
                places.append((place, data))
        self.prepare([place for place, _ in places], node)
        for place, data in places:
            address, offset = self.lds_address(place, node)
            self.emitter.put(f"ds_write_b{width * 8}", address, data, offset=offset)

    # --- LDS

    def lds_place(self, buffer: LdsBuffer, stage: Value, row: Value, byte: Value) -> Value:
        """LDS byte address of byte ``byte`` of row ``row``, swizzle included."""
        if buffer.swizzle_bytes:
            over = modulo(divide(row, Value(1 << buffer.swizzle_shift)), Value(buffer.swizzle_rows))
            byte = combine("xor", byte, multiply(over, Value(buffer.swizzle_bytes)))
        place = add(multiply(row, Value(buffer.row_bytes)), byte)
        return add(add(place, multiply(stage, Value(buffer.stage_bytes))), Value(buffer.base))

    def lds_address(self, place: Value, node: Node) -> tuple[Register, int]:
        """Address VGPR and immediate offset of an LDS address; equal run-time parts share a VGPR.

        The VGPR is never negative where the address is not: offsets are added to unsigned addresses.
        """
        steady = place.constant >= 0 and bounds(place.without_constant())[0] >= 0
        offset = place.constant % (MAX_LDS_OFFSET + 1) if steady else 0
        try:
            return self.vector(add(place, Value(-offset)), node), offset
        except ValueProblem as problem:
            raise node.error(str(problem)) from None

    def prepare(self, places: list[Value], node: Node) -> None:
        """Computes addresses ahead of the accesses: an LDS instruction waits after a VALU instruction."""
        different = dict.fromkeys(place.without_constant() for place in places)
        if len(different) <= MAX_PREPARED:
            for place in places:
                self.lds_address(place, node)

    def lds_read(self, node: Node) -> None:
        """Reads a fragment from LDS: per row block and slab of k one instruction."""
        fragment = self.fragment(node.child("lds_read"))
        buffer = look_up(node.need("from"), self.declared.buffers, "LDS buffer")
        width = WIDTHS[node.need("width").text(tuple(WIDTHS))]
        row, stage = self.value(node, "row"), self.value(node, "stage")
        if fragment is None:
            return
        outside = rows_outside(row, fragment.rows, buffer.rows, self.active, buffer.name, self.emitter.span)
        if outside is not None:
            self.findings.append(outside)
        lanes = self.shape.m
        groups = LANES // lanes
        row_bytes = fragment.cols * ELEMENT_BITS[fragment.dtype] // 8
        slab_bytes = groups * width
        check_read(node, fragment, buffer, width, slab_bytes)
        column_bytes = self.column_bytes(node, buffer.dtype)
        lane = self.reader.names["lane"]
        group = multiply(divide(lane, Value(lanes)), Value(width))
        register, places = 0, []
        for block in range(fragment.rows // lanes):
            rows = add(add(row, Value(block * lanes)), modulo(lane, Value(lanes)))
            for slab in range(row_bytes // slab_bytes):
                byte = add(add(column_bytes, group), Value(slab * slab_bytes))
                target = part(fragment.registers, register, width // 4)
                places.append((self.lds_place(buffer, stage, rows, byte), target))
                register += width // 4
        self.prepare([place for place, _ in places], node)
        for place, target in places:
            address, offset = self.lds_address(place, node)
            self.emitter.put(f"ds_read_b{width * 8}", target, address, offset=offset)
        fragment.width_bytes = width

    # --- registers

    def mfma(self, node: Node) -> None:
        """c += a x b^T over all tiles: k outermost, then the rows of a, then those of b."""
        target = self.accumulator(node.child("mfma"))
        a, b = self.fragment(node.need("a")), self.fragment(node.need("b"))
        if target is None or a is None or b is None:
            return
        if a.cols != b.cols or a.rows != target.rows or b.rows != target.cols:
            raise node.error(
                f"{target.name} is {target.rows}x{target.cols}; "
                f"{a.name} is {a.rows}x{a.cols} {a.dtype}, {b.name} {b.rows}x{b.cols} {b.dtype}",
                "c: rows of a x rows of b; a and b with equal columns",
            )
        made = self.shape.operation(a.dtype, b.dtype, a.cols, self.arch, node.span)
        check_order(node, made, a, b)
        operands = [made.registers(each.dtype) for each in (a, b)]
        blocks = [each.registers.count * made.m // each.rows for each in (a, b)]
        tile = made.m * made.m // LANES
        columns = b.rows // made.m
        for step in range(a.cols // made.k):
            for i in range(a.rows // made.m):
                for j in range(columns):
                    c = part(target.registers, (i * columns + j) * tile, tile)
                    self.emitter.put(
                        made.opcode,
                        c,
                        part(a.registers, i * blocks[0] + step * operands[0], operands[0]),
                        part(b.registers, j * blocks[1] + step * operands[1], operands[1]),
                        c,
                        cbsz=made.cbsz,
                        blgp=made.blgp,
                    )

    def zero(self, node: Node) -> None:
        """Sets an accumulator to zero."""
        target = self.accumulator(node.child("zero"))
        if target is None:
            return
        opcode = "v_accvgpr_write_b32" if target.registers.file == "a" else "v_mov_b32"
        for index in range(target.registers.count):
            self.emitter.put(opcode, part(target.registers, index), 0)

    def copy(self, node: Node) -> None:
        """Copies a fragment's registers, two at a time where there is v_mov_b64."""
        source, target = self.fragment(node.child("copy")), self.fragment(node.need("to"))
        if source is None or target is None:
            return
        if source.registers.count != target.registers.count:
            raise node.error(f"{source.name} and {target.name} differ in size")
        step = 2 if ARCHITECTURES[self.arch].moves_pairs and source.registers.count % 2 == 0 else 1
        for index in range(0, source.registers.count, step):
            self.emitter.put(
                f"v_mov_b{32 * step}",
                part(target.registers, index, step),
                part(source.registers, index, step),
            )
        target.width_bytes = source.width_bytes

    def swap(self, node: Node) -> None:
        """Lets two fragment names trade their registers from here on; no code."""
        names = node.child("swap").items("swap")
        if len(names) != 2:
            raise node.error("swap takes two fragments", "swap: [a, a_next]")
        keys = [self.reference(each) for each in names]
        fragments = [self.fragment(each) for each in names]
        if fragments[0] is None or fragments[1] is None:
            return
        if fragments[0].registers.count != fragments[1].registers.count:
            raise node.error(f"{fragments[0].name} and {fragments[1].name} differ in size")
        self.binding[keys[0]], self.binding[keys[1]] = fragments[1], fragments[0]

    # --- results

    def store(self, node: Node) -> None:
        """Stores an accumulator to global memory, one dword per lane and instruction."""
        source = self.accumulator(node.child("store"))
        matrix = look_up(node.need("to"), self.declared.matrices, "matrix")
        row, column = self.value(node, "row", None), self.value(node, "col", None)
        if source is None:
            return
        if matrix.dtype not in ("f32", "i32"):
            raise node.error(f"{matrix.name} is {matrix.dtype}; results are f32", "type: f32")
        m = self.shape.m
        lane = self.reader.names["lane"]
        row_bytes = matrix.cols * 4
        lane_row = multiply(divide(lane, Value(m)), Value(4 * row_bytes))
        place = self.vector(add(lane_row, multiply(modulo(lane, Value(m)), Value(4))), node)
        origin = add(multiply(row, Value(row_bytes)), multiply(column, Value(4)))
        start = self.address(node, matrix.pointer, origin)
        tile = m * m // LANES
        rows, columns = source.rows // m, source.cols // m
        for i in range(rows):
            for element in range(tile):
                # four consecutive rows per group of lanes, then the next set of groups
                inner = element % 4 + element // 4 * 4 * (LANES // m)
                down = (i * m + inner) * row_bytes
                base = self.values.plus(start, Value(down), (start, down)) if down else start
                for j in range(columns):
                    data = part(source.registers, (i * columns + j) * tile + element)
                    self.emitter.put("global_store_dword", place, data, base, offset=j * m * 4)
