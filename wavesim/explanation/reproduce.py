"""Reproduce a row of the what-if ladder by a whole run: what ``wavesim run --what-if NAME`` is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from wavesim.errors import UserError
from wavesim.explanation.text_candidate import TextCandidate
from wavesim.explanation.tile_text import constants_of, staggers
from wavesim.explanation.whatif import WHAT_IFS
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.source_text import read_text

STAGGERS = ("stagger_on", "stagger_off")


def what_if_options(path: Path, options: RunOptions, name: str) -> RunOptions:
    """The options of a run in which a row of the ladder holds.

    Raises:
        UserError: no such row, or it is not one of this kernel.
    """
    for row in WHAT_IFS:
        if row.name == name:
            return replace(options, what_if=row.text, change=row.change)
    if name not in STAGGERS:
        known = [*(row.name for row in WHAT_IFS), *STAGGERS]
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise UserError(f"there is no what-if {name!r}", None, hint)
    text = read_text(path) if path.suffix.lower() in (".yaml", ".yml") else ""
    edits: Iterable[TextCandidate] = ()
    if text:
        run = run_kernel(path, replace(options, numbers=False))
        edits = stagger_edits(run, path, text, options.settings)
    for edit in edits:
        if stagger_row(edit) == name:
            settings = {key: value for key, value in options.settings.items() if key not in edit.settings}
            return replace(options, what_if=stagger_text(edit), source=edit.text, settings=settings)
    other = "it runs so, or " if text else ""
    raise UserError(
        f"{path}: {name} is no what-if of this kernel", None, f"{other}it has no loop of eight waves"
    )


def stagger_edits(run: Run, path: Path, text: str, settings: Mapping[str, str]) -> Iterator[TextCandidate]:
    """The edit of a tile program's text that turns the stagger of its halves on or off, if there is one."""
    loop = run.analysis.loop
    span = loop.span if loop is not None else None
    waves = len({wave.wave for wave in run.timeline.trace.waves})
    if span is not None and span.line and Path(span.file) == path:
        yield from staggers(text, span.line, waves, constants_of(text, settings))


def stagger_row(edit: TextCandidate) -> str:
    """Name of the ladder's row of an edit by :func:`stagger_edits`."""
    return "stagger_off" if edit.advice.startswith("stop") else "stagger_on"


def stagger_text(edit: TextCandidate) -> str:
    """The row in words."""
    return f"the halves ran with stagger {stagger_row(edit).removeprefix('stagger_')}"
