"""Static instructions to what timing needs of them: one CodeEntry per instruction of a Program."""

from __future__ import annotations

from collections import deque

from wavesim.isa.kinds import VALU_KINDS, Kind
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.isa.valu_pairs import pair_classes
from wavesim.program import Immediate, Instruction, Program, Register, Waitcnt
from wavesim.program.dataflow import Effects, effects, registers_of
from wavesim.program.dpp import is_dpp
from wavesim.program.forms import loads_to_lds, operand_specs, returns_old_value
from wavesim.trace.code import ALONE, SGPR_EXEC, SGPR_M0, SGPR_SCC, SGPR_VCC, CodeEntry, SlotShare

_SGPR_FILES = ("s", "vcc")
"""Register files that share the VALU's one port for scalars; M0 was not seen as a source."""
_PSEUDO = {"vcc": SGPR_VCC, "exec": SGPR_EXEC, "m0": SGPR_M0, "scc": SGPR_SCC}
_EIGHT_BIT_FORMATS = (0, 1)  # cbsz and blgp of f8f6f4: fp8, bf8; 2, 3: fp6, bf6; 4: fp4


def _scalar(names: frozenset[tuple[str, int]]) -> frozenset[int]:
    return frozenset(
        index if file == "s" else _PSEUDO[file] for file, index in names if file == "s" or file in _PSEUDO
    )


def _share(info: OpcodeInfo, instruction: Instruction, used: Effects) -> SlotShare:
    """With which others a VALU instruction has room in one slot."""
    form = "dpp" if is_dpp(instruction) else "sdwa" if instruction.encoding == "sdwa" else ""
    as_first, as_second = pair_classes(info, form)
    if not as_first and not as_second:
        return ALONE
    specs = zip(operand_specs(info, instruction), instruction.operands, strict=False)
    sources = [(spec.role, registers_of(operand)) for spec, operand in specs if spec.role != "dst"]
    vgprs = [[number for file, number in names if file in "va"] for _, names in sources]
    parities = [number % 2 for each in vgprs for number in each]
    first = next((each for (role, _), each in zip(sources, vgprs, strict=True) if role == "src"), [])
    return SlotShare(
        as_first=as_first,
        as_second=as_second,
        scalar_read=any(file in _SGPR_FILES for file, _ in used.reads),
        scalar_write=any(file in _SGPR_FILES for file, _ in used.writes),
        even_reads=parities.count(0),
        odd_reads=parities.count(1),
        first_even=any(number % 2 == 0 for number in first),
        first_odd=any(number % 2 == 1 for number in first),
    )


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
        data_bytes=info.lds_data_bytes,
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
        share=_share(info, instruction, used) if vector else ALONE,
        packed_f32="packed_f32" in info.flags,
        multi_slot="multi_slot" in info.flags,
        writes_sgpr=vector and bool(writes),
        sgpr_reads=_scalar(used.reads),
        sgpr_writes=writes,
    )


_decoded: deque[tuple[Program, tuple[CodeEntry, ...]]] = deque(maxlen=4)
"""The last programs, each the very object, and their entries: what is executed again is not decoded
again."""


def code_entries(program: Program) -> tuple[CodeEntry, ...]:
    """The CodeEntry of every instruction of ``program``, aligned with its instructions.

    Raises:
        UnknownInstruction: an opcode that is not in the table.
    """
    for known, entries in _decoded:
        if known is program:
            return entries
    entries = tuple(
        code_entry(instruction, program.arch, address, size)
        for instruction, address, size in zip(
            program.instructions, program.addresses, program.sizes, strict=True
        )
    )
    _decoded.append((program, entries))
    return entries
