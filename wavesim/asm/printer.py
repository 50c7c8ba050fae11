"""A Program to assembly text that LLVM accepts and that parses back to the same Program."""

from __future__ import annotations

from wavesim.asm.object.metadata import print_directives, print_metadata
from wavesim.asm.text.modifiers import print_modifier
from wavesim.isa.unknown import written_name
from wavesim.program import Instruction, Program

_NOP_WORD = 0xBF800000  # s_nop 0: what instruction prefetch may read after the end
_PADDING_WORDS = 64


def print_instruction(instruction: Instruction) -> str:
    """One instruction as the assembler reads it, without its comment."""
    text = written_name(instruction.opcode)
    if instruction.encoding:
        text += f"_{instruction.encoding}"
    if instruction.operands:
        text += " " + ", ".join(map(str, instruction.operands))
    for name, value in instruction.modifiers:
        shown = print_modifier(name, value)
        if shown:
            text += f" {shown}"
    return text


def print_code(program: Program, *, comments: bool = True) -> list[str]:
    """Labels and instructions, line by line."""
    labels: dict[int, list[str]] = {}
    for name, index in program.labels.items():
        labels.setdefault(index, []).append(name)
    lines: list[str] = []
    for index, instruction in enumerate(program.instructions):
        lines.extend(f"{name}:" for name in labels.get(index, ()))
        line = f"\t{print_instruction(instruction)}"
        if comments and instruction.comment:
            line = f"{line:<56}; {instruction.comment}"
        lines.append(line)
    lines.extend(f"{name}:" for name in labels.get(len(program.instructions), ()))
    return lines


def _print_functions(program: Program, lines: list[str]) -> list[str]:
    """Code ``lines`` of a whole program, cut where functions that the kernel calls begin: each becomes a
    symbol of its own."""
    starts = {program.label_at(place): place for place in program.functions()}
    found: list[str] = []
    open_name = program.name
    for line in lines:
        label = line.removesuffix(":") if line.endswith(":") else ""
        if label in starts:
            found += [*_ended(open_name), f"\t.globl {label}", f"\t.type {label},@function"]
            open_name = label
        found.append(line)
    return [*found, *_ended(open_name)]


def _ended(name: str) -> list[str]:
    return [f".Lfunc_end_{name}:", f"\t.size {name}, .Lfunc_end_{name}-{name}"]


def _print_constants(program: Program) -> list[str]:
    """Data sections, byte by byte, with their labels."""
    lines: list[str] = []
    for number, section in enumerate(program.constants):
        lines += [f'\t.section .rodata.{number},"a",@progbits', "\t.p2align 4, 0x0"]
        cuts = sorted({0, len(section.content), *section.labels.values()})
        for start, stop in zip(cuts, [*cuts[1:], cuts[-1]], strict=True):
            lines += [f"{name}:" for name, place in section.labels.items() if place == start]
            piece = section.content[start:stop]
            for at in range(0, len(piece), 16):
                lines.append(f"\t.byte {', '.join(map(str, piece[at : at + 16]))}")
    return lines


def print_program(program: Program, *, comments: bool = True) -> str:
    """A complete assembly file of one kernel: code, ``.amdhsa_kernel`` block and metadata.

    ``parse_program`` of the result gives the same instructions, labels, addresses and metadata (a
    workgroup size or AGPR offset of 0, "not known", comes back as the value that is printed for it).
    """
    name = program.name
    code = print_code(program, comments=comments)
    if program.labels.get(name) == 0:  # a file without kernels is called after itself, and may begin so
        code.remove(f"{name}:")
    lines = [
        "\t.text",
        f'\t.amdgcn_target "amdgcn-amd-amdhsa--{program.arch}"',
        "\t.amdhsa_code_object_version 5",
        f"\t.protected {name}",
        f"\t.globl {name}",
        "\t.p2align 8",
        f"\t.type {name},@function",
        f"{name}:",
        *_print_functions(program, code),
        f"\t.p2alignl 6, {_NOP_WORD:#x}",
        f"\t.fill {_PADDING_WORDS}, 4, {_NOP_WORD:#x}",
        '\t.section .rodata,"a",@progbits',
        "\t.p2align 6, 0x0",
        *print_directives(program),
        *_print_constants(program),
        "\t.text",
        *print_metadata(program),
        "",
    ]
    return "\n".join(lines)
