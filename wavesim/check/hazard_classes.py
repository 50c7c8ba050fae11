"""The words of isa/hazards.yaml: which instructions are producers and consumers of a hazard row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wavesim.isa.opcodes import lookup
from wavesim.program import Instruction
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

PRODUCER_CLASSES: Mapping[str, Callable[[CodeEntry], bool]] = {
    "valu": lambda entry: entry.kind in VALU_KINDS,
    "trans": lambda entry: entry.kind is Kind.TRANS,
    "salu": lambda entry: entry.kind is Kind.SALU,
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
}


def linked(through: str, produced: Effects, consumed: Effects) -> frozenset[RegisterKey]:
    """Registers of the kind ``through`` that the producer writes and the consumer reads."""
    common = produced.writes & consumed.reads
    if through == "vgpr":
        return frozenset(key for key in common if key[0] in ("v", "a"))
    if through == "sgpr":
        return frozenset(key for key in common if key[0] in ("s", "vcc"))
    if through == "exec":  # every vector instruction reads EXEC, named or not
        return frozenset(key for key in produced.writes if key[0] == "exec")
    return frozenset(key for key in common if key[0] == through)


def source_registers(instruction: Instruction, arch: str) -> tuple[frozenset[RegisterKey], ...]:
    """Registers of A, B and C of an MFMA (and the scales after them), operand by operand."""
    info = lookup(instruction.opcode, arch, instruction.span)
    found = []
    for spec, operand in zip(info.operands, instruction.operands, strict=False):
        if spec.role != "dst":
            found.append(frozenset(registers_of(operand)))
    return tuple(found)
