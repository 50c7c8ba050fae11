"""The instruction cache: its size, its line, what a miss costs, and how far ahead code is fetched.

Code of growing size runs in a loop: while the cache holds it, a page of it costs the same. Beyond, each page
waits once, for lines are fetched ahead up to the end of a page. Lines and the reach ahead show in code that
nobody has fetched yet: a page is entered at one place, and after a while left for another place of it, which
is there or not.
"""

from __future__ import annotations

import numpy as np

from wavesim.calibrate.bench.template import Body
from wavesim.calibrate.chip.found import Curve, Found, Part, found, unknown
from wavesim.calibrate.chip.probe import Float, Probe, Reader
from wavesim.isa.machine import Machine

STRIDE_BYTES = 64
"""From branch to branch of the loop: no cache has shorter lines."""
NEVER_REACHED = "s_mov_b32 s21, 0x12345678"
"""Eight bytes that fill the room up to the next branch."""
PAGE_BITS = 12
PAGE_BYTES = 1 << PAGE_BITS

SMALLEST_BYTES = 16 << 10
LARGEST_BYTES = 120 << 10
"""As far as a branch reaches back."""
FINE_BYTES = 4 << 10
AROUND = (1 - 1 / 32, 1 + 1 / 32)
"""Of the stock size: looked at first."""
SLOWER = 1.03
"""A page that costs so much more than in the smallest loop is not held."""
TOLERANCE = 0.08
"""Within which size and cost of a miss are found; lines and the reach ahead exactly."""

PAGES = 2
"""That a probe of new code enters."""
ENTRY_BYTES = 2048
SETTLE = ("s_sleep 32", "s_sleep 32")
"""About 4000 clk: everything that was asked for has come."""


def loop(code_bytes: int, passes: int) -> Probe:
    """A loop of so many bytes, one branch and a pause in each 64."""
    count = code_bytes // STRIDE_BYTES
    lines = ["s_branch .Lpass", f".p2align {PAGE_BITS}", ".Lpass:"]
    for number in range(count - 1):
        lines += [f".Lat{number}:", "s_nop 7", f"s_branch .Lat{number + 1}"]
        lines += [NEVER_REACHED] * (STRIDE_BYTES // 8 - 1)
    lines += [f".Lat{count - 1}:", "s_sub_u32 s20, s20, 1", "s_cmp_lg_u32 s20, 0", "s_cbranch_scc1 .Lpass"]
    setup = ["s_load_dword s20, s[4:5], 0x0"]
    return Probe(
        f"chip_fetch_loop_{code_bytes}_{passes}",
        f"chip_fetch_loop_{code_bytes}",
        Body(lines, setup, device=True, align_bits=PAGE_BITS),
        words=(passes,),
    )


def new_code(first_bytes: int, then_bytes: int) -> Probe:
    """Pages of new code, each entered at one offset and, when all has come, left for another one of it."""
    lines = []
    for page in range(PAGES):
        places = {
            first_bytes: [f".Lfirst{page}:", *SETTLE, f"s_branch .Lthen{page}"],
            then_bytes: [f".Lthen{page}:", "s_nop 0", f"s_branch .Lfirst{page + 1}"],
        }
        lines += [f"s_branch .Lfirst{page}"] if page == 0 else []
        lines += [f".p2align {PAGE_BITS}"]
        at = 0
        for offset, code in sorted(places.items()):
            lines += [NEVER_REACHED] * ((offset - at) // 8) + ["s_nop 0"] * ((offset - at) % 8 // 4)
            lines += code
            at = offset + 4 * (len(code) - 1)
    lines += [f".p2align {PAGE_BITS}", f".Lfirst{PAGES}:"]
    return Probe(
        f"chip_fetch_new_{first_bytes}_{then_bytes}",
        f"chip_fetch_new_{first_bytes}_{then_bytes}",
        Body(lines, device=True, align_bits=PAGE_BITS),
        cold=True,
    )


def find_fetch(machine: Machine, read: Reader) -> Part:
    """Size, line, cost of a miss and reach of the instruction cache, as one compute unit alone finds it."""
    clk: dict[int, float] = {}

    def each_clk(code_bytes: int) -> Float:
        """A page of a loop that has run before, of each repeat."""
        few, more = (read(loop(code_bytes, passes))[:, 0] for passes in (1, 2))
        pages: Float = (more - few) * PAGE_BYTES / code_bytes
        return pages

    def page_clk(code_bytes: int) -> float:
        if code_bytes not in clk:
            clk[code_bytes] = float(np.median(each_clk(code_bytes)))
        return clk[code_bytes]

    values: list[Found] = []
    repeats = len(read(loop(SMALLEST_BYTES, 1)))
    least, most = page_clk(SMALLEST_BYTES), page_clk(LARGEST_BYTES)
    keys = ("fetch.icache_bytes", "fetch.miss_clk")
    if most <= SLOWER * least:
        why = f"a loop of {LARGEST_BYTES >> 10} KiB runs as fast as one of {SMALLEST_BYTES >> 10} KiB"
        values += unknown(machine, keys, why)
    else:
        low, high = SMALLEST_BYTES, LARGEST_BYTES
        stock = machine.integer(keys[0])
        near = [int(stock * share) // STRIDE_BYTES * STRIDE_BYTES for share in AROUND]
        while high - low > FINE_BYTES:
            middle = near.pop() if near else (low + high) // 2 // STRIDE_BYTES * STRIDE_BYTES
            if low < middle < high:
                low, high = (low, middle) if page_clk(middle) > SLOWER * least else (middle, high)
        size = stock if low <= stock <= high else low
        values.append(Found(keys[0], size, stock, low, high, repeats))
        # a branch that hits restarts the fetch as well, which the clocks of a hit have
        restart = machine.integer("fetch.restart_first_clk")
        values.append(found(machine, keys[1], (each_clk(LARGEST_BYTES) - least + restart).tolist()))
    values += _lines(machine, read)
    rows = tuple((size / 1024, each) for size, each in sorted(clk.items()))
    return Part(tuple(values), (Curve("loop by size of its code", ("KiB", "clk of 4 KiB"), rows),))


def _lines(machine: Machine, read: Reader) -> tuple[Found, ...]:
    """The line and how far ahead code is fetched, from pages of new code."""
    keys = ("fetch.icache_line_bytes", "fetch.prefetch_bytes")
    rows: list[int] = []

    def extra_clk(first_bytes: int, then_bytes: int) -> float:
        """What a page costs more than when it is there."""
        found_clk = read(new_code(first_bytes, then_bytes))
        rows.append(len(found_clk))
        return float(np.median(found_clk[:, 0] - found_clk[:, 1])) / PAGES

    # the last 32 bytes before the entry's line ends: backwards nothing is fetched ahead
    entry = ENTRY_BYTES - 32
    once = extra_clk(entry, ENTRY_BYTES - 64 + 8)
    twice = extra_clk(entry, 0)
    if twice < 1.4 * once or once <= 0:
        return unknown(machine, keys, "new code costs no more than code that was fetched before")
    between = (once + twice) / 2
    line = next(
        (size // 2 for size in (128, 256, 512) if extra_clk(entry, ENTRY_BYTES - size + 8) > between), 512
    )
    low, high = 0, PAGE_BYTES - line  # the reach in lines: the last that was there, the first that was not

    def there(offset: int) -> bool:
        return extra_clk(0, offset) < between

    if there(high):
        low = high
    while high - low > line:
        middle = (low + high) // 2 // line * line
        low, high = (middle, high) if there(middle) else (low, middle)
    return (
        Found(keys[0], line, machine.integer(keys[0]), line, line, min(rows)),
        Found(keys[1], low, machine.integer(keys[1]), low, high, min(rows)),
    )
