"""The what-if ladder in the terminal, and the units, signs and bars that explanations share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from rich.text import Text

from wavesim.explanation.explanation import Explanation
from wavesim.explanation.whatif import Rung
from wavesim.words import bar, number

SIGNS: tuple[tuple[str, Callable[[Rung], bool]], ...] = (
    ("!: the run as a whole is slower", lambda rung: rung.run_gain_clk < 0),
    ("~: no period was found, a mean over the loop", lambda rung: not rung.exact),
    ("=: a bound that the row leaves in place; the loop is too short", lambda rung: bool(rung.at_bound)),
)
"""Signs before a row's clocks, with what they mean."""

RUNG = 45
RUNG_NAME = 17
"""Columns of the words and of the name of a row of the ladder."""


def signs(rung: Rung) -> str:
    """The signs of a row."""
    return "".join(text[0] for text, is_meant in SIGNS if is_meant(rung))


def per_pass(found: Explanation) -> str:
    """The unit of critical path, lines and exposed latencies, which are of passes of the loop."""
    unroll = found.run.analysis.loops[0].unroll if found.per_iteration else 0
    return ("clk", "clk per iteration")[unroll] if unroll < 2 else f"clk per pass of {unroll} iterations"


def rated(found: Explanation) -> str:
    """The unit of what-ifs and advice, whose iterations are those of the source."""
    return "clk per iteration" if found.per_iteration else "clk"


def wrapped(text: str, width: int, indent: int, style: str = "") -> list[Text]:
    """The text in lines, all but the first indented."""
    parts = textwrap.wrap(
        text,
        width,
        initial_indent="  ",
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Text(part, style=style) for part in parts]


def _gain(clk: float) -> str:
    return f"-{number(clk)}" if clk > 0 else f"+{number(-clk)}" if clk < 0 else "0"


def ladder_lines(found: Explanation, width: int, ascii_only: bool) -> list[Text]:
    """The ladder of an explanation as lines, at most ``width`` columns."""
    title = f"What if  {rated(found)}, each simulated; `run --what-if NAME` shows one"
    return rung_lines(title, found.ladder, found.run.mark("clk_per_iteration"), width, ascii_only)


def rung_lines(title: str, rungs: Sequence[Rung], mark: str, width: int, ascii_only: bool) -> list[Text]:
    """Rows of a ladder under a title, with what their signs mean; nothing without a row."""
    if not rungs:
        return []
    lines = [Text(part, style="bold") for part in textwrap.wrap(title, width, subsequent_indent="  ")]
    for each in rungs:
        lines += _rung(each, width, ascii_only, mark)
    for text, is_meant in SIGNS:
        if any(is_meant(each) for each in rungs):
            lines += wrapped(text, width, 4, "bright_black")
    return lines


def _rung(each: Rung, width: int, ascii_only: bool, mark: str) -> list[Text]:
    """Words, clocks, gain, name, and a bar where there is room; a narrow terminal has two lines."""
    figures = (
        (f"{signs(each) + number(each.clk) + mark:>8}", "bold"),
        (f"{_gain(each.gain_clk):>8}", "green" if each.gain_clk >= 1 else "bright_black"),
    )
    text, name = f"  {each.text}", (f"  {each.name}", "bright_black")
    if width < RUNG + 16 + 2 + RUNG_NAME:
        return [Text(text), Text.assemble(" " * (width - 16 - RUNG_NAME - 2), *figures, name)]
    line = Text.assemble(f"{text:<{RUNG}}", *figures, name)
    room = width - RUNG - 16 - 2 - RUNG_NAME - 2
    if room > 4:
        line.append(" " * (RUNG_NAME + 2 - len(each.name)))
        line.append(bar(each.share, room, ascii_only))
    return [line]
