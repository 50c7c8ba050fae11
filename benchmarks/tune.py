"""The ladder before and after: what `wavesim tune` finds, at two roles of memory and three latencies.

python benchmarks/tune.py [--candidates N] [KERNEL ...]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from wavesim.pipeline.run import RunOptions
from wavesim.tuning.score import LATENCIES
from wavesim.tuning.tune import TuneOptions, tune_kernel

KERNELS = Path(__file__).resolve().parent.parent / "kernels"
LADDER = ("8wave.yaml", "4wave.yaml", "8wave_pingpong.yaml", "8wave_256.yaml")
ROLES = ("stream", "l2")
DEPTH = "2048"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("kernels", nargs="*", default=LADDER)
    asked = parser.parse_args()
    shares = "".join(f"{f'at {share:.1f}':>18}" for share in LATENCIES)
    print(f"{'kernel':<22}{'memory':<8}{shares}{'above bound':>13}{'tried/min':>11}  state")
    for name in asked.kernels:
        for role in ROLES:
            began = time.monotonic()
            options = RunOptions(settings={"K": DEPTH, "memory.latency_clk": role})
            wanted = TuneOptions(candidates=asked.candidates, minutes=None)
            found = tune_kernel(KERNELS / name, options, wanted)
            minutes = (time.monotonic() - began) / 60
            clocks = "".join(
                f"{f'{before / found.unroll:,.0f} -> {after / found.unroll:,.0f}':>18}"
                for before, after in zip(found.before_clk, found.after_clk, strict=True)
            )
            middle = LATENCIES.index(1.0)
            above = found.after_clk[middle] / found.bound_clk[middle] - 1
            row = f"{name:<22}{role:<8}{clocks}{above:>13.1%}{found.tried / minutes:>11,.0f}"
            row += "  proven" if found.better else "  as it was"
            row += f", {len(found.dropped)} not proven" if found.dropped else ""
            print(row, flush=True)


if __name__ == "__main__":
    main()
