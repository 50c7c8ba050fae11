"""Whole commands, cold: `wavesim run kernels/8wave.yaml` at K = 8192, and `wavesim --help`.

Prints wall seconds (minimum and median of several runs) and the largest resident set.
`wavesim check` at K = 8192, and of the compiled example gemm8 at K = 512 where it is at hand.
Targets: 4 s (aim 2) and 500 MB for the run, 0.3 s for the help, 3 s for the check of gemm8.
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
    "the same, by SimPy": ["run", "kernels/8wave.yaml", "--engine", "simpy"],
    "wavesim check kernels/8wave.yaml": ["check", "kernels/8wave.yaml"],
}
GEMM8 = ROOT.parent / "shared" / "examples" / "gemm8_asmread.gfx942.s"
if GEMM8.is_file():
    COMMANDS["wavesim check gemm8, K = 512"] = [
        *("check", str(GEMM8), "--arg", "A=bf16[128,512]", "--arg", "B=bf16[128,512]"),
        *("--arg", "C=f32[128,128]:unwritten", "--arg", "N=128", "--arg", "K=512"),
        *("--block", "512", "--expect", "C = A @ B.T"),
    ]
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
