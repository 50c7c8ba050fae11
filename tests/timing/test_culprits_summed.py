"""Sums of stalls by who is to blame (run --json, replay) are the records', counted one by one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
import random_traces

from wavesim.analyze.culprits import blamed_stalls
from wavesim.api import run
from wavesim.replays.compare import blamed_opcodes, side
from wavesim.timing import simulate
from wavesim.trace import REASON_NAMES, Reason, Timeline

Key = tuple[int, Reason, int, int]


def one_by_one(timeline: Timeline) -> tuple[Counter[Key], Counter[Key]]:
    """Clocks and stalls by (wave, reason, by wave, by static instruction), of records that name somebody."""
    clk: Counter[Key] = Counter()
    stalls: Counter[Key] = Counter()
    for position, wave in enumerate(timeline.waves):
        columns = (wave.stall_reason, wave.stall_clk, wave.stall_by_wave, wave.stall_by_row)
        for reason, length, by_wave, by_row in zip(*(each.tolist() for each in columns), strict=True):
            if by_wave >= 0:
                code = int(timeline.trace.waves[by_wave].code[by_row])
                clk[position, Reason(reason), by_wave, code] += length
                stalls[position, Reason(reason), by_wave, code] += 1
    return clk, stalls


@pytest.mark.parametrize("seed", range(20))
def test_random_traces(seed: int) -> None:
    random = Random(seed)
    p = random_traces.random_parameters(random, "gfx942")
    timeline = simulate(random_traces.random_trace(random, "gfx942"), p)
    clk, stalls = one_by_one(timeline)
    blamed = blamed_stalls(timeline)
    for position in range(len(timeline.waves)):
        found = blamed.culprits(blamed.wave == position, each_wave=True)
        keys = [(position, each.reason, each.by_wave, each.by_code) for each in found]
        assert {key: (each.clk, each.stalls) for key, each in zip(keys, found, strict=True)} == {
            key: (clk[key], stalls[key]) for key in clk if key[0] == position
        }
        assert [each.clk for each in found] == sorted((each.clk for each in found), reverse=True)
        for each in found:  # the row that it names is a row that waited for that instruction
            wave = timeline.waves[position]
            here = (wave.stall_row == each.row) & (wave.stall_by_row == each.by_row)
            assert each.reason in wave.stall_reason[here & (wave.stall_by_wave == each.by_wave)]
    by_opcode = blamed_opcodes(timeline)
    totals = side(timeline, None, p).stalls
    assert sum(clk.values()) == sum(sum(each.values()) for each in by_opcode.values())
    assert all(sum(opcodes.values()) <= totals[reason] for reason, opcodes in by_opcode.items())


def test_json_of_a_run_names_who_costs_a_wave_a_hundredth_of_its_life(root: Path) -> None:
    result = run(root / "kernels/8wave.yaml", settings={"K": 512})
    timeline = result.run.timeline
    clk, stalls = one_by_one(timeline)
    for position, wave in enumerate(result.to_json()["waves"]):
        least = 0.01 * (wave["last_clk"] - wave["first_clk"])
        named = Counter(
            (each["reason"], each["by_wave"], each["clk"], each["stalls"]) for each in wave["culprits"]
        )
        assert named == Counter(
            (REASON_NAMES[key[1]], timeline.waves[key[2]].wave, clk[key], stalls[key])
            for key in clk
            if key[0] == position and clk[key] >= least
        )
        for each in wave["culprits"]:
            code = timeline.trace.waves[each["by_wave"]].code[each["by_row"]]
            assert timeline.trace.code[code].instruction.opcode == each["by_opcode"]
