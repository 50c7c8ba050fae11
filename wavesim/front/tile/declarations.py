"""What a kernel file declares: matrices, LDS buffers, collective loads, fragments and accumulators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from wavesim.errors import UserError
from wavesim.front.tile.affine import Value, ValueProblem, add, divide, modulo, multiply
from wavesim.front.tile.element_types import ELEMENT_BITS, FRAGMENT_TYPES
from wavesim.front.tile.expressions import evaluate
from wavesim.front.tile.node import Node
from wavesim.front.tile.source import Source
from wavesim.isa.kinds import LANES
from wavesim.program import Register
from wavesim.program.operands import RegisterFile

Declared = TypeVar("Declared")

CHUNK_BYTES = 16
"""What one lane moves in a collective load: global_load_dwordx4."""

MAX_MATRIX_BYTES = 1 << 32
"""Offsets inside a matrix are 32 bits wide."""

_INITS = ("random", "zero", "ones", "index", "unwritten")


@dataclass(frozen=True, slots=True)
class Matrix:
    """A row-major matrix in global memory; ``pointer`` holds its address."""

    name: str
    dtype: str
    rows: int
    cols: int
    init: str
    seed: int
    pointer: Register

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.cols * ELEMENT_BITS[self.dtype] // 8


@dataclass(frozen=True, slots=True)
class LdsBuffer:
    """An array [stages][rows][cols] in LDS. A row takes ``row_bytes`` (padding included); the byte in the
    row is XORed with ((row >> ``swizzle_shift``) mod ``swizzle_rows``) x ``swizzle_bytes`` (0: none)."""

    name: str
    dtype: str
    rows: int
    cols: int
    stages: int
    base: int
    row_bytes: int
    swizzle_bytes: int
    swizzle_rows: int
    swizzle_shift: int

    @property
    def data_bytes(self) -> int:
        """Bytes of a row without padding."""
        return self.cols * ELEMENT_BITS[self.dtype] // 8

    @property
    def stage_bytes(self) -> int:
        """Bytes from one stage to the next."""
        return self.rows * self.row_bytes


@dataclass(frozen=True, slots=True)
class Load:
    """A collective copy of a tile from global memory to LDS, 16 bytes per thread and piece.

    The tile is divided among ``threads`` threads; thread number ``thread`` (an expression) takes the
    16-byte chunks ``thread + piece * threads``. ``registers``: 4 per piece.
    """

    name: str
    matrix: Matrix
    buffer: LdsBuffer
    row: Value
    thread: Value
    threads: int
    pieces: int
    registers: Register

    @property
    def row_chunks(self) -> int:
        """16-byte chunks in a row of the tile."""
        return self.buffer.data_bytes // CHUNK_BYTES

    def place(self, piece: int) -> tuple[Value, Value]:
        """Row in the tile, and byte in the row, of the chunk that a thread takes as its ``piece``-th."""
        chunk = add(self.thread, Value(piece * self.threads))
        row = divide(chunk, Value(self.row_chunks), by_any=True)
        first = add(chunk, multiply(row, Value(self.row_chunks)), -1)
        if not self.row_chunks & (self.row_chunks - 1):
            first = modulo(chunk, Value(self.row_chunks))
        return row, multiply(first, Value(CHUNK_BYTES))


@dataclass(slots=True)
class Fragment:
    """Rows x cols elements of A or B in registers. ``width_bytes`` of the reads that filled it last (0:
    none yet) fixes which k a lane holds; A and B of an MFMA must agree in it."""

    name: str
    dtype: str
    rows: int
    cols: int
    registers: Register
    width_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Accumulator:
    """Rows x cols f32 results in registers, tile by tile."""

    name: str
    rows: int
    cols: int
    registers: Register


@dataclass
class Declarations:
    """Everything declared, by name; fragments and accumulators as lists (``count`` copies)."""

    waves: int
    lds_bytes: int = 0
    matrices: dict[str, Matrix] = field(default_factory=dict)
    buffers: dict[str, LdsBuffer] = field(default_factory=dict)
    loads: dict[str, Load] = field(default_factory=dict)
    fragments: dict[str, list[Fragment]] = field(default_factory=dict)
    accumulators: dict[str, list[Accumulator]] = field(default_factory=dict)
    vgprs: int = 1
    agprs: int = 0
    sgprs: int = 4

    def take(self, file: RegisterFile, count: int) -> Register:
        """The next ``count`` real registers, aligned for the widest access (4)."""
        if file == "a":
            start = self.agprs
            self.agprs += -(-count // 4) * 4
            return Register("a", start, count)
        start = -(-self.vgprs // 4) * 4
        self.vgprs = start + count
        return Register("v", start, count)


class Reader:
    """Reads expressions; ``names`` are the constants and values that they may use."""

    def __init__(self, names: dict[str, Value]) -> None:
        self.names = names

    def value(self, node: Node) -> Value:
        """The value of an expression at ``node``."""
        try:
            return evaluate(node.expression(), self.names)
        except ValueProblem as problem:
            raise node.error(f"{node.name}: {problem}") from None

    def number(self, node: Node, low: int, high: int) -> int:
        """A constant in [low, high]."""
        found = self.value(node)
        if not found.is_constant:
            raise node.error(f"{node.name}: must be known before the run", "constants only, no wave or lane")
        if not low <= found.constant <= high:
            raise node.error(f"{node.name}: {found.constant}", f"from {low} to {high}")
        return found.constant

    def optional(self, node: Node, key: str, default: int, low: int, high: int) -> int:
        """A constant under ``key``, or ``default``."""
        child = node.get(key)
        return default if child is None else self.number(child, low, high)


def declare(source: Source, reader: Reader, waves: int, tile_rows: int) -> Declarations:
    """Reads all sections that declare something.

    Args:
        source: the kernel file.
        reader: knows the constants and values.
        waves: of the workgroup.
        tile_rows: rows of the kernel's MFMA tile (16 or 32), in which fragments are stored.

    Raises:
        UserError: a declaration that cannot be used.
    """
    made = Declarations(waves)
    for name, node in source.named["memory"].items():
        made.matrices[name] = _matrix(name, node, reader, made)
    reserved = reader.optional(source.single["workgroup"], "lds_reserved_bytes", 0, 0, 1 << 24)
    for name, node in source.named["lds"].items():
        made.buffers[name] = buffer = _buffer(name, node, reader, made.lds_bytes, reserved)
        made.lds_bytes = buffer.base + buffer.stages * buffer.stage_bytes
    made.lds_bytes = max(made.lds_bytes, reserved)
    for name, node in source.named["fragments"].items():
        made.fragments[name] = _fragments(name, node, reader, made, tile_rows)
    for name, node in source.named["loads"].items():
        made.loads[name] = _load(name, node, reader, made)
    for name, node in source.named["accumulators"].items():
        if name in made.fragments:
            raise node.error(f"{name} is a fragment already", "choose another name")
        made.accumulators[name] = _accumulators(name, node, reader, made, tile_rows)
    return made


def _matrix(name: str, node: Node, reader: Reader, made: Declarations) -> Matrix:
    node.keys(("type", "rows", "cols", "init", "seed"), f"matrix {name}")
    dtype = node.need("type").text(tuple(ELEMENT_BITS))
    rows = reader.number(node.need("rows"), 1, 1 << 31)
    cols = reader.number(node.need("cols"), 1, 1 << 31)
    _whole_bytes(node, cols, dtype)
    size = rows * cols * ELEMENT_BITS[dtype] // 8
    if size > MAX_MATRIX_BYTES:
        raise node.error(f"matrix {name} has {size} bytes", "at most 4 GiB")
    init = node.get("init")
    pointer = Register("s", made.sgprs, 2)
    made.sgprs += 2
    seed = reader.optional(node, "seed", len(made.matrices), 0, 1 << 31)
    return Matrix(name, dtype, rows, cols, init.text(_INITS) if init else "random", seed, pointer)


def _buffer(name: str, node: Node, reader: Reader, used: int, reserved: int) -> LdsBuffer:
    keys = ("type", "rows", "cols", "stages", "swizzle", "pad_bytes", "after_reserved")
    node.keys(keys, f"LDS buffer {name}")
    dtype = node.need("type").text(tuple(ELEMENT_BITS))
    rows = reader.number(node.need("rows"), 1, 1 << 16)
    cols = reader.number(node.need("cols"), 1, 1 << 16)
    _whole_bytes(node, cols, dtype)
    stages = reader.optional(node, "stages", 1, 1, 64)
    row_bytes = cols * ELEMENT_BITS[dtype] // 8 + reader.optional(node, "pad_bytes", 0, 0, 4096)
    unit = over = shift = 0
    swizzle = node.get("swizzle")
    if swizzle is not None:
        swizzle.keys(("unit_bytes", "rows", "shift"), "swizzle")
        unit = reader.number(swizzle.need("unit_bytes"), 0, CHUNK_BYTES)
        over = reader.number(swizzle.need("rows"), 1, 1024)
        shift = reader.optional(swizzle, "shift", 0, 0, 8)
        if unit and (unit not in (4, 8, 16) or over & (over - 1) or unit > row_bytes):
            raise swizzle.error(
                f"swizzle of {unit} bytes over {over} rows in rows of {row_bytes} bytes",
                "unit_bytes 4, 8 or 16, at most a row; rows a power of two",
            )
        if unit and (row_bytes & (row_bytes - 1)):
            raise swizzle.error(f"a swizzled row has {row_bytes} bytes", "a power of two, without pad_bytes")
        if unit:
            over = min(over, row_bytes // unit)  # a row has no more places
    flag = node.get("after_reserved")
    if flag is not None and not isinstance(flag.data, bool):
        raise flag.error("after_reserved: must be true or false")
    start = max(used, reserved) if flag is not None and flag.data else used
    start = -(-start // CHUNK_BYTES) * CHUNK_BYTES
    return LdsBuffer(name, dtype, rows, cols, stages, start, row_bytes, unit, over, shift)


def _whole_bytes(node: Node, cols: int, dtype: str) -> None:
    if cols * ELEMENT_BITS[dtype] % 8:
        raise node.error(f"rows of {cols} elements of {dtype} are no whole bytes", "a multiple of 4 columns")


def fragment_type(node: Node) -> str:
    """The element type of a fragment's declaration.

    Raises:
        UserError: matrix instructions do not multiply it.
    """
    kind = node.get("type")
    return kind.text(FRAGMENT_TYPES) if kind else "bf16"


def _fragments(name: str, node: Node, reader: Reader, made: Declarations, tile_rows: int) -> list[Fragment]:
    node.keys(("type", "rows", "cols", "count"), f"fragment {name}")
    dtype = fragment_type(node)
    bits = ELEMENT_BITS[dtype]
    rows = reader.number(node.need("rows"), 1, 1024)
    cols = reader.number(node.need("cols"), 1, 1024)
    # the narrowest read gives each group of lanes a dword, or three of 6-bit elements
    step = LANES // tile_rows * (32 // bits if 32 % bits == 0 else 96 // bits)
    if rows % tile_rows or cols % step:
        raise node.error(
            f"a fragment of {rows}x{cols}", f"rows a multiple of {tile_rows} (the MFMA's), cols of {step}"
        )
    count = reader.optional(node, "count", 1, 1, 64)
    size = rows * cols * bits // (32 * LANES)
    names = [_indexed(name, index, count) for index in range(count)]
    return [Fragment(each, dtype, rows, cols, made.take("v", size)) for each in names]


def _accumulators(
    name: str, node: Node, reader: Reader, made: Declarations, tile_rows: int
) -> list[Accumulator]:
    node.keys(("rows", "cols", "count", "registers"), f"accumulator {name}")
    rows = reader.number(node.need("rows"), 1, 1024)
    cols = reader.number(node.need("cols"), 1, 1024)
    if rows % tile_rows or cols % tile_rows:
        raise node.error(f"an accumulator of {rows}x{cols}", f"multiples of {tile_rows} (the MFMA's)")
    file = node.get("registers")
    letter: RegisterFile = "a" if file is not None and file.text(("vgpr", "agpr")) == "agpr" else "v"
    count = reader.optional(node, "count", 1, 1, 64)
    size = rows * cols // LANES
    names = [_indexed(name, index, count) for index in range(count)]
    return [Accumulator(each, rows, cols, made.take(letter, size)) for each in names]


def _indexed(name: str, index: int, count: int) -> str:
    return f"{name}[{index}]" if count > 1 else name


def _load(name: str, node: Node, reader: Reader, made: Declarations) -> Load:
    node.keys(("from", "to", "row", "threads", "thread"), f"load {name}")
    matrix = look_up(node.need("from"), made.matrices, "matrix")
    buffer = look_up(node.need("to"), made.buffers, "LDS buffer")
    if ELEMENT_BITS[matrix.dtype] != ELEMENT_BITS[buffer.dtype]:
        raise node.error(f"load {name} copies {matrix.dtype} to {buffer.dtype}", "one element type")
    row_data = buffer.data_bytes
    if row_data % CHUNK_BYTES or buffer.row_bytes % 8 or 0 < buffer.swizzle_bytes < 8:
        raise node.error(
            f"load {name}: rows of {row_data} bytes in {buffer.row_bytes}",
            f"data a multiple of {CHUNK_BYTES} bytes, padded rows of 8; swizzle by 8 or 16",
        )
    threads = reader.optional(node, "threads", made.waves * LANES, 1, 1024)
    chunks = row_data // CHUNK_BYTES
    power = not chunks & (chunks - 1)  # rows of 6-bit elements have three times a power of two
    if (power and threads % chunks) or (buffer.rows * chunks) % threads:
        raise node.error(
            f"load {name}: {threads} threads for {buffer.rows} rows of {chunks} chunks of 16 bytes",
            "the threads must make whole rows and divide the tile",
        )
    thread, row = node.get("thread"), node.get("row")
    pieces = buffer.rows * chunks // threads
    return Load(
        name,
        matrix,
        buffer,
        reader.value(row) if row else Value(0),
        reader.value(thread) if thread else reader.names["thread"],
        threads,
        pieces,
        made.take("v", 4 * pieces),
    )


def look_up(node: Node, table: Mapping[str, Declared], what: str) -> Declared:
    """The declared thing that ``node`` names.

    Raises:
        UserError: no such thing.
    """
    name = node.text()
    if name not in table:
        raise UserError(f"no {what} {name!r}", node.span, f"declared: {', '.join(table) or 'none'}")
    return table[name]
