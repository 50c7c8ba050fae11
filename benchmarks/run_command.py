"""Whole commands, cold: `wavesim run kernels/8wave.yaml` at K = 8192, and `wavesim --help`.

Prints wall seconds (minimum and median of several runs) and the largest resident set.
Targets: 4 s (aim 2) and 500 MB for the run, 0.3 s for the help.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {
    "wavesim --help": ["--help"],
    "wavesim run kernels/8wave.yaml": ["run", "kernels/8wave.yaml"],
    "the same, every clock stepped": ["run", "kernels/8wave.yaml", "--no-extrapolate"],
}
REPEATS = 3


def measure(words: list[str]) -> tuple[float, float]:
    """(wall seconds, MB resident) of one run in a process of its own."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "wavesim", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status:
        raise SystemExit(f"wavesim {' '.join(words)} failed with status {status}")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    for name, words in COMMANDS.items():
        samples = [measure(words) for _ in range(REPEATS)]
        seconds = [each[0] for each in samples]
        memory = max(each[1] for each in samples)
        print(
            f"{name:36} min {min(seconds):5.2f} s  median {statistics.median(seconds):5.2f} s"
            f"  {memory:6.0f} MB"
        )


if __name__ == "__main__":
    main()
