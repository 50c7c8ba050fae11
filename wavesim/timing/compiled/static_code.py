"""Static instructions as the tables that engine.c reads.

What no parameter changes is kept by the code: calibration and search time one program many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.ops import Op
from wavesim.trace import Category, CodeEntry, Kind
from wavesim.trace.code import SGPR_EXEC, SlotShare

Array = npt.NDArray[np.generic]
Int64 = npt.NDArray[np.int64]

LARGEST = 1 << 40
"""No number of a machine is larger: sums of clocks stay far inside 64 bits."""

LONG = 1000
"""Of code with more instructions the tables of few are kept."""

SHARE = tuple(SlotShare.__slots__)
"""Fields of an instruction that say with which others it shares a slot."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the library numbers fields of an instruction, kinds and categories."""

    fields: tuple[str, ...]
    kinds: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StaticCode:
    """Of a code: a row per instruction and a column per field, those of its clocks still empty.

    ``alike`` has one instruction of each group that all parameters treat alike, ``group`` each
    instruction's. ``sgprs``, ``writes`` and ``reads``: see :func:`_sgprs`.
    """

    numbering: Numbering
    table: Int64
    alike: tuple[CodeEntry, ...]
    group: Int64
    address: Int64
    end: Int64
    sgprs: int
    writes: tuple[Array, Array]
    reads: tuple[Array, Array]

    def with_clocks(self, p: TimingParameters) -> Int64:
        """The whole table.

        Raises:
            UserError: a number that the engine cannot work with.
        """
        table, place = self.table.copy(), self.numbering.fields.index
        if not self.alike:
            return table
        each = [_clocks_of(entry, p, self.numbering) for entry in self.alike]
        clocks = np.array([list(one.values()) for one in each], np.int64)
        if clocks.min() < 0 or clocks.max() >= LARGEST:
            wrong = next(name for one in each for name, clk in one.items() if not 0 <= clk < LARGEST)
            raise UserError(f"{wrong} of an instruction: values outside [0, {LARGEST})")
        table[:, [place(name) for name in each[0]]] = clocks[self.group]
        table[:, place("first_chunk")] = self.address // p.fetch_chunk_bytes
        table[:, place("last_chunk")] = (self.end - 1) // p.fetch_chunk_bytes
        return table


class _Same:
    """A code by its identity; its instructions are many to compare."""

    __slots__ = ("code",)

    def __init__(self, code: tuple[CodeEntry, ...]) -> None:
        self.code = code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.code is other.code

    def __hash__(self) -> int:
        return id(self.code)


def static_code(code: tuple[CodeEntry, ...], numbering: Numbering) -> StaticCode:
    """The tables of a code, those of the latest kept."""
    return (_few if len(code) > LONG else _many)(_Same(code), numbering)


def _made(same: _Same, numbering: Numbering) -> StaticCode:
    code = same.code
    groups: dict[tuple[object, ...], int] = {}
    alike: list[CodeEntry] = []
    group: list[int] = []
    for entry in code:  # an enum is hashed by Python code, its value is not
        shape = (
            entry.kind._value_,
            entry.width_bytes,
            entry.data_bytes,
            entry.nop_slots,
            entry.sleep_units,
            entry.mfma,
            entry.mfma_format,
            entry.mfma_source_vgprs,
            entry.scaled,
            entry.multi_slot,
        )
        number = groups.setdefault(shape, len(groups))
        if number == len(alike):
            alike.append(entry)
        group.append(number)
    columns: dict[str, npt.ArrayLike] = {
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
    table = np.zeros((len(code), len(numbering.fields)), np.int64)
    for name, values in columns.items():
        table[:, numbering.fields.index(name)] = np.asarray(values, np.int64)
    address = np.array([entry.address for entry in code], np.int64)
    end = address + np.array([entry.size_bytes for entry in code], np.int64)
    groups_of = np.array(group, np.int64)
    return StaticCode(numbering, table, tuple(alike), groups_of, address, end, *_sgprs(code))


_many, _few = lru_cache(maxsize=128)(_made), lru_cache(maxsize=2)(_made)


def _clocks_of(entry: CodeEntry, p: TimingParameters, numbering: Numbering) -> dict[str, int]:
    """The fields that depend on an instruction's kind and size alone."""
    op = Op(entry, p)
    return {
        "category": numbering.categories.index(entry.category.value),
        "kind": numbering.kinds.index(entry.kind.value),
        "hold_clk": op.hold_clk,
        "scaled": int(op.scaled),
        "goes_first": int(op.goes_first),
        "memory_bytes": op.memory_bytes,
        "sends": int(op.sends),
        "port_clk": op.port_clk,
        "array_clk": op.array_clk,
        "subdword_clk": op.subdword_clk,
        "latency_clk": op.latency_clk,
        "pipe_clk": op.pipe_clk,
        "blocks_valu_clk": op.blocks_valu,
        "blocks_memory_clk": op.blocks_memory,
    }


def _offsets(groups: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    offsets = np.zeros(len(groups) + 1, np.int32)
    np.cumsum([len(group) for group in groups], out=offsets[1:])
    flat = np.array([item for group in groups for item in group], np.int32)
    return offsets, flat


def _sgprs(code: Sequence[CodeEntry]) -> tuple[int, tuple[Array, Array], tuple[Array, Array]]:
    """SGPRs that VMEM instructions read (§4), numbered from 0: how many, and by instruction those that a
    SALU one writes and a VMEM one reads."""
    is_salu = [place for place, entry in enumerate(code) if entry.kind is Kind.SALU]
    is_vmem = [place for place, entry in enumerate(code) if entry.category is Category.VMEM]
    read: set[int] = {SGPR_EXEC}
    for place in is_vmem:
        read |= code[place].sgpr_reads
    number = {register: place for place, register in enumerate(sorted(read))}
    writes: list[Sequence[int]] = [()] * len(code)
    reads: list[Sequence[int]] = [()] * len(code)
    for place in is_salu:
        writes[place] = sorted(number[register] for register in code[place].sgpr_writes & read)
    for place in is_vmem:
        reads[place] = sorted(number[register] for register in {*code[place].sgpr_reads, SGPR_EXEC})
    return len(number), _offsets(writes), _offsets(reads)
