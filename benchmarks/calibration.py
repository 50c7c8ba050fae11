"""Twenty calibrations of virtual devices with secret numbers: `python -m benchmarks.calibration [COUNT]`."""

from __future__ import annotations

import sys
import time

from wavesim.calibrate.fit import fit
from wavesim.calibrate.microbenchmarks import microbenchmarks
from wavesim.calibrate.samples import Samples, measure
from wavesim.calibrate.selftest import draw, misses, secret_device
from wavesim.isa.load import load_machine

REPEATS = 15


def main(count: int = 20) -> None:
    """Print what was missed in each draw, and how many were recovered in full."""
    machine = load_machine("gfx942")
    benchmarks = microbenchmarks(machine)
    good = 0
    for seed in range(count):
        begin = time.perf_counter()
        secret = draw(machine, benchmarks, seed)
        device = secret_device(machine, secret, seed)
        samples = Samples(device.properties, "")
        measure(device, benchmarks, samples, repeats=REPEATS)
        missed = misses(machine, secret, fit(machine, benchmarks, samples))
        good += not missed
        seconds = time.perf_counter() - begin
        print(f"draw {seed}: {len(secret)} values, {len(missed)} missed, {seconds:.0f} s", flush=True)
        for line in missed:
            print(f"  {line}", flush=True)
    print(f"{good} of {count} draws recovered in full")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
