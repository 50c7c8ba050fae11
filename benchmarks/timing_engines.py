"""Speed of the timing engines: dynamic instructions per second on a gemm8-like kernel's trace."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from wavesim.asm.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.kernel.launch import Launch, MatrixArgument, ScalarArgument
from wavesim.timing import ENGINES, simulate
from wavesim.trace import Trace

EXAMPLE = Path(__file__).parents[2] / "shared" / "examples" / "gemm8_asmread_fenced.gfx942.s"


def gemm_trace(path: Path, k: int) -> Trace:
    """The executed streams of one 128x128 output tile with ``k`` columns of A."""
    program = parse_program(path.read_text(encoding="utf-8"), str(path))
    launch = Launch(
        (
            MatrixArgument("A", "bf16", 128, k, seed=1),
            MatrixArgument("B", "bf16", 128, k, seed=2),
            MatrixArgument("C", "f32", 128, 128, init="unwritten"),
            ScalarArgument("N", "i32", 128),
            ScalarArgument("K", "i32", k),
        ),
        512,
    )
    return emulate(program, launch, load_machine(program.arch)).trace


def jittered(trace: Trace) -> Trace:
    """The same streams with changing latencies, so that nothing repeats and all must be stepped."""
    random = np.random.default_rng(1)
    waves = []
    for wave in trace.waves:
        latency = random.integers(500, 1500, len(wave)).astype(np.int32)
        scalar = [entry.kind.value == "smem" for entry in trace.code]
        latency[np.array(scalar)[wave.code]] = -1
        waves.append(replace(wave, memory_latency_clk=latency))
    return replace(trace, waves=tuple(waves))


def main() -> None:
    """Print one line per engine and mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "kernel", nargs="?", type=Path, default=EXAMPLE, help="assembly of a gemm8-like kernel"
    )
    parser.add_argument("--k", type=int, default=2048)
    parser.add_argument("--runs", type=int, default=5, help="of the SimPy engine; the fastest counts")
    arguments = parser.parse_args()
    trace = gemm_trace(arguments.kernel, arguments.k)
    parameters = load_machine(trace.arch).parameters
    count = trace.instruction_count
    print(f"{arguments.kernel.name}, K={arguments.k}: {count} dynamic instructions, {len(trace.waves)} waves")
    cases = [("steady", trace, True), ("stepped", trace, False), ("jittered", jittered(trace), False)]
    for engine in ENGINES:
        for name, case, extrapolate in cases:
            if engine == "reference" and name == "steady":
                continue  # it always steps
            seconds = float("inf")
            try:
                for _ in range(arguments.runs if engine == "simpy" else 1):
                    begin = time.perf_counter()
                    timeline = simulate(case, parameters, engine=engine, extrapolate=extrapolate)
                    seconds = min(seconds, time.perf_counter() - begin)
            except UserError as error:
                print(f"{engine:9} {name:8} {error}")
                continue
            rate, clk = count / seconds / 1000, timeline.clk_total
            print(f"{engine:9} {name:8} {seconds:7.3f} s {rate:8.0f} k instructions/s {clk:9} clk")


if __name__ == "__main__":
    main()
