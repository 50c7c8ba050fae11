"""Code objects as kernels: the machine code of a ``.co``, ``.hsaco`` or ``.o`` becomes a Program again.

Lines are those that ``wavesim lower FILE`` prints; the comment of an instruction is its address in the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from wavesim.asm.disassemble import Decoded, disassemble
from wavesim.asm.elf import STT_FUNC, Elf, read_elf, unbundled
from wavesim.asm.instructions import LineError, parse_line, parse_unknown
from wavesim.asm.kernel_descriptor import SIZE_BYTES, code_offset, metadata_of, read_descriptor
from wavesim.asm.kernel_metadata import build, read_directives
from wavesim.asm.layout import size_of
from wavesim.asm.printer import print_program
from wavesim.asm.tools import linker, run_tool
from wavesim.errors import LimitExceeded, SourceSpan, UnknownInstruction, UserError
from wavesim.isa.opcodes import ARCHS, lookup
from wavesim.kernel.assembly import loaded
from wavesim.kernel.launch import LoadedKernel
from wavesim.kernel.launch_file import LaunchOptions, launch_kernel
from wavesim.limits import MAX_INPUT_BYTES
from wavesim.program import Immediate, Instruction, Program, Symbol

ENDINGS = (".co", ".hsaco", ".o")


def load_code_object(
    path: Path,
    arch: str | None,
    settings: Mapping[str, str],
    options: LaunchOptions | None = None,
    *,
    allow_unknown: bool = False,
) -> LoadedKernel:
    """Load a code object, or the one for ``arch`` in an offload bundle.

    Raises:
        MissingTool: nothing here can disassemble (or link a ``.o``).
        UserError: no code object, another architecture, several kernels and none chosen.
    """
    given = options or LaunchOptions()
    program = read_code_object(path, arch, launch_kernel(path, given), allow_unknown=allow_unknown)
    return loaded(program, path, settings, given)


def read_code_object(
    path: Path, arch: str | None = None, kernel: str | None = None, *, allow_unknown: bool = False
) -> Program:
    """The Program of one kernel of a code object.

    Raises:
        MissingTool: nothing here can disassemble (or link a ``.o``).
        UserError: as :func:`load_code_object`.
    """
    file = str(path)
    image = unbundled(_read(path), arch, file)
    elf = read_elf(image, file)
    name_of_arch = _arch(elf, arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        place = Path(folder) / "code.o"
        place.write_bytes(elf.image)
        if elf.relocatable:
            linked = Path(folder) / "code.co"
            run_tool([*linker(name_of_arch), "-o", str(linked), str(place)], SourceSpan(file))
            elf, place = read_elf(linked.read_bytes(), file), linked
        metadata = metadata_of(elf, str(place))
    name = _choose(elf, metadata.keys(), kernel)
    descriptor_at = elf.symbol(f"{name}.kd")
    if descriptor_at is None:
        raise UserError(f"kernel {name} has no descriptor ({name}.kd)", SourceSpan(file))
    descriptor = elf.loaded(descriptor_at.value, SIZE_BYTES)
    start = descriptor_at.value + code_offset(descriptor)
    code = elf.loaded(start, _code_size(elf, name, start))
    if not code:
        raise UserError(f"kernel {name} has no code", SourceSpan(file))
    decoded = disassemble(elf.image, code, start, name_of_arch, file)
    values = read_descriptor(descriptor, name_of_arch, metadata.get(name))
    fields = read_directives(values, {key: str(value) for key, value in values.items()})
    return _program(
        Program(
            name=name,
            arch=name_of_arch,
            instructions=(),
            labels={},
            metadata=build(fields, metadata.get(name), SourceSpan(file)),
            addresses=tuple(each.address - start for each in decoded),
            sizes=tuple(each.size for each in decoded),
            file=file,
        ),
        decoded,
        allow_unknown,
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            image = stream.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if len(image) > MAX_INPUT_BYTES:
        raise LimitExceeded(f"the file has more than {MAX_INPUT_BYTES} bytes", SourceSpan(str(path)))
    return image


def _arch(elf: Elf, wanted: str | None) -> str:
    span = SourceSpan(elf.file)
    found = elf.arch
    if found is None or found not in ARCHS:
        code = elf.flags & 0xFF
        raise UserError(
            f"code for an architecture that is not supported (EF_AMDGPU_MACH {code:#x})",
            span,
            f"supported: {', '.join(ARCHS)}",
        )
    if wanted is not None and wanted != found:
        raise UserError(f"the file is for {found}, not for {wanted}", span)
    return found


def _choose(elf: Elf, noted: object, kernel: str | None) -> str:
    """The kernel asked for, or the only one; kernels are the symbols that have a descriptor."""
    names = sorted(
        {
            symbol.name.removesuffix(".kd")
            for symbol in elf.symbols
            if symbol.name.endswith(".kd") and symbol.section
        }
    )
    span, shown = SourceSpan(elf.file), ", ".join(names[:20])
    if not names:
        raise UserError("there is no kernel in it", span)
    if kernel is not None:
        if kernel not in names:
            raise UserError(f"no kernel {kernel!r}", span, f"kernels: {shown}")
        return kernel
    if len(names) > 1:
        raise UserError(f"{len(names)} kernels in one file", span, f"choose one with --kernel: {shown}")
    return names[0]


def _code_size(elf: Elf, name: str, start: int) -> int:
    """Bytes of the kernel's code: its symbol's size, else up to the next function or the section's end."""
    symbol = elf.symbol(name)
    if symbol is not None and symbol.size and symbol.value == start:
        return symbol.size
    section = next((each for each in elf.sections if each.address <= start < each.address + each.size), None)
    if section is None:
        raise UserError(f"kernel {name} has no code at {start:#x}", SourceSpan(elf.file))
    ends = [each.value for each in elf.symbols if each.kind == STT_FUNC and each.value > start]
    return min([*ends, section.address + section.size]) - start


def _program(frame: Program, decoded: list[Decoded], allow_unknown: bool) -> Program:
    """``frame`` with its instructions, labels at the targets of branches, and the lines it is printed on."""
    index_of = {address: index for index, address in enumerate(frame.addresses)}
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for each in decoded:
        instruction = _parse(each, frame, allow_unknown)
        target = _target(instruction, each, frame, decoded[0].address, index_of)
        if target is not None:
            label = f"L_{frame.addresses[target]:04x}"
            labels[label] = target
            instruction = replace(instruction, operands=(*instruction.operands[:-1], Symbol(label)))
        instructions.append(instruction)
    labels = dict(sorted(labels.items(), key=lambda item: item[1]))
    program = replace(frame, instructions=tuple(instructions), labels=MappingProxyType(labels))
    return replace(program, instructions=tuple(_placed(program)))


def _parse(each: Decoded, frame: Program, allow_unknown: bool) -> Instruction:
    comment = f"{each.address:#x}"
    try:
        return _as_literal(parse_line(each.text, frame.arch, None, each.source, comment), each, frame.arch)
    except (LineError, UnknownInstruction) as error:
        if allow_unknown:
            return parse_unknown(each.text, frame.arch, None, each.source, comment, error.message)
        kind = UnknownInstruction if isinstance(error, UnknownInstruction) else UserError
        raise kind(f"at {each.address:#x}, {each.text!r}: {error.message}", SourceSpan(frame.file)) from None


def _as_literal(instruction: Instruction, each: Decoded, arch: str) -> Instruction:
    """``instruction`` with ``lit(...)`` around a constant that is encoded as a literal although it need not
    be (the linker's addresses); disassemblers before LLVM 22 print it like any constant."""
    if size_of(instruction, lookup(instruction.opcode, arch)) + 4 != each.size:
        return instruction
    operands = [
        Immediate(operand.value, f"lit({int(operand.value) & 0xFFFFFFFF:#x})")
        if isinstance(operand, Immediate) and isinstance(operand.value, int)
        else operand
        for operand in instruction.operands
    ]
    return replace(instruction, operands=tuple(operands))


def _target(
    instruction: Instruction, each: Decoded, frame: Program, start: int, index_of: Mapping[int, int]
) -> int | None:
    """The instruction that a relative branch goes to (from its encoding: a disassembler may print a symbol);
    None for what is none.

    Raises:
        UserError: a branch out of the kernel.
    """
    if lookup(instruction.opcode, frame.arch).kind not in ("branch", "cond_branch"):
        return None
    if not instruction.operands or not isinstance(instruction.operands[-1], (Immediate, Symbol)):
        return None
    words = (each.word & 0xFFFF ^ 0x8000) - 0x8000
    target = index_of.get(each.address - start + each.size + 4 * words)
    if target is None:
        raise UserError(
            f"{instruction.opcode} at {each.address:#x} goes to no instruction of kernel {frame.name}",
            SourceSpan(frame.file),
        )
    return target


def _placed(program: Program) -> list[Instruction]:
    """The instructions with the lines on which :func:`print_program` prints them as their places."""
    lines = print_program(program).split("\n")
    first = lines.index(f"{program.name}:") + 1
    labelled: dict[int, int] = {}
    for place in program.labels.values():
        labelled[place] = labelled.get(place, 0) + 1
    placed = []
    line = first
    for index, instruction in enumerate(program.instructions):
        line += 1 + labelled.get(index, 0)
        placed.append(replace(instruction, span=SourceSpan(program.file, line, 0, instruction.source)))
    return placed
