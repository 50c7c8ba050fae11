"""Speed of `wavesim replay`: dynamic instructions per second of each trace, engine alone and whole command.

The engine's time is that of the timing engine in this process; the command's is a process of its own, from
start to end, reading the trace and looking for bank conflicts included. Smallest of several runs each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from wavesim.isa.load import load_machine
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.lds_addresses import find_conflicts
from wavesim.replays.compute_unit import memory_mode, replay

TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"


def engine_seconds(folder: Path, runs: int) -> tuple[int, float]:
    """Instructions of a trace, and seconds that the timing engine takes for them."""
    imported = import_trace(folder)
    machine = load_machine(imported.arch)
    conflicts = [find_conflicts(unit.trace, machine) for unit in imported.units]
    best = float("inf")
    count = 0
    for _ in range(runs):
        results = replay(imported, machine, memory_mode("measured"), conflicts=conflicts)
        best = min(best, sum(result.seconds for result in results))
        count = sum(result.instructions for result in results)
    return count, best


def command_seconds(folder: Path, runs: int) -> float:
    """Wall seconds of the whole command."""
    command = [sys.executable, "-c", "from wavesim.cli.main import main; main()", "replay", str(folder)]
    best = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    """Print one line per trace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="trace folders; default: ../shared/traces")
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    folders = arguments.folders or sorted(index.parent for index in TRACES.glob("*/filenames.json"))
    if not folders:
        print("no traces at hand")
    for folder in folders:
        count, engine = engine_seconds(folder, arguments.runs)
        whole = command_seconds(folder, arguments.runs)
        print(
            f"{folder.name:40} {count:7} instructions, "
            f"engine {engine:6.2f} s {count / engine / 1000:5.0f} k/s, "
            f"command {whole:6.2f} s {count / whole / 1000:5.0f} k/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
