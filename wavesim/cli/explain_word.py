"""``wavesim explain-word``: an entry of the glossary in the terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from difflib import get_close_matches

import click

from wavesim.cli import completion
from wavesim.cli.options import JsonOptions, LookOptions, options
from wavesim.errors import UserError
from wavesim.glossary import Entry, entries, explained, names


@click.command("explain-word")
@click.argument("word", nargs=-1, shell_complete=completion.words)
@options(look=LookOptions, as_json=JsonOptions)
def explain_word(word: tuple[str, ...], look: LookOptions, as_json: JsonOptions) -> int:
    """Say what WORD of a report means; without one, list the words.

    The same text stands in the manual (docs/glossary) and in the page for the browser.
    """
    from rich.text import Text

    from wavesim.report.output import write_lines

    chosen = look.look()
    if not word:
        _write(entries(), as_json)
        if as_json.alone:
            return 0
        text = ", ".join(each.word for each in entries())
        lines = [Text(part) for part in textwrap.wrap(text, chosen.width)]
        write_lines(lines, sys.stdout, chosen)
        return 0
    asked = " ".join(word)
    found = explained(asked)
    if found is None:
        by_case = {name.lower(): name for name in names()}
        close = [by_case[each] for each in get_close_matches(asked.lower(), by_case, 3, 0.5)]
        meant = f"did you mean {', '.join(close)}?" if close else "wavesim explain-word lists them"
        raise UserError(f"the glossary has no word {asked!r:.40}", None, meant)
    _write((found,), as_json)
    if as_json.alone:
        return 0
    also = f"  (also: {', '.join(found.also)})" if found.also else ""
    lines = [Text.assemble((found.word, "bold"), (also, "bright_black"))]
    for paragraph in found.text.split("\n\n"):
        lines += [
            Text(part)
            for part in textwrap.wrap(
                paragraph, chosen.width - 2, initial_indent="  ", subsequent_indent="  "
            )
        ]
    write_lines(lines, sys.stdout, chosen)
    return 0


def _write(found: Iterable[Entry], as_json: JsonOptions) -> None:
    as_json.report("explain-word", {"words": [asdict(each) for each in found]})
