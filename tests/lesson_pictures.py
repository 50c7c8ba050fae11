"""Draws the pictures of the lessons that no command prints: `python tests/lesson_pictures.py` writes them.

Their colours are those of every timeline, their figures those of the machine files and of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path

import wavesim
from wavesim.analyze.activity import Activity
from wavesim.isa.clock import clock_of
from wavesim.isa.load import load_machine
from wavesim.report.palette import GLYPHS, RELEASE

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH = 720
BOLD = 'font-weight="bold"'
LEGEND = (Activity.MFMA, Activity.LDS_READ, Activity.LDS_WRITE, Activity.BARRIER, Activity.PIPE_WAIT)


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


def lane(y: float, name: str, steps: list[tuple[str, float, float]]) -> Iterator[str]:
    """A row: each step is a letter of the terminal's timeline, where it begins and ends, in percent."""
    by_letter = {glyph.unicode: glyph for glyph in GLYPHS.values()}
    yield text(8, y + 16, name)
    for letter, begin, end in steps:
        glyph = by_letter.get(letter)
        x, width = 80 + 6.2 * begin, 6.2 * (end - begin)
        if glyph is None:
            yield f'<path d="M{x:.0f} {y - 2:.0f}v26" stroke="{RELEASE.paper}" stroke-width="2"/>'
            continue
        yield box(x, y, width, 22, glyph.paper)
        meaning = {"█": "multiplies", "R": "reads", "W": "writes"}.get(letter, "")
        if width > 60 and meaning:
            yield text(x + width / 2, y + 16, meaning, 'fill="#fff" text-anchor="middle"')


def phases() -> str:
    """Two waves of a SIMD: in step, and a phase apart."""

    def parts() -> Iterator[str]:
        yield text(8, 20, "Half-split: both waves in the same phase", BOLD)
        yield from lane(
            30, "wave 0", [("W", 0, 9), ("─", 9, 16), ("R", 17, 36), ("█", 36, 60), ("─", 60, 99)]
        )
        yield from lane(
            56, "wave 4", [("W", 2, 16), ("R", 20, 48), ("▒", 48, 60), ("█", 60, 85), ("─", 85, 99)]
        )
        yield from lane(82, "their pipe", [("█", 36, 85)])
        yield from lane(108, "their LDS", [("W", 0, 16), ("R", 17, 48)])
        for at in (16.5, 99.5):
            yield from (*lane(30, "", [("│", at, at)]), *lane(56, "", [("│", at, at)]))
        yield text(8, 160, "Ping-pong: one wave a phase behind the other", BOLD)
        reads = [("R", 0, 18), ("W", 18, 29)], [("R", 35.5, 54), ("W", 54, 65)]
        yield from lane(170, "wave 0", [*reads[0], ("─", 29, 34), ("█", 35.5, 61), ("─", 61, 70)])
        yield from lane(196, "wave 4", [("█", 0, 25), ("─", 25, 34), *reads[1], ("─", 65, 70)])
        yield from lane(222, "their pipe", [("█", 0, 25), ("█", 35.5, 61)])
        yield from lane(248, "their LDS", [*reads[0], *reads[1]])
        for at in (34.7, 70.5):
            yield from (*lane(170, "", [("│", at, at)]), *lane(196, "", [("│", at, at)]))
        x = 80.0
        for activity in (
            Activity.MFMA,
            Activity.LDS_READ,
            Activity.LDS_WRITE,
            Activity.BARRIER,
            Activity.PIPE_WAIT,
        ):
            yield box(x, 286, 12, 12, GLYPHS[activity].paper)
            yield text(x + 17, 297, GLYPHS[activity].meaning)
            x += 38 + 7 * len(GLYPHS[activity].meaning)
        yield text(
            80,
            318,
            "A line is a barrier that lets its waves go. Both kernels are drawn to the same scale.",
        )

    return picture(328, "Two waves of a SIMD in the half-split and in the ping-pong", parts())


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
        yield text(
            8, 20, "Where a load of an MI325X finds its line, and how long that takes", 'font-weight="bold"'
        )
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
            left = 'text-anchor="end"' if busy > 0.9 else ""
            yield text(x - 8 if left else x + 8, y + 24 if left else y - 8, said, left)

    return picture(290, "The clock falls as the matrix pipes fill", parts())


PICTURES: Mapping[str, Callable[[], str]] = {
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
