"""Self-test: virtual devices with secret numbers, and whether a calibration finds them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from wavesim.calibrate.bench.benchmark import Benchmark
from wavesim.calibrate.bench.lane_phases import FoundPhases, same_phases, with_phases
from wavesim.calibrate.bench.quantities import Model, candidates, is_count
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.calibrate.fit.search import FitResult
from wavesim.isa.machine import Machine

FIXED = frozenset(
    {
        "issue.valu_clk",  # the slot: nothing shorter or longer exists in the model
        "barrier.release_early_clk",  # a slot as well
        "counter.lgkm_max",  # counters are as wide as the ISA says
        "counter.vm_max",
        "gap.salu_to_vmem_clk",
        "gap.salu_to_cbranch_clk",
        "mfma.blocks_valu_clk.2",
        "mfma.blocks_memory_clk.2",
    }
)
"""Not drawn: one slot or none, or fixed by the ISA; the nearest other value is beyond 30 %."""

SHARE = 0.3
PHASES_SHARE = 0.35
NOISE_CLK = 4
CLOCKS_SHARE, COST_CLK, LATENCY_CLK = 0.05, 0.5, 4


def draw(machine: Machine, benchmarks: Sequence[Benchmark], seed: int) -> dict[str, int]:
    """Secret values, each within 30 % of the stock one, of those that the model can tell apart."""
    rng = random.Random(seed)
    stock = Model.of(machine)
    secret = {}
    for name in dict.fromkeys(name for each in benchmarks for name in each.parameters):
        value = stock.value(name)
        near = [each for each in candidates(name, value) if abs(each - value) <= SHARE * value]
        if name not in FIXED and len(near) > 1:
            secret[name] = rng.choice(near)
    return secret


def draw_phases(machine: Machine, seed: int) -> Machine:
    """The machine with a secret table of lane phases: about every third one is that of another access."""
    rng = random.Random(f"phases {seed}")
    others = list(machine.lds_phases.values())
    secret = {
        key: FoundPhases(replace(rng.choice(others), banks=phases.banks))
        for key, phases in machine.lds_phases.items()
        if rng.random() < PHASES_SHARE
    }
    return with_phases(machine, secret)


def secret_device(machine: Machine, secret: Mapping[str, int], seed: int) -> VirtualDevice:
    """A virtual device with these values and timing noise."""
    model = Model.of(machine).changed(secret)
    return VirtualDevice(
        machine, noise_clk=NOISE_CLK, seed=seed, parameters=model.parameters, levels=model.levels
    )


def misses(machine: Machine, secret: Mapping[str, int], result: FitResult) -> list[str]:
    """What was not recovered: counts must be exact, latencies within 5 % or 4 clk, costs of single
    operations within 5 % or 0.5 clk. A value that was called undetermined is not recovered."""
    found = []
    for each in result.fitted:
        if each.name not in secret:
            continue
        true = secret[each.name]
        if not each.determined:
            found.append(f"{each.name} is {true}, called undetermined: {each.why}")
        elif is_count(each.name) and each.value != true:
            found.append(f"{each.name} is {true}, found {each.value}")
        elif "bytes_per_clk" in each.name:
            costs = [_service_clk(each.name, rate) for rate in (true, each.value)]
            if any(not _near(a, b, COST_CLK) for a, b in zip(*costs, strict=True)):
                found.append(f"{each.name} is {true}, found {each.value}: clocks {costs[0]} and {costs[1]}")
        elif not is_count(each.name) and not _near(true, each.value, LATENCY_CLK):
            found.append(f"{each.name} is {true}, found {each.value}")
    return found


def _service_clk(name: str, rate: int) -> list[int]:
    """What accesses of 4, 8 and 16 bytes per lane take at a rate: whole clocks, as docs/model rounds them
    (§6 down for LDS ports, §10 up for global memory)."""
    sizes = [64 * width for width in (4, 8, 16)]
    return [size // rate if name.startswith("lds.") else -(-size // rate) for size in sizes]


def phase_misses(machine: Machine, found: Mapping[tuple[str, int], FoundPhases]) -> list[str]:
    """Tables of lane phases that are not exactly those of ``machine``, the secret one."""
    return [
        f"lane phases of {kind} b{8 * width}: {each.why or 'other ones found'}"
        for (kind, width), each in found.items()
        if each.phases is None or not same_phases(each.phases, machine.lds_phases[kind, width])
    ]


def _near(true: float, found: float, clk: float) -> bool:
    return abs(found - true) <= max(CLOCKS_SHARE * true, clk)
