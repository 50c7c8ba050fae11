"""Bandwidths: all compute units go through memory at once, one does alone where its own rate is asked.

Each program runs twice as long once more, and the difference counts: what a launch costs, and what the first
pass through a cache costs, is in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wavesim.calibrate.bench.benchmark import register
from wavesim.calibrate.bench.memory_levels import LINE_BYTES
from wavesim.calibrate.bench.template import Body
from wavesim.calibrate.chip.found import Found, Part, found
from wavesim.calibrate.chip.probe import HEADER_BYTES, TICK_NS, Float, Probe, Reader
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine

WAVES = 16
UNROLLED = 4
STEP_BYTES = 16 * LANES * WAVES
"""What a workgroup reads with one instruction of each wave."""

LONE_BYTES = 512
"""From line to line where each is alone on its channel: further than one channel's neighbours lie."""

ALL = 0xFFFFFFFF
TOLERANCE = 0.06
"""Within which a bandwidth is found."""


@dataclass(frozen=True)
class _Walk:
    """How a workgroup goes through memory: ``steps`` of ``step_bytes`` from its own start, ``passes`` times.
    Workgroups start ``apart_bytes`` from each other, again from the beginning above ``start_mask``."""

    steps: int
    passes: int
    step_bytes: int
    lane_bytes: int = 16
    apart_bytes: int = 0
    start_mask: int = ALL

    def words(self, times: int) -> tuple[int, ...]:
        return (
            self.steps // UNROLLED,
            self.passes * times,
            self.step_bytes,
            self.lane_bytes,
            self.apart_bytes,
            self.start_mask,
        )

    def bytes(self, one: int) -> int:
        """Bytes of a workgroup, ``one`` for each lane and step."""
        return self.steps * self.passes * one * LANES * WAVES


def stream(
    name: str, kind: str, walk: _Walk, virtual: _Walk, footprint_bytes: int, times: int, everywhere: bool
) -> Probe:
    """Loads (``x4``, ``x1``) or stores (``store``) of 16 waves."""
    registers = 1 if kind == "x1" else 4
    suffix = "dword" if kind == "x1" else "dwordx4"
    lines = [
        ".Lpass:",
        "s_mov_b64 s[24:25], s[22:23]",
        "s_mov_b32 s26, s20",
        ".Lstep:",
        *(line for number in range(UNROLLED) for line in _access(kind, suffix, registers, number)),
        "s_sub_u32 s26, s26, 1",
        "s_cmp_lg_u32 s26, 0",
        "s_cbranch_scc1 .Lstep",
        "s_sub_u32 s21, s21, 1",
        "s_cmp_lg_u32 s21, 0",
        "s_cbranch_scc1 .Lpass",
    ]
    setup = [
        "s_load_dwordx4 s[20:23], s[4:5], 0x0",
        "s_load_dwordx2 s[28:29], s[4:5], 0x10",
        "s_waitcnt lgkmcnt(0)",
        "s_mov_b32 s30, s22",
        "v_mul_lo_u32 v64, v0, s23",
        "s_mul_i32 s22, s6, s28",
        "s_and_b32 s22, s22, s29",
        f"s_add_u32 s22, s22, {HEADER_BYTES:#x}",
        "s_add_u32 s22, s22, s4",
        "s_addc_u32 s23, s5, 0",
        *(f"v_mov_b32_e32 v{16 + number}, 0" for number in range(4)),
    ]
    body = Body(lines, setup, ["s_waitcnt vmcnt(0)"], waves=WAVES, vgprs=72, agprs=0, device=True)
    return Probe(
        f"chip_{name}_{footprint_bytes}_{times}",
        f"chip_{kind}",
        body,
        words=walk.words(times),
        virtual_words=virtual.words(times),
        buffer_bytes=footprint_bytes + STEP_BYTES,
        footprint_bytes=footprint_bytes,
        everywhere=everywhere,
    )


def _access(kind: str, suffix: str, registers: int, number: int) -> Sequence[str]:
    target = register(16 + (0 if kind == "store" else 4 * number), registers)
    access = (
        f"global_store_{suffix} v64, {target}, s[24:25]"
        if kind == "store"
        else f"global_load_{suffix} {target}, v64, s[24:25]"
    )
    return access, "s_add_u32 s24, s24, s30", "s_addc_u32 s25, s25, 0"


def find_streams(machine: Machine, compute_units: int, virtual: bool, read: Reader) -> Part:
    """Rates of L1 and L2 in bytes a clock, of the Infinity Cache and HBM in GB/s, of lone lines of HBM.

    Args:
        machine: with the capacities that were found.
        compute_units: of the device.
        virtual: whether it simulates less.
        read: the reader.
    """
    l1, l2, caches, mall = (
        machine.integer(f"memory.{name}") for name in ("l1_bytes", "l2_bytes", "l2_caches", "mall_bytes")
    )
    few = _Walk(16, 2, STEP_BYTES)

    def rate(
        kind: str, name: str, walk: _Walk, small: _Walk, footprint_bytes: int, everywhere: bool
    ) -> tuple[Float, Float]:
        """Bytes of a workgroup a clk and a tick, of each repeat."""
        short, long = (
            read(stream(name, kind, walk, small, footprint_bytes, times, everywhere)) for times in (1, 2)
        )
        clk, ticks = (long - short)[:, 0], (long - short)[:, 1]
        asked = (small if virtual else walk).bytes(LINE_BYTES if kind == "x1" else 16)
        return asked / np.maximum(clk, 1), asked / np.maximum(ticks, 1)

    values: list[Found] = []

    def add(key: str, readings: Float) -> None:
        values.append(found(machine, key, readings.tolist()))

    again = _Walk(UNROLLED, 512, 0)
    alone, _ = rate("x4", "l1", again, _Walk(UNROLLED, 48, 0), STEP_BYTES, everywhere=False)
    if l1 >= STEP_BYTES:
        add("memory.l1_hit_bytes_per_clk", alone)
    # starts apart, so that not all ask one channel at a time; together less than an L2, far more than an L1
    half = max(8 * STEP_BYTES, 1 << (l2 // 4).bit_length() - 1)
    shared = _Walk(half // STEP_BYTES, 16, STEP_BYTES, apart_bytes=4 * STEP_BYTES, start_mask=half - 1)
    for kind, key in (("x4", "memory.l2_read_bytes_per_clk"), ("store", "memory.l2_write_bytes_per_clk")):
        each, _ = rate(kind, f"l2_{kind}", shared, few, 2 * half, everywhere=True)
        add(key, each * compute_units / caches)

    def gbytes(each: Float) -> Float:
        return each * compute_units / TICK_NS

    if mall:
        part = max(UNROLLED, mall // 2 // compute_units // STEP_BYTES // UNROLLED * UNROLLED)
        own = _Walk(part, 4, STEP_BYTES, apart_bytes=part * STEP_BYTES)
        _, each = rate("x4", "mall", own, few, part * STEP_BYTES * compute_units, everywhere=True)
        add("memory.mall_read_gbytes_per_s", gbytes(each))
    beyond = min(1 << 31, 4 * max(mall, l2 * caches))
    part = max(UNROLLED, beyond // compute_units // STEP_BYTES // UNROLLED * UNROLLED)
    own = _Walk(part, 1, STEP_BYTES, apart_bytes=part * STEP_BYTES)
    _, each = rate("x4", "hbm", own, few, part * STEP_BYTES * compute_units, everywhere=True)
    add("memory.hbm_read_gbytes_per_s", gbytes(each))
    lone_bytes = LONE_BYTES * LANES * WAVES
    part = max(UNROLLED, beyond // compute_units // lone_bytes // UNROLLED * UNROLLED)
    lone = _Walk(part, 1, lone_bytes, LONE_BYTES, part * lone_bytes)
    tiny = _Walk(UNROLLED, 1, lone_bytes, LONE_BYTES)
    _, each = rate("x1", "lone", lone, tiny, part * lone_bytes * compute_units, everywhere=True)
    halves = 2 * machine.integer("memory.hbm_channels")
    add("memory.hbm_row_ns", halves * LINE_BYTES / gbytes(each))
    return Part(tuple(values))
