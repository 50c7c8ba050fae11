"""The words of isa/hazards.yaml: which instructions are producers and consumers of a hazard row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wavesim.isa.opcodes import lookup
from wavesim.program import Call, Instruction, Register
from wavesim.program.dataflow import Effects, registers_of
from wavesim.trace import CodeEntry, Kind

VALU_KINDS = frozenset({Kind.VALU, Kind.TRANS})
VMEM_KINDS = frozenset({Kind.VMEM_LOAD, Kind.VMEM_STORE})
MEMORY_KINDS = VMEM_KINDS | {Kind.LDS_READ, Kind.LDS_WRITE}
DPP_WORDS = (
    "quad_perm",
    "row_shl",
    "row_shr",
    "row_ror",
    "row_bcast",
    "row_newbcast",
    "wave_shl",
    "row_mirror",
)

RegisterKey = tuple[str, int]

RWLANE = ("v_readlane_b32", "v_writelane_b32", "v_readfirstlane_b32")
SETREG = ("s_setreg_b32", "s_setreg_imm32_b32")
M0_USERS = ("s_sendmsg", "s_sendmsghalt", "s_movrels_b32", "s_movrels_b64", "s_movreld_b32", "s_movreld_b64")


def is_dot(entry: CodeEntry) -> bool:
    """Whether the instruction is a dot product on the vector ALU."""
    return entry.instruction.opcode.startswith("v_dot")


def moves_its_result(instruction: Instruction) -> bool:
    """Whether the result lands in another part of the register than it is computed in (SDWA, OPSEL)."""
    if instruction.modifier("dst_sel", "DWORD") not in ("DWORD", 6):
        return True
    select = instruction.modifier("op_sel")
    if not isinstance(select, tuple) or instruction.opcode.startswith(
        ("v_pk_", "v_dot", "v_mfma", "v_smfmac")
    ):
        return False
    return len(select) == len(instruction.operands) and bool(select[-1])


def wide_store_data(instruction: Instruction) -> frozenset[RegisterKey]:
    """The data registers of a store of more than 64 bits per lane."""
    opcode = instruction.opcode
    if not opcode.startswith(("buffer_", "global_", "flat_", "scratch_", "tbuffer_")):
        return frozenset()
    if "store" not in opcode and "cmpswap_x2" not in opcode:
        return frozenset()
    registers = [each for each in instruction.operands if isinstance(each, Register)]
    wide = [each for each in registers if each.file in ("v", "a") and each.count >= WIDE_DWORDS]
    return frozenset(key for each in wide for key in registers_of(each))


WIDE_DWORDS = 3


def is_wide_store(entry: CodeEntry) -> bool:
    """A store of more than 64 bits per lane."""
    return entry.kind in VMEM_KINDS and bool(wide_store_data(entry.instruction))


def has_sgpr_offset(instruction: Instruction) -> bool:
    """Whether a buffer instruction takes its scalar offset from an SGPR."""
    offset = instruction.operands[-1] if "buffer" in instruction.opcode else None
    return isinstance(offset, Register) and offset.file == "s" and offset.count == 1


PRODUCER_CLASSES: Mapping[str, Callable[[CodeEntry], bool]] = {
    "valu": lambda entry: entry.kind in VALU_KINDS,
    "trans": lambda entry: entry.kind is Kind.TRANS,
    "salu": lambda entry: entry.kind is Kind.SALU,
    "setreg": lambda entry: entry.instruction.opcode in SETREG,
    "wide_store": lambda entry: is_wide_store(entry) and not has_sgpr_offset(entry.instruction),
    "wide_store_sgpr": lambda entry: is_wide_store(entry) and has_sgpr_offset(entry.instruction),
    "partial": lambda entry: entry.kind in VALU_KINDS and moves_its_result(entry.instruction),
    "dot": is_dot,
}


def is_dpp(instruction: Instruction) -> bool:
    """Whether the instruction moves data between lanes by a DPP modifier."""
    return instruction.encoding == "dpp" or any(name in DPP_WORDS for name, _ in instruction.modifiers)


CONSUMER_CLASSES: Mapping[str, Callable[[CodeEntry], bool]] = {
    "mfma": lambda entry: entry.kind is Kind.MFMA,
    "vmem": lambda entry: entry.kind in VMEM_KINDS,
    "valu": lambda entry: entry.kind in VALU_KINDS,
    "valu_constant": lambda entry: entry.kind in VALU_KINDS,
    "non_trans_valu": lambda entry: entry.kind is Kind.VALU,
    "lane_select": lambda entry: entry.instruction.opcode in ("v_readlane_b32", "v_writelane_b32"),
    "readlane": lambda entry: entry.instruction.opcode in ("v_readlane_b32", "v_readfirstlane_b32"),
    "permlane": lambda entry: entry.instruction.opcode.startswith("v_permlane"),
    "div_fmas": lambda entry: entry.instruction.opcode.startswith("v_div_fmas"),
    "dpp": lambda entry: is_dpp(entry.instruction),
    "lds_dma": lambda entry: entry.to_lds,
    "rwlane": lambda entry: entry.instruction.opcode in RWLANE,
    "m0_user": lambda entry: entry.instruction.opcode in M0_USERS or "addtid" in entry.instruction.opcode,
    "hwreg": lambda entry: entry.instruction.opcode in (*SETREG, "s_getreg_b32"),
    "vector": lambda entry: entry.kind in VALU_KINDS or entry.kind is Kind.MFMA,
    "memory": lambda entry: entry.kind in MEMORY_KINDS,
    "after_dot": lambda entry: entry.kind in VALU_KINDS,
}


def linked(
    through: str, producer: CodeEntry, produced: Effects, consumer: CodeEntry, consumed: Effects, arch: str
) -> frozenset[RegisterKey]:
    """Registers by which the consumer depends on the producer, of the kind ``through``."""
    if through == "data":
        return wide_store_data(producer.instruction) & consumed.writes
    if through == "hwreg":
        return frozenset({("hwreg", 0)}) if _same_hwreg(producer, consumer) else frozenset()
    same_dot = is_dot(producer) and producer.instruction.opcode == consumer.instruction.opcode
    if through == "overwritten":
        return frozenset() if same_dot else produced.writes & consumed.writes
    if through == "lane":
        return produced.writes & frozenset(registers_of(consumer.instruction.operands[-1]))
    common = produced.writes & consumed.reads
    if same_dot:  # accumulating on the result of the same opcode is interlocked
        factors = source_registers(consumer.instruction, arch)[:2]
        common &= frozenset().union(*factors)
    if through == "vgpr":
        return frozenset(key for key in common if key[0] in ("v", "a"))
    if through == "sgpr":
        return frozenset(key for key in common if key[0] in ("s", "vcc"))
    if through == "exec":  # every vector instruction reads EXEC, named or not
        return frozenset(key for key in produced.writes if key[0] == "exec")
    return frozenset(key for key in common if key[0] == through)


def _same_hwreg(first: CodeEntry, second: CodeEntry) -> bool:
    """Whether two hwreg operands name one register; one that is not understood counts as the same."""
    names = []
    for entry in (first, second):
        (text,) = [str(each) for each in entry.instruction.operands if isinstance(each, Call)] or [""]
        names.append(text.removeprefix("hwreg(").rstrip(")").split(",")[0].strip())
    return "" in names or names[0] == names[1]


def source_registers(instruction: Instruction, arch: str) -> tuple[frozenset[RegisterKey], ...]:
    """Registers of A, B and C of an MFMA (and the scales after them), operand by operand."""
    info = lookup(instruction.opcode, arch, instruction.span)
    found = []
    for spec, operand in zip(info.operands, instruction.operands, strict=False):
        if spec.role != "dst":
            found.append(frozenset(registers_of(operand)))
    return tuple(found)
