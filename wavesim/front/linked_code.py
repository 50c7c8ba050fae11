"""The code of a linked kernel as instructions: branches get labels, addresses taken become symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wavesim.asm.layout import size_of
from wavesim.asm.object.disassemble import Decoded, disassemble
from wavesim.asm.object.elf import SHF_EXECINSTR, STT_FUNC, STT_NOTYPE, Elf, ElfSymbol, Section
from wavesim.asm.text.instructions import LineError, parse_line, parse_unknown
from wavesim.asm.text.references import find_references, with_symbol
from wavesim.errors import LimitExceeded, SourceSpan, UnknownInstruction, UserError
from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.isa.opcodes import lookup
from wavesim.limits import MAX_INSTRUCTIONS_STATIC
from wavesim.program import Constants, Immediate, Instruction, Symbol

_ASSEMBLERS_OWN = (".Ltmp", ".Lfunc_begin", ".Lfunc_end", "$")
_NO_CONSTANTS = (".got", ".got.plt", ".dynamic")
"""Sections that the loader fills in: what they hold is not in the file."""


class LinkedCode:
    """A kernel's code and, behind it, the functions whose addresses it takes, laid out one after the other.

    ``addresses`` count from the kernel's start; ``labels`` and ``constants`` are those of a Program.
    """

    def __init__(
        self,
        elf: Elf,
        arch: str,
        kernels: frozenset[str],
        *,
        allow_unknown: bool,
        keep_labels: bool = False,
    ) -> None:
        self.elf = elf
        self.arch = arch
        self.kernels = kernels
        self.allow_unknown = allow_unknown
        self.instructions: list[Instruction] = []
        self.addresses: list[int] = []
        self.sizes: list[int] = []
        self.labels: dict[str, int] = {}
        self._data: dict[Section, dict[str, int]] = {}
        self._functions: dict[int, str] = {}
        self._wanted: list[ElfSymbol] = []
        self._names = _label_names(elf) if keep_labels else {}

    def read(self, start: int, size: int) -> None:
        """Reads the kernel at address ``start`` of the file, and what it calls.

        Raises:
            UserError: bytes that are no instructions, or a branch out of its function.
            UnknownInstruction: an opcode without data.
            LimitExceeded: too many instructions.
        """
        self._add(start, size)
        while self._wanted:
            function = self._wanted.pop(0)
            self.labels[self._functions[function.value]] = len(self.instructions)
            self._add(function.value, function.size)
        self.labels = dict(sorted(self.labels.items(), key=lambda item: item[1]))

    @property
    def constants(self) -> tuple[Constants, ...]:
        """The data sections that the code takes addresses in."""
        return tuple(
            Constants(section.name, self.elf.content(section) or bytes(section.size), labels)
            for section, labels in self._data.items()
        )

    def _add(self, start: int, size: int) -> None:
        file = self.elf.file
        decoded = disassemble(self.elf.image, self.elf.loaded(start, size), start, self.arch, file)
        if len(self.instructions) + len(decoded) > MAX_INSTRUCTIONS_STATIC:
            raise LimitExceeded(f"more than {MAX_INSTRUCTIONS_STATIC} instructions", SourceSpan(file))
        first = len(self.instructions)
        base = self.addresses[-1] + self.sizes[-1] if self.addresses else 0
        index_of = {each.address: index for index, each in enumerate(decoded)}
        found = []
        for index, each in enumerate(decoded):
            if each.address in self._names:
                self.labels[self._names[each.address]] = first + index
            instruction = self._parse(each)
            target = self._target(instruction, each, index_of)
            if target is not None:
                place = decoded[target].address
                label = self._names.get(place) or f"L_{base + place - start:04x}"
                self.labels[label] = first + target
                instruction = replace(instruction, operands=(*instruction.operands[:-1], Symbol(label)))
            found.append(instruction)
        self._name_addresses(found, decoded)
        self.instructions += found
        self.addresses += [base + each.address - start for each in decoded]
        self.sizes += [each.size for each in decoded]

    def _parse(self, each: Decoded) -> Instruction:
        comment = f"{each.address:#x}"
        try:
            return _as_literal(parse_line(each.text, self.arch, None, each.source, comment), each, self.arch)
        except (LineError, UnknownInstruction) as error:
            if self.allow_unknown:
                return parse_unknown(each.text, self.arch, None, each.source, comment, error.message)
            kind = UnknownInstruction if isinstance(error, UnknownInstruction) else UserError
            span = SourceSpan(self.elf.file)
            raise kind(f"at {each.address:#x}, {each.text!r}: {error.message}", span) from None

    def _target(self, instruction: Instruction, each: Decoded, index_of: Mapping[int, int]) -> int | None:
        """The instruction that a relative branch goes to (from its encoding: a disassembler may print a
        symbol); None for any other instruction."""
        if lookup(instruction.opcode, self.arch).kind not in BRANCH_KINDS:
            return None
        if not instruction.operands or not isinstance(instruction.operands[-1], (Immediate, Symbol)):
            return None
        words = (each.word & 0xFFFF ^ 0x8000) - 0x8000
        target = index_of.get(each.address + each.size + 4 * words)
        if target is None:
            raise UserError(
                f"{instruction.opcode} at {each.address:#x} goes to no instruction of its function",
                SourceSpan(self.elf.file),
            )
        return target

    def _name_addresses(self, instructions: list[Instruction], decoded: Sequence[Decoded]) -> None:
        addresses, sizes = [each.address for each in decoded], [each.size for each in decoded]
        for reference in find_references(instructions, addresses, sizes):
            name = self._function(reference.target) or self._constant(reference.target)
            if name is not None:
                with_symbol(instructions, addresses, reference, name)

    def _function(self, address: int) -> str | None:
        """The name of the function at ``address``, which is then read too."""
        if address not in self._functions:
            for symbol in self.elf.symbols:
                if symbol.kind == STT_FUNC and symbol.value == address and symbol.size and symbol.section:
                    if symbol.name in self.kernels:
                        return None
                    taken = symbol.name in self._functions.values()
                    self._functions[address] = f"{symbol.name}_{address:x}" if taken else symbol.name
                    self._wanted.append(symbol)
                    break
        return self._functions.get(address)

    def _constant(self, address: int) -> str | None:
        """A name for the place ``address`` of a data section."""
        for section in self.elf.sections:
            if section.is_data and section.address <= address < section.address + section.size:
                if section.name in _NO_CONSTANTS:
                    return None
                self._data.setdefault(section, {})[f"L_data_{address:x}"] = address - section.address
                return f"L_data_{address:x}"
        return None


def _label_names(elf: Elf) -> dict[int, str]:
    """The labels in code by address; the first name where there are several."""
    names: dict[int, str] = {}
    for symbol in elf.symbols:
        in_code = symbol.section < len(elf.sections) and elf.sections[symbol.section].flags & SHF_EXECINSTR
        own = not symbol.name or symbol.name.startswith(_ASSEMBLERS_OWN)
        if in_code and symbol.kind == STT_NOTYPE and not own:
            names.setdefault(symbol.value, symbol.name)
    return names


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
