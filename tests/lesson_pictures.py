"""Draws the pictures of the lessons that no command prints: `python tests/lesson_pictures.py` writes them.

Their colours are those of every timeline, their figures those of the machine files and of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import wavesim
from wavesim.analyze.activity import Activity, barrier_releases, wave_activity
from wavesim.analyze.code_tables import code_tables
from wavesim.analyze.intervals import Intervals, union
from wavesim.analyze.occupancy import find_occupancy, read_service
from wavesim.isa.clock import clock_of
from wavesim.isa.load import load_machine
from wavesim.report.palette import GLYPHS, RELEASE
from wavesim.report.results import RunResult
from wavesim.report.text.picture import Scale, scale_for
from wavesim.trace import Kind

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "kernels"
IMAGES = ROOT / "docs" / "images"
WIDTH, LEFT, ROW = 720, 80, 24
BOLD = 'font-weight="bold"'
MIDDLE = 'text-anchor="middle"'
STEP = {"K": 2048, "memory.latency_clk": 400}
"""As lessons 5 to 8 run the half-split and the ping-pong."""
SAID = {Activity.MFMA: "multiplies", Activity.LDS_READ: "reads", Activity.LDS_WRITE: "writes"}


def text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" fill="{fill}" {more}/>'


def picture(height: int, words: str, parts: Iterator[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'font-family="sans-serif" font-size="13" fill="#222" role="img" aria-label="{escape(words)}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


@cache
def ran(kernel: str, *settings: tuple[str, object]) -> RunResult:
    return wavesim.run(KERNELS / kernel, settings=dict(settings))


def steady(result: RunResult) -> tuple[int, int]:
    """The clocks that the terminal's picture shows: one pass of the loop."""
    scale, _ = scale_for(result.run.timeline, result.analysis, 80)
    return scale.from_clk, scale.to_clk


def widest(*results: RunResult) -> float:
    """How wide a clock may be, so that a pass of each fits."""
    return (WIDTH - LEFT - 20) / max(end - begin for begin, end in map(steady, results))


def lanes(y: float, result: RunResult, waves: tuple[int, ...], px: float, column_clk: int) -> Iterator[str]:
    """Rows of some waves of a SIMD in a pass, of their pipe and of their LDS port; a clock is ``px`` wide."""
    timeline, parameters, clocks = result.run.timeline, result.run.machine.parameters, steady(result)
    tables = code_tables(timeline.trace, parameters)
    occupancy = find_occupancy(timeline, tables, parameters)
    simd = timeline.waves[waves[0]].simd
    pipe = occupancy.pipes[simd]
    pairs = enumerate(parameters.structure_simd_pairs)
    port = next(occupancy.ports[number] for number, pair in pairs if simd in pair)
    reads = read_service(timeline, port, tables)
    writes = union(port.start_clk, port.end_clk)
    rows: list[tuple[str, Mapping[Activity, Intervals]]] = [
        (f"wave {timeline.waves[wave].wave}", wave_activity(timeline, wave, *clocks)) for wave in waves
    ]
    rows.append(
        ("their pipe" if waves[1:] else "its pipe", {Activity.MFMA: union(pipe.start_clk, pipe.end_clk)})
    )
    rows.append(("LDS port", {Activity.LDS_READ: reads, Activity.LDS_WRITE: writes}))
    for row, (name, found) in enumerate(rows):
        top = y + ROW * row
        yield text(8, top + 15, name)
        for activity, begin, end in columns(found, Scale(*clocks, column_clk)):
            x, width = LEFT + px * (begin - clocks[0]), px * (end - begin)
            yield box(x, top, width, 20, GLYPHS[activity].paper)
            if width > 60 and activity in SAID:
                yield text(x + width / 2, top + 15, SAID[activity], f'fill="#fff" {MIDDLE}')
    for row, wave in enumerate(waves):
        for clk in barrier_releases(timeline, wave).tolist():
            if clocks[0] < clk <= clocks[1]:
                yield mark(LEFT + px * (clk - clocks[0]), y + ROW * row - 2, 24, RELEASE.paper)


def columns(found: Mapping[Activity, Intervals], scale: Scale) -> Iterator[tuple[Activity, int, int]]:
    """What takes most of each column, at least a third of it, neighbours joined."""
    shares = {activity: scale.shares(clocks) for activity, clocks in found.items()}
    best = [max(shares, key=lambda each: shares[each][column]) for column in range(scale.columns)]
    begin = 0
    for (activity, shown), run in groupby(
        (each, shares[each][column] > 1 / 3) for column, each in enumerate(best)
    ):
        end = begin + len(list(run))
        if shown and activity not in (Activity.OTHER, Activity.ABSENT):
            first, last = (scale.from_clk + scale.column_clk * place for place in (begin, end))
            yield activity, first, min(scale.to_clk, last)
        begin = end


def mark(x: float, y: float, height: float, colour: str) -> str:
    return f'<path d="M{x:.0f} {y:.0f}v{height:.0f}" stroke="{colour}" stroke-width="2"/>'


def legend(y: float, *activities: Activity) -> Iterator[str]:
    x = float(LEFT)
    for activity in activities:
        yield box(x, y, 12, 12, GLYPHS[activity].paper)
        yield text(x + 17, y + 11, GLYPHS[activity].meaning)
        x += 38 + 7 * len(GLYPHS[activity].meaning)


def phases() -> str:
    """Two waves of a SIMD: in step, and a phase apart."""
    half, pingpong = (ran(f"{name}.yaml", *STEP.items()) for name in ("8wave", "8wave_pingpong"))

    def parts() -> Iterator[str]:
        px = widest(half, pingpong)
        yield text(8, 20, "Half-split: both waves in the same phase", BOLD)
        yield from lanes(30, half, (0, 4), px, 32)
        yield text(8, 156, "Ping-pong: one wave a phase behind the other", BOLD)
        yield from lanes(166, pingpong, (0, 4), px, 24)
        yield from legend(
            278, Activity.MFMA, Activity.LDS_READ, Activity.LDS_WRITE, Activity.GLOBAL, Activity.ALU
        )
        yield from legend(300, Activity.WAIT_LGKM, Activity.BARRIER, Activity.PIPE_WAIT)
        yield text(LEFT, 334, "A line is a barrier that lets its waves go. Both are drawn to the same scale.")

    return picture(344, "Two waves of a SIMD in the half-split and in the ping-pong", parts())


def buffers() -> str:
    """A wave with one set of registers, with two, and with its reads between its MFMAs."""
    words = {
        "single_buffer": "One set of registers: it reads, waits, multiplies",
        "double_buffer": "Two sets: it reads for the next turn, then multiplies",
        "interleaved": "Two sets, a read behind each MFMA",
    }
    results = {name: ran(f"lessons/{name}.yaml") for name in words}

    def parts() -> Iterator[str]:
        px = widest(*results.values())
        for number, (name, result) in enumerate(results.items()):
            y = 110 * number
            yield text(8, y + 20, f"{words[name]}: {result.clk_per_iteration:.0f} clk a turn", BOLD)
            yield from lanes(y + 30, result, (0,), px, 4)
        yield from legend(336, Activity.MFMA, Activity.LDS_READ, Activity.WAIT_LGKM, Activity.ALU)
        yield text(
            LEFT,
            370,
            "A pass of each loop, of one or two turns, to the same scale. The port serves a second SIMD.",
        )

    return picture(380, "One set of registers, two sets, and reads behind each MFMA", parts())


def luck() -> str:
    """With and without the second barrier: from the last read of a tile to its first overwrite."""
    turn, px = 15, 0.29
    words = {"8wave": "With the second barrier", "lessons/one_barrier": "Without it"}
    results = {name: ran(f"{name}.yaml", *STEP.items()) for name in words}

    def accesses(result: RunResult, kind: Kind, step: int) -> list[tuple[int, int]]:
        """From the first issue to the last return of a K step's accesses, by wave."""
        timeline, found = result.run.timeline, []
        for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
            rows = np.flatnonzero([timeline.trace.code[code].kind is kind for code in trace.code])
            first, *_, last = np.array_split(rows, 32)[step]
            found.append((int(wave.issue_clk[first]), int(wave.done_clk[last])))
        return found

    def parts() -> Iterator[str]:
        for number, (name, result) in enumerate(results.items()):
            y = 176 * number
            reads = accesses(result, Kind.LDS_READ, turn)
            writes = accesses(result, Kind.LDS_WRITE, turn + 1)
            begin, last, first = min(reads)[0], max(end for _, end in reads), min(writes)[0]
            said = f"{words[name]}: {first - last} clk from the last read of a tile to the first overwrite"
            yield text(8, y + 20, said, BOLD)
            for wave in range(8):
                yield text(8, y + 44 + 16 * wave, f"wave {wave}")
                for (start, end), activity in (
                    (reads[wave], Activity.LDS_READ),
                    (writes[wave], Activity.LDS_WRITE),
                ):
                    colour = GLYPHS[activity].paper
                    yield box(LEFT + px * (start - begin), y + 33 + 16 * wave, px * (end - start), 13, colour)
            for clk in (last, first):
                yield mark(LEFT + px * (clk - begin), y + 28, 138, "#222")
        yield from legend(360, Activity.LDS_READ, Activity.LDS_WRITE)
        yield text(270, 371, "Reads of a tile, and writes of the next one to the same place.")

    return picture(
        382, "Reads of a tile and writes of the next, with and without the second barrier", parts()
    )


def banks() -> str:
    """Where the sixteen lanes of a phase of ds_read_b64 meet, by swizzle: byte x of row r at x XOR ..."""
    swizzles = {"no swizzle": (8, 1), "16 bytes, 8 rows": (16, 8), "8 bytes, 16 rows": (8, 16)}
    cell, gap = 6, 24

    def parts() -> Iterator[str]:
        yield text(
            8, 20, "The banks that 16 lanes want in the same clock: 8 bytes of 16 rows of a tile", BOLD
        )
        for number, (name, (unit, rows)) in enumerate(swizzles.items()):
            left = LEFT + number * (32 * cell + gap)
            starts = [(row % rows * unit) % 128 // 4 for row in range(16)]
            most = max(starts.count(start) for start in starts)
            yield box(left, 44, 32 * cell, 16 * 9, "#eee")
            for row, start in enumerate(starts):
                yield box(left + cell * start, 44 + 9 * row, 2 * cell - 1, 8, GLYPHS[Activity.LDS_READ].paper)
            yield text(left, 38, name)
            clocks = "1 clk" if most == 1 else f"{most} clk: {most}-way conflict"
            yield text(left, 206, clocks, BOLD)
        yield text(8, 55, "row 0")
        yield text(8, 186, "row 15")
        yield text(
            LEFT,
            228,
            "From left to right the 32 banks. What stands in one column is served one after the other.",
        )

    return picture(238, "Bank conflicts without a swizzle, with 16-byte and with 8-byte units", parts())


def waits() -> str:
    """Eight MFMAs behind one wait for all reads, and each behind the wait for its own."""
    words = {
        "strong_wait": "One wait for all eight reads",
        "stepwise_waits": "Each MFMA waits for its own read",
    }
    results = {
        name: wavesim.run(KERNELS / "lessons" / f"{name}.s", launch=wavesim.LaunchOptions(block=256))
        for name in words
    }

    def parts() -> Iterator[str]:
        px = widest(*results.values())
        for number, (name, result) in enumerate(results.items()):
            y = 112 * number
            yield text(8, y + 20, f"{words[name]}: {result.clk_per_iteration:.0f} clk a turn", BOLD)
            yield from lanes(y + 30, result, (0,), px, 4)
        yield from legend(226, Activity.MFMA, Activity.LDS_READ, Activity.WAIT_LGKM, Activity.ALU)

    return picture(250, "Eight reads and eight MFMAs with one wait, and with eight", parts())


def schedule() -> str:
    """The loop of the single buffer before and after the search of lesson 14."""
    before = ran("lessons/single_buffer.yaml")
    tuned = wavesim.tune(KERNELS / "lessons" / "single_buffer.yaml", candidates=200)
    with TemporaryDirectory() as folder:
        tuned.save(Path(folder) / "best.s")
        after = wavesim.run(Path(folder) / "best.s")
    old, new = tuned.clk_per_iteration[1]

    def parts() -> Iterator[str]:
        px = widest(before, after)
        yield text(8, 20, f"As it was: {old:.0f} clk/iteration", BOLD)
        yield from lanes(30, before, (0,), px, 4)
        yield text(8, 132, f"As the search left it: {new:.0f} clk/iteration", BOLD)
        yield from lanes(142, after, (0,), px, 4)
        yield from legend(226, Activity.MFMA, Activity.LDS_READ, Activity.WAIT_LGKM, Activity.ALU)

    return picture(250, "The single buffer before and after a search for its order", parts())


def bounds() -> str:
    """What lesson 15's kernel needs of each resource, and what a search left; with either swizzle."""
    shown = {
        "mfma": Activity.MFMA,
        "lds_service": Activity.LDS_READ,
        "memory_in_flight": Activity.GLOBAL,
        "issue": Activity.ALU,
    }
    words = {(16, 8): "Units of 16 bytes over 8 rows: conflicts", (8, 16): "8 bytes over 16 rows: none"}
    asked = {"K": 1024, "memory.latency_clk": "l2"}
    kernel = "lessons/free_parameters.yaml"
    search = wavesim.tune(KERNELS / kernel, settings=asked, candidates=60, changes={"waits", "order"})
    before, after = search.clk_per_iteration[1]
    left, px = 140, 0.2

    def parts() -> Iterator[str]:
        for number, ((unit, rows), said) in enumerate(words.items()):
            y = 150 * number
            swizzle = {"SWIZZLE_BYTES": unit, "SWIZZLE_ROWS": rows}
            needed = ran(kernel, *asked.items(), *swizzle.items()).bounds
            yield text(8, y + 20, said, BOLD)
            for row, (name, activity) in enumerate(shown.items()):
                clk, top = getattr(needed, name), y + 30 + ROW * row
                yield text(8, top + 15, name)
                yield box(left, top, px * clk, 20, GLYPHS[activity].paper)
                yield text(left + px * clk + 6, top + 15, f"{clk:.0f}")
        for clk, said, anchor in ((before, "before", "middle"), (after, "after", "end")):
            yield mark(left + px * clk, 26, 102, "#222")
            yield text(left + px * clk, 20, f"{said} {clk:.0f}", f'text-anchor="{anchor}"')
        yield text(
            left, 300, "Clocks of an iteration: what each resource needs, before and after the search."
        )

    return picture(310, "The bounds of a kernel with conflicts and without, and what a search left", parts())


def levels() -> str:
    """The levels of an MI325X's memory, with what each holds and how long it takes."""
    machine = load_machine("MI325X")
    latency = {name: machine.integer(f"memory.{name}_latency_clk") for name in ("l1", "l2", "mall", "hbm")}
    kib = machine.integer("memory.l1_bytes") // 1024
    mib = machine.integer("memory.l2_bytes") // 2**20
    rows = (
        ("L1", f"{kib} KiB, of one compute unit", "l1"),
        ("L2", f"{mib} MiB, of the 38 compute units of an XCD", "l2"),
        ("MALL", "256 MiB, the Infinity Cache of all eight XCDs", "mall"),
        ("HBM", "the memory itself", "hbm"),
    )

    def parts() -> Iterator[str]:
        yield text(8, 20, "Where a load of an MI325X finds its line, and how long that takes", BOLD)
        for row, (name, what, key) in enumerate(rows):
            y, width = 34 + 42 * row, 0.6 * latency[key]
            yield box(70, y, width, 32, GLYPHS[Activity.GLOBAL].paper, f'fill-opacity="{1 - 0.2 * row:.1f}"')
            yield text(8, y + 21, name, BOLD)
            yield text(78, y + 21, f"{latency[key]} clk", BOLD)
            yield text(146 if 7 * len(what) < width - 76 else 78 + width, y + 21, what)
        yield text(
            8,
            220,
            "Clocks of a single load on an idle device. Under load they grow.",
        )

    return picture(230, "L1, L2, Infinity Cache and HBM of an MI325X", parts())


def clocks() -> str:
    """The clock of an MI308X under load over the busy share of its matrix pipes, with three kernels on it."""
    machine = load_machine("MI308X")
    settings = {"K": 2048, "memory.latency_clk": 400}
    kernels = {"half-split": "8wave", "ping-pong": "8wave_pingpong", "256x256": "8wave_256"}

    def at(busy: float, ghz: float) -> tuple[float, float]:
        return 60 + 600 * busy, 240 - 95 * ghz

    def parts() -> Iterator[str]:
        yield text(8, 20, "Clock of an MI308X under a load that lasts, GHz", BOLD)
        points = [at(share / 100, clock_of(machine, "sustained", share / 100).ghz) for share in range(0, 101)]
        line = " ".join(f"{x:.0f},{y:.1f}" for x, y in points)
        for ghz in (0.0, 0.5, 1.0, 1.5, 2.0):
            _, y = at(0, ghz)
            yield f'<path d="M60 {y:.0f}h600" stroke="#ddd"/>' + text(30, y + 4, f"{ghz:g}")
        for share in (0, 25, 50, 75, 100):
            yield text(at(share / 100, 0)[0], 258, f"{share} %", 'text-anchor="middle"')
        yield text(360, 280, "matrix pipes busy", 'text-anchor="middle"')
        colour = GLYPHS[Activity.MFMA].paper
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="3"/>'
        for name, file in kernels.items():
            result = wavesim.run(ROOT / "kernels" / f"{file}.yaml", arch="MI308X", settings=settings)
            busy = sum(result.mfma_busy) / len(result.mfma_busy)
            assert result.throughput is not None
            x, y = at(busy, result.throughput.clock.ghz)
            yield f'<circle cx="{x:.0f}" cy="{y:.1f}" r="5" fill="#222"/>'
            said = f"{name}: {result.throughput.clock.ghz:.2f} GHz, {result.throughput.tflops:.0f} TFLOP/s"
            left = 'text-anchor="end"' if busy > 0.6 else ""
            yield text(x - 8 if left else x + 8, y + 24 if left else y - 8, said, left)

    return picture(290, "The clock falls as the matrix pipes fill", parts())


PICTURES: Mapping[str, Callable[[], str]] = {
    "double-buffer": buffers,
    "missing-barrier": luck,
    "bank-conflicts": banks,
    "waits": waits,
    "schedule-search": schedule,
    "bounds-of-a-search": bounds,
    "half-split-ping-pong": phases,
    "where-a-line-comes-from": levels,
    "clock-by-busy": clocks,
}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
