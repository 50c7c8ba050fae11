"""The kernel of a thread trace as a program of its own, which can be assembled, launched and executed.

A trace holds the code and where it lay, but nothing of what the dispatcher is told: registers, LDS, which
SGPRs are set. That is deduced here from the code and from how many waves a workgroup has, and every
deduced value says what it rests on. LDS and arguments are the launch's to say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from wavesim.asm.layout import lay_out
from wavesim.asm.printer import print_program
from wavesim.checks.cfg import control_flow
from wavesim.emulate.launch_state import register_counts
from wavesim.errors import SourceSpan, UserError
from wavesim.isa.archs import ARCHITECTURES
from wavesim.isa.kinds import LANES
from wavesim.isa.opcodes import lookup
from wavesim.program import Immediate, Instruction, KernelMetadata, Program, Register, Symbol
from wavesim.program.dataflow import Effects, RegisterName, effects
from wavesim.replays.att.folder import CodeRow
from wavesim.replays.att.imported import ImportedTrace
from wavesim.trace.decode import code_entries

KERNEL_ALIGNMENT = 256
"""A kernel's code begins at a multiple of so many bytes (LLVM's AMDGPU usage manual, kernel descriptor)."""

MOST_FILL_BYTES = 1 << 16
"""A wider hole between two instructions is not filled."""

FIRST_SPECIAL_SGPR = 102
"""SGPR numbers from here on are set by the hardware."""

BEFORE_ARGUMENTS: Mapping[tuple[bool, int], tuple[str, ...]] = {
    (False, 0): (),
    (False, 2): ("dispatch_ptr",),
    (False, 4): ("dispatch_ptr", "queue_ptr"),
    (True, 0): (),
    (True, 4): ("private_segment_buffer",),
    (True, 6): ("private_segment_buffer", "dispatch_ptr"),
    (True, 8): ("private_segment_buffer", "dispatch_ptr", "queue_ptr"),
}
"""Whether scratch memory is reached through a buffer resource, SGPR at which the pointer to the arguments
lies -> what lies before it (LLVM's AMDGPU usage manual, "Initial Kernel Execution State")."""

_SYMBOL = re.compile(r"[A-Za-z_.$][\w.$]*")


@dataclass(frozen=True)
class TracedKernel:
    """``program`` begins at address 0. ``deduced`` says of a directive (``next_free_vgpr``) what its value
    rests on; ``index`` gives the instruction for each one of the trace's own program, -1 for those of other
    code; ``notes`` say what the listing does not tell."""

    program: Program
    deduced: Mapping[str, str]
    index: tuple[int, ...]
    notes: tuple[str, ...] = ()


def traced_kernel(imported: ImportedTrace) -> TracedKernel:
    """The kernel that a trace's waves executed.

    Raises:
        UserError: the listing has no kernel's start, what was executed lies in several pieces of code, or an
            instruction would be encoded otherwise than it lay in memory.
    """
    listed, rows = imported.program, imported.folder.code
    taken = _of_one_object(imported, rows)
    start = listed.addresses[taken[0]]
    if start % KERNEL_ALIGNMENT:
        raise UserError(
            f"the listing begins at {start:#x}, which is not where a kernel begins",
            listed.instructions[taken[0]].span,
            f"a kernel's first address is a multiple of {KERNEL_ALIGNMENT}",
        )
    instructions, index, notes = _without_holes(listed, taken)
    addresses, sizes = lay_out(instructions, listed.arch)
    program = replace(
        listed,
        name=listed.name if _SYMBOL.fullmatch(listed.name) else "kernel",
        instructions=tuple(instructions),
        labels=MappingProxyType(
            {name: index[place] for name, place in listed.labels.items() if index[place] >= 0}
        ),
        addresses=addresses,
        sizes=sizes,
    )
    metadata, deduced = _deduced(program, _waves_of_a_workgroup(imported))
    return TracedKernel(replace(program, metadata=metadata), deduced, tuple(index), tuple(notes))


def _without_holes(listed: Program, taken: Sequence[int]) -> tuple[list[Instruction], list[int], list[str]]:
    """The instructions at ``taken`` with s_nop where the listing leaves some out; for each of the listing its
    place among them, or -1; and what was filled."""
    instructions: list[Instruction] = []
    index = [-1] * len(listed)
    notes: list[str] = []
    for place, following in zip(taken, [*taken[1:], None], strict=True):
        index[place] = len(instructions)
        instruction = listed.instructions[place]
        at = f"{listed.addresses[place]:#x}"
        instructions.append(replace(instruction, comment=at))
        (size,) = lay_out([instruction], listed.arch)[1]
        distance = size if following is None else listed.addresses[following] - listed.addresses[place]
        hole = distance - size
        if not hole:
            continue
        if hole < 0 or distance in _encodings(instruction, listed.arch) or hole % 4 or hole > MOST_FILL_BYTES:
            raise UserError(
                f"{instruction.opcode} takes {size} bytes as it is written; the next instruction is "
                f"{distance} bytes further on",
                instruction.span,
            )
        fill = replace(instruction, opcode="s_nop", operands=(Immediate(0),), modifiers=(), encoding="")
        instructions += [replace(fill, comment="not in the listing")] * (hole // 4)
        notes.append(f"{hole} bytes behind {at} are not in the listing: s_nop stands there")
    return instructions, index, notes


def _encodings(instruction: Instruction, arch: str) -> tuple[int, ...]:
    """Bytes that the instruction may take, as it could have been meant: with a literal, in a longer form."""
    kind = lookup(instruction.opcode, arch, instruction.span).format
    return (4, 8) if kind.startswith(("VOP1", "VOP2", "VOPC", "SOP1", "SOP2", "SOPC", "SOPK")) else ()


def _of_one_object(imported: ImportedTrace, rows: Sequence[CodeRow]) -> list[int]:
    """The instructions of the code object that was executed, in the order of the listing."""
    objects = [rows[each.span.line].code_object if each.span else 0 for each in imported.program]
    waves = (wave for unit in imported.units for wave in unit.trace.waves)
    executed = {objects[place] for wave in waves for place in set(wave.code.tolist())}
    if len(executed) > 1:
        raise UserError(
            f"the waves executed code of {len(executed)} code objects, which lie apart",
            SourceSpan(imported.program.file),
        )
    return [place for place, each in enumerate(objects) if each in executed]


def _waves_of_a_workgroup(imported: ImportedTrace) -> int:
    """Waves of most workgroups of the trace."""
    counts = Counter(
        count
        for unit in imported.units
        for count in Counter(wave.workgroup for wave in unit.trace.waves).values()
    )
    return counts.most_common(1)[0][0]


@dataclass(frozen=True, slots=True)
class _UserSgprs:
    """What the dispatcher puts into the first SGPRs: ``flags`` are enabled (names without ``user_sgpr_``);
    ``preloaded`` SGPRs hold arguments; ``count`` all of them."""

    flags: tuple[str, ...]
    count: int
    preloaded: int = 0
    argument_bytes: int = 0


def _user_sgprs(program: Program, unwritten: Mapping[int, frozenset[int]]) -> _UserSgprs:
    """As the scalar loads through SGPRs that nothing has written tell: those are the arguments' pointer.

    Code that may find its first arguments in SGPRs begins with loads of these and a branch to its 256th
    byte, where hardware that has put them there begins.

    Raises:
        UserError: the pointer lies where no compiler has it.
    """
    through = [
        each
        for index, each in enumerate(program)
        if each.opcode.startswith("s_load_dword")
        and {_pointer(each), _pointer(each) + 1} <= unwritten.get(index, frozenset())
    ]
    if not through:
        return _UserSgprs((), 0)
    pointer = max(map(_pointer, through))
    key = (ARCHITECTURES[program.arch].scratch_buffer, pointer)
    if key not in BEFORE_ARGUMENTS:
        place = f"s[{pointer}:{pointer + 1}]"
        raise UserError(f"what lies before the arguments' pointer in {place} is not known", through[0].span)
    flags, count, preloaded = (*BEFORE_ARGUMENTS[key], "kernarg_segment_ptr"), pointer + 2, 0
    prologue = _prologue(program, pointer)
    if prologue:
        targets = [each.operands[0] for each in prologue]
        first = min(each.index for each in targets if isinstance(each, Register))
        last = max(each.index + each.count for each in targets if isinstance(each, Register))
        if first == count + 2:
            flags, count = (*flags, "dispatch_id"), count + 2
        preloaded, count = last - count, last
    ends = [_end_bytes(each, program.arch) for each in through if _pointer(each) == pointer]
    return _UserSgprs(flags, count, preloaded, max(ends))


def _pointer(load: Instruction) -> int:
    """First SGPR of a scalar load's address; -1: it has none."""
    base = load.operands[1]
    return base.index if isinstance(base, Register) else -1


def _end_bytes(load: Instruction, arch: str) -> int:
    """Where what a scalar load reads ends, behind its address."""
    offset = load.operands[2]
    known = int(offset.value) if isinstance(offset, Immediate) else 0
    return known + lookup(load.opcode, arch, load.span).width_bytes


def _prologue(program: Program, pointer: int) -> tuple[Instruction, ...]:
    """The loads of arguments that stand before byte 256, if the kernel begins with nothing else."""
    for place, each in enumerate(program):
        if each.opcode.startswith("s_load_dword") and _pointer(each) == pointer:
            continue
        if each.opcode == "s_branch" and place:
            target = each.operands[0]
            to = program.labels.get(target.name, 0) if isinstance(target, Symbol) else 0
            there = to < len(program) and program.addresses[to] == KERNEL_ALIGNMENT
            return program.instructions[: place - 1] if there else ()
        if each.opcode != "s_waitcnt":
            break
    return ()


def _deduced(program: Program, waves: int) -> tuple[KernelMetadata, Mapping[str, str]]:
    """What the dispatcher is told, by directive what that rests on."""
    of_each = tuple(effects(each, program.arch) for each in program)
    vgprs, agprs = register_counts(program)
    accum_offset = -(-vgprs // 4) * 4
    named = [number for each in of_each for file, number in (*each.reads, *each.writes) if file == "s"]
    unwritten = _unwritten_sgprs(program, of_each)
    user = _user_sgprs(program, unwritten)
    read = sorted(set().union(*unwritten.values()))
    ids = [number for number in read if 0 <= number - user.count < 3]
    axes = max((number - user.count for number in ids), default=0)
    own = ("dispatch_ptr", "kernarg_segment_ptr")
    extra = {f"user_sgpr_{name}": "1" for name in user.flags if name not in own}
    if user.preloaded:
        extra["user_sgpr_kernarg_preload_length"] = str(user.preloaded)
    metadata = KernelMetadata(
        vgprs=accum_offset + agprs if agprs else vgprs,
        accum_offset=accum_offset,
        sgprs=max((number for number in named if number < FIRST_SPECIAL_SGPR), default=0) + 1,
        workgroup_size=LANES * waves,
        kernarg_bytes=user.argument_bytes,
        user_sgpr_kernarg_segment_ptr="kernarg_segment_ptr" in user.flags,
        user_sgpr_dispatch_ptr="dispatch_ptr" in user.flags,
        user_sgpr_count=user.count,
        workgroup_id_y=axes >= 1,
        workgroup_id_z=axes >= 2,
        scratch_bytes=_scratch_bytes(program),
        extra=MappingProxyType(extra),
    )
    seen = f"read before they are written: {', '.join(f's{each}' for each in ids) or 'no SGPRs'}"
    pointer = "the scalar loads through SGPRs that nothing has written"
    highest = "the highest register that is named"
    rests_on = {
        "group_segment_fixed_size": "not known, the launch adds it (lds:)",
        "private_segment_fixed_size": "the scratch instructions' offsets",
        "kernarg_size": pointer,
        "user_sgpr_count": pointer,
        **{f"user_sgpr_{name}": pointer for name in (*own, *user.flags)},
        "user_sgpr_kernarg_preload_length": "the loads that stand before byte 256",
        "system_sgpr_workgroup_id_x": "compilers always set it",
        "system_sgpr_workgroup_id_y": seen,
        "system_sgpr_workgroup_id_z": seen,
        "system_vgpr_workitem_id": "one dimension is assumed",
        "next_free_vgpr": highest,
        "next_free_sgpr": highest,
        "accum_offset": highest,
    }
    return metadata, MappingProxyType(rests_on)


def _unwritten_sgprs(program: Program, of_each: Sequence[Effects]) -> Mapping[int, frozenset[int]]:
    """By instruction, the SGPRs that it reads though no path to it from the kernel's start writes them."""
    numbers: dict[RegisterName, int] = {}

    def bits(names: frozenset[RegisterName]) -> int:
        return sum({1 << numbers.setdefault(name, len(numbers)) for name in names})

    written = [bits(each.writes) for each in of_each]
    flow = control_flow(program, code_entries(program))
    before = flow.forward(0, lambda index, known: known | written[index], int.__or__)
    return {
        index: frozenset(
            name[1]
            for name in of_each[index].reads
            if name[0] == "s" and (name not in numbers or not known >> numbers[name] & 1)
        )
        for index, known in before.items()
    }


def _scratch_bytes(program: Program) -> int:
    """Scratch memory of a lane that instructions reach by their own offset; 16 bytes at a time."""
    ends = [
        int(offset) + lookup(each.opcode, program.arch, each.span).width_bytes
        for each in program
        if each.opcode.startswith("scratch_") and isinstance(offset := each.modifier("offset", 0), int)
    ]
    return -(-max(ends, default=0) // 16) * 16


def print_listing(kernel: TracedKernel, folder: str) -> str:
    """The kernel as assembly: LLVM takes it, and so do the other commands."""
    head = [
        f"; The code of a thread trace: wavesim trace listing {folder}",
        "; Labels are made of the addresses, which stand behind the instructions. What the dispatcher is",
        "; told (.amdhsa_) is not in a trace: it is deduced, from what stands behind it.",
        *(f"; {note}" for note in kernel.notes),
    ]
    return "\n".join([*head, *_marked(print_program(kernel.program), kernel.deduced)])


def _marked(text: str, deduced: Mapping[str, str]) -> Iterator[str]:
    """Lines of an assembly text, the directives with what they rest on."""
    for line in text.split("\n"):
        name = line.strip().partition(" ")[0].removeprefix(".amdhsa_")
        is_deduced = line.startswith("\t\t.amdhsa_") and name in deduced
        yield f"{line:<48} ; deduced: {deduced[name]}" if is_deduced else line
