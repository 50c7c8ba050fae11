"""Throughput: TFLOP/s of the device at the device's clock, and what the last round of workgroups costs."""

from __future__ import annotations

import numpy as np

from wavesim.analyze.code_tables import CodeTables
from wavesim.analyze.following import span_clk as following_clk
from wavesim.analyze.passes import Passes
from wavesim.analyze.result import Following, Loop, Throughput
from wavesim.analyze.stalls import issued_rows
from wavesim.front.launch.model import Launch
from wavesim.isa.clock import Clock
from wavesim.isa.machine import CUS_KEY, Machine
from wavesim.trace import Timeline


def find_throughput(
    timeline: Timeline,
    machine: Machine,
    launch: Launch | None,
    tables: CodeTables,
    passes: Passes | None,
    loop: Loop | None,
    clock: Clock,
    later_clk: int | None = None,
    following: Following | None = None,
) -> Throughput | None:
    """FLOP that the simulated workgroups' MFMAs execute / clk x CUs x clock.

    The whole launch takes the first round's clocks, and for every other round ``later_clk`` (without it, as
    many again). Where workgroups follow one another, each takes the clocks that those take. Returns ``None``
    if the kernel has no MFMA or did not finish.
    """
    flop = sum(
        int(tables.flop[trace.code[: issued_rows(wave)]].sum())
        for trace, wave in zip(timeline.trace.waves, timeline.waves, strict=True)
    )
    if not flop or not timeline.complete or not timeline.clk_total:
        return None
    device = machine.integer(CUS_KEY)
    rate = device * clock.ghz / 1e3
    simulated = len({wave.workgroup for wave in timeline.waves})
    workgroups = int(np.prod(launch.grid)) if launch is not None else 0
    per_round = device * (following.together if following is not None else simulated)
    rounds = -(-workgroups // per_round)
    share = (workgroups - (rounds - 1) * per_round) / per_round if workgroups else 0.0
    all_flop = flop / simulated * workgroups
    clk = float(timeline.clk_total)
    span_clk = clk + (rounds - 1) * (clk if later_clk is None else later_clk)
    if following is not None:
        span_clk = following_clk(timeline, following, -(-workgroups // device))
        clk = simulated * following.clk_per_workgroup
    with_tail = all_flop / span_clk * clock.ghz / 1e3 if rounds else 0.0
    per_pass = _flop_per_pass(timeline, tables, passes) if passes is not None else 0.0
    return Throughput(
        flop=flop,
        clk=timeline.clk_total,
        cus=device,
        clock=clock,
        tflops=flop / clk * rate,
        tflops_steady=per_pass / (loop.clk_per_iteration * loop.unroll) * rate if loop is not None else None,
        workgroups=workgroups,
        workgroups_per_round=per_round,
        rounds=rounds,
        last_round_share=share,
        tflops_with_tail=with_tail,
    )


def _flop_per_pass(timeline: Timeline, tables: CodeTables, passes: Passes) -> float:
    waves = enumerate(timeline.trace.waves)
    total = sum(int(tables.flop[wave.code[passes.rows(timeline, at)]].sum()) for at, wave in waves)
    return total / passes.made


def quantity(machine: Machine, key: str) -> tuple[float, str] | None:
    """A number of the machine file with its source; ``None`` where it has none."""
    quantity = machine.quantities.get(key)
    if quantity is None or not isinstance(quantity.value, int | float):
        return None
    return float(quantity.value), quantity.source
