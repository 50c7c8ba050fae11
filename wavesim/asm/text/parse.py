"""Assembly text to a Program: picks the kernel, resolves labels, lays out the code."""

from __future__ import annotations

import re
from pathlib import PurePath
from types import MappingProxyType

from wavesim.asm.layout import size_of
from wavesim.asm.names import chosen
from wavesim.asm.object.metadata import build
from wavesim.asm.text.instructions import parse_instruction
from wavesim.asm.text.source import Mark, Source, read_source
from wavesim.errors import SourceSpan, UserError
from wavesim.isa.kinds import BRANCH_KINDS, Kind
from wavesim.isa.opcodes import lookup
from wavesim.program import Immediate, Instruction, Program, Symbol

__all__ = ["parse_instruction", "parse_program"]

_IDENTIFIER = re.compile(r"[A-Za-z_.$][\w.$]*")
_OPERATORS = tuple("+-*/")
_COMPILER_LABELS = (".Lfunc_begin", ".Lfunc_end", ".Ltmp", ".LBB_end")
_PADDING = (".fill", ".space", ".zero", ".skip", ".nops")
_NOP = Instruction("s_nop", (Immediate(0, "0"),))


def _choose(source: Source, kernel: str | None) -> str:
    names = list(source.kernels)
    return chosen(names, kernel, source.file) if names else kernel or ""


def _trimmed(body: list[Instruction | Mark], arch: str) -> list[Instruction | Mark]:
    """``body`` without the padding after its last instruction or label, and without data that is not reached.

    Raises:
        UserError: data where the code would go on.
    """
    words = None
    while body:
        mark = body[-1]
        if not isinstance(mark, Mark) or mark.kind not in ("align", "data"):
            break
        if mark.kind == "data" and mark.name not in _PADDING:
            words = mark
        body.pop()
    last = next((item for item in reversed(body) if isinstance(item, Instruction)), None)
    if words is not None and (
        last is None or lookup(last.opcode, arch).kind not in (Kind.ENDPGM, Kind.BRANCH)
    ):
        raise _data_in_code(words)
    return body


def _data_in_code(mark: Mark) -> UserError:
    return UserError(f"{mark.name} between instructions", mark.span, "data in code is not supported")


def _body(source: Source, name: str) -> list[Instruction | Mark]:
    """The code of kernel ``name``: from its label to its end. Without a kernel: all code of the file."""
    text = source.text
    if not name:
        kept = ("label", "align", "data")
        return _trimmed(
            [item for item in text if not isinstance(item, Mark) or item.kind in kept], source.arch
        )
    start = next(
        (
            at
            for at, item in enumerate(text)
            if isinstance(item, Mark) and item.kind == "label" and item.name == name
        ),
        None,
    )
    if start is None:
        span = source.kernels.get(name, SourceSpan(source.file))
        raise UserError(f"kernel {name!r} has no code: its label is missing in .text", span)
    body: list[Instruction | Mark] = []
    others = source.kernels.keys() - {name}
    for item in text[start + 1 :]:
        if isinstance(item, Mark):
            if item.kind in ("end", "section") or (item.kind == "label" and item.name in others):
                break
            if item.kind == "label" and item.name.startswith(".Lfunc_end"):
                break
        body.append(item)
    return _trimmed(body, source.arch)


def _with_functions(source: Source, body: list[Instruction | Mark]) -> list[Instruction | Mark]:
    """``body`` and, behind it, the functions of the file whose addresses it takes, one after the other."""
    starts = {
        item.name: at
        for at, item in enumerate(source.text)
        if isinstance(item, Mark) and item.kind == "label"
    }
    own = {item.name for item in body if isinstance(item, Mark) and item.kind == "label"}
    wanted = _taken(body)
    done: set[str] = set()
    while wanted:
        name = wanted.pop(0)
        if name in done or name in own or name not in starts or name in source.kernels:
            continue
        done.add(name)
        start = starts[name]
        body.append(Mark("align", ".p2align", source.text[start].span or SourceSpan(source.file), 4))
        function: list[Instruction | Mark] = [source.text[start]]
        for item in source.text[start + 1 :]:
            if isinstance(item, Mark) and (
                item.kind in ("end", "section")
                or (item.kind == "label" and item.name.startswith(".Lfunc_end"))
            ):
                break
            function.append(item)
        function = _trimmed(function, source.arch)
        body += function
        wanted += _taken(function)
    return body


def _taken(items: list[Instruction | Mark]) -> list[str]:
    """Symbols whose addresses the instructions take."""
    return [
        operand.name
        for item in items
        if isinstance(item, Instruction)
        for operand in item.operands
        if isinstance(operand, Symbol) and operand.suffix
    ]


def _assemble(
    body: list[Instruction | Mark], arch: str
) -> tuple[list[Instruction], list[int], list[int], dict[str, int]]:
    """Instructions, addresses, sizes and labels; an alignment inside becomes the s_nop that LLVM writes."""
    instructions: list[Instruction] = []
    addresses: list[int] = []
    sizes: list[int] = []
    labels: dict[str, int] = {}
    address = 0

    def add(instruction: Instruction, size: int) -> None:
        nonlocal address
        instructions.append(instruction)
        addresses.append(address)
        sizes.append(size)
        address += size

    for item in body:
        if isinstance(item, Instruction):
            add(item, size_of(item, lookup(item.opcode, arch, item.span)))
        elif item.kind == "label":
            if item.name in labels:
                raise UserError(f"label {item.name} stands twice", item.span)
            labels[item.name] = len(instructions)
        elif item.kind == "align":
            while item.value and address % item.value:
                add(Instruction(_NOP.opcode, _NOP.operands, span=item.span), 4)
        else:
            raise _data_in_code(item)
    return instructions, addresses, sizes, labels


def _check_targets(instructions: list[Instruction], labels: dict[str, int], arch: str, name: str) -> set[str]:
    """The labels that instructions name.

    Raises:
        UserError: a branch to a label that is not there.
    """
    used = set()
    for instruction in instructions:
        for operand in instruction.operands:
            if not isinstance(operand, Symbol):
                continue
            used.add(operand.name)
            if operand.suffix.startswith(_OPERATORS) or not _IDENTIFIER.fullmatch(operand.name):
                _refuse_label_arithmetic(operand, labels, instruction)
            if operand.name in labels or operand.name == name or operand.suffix:
                continue
            kind = lookup(instruction.opcode, arch).kind
            if kind in BRANCH_KINDS:
                raise UserError(f"label {operand.name!r} is not in this kernel", instruction.span)
    return used


def _refuse_label_arithmetic(operand: Symbol, labels: dict[str, int], instruction: Instruction) -> None:
    """Distances between labels are numbers that only the assembler knows."""
    if any(name in labels for name in _IDENTIFIER.findall(str(operand))):
        hint = "distances between labels are known after assembly only"
        raise UserError(
            f"operand {operand} of {instruction.opcode} computes with labels", instruction.span, hint
        )


def parse_program(
    text: str,
    file: str,
    arch: str | None = None,
    kernel: str | None = None,
    *,
    allow_unknown: bool = False,
) -> Program:
    """The Program of one kernel in an assembly file.

    Args:
        text: the file's text, as clang or LLVM print it or as written by hand.
        file: its name, for messages.
        arch: the architecture; needed where the file has no ``.amdgcn_target``, and must agree where it has.
        kernel: the kernel's name; needed where the file has several. A file without ``.amdhsa_kernel`` is
            one program, named after the file.
        allow_unknown: keep lines whose opcode, or form of it, is not known, with the opcode marked by a
            ``?`` (:mod:`wavesim.isa.unknown`), in place of refusing them.

    Raises:
        UnknownInstruction: an opcode that is not in the table, with its place.
        UserError: anything else that cannot be read, with file, line and column.
    """
    source = read_source(text, file, arch, allow_unknown)
    name = _choose(source, kernel)
    body = _body(source, name)
    if name:
        body = _with_functions(source, body)
    instructions, addresses, sizes, labels = _assemble(body, source.arch)
    if not instructions:
        raise UserError("there are no instructions", source.kernels.get(name, SourceSpan(file)))
    used = _check_targets(instructions, labels, source.arch, name)
    kept = {
        label: at for label, at in labels.items() if label in used or not label.startswith(_COMPILER_LABELS)
    }
    metadata = build(
        source.directives.get(name), source.metadata.get(name), source.kernels.get(name, SourceSpan(file))
    )
    return Program(
        name=name or PurePath(file).stem or "kernel",
        arch=source.arch,
        instructions=tuple(instructions),
        labels=MappingProxyType(kept),
        metadata=metadata,
        addresses=tuple(addresses),
        sizes=tuple(sizes),
        file=file,
        constants=source.data.constants(frozenset(_taken(list(instructions)))),
    )
