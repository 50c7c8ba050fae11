"""What workgroups at other places of the grid do: those at its corners, executed in the usual order.

A kernel that is right in its first workgroup can load past the end of a matrix in the last one. Beside the
launch's own workgroups each corner of the grid is executed once, all of them together: what the execution
itself meets is reported, and wrong numbers where a corner's result tile is known. Races and the adversary go
by the launch's own workgroups alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.judge.wrong_places import storing_waves
from wavesim.emulate.launch_state import waves_per_workgroup
from wavesim.emulate.run import Execution
from wavesim.errors import UserError
from wavesim.front.launch.model import Expectation, Launch, LoadedKernel, Position, corners
from wavesim.isa.machine import Machine
from wavesim.limits import MAX_WAVES
from wavesim.pipeline.allowance import Allowance
from wavesim.pipeline.allowance import execute as run_allowed
from wavesim.program import Finding, Severity

MOST_INSTRUCTIONS = 6_000_000
"""Wave instructions that all corners may execute, by what the launch's own workgroups did (about half a
minute); beyond it only the last corner is executed, and beyond that none."""


@dataclass(frozen=True)
class Elsewhere:
    """``executed`` workgroups, what was found in them, and why some of them were left out."""

    executed: tuple[Position, ...] = ()
    findings: tuple[Finding, ...] = ()
    left_out: str = ""


def look_elsewhere(
    kernel: LoadedKernel, machine: Machine, allowance: Allowance, own: Execution, known: Iterable[Finding]
) -> Elsewhere:
    """Execute the corners that the launch's own workgroups, which ``own`` executed, leave out.

    ``known`` findings are not reported again.
    """
    launch = kernel.launch
    wanted = [each for each in corners(launch.grid) if each not in launch.workgroups]
    each_executes = own.instruction_count // len(launch.workgroups)
    left_out = ""
    if wanted and each_executes * len(wanted) > MOST_INSTRUCTIONS:
        last = [each for each in wanted if each == corners(launch.grid)[-1]]
        wanted = last if each_executes <= MOST_INSTRUCTIONS else []
        left_out = "not all corners: this would take too long"
    if not wanted or not own.complete:
        return Elsewhere(left_out=left_out)
    at_once = max(1, MAX_WAVES // waves_per_workgroup(launch))
    found: list[Finding] = []
    places = {(finding.rule, finding.spans[:1]) for finding in known}
    try:
        for first in range(0, len(wanted), at_once):
            groups = tuple(wanted[first : first + at_once])
            there = replace(kernel, launch=_launch_of(launch, groups))
            done = run_allowed(there, machine, allowance)
            numbers = _wrong_numbers(done.execution) if done.numerics().checked else ()
            fresh = (*_located(done.execution), *numbers)
            found += [finding for finding in fresh if (finding.rule, finding.spans[:1]) not in places]
    except UserError as error:  # at a place that the launch's own workgroups never reach
        return Elsewhere((), (), f"workgroups {places_text(wanted)} could not be executed: {error}")
    return Elsewhere(tuple(wanted), tuple(dict.fromkeys(found)), left_out)


def _launch_of(launch: Launch, groups: tuple[Position, ...]) -> Launch:
    expect: Expectation | None = launch.expect
    if expect is not None and not expect.only_stored:
        tiles = {group: expect.corners[group] for group in groups if group in expect.corners}
        expect = replace(expect, tiles=tiles) if tiles else None
    return replace(launch, workgroups=groups, expect=expect)


def _located(execution: Execution) -> Iterator[Finding]:
    """What the execution met, with waves as numbered in their workgroups, and the workgroups."""
    waves = execution.trace.waves
    for finding in execution.findings:
        numbers = sorted({waves[wave].wave for wave in finding.waves})
        groups = sorted({waves[wave].workgroup for wave in finding.waves})
        where = places_text([execution.launch.workgroups[group] for group in groups])
        severity, more = finding.severity, ""
        if finding.rule == "spin-deadlock":  # what is polled for may be stored by workgroups left out
            severity, more = Severity.NOTE, "; the workgroups in between are not executed"
        message = f"{finding.message}; in workgroup{'s' * (len(groups) > 1)} {where}{more}"
        yield replace(finding, severity=severity, message=message, waves=tuple(numbers))


def _wrong_numbers(execution: Execution) -> Iterator[Finding]:
    """Rule wrong-result for the corners' tiles."""
    expect = execution.launch.expect
    if expect is None or not execution.complete:
        return
    result = execution.matrices[expect.result]
    stored = {}
    for group, tile in expect.tiles.items():
        mine = storing_waves(result, tile) >= 0
        if mine.any() or not _stores(execution, group):
            stored[group] = tile  # else it has another tile than the grid says: ids are often rearranged
    if not stored and not (expect.only_stored and result.stored_to):
        return
    numerics = check_numerics(execution, replace(execution.launch, expect=replace(expect, tiles=stored)))
    if not numerics.ok:
        place = numerics.wrong_places[0].workgroup if numerics.wrong_places else next(iter(stored))
        first = f"; {expect.result}{numerics.wrong_elements[0]}" if numerics.wrong_elements else ""
        yield Finding(
            "wrong-result",
            Severity.ERROR,
            f"in the launch's own workgroups the result is right, but not in workgroup "
            f"{places_text([place])}: {numerics.message}{first}",
            fix=f"`wavesim run --grid {places_text([place])}` lists the wrong elements by wave",
        )


def _stores(execution: Execution, group: Position) -> bool:
    """Whether a workgroup's waves stored any of the expected result."""
    expect = execution.launch.expect
    first_wave = execution.matrices[expect.result].first_wave if expect is not None else None
    number = execution.launch.workgroups.index(group)
    waves = [place + 1 for place, wave in enumerate(execution.trace.waves) if wave.workgroup == number]
    return first_wave is not None and bool(np.isin(first_wave, waves).any())


def places_text(groups: Sequence[Position], *, grid: Position = (1, 1, 1)) -> str:
    """``0,0 and 3,7``; with z where it is not 0, or the grid has several."""
    flat = grid[2] == 1 and all(group[2] == 0 for group in groups)
    texts = [",".join(map(str, group[:2] if flat else group)) for group in groups]
    return " ".join(texts[:-1] + ["and"] * (len(texts) > 1) + texts[-1:])
