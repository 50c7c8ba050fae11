"""A Program to assembly text that LLVM accepts and that parses back to the same Program."""

from __future__ import annotations

from wavesim.asm.kernel_metadata import print_directives, print_metadata
from wavesim.asm.modifiers import print_modifier
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


def print_program(program: Program, *, comments: bool = True) -> str:
    """A complete assembly file of one kernel: code, ``.amdhsa_kernel`` block and metadata.

    ``parse_program`` of the result gives the same instructions, labels, addresses and metadata (a
    workgroup size or AGPR offset of 0, "not known", comes back as the value that is printed for it).
    """
    name = program.name
    lines = [
        "\t.text",
        f'\t.amdgcn_target "amdgcn-amd-amdhsa--{program.arch}"',
        "\t.amdhsa_code_object_version 5",
        f"\t.protected {name}",
        f"\t.globl {name}",
        "\t.p2align 8",
        f"\t.type {name},@function",
        f"{name}:",
        *print_code(program, comments=comments),
        f".Lfunc_end_{name}:",
        f"\t.size {name}, .Lfunc_end_{name}-{name}",
        f"\t.p2alignl 6, {_NOP_WORD:#x}",
        f"\t.fill {_PADDING_WORDS}, 4, {_NOP_WORD:#x}",
        '\t.section .rodata,"a",@progbits',
        "\t.p2align 6, 0x0",
        *print_directives(program),
        "\t.text",
        *print_metadata(program),
        "",
    ]
    return "\n".join(lines)
