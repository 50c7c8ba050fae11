"""The words of isa/hazards.yaml: which instructions are producers and consumers of a hazard row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wavesim.isa.kinds import MEMORY_KINDS, VALU_KINDS, VMEM_KINDS
from wavesim.isa.opcodes import lookup, opcode_table
from wavesim.program import Call, Instruction, Register
from wavesim.program.dataflow import Effects, registers_of
from wavesim.program.dpp import is_dpp
from wavesim.program.forms import written_part
from wavesim.trace import CodeEntry, Kind

RegisterKey = tuple[str, int]

RWLANE = ("v_readlane_b32", "v_writelane_b32", "v_readfirstlane_b32")
SETREG = ("s_setreg_b32", "s_setreg_imm32_b32")
M0_USERS = ("s_sendmsg", "s_sendmsghalt", "s_movrels_b32", "s_movrels_b64", "s_movreld_b32", "s_movreld_b64")


def is_dot(entry: CodeEntry) -> bool:
    """Whether the instruction is a dot product on the vector ALU."""
    return entry.instruction.opcode.startswith("v_dot")


def result_place(entry: CodeEntry) -> int | None:
    """The byte of its register at which a VALU result begins that SDWA or OPSEL place; ``None`` where
    neither selects a part of the destination."""
    info = opcode_table().get(entry.instruction.opcode)
    if entry.kind not in VALU_KINDS or info is None:
        return None
    part = written_part(info, entry.instruction)
    return part[0] if part is not None else None


def selects_lowest(entry: CodeEntry) -> bool:
    """Whether a result that need not be moved is selected all the same, in a way that LLVM waits for: by
    SDWA, or by a stochastic conversion to FP4 (``getDstSelForwardingOperand``)."""
    by_sdwa = entry.instruction.modifier("dst_sel") is not None
    stochastic_fp4 = "_sr_pk_fp4_" in entry.instruction.opcode
    return (by_sdwa or stochastic_fp4) and result_place(entry) == 0


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


def _is_buffer(entry: CodeEntry) -> bool:
    return entry.instruction.opcode.startswith("buffer_")


PRODUCER_CLASSES: Mapping[str, Callable[[CodeEntry], bool]] = {
    "valu": lambda entry: entry.kind in VALU_KINDS,
    "trans": lambda entry: entry.kind is Kind.TRANS,
    "salu": lambda entry: entry.kind is Kind.SALU,
    "setreg": lambda entry: entry.instruction.opcode in SETREG,
    "wide_store": lambda entry: is_wide_store(entry) and not has_sgpr_offset(entry.instruction),
    "wide_store_sgpr": lambda entry: is_wide_store(entry) and has_sgpr_offset(entry.instruction),
    "moved": lambda entry: bool(result_place(entry)),
    "selected": selects_lowest,
    "dot": is_dot,
}


CONSUMER_CLASSES: Mapping[str, Callable[[CodeEntry], bool]] = {
    "mfma": lambda entry: entry.kind is Kind.MFMA,
    "vmem": lambda entry: entry.kind in VMEM_KINDS,
    "valu": lambda entry: entry.kind in VALU_KINDS,
    "non_trans_valu": lambda entry: entry.kind is Kind.VALU,
    "lane_select": lambda entry: entry.instruction.opcode in ("v_readlane_b32", "v_writelane_b32"),
    "readlane": lambda entry: entry.instruction.opcode in ("v_readlane_b32", "v_readfirstlane_b32"),
    "permlane": lambda entry: entry.instruction.opcode.startswith("v_permlane"),
    "div_fmas": lambda entry: entry.instruction.opcode.startswith("v_div_fmas"),
    "dpp": lambda entry: entry.kind in VALU_KINDS and is_dpp(entry.instruction),
    "lds_dma": lambda entry: entry.to_lds and not _is_buffer(entry),
    "buffer_lds": lambda entry: entry.to_lds and _is_buffer(entry),
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
    if through in ("constant", "carry"):
        constants, carries = scalar_sources(consumer.instruction, arch)
        return produced.writes & (constants if through == "constant" else carries)
    if through == "zero_flag":
        return frozenset(key for key in _zero_flags(consumer.instruction) if key in produced.writes)
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


def scalar_sources(
    instruction: Instruction, arch: str
) -> tuple[frozenset[RegisterKey], frozenset[RegisterKey]]:
    """The scalar registers that a vector instruction reads as constants for all lanes, and those that it
    reads as one bit per lane (carry-in, the mask of v_cndmask). Lane selects are neither."""
    info = lookup(instruction.opcode, arch, instruction.span)
    constants: set[RegisterKey] = set()
    carries: set[RegisterKey] = set()
    for place, (spec, operand) in enumerate(zip(info.operands, instruction.operands, strict=False)):
        if spec.role == "dst" or ("lane" in info.flags and place == len(info.operands) - 1):
            continue
        named = {key for key in registers_of(operand) if key[0] in ("s", "vcc", "exec")}
        if named and str(operand) in _ZERO_FLAGS:
            continue
        (carries if spec.kinds == "s" else constants).update(named)
    return frozenset(constants), frozenset(carries)


_ZERO_FLAGS: Mapping[str, RegisterKey] = {
    **dict.fromkeys(("vccz", "src_vccz"), ("vcc", 0)),
    **dict.fromkeys(("execz", "src_execz"), ("exec", 0)),
}


def _zero_flags(instruction: Instruction) -> frozenset[RegisterKey]:
    """VCC or EXEC where an operand is VCCZ or EXECZ."""
    return frozenset(_ZERO_FLAGS[str(each)] for each in instruction.operands if str(each) in _ZERO_FLAGS)


def _same_hwreg(first: CodeEntry, second: CodeEntry) -> bool:
    """Whether two hwreg operands name one register; one that is not understood counts as the same."""
    names = []
    for entry in (first, second):
        (text,) = [str(each) for each in entry.instruction.operands if isinstance(each, Call)] or [""]
        names.append(text.removeprefix("hwreg(").rstrip(")").split(",")[0].strip())
    return "" in names or names[0] == names[1]


def source_registers(instruction: Instruction, arch: str) -> tuple[frozenset[RegisterKey], ...]:
    """Registers of A, B and C of an MFMA and what comes after them (scales, the index of an SMFMAC),
    operand by operand. The accumulator of an SMFMAC, which is its destination, is C."""
    info = lookup(instruction.opcode, arch, instruction.span)
    found = []
    tied = None
    for spec, operand in zip(info.operands, instruction.operands, strict=False):
        registers = frozenset(registers_of(operand))
        if spec.role == "both" and instruction.opcode.startswith("v_smfmac"):
            tied = registers
        elif spec.role != "dst":
            found.append(registers)
    if tied is not None:
        found.insert(2, tied)
    return tuple(found)
