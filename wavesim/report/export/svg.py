"""The timeline as one inline SVG: a lane per wave, matrix pipes and LDS ports below, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping

from wavesim.analyze.activity import Activity, barrier_releases, wave_activity
from wavesim.analyze.intervals import union
from wavesim.report.palette import GLYPHS
from wavesim.trace import Timeline

COLORS: Mapping[Activity, str] = {
    Activity.MFMA: "#009e73",
    Activity.LDS_READ: "#0072b2",
    Activity.LDS_WRITE: "#cc79a7",
    Activity.GLOBAL: "#56b4e9",
    Activity.ALU: "#999999",
    Activity.WAIT_LGKM: "#d55e00",
    Activity.WAIT_VM: "#e69f00",
    Activity.BARRIER: "#d9c6e0",
    Activity.PIPE_WAIT: "#a6d8c9",
    Activity.OTHER: "#dddddd",
}
"""Okabe and Ito's colours, which colour-blind people can tell apart; paler ones for waits that need none."""

WIDTH, LANE, GAP, LEFT = 900, 16, 3, 64


def timeline_svg(timeline: Timeline, from_clk: int, to_clk: int) -> str:
    """Clocks [from_clk, to_clk) of all waves; hovering shows what and when. At most a few hundred KB."""
    span = max(1, to_clk - from_clk)
    scale = (WIDTH - LEFT - 8) / span
    parts: list[str] = []
    y = 18
    several = len({wave.workgroup for wave in timeline.waves}) > 1

    def box(begin: int, end: int, top: float, height: float, color: str, title: str) -> None:
        if end > begin:
            parts.append(
                f'<rect x="{LEFT + (begin - from_clk) * scale:.1f}" y="{top:.1f}" '
                f'width="{max(0.3, (end - begin) * scale):.1f}" height="{height:.1f}" fill="{color}">'
                f"<title>{html.escape(title)}</title></rect>"
            )

    def label(text: str) -> None:
        parts.append(f'<text x="4" y="{y + LANE - 4}">{html.escape(text)}</text>')

    for position, wave in enumerate(timeline.waves):
        label(f"g{wave.workgroup} w{wave.wave}" if several else f"w{wave.wave}")
        for shown, clocks in wave_activity(timeline, position, from_clk, to_clk).items():
            if shown in COLORS:
                for begin, end in zip(clocks.start.tolist(), clocks.end.tolist(), strict=True):
                    text = f"{GLYPHS[shown].meaning}: clk {begin}-{end}"
                    box(begin, end, y, LANE, COLORS[shown], text)
        for clk in barrier_releases(timeline, position).tolist():
            if from_clk <= clk < to_clk:
                x = LEFT + (clk - from_clk) * scale
                parts.append(
                    f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + LANE}" stroke="#7b3294" '
                    f'stroke-width="1.5"><title>barrier lets it go at {clk}</title></line>'
                )
        y += LANE + GAP
    for (name, number), used in sorted(timeline.busy.items()):
        if name not in ("mfma", "lds_port"):
            continue
        label(f"pipe {number}" if name == "mfma" else f"LDS {number}")
        near = (used.end_clk > from_clk) & (used.start_clk < to_clk)
        clocks = union(used.start_clk[near], used.end_clk[near]).within(from_clk, to_clk)
        color = COLORS[Activity.MFMA if name == "mfma" else Activity.LDS_READ]
        for begin, end in zip(clocks.start.tolist(), clocks.end.tolist(), strict=True):
            box(begin, end, y + 4, LANE - 8, color, f"busy: clk {begin}-{end}")
        y += LANE + GAP
    axis = [
        f'<text x="{LEFT + span * scale * part / 4:.0f}" y="12" text-anchor="{anchor}">'
        f"{span * part // 4}</text>"
        for part, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
    ]
    legend, y = _legend(y)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 6}" width="100%" '
        f'style="max-width:{WIDTH}px;background:#fff" font-family="sans-serif" font-size="11" fill="#222" '
        f'role="img" aria-label="Timeline, clocks {from_clk} to {to_clk}">'
        + "".join([*axis, *parts, *legend])
        + "</svg>"
    )


def _legend(y: int) -> tuple[list[str], int]:
    parts: list[str] = []
    x = LEFT
    for shown, color in COLORS.items():
        meaning = GLYPHS[shown].meaning
        if x + 24 + 6 * len(meaning) > WIDTH:
            x, y = LEFT, y + LANE
        parts.append(f'<rect x="{x}" y="{y + 3}" width="10" height="10" fill="{color}"/>')
        parts.append(f'<text x="{x + 14}" y="{y + 12}">{html.escape(meaning)}</text>')
        x += 30 + 6 * len(meaning)
    return parts, y + LANE
