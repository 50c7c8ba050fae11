"""Rule register-uninitialised: a register is read that no path, or not the wave's own path, has written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from wavesim.checks.cfg import ControlFlow, control_flow
from wavesim.checks.waits import register_text, span_of
from wavesim.isa.opcodes import lookup
from wavesim.isa.unknown import is_marked
from wavesim.program import Finding, Program, Severity
from wavesim.program.dataflow import Effects, registers_of
from wavesim.trace import CodeEntry, Trace, WaveTrace

RegisterKey = tuple[str, int]

SCRATCH_BUFFER = "s[0:3]"
FIRST_SPECIAL_SGPR = 102
"""SGPR numbers from here on are FLAT_SCRATCH, XNACK_MASK and trap registers, set by the hardware."""


def initial_registers(program: Program) -> frozenset[RegisterKey]:
    """What the dispatcher sets: user SGPRs, workgroup ids and the packed workitem id in v0 (and the
    separate v1, v2 that older code objects ask for)."""
    metadata = program.metadata
    ids = metadata.workgroup_id_x + metadata.workgroup_id_y + metadata.workgroup_id_z
    # with a scratch descriptor, clang adds the wave's offset to it even where there is no scratch
    private = 1 if metadata.scratch_bytes or has_scratch_buffer(program) else 0
    count = max(metadata.user_sgpr_count, 2) + ids + private
    scalars = {("s", index) for index in range(count)}
    return frozenset(scalars | {("v", 0), ("v", 1), ("v", 2)})


OTHERS_WRITE = "other paths write, but none that leads here"


def uninitialised_reads(
    program: Program, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...], flow: ControlFlow
) -> Iterator[Finding]:
    """One finding per register that some instruction reads though no path to it writes it.

    Where only paths that cannot be write it, the message says so (``OTHERS_WRITE``).
    """
    written = _maybe_written(program, effects, flow)
    anyhow = _maybe_written(program, effects, control_flow(program, code))
    seen: set[RegisterKey] = set()
    for index in sorted(flow.reachable):
        reads = _relied_on(program, index, effects[index])
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
                    f"{program.instructions[index].opcode} reads {register_text(register)}, which "
                    + (
                        OTHERS_WRITE
                        if register in anyhow[index]
                        else "no path from the kernel's start writes"
                    )
                ),
                spans=(span_of(program, index),),
                fix=f"write {register_text(register)} first, or name the register that was meant",
            )


def uninitialised_on_the_way(
    trace: Trace, effects: tuple[Effects, ...], known: list[Finding]
) -> Iterator[Finding]:
    """The same on the paths that the waves took: some other path writes the register, but not the wave's.

    Registers belong to one wave: what another wave loaded is not there. One finding per instruction, with
    all the waves; places in ``known`` are left out.
    """
    program = trace.program
    places = {finding.spans[0] for finding in known if finding.spans}
    found: dict[int, Finding] = {}
    for wave in trace.waves:
        for index, register in _first_unwritten(program, wave, effects):
            if span_of(program, index) in places:
                continue
            if index not in found:
                found[index] = Finding(
                    rule="register-uninitialised",
                    severity=Severity.WARNING,
                    message=(
                        f"{program.instructions[index].opcode} reads {register_text(register)}, which other "
                        "paths write, but not the one that these waves take: no wave sees another's registers"
                    ),
                    spans=(span_of(program, index),),
                    waves=(wave.wave,),
                    fix=f"write {register_text(register)} in the wave that reads it, or pass it through LDS",
                )
            elif wave.wave not in found[index].waves:
                waves = (*found[index].waves, wave.wave)
                found[index] = replace(found[index], waves=tuple(sorted(waves)))
    lines = {finding.spans[0]: finding for _, finding in sorted(found.items(), reverse=True)}
    yield from (lines[span] for span in dict.fromkeys(found[index].spans[0] for index in sorted(found)))


def _first_unwritten(
    program: Program, wave: WaveTrace, effects: tuple[Effects, ...]
) -> Iterator[tuple[int, RegisterKey]]:
    """Instructions that read a register which the wave has not written, with the first such register.

    What is written only grows, so the first execution of each instruction decides.
    """
    indices, rows = np.unique(wave.code, return_index=True)
    written = set(initial_registers(program))
    for index in indices[np.argsort(rows)].tolist():
        reads = _relied_on(program, index, effects[index])
        unwritten = [
            register
            for register in sorted(reads - written)
            if register[0] in ("v", "a", "s")
            and not (register[0] == "s" and register[1] >= FIRST_SPECIAL_SGPR)
        ]
        if unwritten and not _partly_written(program, index, unwritten[0], frozenset(written)):
            yield index, unwritten[0]
        written |= effects[index].writes | set(unwritten)  # each register is named once


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


def _relied_on(program: Program, index: int, effects: Effects) -> frozenset[RegisterKey]:
    """Registers of which an instruction needs the content: not what it keeps, and not what it spills.

    Where a vector is filled element by element, compilers choose between its old, at first undefined,
    register and the new value, and store and reload it as a whole.
    """
    instruction = program.instructions[index]
    reads = effects.reads
    if _keeps_old_value(program, index):
        reads = reads - effects.writes
    if instruction.opcode.startswith("scratch_store_") and len(instruction.operands) > 1:
        reads = reads - frozenset(registers_of(instruction.operands[1]))
    to_scratch = has_scratch_buffer(program) and SCRATCH_BUFFER in map(str, instruction.operands)
    if to_scratch and instruction.opcode.startswith("buffer_store_"):
        reads = reads - frozenset(registers_of(instruction.operands[0]))
    return reads


def has_scratch_buffer(program: Program) -> bool:
    """Whether the first four SGPRs are the resource of the scratch memory (gfx90a)."""
    return program.metadata.extra.get("user_sgpr_private_segment_buffer") == "1"


def _keeps_old_value(program: Program, index: int) -> bool:
    """Lane and half writes keep the rest of a register; what is kept may well be undefined."""
    instruction = program.instructions[index]
    if is_marked(instruction.opcode):
        return True  # taken to read its result too, for want of knowing
    if "preserves" in lookup(instruction.opcode, program.arch, instruction.span).flags:
        return True
    keeping = ("v_writelane_b32", "v_cndmask_b32", "s_cselect_b32", "s_cselect_b64")
    return instruction.opcode in keeping or instruction.modifier("dst_unused") is not None


def _maybe_written(
    program: Program, effects: tuple[Effects, ...], flow: ControlFlow
) -> dict[int, frozenset[RegisterKey]]:
    """Of the registers that each reachable instruction reads, those that at least one path has written."""
    numbers: dict[RegisterKey, int] = {}

    def bits(registers: frozenset[RegisterKey]) -> int:
        return sum({1 << numbers.setdefault(register, len(numbers)) for register in registers})

    start = bits(initial_registers(program))
    written = [bits(each.writes) for each in effects]
    before = flow.forward(start, lambda index, known: known | written[index], int.__or__)
    read = {index: effects[index].reads for index in before}
    return {
        index: frozenset(each for each in read[index] if each in numbers and known >> numbers[each] & 1)
        for index, known in before.items()
    }
