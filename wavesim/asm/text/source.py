"""An assembly file read once: code of .text in order, symbols, kernels' directives and metadata."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Any

from wavesim.asm.object.metadata import read_directives, read_metadata
from wavesim.asm.text.data_sections import DataSections
from wavesim.asm.text.expressions import ExpressionError, evaluate
from wavesim.asm.text.instructions import LineError, located, parse_line, parse_unknown, strip_comment
from wavesim.asm.text.macros import expand_macros
from wavesim.asm.text.symbolic import expand
from wavesim.errors import LimitExceeded, SourceSpan, UnknownInstruction, UserError
from wavesim.isa.archs import ARCHS
from wavesim.limits import MAX_INPUT_BYTES, MAX_INSTRUCTIONS_STATIC
from wavesim.program import Immediate, Instruction, Symbol

_LABEL = re.compile(r'\s*("[^"]+"|[A-Za-z_.$@][\w.$@]*|\d+):(?!:)')
_ASSIGN = re.compile(r"([A-Za-z_.$][\w.$]*)\s*=(?!=)\s*(.+)$")
# amdgpu9.42-…: LLVM 23; gfx9-4-generic has hyphens of its own
_TARGET = re.compile(r'"?(?:amdgcn|amdgpu|r600)[^"\s]*?-{1,2}(gfx\w+(?:-\d+-generic)?)([^"\s]*)"?')
_DATA = frozenset(
    (
        ".byte",
        ".short",
        ".half",
        ".value",
        ".2byte",
        ".4byte",
        ".8byte",
        ".long",
        ".int",
        ".word",
        ".quad",
        ".octa",
        ".ascii",
        ".asciz",
        ".string",
        ".fill",
        ".space",
        ".zero",
        ".skip",
        ".org",
        ".float",
        ".double",
        ".single",
        ".uleb128",
        ".sleb128",
        *(f".dc{size}" for size in ("", ".a", ".b", ".d", ".l", ".s", ".w")),
        *(f".dcb{size}" for size in ("", ".b", ".d", ".l", ".s", ".w")),
        *(f".ds{size}" for size in ("", ".b", ".d", ".l", ".p", ".s", ".w", ".x")),
        *(".base64", ".nops", ".reloc"),
    )
)
_REFUSED = frozenset(
    (
        ".macro",
        ".endm",
        ".rept",
        ".endr",
        ".irp",
        ".irpc",
        ".if",
        ".ifdef",
        ".ifndef",
        ".else",
        ".elseif",
        ".endif",
        ".include",
        ".incbin",
        ".altmacro",
        ".noaltmacro",
        ".bundle_align_mode",
    )
)
_PREPROCESSING = re.compile(r"#\s*(define|undef|include|if|ifdef|ifndef|else|elif|endif)\b")
_ALIGN = frozenset((".p2align", ".p2alignl", ".p2alignw", ".align", ".balign", ".balignl", ".balignw"))
_LONGEST_STATEMENT = 4096
_NUMERIC_REFERENCE = re.compile(r"(\d+)([bf])$")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something in .text that is no instruction: ``kind`` is label, align, data or end."""

    kind: str
    name: str
    span: SourceSpan
    value: int = 0


@dataclass(slots=True)
class Source:
    """A file's contents. ``text`` is the code of all .text sections in file order, with marks between."""

    file: str
    arch: str
    text: list[Instruction | Mark] = field(default_factory=list)
    symbols: dict[str, int] = field(default_factory=dict)
    directives: dict[str, dict[str, Any]] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    kernels: dict[str, SourceSpan] = field(default_factory=dict)
    data: DataSections = field(default_factory=DataSections)


class _Reader:
    def __init__(self, file: str, arch: str | None, allow_unknown: bool = False) -> None:
        self.file = file
        self.allow_unknown = allow_unknown
        self.arch = arch or ""
        self.given_arch = arch is not None
        self.source = Source(file, self.arch)
        self.in_text = True
        self.files: dict[int, str] = {}
        self.location: SourceSpan | None = None
        self.numeric: dict[str, int] = {}
        self.kernel = ""
        self.values: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self.places: dict[str, SourceSpan] = {}
        self.stack: list[bool] = []
        self.count = 0

    def read(self, text: str) -> Source:
        lines, numbers = expand_macros(text, self.file)
        place = 0
        while place < len(lines):
            line = lines[place]
            place += 1
            code, comment = strip_comment(line)
            code = code.strip()
            if not code:
                continue
            span = SourceSpan(self.file, numbers[place - 1], 0)
            if code[0] == "#":
                _refuse_preprocessing(code, span)
                continue
            if code == ".amdgpu_metadata":
                place = self.document(lines, place, span)
                continue
            self.statement(code, comment.strip(), line, span)
        if self.kernel:
            raise UserError(
                f".amdhsa_kernel {self.kernel} has no .end_amdhsa_kernel", self.source.kernels[self.kernel]
            )
        return self.source

    def document(self, lines: list[str], place: int, span: SourceSpan) -> int:
        for end in range(place, len(lines)):
            if lines[end].strip() == ".end_amdgpu_metadata":
                text = "\n".join(lines[place:end])
                self.source.metadata.update(read_metadata(text, span))
                return end + 1
        raise UserError(".amdgpu_metadata has no .end_amdgpu_metadata", span)

    def statement(self, code: str, comment: str, line: str, span: SourceSpan) -> None:
        if len(code) > _LONGEST_STATEMENT and code[0] != ".":
            raise LimitExceeded(f"a line of more than {_LONGEST_STATEMENT} characters", span)
        match = _LABEL.match(code[:_LONGEST_STATEMENT])
        while match is not None:
            self.label(match.group(1).strip('"'), span)
            code = code[match.end() :].strip()
            match = _LABEL.match(code[:_LONGEST_STATEMENT]) if code else None
        if not code:
            return
        if self.kernel:
            self.amdhsa(code, span)
        elif code.startswith("."):
            self.directive(code, line, span)
        else:
            assigned = _ASSIGN.match(code)
            if assigned is not None:
                self.assign(assigned.group(1), assigned.group(2))
            else:
                self.instruction(code, comment, line, span)

    def label(self, name: str, span: SourceSpan) -> None:
        if not self.in_text:
            self.source.data.label(name)
            return
        if name.isdigit():
            self.numeric[name] = self.numeric.get(name, 0) + 1
            name = f".Llocal{name}_{self.numeric[name]}"
        self.source.text.append(Mark("label", name, span))

    def assign(self, name: str, text: str) -> None:
        try:
            self.source.symbols[name] = evaluate(text, self.source.symbols)
        except ExpressionError:
            self.source.symbols.pop(name, None)  # an address: of no use here

    def instruction(self, code: str, comment: str, line: str, span: SourceSpan) -> None:
        if not self.in_text:
            raise UserError("an instruction outside of .text", span)
        if not self.arch:
            raise UserError(
                "the file does not name its architecture",
                span,
                'add .amdgcn_target "amdgcn-amd-amdhsa--gfx942" or --arch',
            )
        self.count += 1
        if self.count > MAX_INSTRUCTIONS_STATIC:
            raise LimitExceeded(f"more than {MAX_INSTRUCTIONS_STATIC} instructions", span)
        if self.location is not None:
            span = SourceSpan(span.file, span.line, span.column, self.location)
        code = expand(code, self.source.symbols)
        try:
            found = parse_line(code, self.arch, span, self.location, comment)
        except (LineError, UnknownInstruction) as error:
            if not self.allow_unknown:
                raise located(error, line, span) from None
            found = parse_unknown(code, self.arch, span, self.location, comment, error.message)
        if any(isinstance(operand, Symbol) for operand in found.operands):
            found = self.resolved(found)
        self.source.text.append(found)

    def resolved(self, found: Instruction) -> Instruction:
        """``found`` with absolute symbols as numbers and ``1b``/``1f`` as the labels they mean."""
        operands = []
        changed = False
        for operand in found.operands:
            if isinstance(operand, Symbol):
                local = _NUMERIC_REFERENCE.match(operand.name)
                if local is not None:
                    number, way = local.groups()
                    count = self.numeric.get(number, 0) + (way == "f")
                    operand = Symbol(f".Llocal{number}_{count}")
                    changed = True
                elif not operand.suffix and operand.name in self.source.symbols:
                    value = self.source.symbols[operand.name]
                    operand = Immediate(value, str(value))
                    changed = True
            operands.append(operand)
        if not changed:
            return found
        return Instruction(
            found.opcode,
            tuple(operands),
            found.modifiers,
            found.encoding,
            found.span,
            found.source,
            found.comment,
        )

    def amdhsa(self, code: str, span: SourceSpan) -> None:
        name, _, text = code.partition(" ")
        name, tab, more = name.partition("\t")
        text = (more + text).strip() if tab else text.strip()
        if name == ".end_amdhsa_kernel":
            self.source.directives[self.kernel] = read_directives(self.values, self.texts, self.places)
            self.kernel, self.values, self.texts, self.places = "", {}, {}, {}
            return
        if not name.startswith(".amdhsa_"):
            raise UserError(f"{name} inside .amdhsa_kernel; only .amdhsa_ directives may stand there", span)
        key = name.removeprefix(".amdhsa_")
        if key in self.values:
            raise UserError(f"{name} stands twice for kernel {self.kernel}", span)
        try:
            self.values[key] = evaluate(text, self.source.symbols)
        except ExpressionError as error:
            raise UserError(f"{name}: {error}", span) from None
        self.texts[key] = str(self.values[key])
        self.places[key] = span

    def directive(self, code: str, line: str, span: SourceSpan) -> None:
        parts = code.split(None, 1)
        name, rest = parts[0], parts[1].strip() if len(parts) > 1 else ""
        if name in (".text", ".section", ".pushsection", ".popsection", ".data", ".bss", ".rodata"):
            self.section(name, rest, span)
        elif name in (".set", ".equ", ".equiv"):
            key, _, value = rest.partition(",")
            self.assign(key.strip(), value.strip())
        elif name == ".amdgcn_target":
            self.target(rest, span)
        elif name == ".amdhsa_kernel":
            if not rest:
                raise UserError(".amdhsa_kernel names no kernel", span)
            self.kernel = rest
            self.source.kernels[rest] = span
        elif name == ".loc":
            self.loc(rest)
        elif name == ".file":
            self.debug_file(rest)
        elif name in _REFUSED:
            raise UserError(f"directive {name} is not supported", span, "expand it first, e.g. with llvm-mc")
        elif not self.in_text and (name in _DATA or name in _ALIGN):
            self.source.data.directive(name, rest, self.source.symbols, span)
        elif self.in_text and (
            name in _DATA or name in (".p2align", ".balign", ".align", ".p2alignl", ".p2alignw")
        ):
            kind = "data" if name in _DATA else "align"
            self.source.text.append(
                Mark(kind, name, span, self.alignment(name, rest) if kind == "align" else 0)
            )
        elif name in (".size", ".end") and self.in_text:
            self.source.text.append(Mark("end", rest.partition(",")[0].strip(), span))
        # others (.globl, .type, .protected, .cfi_*, .ident, .addrsig ...) do not touch the code

    def alignment(self, name: str, rest: str) -> int:
        try:
            number = evaluate(rest.partition(",")[0], self.source.symbols)
        except ExpressionError:
            return 0
        if name.startswith(".balign"):
            return number
        return 1 << number if 0 <= number < 32 else 0

    def section(self, name: str, rest: str, span: SourceSpan) -> None:
        was = self.in_text
        if name == ".popsection":
            self.in_text = self.stack.pop() if self.stack else True
        else:
            if name == ".pushsection":
                self.stack.append(was)
            target = (
                rest.partition(",")[0].strip().strip('"') if name in (".section", ".pushsection") else name
            )
            self.in_text = target == ".text" or target.startswith(".text.")
            self.source.data.enter(target)
        if was and not self.in_text:
            self.source.text.append(Mark("section", "", span))

    def target(self, rest: str, span: SourceSpan) -> None:
        match = _TARGET.match(rest)
        if match is None:
            raise UserError(f"target {rest} is none of amdgcn", span)
        arch = match.group(1)
        if self.given_arch:
            if arch != self.arch:
                raise UserError(f"the file is for {arch}, not for {self.arch}", span)
            return
        if arch not in ARCHS:
            raise UserError(f"architecture {arch} is not supported", span, f"supported: {', '.join(ARCHS)}")
        self.arch = self.source.arch = arch

    def loc(self, rest: str) -> None:
        numbers = rest.split()
        if len(numbers) < 2 or not (numbers[0].isdigit() and numbers[1].isdigit()):
            return
        line = int(numbers[1])
        column = int(numbers[2]) if len(numbers) > 2 and numbers[2].isdigit() else 0
        name = self.files.get(int(numbers[0]))
        self.location = SourceSpan(name, line, column) if name and line else None

    def debug_file(self, rest: str) -> None:
        number, _, names = rest.partition(" ")
        if not number.isdigit():
            return
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', names)
        if parts:
            path = "/".join(parts[:2]) if len(parts) > 1 and not parts[1].startswith("/") else parts[-1]
            self.files[int(number)] = posixpath.normpath(path)


def _refuse_preprocessing(code: str, span: SourceSpan) -> None:
    """A line that begins with ``#`` is a comment, unless it is meant for C's preprocessor."""
    if _PREPROCESSING.match(code):
        raise UserError(f"{code.split()[0]} is for the C preprocessor", span, "expand it first: clang -E")


def target_of(text: str) -> str | None:
    """The architecture that a file names in .amdgcn_target, if wavesim knows it."""
    match = re.search(r"^\s*\.amdgcn_target\s+(.+)", text, re.MULTILINE)
    named = _TARGET.match(match.group(1)) if match is not None else None
    return named.group(1) if named is not None and named.group(1) in ARCHS else None


def read_source(text: str, file: str, arch: str | None, allow_unknown: bool = False) -> Source:
    """Reads a whole assembly file.

    Raises:
        UserError: a line that cannot be read, with file, line and column.
    """
    if len(text) > MAX_INPUT_BYTES:
        raise LimitExceeded(f"the file has more than {MAX_INPUT_BYTES} bytes", SourceSpan(file))
    if arch is not None and arch not in ARCHS:
        raise UserError(f"unknown architecture {arch!r}", None, f"known: {', '.join(ARCHS)}")
    return _Reader(file, arch, allow_unknown).read(text)
