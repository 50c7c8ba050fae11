"""The ladder before and after: what `wavesim tune` finds, at two roles of memory and three latencies.

With --cost: what a candidate takes, by its parts. With --shuffled: 8wave_256 with its loop in a random order
that its dependences allow, for three seeds, and whether the search finds its bound again.

python -m benchmarks.tune [--candidates N] [--memory ROLE] [--cost | --shuffled] [KERNEL ...]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from wavesim.asm.printer import print_program
from wavesim.checks.run import check_kernel
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import launch_path
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.launch.write import launch_text, with_its_workgroup
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.tuning.dependence import Addresses, Order
from wavesim.tuning.loop import chosen_loop
from wavesim.tuning.score import LATENCIES, MIDDLE, cut
from wavesim.tuning.search import move
from wavesim.tuning.tune import SEARCH_PASSES, TuneOptions, tune_kernel
from wavesim.tuning.variant import Variant

KERNELS = Path(__file__).resolve().parent.parent / "kernels"
LADDER = ("8wave.yaml", "4wave.yaml", "8wave_pingpong.yaml", "8wave_256.yaml")
ROLES = ("stream", "l2")
DEPTH = "2048"
SHUFFLED, SHUFFLED_DEPTH, SHUFFLES = "8wave_256.yaml", "1024", (1, 2, 3)
SEED = 1
ROUNDS, COUNTED = 6, 50
"""The cost is the least of so many rounds of so many candidates."""


def random_order(order: Order, generator: random.Random) -> list[int]:
    """One of all orders that keep every dependence: any operation that is ready may come next."""
    left = [len(each) for each in order.before]
    ready = [number for number, count in enumerate(left) if not count]
    found = []
    while ready:
        number = ready.pop(generator.randrange(len(ready)))
        found.append(number)
        for later in sorted(order.after[number]):
            left[later] -= 1
            if not left[later]:
                ready.append(later)
    return found


def varied(kernel: Path, options: RunOptions) -> tuple[LoadedKernel, Machine, Variant]:
    """A kernel, its machine, and what schedules its loop."""
    prepared, machine = prepare(kernel, options)
    execution = emulate(prepared.program, prepared.launch, machine, observe_lds=True)
    loop = chosen_loop(execution.trace, None)
    return prepared, machine, Variant.of("as it is", execution.trace, loop, Addresses.of(execution, loop))


def shuffled(kernel: Path, options: RunOptions, seed: int, output: Path) -> None:
    """Writes a kernel with the operations of its loop in the first random order that check finds nothing
    wrong with, and its launch file."""
    prepared, machine, variant = varied(kernel, options)
    generator, good = random.Random(seed), False
    while not good:
        order = random_order(variant.scheduler.order, generator)
        program = variant.recipe(order).applied(prepared.program)
        good = check_kernel(replace(prepared, program=program), machine).good
    output.write_text(print_program(with_its_workgroup(program, prepared.launch)))
    launch_path(output).write_text(launch_text(prepared.launch))


def cost_row(kernel: Path) -> str:
    """The least processor time of a candidate, ms: its order, its waits and wait states, its timing."""
    _, machine, variant = varied(kernel, RunOptions(settings={"K": DEPTH}))
    trace, generator = cut(variant.trace, variant.loop, SEARCH_PASSES), random.Random(SEED)
    judge = variant.judge(trace, machine.parameters)
    orders, rounds = [variant.as_it_is], []
    for _ in range(ROUNDS):
        spent = [time.process_time()]
        orders = [orders[-1]]
        while len(orders) < COUNTED:
            orders.append(move(variant.scheduler.order, orders[-1], generator) or orders[-1])
        spent.append(time.process_time())
        schedules = [variant.scheduler.schedule(order) for order in orders]
        spent.append(time.process_time())
        for schedule in schedules:
            judge.clk(schedule)
        spent.append(time.process_time())
        rounds.append([1000 * (after - before) / COUNTED for before, after in pairwise(spent)])
    parts = [min(several) for several in zip(*rounds, strict=True)]
    size = f"{len(variant.as_it_is):>11}{sum(len(wave) for wave in trace.waves):>14,}"
    numbers = "".join(f"{part:>9.2f}" for part in (*parts, sum(parts)))
    return f"{kernel.name:<22}{size}{numbers}{60_000 / sum(parts):>12,.0f}"


def tuned_row(name: str, role: str, path: Path, options: RunOptions, candidates: int) -> str:
    """What the search finds for a kernel."""
    began = time.monotonic()
    found = tune_kernel(path, options, TuneOptions(candidates=candidates, minutes=None, seed=SEED))
    minutes = (time.monotonic() - began) / 60
    clocks = "".join(
        f"{f'{before / found.unroll:,.0f} -> {after / found.unroll:,.0f}':>18}"
        for before, after in zip(found.before_clk, found.after_clk, strict=True)
    )
    bound = found.bound_clk[MIDDLE]
    above = found.after_clk[MIDDLE] / bound - 1
    row = f"{name:<22}{role:<8}{clocks}{bound / found.unroll:>8,.0f}{above:>7.1%}"
    row += f"{found.tried:>7,}{minutes:>6.1f}"
    row += "  proven" if found.better else "  as it was"
    return row + (f", {len(found.dropped)} not proven" if found.dropped else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--memory", choices=ROLES, help="one of them alone")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("kernels", nargs="*", default=LADDER)
    asked = parser.parse_args()
    if asked.cost:
        print(f"{'ms a candidate':<22}{'operations':>11}{'instructions':>14}", end="")
        print(f"{'order':>9}{'waits':>9}{'timing':>9}{'all':>9}{'a minute':>12}")
        for name in asked.kernels:
            print(cost_row(KERNELS / name), flush=True)
        return
    shares = "".join(f"{f'at {share:.1f}':>18}" for share in LATENCIES)
    print(f"{'kernel':<22}{'memory':<8}{shares}{'bound':>8}{'above':>7}{'tried':>7}{'min':>6}  seed {SEED}")
    if asked.shuffled:
        with tempfile.TemporaryDirectory() as folder:
            for seed in SHUFFLES:
                path = Path(folder) / f"shuffled_{seed}.s"
                options = RunOptions(settings={"K": SHUFFLED_DEPTH})
                shuffled(KERNELS / SHUFFLED, options, seed, path)
                print(tuned_row(path.stem, "stream", path, RunOptions(), asked.candidates), flush=True)
        return
    for name in asked.kernels:
        for role in [asked.memory] if asked.memory else ROLES:
            options = RunOptions(settings={"K": DEPTH, "memory.latency_clk": role})
            print(tuned_row(name, role, KERNELS / name, options, asked.candidates), flush=True)


if __name__ == "__main__":
    main()
