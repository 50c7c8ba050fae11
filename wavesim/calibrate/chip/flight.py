"""In flight: how many accesses of a compute unit are on their way at most, by the width of an access.

Four waves issue so many loads together whose lines are far away, and the clock is read behind the last issue,
not behind the data. As long as all can be on their way, the issue takes what the path takes; one more waits
for the first to return. The table is read beside ``memory.queue_entries`` and ``memory.tail_bytes``, which
are fitted, and is there to see whether they hold for every width.
"""

from __future__ import annotations

import numpy as np

from wavesim.calibrate.bench.benchmark import register
from wavesim.calibrate.bench.memory import WARM_LINES
from wavesim.calibrate.bench.memory_levels import LINE_BYTES
from wavesim.calibrate.bench.programs import exists
from wavesim.calibrate.bench.template import Body
from wavesim.calibrate.chip.found import Curve, Part
from wavesim.calibrate.chip.probe import HEADER_BYTES, TOUCH, Probe, Reader
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine

WAVES = 4
MOST = 4 * 60
"""vmcnt counts 63 of a wave."""
FEWEST = 8
APART_BYTES = 1024
WAVE_BYTES = MOST // WAVES * APART_BYTES
LDS_BYTES = 65536

WIDTHS = {
    "global_load_dword": 4,
    "global_load_dwordx2": 8,
    "global_load_dwordx4": 16,
    "global_load_lds_dword": 4,
    "global_load_lds_dwordx4": 16,
}
"""Opcode -> bytes a lane; those to LDS are not everywhere."""

LATE = 0.1
"""An issue that is late by this share of the latency waits for a return."""


def burst(machine: Machine, opcode: str, count: int) -> Probe:
    """``count`` loads of four waves, after so much else was touched that their lines are far away."""
    to_lds = "_lds_" in opcode
    target = "" if to_lds else register(16, WIDTHS[opcode] // 4) + ", "

    def load(number: int) -> str:
        return f"{opcode} {target}v{64 + number // 4}, s[4:5] offset:{APART_BYTES * (number % 4)}"

    each, more = divmod(count, WAVES)
    lines = [load(number) for number in range(each)]
    if more:  # the first waves issue one more
        lines += [f"s_cmp_lt_u32 s26, {LANES * more}", "s_cbranch_scc0 .Lissued", load(each), ".Lissued:"]
    beyond = 2 * max(machine.integer("memory.mall_bytes"), machine.integer("memory.l2_bytes"))
    loads = beyond // (WARM_LINES * LINE_BYTES) // WAVES
    setup = [
        "s_load_dword s24, s[4:5], 0x0",
        "v_readfirstlane_b32 s26, v0",
        "v_lshlrev_b32_e32 v5, 7, v0",
        f"v_add_u32_e32 v5, {HEADER_BYTES + WAVES * WAVE_BYTES:#x}, v5",
        "v_and_b32_e32 v4, 63, v0",
        f"v_lshlrev_b32_e32 v4, {WIDTHS[opcode].bit_length() - 1}, v4",
        "v_lshrrev_b32_e32 v6, 6, v0",
        f"v_mul_u32_u24_e32 v6, {WAVE_BYTES:#x}, v6",
        "v_add_u32_e32 v64, v4, v6",
        f"v_add_u32_e32 v64, {HEADER_BYTES:#x}, v64",
        *(f"v_add_u32_e32 v{64 + index}, {4 * APART_BYTES * index:#x}, v64" for index in range(1, 15)),
        *(["s_mov_b32 m0, 0"] if to_lds else []),
        f"s_mov_b32 s25, {WAVES * WARM_LINES * LINE_BYTES:#x}",
        *TOUCH,
    ]
    body = Body(lines, setup, waves=WAVES, lds_bytes=LDS_BYTES if to_lds else 0, vgprs=80, device=True)
    return Probe(
        f"chip_{opcode}_{count}",
        f"chip_{opcode}_{count}",
        body,
        words=(loads,),
        virtual_words=(0,),
        buffer_bytes=WAVES * WAVE_BYTES + beyond + (1 << 20),
        footprint_bytes=beyond,
    )


def find_flight(machine: Machine, read: Reader) -> Part:
    """The most accesses, and bytes, that are on their way, for each width."""
    far = machine.integer("memory.hbm_latency_clk")
    path = machine.integer("memory.bytes_per_clk")
    rows: dict[str, tuple[float, ...]] = {}
    for opcode, width in WIDTHS.items():
        if not exists(opcode, machine.arch):
            continue
        pace = max(machine.integer("memory.min_service_clk"), LANES * width // path)

        few_clk = _issue_clk(read, burst(machine, opcode, FEWEST))

        def late(count: int, opcode: str = opcode, pace: int = pace, few_clk: float = few_clk) -> bool:
            more_clk = _issue_clk(read, burst(machine, opcode, count)) - few_clk
            return more_clk > (count - FEWEST) * pace + LATE * far

        low, high = FEWEST, MOST
        if not late(high):
            low = high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if late(middle) else (middle, high)
        rows[opcode] = (low, low * LANES * width)
    columns = ("accesses", "bytes")
    return Part((), (Curve("on their way at most", columns, tuple(rows.values()), tuple(rows)),))


def _issue_clk(read: Reader, probe: Probe) -> float:
    return float(np.median(read(probe)[:, 0]))
