"""Writes isa/validated.csv: which measured traces the model was held against, and what ran in them.

`python -m benchmarks.validated FOLDER [-o isa/validated.csv]`

Again after a change of the model that moves errors, or with a trace more.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from wavesim.isa.load import load_machine
from wavesim.isa.paths import data_dir
from wavesim.isa.validated import COLUMNS, FILE, ValidatedTrace
from wavesim.replays.att.dispatches import Source, sources
from wavesim.replays.att.imported import ImportedTrace
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.trace.timing_class import timing_class

HEADER = """\
# Measured thread traces that were replayed with the memory latencies measured in them, one a row:
# error: simulated over measured clk/iteration - 1 (of the whole span for a trace without a loop);
# classes: the kinds of instructions that it executed (wavesim/trace/timing_class.py).
# Made by `python -m benchmarks.validated FOLDER`. docs/accuracy.md has the same errors.
"""


def classes(imported: ImportedTrace) -> frozenset[str]:
    """The classes of what its waves executed."""
    found: set[str] = set()
    for unit in imported.units:
        executed = {int(code) for wave in unit.trace.waves for code in np.unique(wave.code)}
        found |= {timing_class(unit.trace.code[code]) for code in executed}
    return frozenset(found)


def validated(source: Source) -> ValidatedTrace:
    """The row of one trace: the compute unit that is furthest off."""
    imported = source.imported()
    results = replay(imported, load_machine(imported.machine), memory_mode("measured"))
    error = max((each.error for each in results), key=abs)
    return ValidatedTrace(source.name, imported.arch, round(error, 4), classes(imported))


def table(rows: list[ValidatedTrace]) -> str:
    lines = [f"{row.name},{row.arch},{row.error:+.4f},{';'.join(sorted(row.classes))}" for row in rows]
    return HEADER + "\n".join([",".join(COLUMNS), *lines]) + "\n"


def main(arguments: list[str]) -> None:
    if not arguments:
        print("needs a folder of traces")
        return
    rows = [validated(source) for source in sources(Path(arguments[0]))]
    output = Path(arguments[2]) if arguments[1:2] == ["-o"] else data_dir("isa") / FILE
    output.write_text(table(rows), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
