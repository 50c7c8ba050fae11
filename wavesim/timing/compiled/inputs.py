"""Trace and parameters as the flat arrays that engine.c reads; everything it relies on is checked here."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import MAX_CLK, SPIN_PATIENCE_CLK
from wavesim.timing.compiled.library import names
from wavesim.timing.ops import Op
from wavesim.trace import CodeEntry, Kind, Reason, Trace, WaveTrace
from wavesim.trace.code import CATEGORY_OF_KIND, SGPR_EXEC, Category

Array = npt.NDArray[np.generic]
Int64 = npt.NDArray[np.int64]

LARGEST = 1 << 40
"""No number of a machine is larger: sums of clocks stay far inside 64 bits."""

IN_ENGINE = (
    "lds_write_drain",
    "lds_alternation",
    "vmem_in_order",
    "vmem_idle_port",
    "vmem_round_robin",
    "endpgm_drain",
    "arbitration",
    "oldest_first",
)
"""Rules that the engine asks for; ``scaled_mfma_first`` is in the instructions' ranks."""

POSITIVE = ("simds", "slot_clk", "turn_clk", "memory_bytes_per_clk")


class WaveInput(ctypes.Structure):
    """As in engine.c."""

    _fields_ = [
        *[(name, ctypes.c_int64) for name in ("simd", "workgroup", "start_clk", "rows", "place")],
        *[(name, ctypes.c_void_p) for name in ("code", "array_clk", "memory_bytes", "memory_latency_clk")],
        ("taken", ctypes.c_void_p),
        *[(name, ctypes.c_void_p) for name in ("attempt_clk", "issue_clk", "end_clk", "done_clk")],
        ("spins", ctypes.c_void_p),
        ("spin_count", ctypes.c_int64),
        ("spin_repeats", ctypes.c_void_p),
    ]


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
    ]


@dataclass
class Inputs:
    """The arrays of one run. ``clocks`` has attempt, issue, end and done of all waves' rows, one after the
    other; wave i has the rows ``first_row[i]`` to ``first_row[i + 1]``. ``keep`` holds what C points to."""

    structure: Input
    clocks: Int64
    first_row: Int64
    spin_repeats: list[Int64]
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
    """The parameters in the order that the library numbers them.

    Raises:
        UserError: a number that the engine cannot work with.
    """
    values = {
        "simds": p.structure_simds,
        "pairs": len(p.structure_simd_pairs),
        "slot_clk": p.issue_slot_clk,
        "plain_valu_per_slot": p.issue_plain_valu_per_slot,
        "dual_after_mfma_clk": p.issue_dual_after_mfma_clk,
        "turns_idle_clk": p.issue_turns_idle_clk,
        "turns_clk": p.issue_turns_clk,
        "turn_clk": p.issue_turn_clk,
        "scale_load_clk": p.mfma_scale_load_clk,
        "lds_queue_entries": p.lds_queue_entries,
        "lds_queue_hold_clk": p.lds_queue_hold_clk,
        "join_from_clk": p.lds_join_from_clk,
        "join_near_clk": p.lds_join_near_clk,
        "join_most_clk": p.lds_join_most_clk,
        "join_clk": p.lds_join_clk,
        "from_memory_bytes_per_clk": p.lds_from_memory_bytes_per_clk,
        "gap_valu_to_memory_clk": p.gap_valu_to_memory_clk,
        "gap_valu_sgpr_to_scalar_clk": p.gap_valu_sgpr_to_scalar_clk,
        "gap_salu_to_cbranch_clk": p.gap_salu_to_cbranch_clk,
        "gap_salu_to_vmem_clk": p.gap_salu_to_vmem_clk,
        "refill_clk": p.fetch_refill_clk,
        "restart_first_clk": p.fetch_restart_first_clk,
        "restart_next_clk": p.fetch_restart_next_clk,
        "lgkm_max": p.counter_lgkm_max,
        "vm_max": p.counter_vm_max,
        "release_early_clk": p.barrier_release_early_clk,
        "release_late_clk": p.barrier_release_late_clk,
        "memory_queue_entries": p.memory_queue_entries,
        "memory_tail_entries": p.memory_tail_entries,
        "memory_bytes_per_clk": p.memory_bytes_per_clk,
        "memory_min_service_clk": p.memory_min_service_clk,
        "memory_idle_clk": p.memory_idle_clk,
        "memory_idle_restart_clk": p.memory_idle_restart_clk,
        "spin_patience_clk": SPIN_PATIENCE_CLK,
        "max_clk": MAX_CLK,
        **{name: int(name not in p.rules_off) for name in IN_ENGINE},
    }
    for name, value in values.items():
        if abs(value) >= LARGEST or (name in POSITIVE and value < 1):
            raise UserError(f"{name} = {value}: the compiled engine cannot work with that")
    for name in ("lds_queue_entries", "memory_queue_entries", "memory_tail_entries"):
        if values[name] < 1:
            raise UserError(f"{name} = {values[name]}: at least one entry")
    return np.array([values[name] for name in order], np.int64)


def _shape_of(entry: CodeEntry) -> tuple[object, ...]:
    """What the clocks of an instruction depend on."""
    return (
        entry.kind,
        entry.width_bytes,
        entry.nop_slots,
        entry.sleep_units,
        entry.mfma,
        entry.mfma_format,
        entry.mfma_source_vgprs,
        entry.scaled,
    )


def op_table(
    order: Sequence[str],
    kinds: Sequence[str],
    categories: Sequence[str],
    code: Sequence[CodeEntry],
    p: TimingParameters,
) -> Int64:
    """A row per static instruction, a column per field, as the library numbers fields, kinds, categories."""
    number_of_kind = {kind: kinds.index(kind.value) for kind in Kind}
    number_of_category = {kind: categories.index(CATEGORY_OF_KIND[kind].value) for kind in Kind}
    clocks: dict[tuple[object, ...], dict[str, int]] = {}
    rows = []
    for entry in code:
        shape = _shape_of(entry)
        known = clocks.get(shape)
        if known is None:
            op = Op(entry, p)
            known = clocks[shape] = {
                "category": number_of_category[entry.kind],
                "kind": number_of_kind[entry.kind],
                "hold_clk": op.hold_clk,
                "scaled": int(op.scaled),
                "goes_first": int(op.rank == 0),
                "memory_bytes": op.memory_bytes,
                "port_clk": op.port_clk,
                "array_clk": op.array_clk,
                "latency_clk": op.latency_clk,
                "pipe_clk": op.pipe_clk,
                "blocks_valu_clk": op.blocks_valu,
                "blocks_memory_clk": op.blocks_memory,
            }
        chunk = p.fetch_chunk_bytes
        values = {
            **known,
            "first_chunk": entry.address // chunk,
            "last_chunk": (entry.address + entry.size_bytes - 1) // chunk,
            "plain": int(entry.plain_valu),
            "writes_sgpr": int(entry.writes_sgpr),
            "to_lds": int(entry.to_lds),
            "lgkm": entry.lgkm_increment,
            "vm": entry.vm_increment,
            "wait_lgkm": -1 if entry.wait_lgkmcnt is None else entry.wait_lgkmcnt,
            "wait_vm": -1 if entry.wait_vmcnt is None else entry.wait_vmcnt,
            "priority": entry.priority,
        }
        rows.append([values[name] for name in order])
    table = np.array(rows, np.int64).reshape(len(rows), len(order))
    clk_columns = [
        place for place, name in enumerate(order) if name.endswith("_clk") or name == "memory_bytes"
    ]
    _check_range(table[:, clk_columns].reshape(-1), 0, LARGEST, "clocks of instructions")
    return table


def _offsets(groups: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    offsets = np.zeros(len(groups) + 1, np.int32)
    np.cumsum([len(group) for group in groups], out=offsets[1:])
    flat = np.array([item for group in groups for item in group], np.int32)
    return offsets, flat


def sgpr_tables(code: Sequence[CodeEntry]) -> tuple[int, tuple[Array, Array], tuple[Array, Array]]:
    """SGPRs that VMEM instructions read (§4), numbered from 0: how many, and by instruction those that a
    SALU one writes and a VMEM one reads."""
    vmem = [CATEGORY_OF_KIND[entry.kind] is Category.VMEM for entry in code]
    read: set[int] = {SGPR_EXEC}
    for entry, is_vmem in zip(code, vmem, strict=True):
        if is_vmem:
            read |= entry.sgpr_reads
    number = {register: place for place, register in enumerate(sorted(read))}

    def numbers(registers: Iterable[int]) -> list[int]:
        return sorted(number[register] for register in registers if register in number)

    writes = [numbers(entry.sgpr_writes) if entry.kind is Kind.SALU else [] for entry in code]
    reads = [
        numbers({*entry.sgpr_reads, SGPR_EXEC}) if is_vmem else []
        for entry, is_vmem in zip(code, vmem, strict=True)
    ]
    return len(number), _offsets(writes), _offsets(reads)


def _spins(trace: Trace, wave: WaveTrace, rows: int, what: str) -> Int64:
    """(last, first, store wave, store row, number) of each polling loop by last, of equal ones the latter."""
    by_last = {}
    for number, spin in enumerate(wave.spins):
        if not 0 <= spin.first <= spin.last < rows:
            raise UserError(f"{what}: polling loop of rows {spin.first} to {spin.last} of {rows}")
        if not 0 <= spin.store_wave < len(trace.waves):
            raise UserError(f"{what}: polls for a store of wave {spin.store_wave} of {len(trace.waves)}")
        if not 0 <= spin.store_index < len(trace.waves[spin.store_wave]):
            raise UserError(f"{what}: polls for row {spin.store_index}, which is not there")
        by_last[spin.last] = (spin.last, spin.first, spin.store_wave, spin.store_index, number)
    return np.array([by_last[last] for last in sorted(by_last)], np.int64).reshape(-1, 5)


def _pair_of(p: TimingParameters) -> Int64:
    pair_of = np.full(p.structure_simds, -1, np.int64)
    for pair, simds in enumerate(p.structure_simd_pairs):
        pair_of[list(simds)] = pair
    if (pair_of < 0).any() or sorted(p.barrier_simd_order) != list(range(p.structure_simds)):
        raise UserError("every SIMD belongs to one pair and stands once in barrier.simd_order")
    return pair_of


def prepare(library: ctypes.CDLL, trace: Trace, p: TimingParameters) -> Inputs:
    """Everything that the engine reads and writes.

    Raises:
        UserError: arrays of wrong shape or type, or numbers outside what they index.
    """
    text: Callable[[str], list[str]] = lambda name: names(getattr(library, f"wavesim_{name}")())  # noqa: E731
    if text("reasons") != [reason.name.lower() for reason in Reason]:
        raise UserError("the library's reasons are not Reason's")
    values = parameter_values(text("parameters"), p)
    table = op_table(text("op_fields"), text("kinds"), text("categories"), trace.code, p)
    sgprs, (write_offsets, writes), (read_offsets, reads) = sgpr_tables(trace.code)
    pair_of = _pair_of(p)
    lengths = [int(np.size(wave.code)) for wave in trace.waves]
    first_row = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=first_row[1:])
    clocks = np.full((4, int(first_row[-1])), -1, np.int64)
    groups = {group: place for place, group in enumerate(dict.fromkeys(w.workgroup for w in trace.waves))}
    by_order = trace.memory_latency_by_order_clk
    by_order = check_array(by_order, np.int32, np.size(by_order), "memory_latency_by_order_clk")
    _check_range(by_order, -1, LARGEST, "memory_latency_by_order_clk")
    structures = (WaveInput * max(1, len(trace.waves)))()
    keep: list[object] = [values, table, write_offsets, writes, read_offsets, reads, pair_of, by_order]
    keep += [structures, clocks]
    repeats = []
    for place, (wave, rows) in enumerate(zip(trace.waves, lengths, strict=True)):
        what = f"wave {wave.wave} of workgroup {wave.workgroup}"
        if not 0 <= wave.simd < p.structure_simds or not 0 <= wave.start_clk <= MAX_CLK:
            raise UserError(f"{what}: SIMD {wave.simd}, start {wave.start_clk} clk")
        columns = {
            name: check_array(getattr(wave, name), np.int32, rows, f"{what}: {name}")
            for name in ("code", "array_clk", "memory_bytes", "memory_latency_clk")
        }
        taken = check_array(wave.taken, np.bool_, rows, f"{what}: taken")
        _check_range(columns["code"], 0, len(trace.code), f"{what}: code")
        for name in ("array_clk", "memory_bytes", "memory_latency_clk"):
            _check_range(columns[name], -1, LARGEST, f"{what}: {name}")
        spins = _spins(trace, wave, rows, what)
        repeats.append(np.zeros(len(wave.spins), np.int64))
        keep += [*columns.values(), taken, spins, repeats[-1]]
        each = structures[place]
        each.simd, each.workgroup, each.start_clk = wave.simd, groups[wave.workgroup], wave.start_clk
        each.rows, each.place = rows, p.barrier_simd_order.index(wave.simd)
        for name, column in columns.items():
            setattr(each, name, column.ctypes.data)
        each.taken, each.spins = taken.ctypes.data, spins.ctypes.data
        each.spin_count, each.spin_repeats = len(spins), repeats[-1].ctypes.data
        for name, clk in zip(("attempt_clk", "issue_clk", "end_clk", "done_clk"), clocks, strict=True):
            setattr(each, name, clk[first_row[place] :].ctypes.data)
    structure = Input(
        values.ctypes.data,
        pair_of.ctypes.data,
        len(trace.code),
        table.ctypes.data,
        sgprs,
        write_offsets.ctypes.data,
        writes.ctypes.data,
        read_offsets.ctypes.data,
        reads.ctypes.data,
        len(trace.waves),
        len(groups),
        ctypes.addressof(structures),
        len(by_order),
        by_order.ctypes.data,
    )
    return Inputs(structure, clocks, first_row, repeats, keep)
