"""What comes behind a deadlock: the kernel executed once more, with stuck waves let go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wavesim.checks.lds_contents import uninitialised_lds_reads
from wavesim.checks.registers import uninitialised_on_the_way
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.isa.machine import Machine
from wavesim.program import Finding
from wavesim.program.dataflow import Effects

BEHIND = " (seen behind the deadlock, with the stuck waves let go on)"


def findings_behind(
    execution: Execution, effects: tuple[Effects, ...], machine: Machine, known: list[Finding]
) -> Iterator[Finding]:
    """Findings that only an execution past its deadlock meets; nothing where there is none.

    Whatever else goes wrong there (a limit, a jump to nowhere) ends the look without a word: it may be a
    consequence of going on.
    """
    if not any(finding.rule.endswith("-deadlock") for finding in execution.findings):
        return
    try:
        program = execution.trace.program
        beyond = emulate(program, execution.launch, machine, past_deadlock=True, observe_lds=True)
    except UserError:
        return
    places = {(finding.rule, finding.spans[:1]) for finding in (*execution.findings, *known)}
    reads = uninitialised_lds_reads(beyond.trace, beyond.lds_accesses, program.metadata.lds_bytes)
    for finding in (*beyond.findings, *reads, *uninitialised_on_the_way(beyond.trace, effects, known)):
        if not finding.rule.endswith("-deadlock") and (finding.rule, finding.spans[:1]) not in places:
            yield replace(finding, message=finding.message + BEHIND)
