"""Rule transposed-read: transposing LDS reads while some lanes are switched off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wavesim.checks.waits import span_of
from wavesim.emulate.observe import LdsAccess
from wavesim.isa.kinds import LANES
from wavesim.isa.opcodes import lookup
from wavesim.program import Finding, Severity
from wavesim.trace import Trace


def partial_transposed_reads(trace: Trace, accesses: Sequence[LdsAccess]) -> Iterator[Finding]:
    """One note per instruction: lanes exchange what they read, and what a lane that is off contributes or
    receives is not documented (CDNA4 ISA, DS_READ_B64_TR and similar)."""
    program = trace.program
    fewest: dict[int, int] = {}
    waves: dict[int, set[int]] = {}
    for access in accesses:
        instruction = program.instructions[access.index]
        if "transpose" not in lookup(instruction.opcode, program.arch, instruction.span).flags:
            continue
        if len(access.addresses) < LANES:
            fewest[access.index] = min(fewest.get(access.index, LANES), len(access.addresses))
            waves.setdefault(access.index, set()).add(trace.waves[access.wave].wave)
    for index in sorted(fewest):
        yield Finding(
            "transposed-read",
            Severity.NOTE,
            f"{program.instructions[index].opcode} is executed with {fewest[index]} of {LANES} lanes active: "
            "what a transposed read gives under a partial EXEC is not documented",
            (span_of(program, index),),
            tuple(sorted(waves[index])),
            "set EXEC to all lanes for the read, and mask what uses its result",
        )
