"""The proof of a schedule: what is printed computes the same, bit for bit, and breaks no rule.

- Its order keeps every dependence that was found.
- Executed, it leaves in memory what the kernel as it was left, to the bit.
- ``wavesim check`` finds nothing that it did not find before; that includes adversarial execution.
- Both timing engines agree on it to the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wavesim.checks.run import CheckResult, check_kernel
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.front.launch.model import LoadedKernel
from wavesim.isa.machine import Machine
from wavesim.pipeline.shorter import Shorter
from wavesim.timing import default_engine, simulate
from wavesim.trace import Trace
from wavesim.tuning.loop import loop_of, loops_of
from wavesim.tuning.score import cut
from wavesim.tuning.variant import Recipe, Variant

SIMPY_PASSES = 4
"""Passes of the loop that both engines time: SimPy steps some 25,000 instructions a second."""


@dataclass(frozen=True)
class Original:
    """The kernel as it was: what it computes, and what is found wrong with it."""

    kernel: LoadedKernel
    machine: Machine
    execution: Execution
    check: CheckResult
    shorter: Shorter | None

    @property
    def rules_broken(self) -> Counter[str]:
        """Rules -> findings above a note."""
        return broken(self.check)


def broken(result: CheckResult) -> Counter[str]:
    """Rules -> findings above a note."""
    return Counter(each.rule for each in result.findings if each.is_bad)


def failure(original: Original, variant: Variant, order: Sequence[int], recipe: Recipe) -> str:
    """Why a schedule is not proven; nothing where it is.

    Args:
        original: the kernel as it was.
        variant: what the schedule is of.
        order: the order of its operations.
        recipe: how it is put into the kernel.
    """
    wrong = variant.scheduler.order.broken(order)
    if wrong is not None:
        return f"operations {wrong[0]} and {wrong[1]} of the loop are turned round ({wrong[2]})"
    kernel = replace(original.kernel, program=recipe.applied(original.kernel.program))
    shorter = original.shorter
    if shorter is not None:
        program = recipe.applied(shorter.kernel.program)
        shorter = replace(shorter, kernel=replace(shorter.kernel, program=program))
    return failure_of(original, kernel, shorter, variant.loop.label)


def failure_of(original: Original, kernel: LoadedKernel, shorter: Shorter | None, label: str) -> str:
    """Why another kernel is not proven to be one with ``original``; nothing where it is.

    Args:
        original: the kernel as it was.
        kernel: the other one, with the same launch.
        shorter: the same at a smaller depth, if there is one.
        label: its loop's; without one, the loop with most executed instructions is meant.
    """
    try:
        execution = emulate(kernel.program, kernel.launch, original.machine)
        return (
            _difference(original.execution, execution)
            or _findings(original, kernel, shorter)
            or _engines(execution.trace, label, original.machine)
        )
    except UserError as error:
        return f"it cannot be executed: {error.message}"


def _difference(before: Execution, after: Execution) -> str:
    if not after.complete:
        return "its waves do not finish"
    for name in before.matrices:
        one, other = before.matrix(name), after.matrix(name)
        if one.shape != other.shape or one.tobytes() != other.tobytes():
            return f"it leaves other numbers in {name}"
    return ""


def _findings(original: Original, kernel: LoadedKernel, shorter: Shorter | None) -> str:
    result = check_kernel(kernel, original.machine, shorter=lambda: shorter)
    more = broken(result) - original.rules_broken
    for finding in result.findings:
        if finding.is_bad and finding.rule in more:
            return f"{finding.rule}: {finding.message}"
    return ""


def _engines(trace: Trace, label: str, machine: Machine) -> str:
    if default_engine() != "compiled":
        return ""
    for loop in loops_of(trace):
        if not label or trace.program.label_at(loop.head) == label:
            trace = cut(trace, loop_of(trace, loop), SIMPY_PASSES)
            break
    try:
        simulate(trace, machine.parameters, engine="both")
    except UserError as error:
        return error.message
    return ""
