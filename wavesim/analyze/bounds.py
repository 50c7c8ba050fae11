"""Bounds: what each resource alone would allow, in clk per iteration of all waves on the CU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wavesim.analyze.code_tables import (
    CATEGORIES,
    LANES,
    LDS_KINDS,
    CodeTables,
    array_clk_of_rows,
    memory_bytes_of_rows,
)
from wavesim.analyze.loops import WaveLoop
from wavesim.analyze.result import Bounds
from wavesim.analyze.steady import Window
from wavesim.isa.machine import Machine
from wavesim.trace import Category, Timeline

Float = npt.NDArray[np.float64]


def find_bounds(
    timeline: Timeline,
    runs: Sequence[WaveLoop | None],
    window: Window | None,
    tables: CodeTables,
    machine: Machine,
) -> Bounds | None:
    """Sum the work of one mean iteration of every wave over each resource; ``None`` without a loop.

    - ``mfma``: matrix-pipe clocks of the busiest SIMD.
    - ``lds_bytes``: bytes read and written (also by loads straight to LDS) over the array's bandwidth.
    - ``lds_service``: the largest of the pairs' port clocks (reads, and writes with their hold) and
      the array's clocks (bank conflicts included).
    - ``issue``: slots of the busiest category of the busiest SIMD.
    - ``global_bytes``: bytes to and from global memory over the CU's path.
    """
    if window is None:
        return None
    parameters = machine.parameters
    simds = parameters.structure_simds
    mfma = np.zeros(simds)
    slots = np.zeros((simds, len(CATEGORIES)))
    ports = np.zeros(simds)
    array = lds_bytes = global_bytes = 0.0
    lds = tables.is_kind(*LDS_KINDS)
    iterations = window.last - window.first
    bandwidth = _array_bytes_per_clk(machine)
    for position, run in enumerate(runs):
        if run is None:
            continue
        trace, simd = timeline.trace.waves[position], timeline.waves[position].simd
        rows = slice(int(run.head_rows[window.first]), int(run.head_rows[window.last]))
        code = trace.code[rows]
        memory = memory_bytes_of_rows(trace, tables)[rows]
        to_lds = tables.to_lds[code]
        mfma[simd] += tables.pipe_clk[code].sum() / iterations
        slots[simd] += (
            np.bincount(tables.category[code], weights=tables.issue_clk[code], minlength=len(CATEGORIES))
            / iterations
        )
        ports[simd] += tables.port_clk[code].sum() / iterations
        array += (
            np.where(
                to_lds & (array_clk_of_rows(trace, tables)[rows] == 0),
                tables.array_clk[code],
                array_clk_of_rows(trace, tables)[rows],
            ).sum()
            / iterations
        )
        lds_bytes += (LANES * tables.width_bytes[code][lds[code]].sum() + memory[to_lds].sum()) / iterations
        global_bytes += memory.sum() / iterations
    by_category = {
        str(category): float(slots[:, index].max())
        for index, category in enumerate(CATEGORIES)
        if category is not Category.INTERNAL
    }
    parts = {
        f"port_{pair}": float(sum(ports[simd] for simd in members))
        for pair, members in enumerate(parameters.structure_simd_pairs)
    }
    parts["array"] = float(array)
    return Bounds(
        mfma=float(mfma.max()),
        lds_bytes=float(lds_bytes / bandwidth),
        lds_service=max(parts.values()),
        issue=max(by_category.values()),
        global_bytes=float(global_bytes / parameters.memory_bytes_per_clk),
        issue_by_category=by_category,
        lds_parts=parts,
    )


def _array_bytes_per_clk(machine: Machine) -> float:
    if "lds.array_bytes_per_clk" in machine.quantities:
        return float(machine.integer("lds.array_bytes_per_clk"))
    widths = [width for access, width in machine.parameters.lds_array_clk if access == "read"]
    widest = max(widths)
    return LANES * widest / machine.parameters.lds_array_clk["read", widest]
