"""The clock: shader clocks against the 100 MHz counter, by how densely MFMA is issued, first and sustained.

Slots as long as an MFMA follow each other; so many of them hold one and the others nothing. Registers hold
numbers that differ from lane to lane and from wave to wave: power depends on what is multiplied.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wavesim.calibrate.bench.programs import OLDER_SHAPES, exists
from wavesim.calibrate.bench.template import Body
from wavesim.calibrate.chip.found import Curve, Found, Part, found, unknown
from wavesim.calibrate.chip.probe import TICK_NS, Probe, Reader
from wavesim.isa.machine import Machine

SLOTS = 64
DENSITIES = (0, 16, 32, 48, 64)
"""Slots that hold an MFMA."""
DENSE_PERCENT = 45
"""The sustained clock is the one of GEMM loops: from this share of busy matrix pipes on."""

FIRST_TURNS = 400
"""About 0.2 ms, as a short kernel."""
LONG_TURNS = 40_000
"""About 20 ms: then the driver's power is that of the load."""
VIRTUAL_TURNS = 10
SETTLED = 20
"""Launches for one reading, 0.4 s; as many before the first one."""

TOLERANCE = 0.02
"""Within which a clock is found."""


def turns(machine: Machine, density: int, *, first: bool) -> Probe:
    """``density`` MFMAs in each turn, after a rest or sustained."""
    opcode, slots = _opcode(machine), []
    issues = machine.parameters.matrix_pipe_clk(opcode) // machine.parameters.issue_slot_clk
    for slot in range(SLOTS):
        if _holds(slot, density):
            place = f"a[{4 * (slot % 4)}:{4 * (slot % 4) + 3}]"
            slots.append(f"{opcode} {place}, v[4:5], v[6:7], {place}")
            if not _holds(slot + 1, density):
                slots.append(f"s_nop {issues - 2}")  # its own issue is one of them
        else:
            slots.append(f"s_nop {issues - 1}")
    setup = [
        "s_load_dword s20, s[4:5], 0x0",
        "v_mul_u32_u24_e32 v4, 0x9e37, v0",
        *(f"v_mad_u32_u24 v{index + 1}, v{index}, v{index}, v0" for index in (4, 5, 6)),
        # exponents near 1, so that sums stay finite
        *(line for index in (4, 5, 6, 7) for line in _as_bf16(index)),
        *(f"v_accvgpr_write_b32 a{index}, 0" for index in range(16)),
        "s_nop 7",
    ]
    lines = [
        ".Lturn:",
        *slots,
        "s_sub_u32 s20, s20, 1",
        "s_cmp_lg_u32 s20, 0",
        "s_cbranch_scc1 .Lturn",
    ]
    return Probe(
        f"chip_clock_{'first' if first else 'sustained'}_{density}",
        f"chip_clock_{density}",
        Body(lines, setup, waves=4, device=True),
        words=(FIRST_TURNS if first else LONG_TURNS,),
        virtual_words=(VIRTUAL_TURNS,),
        everywhere=True,
        first=first,
        launches=1 if first else SETTLED,
        power=True,
    )


def _holds(slot: int, density: int) -> bool:
    """Whether a slot holds an MFMA: they are spread over the turn."""
    return (slot + 1) * density // SLOTS > slot * density // SLOTS


def _as_bf16(index: int) -> tuple[str, str]:
    """Two bf16 numbers of either sign from 1 to 2."""
    return (
        f"v_and_b32_e32 v{index}, 0x807f807f, v{index}",
        f"v_or_b32_e32 v{index}, 0x3f803f80, v{index}",
    )


def find_clock(machine: Machine, virtual: bool, read: Reader) -> Part:
    """First and sustained clock, by the share of time that the matrix pipes are busy."""
    keys = ("clock.launch_ghz", "clock.sustained_ghz")
    rows: list[tuple[float, ...]] = []
    first: list[float] = []
    sustained: dict[int, list[float]] = {}
    for density in DENSITIES:
        readings = {each: read(turns(machine, density, first=each)) for each in (True, False)}
        ghz = {each: (of[:, 0] / np.maximum(of[:, 1], 1) / TICK_NS).tolist() for each, of in readings.items()}
        clk = float(np.median(readings[False][:, 0])) / (VIRTUAL_TURNS if virtual else LONG_TURNS)
        busy = min(100, round(100 * density * machine.parameters.matrix_pipe_clk(_opcode(machine)) / clk))
        first += ghz[True]
        sustained[busy] = ghz[False]
        watts = float(np.median(readings[False][:, 2])) / 1000
        rows.append((busy, float(np.median(ghz[True])), float(np.median(ghz[False])), watts))
    if not all(0.2 < each < 10 for each in first):
        return Part(unknown(machine, keys, "the 100 MHz counter does not fit the shader clocks"))
    dense = [each for busy, of in sustained.items() if busy >= DENSE_PERCENT for each in of]
    values = [found(machine, keys[0], first), found(machine, keys[1], dense)]
    for mode, of in (("launch", first), ("sustained", dense)):
        key = f"clock.{mode}_range_ghz"
        low, high = (float(f"{each:.4g}") for each in (min(of), max(of)))
        values.append(Found(key, (low, high), machine.span(key), low, high, len(of)))
    curve = {busy: float(f"{np.median(of):.4g}") for busy, of in sustained.items()}
    stock_curve = machine.quantities["clock.sustained_by_busy_ghz"].value
    assert isinstance(stock_curve, Mapping)
    spread = max(max(of) - min(of) for of in sustained.values())
    low, high = min(curve.values()), max(curve.values())
    values.append(
        Found(
            "clock.sustained_by_busy_ghz",
            curve,
            dict(stock_curve),
            low - spread / 2,
            high + spread / 2,
            sum(map(len, sustained.values())),
        )
    )
    columns = ("% MFMA busy", "first GHz", "sustained GHz", "sustained W")
    return Part(tuple(values), (Curve("clock by MFMA density", columns, tuple(rows)),))


def _opcode(machine: Machine) -> str:
    name = "v_mfma_f32_16x16x16_bf16"
    return name if exists(name, machine.arch) else OLDER_SHAPES[0][0]
