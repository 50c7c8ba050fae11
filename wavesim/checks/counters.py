"""Rule counter-overflow: more memory operations outstanding than vmcnt or lgkmcnt can count.

Not a fault of the result: at a full counter the wave stalls at issue until an earlier operation returns
(measured for vmcnt on gfx942, assumed alike for lgkmcnt). It costs what the stall costs, and the older
operations can no longer be told apart by a wait. So it is a note. expcnt counts nothing that a CDNA
kernel issues.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wavesim.checks.outstanding import Ages
from wavesim.checks.relaxing import COUNTERS, WaitRelaxer
from wavesim.checks.waits import span_of
from wavesim.emulate.run import Execution
from wavesim.isa.machine import Machine
from wavesim.program import Finding, Severity
from wavesim.trace import CodeEntry, Kind, WaveTrace

MOST = 128
"""Where counting over all paths ends: a loop without a wait has no largest count."""


@dataclass(slots=True)
class _Region:
    """Instructions between two waits that go over the limit: the first of them and the largest count."""

    first: int
    most: int
    waves: set[int]


def counter_overflows(
    relaxer: WaitRelaxer, machine: Machine, execution: Execution | None = None
) -> Iterator[Finding]:
    """One note per counter and stretch of code between waits; counted on the executed paths if there is an
    ``execution`` that came to its end, else over all paths."""
    parameters = machine.parameters
    limits = {"vmcnt": parameters.counter_vm_max, "lgkmcnt": parameters.counter_lgkm_max}
    for counter in COUNTERS:
        limit = limits[counter]
        over = {index: most for index, most in _by_code(relaxer, counter).items() if most > limit}
        if not over:
            continue
        regions: dict[int, _Region] = {}
        if execution is not None and execution.complete:
            for wave in execution.trace.waves:
                for index, most in _by_wave(relaxer.code, wave, counter).items():
                    if most > limit:
                        _note(relaxer.code, regions, index, most, wave.wave)
        else:
            for index, most in over.items():
                _note(relaxer.code, regions, index, most, None)
        for region in sorted(regions.values(), key=lambda each: each.first):
            yield _finding(relaxer, counter, limit, region)


def increment(entry: CodeEntry, counter: str) -> int:
    """What an instruction adds to a counter at issue."""
    return entry.vm_increment if counter == "vmcnt" else entry.lgkm_increment


def _after(entry: CodeEntry, counter: str, count: int) -> int:
    if entry.kind is Kind.WAIT:
        asked = entry.wait_vmcnt if counter == "vmcnt" else entry.wait_lgkmcnt
        return count if asked is None else min(count, asked)
    return min(count + increment(entry, counter), MOST)


def _by_code(relaxer: WaitRelaxer, counter: str) -> dict[int, int]:
    """Per counted instruction the most that may be outstanding with it, over all paths."""
    before = relaxer.flow.forward(0, lambda index, count: _after(relaxer.code[index], counter, count), max)
    return {
        index: _after(relaxer.code[index], counter, count)
        for index, count in before.items()
        if increment(relaxer.code[index], counter)
    }


def _by_wave(code: tuple[CodeEntry, ...], wave: WaveTrace, counter: str) -> dict[int, int]:
    """The same on the path that a wave took."""
    relevant = [increment(entry, counter) or entry.kind is Kind.WAIT for entry in code]
    found: dict[int, int] = {}
    count = 0
    for index in wave.code.tolist():
        if relevant[index]:
            count = _after(code[index], counter, count)
            if increment(code[index], counter) and count > found.get(index, 0):
                found[index] = count
    return found


def _note(
    code: tuple[CodeEntry, ...], regions: dict[int, _Region], index: int, most: int, wave: int | None
) -> None:
    start = next((at for at in range(index, -1, -1) if code[at].kind is Kind.WAIT), -1)
    region = regions.setdefault(start, _Region(index, most, set()))
    region.first, region.most = min(region.first, index), max(region.most, most)
    if wave is not None:
        region.waves.add(wave)


def _finding(relaxer: WaitRelaxer, counter: str, limit: int, region: _Region) -> Finding:
    program = relaxer.program
    most = f"{MOST} or more" if region.most >= MOST else str(region.most)
    opcode = program.instructions[region.first].opcode
    spans = [span_of(program, region.first)]
    oldest = _oldest(relaxer.operations.get(region.first, {}), relaxer.code, counter)
    if oldest is not None:
        spans.append(span_of(program, oldest))
    return Finding(
        rule="counter-overflow",
        severity=Severity.NOTE,
        message=(
            f"{opcode} makes more operations outstanding than {counter} counts ({limit}); up to {most} "
            f"before the next wait: from here on the wave stalls at issue until earlier ones return"
        ),
        spans=tuple(spans),
        waves=tuple(sorted(region.waves)),
        fix=f"put other work, or a wait, between the first {limit} operations and the rest",
    )


def _oldest(ages: Ages, code: tuple[CodeEntry, ...], counter: str) -> int | None:
    mine = [(bits.bit_length(), -at) for (at, _), bits in ages.items() if increment(code[at], counter)]
    return -max(mine)[1] if mine else None
