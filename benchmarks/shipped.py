"""A folder of shipped kernels: do they load, what does check find, does the hottest loop run, and how fast.

    python -m benchmarks.shipped FOLDER [--limit SECONDS] [--no-run]

Takes every .co and .s of the folder. Prints a row for each: seconds to load and to check (of one process
each), errors and warnings by rule, notes, and the seconds of `wavesim run --region` on the loop with most
matrix work; `> 60` where that did not end. Nothing of such kernels belongs into this repository. Without a
folder nothing is done.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_SECONDS = 60
CHECK_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Row:
    """What became of one file; ``refused`` if it did not load."""

    name: str
    refused: str = ""
    instructions: int = 0
    load: float = 0.0
    check: float = 0.0
    bad: str = ""
    notes: int = 0
    loop: str = ""


def look(path: Path) -> dict[str, Any]:
    """Load and check one kernel in this process; the loop to run as ``region``."""
    from wavesim.checks.cfg import control_flow
    from wavesim.checks.run import check_kernel
    from wavesim.pipeline.run import RunOptions, prepare
    from wavesim.trace import Kind
    from wavesim.trace.decode import code_entries

    begin = time.perf_counter()
    kernel, machine = prepare(path, RunOptions())
    loaded = time.perf_counter()
    result = check_kernel(kernel, machine, execute=False)
    checked = time.perf_counter()
    bad = Counter(each.rule for each in result.findings if each.is_bad)
    program = kernel.program
    code = code_entries(program)
    at = {index: name for name, index in program.labels.items()}
    best, region = (0, 0), ""
    for source, target in control_flow(program, code).back_edges():
        inside = code[target : source + 1]
        work = (sum(entry.kind is Kind.MFMA for entry in inside), -len(inside))
        end = min((index for index in at if index > source), default=None)
        if target in at and end is not None and (work > best or not region):
            best, region = work, f"{at[target]}:{at[end]}"
    return {
        "instructions": len(program),
        "load": loaded - begin,
        "check": checked - loaded,
        "bad": dict(sorted(bad.items())),
        "notes": sum(not each.is_bad for each in result.findings),
        "region": region,
    }


def row_of(path: Path, limit: float, run: bool) -> Row:
    """One file, in processes of its own."""
    me = [sys.executable, str(Path(__file__).resolve()), "--one", str(path)]
    try:
        done = subprocess.run(me, capture_output=True, text=True, timeout=CHECK_LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Row(path.name, f"check did not end in {CHECK_LIMIT_SECONDS} s")
    if done.returncode:
        lines = done.stderr.strip().split("\n")
        return Row(path.name, lines[-1].replace(str(path), "").strip()[:120])
    found = json.loads(done.stdout)
    bad = ", ".join(f"{rule} {count}" for rule, count in found["bad"].items())
    loop = _run(path, found["region"], limit) if run else "-"
    times = (found["instructions"], found["load"], found["check"])
    return Row(path.name, "", *times, bad or "none", found["notes"], loop)


def _run(path: Path, region: str, limit: float) -> str:
    if not region:
        return "no loop"
    command = [sys.executable, "-m", "wavesim", "run", str(path), "--region", region]
    begin = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"> {limit:.0f}"
    if done.returncode > 1:
        return "refused"
    return f"{time.perf_counter() - begin:.1f}"


def main() -> None:
    """Print the table and its sums."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, metavar="SECONDS", help="for each loop")
    parser.add_argument("--no-run", action="store_true", help="load and check only")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        json.dump(look(options.one), sys.stdout)
        return
    if options.folder is None:
        print("no folder of kernels given")
        return
    paths = sorted(each for each in options.folder.iterdir() if each.suffix in (".co", ".s"))
    print(f"{'instr':>7}{'load s':>8}{'check s':>9}{'notes':>7}{'loop s':>9}  kernel: errors and warnings")
    rows = []
    for path in paths:
        row = row_of(path, options.limit, not options.no_run)
        rows.append(row)
        if row.refused:
            print(f"{'':40}  {row.name}: refused: {row.refused}", flush=True)
            continue
        numbers = f"{row.instructions:7}{row.load:8.1f}{row.check:9.1f}{row.notes:7}{row.loop:>9}"
        print(f"{numbers}  {row.name}: {row.bad}", flush=True)
    loaded = [row for row in rows if not row.refused]
    clean = sum(row.bad == "none" for row in loaded)
    print(f"{len(loaded)} of {len(rows)} loaded, {clean} clean, longest check", end=" ")
    print(f"{max((row.check for row in loaded), default=0):.1f} s")


if __name__ == "__main__":
    main()
