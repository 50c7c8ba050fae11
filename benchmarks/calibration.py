"""Twenty calibrations of virtual devices with secret numbers: `python -m benchmarks.calibration [COUNT]`."""

from __future__ import annotations

import sys
import time

from wavesim.calibrate.bench.lane_phases import (
    find_phases,
    from_samples,
    measure_phases,
    same_phases,
    with_phases,
)
from wavesim.calibrate.bench.programs import microbenchmarks
from wavesim.calibrate.bench.samples import Samples, measure
from wavesim.calibrate.fit.search import fit
from wavesim.calibrate.fit.selftest import draw, draw_phases, misses, phase_misses, secret_device
from wavesim.isa.load import load_machine

REPEATS = 15


def main(count: int = 20) -> None:
    """Print what was missed in each draw, and how many were recovered in full."""
    machine = load_machine("gfx942")
    benchmarks = microbenchmarks(machine)
    good = 0
    for seed in range(count):
        begin = time.perf_counter()
        hidden = draw_phases(machine, seed)
        secret = draw(machine, benchmarks, seed)
        device = secret_device(hidden, secret, seed)
        samples = Samples(device.properties, "")
        measure(device, benchmarks, samples, repeats=REPEATS)
        measure_phases(device, machine, samples, repeats=REPEATS)
        phases = find_phases(machine, from_samples(samples))
        result = fit(with_phases(machine, phases), benchmarks, samples)
        missed = misses(machine, secret, result) + phase_misses(hidden, phases)
        good += not missed
        seconds = time.perf_counter() - begin
        tables = sum(not same_phases(hidden.lds_phases[key], machine.lds_phases[key]) for key in phases)
        print(
            f"draw {seed}: {len(secret)} values and {tables} tables of lane phases, "
            f"{len(missed)} missed, {seconds:.0f} s",
            flush=True,
        )
        for line in missed:
            print(f"  {line}", flush=True)
    print(f"{good} of {count} draws recovered in full")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
