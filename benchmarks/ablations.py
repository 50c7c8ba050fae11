"""What each rule of the timing model is worth: the errors of a folder of measured traces without it."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from wavesim.analyze.replay import memory_mode, replay
from wavesim.analyze.validate import trace_folders
from wavesim.att.importer import import_trace
from wavesim.att.lds_addresses import find_conflicts
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.timing.rules import RULES


def errors_of(folder: Path, names: Sequence[str]) -> dict[str, float | None]:
    """Signed error by rule left out (``""``: none), of a trace's first compute unit; None: not to be run."""
    imported = import_trace(folder)
    machine = load_machine(imported.arch)
    conflicts = [find_conflicts(unit.trace, machine) for unit in imported.units]
    found: dict[str, float | None] = {}
    for name in names:
        without = [name] if name else []
        try:
            results = replay(imported, machine, memory_mode("measured"), without=without, conflicts=conflicts)
        except UserError:
            found[name] = None
        else:
            found[name] = results[0].error
    return found


def short(folder: Path) -> str:
    """The part of a folder's name that tells it from the others."""
    return folder.name.removeprefix("gfx942_gemm_").removeprefix("gfx950_mxfp4gemm_").split("_4waves")[0]


def table(
    folders: Sequence[Path], found: Sequence[dict[str, float | None]], names: Sequence[str]
) -> list[str]:
    """Markdown: a row per rule, a column per trace, the mean of absolute errors last; %."""
    heads = ["without", *(short(folder) for folder in folders), "mean"]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    for name in names:
        errors = [of_trace[name] for of_trace in found]
        known = [abs(error) for error in errors if error is not None]
        cells = ["-" if error is None else f"{100 * error:+.1f}" for error in errors]
        mean = f"{100 * sum(known) / len(known):.2f}" if known else "-"
        lines.append("| " + " | ".join([f"`{name}`" if name else "nothing", *cells, mean]) + " |")
    return lines


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rule", action="append", default=[], help="only this one (repeatable)")
    arguments = parser.parse_args()
    names = ["", *(arguments.rule or [rule.name for rule in RULES])]
    folders = trace_folders(arguments.folder)
    with ProcessPoolExecutor(arguments.processes) as pool:
        found = list(pool.map(errors_of, folders, [names] * len(folders)))
    lines = table(folders, found, names)
    if arguments.output is None:
        print("\n".join(lines))
        return
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    arguments.output.write_text(
        "\n".join(
            [
                "# What each rule is worth",
                "",
                f"Made on {date} by `python benchmarks/ablations.py FOLDER -o docs/ablations.md`: error in %",
                "of clk/iteration (of the whole span for 1024cube) with `--memory measured`, one rule of",
                "docs/model.md §14 left out at a time. The latencies were derived from the traces with all",
                "rules, so that those of the memory path look a little worse to lose than they are.",
                "",
                *lines,
                "",
            ]
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
