"""The timeline as one inline SVG for notebooks: a lane for each wave, matrix pipe and LDS port, by SIMD."""

from __future__ import annotations

import html

from wavesim.analyze.activity import Activity, barrier_releases, wave_activity
from wavesim.analyze.code_tables import code_tables
from wavesim.analyze.intervals import Intervals, union
from wavesim.analyze.occupancy import find_occupancy, read_service
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.report.palette import GLYPHS, RELEASE
from wavesim.trace import Timeline

WIDTH, LANE, GAP, LEFT = 900, 16, 3, 64
SHOWN = [activity for activity, glyph in GLYPHS.items() if glyph.meaning]


class _Canvas:
    """Clocks [from_clk, to_clk) from left to right, rows from top to bottom; ``y`` is the row at hand."""

    def __init__(self, from_clk: int, to_clk: int) -> None:
        self.from_clk, self.to_clk = from_clk, to_clk
        self.span = max(1, to_clk - from_clk)
        self.scale = (WIDTH - LEFT - 8) / self.span
        self.y = 18
        self.parts: list[str] = []
        self.shown: set[Activity] = set()

    def x(self, clk: int) -> float:
        """Where a clock stands."""
        return LEFT + (clk - self.from_clk) * self.scale

    def label(self, text: str) -> None:
        """The row's name."""
        self.parts.append(f'<text x="4" y="{self.y + LANE - 4}">{html.escape(text)}</text>')

    def boxes(self, clocks: Intervals, activity: Activity, what: str, inset: int = 0) -> None:
        """A box for each interval, ``inset`` from the row's edges; hovering says ``what`` and when."""
        if clocks.clk:
            self.shown.add(activity)
        color = GLYPHS[activity].paper
        for begin, end in zip(clocks.start.tolist(), clocks.end.tolist(), strict=True):
            if end > begin:
                self.parts.append(
                    f'<rect x="{self.x(begin):.1f}" y="{self.y + inset:.1f}" '
                    f'width="{max(0.3, (end - begin) * self.scale):.1f}" height="{LANE - 2 * inset:.1f}" '
                    f'fill="{color}"><title>{html.escape(f"{what}: clk {begin}-{end}")}</title></rect>'
                )

    def release(self, clk: int) -> None:
        """A line where a barrier lets the wave go."""
        x, y = self.x(clk), self.y
        self.parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + LANE}" stroke="{RELEASE.paper}" '
            f'stroke-width="1.5"><title>barrier lets it go at {clk}</title></line>'
        )

    def axis(self) -> list[str]:
        """Five clock labels, counted from the left edge."""
        return [
            f'<text x="{LEFT + self.span * self.scale * part / 4:.0f}" y="12" text-anchor="{anchor}">'
            f"{self.span * part // 4}</text>"
            for part, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
        ]


def timeline_svg(timeline: Timeline, parameters: TimingParameters, from_clk: int, to_clk: int) -> str:
    """Clocks [from_clk, to_clk) of all waves; hovering shows what and when. At most a few hundred KB.

    Lanes are in the order of every other picture: the waves of a SIMD over its matrix pipe, the SIMDs of
    a pair over their LDS port.
    """
    canvas = _Canvas(from_clk, to_clk)
    tables = code_tables(timeline.trace, parameters)
    occupancy = find_occupancy(timeline, tables, parameters)
    several = len({wave.workgroup for wave in timeline.waves}) > 1
    for pair, simds in enumerate(parameters.structure_simd_pairs):
        for simd in simds:
            for position, wave in enumerate(timeline.waves):
                if wave.simd == simd:
                    canvas.label(f"g{wave.workgroup}w{wave.wave}" if several else f"w{wave.wave}")
                    _wave(canvas, timeline, position)
                    canvas.y += LANE + GAP
            pipe = occupancy.pipes[simd]
            if len(pipe.start_clk):
                canvas.label(f"pipe {simd}")
                _used(canvas, union(pipe.start_clk, pipe.end_clk), Activity.MFMA, "busy")
                canvas.y += LANE + GAP
        port = occupancy.ports[pair]
        if len(port.start_clk):
            canvas.label(f"LDS {simds[0]},{simds[-1]}")
            reads = read_service(timeline, port, tables)
            _used(canvas, union(port.start_clk, port.end_clk), Activity.LDS_WRITE, "busy with writes")
            _used(canvas, reads, Activity.LDS_READ, "busy with reads")
            canvas.y += LANE + GAP
        canvas.y += GAP
    legend, y = _legend(canvas)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 6}" width="100%" '
        f'style="max-width:{WIDTH}px;background:#fff" font-family="sans-serif" font-size="11" fill="#222" '
        f'role="img" aria-label="Timeline, clocks {from_clk} to {to_clk}">'
        + "".join([*canvas.axis(), *canvas.parts, *legend])
        + "</svg>"
    )


def _wave(canvas: _Canvas, timeline: Timeline, position: int) -> None:
    for shown, clocks in wave_activity(timeline, position, canvas.from_clk, canvas.to_clk).items():
        if shown in SHOWN:
            canvas.boxes(clocks, shown, GLYPHS[shown].meaning)
    for clk in barrier_releases(timeline, position).tolist():
        if canvas.from_clk <= clk < canvas.to_clk:
            canvas.release(clk)


def _used(canvas: _Canvas, clocks: Intervals, drawn_as: Activity, what: str) -> None:
    canvas.boxes(clocks.within(canvas.from_clk, canvas.to_clk), drawn_as, what, inset=4)


def _legend(canvas: _Canvas) -> tuple[list[str], int]:
    """What is drawn, and the row below it."""
    parts: list[str] = []
    x, y = LEFT, canvas.y
    for shown in (each for each in SHOWN if each in canvas.shown):
        meaning = GLYPHS[shown].meaning
        if x + 24 + 6 * len(meaning) > WIDTH:
            x, y = LEFT, y + LANE
        parts.append(f'<rect x="{x}" y="{y + 3}" width="10" height="10" fill="{GLYPHS[shown].paper}"/>')
        parts.append(f'<text x="{x + 14}" y="{y + 12}">{html.escape(meaning)}</text>')
        x += 30 + 6 * len(meaning)
    return parts, y + LANE
