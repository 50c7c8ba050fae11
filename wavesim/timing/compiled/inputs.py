"""Trace and parameters as the flat arrays that engine.c reads; everything it relies on is checked here."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.schema import PARAMETERS, parameter_key
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import SPIN_PATIENCE_CLK, budget
from wavesim.timing.compiled.library import names
from wavesim.timing.ops import Op
from wavesim.timing.rules import BY_NAME
from wavesim.timing.rules.instruction_cache import code_lines, page_offset_lines
from wavesim.trace import Category, CodeEntry, Kind, Reason, Trace, WaveTrace
from wavesim.trace.code import SGPR_EXEC, SlotShare

Array = npt.NDArray[np.generic]
Int64 = npt.NDArray[np.int64]

LARGEST = 1 << 40
"""No number of a machine is larger: sums of clocks stay far inside 64 bits."""

FIELD = {parameter_key(name).partition(".")[2]: name for name in PARAMETERS} | {n: n for n in PARAMETERS}
"""Fields of :class:`TimingParameters` as engine.c names them: in full, or without their section."""

SHARE = tuple(SlotShare.__slots__)
"""Fields of an instruction that say with which others it shares a slot."""

POSITIVE = (
    *("simds", "slot_clk", "turn_clk", "memory_bytes_per_clk"),
    *("chunk_bytes", "icache_line_bytes", "icache_units", "page_bytes"),
)


ROW_COLUMNS: tuple[tuple[str, type[np.generic]], ...] = (
    ("code", np.int32),
    ("array_clk", np.int32),
    ("memory_bytes", np.int32),
    ("memory_latency_clk", np.int32),
    ("memory_path_clk16", np.int32),
    ("taken", np.bool_),
)
CLOCKS = ("attempt_clk", "issue_clk", "end_clk", "done_clk")
WAVE = np.dtype(
    [
        *[(name, np.int64) for name in ("simd", "workgroup", "start_clk", "rows", "place")],
        *[(name, np.uintp) for name in (*(name for name, _ in ROW_COLUMNS), *CLOCKS, "spins")],
        ("spin_count", np.int64),
        ("spin_repeats", np.uintp),
    ]
)
"""``WaveInput`` of engine.c."""


class Input(ctypes.Structure):
    """As in engine.c."""

    _fields_ = [
        ("parameters", ctypes.c_void_p),
        ("pair_of", ctypes.c_void_p),
        ("op_count", ctypes.c_int64),
        ("ops", ctypes.c_void_p),
        ("sgpr_count", ctypes.c_int64),
        *[(name, ctypes.c_void_p) for name in ("write_offsets", "writes", "read_offsets", "reads")],
        ("wave_count", ctypes.c_int64),
        ("workgroup_count", ctypes.c_int64),
        ("waves", ctypes.c_void_p),
        ("by_order_count", ctypes.c_int64),
        ("latency_by_order", ctypes.c_void_p),
        ("line_count", ctypes.c_int64),
        ("page_offset_lines", ctypes.c_int64),
        ("lines", ctypes.c_void_p),
    ]


@dataclass
class Inputs:
    """The arrays of one run. ``clocks`` has attempt, issue, end and done of all waves' rows, one after the
    other; wave i has the rows ``first_row[i]`` to ``first_row[i + 1]``, and so of ``spin_repeats``.
    ``keep`` holds what C points to."""

    structure: Input
    clocks: Int64
    first_row: Int64
    spin_repeats: Int64
    first_spin: Int64
    keep: list[object] = field(default_factory=list)


def check_array(values: object, dtype: npt.DTypeLike, length: int, what: str) -> npt.NDArray[Any]:
    """The array, contiguous.

    Raises:
        UserError: not an array of that type and length.
    """
    if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != (length,):
        found = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise UserError(f"{what}: {np.dtype(dtype)} ({length},) expected, found {found}")
    return np.ascontiguousarray(values)


def _check_range(values: Array, low: int, high: int, what: str) -> None:
    if len(values) and not (low <= int(values.min()) and int(values.max()) < high):
        raise UserError(f"{what}: values outside [{low}, {high})")


def parameter_values(order: Sequence[str], p: TimingParameters) -> Int64:
    """The parameters in the order that the library numbers them: fields, and rules that it asks for by name.

    Raises:
        UserError: a number that the engine cannot work with.
    """
    ours = {
        "pairs": len(p.structure_simd_pairs),
        "spin_patience_clk": SPIN_PATIENCE_CLK,
        "max_clk": budget().clk,
    }
    rules = {name: int(name not in p.rules_off) for name in order if name in BY_NAME}
    fields = {name: getattr(p, FIELD[name]) for name in order if name in FIELD}
    values: dict[str, int] = {**ours, **rules, **fields}
    for name, value in values.items():
        if abs(value) >= LARGEST or (name in POSITIVE and value < 1):
            raise UserError(f"{name} = {value}: the compiled engine cannot work with that")
    for name in ("lds_queue_entries", "memory_queue_entries", "memory_tail_entries", "memory_tail_bytes"):
        if values[name] < 1:
            raise UserError(f"{name} = {values[name]}: at least one entry")
    return np.array([values[name] for name in order], np.int64)


def _clocks_of(
    entry: CodeEntry, p: TimingParameters, kinds: list[str], categories: list[str]
) -> dict[str, int]:
    """The fields that depend on an instruction's kind and size alone."""
    op = Op(entry, p)
    return {
        "category": categories.index(entry.category.value),
        "kind": kinds.index(entry.kind.value),
        "hold_clk": op.hold_clk,
        "scaled": int(op.scaled),
        "goes_first": int(op.goes_first),
        "memory_bytes": op.memory_bytes,
        "port_clk": op.port_clk,
        "array_clk": op.array_clk,
        "latency_clk": op.latency_clk,
        "pipe_clk": op.pipe_clk,
        "blocks_valu_clk": op.blocks_valu,
        "blocks_memory_clk": op.blocks_memory,
    }


def op_table(
    order: Sequence[str],
    kinds: list[str],
    categories: list[str],
    code: Sequence[CodeEntry],
    p: TimingParameters,
) -> Int64:
    """A row per static instruction, a column per field, as the library numbers fields, kinds, categories."""
    known: dict[tuple[object, ...], dict[str, int]] = {}
    clocks = []
    for entry in code:  # an enum is hashed by Python code, its value is not
        shape = (
            entry.kind._value_,
            entry.width_bytes,
            entry.nop_slots,
            entry.sleep_units,
            entry.mfma,
            entry.mfma_format,
            entry.mfma_source_vgprs,
            entry.scaled,
            entry.multi_slot,
        )
        found = known.get(shape)
        if found is None:
            found = known[shape] = _clocks_of(entry, p, kinds, categories)
        clocks.append(found)
    by_shape = (
        {name: np.array([each[name] for each in clocks], np.int64) for name in clocks[0]} if clocks else {}
    )
    for name, values in by_shape.items():
        _check_range(values, 0, LARGEST, f"{name} of an instruction")
    address = np.array([entry.address for entry in code], np.int64)
    size = np.array([entry.size_bytes for entry in code], np.int64)
    columns: dict[str, npt.ArrayLike] = {
        **by_shape,
        "first_chunk": address // p.fetch_chunk_bytes,
        "last_chunk": (address + size - 1) // p.fetch_chunk_bytes,
        "packed": [entry.packed_f32 for entry in code],
        **{name: [getattr(entry.share, name) for entry in code] for name in SHARE},
        "writes_sgpr": [entry.writes_sgpr for entry in code],
        "to_lds": [entry.to_lds for entry in code],
        "lgkm": [entry.lgkm_increment for entry in code],
        "vm": [entry.vm_increment for entry in code],
        "wait_lgkm": [-1 if entry.wait_lgkmcnt is None else entry.wait_lgkmcnt for entry in code],
        "wait_vm": [-1 if entry.wait_vmcnt is None else entry.wait_vmcnt for entry in code],
        "priority": [entry.priority for entry in code],
    }
    table = np.empty((len(code), len(order)), np.int64)
    for place, name in enumerate(order if clocks else ()):
        table[:, place] = np.asarray(columns[name], np.int64)
    return table


def _offsets(groups: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    offsets = np.zeros(len(groups) + 1, np.int32)
    np.cumsum([len(group) for group in groups], out=offsets[1:])
    flat = np.array([item for group in groups for item in group], np.int32)
    return offsets, flat


def sgpr_tables(
    code: Sequence[CodeEntry], is_salu: npt.NDArray[np.bool_], is_vmem: npt.NDArray[np.bool_]
) -> tuple[int, tuple[Array, Array], tuple[Array, Array]]:
    """SGPRs that VMEM instructions read (§4), numbered from 0: how many, and by instruction those that a
    SALU one writes and a VMEM one reads."""
    read: set[int] = {SGPR_EXEC}
    for place in np.flatnonzero(is_vmem).tolist():
        read |= code[place].sgpr_reads
    number = {register: place for place, register in enumerate(sorted(read))}
    writes: list[Sequence[int]] = [()] * len(code)
    reads: list[Sequence[int]] = [()] * len(code)
    for place in np.flatnonzero(is_salu).tolist():
        writes[place] = sorted(number[register] for register in code[place].sgpr_writes & read)
    for place in np.flatnonzero(is_vmem).tolist():
        reads[place] = sorted(number[register] for register in {*code[place].sgpr_reads, SGPR_EXEC})
    return len(number), _offsets(writes), _offsets(reads)


def _spins(trace: Trace, lengths: Sequence[int]) -> tuple[Int64, Int64]:
    """(last, first, store wave, store row, number) of the waves' polling loops, one after the other, each
    wave's by last; and where each wave's begin."""
    rows: list[tuple[int, int, int, int, int]] = []
    first = np.zeros(len(trace.waves) + 1, np.int64)
    for position, (wave, length) in enumerate(zip(trace.waves, lengths, strict=True)):
        what = f"wave {wave.wave} of workgroup {wave.workgroup}"
        for spin in wave.spins:
            if not 0 <= spin.first <= spin.last < length:
                raise UserError(f"{what}: polling loop of rows {spin.first} to {spin.last} of {length}")
            if not 0 <= spin.store_wave < len(trace.waves):
                raise UserError(f"{what}: polls for a store of wave {spin.store_wave} of {len(trace.waves)}")
            if not 0 <= spin.store_index < lengths[spin.store_wave]:
                raise UserError(f"{what}: polls for row {spin.store_index}, which is not there")
        if len({spin.last for spin in wave.spins}) < len(wave.spins):
            raise UserError(f"{what}: two polling loops with the same last row")
        mine = [
            (spin.last, spin.first, spin.store_wave, spin.store_index, number)
            for number, spin in enumerate(wave.spins)
        ]
        rows += sorted(mine)
        first[position + 1] = len(rows)
    return np.array(rows, np.int64).reshape(-1, 5), first


def _pair_of(p: TimingParameters) -> Int64:
    pair_of = np.full(p.structure_simds, -1, np.int64)
    for pair, simds in enumerate(p.structure_simd_pairs):
        pair_of[list(simds)] = pair
    if (pair_of < 0).any() or sorted(p.barrier_simd_order) != list(range(p.structure_simds)):
        raise UserError("every SIMD belongs to one pair and stands once in barrier.simd_order")
    return pair_of


def row_column(wave: WaveTrace, name: str) -> Array:
    """A column of ``ROW_COLUMNS`` of a wave's stream."""
    return wave.path_clk16() if name == "memory_path_clk16" else getattr(wave, name)


def _rows(trace: Trace, lengths: Sequence[int]) -> dict[str, Array]:
    """The columns of all waves, one wave's rows after the other's."""
    columns: dict[str, Array] = {}
    for name, dtype in ROW_COLUMNS:
        parts = [
            check_array(row_column(wave, name), dtype, length, f"wave {wave.wave}: {name}")
            for wave, length in zip(trace.waves, lengths, strict=True)
        ]
        columns[name] = np.concatenate(parts) if parts else np.zeros(0, dtype)
    _check_range(columns["code"], 0, len(trace.code), "code")
    for name in ("array_clk", "memory_bytes", "memory_latency_clk", "memory_path_clk16"):
        _check_range(columns[name], -1, LARGEST, name)
    return columns


def _waves(trace: Trace, p: TimingParameters, inputs: Inputs, columns: dict[str, Array]) -> tuple[Array, int]:
    """A row per wave: pointers into the columns; and how many workgroups there are."""
    table = np.zeros(max(1, len(trace.waves)), WAVE)
    waves = table[: len(trace.waves)]
    groups = {group: place for place, group in enumerate(dict.fromkeys(w.workgroup for w in trace.waves))}
    for name, values in (
        ("simd", [wave.simd for wave in trace.waves]),
        ("start_clk", [wave.start_clk for wave in trace.waves]),
        ("workgroup", [groups[wave.workgroup] for wave in trace.waves]),
    ):
        waves[name] = values
    _check_range(waves["simd"], 0, p.structure_simds, "SIMD of a wave")
    _check_range(waves["start_clk"], 0, budget().clk + 1, "start of a wave, clk")
    waves["place"] = np.argsort(p.barrier_simd_order)[waves["simd"]]
    lengths = np.diff(inputs.first_row)
    waves["rows"] = lengths
    inputs.keep += [table, *columns.values()]
    for name, column in (*columns.items(), *zip(CLOCKS, inputs.clocks, strict=True)):
        waves[name] = column.ctypes.data + inputs.first_row[:-1] * column.itemsize
    spins, first_spin = _spins(trace, lengths.tolist())
    inputs.first_spin, inputs.spin_repeats = first_spin, np.zeros(len(spins), np.int64)
    inputs.keep += [spins]
    waves["spins"] = spins.ctypes.data + first_spin[:-1] * spins.itemsize * 5
    waves["spin_count"] = np.diff(first_spin)
    waves["spin_repeats"] = inputs.spin_repeats.ctypes.data + first_spin[:-1] * 8
    return table, len(groups)


@dataclass(frozen=True)
class CodeTables:
    """The static instructions of a trace and the machine's numbers as the engine reads them: a row of
    ``table`` per instruction, a column per name in ``fields``."""

    fields: list[str]
    values: Int64
    table: Int64
    sgprs: int
    writes: tuple[Array, Array]
    reads: tuple[Array, Array]
    pair_of: Int64

    @classmethod
    def of(cls, library: ctypes.CDLL, code: Sequence[CodeEntry], p: TimingParameters) -> CodeTables:
        """For these instructions.

        Raises:
            UserError: numbers that the engine cannot work with.
        """

        def numbered(what: str) -> list[str]:
            return names(getattr(library, f"wavesim_{what}")())

        if numbered("reasons") != [reason.name.lower() for reason in Reason]:
            raise UserError("the compiled engine's reasons are not Reason's")
        kinds, categories, fields = numbered("kinds"), numbered("categories"), numbered("op_fields")
        values = parameter_values(numbered("parameters"), p)
        table = op_table(fields, kinds, categories, code, p)
        is_salu = table[:, fields.index("kind")] == kinds.index(Kind.SALU.value)
        is_vmem = table[:, fields.index("category")] == categories.index(Category.VMEM.value)
        sgprs, writes, reads = sgpr_tables(code, is_salu, is_vmem)
        return cls(fields, values, table, sgprs, writes, reads, _pair_of(p))


def prepare(library: ctypes.CDLL, trace: Trace, p: TimingParameters) -> Inputs:
    """Everything that the engine reads and writes.

    Raises:
        UserError: arrays or numbers that the engine cannot work with.
    """
    lengths = [int(np.size(wave.code)) for wave in trace.waves]
    return with_rows(CodeTables.of(library, trace.code, p), trace, p, lengths, _rows(trace, lengths))


def with_rows(
    code: CodeTables, trace: Trace, p: TimingParameters, lengths: Sequence[int], columns: dict[str, Array]
) -> Inputs:
    """The same from tables that are there, with the rows of all waves, one wave's after the other's.

    Raises:
        UserError: arrays or numbers that the engine cannot work with.
    """
    by_order = trace.memory_latency_by_order_clk
    by_order = check_array(by_order, np.int32, np.size(by_order), "memory_latency_by_order_clk")
    _check_range(by_order, -1, LARGEST, "memory_latency_by_order_clk")
    lines = code_lines(trace, p)
    first_row = np.zeros(len(trace.waves) + 1, np.int64)
    np.cumsum(lengths, out=first_row[1:])
    clocks = np.full((4, int(first_row[-1])), -1, np.int64)
    none = np.zeros(0, np.int64)
    inputs = Inputs(Input(), clocks, first_row, none, none)
    inputs.keep += [code, by_order, lines]
    waves, groups = _waves(trace, p, inputs, columns)
    inputs.structure = Input(
        code.values.ctypes.data,
        code.pair_of.ctypes.data,
        len(code.table),
        code.table.ctypes.data,
        code.sgprs,
        code.writes[0].ctypes.data,
        code.writes[1].ctypes.data,
        code.reads[0].ctypes.data,
        code.reads[1].ctypes.data,
        len(trace.waves),
        groups,
        waves.ctypes.data,
        len(by_order),
        by_order.ctypes.data,
        len(lines),
        page_offset_lines(trace, p),
        lines.ctypes.data,
    )
    return inputs
