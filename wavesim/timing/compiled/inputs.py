"""Trace and parameters as the flat arrays that engine.c reads; everything it relies on is checked here."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.schema import PARAMETERS, parameter_key
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import SPIN_PATIENCE_CLK, budget
from wavesim.timing.compiled.library import names
from wavesim.timing.compiled.static_code import LARGEST, Numbering, static_code
from wavesim.timing.rules import BY_NAME
from wavesim.timing.rules.instruction_cache import code_lines, page_offset_lines
from wavesim.trace import FOLLOWS, CodeEntry, Reason, Room, Trace, WaveTrace
from wavesim.trace.trace import MEMORY_COLUMNS

Array = npt.NDArray[np.generic]
Int64 = npt.NDArray[np.int64]

FIELD = {parameter_key(name).partition(".")[2]: name for name in PARAMETERS} | {n: n for n in PARAMETERS}
"""Fields of :class:`TimingParameters` as engine.c names them: in full, or without their section."""

REASONS = tuple(reason.name.lower() for reason in Reason)

POSITIVE = (
    *("simds", "slot_clk", "turn_clk", "memory_bytes_per_clk", "memory_l1_hit_bytes_per_clk"),
    *("chunk_bytes", "icache_line_bytes", "icache_units", "page_bytes"),
)


ROW_COLUMNS: tuple[tuple[str, type[np.generic]], ...] = (
    ("code", np.int32),
    ("array_clk", np.int32),
    ("memory_bytes", np.int32),
    ("memory_latency_clk", np.int32),
    ("memory_path_clk16", np.int32),
    ("memory_hit_bytes", np.int32),
    ("taken", np.bool_),
)
CLOCKS = ("attempt_clk", "issue_clk", "end_clk", "done_clk")
WAVE = np.dtype(
    [
        *[(name, np.int64) for name in ("simd", "slot", "workgroup", "start_clk", "rows")],
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
        *[(name, ctypes.c_void_p) for name in ("pair_of", "barrier_place", "wave_simds")],
        ("waves_per_simd", ctypes.c_int64),
        ("workgroups", ctypes.c_int64),
        ("op_count", ctypes.c_int64),
        ("ops", ctypes.c_void_p),
        ("sgpr_count", ctypes.c_int64),
        *[(name, ctypes.c_void_p) for name in ("write_offsets", "writes", "read_offsets", "reads")],
        ("wave_count", ctypes.c_int64),
        ("workgroup_count", ctypes.c_int64),
        ("waves", ctypes.c_void_p),
        ("by_order_count", ctypes.c_int64),
        ("latency_by_order", ctypes.c_void_p),
        ("head_by_order_count", ctypes.c_int64),
        ("head_by_order", ctypes.c_void_p),
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


@cache
def _places(order: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Of the library's numbers those that are fields, by their names there, and those that are rules."""
    return {name: FIELD[name] for name in order if name in FIELD}, tuple(n for n in order if n in BY_NAME)


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
    fields, rules = _places(tuple(order))
    values: dict[str, int] = {
        **ours,
        **{name: int(name not in p.rules_off) for name in rules},
        **{name: getattr(p, field) for name, field in fields.items()},
    }
    for name, value in values.items():
        if abs(value) >= LARGEST or (name in POSITIVE and value < 1):
            raise UserError(f"{name} = {value}: the compiled engine cannot work with that")
    for name in ("lds_queue_entries", "memory_queue_entries", "memory_tail_entries", "memory_tail_bytes"):
        if values[name] < 1:
            raise UserError(f"{name} = {values[name]}: at least one entry")
    return np.array([values[name] for name in order], np.int64)


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
    orders = {"barrier.simd_order": p.barrier_simd_order, "dispatch.wave_simds": p.dispatch_wave_simds}
    for name, order in orders.items():
        if (pair_of < 0).any() or sorted(order) != list(range(p.structure_simds)):
            raise UserError(f"every SIMD belongs to one pair and stands once in {name}")
    return pair_of


def row_column(wave: WaveTrace, name: str) -> Array:
    """A column of ``ROW_COLUMNS`` of a wave's stream."""
    return wave.of_memory(name) if name in MEMORY_COLUMNS else getattr(wave, name)


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
    for name in ("array_clk", "memory_bytes", "memory_latency_clk", "memory_path_clk16", "memory_hit_bytes"):
        _check_range(columns[name], -1, LARGEST, name)
    return columns


def _waves(trace: Trace, p: TimingParameters, inputs: Inputs, columns: dict[str, Array]) -> tuple[Array, int]:
    """A row per wave: pointers into the columns; and how many workgroups there are."""
    table = np.zeros(max(1, len(trace.waves)), WAVE)
    waves = table[: len(trace.waves)]
    groups = {group: place for place, group in enumerate(dict.fromkeys(w.workgroup for w in trace.waves))}
    for name, values in (
        ("simd", [wave.simd for wave in trace.waves]),
        ("slot", [wave.slot for wave in trace.waves]),
        ("start_clk", [wave.start_clk for wave in trace.waves]),
        ("workgroup", [groups[wave.workgroup] for wave in trace.waves]),
    ):
        waves[name] = values
    _check_range(waves["simd"], 0, p.structure_simds, "SIMD of a wave")
    follows = waves["start_clk"] == FOLLOWS
    if follows.any() and (trace.room is None or follows[0]):
        raise UserError("a workgroup follows, and there is no room or none before it")
    _check_range(waves["start_clk"][~follows], 0, budget().clk + 1, "start of a wave, clk")
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

    fields: tuple[str, ...]
    values: Int64
    table: Int64
    sgprs: int
    writes: tuple[Array, Array]
    reads: tuple[Array, Array]
    pair_of: Int64
    barrier_place: Int64
    wave_simds: Int64

    @classmethod
    def of(cls, library: ctypes.CDLL, code: tuple[CodeEntry, ...], p: TimingParameters) -> CodeTables:
        """For these instructions.

        Raises:
            UserError: numbers that the engine cannot work with.
        """

        def numbered(what: str) -> tuple[str, ...]:
            return names(getattr(library, f"wavesim_{what}")())

        if numbered("reasons") != REASONS:
            raise UserError("the compiled engine's reasons are not Reason's")
        numbering = Numbering(*(numbered(what) for what in ("op_fields", "kinds", "categories")))
        values = parameter_values(numbered("parameters"), p)
        static = static_code(code, numbering)
        table = static.with_clocks(p)
        by_simd = _pair_of(p), np.argsort(p.barrier_simd_order), np.array(p.dispatch_wave_simds, np.int64)
        return cls(numbering.fields, values, table, static.sgprs, static.writes, static.reads, *by_simd)


def prepare(library: ctypes.CDLL, trace: Trace, p: TimingParameters) -> Inputs:
    """Everything that the engine reads and writes.

    Raises:
        UserError: arrays or numbers that the engine cannot work with.
    """
    lengths = [int(np.size(wave.code)) for wave in trace.waves]
    code = CodeTables.of(library, trace.code, p)
    return with_rows(code, code_lines(trace, p), trace, p, lengths, _rows(trace, lengths))


def with_rows(
    code: CodeTables,
    lines: Int64,
    trace: Trace,
    p: TimingParameters,
    lengths: Sequence[int],
    columns: dict[str, Array],
) -> Inputs:
    """The same from tables and lines of code that are there. Rows are those of all waves, wave by wave.

    Raises:
        UserError: arrays or numbers that the engine cannot work with.
    """
    by_order = []
    for name in ("memory_latency_by_order_clk", "memory_head_by_order_clk"):
        column = getattr(trace, name)
        by_order.append(check_array(column, np.int32, np.size(column), name))
        _check_range(by_order[-1], -1, LARGEST, name)
    first_row = np.zeros(len(trace.waves) + 1, np.int64)
    np.cumsum(lengths, out=first_row[1:])
    clocks = np.full((4, int(first_row[-1])), -1, np.int64)
    none = np.zeros(0, np.int64)
    inputs = Inputs(Input(), clocks, first_row, none, none)
    inputs.keep += [code, *by_order, lines]
    waves, groups = _waves(trace, p, inputs, columns)
    room = trace.room or Room(0, 0)
    inputs.structure = Input(
        code.values.ctypes.data,
        code.pair_of.ctypes.data,
        code.barrier_place.ctypes.data,
        code.wave_simds.ctypes.data,
        room.waves_per_simd,
        room.workgroups,
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
        len(by_order[0]),
        by_order[0].ctypes.data,
        len(by_order[1]),
        by_order[1].ctypes.data,
        len(lines),
        page_offset_lines(trace, p),
        lines.ctypes.data,
    )
    return inputs
