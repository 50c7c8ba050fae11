"""Control instructions: waits, branches, program counter, barrier, end. Branches end a block.

What a block's last instruction does to the program counter is the scheduler's business; the condition
of a conditional branch is computed here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import scalar_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.scalar.salu import scalar_writer
from wavesim.emulate.state import CODE_BASE, EXEC, SCC, VCC, Lanes
from wavesim.emulate.types import Step


@semantics(
    "s_waitcnt s_nop s_setprio s_sleep s_barrier s_endpgm s_branch s_cbranch_scc0 s_cbranch_scc1 "
    "s_cbranch_vccz s_cbranch_vccnz s_cbranch_execz s_cbranch_execnz s_sethalt s_setkill s_incperflevel "
    "s_decperflevel s_wakeup s_icache_inv s_ttracedata s_sendmsg s_sendmsghalt "
    "ds_nop s_endpgm_saved s_endpgm_ordered_ps_done "
    "s_cbranch_cdbgsys s_cbranch_cdbguser s_cbranch_cdbgsys_or_user s_cbranch_cdbgsys_and_user"
)
def _bind_nothing(binding: Binding) -> Step:
    return lambda: None


@semantics("s_trap")
def _bind_trap(binding: Binding) -> Step:
    """A trap is what compilers make of a failed assertion: a finding; the wave goes on."""
    lanes, context = binding.lanes, binding.context
    number = binding.instruction.operands[0]
    return lambda: context.find("trap", binding, f"the kernel traps (s_trap {number})", lanes.numbers)


def next_address(binding: Binding) -> int:
    """Byte address of the instruction after this one."""
    program = binding.context.program
    return CODE_BASE + program.addresses[binding.index] + program.sizes[binding.index]


@semantics("s_getpc_b64 s_swappc_b64 s_call_b64")
def _bind_getpc(binding: Binding) -> Step:
    """The return address; s_swappc's and s_call's jump ends the block."""
    put = scalar_writer(binding)
    value = np.array([[next_address(binding)]], np.uint64)
    return lambda: put(value)


@semantics("s_setpc_b64")
def _bind_setpc(binding: Binding) -> Step:
    return lambda: None


def condition(opcode: str, lanes: Lanes) -> Callable[[], npt.NDArray[np.bool_]]:
    """A reader of whether a conditional branch is taken, [n]."""
    word = opcode.removeprefix("s_cbranch_")
    if word.startswith("cdbg"):  # there is no debugger
        count = lanes.count
        return lambda: np.zeros(count, np.bool_)
    if word in ("scc0", "scc1"):
        scc = lanes.sgpr[SCC]
        wanted = np.uint32(word[-1] == "1")
        return lambda: scc == wanted
    row = VCC if word.startswith("vcc") else EXEC
    pair = lanes.sgpr[row : row + 2]
    if word.endswith("nz"):
        return lambda: (pair[0] | pair[1]) != 0
    return lambda: (pair[0] | pair[1]) == 0


def jump_targets(binding: Binding) -> Callable[[], npt.NDArray[np.int64]]:
    """A reader of where s_setpc_b64 or s_swappc_b64 goes: byte addresses in the program, [n]."""
    operand = binding.instruction.operands[-1]
    row = scalar_row(binding, operand)
    low, high = binding.lanes.sgpr[row], binding.lanes.sgpr[row + 1]
    return lambda: (low.astype(np.int64) | high.astype(np.int64) << 32) - CODE_BASE
