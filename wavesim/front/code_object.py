"""Code objects as kernels: the machine code of a ``.co``, ``.hsaco`` or ``.o`` becomes a Program again.

Lines are those that ``wavesim lower FILE`` prints; the comment of an instruction is its address in the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from types import MappingProxyType

from wavesim.asm.names import chosen
from wavesim.asm.object.descriptor import SIZE_BYTES, code_offset, metadata_of, read_descriptor
from wavesim.asm.object.elf import STT_FUNC, Elf, read_elf, unbundled
from wavesim.asm.object.metadata import build, read_directives
from wavesim.asm.printer import print_program
from wavesim.asm.tools import linker, run_tool
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.front.assembly import loaded
from wavesim.front.launch.file import LaunchOptions, launch_kernel
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.linked_code import LinkedCode
from wavesim.inputs import note_input
from wavesim.isa.archs import ARCHS
from wavesim.limits import MAX_INPUT_BYTES
from wavesim.program import Instruction, KernelMetadata, Program


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
    return program_of(_read(path), str(path), arch, kernel, allow_unknown=allow_unknown)


def program_of(
    image: bytes,
    file: str,
    arch: str | None,
    kernel: str | None,
    *,
    allow_unknown: bool,
    assembled: bool = False,
) -> Program:
    """The Program of one kernel of the code object ``image``; the file is called ``file`` in messages.

    ``assembled``: it is what became of an assembly file. Labels keep their names, and where there is no
    kernel descriptor all code is one kernel of which nothing is declared.

    Raises:
        MissingTool: nothing here can disassemble (or link a ``.o``).
        UserError: as :func:`load_code_object`.
    """
    elf = read_elf(unbundled(image, arch, file), file)
    name_of_arch = _arch(elf, arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        place = Path(folder) / "code.o"
        place.write_bytes(elf.image)
        if elf.relocatable:
            linked = Path(folder) / "code.co"
            run_tool([*linker(name_of_arch), "-o", str(linked), str(place)], SourceSpan(file))
            elf, place = read_elf(linked.read_bytes(), file), linked
        metadata = metadata_of(elf, str(place))
    kernels = _kernels(elf)
    code = LinkedCode(elf, name_of_arch, kernels, allow_unknown=allow_unknown, keep_labels=assembled)
    if assembled and not kernels and kernel is None:
        return _bare(elf, name_of_arch, code)
    if not kernels:
        raise UserError("there is no kernel in it", SourceSpan(file))
    name = chosen(sorted(kernels), kernel, file)
    descriptor_at = elf.symbol(f"{name}.kd")
    if descriptor_at is None:
        raise UserError(f"kernel {name} has no descriptor ({name}.kd)", SourceSpan(file))
    descriptor = elf.loaded(descriptor_at.value, SIZE_BYTES)
    start = descriptor_at.value + code_offset(descriptor)
    code.read(start, _code_size(elf, name, start))
    if not code.instructions:
        raise UserError(f"kernel {name} has no code", SourceSpan(file))
    values = read_descriptor(descriptor, name_of_arch, metadata.get(name))
    fields = read_directives(values, {key: str(value) for key, value in values.items()})
    return _program(name, code, build(fields, metadata.get(name), SourceSpan(file)))


def _bare(elf: Elf, arch: str, code: LinkedCode) -> Program:
    """All of .text, which has no kernel descriptor."""
    section = next((each for each in elf.sections if each.name == ".text" and each.size), None)
    if section is None:
        raise UserError("there are no instructions", SourceSpan(elf.file))
    code.read(section.address, section.size)
    return _program(PurePath(elf.file).stem or "kernel", code, build(None, None, SourceSpan(elf.file)))


def _program(name: str, code: LinkedCode, metadata: KernelMetadata) -> Program:
    program = Program(
        name=name,
        arch=code.arch,
        instructions=tuple(code.instructions),
        labels=MappingProxyType(code.labels),
        metadata=metadata,
        addresses=tuple(code.addresses),
        sizes=tuple(code.sizes),
        file=code.elf.file,
        constants=code.constants,
    )
    return replace(program, instructions=tuple(_placed(program)))


def _read(path: Path) -> bytes:
    note_input(path)
    try:
        with path.open("rb") as stream:
            image = stream.read(MAX_INPUT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
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


def _kernels(elf: Elf) -> frozenset[str]:
    """Names of the symbols that have a kernel descriptor."""
    ends = {symbol.name for symbol in elf.symbols if symbol.name.endswith(".kd") and symbol.section}
    return frozenset(name.removesuffix(".kd") for name in ends)


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


def _placed(program: Program) -> list[Instruction]:
    """The instructions with the lines on which :func:`print_program` prints them as their places."""
    lines = print_program(program).split("\n")
    first = lines.index(f"{program.name}:")
    numbers = (
        number
        for number, line in enumerate(lines[first:], first + 1)
        if line.startswith("\t") and not line.startswith("\t.")
    )
    return [
        replace(instruction, span=SourceSpan(program.file, number, 0, instruction.source))
        for number, instruction in zip(numbers, program.instructions, strict=False)
    ]
