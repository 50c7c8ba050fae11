"""Capacities of the cache levels: a pointer chase through a few lines, after so many others were touched.

The lines of the chase are loaded, then ``footprint`` bytes of others, then the chase is timed. While a level
holds them all, a step takes its latency. The lines lie in one page, so that it is not translation that is
measured. Steps are looked at in doublings; each rise is then narrowed down.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from struct import pack

import numpy as np

from wavesim.calibrate.bench.benchmark import repeat
from wavesim.calibrate.bench.memory import CHASE_STEPS, WARM_LINES
from wavesim.calibrate.bench.memory_levels import LINE_BYTES
from wavesim.calibrate.bench.template import Body
from wavesim.calibrate.chip.found import Curve, Found, Part, found
from wavesim.calibrate.chip.probe import HEADER_BYTES, TOUCH, Probe, Reader
from wavesim.isa.machine import Machine

APART_LINES = 33
SMALLEST_BYTES = 8 << 10
LARGEST_BYTES = 1 << 30
BEYOND = 4
"""Footprints go up to so many times what the stock caches hold."""

RISE = 1.12
"""A step that takes so much longer than at half the footprint is on its way to the next level."""
LEFT = 0.10
"""A level is full where a step has taken this share of the way to the next one."""
FINE = 24
"""A capacity is narrowed down to this part of it."""
TOLERANCE = 0.15
"""Within which a capacity is found: a cache that replaces at random leaves gradually."""

_RING_BYTES = CHASE_STEPS * APART_LINES * LINE_BYTES


@dataclass(frozen=True)
class _Rise:
    """Between two levels: the last footprint of the first, and clocks of a step in both."""

    last_bytes: int
    first_clk: float
    next_clk: float


def chase(footprint_bytes: int) -> Probe:
    """The chase after ``footprint_bytes`` were touched, its own lines among them."""
    others = max(0, footprint_bytes - CHASE_STEPS * LINE_BYTES)
    loads = others // (WARM_LINES * LINE_BYTES)
    step = ["global_load_dword v4, v4, s[4:5]", "s_waitcnt vmcnt(0)"]
    setup = [
        "s_load_dword s24, s[4:5], 0x0",
        "v_lshlrev_b32_e32 v5, 7, v0",
        f"v_add_u32_e32 v5, {HEADER_BYTES + _RING_BYTES:#x}, v5",
        "s_mov_b64 s[22:23], exec",
        "s_mov_b64 exec, 1",
        f"v_mov_b32_e32 v4, {HEADER_BYTES:#x}",
        *repeat(CHASE_STEPS, *step),
        "s_mov_b64 exec, s[22:23]",
        f"s_movk_i32 s25, {WARM_LINES * LINE_BYTES}",
        *TOUCH,
        "s_mov_b64 exec, 1",
    ]
    body = Body(repeat(CHASE_STEPS, *step), setup, ["s_mov_b64 exec, s[22:23]"], device=True)
    return Probe(
        f"chip_chase_{footprint_bytes}",
        "chip_chase",
        body,
        words=(loads,),
        virtual_words=(0,),
        content=_ring(),
        buffer_bytes=_RING_BYTES + others,
        footprint_bytes=footprint_bytes,
    )


def _ring() -> bytes:
    """Each line of the ring holds where the next one is."""
    content = bytearray(_RING_BYTES)
    for step in range(CHASE_STEPS):
        after = (step + 1) % CHASE_STEPS * APART_LINES * LINE_BYTES
        place = step * APART_LINES * LINE_BYTES
        content[place : place + 4] = pack("<I", HEADER_BYTES + after)
    return bytes(content)


def find_levels(machine: Machine, read: Reader) -> Part:
    """Capacities of L1, L2 (of one XCD) and the Infinity Cache, and the clocks of a step by footprint."""
    names = [name for name in ("l1", "l2", "mall") if machine.integer(f"memory.{name}_bytes")]
    keys = [f"memory.{name}_bytes" for name in names]
    most = min(LARGEST_BYTES, BEYOND * max(machine.integer(key) for key in keys))
    clk: dict[int, float] = {}

    def step_clk(footprint_bytes: int) -> float:
        if footprint_bytes not in clk:
            clk[footprint_bytes] = float(np.median(read(chase(footprint_bytes))[:, 0])) / CHASE_STEPS
        return clk[footprint_bytes]

    sizes = [SMALLEST_BYTES << number for number in range((most // SMALLEST_BYTES).bit_length())]
    rises = _rises(sizes, [step_clk(size) for size in sizes])
    repeats = len(read(chase(sizes[0])))
    values: list[Found] = []
    if len(rises) != len(keys):
        why = f"the chase shows {len(rises) + 1} levels of memory, the model has {len(keys) + 1}"
        values = [found(machine, key, (), why) for key in keys]
    else:
        for key, rise in zip(keys, rises, strict=True):
            low, high = rise.last_bytes, 2 * rise.last_bytes
            full = rise.first_clk + LEFT * (rise.next_clk - rise.first_clk)
            while high - low > max(2 * LINE_BYTES, high // FINE):
                middle = (low + high) // 2
                low, high = (low, middle) if step_clk(middle) > full else (middle, high)
            stock = machine.integer(key)
            # the stock figure, if it is between the last footprint that fitted and the first that did not
            value = stock if low <= stock <= high else low
            values.append(Found(key, value, stock, low, high, repeats))
    rows = tuple((size / 1024, each) for size, each in sorted(clk.items()))
    return Part(tuple(values), (Curve("chase by footprint", ("KiB", "clk of a step"), rows),))


def _rises(sizes: list[int], clk: list[float]) -> list[_Rise]:
    """Runs of doublings in which a step takes longer each time."""
    rising = [after > RISE * before for before, after in pairwise(clk)]
    found_rises, start = [], None
    for place, each in enumerate([*rising, False]):
        if each and start is None:
            start = place
        elif not each and start is not None:
            found_rises.append(_Rise(sizes[start], clk[start], clk[place]))
            start = None
    return found_rises
