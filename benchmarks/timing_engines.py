"""Speed of the timing engines: dynamic instructions per second with every clock stepped, in turns.

``arrays`` is the compiled engine alone, flat arrays to flat arrays; ``compiled`` and ``simpy`` are whole,
Trace to Timeline; ``ratio`` is that of the two. The fastest of several runs counts, in processor seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from wavesim.emulate.run import emulate
from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.replays.att.importer import import_trace
from wavesim.replays.compute_unit import memory_mode, replay_inputs
from wavesim.timing import simulate
from wavesim.timing.compiled import engine, inputs
from wavesim.trace import Trace

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT.parent / "shared" / "traces"
KERNELS = ("8wave", "8wave_256", "8wave_pingpong", "4wave")

Case = tuple[str, Trace, TimingParameters]


def kernel_trace(name: str) -> tuple[Trace, TimingParameters]:
    """The executed streams of one workgroup, whole."""
    kernel, machine = prepare(ROOT / "kernels" / f"{name}.yaml", RunOptions())
    return emulate(kernel.program, kernel.launch, machine).trace, machine.parameters


def cases(traces: Path) -> Iterator[Case]:
    """The ladder, 32 waves, and the measured traces."""
    for name in KERNELS:
        trace, p = kernel_trace(name)
        yield name, trace, p
        if name == "8wave":
            waves = [replace(wave, workgroup=group) for group in range(4) for wave in trace.waves]
            yield "8wave, 4 workgroups", replace(trace, waves=tuple(waves)), p
    for folder in sorted(traces.glob("gfx*")):
        imported = import_trace(folder, "auto")
        machine = load_machine(imported.arch)
        unit = imported.units[0]
        yield folder.name, replay_inputs(unit, machine, memory_mode("measured"))[0], machine.parameters


def arrays_s(trace: Trace, p: TimingParameters) -> float:
    """Seconds of the compiled engine alone."""
    library = engine.loaded()
    prepared = inputs.prepare(library, trace, p)
    with engine.engine_of(library, prepared) as handle:
        begin = time.process_time()
        library.wavesim_start(handle)
        while library.wavesim_run(handle, engine.EVENTS_PER_CALL) == engine.RUNNING:
            pass
        return time.process_time() - begin


def whole_s(name: str) -> Callable[[Trace, TimingParameters], float]:
    """Seconds from Trace to Timeline."""

    def timed(trace: Trace, p: TimingParameters) -> float:
        begin = time.process_time()
        simulate(trace, p, engine=name)
        return time.process_time() - begin

    return timed


def main() -> None:
    """A line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of the compiled engine; SimPy runs once")
    parser.add_argument("--traces", type=Path, default=TRACES, help="folder of measured traces")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    print(f"{'thousand instructions/s':40} {'executed':>8} {'arrays':>7} {'compiled':>8} {'simpy':>5} ratio")
    for name, trace, p in cases(arguments.traces):
        if arguments.only not in name:
            continue
        count = trace.instruction_count
        arrays = min(arrays_s(trace, p) for _ in range(arguments.runs))
        compiled = min(whole_s("compiled")(trace, p) for _ in range(arguments.runs))
        simpy = whole_s("simpy")(trace, p)
        rates = [count / seconds / 1000 for seconds in (arrays, compiled, simpy)]
        print(f"{name:40} {count:8} {rates[0]:7.0f} {rates[1]:8.0f} {rates[2]:5.0f} {simpy / compiled:5.0f}")


if __name__ == "__main__":
    main()
