"""GPR indexing: between s_set_gpr_idx_on and s_set_gpr_idx_off vector registers have M0's index added.

CDNA3 ISA, S_SET_GPR_IDX_*: M0[7:0] is the index; four bits say which of VSRC0, VSRC1, VSRC2 and VDST it is
added to. Where the mode is on is read from the code in its order (compilers put both instructions into one
block); the index may differ from wave to wave.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wavesim.emulate.indexing import enabled_bits
from wavesim.emulate.operands import call, source
from wavesim.emulate.registry import Binder, Binding, semantics
from wavesim.emulate.state import M0, Lanes
from wavesim.emulate.types import Step
from wavesim.program import Instruction, Modified, Operand, Register

U32 = np.uint32


def moved(binding: Binding, bits: int, index: int) -> Instruction:
    """The instruction with ``index`` added to the VGPRs that ``bits`` name."""
    slot = 0
    operands: list[Operand] = []
    for operand, spec in zip(binding.instruction.operands, binding.specs, strict=False):
        if spec.role == "src":
            enabled = bits >> slot & 1
            slot += 1
        else:
            enabled = bits >> 3 & 1
        operands.append(_shifted(operand, index) if enabled else operand)
    return replace(binding.instruction, operands=tuple(operands))


def _shifted(operand: Operand, index: int) -> Operand:
    if isinstance(operand, Modified):
        inner = _shifted(operand.operand, index)
        return replace(operand, operand=inner) if isinstance(inner, Register) else operand
    if isinstance(operand, Register) and operand.file == "v":
        return replace(operand, index=operand.index + index)
    return operand


def bind_indexed(binder: Binder, binding: Binding, bits: int) -> Step:
    """Executes the instruction wave by wave, with each wave's index."""
    lanes = binding.lanes
    first, step = lanes.waves.start, lanes.waves.step or 1
    alone = [
        Lanes(lanes.state, slice(first + step * place, first + step * place + 1, 1))
        for place in range(lanes.count)
    ]
    steps: dict[tuple[int, int], Step] = {}

    def run() -> None:
        for place, wave in enumerate(alone):
            index = int(lanes.sgpr[M0, place]) & 0xFF
            known = steps.get((place, index))
            if known is None:
                changed = replace(binding, instruction=moved(binding, bits, index), lanes=wave)
                known = steps[place, index] = binder(changed)
            wave.begin()
            known()

    return run


@semantics("s_set_gpr_idx_on s_set_gpr_idx_idx s_set_gpr_idx_mode s_set_gpr_idx_off")
def _bind_mode(binding: Binding) -> Step:
    """What these leave in M0; the mode itself is read from the code."""
    name = binding.info.name
    m0 = binding.lanes.sgpr[M0]
    if name == "s_set_gpr_idx_off":
        return lambda: None
    mode = U32(enabled_bits(binding.instruction.operands[-1]) << 12)
    keep = U32(0xFFFF0FFF)

    def set_mode() -> None:
        m0[...] = m0 & keep | mode

    if name == "s_set_gpr_idx_mode":
        return set_mode
    index = source(binding, 0)

    def set_index() -> None:
        value = np.broadcast_to(call(index), (binding.lanes.count, 1))[:, 0]
        m0[...] = m0 & U32(0xFFFFFF00) | value & U32(0xFF)
        if name == "s_set_gpr_idx_on":
            set_mode()

    return set_index
