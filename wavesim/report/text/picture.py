"""The picture: one steady iteration, a lane per wave with its SIMD's matrix pipe and pair's LDS port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text

from wavesim.analyze.activity import Activity, barrier_releases, wave_activity
from wavesim.analyze.code_tables import code_tables
from wavesim.analyze.intervals import Intervals, union
from wavesim.analyze.occupancy import find_occupancy, read_service
from wavesim.analyze.result import Analysis
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.report.palette import GLYPHS, PIPE_LEVELS, PORT_LEVELS, RELEASE
from wavesim.trace import BusySpan, Timeline

LABEL_WIDTH = 8
MARK_COLUMN_CLK = 64
"""Up to this column width a barrier's release is marked whatever else the column holds."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Columns of ``column_clk`` from ``from_clk`` to ``to_clk``."""

    from_clk: int
    to_clk: int
    column_clk: int

    @property
    def columns(self) -> int:
        """Number of columns, the last one perhaps not full."""
        return -(-(self.to_clk - self.from_clk) // self.column_clk)

    def shares(self, clocks: Intervals) -> list[float]:
        """Share of each column's clocks that the set holds."""
        edges = np.minimum(self.from_clk + self.column_clk * np.arange(self.columns + 1), self.to_clk)
        covered = np.diff(clocks.covered_before(edges.astype(np.int64)))
        return [float(share) for share in covered / np.maximum(1, np.diff(edges))]

    def column_of(self, clk: int) -> int | None:
        """The column that holds ``clk``, if any."""
        return (clk - self.from_clk) // self.column_clk if self.from_clk <= clk < self.to_clk else None


def scale_for(timeline: Timeline, analysis: Analysis, width: int) -> tuple[Scale, str]:
    """What the picture shows, and its caption: an iteration of the steady state, or the whole run."""
    loop, steady = analysis.loop, analysis.steady
    total = max(1, timeline.clk_total)
    if loop is None or not steady.iterations:
        from_clk, to_clk, caption = 0, total, "the whole run"
    else:
        reference = loop.waves[0]
        code = timeline.trace.waves[reference].code
        issue = timeline.waves[reference].issue_clk
        heads = issue[: len(code)][code == loop.head]
        first = int(np.searchsorted(heads, steady.from_clk)) + (steady.iterations // loop.unroll - 1) // 2
        from_clk, to_clk = int(heads[first]), int(heads[first + 1])
        number = loop.unroll * first
        shown = (
            f"iteration {number}" if loop.unroll == 1 else f"iterations {number}-{number + loop.unroll - 1}"
        )
        caption = f"{shown} of {loop.iterations}, {to_clk - from_clk} clk"
    columns = max(8, width - LABEL_WIDTH)
    column_clk = 4 * max(1, -(-(to_clk - from_clk) // (4 * columns)))
    return Scale(from_clk, to_clk, column_clk), caption


def picture(
    timeline: Timeline, analysis: Analysis, parameters: TimingParameters, width: int, ascii_only: bool
) -> list[Text]:
    """The lanes as lines of at most ``width`` columns, with a ruler above and the legend below."""
    scale, caption = scale_for(timeline, analysis, width)
    tables = code_tables(timeline.trace, parameters)
    occupancy = find_occupancy(timeline, tables, parameters)
    title = f"Timeline  {caption}; a column is {scale.column_clk} clk"
    lines = [Text(title, style="bold"), _ruler(scale)]
    shown: set[Activity] = set()
    many = len({wave.workgroup for wave in timeline.waves}) > 1
    for pair, simds in enumerate(parameters.structure_simd_pairs):
        for simd in simds:
            for positions in _in_one_lane(timeline, simd):
                wave = timeline.waves[positions[0]]
                name = f"g{wave.workgroup}w{wave.wave}" if many else f"w{wave.wave}"
                name = name if len(positions) == 1 else f"slot{wave.slot}"
                lines.append(_wave_lane(timeline, positions, name, scale, ascii_only, shown))
            if len(occupancy.pipes[simd].start_clk):
                lines.append(_pipe_lane(occupancy.pipes[simd], f"pipe {simd}", scale, ascii_only))
        port = occupancy.ports[pair]
        if len(port.start_clk):
            reads = read_service(timeline, port, tables)
            lines.append(_port_lane(reads, port, f"LDS {simds[0]},{simds[-1]}", scale))
    lines += _legend(shown, width, ascii_only)
    for line in lines:
        line.rstrip()
    return lines


def _in_one_lane(timeline: Timeline, simd: int) -> list[list[int]]:
    """The positions of a SIMD's waves; those that follow stand in the lane of their slot."""
    lanes: dict[object, list[int]] = {}
    for position, wave in enumerate(timeline.waves):
        if wave.simd == simd:
            lanes.setdefault(position if timeline.trace.room is None else wave.slot, []).append(position)
    return list(lanes.values())


def lanes(timeline: Timeline, scale: Scale, ascii_only: bool, shown: set[Activity]) -> list[Text]:
    """A lane for each wave, those of a SIMD together, over its matrix pipe's; adds to what is ``shown``."""
    lines = []
    for simd in sorted({wave.simd for wave in timeline.waves}):
        for position, wave in enumerate(timeline.waves):
            if wave.simd == simd:
                name = f"g{wave.workgroup}w{wave.wave}"
                lines.append(_wave_lane(timeline, [position], name, scale, ascii_only, shown))
        pipe = timeline.busy.get(("mfma", simd))
        if pipe is not None:
            lines.append(_pipe_lane(pipe, f"pipe {simd}", scale, ascii_only))
    return lines


def ruler(scale: Scale) -> Text:
    """Clock labels, counted from the start of the picture."""
    return _ruler(scale)


def legend(shown: set[Activity], width: int, ascii_only: bool) -> list[Text]:
    """What the signs of the activities ``shown`` mean."""
    return _legend(shown, width, ascii_only)


def _label(text: str, style: str = "") -> Text:
    return Text(f"{text:<{LABEL_WIDTH}}", style=style)


def _ruler(scale: Scale) -> Text:
    """Clock labels every 12 columns, counted from the start of the picture."""
    marks = [" "] * scale.columns
    for column in range(0, scale.columns, 12):
        label = str(column * scale.column_clk)
        if column + len(label) <= scale.columns:
            marks[column : column + len(label)] = label
    return Text.assemble(_label("clk", "bright_black"), ("".join(marks).rstrip(), "bright_black"))


def _wave_lane(
    timeline: Timeline,
    positions: Sequence[int],
    name: str,
    scale: Scale,
    ascii_only: bool,
    shown: set[Activity],
) -> Text:
    """``positions`` are of waves that are there one after the other."""
    shares = np.zeros((len(Activity), scale.columns))
    for position in positions:
        found = wave_activity(timeline, position, scale.from_clk, scale.to_clk)
        shares += [scale.shares(found[activity]) for activity in Activity]
    shares[list(Activity).index(Activity.ABSENT)] -= len(positions) - 1
    cells = [Activity(int(index)) for index in shares.argmax(axis=0)]
    shown.update(cells)
    glyphs = [GLYPHS[activity] for activity in cells]
    if scale.column_clk <= MARK_COLUMN_CLK:
        for clk in (clk for position in positions for clk in barrier_releases(timeline, position)):
            column = scale.column_of(int(clk))
            if column is not None:
                glyphs[column] = RELEASE
                shown.add(Activity.BARRIER)
    line = _label(f"  {name}")
    for glyph in glyphs:
        line.append(glyph.ascii if ascii_only else glyph.unicode, glyph.style)
    return line


def _pipe_lane(span: BusySpan, name: str, scale: Scale, ascii_only: bool) -> Text:
    line = _label(name, "bright_black")
    busy = union(span.start_clk, span.end_clk).within(scale.from_clk, scale.to_clk)
    for share in scale.shares(busy):
        _, full, plain = next(level for level in PIPE_LEVELS if share >= level[0])
        line.append(plain if ascii_only else full, GLYPHS[Activity.MFMA].style)
    return line


def _port_lane(reads: Intervals, span: BusySpan, name: str, scale: Scale) -> Text:
    line = _label(name, "bright_black")
    busy = union(span.start_clk, span.end_clk)
    for read, used in zip(scale.shares(reads), scale.shares(busy), strict=True):
        letter, unit = ("r", Activity.LDS_READ) if 2 * read >= used else ("w", Activity.LDS_WRITE)
        if used < PORT_LEVELS[1]:
            line.append(" ")
        else:
            line.append(letter.upper() if used >= PORT_LEVELS[0] else letter, GLYPHS[unit].style)
    return line


def _legend(shown: set[Activity], width: int, ascii_only: bool) -> list[Text]:
    lines = [Text(" " * LABEL_WIDTH)]
    known = [glyph for activity, glyph in GLYPHS.items() if activity in shown and glyph.meaning]
    if Activity.BARRIER in shown:
        known.insert(known.index(GLYPHS[Activity.BARRIER]) + 1, RELEASE)
    for glyph in known:
        item = Text.assemble((glyph.ascii if ascii_only else glyph.unicode, glyph.style), f" {glyph.meaning}")
        if lines[-1].cell_len + item.cell_len > width:
            lines.append(Text(" " * LABEL_WIDTH))
        lines[-1].append_text(item)
        lines[-1].append("   ")
    for line in lines:
        line.rstrip()
    return lines
