"""Bounds: what each resource alone would allow, in clk per iteration of all waves on the CU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.analyze.code_tables import CATEGORIES, CodeTables, array_clk_of_rows, memory_bytes_of_rows
from wavesim.analyze.passes import Passes
from wavesim.analyze.result import LEVEL_BOUNDS, Bounds
from wavesim.isa.kinds import LANES, LDS_KINDS, VMEM_KINDS
from wavesim.isa.machine import Machine
from wavesim.timing.in_flight import held_bytes, share_in_flight
from wavesim.trace import Category, Kind, MemoryLevel, Timeline, WaveTrace
from wavesim.trace.trace import UNKNOWN

Float = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def find_bounds(
    timeline: Timeline, passes: Passes | None, unroll: int, tables: CodeTables, machine: Machine
) -> Bounds | None:
    """Sum the work of the counted passes over each resource, per iteration; ``None`` without a loop.

    - ``mfma``: matrix-pipe clocks of the busiest SIMD.
    - ``lds_bytes``: bytes read and written (also by loads straight to LDS) over the array's bandwidth.
    - ``lds_service``: the largest of the pairs' port clocks (reads, and writes with their hold) and
      the array's clocks (bank conflicts included).
    - ``issue``: slots of the busiest category of the busiest SIMD.
    - ``global_bytes``: bytes to and from global memory over the CU's path, at the L1's rate if it has them.
    - ``memory_in_flight``: latencies of all global loads and stores, each for its share of what may
      be in flight.
    - ``l2``, ``mall``, ``hbm``, where the device's memory is predicted: clocks in which each level
      gives the compute unit its lines, at an equal share of the level for all compute units.

    Args:
        timeline: The run.
        passes: What is counted of its main loop.
        unroll: Iterations that a pass is.
        tables: Its static instructions.
        machine: What it ran on.
    """
    if passes is None:
        return None
    parameters = machine.parameters
    simds = parameters.structure_simds
    mfma = np.zeros(simds)
    slots = np.zeros((simds, len(CATEGORIES)))
    ports = np.zeros(simds)
    array = lds_bytes = path_clk = latencies = 0.0
    lds = tables.is_kind(*LDS_KINDS)
    latency = _latency_of_rows(timeline, tables, machine)
    levels: dict[str, float] = {}
    for position, trace in enumerate(timeline.trace.waves):
        rows, simd = passes.rows(timeline, position), timeline.waves[position].simd
        code = trace.code[rows]
        memory = memory_bytes_of_rows(trace, tables)[rows]
        array_clk = array_clk_of_rows(trace, tables)[rows]
        to_lds = tables.to_lds[code]
        mfma[simd] += tables.pipe_clk[code].sum()
        slots[simd] += np.bincount(
            tables.category[code], weights=tables.issue_clk[code], minlength=len(CATEGORIES)
        )
        ports[simd] += tables.port_clk[code].sum()
        array += np.where(to_lds & (array_clk == 0), tables.array_clk[code], array_clk).sum()
        lds_bytes += LANES * tables.width_bytes[code][lds[code]].sum() + memory[to_lds].sum()
        hit = np.minimum(trace.of_memory("memory_hit_bytes")[rows], memory)
        path_clk += (memory - hit).sum() / parameters.memory_bytes_per_clk
        path_clk += hit.sum() / parameters.memory_l1_hit_bytes_per_clk
        _add_levels(levels, trace, rows)
        held = held_bytes(memory - hit, to_lds, parameters)
        latencies += (latency[position][rows] * share_in_flight(held, parameters)).sum()
    by_category = {
        str(category): slots[:, index].max()
        for index, category in enumerate(CATEGORIES)
        if category is not Category.INTERNAL
    }
    parts = {
        f"port_{pair}": sum(ports[simd] for simd in members)
        for pair, members in enumerate(parameters.structure_simd_pairs)
    }
    parts["array"] = array

    def per_iteration(clk: float) -> float:
        return float(clk / (passes.made * unroll))

    return Bounds(
        mfma=per_iteration(mfma.max()),
        lds_bytes=per_iteration(lds_bytes / _array_bytes_per_clk(machine)),
        lds_service=per_iteration(max(parts.values())),
        issue=per_iteration(max(by_category.values())),
        global_bytes=per_iteration(path_clk),
        memory_in_flight=per_iteration(latencies),
        issue_by_category={name: per_iteration(clk) for name, clk in by_category.items()},
        lds_parts={name: per_iteration(clk) for name, clk in parts.items()},
        memory_levels={name: per_iteration(clk16 / 16) for name, clk16 in levels.items()},
    )


def _add_levels(levels: dict[str, float], trace: WaveTrace, rows: Int64) -> None:
    """Adds what the rows need of each level of the device's memory, in sixteenths of a clock."""
    if not len(trace.memory_level):
        return
    path, level = trace.of_memory("memory_path_clk16")[rows], trace.memory_level[rows]
    needed = {"l2": trace.of_memory("memory_l2_clk16")[rows]}
    for name, each in (("mall", MemoryLevel.MALL), ("hbm", MemoryLevel.HBM)):
        needed[name] = path[level == tuple(MemoryLevel).index(each)]
    for name in LEVEL_BOUNDS:
        levels[name] = levels.get(name, 0.0) + float(needed[name].sum())


def _latency_of_rows(timeline: Timeline, tables: CodeTables, machine: Machine) -> list[Int64]:
    """Per wave and row the latency that the model gives a global access (docs/model §10); 0 for others."""
    parameters, trace = machine.parameters, timeline.trace
    by_kind = np.zeros(len(trace.code), np.int64)
    by_kind[tables.is_kind(Kind.VMEM_LOAD)] = parameters.memory_latency_clk
    by_kind[tables.is_kind(Kind.VMEM_STORE)] = parameters.memory_store_latency_clk
    vmem = tables.is_kind(*VMEM_KINDS)
    found, waves, rows, issue = [], [], [], []
    for position, (wave, times) in enumerate(zip(trace.waves, timeline.waves, strict=True)):
        own = wave.memory_latency_clk.astype(np.int64)
        found.append(np.where(vmem[wave.code] & (own != UNKNOWN), own, by_kind[wave.code]))
        here = np.flatnonzero(vmem[wave.code] & (times.issue_clk >= 0))
        waves.append(np.full(len(here), position))
        rows.append(here)
        issue.append(times.issue_clk[here])
    given = trace.memory_latency_by_order_clk.astype(np.int64)
    if len(given) and waves:
        order = np.argsort(np.concatenate(issue), kind="stable")[: len(given)]
        for wave, row, clk in zip(
            np.concatenate(waves)[order].tolist(),
            np.concatenate(rows)[order].tolist(),
            given.tolist(),
            strict=False,
        ):
            if clk != UNKNOWN:
                found[wave][row] = clk
    return found


def _array_bytes_per_clk(machine: Machine) -> float:
    if "lds.array_bytes_per_clk" in machine.quantities:
        return float(machine.integer("lds.array_bytes_per_clk"))
    widths = [width for access, width in machine.parameters.lds_array_clk if access == "read"]
    widest = max(widths)
    return LANES * widest / machine.parameters.lds_array_clk["read", widest]
