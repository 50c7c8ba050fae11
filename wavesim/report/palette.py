"""Palette: the glyph and colour of each activity, in colour terminals, Unicode and plain ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wavesim.analyze.activity import Activity


@dataclass(frozen=True, slots=True)
class Glyph:
    """How one activity looks: one character each for Unicode and ASCII, and a rich style.

    Work stands on a coloured ground, waiting is a coloured letter on the plain ground: a lane full of
    colour is a wave that gets on.
    """

    unicode: str
    ascii: str
    style: str
    meaning: str


GLYPHS: Mapping[Activity, Glyph] = {
    Activity.MFMA: Glyph("█", "#", "green", "MFMA"),
    Activity.LDS_READ: Glyph("R", "R", "bold white on blue", "LDS read"),
    Activity.LDS_WRITE: Glyph("W", "W", "bold white on magenta", "LDS write"),
    Activity.GLOBAL: Glyph("G", "G", "bold black on cyan", "global memory"),
    Activity.ALU: Glyph("a", "a", "white", "VALU, scalar"),
    Activity.WAIT_LGKM: Glyph("l", "l", "bold red", "waits lgkmcnt"),
    Activity.WAIT_VM: Glyph("v", "v", "bold yellow", "waits vmcnt"),
    Activity.BARRIER: Glyph("─", "-", "magenta", "waits at a barrier"),
    Activity.PIPE_WAIT: Glyph("▒", ":", "green", "waits for the pipe"),
    Activity.OTHER: Glyph("·", ".", "bright_black", "other wait"),
    Activity.ABSENT: Glyph(" ", " ", "", ""),
}
"""In the order of the legend."""

RELEASE = Glyph("│", "|", "bold magenta", "leaves it")
"""A barrier lets the wave go in this column."""

PIPE_LEVELS = ((0.75, "━", "="), (0.25, "╌", "-"), (0.0, " ", " "))
"""Busy share of a matrix pipe in a column, from -> glyph."""

PORT_LEVELS = (0.5, 0.1)
"""An LDS port's letter is a capital from the first busy share on, and shown from the second."""
