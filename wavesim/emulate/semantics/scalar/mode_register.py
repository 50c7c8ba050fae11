"""Hardware registers that a kernel reads and writes: MODE is followed, wave by wave; others are not.

Vector instructions of a program that writes MODE are bound anew for each value of it that they meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from wavesim.emulate.float_mode import (
    HONOURED_BITS,
    HW_REG_MODE,
    ROUNDING_BITS,
    FloatMode,
    HardwareRegister,
    hardware_register,
    mode_of,
)
from wavesim.emulate.operands import call, immediate_bits, source
from wavesim.emulate.registry import Binder, Binding, semantics
from wavesim.emulate.semantics.scalar.salu import scalar_writer
from wavesim.emulate.state import Lanes
from wavesim.emulate.types import Step
from wavesim.errors import SourceSpan
from wavesim.isa.opcodes import opcode_table
from wavesim.program import Finding, Immediate, Instruction, Program, Severity
from wavesim.program.forms import operand_specs

SETREG = ("s_setreg_b32", "s_setreg_imm32_b32")
RULE = "float-mode"
_NAMES = ("nearest even", "up", "down", "zero")
_FORMATS = frozenset(("VOP1", "VOP2", "VOP3", "VOP3P", "VOPC"))
_ROUNDED = (
    "add, multiply, fused multiply-add, ldexp and conversions follow it; v_rcp, v_rsq, v_sqrt, v_exp, v_log, "
    "v_sin, v_cos, v_fract, dot products and matrix instructions round to nearest"
)
_FIX = "read results that depend on it with care, or leave these bits as they are"


def setreg_operands(instruction: Instruction) -> tuple[HardwareRegister | None, int | None]:
    """What an s_setreg writes: the register, and the value where the code says it."""
    value = instruction.operands[1]
    known = immediate_bits(value.value, "b32") if isinstance(value, Immediate) else None
    return hardware_register(instruction.operands[0]), known


def writes_mode(program: Program) -> bool:
    """Whether any instruction may write MODE."""
    for instruction in program:
        if instruction.opcode in SETREG:
            register, _ = setreg_operands(instruction)
            if register is None or register.number == HW_REG_MODE:
                return True
    return False


def changed(old: int, register: HardwareRegister, value: int) -> int:
    """A hardware register's bits after its field was written."""
    return old & ~register.mask | value << register.first & register.mask


def mode_message(bits: int, mask: int) -> str:
    """What is not followed of a MODE whose bits under ``mask`` were written; empty if all is."""
    found = []
    rounding = bits & mask & ROUNDING_BITS
    if rounding:
        single, other = _NAMES[rounding & 3], _NAMES[rounding >> 2]
        found.append(f"the rounding mode becomes {single} for f32, {other} for f16 and f64: {_ROUNDED}")
    unknown = bits & mask & ~HONOURED_BITS
    if unknown:
        found.append(f"MODE bits {unknown:#x} (exceptions, debug, indexing, skipping) are not modelled")
    return "; ".join(found)


def _ignored_factor(instruction: Instruction, mode: FloatMode) -> Iterator[Finding]:
    """An output modifier (``mul:2``) that has no effect under the mode the kernel always has."""
    names = [f"{name}:{value}" for name, value in instruction.modifiers if name in ("mul", "div")]
    info = opcode_table().get(instruction.opcode)
    if not names or info is None:
        return
    result = operand_specs(info, instruction)[0].type
    if mode.ieee or not mode.flushes_results(result == "f32"):
        why = "MODE.IEEE is set" if mode.ieee else f"denormal results of {result} are kept"
        yield _finding(instruction, f"{names[0]} has no effect while {why} (CDNA3 ISA, 6.2.2)")


def _finding(instruction: Instruction, message: str, waves: tuple[int, ...] = ()) -> Finding:
    spans = (instruction.span,) if instruction.span is not None else ()
    return Finding(RULE, Severity.WARNING, f"{instruction.opcode}: {message}", spans, waves, _FIX)


def mode_findings(program: Program) -> Iterator[Finding]:
    """What the code alone says of MODE: the descriptor, and each s_setreg."""
    first = mode_of(program.metadata).bits
    message = mode_message(first, 0xFFFFFFFF)
    if message:
        span = (SourceSpan(program.file),) if program.file else ()
        yield Finding(RULE, Severity.WARNING, f"the kernel descriptor: {message}", span, (), _FIX)
    for directive, text in program.metadata.extra.items():
        if directive.startswith("exception_") and text.strip() not in ("", "0"):
            span = (SourceSpan(program.file),) if program.file else ()
            why = f".amdhsa_{directive} asks for exceptions, which are not modelled"
            yield Finding(RULE, Severity.WARNING, f"the kernel descriptor: {why}", span, (), _FIX)
    fixed = None if writes_mode(program) else FloatMode(first)
    for instruction in program:
        if fixed is not None:
            yield from _ignored_factor(instruction, fixed)
        if instruction.opcode not in SETREG:
            continue
        register, value = setreg_operands(instruction)
        if register is None or register.number != HW_REG_MODE:
            name = instruction.operands[0] if register is None or register.number < 0 else register.number
            yield _finding(instruction, f"writes hardware register {name}, which is not modelled")
        elif value is None:
            followed = not register.mask & (ROUNDING_BITS | ~HONOURED_BITS)
            if not followed:
                yield _finding(
                    instruction,
                    "the value of MODE is known only when this executes; if it changes the rounding mode, "
                    f"{_ROUNDED}; bits other than rounding, denormals, clamp, IEEE and f16 overflow are "
                    "not modelled",
                )
        else:
            message = mode_message(changed(0, register, value), register.mask)
            if message:
                yield _finding(instruction, message)


@semantics(*SETREG)
def _bind_setreg(binding: Binding) -> Step:
    register, _ = setreg_operands(binding.instruction)
    if register is None or register.number != HW_REG_MODE:
        return lambda: None  # a finding says so
    lanes = binding.lanes
    read = source(binding, 1)
    mode = lanes.state.mode[lanes.waves]
    keep, first, mask = np.uint32(~register.mask & 0xFFFFFFFF), np.uint32(register.first), register.mask

    def run() -> None:
        value = np.broadcast_to(call(read), (lanes.count, 1))[:, 0].astype(np.uint32)
        mode[...] = mode & keep | value << first & np.uint32(mask)

    return run


@semantics("s_getreg_b32")
def _bind_getreg(binding: Binding) -> Step:
    """MODE as it is; other hardware registers read as 0: identity is not modelled."""
    put = scalar_writer(binding)
    register = hardware_register(binding.instruction.operands[1])
    if register is None or register.number != HW_REG_MODE:
        zero = np.zeros((1, 1), np.uint32)
        return lambda: put(zero)
    lanes = binding.lanes
    mode = lanes.state.mode[lanes.waves]
    first, field = np.uint32(register.first), np.uint32((1 << register.bits) - 1)
    return lambda: put((mode >> first & field)[:, None])


def bind_by_mode(binder: Binder, binding: Binding) -> Step:
    """The instruction under the MODE that its waves have when it executes; wave by wave if they differ."""
    info = opcode_table().get(binding.info.name)
    if info is None or info.format not in _FORMATS:
        return binder(binding)
    lanes = binding.lanes
    mode = lanes.state.mode[lanes.waves]
    first, step = lanes.waves.start, lanes.waves.step or 1
    steps: dict[tuple[int, int], Step] = {}
    alone: dict[int, Lanes] = {}

    def bound(place: int, bits: int) -> Step:
        known = steps.get((place, bits))
        if known is None:
            at = binding if place < 0 else replace(binding, lanes=alone[place])
            known = steps[place, bits] = binder(replace(at, mode=FloatMode(bits)))
        return known

    bound(-1, int(mode[0]))  # what cannot be bound is refused now

    def run() -> None:
        if (mode == mode[0]).all():
            bound(-1, int(mode[0]))()
            return
        for place in range(lanes.count):
            wave = first + step * place
            lane = alone.setdefault(place, Lanes(lanes.state, slice(wave, wave + 1, 1)))
            lane.begin()
            bound(place, int(mode[place]))()
        lanes.begin()

    return run
