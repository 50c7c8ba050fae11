"""Runs the rules that need no execution: what a kernel's code says on all paths."""

from __future__ import annotations

from wavesim.checks import by_code
from wavesim.checks.cfg import control_flow
from wavesim.checks.code_view import CodeView
from wavesim.checks.hazards import hazards
from wavesim.checks.paths import possible_paths
from wavesim.checks.pending import pending_before
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.checks.waits import missing_waits
from wavesim.emulate.semantics.scalar.mode_register import mode_findings
from wavesim.program import Finding, Program
from wavesim.program.dataflow import effects
from wavesim.trace.decode import code_entries


def check_program(program: Program, *, strict: bool = False) -> tuple[list[Finding], WaitRelaxer]:
    """The rules that need no execution, and what judges waits once there is one. ``strict`` makes errors of
    the wait states that only LLVM asks for.

    Raises:
        UnknownInstruction: the program has an opcode without data.
    """
    code = code_entries(program)
    used = tuple(effects(instruction, program.arch) for instruction in program)
    flow = possible_paths(program, code, used, control_flow(program, code))
    before = pending_before(flow, code, used)
    found = [
        *missing_waits(program, code, used, before),
        *hazards(program, code, used, flow, strict=strict),
        *(finding for find in by_code.FINDERS for finding in find(CodeView(program, code, used, flow))),
        *mode_findings(program),
    ]
    return found, WaitRelaxer.of(program, code, used, flow, before)
