"""Whole commands, cold: processor seconds of each, wall seconds and the largest resident set.

`python -m benchmarks.run_command [WORD ...]` takes the commands whose names hold all the words. The aims are
those of docs/speed.md. The replay needs a thread trace: `WAVESIM_TRACE` names its folder.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 3
TINY = ("kernels/lessons/one_read_unwaited.s", "--block", "64")
SHARED = ROOT.parent / "shared"
TRACE = Path(os.environ.get("WAVESIM_TRACE", SHARED / "traces" / "gfx942_gemm_256x256x64_pingpong"))
GEMM8 = SHARED / "examples" / "gemm8_asmread.gfx942.s"


@dataclass(frozen=True)
class Command:
    """A command line, and the processor seconds that are aimed at (0: none stated)."""

    name: str
    words: tuple[str, ...]
    aim_s: float = 0.0
    repeats: int = REPEATS


COMMANDS = [
    Command("--help", ("--help",), 0.1),
    Command("--version", ("--version",)),
    Command("isa list", ("isa", "list")),
    Command("run, a tiny .s", ("run", *TINY), 0.45),
    Command("run 8wave", ("run", "kernels/8wave.yaml"), 0.8),
    Command("run 8wave_256", ("run", "kernels/8wave_256.yaml"), 1.2),
    Command("run 8wave, by SimPy", ("run", "kernels/8wave.yaml", "--engine", "simpy"), repeats=1),
    Command("check 8wave", ("check", "kernels/8wave.yaml"), 1.5),
    Command("explain 8wave", ("explain", "kernels/8wave.yaml"), 2.0),
    Command("report 8wave", ("report", "kernels/8wave.yaml", "-o", "page.html"), 3.0),
    Command("calibrate --virtual gfx942", ("calibrate", "--virtual", "gfx942"), 15.0, 1),
]
if TRACE.is_dir():
    COMMANDS.append(Command("replay of pingpong", ("replay", str(TRACE)), 1.5))
if GEMM8.is_file():
    gemm8 = [
        *("check", str(GEMM8), "--arg", "A=bf16[128,512]", "--arg", "B=bf16[128,512]"),
        *("--arg", "C=f32[128,128]:unwritten", "--arg", "N=128", "--arg", "K=512"),
        *("--block", "512", "--expect", "C = A @ B.T"),
    ]
    COMMANDS.append(Command("check gemm8, K = 512", tuple(gemm8)))


def measure(words: tuple[str, ...], folder: str) -> tuple[float, float, float]:
    """(processor seconds, wall seconds, MB resident) of one run in a process of its own."""
    here = [str(ROOT / word) if word.startswith("kernels/") else word for word in words]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "wavesim", *here],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"wavesim {' '.join(words)} failed with status {status}")
    return usage.ru_utime + usage.ru_stime, seconds, usage.ru_maxrss / 1024


def main() -> None:
    chosen = [each for each in COMMANDS if all(word in each.name for word in sys.argv[1:])]
    print(f"{'processor seconds':28}  least  median   aim    wall      MB")
    with tempfile.TemporaryDirectory() as folder:
        for command in chosen:
            samples = [measure(command.words, folder) for _ in range(command.repeats)]
            spent, wall = [each[0] for each in samples], [each[1] for each in samples]
            aim = f"{command.aim_s:5.2f}" if command.aim_s else "    -"
            print(
                f"{command.name:28}  {min(spent):5.2f}  {statistics.median(spent):6.2f} {aim}"
                f"  {min(wall):6.2f}  {max(each[2] for each in samples):6.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
