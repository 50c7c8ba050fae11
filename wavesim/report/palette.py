"""Palette: glyph, words and colours of each activity, for terminals, pictures and the browser's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wavesim.analyze.activity import OF_REASON, QUEUEING, Activity
from wavesim.trace import Reason


@dataclass(frozen=True, slots=True)
class Glyph:
    """How one activity looks.

    In a terminal it is one character, for Unicode and for ASCII, in a rich style. Work stands on a coloured
    ground, waiting is a coloured letter on the plain ground: a lane full of colour is a wave that gets on.

    Elsewhere it is a colour: on ``paper`` (SVG in a notebook), and in the browser on a ``light`` and on a
    ``dark`` ground. They are Okabe and Ito's, told apart with every common colour blindness; ``paper`` has
    paler ones for waits that need none.
    """

    unicode: str
    ascii: str
    style: str
    meaning: str
    paper: str
    light: str
    dark: str


GLYPHS: Mapping[Activity, Glyph] = {
    Activity.MFMA: Glyph("█", "#", "green", "MFMA", "#009e73", "#009e73", "#26c296"),
    Activity.LDS_READ: Glyph("R", "R", "bold white on blue", "LDS read", "#0072b2", "#0072b2", "#4a9df0"),
    Activity.LDS_WRITE: Glyph(
        "W", "W", "bold white on magenta", "LDS write", "#cc79a7", "#cc79a7", "#f06ab8"
    ),
    Activity.GLOBAL: Glyph("G", "G", "bold black on cyan", "global memory", "#56b4e9", "#56b4e9", "#9bdcff"),
    Activity.ALU: Glyph("a", "a", "white", "VALU, scalar", "#999999", "#6f7680", "#c4cbd3"),
    Activity.WAIT_LGKM: Glyph("l", "l", "bold red", "waits lgkmcnt", "#d55e00", "#c24e00", "#ff7a24"),
    Activity.WAIT_VM: Glyph("v", "v", "bold yellow", "waits vmcnt", "#e69f00", "#e0ac00", "#ffd84d"),
    Activity.BARRIER: Glyph(
        "─", "-", "bright_magenta", "waits at a barrier", "#d9c6e0", "#7a3fc0", "#c9aef7"
    ),
    Activity.PIPE_WAIT: Glyph(
        "▒", ":", "bright_green", "waits for the pipe", "#a6d8c9", "#6cc2a4", "#1c7a60"
    ),
    Activity.OTHER: Glyph("·", ".", "bright_black", "other wait", "#dddddd", "#c8cdd3", "#4a525b"),
    Activity.ABSENT: Glyph(" ", " ", "", "", "transparent", "transparent", "transparent"),
}
"""In the order of the legend."""


QUEUE = Glyph("q", "q", "", "waits for a queue or port", "#8c6d46", "#7a4a21", "#9c7a4a")
"""A wave that waits for a unit to take its access. Where there is room for one sign only, as in a terminal,
it has that of the access."""


def colours() -> dict[str, Glyph]:
    """Every colour by its name in the browser, in the order of the legend: one meaning each."""
    named = {colour_name(activity): glyph for activity, glyph in GLYPHS.items()}
    other = named.pop("other")
    return {**named, "queue": QUEUE, "other": other}


def colour_of_reason(reason: Reason) -> str:
    """The name of the colour in which clocks of this reason are shown; ``text`` if they are no wait."""
    if reason is Reason.ISSUE:
        return "text"
    return "queue" if reason in QUEUEING else colour_name(OF_REASON.get(reason, Activity.OTHER))


def colour_name(activity: Activity) -> str:
    """The activity's name where its colour is a variable, in the browser's style sheet and script."""
    return activity.name.lower().replace("_", "-")


RELEASE = Glyph("│", "|", "bold bright_magenta", "leaves it", "#7b3294", "#7a3fc0", "#c9aef7")
"""A barrier lets the wave go in this column."""

PIPE_LEVELS = ((0.75, "━", "="), (0.25, "╌", "-"), (0.0, " ", " "))
"""Busy share of a matrix pipe in a column, from -> glyph."""

PORT_LEVELS = (0.5, 0.1)
"""An LDS port's letter is a capital from the first busy share on, and shown from the second."""
