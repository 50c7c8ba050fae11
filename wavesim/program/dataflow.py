"""What an instruction reads and writes: registers named in it and implicit ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from wavesim.isa.kinds import Kind
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.program.forms import loads_to_lds, operand_specs, written_part
from wavesim.program.operands import Modified, Operand, Register, Special
from wavesim.program.program import Instruction

RegisterName = tuple[str, int]
"""``("v", 3)``, ``("a", 0)``, ``("s", 4)``, ``("vcc", 0)``, ``("exec", 0)``, ``("scc", 0)``, ``("m0", 0)``.

vcc and exec count as one register each. FLAT_SCRATCH, XNACK_MASK and the trap registers have their
encoding numbers as SGPRs (102, 104, 108 ...), above those a kernel can allocate."""

_SPECIALS: dict[str, tuple[RegisterName, ...]] = {
    **dict.fromkeys(("vcc", "vcc_lo", "vcc_hi", "vccz", "src_vccz"), (("vcc", 0),)),
    **dict.fromkeys(("exec", "exec_lo", "exec_hi", "execz", "src_execz"), (("exec", 0),)),
    **dict.fromkeys(("scc", "src_scc"), (("scc", 0),)),
    "m0": (("m0", 0),),
    "flat_scratch": (("s", 102), ("s", 103)),
    "flat_scratch_lo": (("s", 102),),
    "flat_scratch_hi": (("s", 103),),
    "xnack_mask": (("s", 104), ("s", 105)),
    "xnack_mask_lo": (("s", 104),),
    "xnack_mask_hi": (("s", 105),),
    "src_lds_direct": (("m0", 0),),
    "lds_direct": (("m0", 0),),
}
_VECTOR_FORMATS = frozenset(
    ("VOP1", "VOP2", "VOPC", "VOP3", "VOP3P", "DS", "MUBUF", "MTBUF", "FLAT", "GLOBAL", "SCRATCH")
)
_EXEC, _M0 = ("exec", 0), ("m0", 0)


@dataclass(frozen=True, slots=True)
class Effects:
    """Registers read and written. A register written under EXEC counts as written."""

    reads: frozenset[RegisterName]
    writes: frozenset[RegisterName]


def registers_of(operand: Operand) -> tuple[RegisterName, ...]:
    """The registers that an operand names (none for constants, symbols and waits)."""
    if isinstance(operand, Modified):
        operand = operand.operand
    if isinstance(operand, Register):
        file = operand.file
        return tuple((file, index) for index in range(operand.index, operand.index + operand.count))
    if isinstance(operand, Special):
        if operand.name.startswith("ttmp"):
            return _trap_registers(operand.name)
        return _SPECIALS.get(operand.name, ())
    return ()


def _trap_registers(name: str) -> tuple[RegisterName, ...]:
    first, _, last = name[4:].strip("[]").partition(":")
    return tuple(("s", 108 + index) for index in range(int(first), int(last or first) + 1))


def reads_exec(info: OpcodeInfo) -> bool:
    """Whether EXEC decides which lanes act (not for MFMA, v_readlane and v_writelane)."""
    return (
        info.format in _VECTOR_FORMATS
        and info.kind not in (Kind.MFMA, Kind.INTERNAL)
        and "lane" not in info.flags
    )


def _keeps_destination(info: OpcodeInfo, instruction: Instruction) -> bool:
    """Whether part of the destination survives, so that its old value counts as read."""
    if instruction.modifier("dst_sel") is not None:
        return instruction.modifier("dst_unused") == "UNUSED_PRESERVE"
    return written_part(info, instruction) is not None


@lru_cache(maxsize=4096)
def effects(instruction: Instruction, arch: str) -> Effects:
    """The registers ``instruction`` reads and writes on ``arch``, implicit ones included.

    Raises:
        UnknownInstruction: the opcode is not in the table.
    """
    info = lookup(instruction.opcode, arch, instruction.span)
    specs = operand_specs(info, instruction)
    reads: set[RegisterName] = {(name, 0) for name in info.reads}
    writes: set[RegisterName] = {(name, 0) for name in info.writes}
    for operand, spec in zip(instruction.operands, specs, strict=False):
        named = registers_of(operand)
        if not named:
            continue
        if spec.role != "src":
            writes.update(named)
        if spec.role != "dst":
            reads.update(named)
    if instruction.modifiers and specs and _keeps_destination(info, instruction):
        reads.update(registers_of(instruction.operands[0]))
    if reads_exec(info):
        reads.add(_EXEC)
    if info.vm_increment and loads_to_lds(info, instruction):
        reads.add(_M0)
    return Effects(frozenset(reads), frozenset(writes))
