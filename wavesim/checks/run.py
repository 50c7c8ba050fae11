"""Runs every rule on a kernel: what its code says on all paths, and what its execution shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wavesim.checks.all_paths import check_program
from wavesim.checks.bank_conflicts import bank_conflicts
from wavesim.checks.beyond import findings_behind
from wavesim.checks.counters import counter_overflows
from wavesim.checks.coverage import stored_by_two_waves, tile_coverage
from wavesim.checks.elsewhere import Elsewhere, look_elsewhere
from wavesim.checks.lds_contents import uninitialised_lds_reads
from wavesim.checks.lds_order import unordered_lds_accesses
from wavesim.checks.races import global_races, lds_races
from wavesim.checks.registers import OTHERS_WRITE, uninitialised_on_the_way
from wavesim.checks.rules import RULES
from wavesim.checks.spills import register_spills
from wavesim.checks.strong_waits import strong_waits
from wavesim.checks.suppressions import Allowed, suppressed
from wavesim.checks.transposed import partial_transposed_reads
from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.model import LoadedKernel, Position
from wavesim.front.occupancy import occupancy
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.pipeline.allowance import Allowance
from wavesim.pipeline.allowance import execute as run_allowed
from wavesim.pipeline.run import RunOptions, allowed, may_execute
from wavesim.pipeline.shorter import Shorter, shorter_kernel
from wavesim.pipeline.unknowns import RACES, Unknowns, unknowns_of_code
from wavesim.program import Finding, Severity
from wavesim.program.verdict import Verdict, verdict_of
from wavesim.trace import Trace

KNOWN = Allowance()
ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
ORDER_RULES = frozenset({"missing-wait", "lds-race", "global-race", "barrier-deadlock", "spin-deadlock"})
"""What is found where something comes before what it relies on."""


@dataclass(frozen=True)
class CheckResult:
    """Findings, the worst first; ``numerics`` where the kernel was executed with an expected result;
    ``shortened`` says what was not executed in full, ``executed`` which workgroups of the launch's grid were,
    ``left_out`` why not all of its corners, ``allowed`` what the source allows with a reason.
    ``no_launch``: it was executed as far as that is known without its arguments."""

    kernel: LoadedKernel
    findings: tuple[Finding, ...]
    numerics: Numerics | None = None
    unknowns: Unknowns | None = None
    shortened: str = ""
    executed: tuple[Position, ...] = ()
    left_out: str = ""
    allowed: tuple[Allowed, ...] = ()
    no_launch: bool = False

    @property
    def looked_at(self) -> bool:
        """Whether it was executed, with a launch that is known or as a region that was asked for."""
        return self.numerics is not None and not self.no_launch

    @property
    def good(self) -> bool:
        """Whether nothing above a note was found."""
        return self.verdict is not Verdict.BAD

    @property
    def verdict(self) -> Verdict:
        """``unchecked`` where nothing was found but the kernel was not executed."""
        return verdict_of(self.findings, right=True, checked=self.looked_at)


def check_execution(execution: Execution, numerics: Numerics | None = None) -> tuple[list[Finding], Numerics]:
    """The rules on what the waves did: races from the real addresses, results."""
    program = execution.trace.program
    found = list(execution.findings)
    trace, acquires = execution.trace, execution.acquires
    found += lds_races(trace, execution.lds_accesses, program.metadata.lds_bytes, acquires)
    found += global_races(trace, execution.global_accesses, acquires)
    found += unordered_lds_accesses(execution.trace, execution.lds_accesses)
    found += uninitialised_lds_reads(execution.trace, execution.lds_accesses, program.metadata.lds_bytes)
    found += partial_transposed_reads(execution.trace, execution.lds_accesses)
    if numerics is None:
        numerics = check_numerics(execution, execution.launch)
    found += stored_by_two_waves(execution)
    if numerics.checked and not numerics.ok:
        found += tile_coverage(execution)
        fix = "see the other findings; `wavesim run` lists the wrong elements by wave"
        found.append(_wrong_result(execution, numerics, numerics.message, fix))
    return found, numerics


def _wrong_result(execution: Execution, numerics: Numerics, message: str, fix: str) -> Finding:
    """The finding with the first wrong element, and the waves that stored any."""
    expect = execution.launch.expect
    if numerics.wrong_elements and expect is not None:
        message += f"; {expect.result}{numerics.wrong_elements[0]}"
    waves = {each.wave for each in numerics.wrong_places if each.wave is not None}
    return Finding("wrong-result", Severity.ERROR, message, (), tuple(sorted(waves)), fix)


def adversarial_result(kernel: LoadedKernel, machine: Machine) -> list[Finding]:
    """Rule wrong-result once more: a kernel with right numbers must keep them when loads arrive as late as
    the ISA allows and waves run in hostile order."""
    try:
        execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    except UserError as error:  # values that came too late can lead anywhere, past the limits too
        message = f"executed adversarially it fails: {error.message}"
        return [Finding("wrong-result", Severity.ERROR, message, (error.span,) if error.span else ())]
    numerics = check_numerics(execution, kernel.launch)
    if numerics.ok:
        return []
    return [
        _wrong_result(
            execution,
            numerics,
            "in the usual order the result is right, but executed adversarially (loads as late as the ISA "
            f"allows, waves in hostile order) {numerics.message}",
            "see the other findings; `wavesim run --adversarial` lists the wrong elements by wave",
        )
    ]


def check_prepared(
    path: Path,
    prepared: tuple[LoadedKernel, Machine],
    options: RunOptions,
    *,
    corners: bool = True,
    strict: bool = False,
) -> CheckResult:
    """As ``wavesim check``: :func:`check_kernel` of what :func:`wavesim.pipeline.run.prepare` gave.

    Raises:
        UserError: as :func:`check_kernel`, or no such region.
    """
    loaded, machine = prepared
    loaded, allowance = allowed(loaded, machine, options, judged=True)
    return check_kernel(
        loaded,
        machine,
        execute=allowance.no_launch or may_execute(loaded, options),
        allowance=allowance,
        shorter=lambda: shorter_kernel(path, options, loaded),
        corners=corners,
        strict=strict,
    )


def check_kernel(
    kernel: LoadedKernel,
    machine: Machine,
    *,
    execute: bool = True,
    allowance: Allowance = KNOWN,
    shorter: Callable[[], Shorter | None] | None = None,
    corners: bool = True,
    strict: bool = False,
) -> CheckResult:
    """All rules; without ``execute`` (no launch is known) only those that read the code.

    ``shorter`` gives, where there is one, a smaller size of the kernel for adversarial execution.
    ``corners``: execute the workgroups at the corners of the grid too.
    ``strict``: wait states that only LLVM asks for are errors.
    What ``allowance`` lets pass is not judged: what rests on it is left out and listed in the result.

    Raises:
        UnknownInstruction: an opcode has no data or no semantics.
        UserError: the launch does not fit the kernel.
    """
    by_code, relaxer = check_program(kernel.program, strict=strict)
    guarded = [each for each in by_code if each.message.endswith(OTHERS_WRITE)]
    by_code = [each for each in by_code if each not in guarded]
    found = [*kernel.findings, *by_code]
    waves = -(-kernel.launch.workgroup_size // LANES)
    known = {finding.rule for finding in kernel.findings}
    found += [each for each in occupancy(kernel.program, machine, waves) if each.rule not in known]
    numerics = None
    unknowns: Unknowns | None = None
    execution = None
    shortened = ""
    elsewhere = Elsewhere()
    executed: tuple[Position, ...] = ()
    if not execute:
        found += guarded
    else:
        done = run_allowed(kernel, machine, allowance, observe_lds=True)
        execution, machine, unknowns = done.execution, done.machine, done.unknowns
        seen, numerics = check_execution(execution, done.numerics())
        if allowance.no_launch and unknowns is not None and unknowns.mark(RACES):
            seen = []  # where it goes, or what it writes in LDS, is assumed
        found += seen
        found += uninitialised_on_the_way(execution.trace, relaxer.effects, by_code)
        found += findings_behind(execution, relaxer.effects, machine, found)
        seen_places = {each.spans[0] for each in found if each.rule == "register-uninitialised"}
        found += [each for each in guarded if each.spans[0] not in seen_places]
        if allowance.region is None:
            elsewhere = look_elsewhere(kernel, machine, allowance, execution, found) if corners else elsewhere
            executed = (*kernel.launch.workgroups, *elsewhere.executed)
        # where something is found already, wrong numbers are its consequence and no second fault
        if numerics.checked and not any(finding.is_bad for finding in found):
            short = shorter() if shorter is not None else None
            shortened = str(short) if short is not None else ""
            found += adversarial_result(short.kernel if short is not None else kernel, machine)
        found = [*with_waves(found, execution.trace), *elsewhere.findings]
        found += bank_conflicts(execution, machine)
    ordered = ORDER_RULES.isdisjoint(finding.rule for finding in found)
    ordered = ordered and not (unknowns is not None and unknowns.mark(RACES))
    found += strong_waits(relaxer, machine, execution, ordered=ordered)
    found += register_spills(kernel.program, relaxer.code, relaxer.flow, machine, waves, execution)
    found += counter_overflows(relaxer, machine, execution)
    if unknowns is None and allowance.unknown:
        unknowns = unknowns_of_code(kernel.program)
    unique = [each for each in dict.fromkeys(found) if not _rests_on(each, allowance, unknowns)]
    counted, let_pass = suppressed(
        unique, kernel.file, RULES, executed=execute, whole=allowance.region is None
    )
    return CheckResult(
        kernel,
        tuple(sorted(counted, key=_place)),
        numerics,
        unknowns,
        shortened,
        executed,
        elsewhere.left_out,
        tuple(let_pass),
        allowance.no_launch,
    )


_OF_FIRST_VALUES = frozenset(("register-uninitialised", "lds-uninitialised", "global-uninitialised"))


def _rests_on(finding: Finding, allowance: Allowance, unknowns: Unknowns | None) -> bool:
    """Whether a finding is about values that are not known: first values of a region, or what would have
    been stored at an unknown address."""
    if finding.rule not in _OF_FIRST_VALUES:
        return False
    return allowance.region is not None or (unknowns is not None and bool(unknowns.mark("numerics")))


def with_waves(found: list[Finding], trace: Trace) -> list[Finding]:
    """Findings from the code with the waves that executed the place to fix; others as they are."""
    places: dict[SourceSpan, set[int]] = {}
    for wave in trace.waves:
        for index in np.unique(wave.code).tolist():
            span = trace.program.instructions[index].span
            if span is not None:
                places.setdefault(span, set()).add(wave.wave)
    return [
        replace(each, waves=tuple(sorted(places[each.spans[0]])))
        if not each.waves and each.spans and each.spans[0] in places
        else each
        for each in found
    ]


def _place(finding: Finding) -> tuple[int, str, int, str]:
    line = finding.spans[0].line if finding.spans else 0
    return ORDER[finding.severity], finding.rule, line, finding.message
