"""What analysis needs of each static instruction, as arrays indexed like ``Trace.code``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import LANES, LDS_KINDS, VMEM_KINDS
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules.lds_array import conflict_free_clk
from wavesim.timing.rules.lds_from_memory import array_clk
from wavesim.timing.rules.lds_port import port_clk
from wavesim.trace import Category, CodeEntry, Kind, Trace, WaveTrace
from wavesim.trace.trace import UNKNOWN

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

KINDS = tuple(Kind)
CATEGORIES = tuple(Category)


@dataclass(frozen=True)
class CodeTables:
    """One row per static instruction.

    ``kind`` and ``category`` index :data:`KINDS` and :data:`CATEGORIES`; ``pipe_clk`` and ``flop`` are an
    MFMA's matrix-pipe clocks and floating-point operations; ``width_bytes`` is per lane; ``port_clk``
    the LDS port's clocks and ``array_clk`` the conflict-free array's; ``issue_clk`` the clocks for which
    the SIMD's category is taken. ``missing_mfma`` names MFMA opcodes for which the machine has no data
    (a measured trace may hold them); they count as nothing.
    """

    kind: Int64
    category: Int64
    pipe_clk: Int64
    flop: Int64
    width_bytes: Int64
    port_clk: Int64
    array_clk: Int64
    issue_clk: Int64
    to_lds: Bool
    missing_mfma: tuple[str, ...]

    def is_kind(self, *kinds: Kind) -> Bool:
        """Which static instructions are of one of ``kinds``."""
        return np.isin(self.kind, [KINDS.index(kind) for kind in kinds])


def code_tables(trace: Trace, parameters: TimingParameters) -> CodeTables:
    """Tabulate the static instructions of ``trace`` with the machine's service times."""
    code = trace.code
    missing = sorted(
        {entry.mfma for entry in code if entry.kind is Kind.MFMA and entry.mfma not in parameters.mfma_table}
    )

    def column(values: list[int]) -> Int64:
        return np.array(values, np.int64)

    return CodeTables(
        kind=column([KINDS.index(entry.kind) for entry in code]),
        category=column([CATEGORIES.index(entry.category) for entry in code]),
        pipe_clk=column([_pipe_clk(entry, parameters) for entry in code]),
        flop=column([_flop(entry, parameters) for entry in code]),
        width_bytes=column([entry.width_bytes for entry in code]),
        port_clk=column([port_clk(parameters, entry) if entry.kind in LDS_KINDS else 0 for entry in code]),
        array_clk=column([_array_clk(entry, parameters) for entry in code]),
        issue_clk=column([_issue_clk(entry, parameters) for entry in code]),
        to_lds=np.array([entry.to_lds for entry in code], bool),
        missing_mfma=tuple(missing),
    )


def array_clk_of_rows(wave: WaveTrace, tables: CodeTables) -> Int64:
    """Clocks of the bank array per dynamic row; the conflict-free value where it is not known."""
    recorded = wave.array_clk.astype(np.int64)
    return np.where(recorded == UNKNOWN, tables.array_clk[wave.code], recorded)


def memory_bytes_of_rows(wave: WaveTrace, tables: CodeTables) -> Int64:
    """Global-memory bytes per dynamic row; those of 64 active lanes where they are not known."""
    recorded = wave.memory_bytes.astype(np.int64)
    is_vmem = tables.is_kind(*VMEM_KINDS)[wave.code]
    return np.where(is_vmem & (recorded == UNKNOWN), LANES * tables.width_bytes[wave.code], recorded)


def _pipe_clk(entry: CodeEntry, parameters: TimingParameters) -> int:
    if entry.kind is not Kind.MFMA or entry.mfma not in parameters.mfma_table:
        return 0
    return parameters.matrix_pipe_clk(entry.mfma, entry.mfma_format)


def _flop(entry: CodeEntry, parameters: TimingParameters) -> int:
    if entry.kind is not Kind.MFMA or entry.mfma not in parameters.mfma_table:
        return 0
    row = parameters.mfma_table[entry.mfma]
    return row.flops_fp4 if entry.mfma_format == "fp4" and row.flops_fp4 else row.flops


def _array_clk(entry: CodeEntry, parameters: TimingParameters) -> int:
    if entry.to_lds:
        return array_clk(parameters, LANES * entry.width_bytes)
    return conflict_free_clk(parameters, entry) if entry.kind in LDS_KINDS else 0


def _issue_clk(entry: CodeEntry, parameters: TimingParameters) -> int:
    if entry.category is Category.INTERNAL:
        return 0
    if entry.kind is Kind.TRANS:
        return parameters.issue_trans_clk
    if entry.kind is Kind.MFMA and entry.scaled:
        return 2 * parameters.issue_slot_clk
    if entry.multi_slot:
        return parameters.issue_multi_slot_valu_clk
    if entry.share.as_first or entry.share.as_second:
        return parameters.issue_slot_clk // parameters.issue_valu_per_slot
    return parameters.issue_slot_clk
