"""Rule register-uninitialised: a register that no path has written is read."""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.check.cfg import ControlFlow
from wavesim.check.waits import register_text, span_of
from wavesim.isa.opcodes import lookup
from wavesim.program import Finding, Program, Severity
from wavesim.program.dataflow import Effects, registers_of
from wavesim.trace import CodeEntry

RegisterKey = tuple[str, int]

FIRST_SPECIAL_SGPR = 102
"""SGPR numbers from here on are FLAT_SCRATCH, XNACK_MASK and trap registers, set by the hardware."""


def initial_registers(program: Program) -> frozenset[RegisterKey]:
    """What the dispatcher sets: user SGPRs, workgroup ids and the packed workitem id in v0 (and the
    separate v1, v2 that older code objects ask for)."""
    metadata = program.metadata
    ids = metadata.workgroup_id_x + metadata.workgroup_id_y + metadata.workgroup_id_z
    private = 1 if metadata.scratch_bytes else 0
    count = max(metadata.user_sgpr_count, 2) + ids + private
    scalars = {("s", index) for index in range(count)}
    return frozenset(scalars | {("v", 0), ("v", 1), ("v", 2)})


def uninitialised_reads(
    program: Program, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...], flow: ControlFlow
) -> Iterator[Finding]:
    """One finding per register that some instruction reads though no path to it writes it."""
    written = _maybe_written(program, effects, flow)
    seen: set[RegisterKey] = set()
    for index in sorted(flow.reachable):
        reads = effects[index].reads
        if _keeps_old_value(program, index):
            reads = reads - effects[index].writes
        for register in sorted(reads - written[index]):
            file, number = register
            if file not in ("v", "a", "s") or (file == "s" and number >= FIRST_SPECIAL_SGPR):
                continue
            if register in seen:
                continue
            seen.add(register)
            partly = _partly_written(program, index, register, written[index])
            yield Finding(
                rule="register-uninitialised",
                severity=Severity.NOTE if partly else Severity.WARNING,
                message=(
                    f"{program.instructions[index].opcode} reads {register_text(register)}, "
                    "which no path from the kernel's start writes"
                ),
                spans=(span_of(program, index),),
                fix=f"write {register_text(register)} first, or name the register that was meant",
            )


def _partly_written(
    program: Program, index: int, register: RegisterKey, written: frozenset[RegisterKey]
) -> bool:
    """Whether other registers of the same operand are written: compilers leave the unused half of a
    64-bit addend undefined."""
    for operand in program.instructions[index].operands:
        named = registers_of(operand)
        if register in named and any(other in written for other in named):
            return True
    return False


def _keeps_old_value(program: Program, index: int) -> bool:
    """Lane and half writes keep the rest of a register; what is kept may well be undefined."""
    instruction = program.instructions[index]
    if "preserves" in lookup(instruction.opcode, program.arch, instruction.span).flags:
        return True
    return instruction.opcode == "v_writelane_b32" or instruction.modifier("dst_unused") is not None


def _maybe_written(
    program: Program, effects: tuple[Effects, ...], flow: ControlFlow
) -> dict[int, frozenset[RegisterKey]]:
    """Registers that at least one path has written, before each reachable instruction."""
    before: dict[int, frozenset[RegisterKey]] = {0: initial_registers(program)} if len(program) else {}
    todo = [0] if len(program) else []
    while todo:
        index = todo.pop()
        after = before[index] | effects[index].writes
        for target in flow.successors[index]:
            known = before.get(target)
            if known is None or not after <= known:
                before[target] = after if known is None else known | after
                todo.append(target)
    return before
