"""What `wavesim swizzle` prints: layouts by clocks of a pass, the best one's formulas, its proof."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from wavesim.isa.mfma import MfmaRow, mfma_rows
from wavesim.report.json.schemas import headed
from wavesim.swizzles.access import Tile
from wavesim.swizzles.layouts import hip_index, tile_keys, triton_layout
from wavesim.swizzles.rank import Ranked, Ranking
from wavesim.words import bar, counted, number

LABEL = 24
BAR = 20
WIDTH = 80


def swizzle_lines(found: Ranking, most: int, *, ascii_only: bool) -> Iterator[str]:
    """The report; ``most`` layouts are shown, and the plain one."""
    tile, best = found.tile, found.ranked[0]
    yield f"tile {tile.rows}x{tile.columns} of {tile.dtype} on {found.machine.name}"
    yield _work(tile)
    for note in notes(found):
        yield from textwrap.wrap(f"note: {note}", WIDTH, subsequent_indent="  ")
    yield ""
    yield f"{'layout':<{LABEL}}{'clk/pass':>9}{'read':>7}{'write':>7}{'LDS bytes':>11}"
    worst = max(each.clk for each in found.ranked)
    shown = found.ranked[:most]
    for each in shown:
        yield _row(each, worst, ascii_only)
    left = len(found.ranked) - len(shown)
    if left:
        last = found.ranked[most:]
        yield f"  {left} more, up to {number(last[-1].clk, 1)} clk/pass: --top {len(found.ranked)}"
        if found.plain not in shown:
            yield _row(found.plain, worst, ascii_only)
    yield f"{'without conflicts':<{LABEL}}{'':>9}{found.ideal_read_clk:>7}{found.ideal_write_clk:>7}"
    yield ""
    attribute, gluon = triton_layout(best.layout, tile)
    yield f"best: {best.layout.name}"
    yield f"  HIP     tile[{hip_index(best.layout, tile)}]"
    yield f"  Triton  {attribute}"
    yield f"  Gluon   {gluon}"
    keys = tile_keys(best.layout, tile)
    yield f"  tile    {keys if keys is not None else 'no such layout in tile programs'}"
    yield ""
    yield from _proof(found)


def _work(tile: Tile) -> str:
    reads = f"read {counted(tile.reads, 'time')} as {_read(tile)} (ds_read_b{8 * tile.read_bytes})"
    return f"written by b{8 * tile.write_bytes}, {reads}, {counted(tile.waves, 'wave')}"


def _read(tile: Tile) -> str:
    return f"mfma{tile.m}x{tile.m}x{tile.k}"


def notes(found: Ranking) -> Iterator[str]:
    """What a reader must know of the tile."""
    tile, arch = found.tile, found.machine.arch
    if not any(_is_of(row, tile) for row in mfma_rows(arch)):
        yield f"{arch} has no {_read(tile)} of {tile.dtype}: the fragment is that of several MFMAs, K packed"


def _is_of(row: MfmaRow, tile: Tile) -> bool:
    """Whether a matrix instruction has fragments like the tile's."""
    types = row.opcode.partition(f"x{row.k}")[2]
    same = re.search(rf"(?<![a-z]){tile.dtype}|f8f6f4", types) is not None
    return row.m == tile.m and row.k == tile.k and same


def _row(each: Ranked, worst: float, ascii_only: bool) -> str:
    clk, read, write = (number(value, 1) for value in (each.clk, each.read_clk, each.write_clk))
    text = f"{each.layout.name:<{LABEL}}{clk:>9}{read:>7}{write:>7}{each.lds_bytes:>11}"
    return f"{text}  {bar(each.clk / worst, BAR, ascii_only)}"


def _proof(found: Ranking) -> Iterator[str]:
    proof, best = found.proof, found.ranked[0]
    engines = "both engines" if proof.engines == "both" else f"the engine {proof.engines}"
    numbers = "numbers right" if proof.run.numerics.ok else "NUMBERS WRONG"
    clean = "check clean" if proof.clean else "NOT CLEAN in check"
    same = "as ranked" if proof.clk == best.clk else f"NOT the {number(best.clk, 1)} that were ranked"
    word = "proven" if holds(found) else "NOT PROVEN"
    clk = f"{number(proof.clk, 1)} clk/pass by {engines}, {same}"
    yield f"{word} on a generated kernel: {numbers}, {clean}"
    yield f"  {clk}"


def holds(found: Ranking) -> bool:
    """Whether the best layout is proven: right, clean, and as fast as ranked."""
    return found.proof.holds and found.proof.clk == found.ranked[0].clk


def swizzle_json(found: Ranking) -> dict[str, Any]:
    """The same as plain data."""
    tile = found.tile
    data = {
        "machine": found.machine.name,
        "arch": found.machine.arch,
        "tile": {
            "rows": tile.rows,
            "columns": tile.columns,
            "type": tile.dtype,
            "read": _read(tile),
            "read_bytes": tile.read_bytes,
            "write_bytes": tile.write_bytes,
            "waves": tile.waves,
            "reads": tile.reads,
        },
        "notes": list(notes(found)),
        "conflict_free": {"read_clk": found.ideal_read_clk, "write_clk": found.ideal_write_clk},
        "layouts": [_layout_json(each, tile) for each in found.ranked],
        "proof": {
            "holds": holds(found),
            "numbers": found.proof.run.numerics.ok,
            "clean": found.proof.clean,
            "clk": found.proof.clk,
            "engines": found.proof.engines,
        },
    }
    return headed("swizzle", data)


def _layout_json(each: Ranked, tile: Tile) -> dict[str, Any]:
    layout = each.layout
    attribute, gluon = triton_layout(layout, tile)
    return {
        "name": layout.name,
        "clk": each.clk,
        "read_clk": each.read_clk,
        "write_clk": each.write_clk,
        "lds_bytes": each.lds_bytes,
        "unit_bytes": layout.unit_bytes,
        "per_phase": layout.per_phase,
        "max_phase": layout.max_phase,
        "pad_bytes": layout.pad_bytes,
        "hip": hip_index(layout, tile),
        "triton": attribute,
        "gluon": gluon,
        "tile": tile_keys(layout, tile),
    }
