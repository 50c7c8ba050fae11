"""Output to a terminal or a file: width, colour and character set, decided in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

from rich.text import Text

from wavesim.visible import uncovered, visible

DEFAULT_WIDTH = 80
NARROWEST, WIDEST = 60, 200


@dataclass(frozen=True, slots=True)
class Look:
    """How a report is to look."""

    width: int = DEFAULT_WIDTH
    ascii_only: bool = False
    color: bool = False


def look_for(
    file: TextIO,
    *,
    width: int | None = None,
    ascii_only: bool = False,
    color: bool | None = None,
    no_color: bool = False,
) -> Look:
    """The look that suits ``file``: 80 columns without colour unless it is a terminal.

    Args:
        file: Where the report goes; its encoding decides between Unicode and ASCII.
        width: Columns, instead of the terminal's.
        ascii_only: Plain ASCII even where the encoding could do more.
        color: Colour or none, whatever ``file`` is; ``None``: on terminals, unless ``no_color``.
        no_color: The wish of the environment (NO_COLOR).
    """
    terminal = file.isatty()
    encoding = (getattr(file, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
    if width is None:
        import shutil

        columns = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if terminal else DEFAULT_WIDTH
        width = min(max(columns, NARROWEST), 120)
    return Look(
        width=min(max(width, NARROWEST), WIDEST),
        ascii_only=ascii_only or encoding not in {"utf8", "utf16", "utf32"},
        color=color if color is not None else terminal and not no_color,
    )


def stacked(blocks: Iterable[list[Text]]) -> list[Text]:
    """The lines of blocks, with an empty one between those that have any."""
    lines: list[Text] = []
    for block in blocks:
        if block and lines:
            lines.append(Text())
        lines += block
    return lines


def write_lines(lines: Iterable[Text], file: TextIO, look: Look) -> None:
    """Print lines as they are, neither wrapped nor cut."""
    write = _coloured(file, look) if look.color else _plain(file)
    for line in lines:
        shown = visible(line.plain)
        if shown != line.plain:
            line = Text(shown, line.style)  # the places of its colours are gone
        if look.ascii_only:
            line.plain = line.plain.encode("ascii", "replace").decode("ascii")
        write(line)
    file.flush()


def _plain(file: TextIO) -> Callable[[Text], object]:
    """Without colours a line is its characters."""
    return lambda line: uncovered(file).write(f"{line.plain.expandtabs()}\n")


def _coloured(file: TextIO, look: Look) -> Callable[[Text], object]:
    from rich.console import Console  # takes its time to import, and most output has no colours

    console = Console(
        file=uncovered(file),
        width=look.width,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    return lambda line: console.print(line, soft_wrap=True)


def write_text(text: str) -> None:
    """Print text to standard output as UTF-8 bytes, whatever the locale."""
    write = getattr(sys.stdout, "write_utf8", sys.stdout.write)
    write(text)
    sys.stdout.flush()
