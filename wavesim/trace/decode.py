"""Static instructions to what timing needs of them: one CodeEntry per instruction of a Program."""

from __future__ import annotations

from wavesim.isa.kinds import VALU_KINDS, Kind
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.program import Immediate, Instruction, Program, Register, Waitcnt
from wavesim.program.dataflow import Effects, effects
from wavesim.program.dpp import is_dpp
from wavesim.program.forms import loads_to_lds, returns_old_value
from wavesim.trace.code import SGPR_EXEC, SGPR_M0, SGPR_SCC, SGPR_VCC, CodeEntry

_PSEUDO = {"vcc": SGPR_VCC, "exec": SGPR_EXEC, "m0": SGPR_M0, "scc": SGPR_SCC}
_EIGHT_BIT_FORMATS = (0, 1)  # cbsz and blgp of f8f6f4: fp8, bf8; 2, 3: fp6, bf6; 4: fp4


def _scalar(names: frozenset[tuple[str, int]]) -> frozenset[int]:
    return frozenset(
        index if file == "s" else _PSEUDO[file] for file, index in names if file == "s" or file in _PSEUDO
    )


def _is_plain(info: OpcodeInfo, instruction: Instruction) -> bool:
    """A VALU instruction of which gfx950 issues two of different waves in one slot."""
    if info.kind is not Kind.VALU or info.flags & {"packed_f32", "f64"}:
        return False
    return not is_dpp(instruction)


def _immediate(instruction: Instruction) -> int:
    if instruction.operands:
        operand = instruction.operands[0]
        if isinstance(operand, Immediate):
            return int(operand.value)
    return 0


def _mfma_format(info: OpcodeInfo, instruction: Instruction) -> str:
    if "f8f6f4" not in info.flags:
        return ""
    formats = (instruction.modifier("cbsz", 0), instruction.modifier("blgp", 0))
    return "fp8" if any(item in _EIGHT_BIT_FORMATS for item in formats) else "fp4"


def _source_vgprs(instruction: Instruction) -> int:
    sources = instruction.operands[1:3]
    return max((operand.count for operand in sources if isinstance(operand, Register)), default=0)


def _kind(info: OpcodeInfo, instruction: Instruction) -> Kind:
    kind = info.kind
    return Kind.VMEM_LOAD if kind is Kind.VMEM_STORE and returns_old_value(info, instruction) else kind


def code_entry(
    instruction: Instruction, arch: str, address: int = 0, size_bytes: int = 4, known: Effects | None = None
) -> CodeEntry:
    """The CodeEntry of one instruction at byte ``address`` with ``size_bytes`` of code.

    Raises:
        UnknownInstruction: the opcode is not in the table.
    """
    info = lookup(instruction.opcode, arch, instruction.span)
    used = known or effects(instruction, arch)
    kind = _kind(info, instruction)
    writes = _scalar(used.writes)
    wait = instruction.operands[0] if kind is Kind.WAIT and instruction.operands else None
    vm, lgkm = (wait.vmcnt, wait.lgkmcnt) if isinstance(wait, Waitcnt) else (None, None)
    matrix = kind is Kind.MFMA
    vector = kind in VALU_KINDS
    return CodeEntry(
        instruction=instruction,
        kind=kind,
        address=address,
        size_bytes=size_bytes,
        width_bytes=info.width_bytes,
        to_lds=loads_to_lds(info, instruction),
        lgkm_increment=info.lgkm_increment,
        vm_increment=info.vm_increment,
        wait_vmcnt=vm,
        wait_lgkmcnt=lgkm,
        nop_slots=(_immediate(instruction) & 15) + 1 if kind is Kind.NOP else 0,
        priority=_immediate(instruction) & 3 if kind is Kind.SETPRIO else 0,
        sleep_units=_immediate(instruction) & 127 if kind is Kind.SLEEP else 0,
        mfma=instruction.opcode if matrix else "",
        mfma_format=_mfma_format(info, instruction) if matrix else "",
        mfma_source_vgprs=_source_vgprs(instruction) if matrix else 0,
        scaled="scaled" in info.flags,
        plain_valu=_is_plain(info, instruction),
        writes_sgpr=vector and bool(writes),
        sgpr_reads=_scalar(used.reads),
        sgpr_writes=writes,
    )


def code_entries(program: Program) -> tuple[CodeEntry, ...]:
    """The CodeEntry of every instruction of ``program``, aligned with its instructions.

    Raises:
        UnknownInstruction: an opcode that is not in the table.
    """
    return tuple(
        code_entry(instruction, program.arch, address, size)
        for instruction, address, size in zip(
            program.instructions, program.addresses, program.sizes, strict=True
        )
    )
