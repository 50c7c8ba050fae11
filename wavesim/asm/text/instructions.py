"""One line of assembly to one Instruction, checked against the opcode table."""

from __future__ import annotations

from functools import lru_cache

from wavesim.asm.text.modifiers import ModifierError, parse_modifier
from wavesim.asm.text.operand_list import SplitError, split
from wavesim.asm.text.operands import OperandError, parse_operand, parse_waitcnt
from wavesim.asm.text.short_forms import in_full
from wavesim.errors import LimitExceeded, SourceSpan, UnknownInstruction, UserError
from wavesim.isa.kinds import Kind
from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec
from wavesim.isa.opcodes import aliases, lookup, opcode_table
from wavesim.isa.unknown import marked
from wavesim.program import Call, Immediate, Instruction, Modified, Operand, Register, Special, Symbol
from wavesim.program.forms import operand_specs
from wavesim.program.program import ModifierValue
from wavesim.words import counted

ENCODINGS = ("e32", "e64", "dpp", "sdwa")
"""Suffixes that name an encoding."""

_LONGEST_TEXT = 4096
_REGISTER_KINDS = {"v": "a VGPR", "s": "an SGPR", "a": "an AGPR", "i": "a constant", "l": "a label"}


class LineError(ValueError):
    """A fault in a line; ``token`` is the text it stands at, for the column."""

    def __init__(self, message: str, token: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.token = token
        self.hint = hint


def strip_comment(line: str) -> tuple[str, str]:
    """Code and comment of a line (``;`` and ``//`` outside of strings; ``/* */`` within a line)."""
    if ";" not in line and "/" not in line:
        return line, ""
    if '"' not in line and "/*" not in line:
        at = line.find(";")
        slash = line.find("//")
        if slash >= 0 and (at < 0 or slash < at):
            return line[:slash], line[slash + 2 :]
        return (line[:at], line[at + 1 :]) if at >= 0 else (line, "")
    quoted = False
    place = 0
    kept: list[str] = []
    while place < len(line):
        here = line[place]
        if here == '"' and (place == 0 or line[place - 1] != "\\"):
            quoted = not quoted
        elif not quoted and here == ";":
            return "".join(kept), line[place + 1 :]
        elif not quoted and line.startswith("//", place):
            return "".join(kept), line[place + 2 :]
        elif not quoted and line.startswith("/*", place):
            end = line.find("*/", place + 2)
            place = len(line) if end < 0 else end + 2
            kept.append(" ")
            continue
        kept.append(here)
        place += 1
    return "".join(kept), ""


@lru_cache(maxsize=8192)
def resolve_mnemonic(mnemonic: str, arch: str) -> tuple[str, str, OpcodeInfo]:
    """Opcode, encoding suffix and data of a written mnemonic.

    Raises:
        UnknownInstruction: not in the table, or not on ``arch``.
    """
    table = opcode_table()
    opcode, encoding = mnemonic.lower(), ""  # only here the assembler does not mind capitals
    if opcode not in table:
        head, _, tail = opcode.rpartition("_")
        if tail in ENCODINGS and head:
            opcode, encoding = head, tail
    other = aliases(arch).get(opcode)
    if other is not None:
        opcode = other
    try:
        return opcode, encoding, lookup(opcode, arch)
    except UnknownInstruction as error:
        raise UnknownInstruction(error.message.replace(opcode, mnemonic, 1), hint=error.hint) from None


def _fits(operand: Operand, spec: OperandSpec) -> bool:
    """Whether an operand may stand where the table has ``spec``."""
    kinds = spec.kinds
    if isinstance(operand, Modified):
        operand = operand.operand
    if isinstance(operand, Register):
        if operand.file not in kinds:
            return False
        return not spec.dwords or operand.count == spec.dwords
    if isinstance(operand, Special):
        if operand.name in ("off", "null"):
            return "o" in kinds
        return "s" in kinds
    if isinstance(operand, Immediate):
        return "i" in kinds or "n" in kinds or "l" in kinds
    if isinstance(operand, Symbol):
        return "l" in kinds or "i" in kinds or "n" in kinds
    if isinstance(operand, Call):
        return "n" in kinds
    return "w" in kinds


def _describe(spec: OperandSpec) -> str:
    parts = [_REGISTER_KINDS[kind] for kind in spec.kinds if kind in _REGISTER_KINDS]
    text = " or ".join(parts) or "a number"
    if "o" in spec.kinds:
        text += " or off"
    return f"{text} ({spec.dwords} registers)" if spec.dwords > 1 else text


def _check(opcode: str, info: OpcodeInfo, instruction: Instruction, texts: list[str]) -> None:
    specs = operand_specs(info, instruction)
    if len(specs) != len(instruction.operands):
        count = "no operands" if not specs else counted(len(specs), "operand")
        raise LineError(f"{opcode} takes {count} here, not {len(texts)}", texts[-1] if texts else opcode)
    as_written = texts if len(texts) == len(specs) else [str(each) for each in instruction.operands]
    for operand, spec, text in zip(instruction.operands, specs, as_written, strict=True):
        if not _fits(operand, spec):
            raise LineError(f"operand {text!r} of {opcode} must be {_describe(spec)}", text)


def parse_line(
    text: str, arch: str, span: SourceSpan | None, source: SourceSpan | None, comment: str
) -> Instruction:
    """An Instruction from a line without label and comment.

    Raises:
        LineError: the line cannot be read.
        UnknownInstruction: its opcode is not in the table or not on ``arch``.
    """
    return Instruction(*_form(text, arch), span, source, comment)


_Modifiers = tuple[tuple[str, ModifierValue], ...]


@lru_cache(maxsize=16384)
def _form(text: str, arch: str) -> tuple[str, tuple[Operand, ...], _Modifiers, str]:
    """Opcode, operands, modifiers and encoding of a line; kernels repeat their lines."""
    parts = text.split(None, 1)
    mnemonic = parts[0]
    rest = parts[1].strip() if len(parts) > 1 else ""
    opcode, encoding, info = resolve_mnemonic(mnemonic, arch)
    if info.kind is Kind.WAIT:
        try:
            wait = parse_waitcnt(rest)
        except OperandError as error:
            raise LineError(str(error), rest or mnemonic) from None
        return opcode, (wait,), (), encoding
    read = _read(rest, 0) if rest else ((), (), [])
    if len(read[0]) < len(info.operands):
        wanted = operand_specs(info, Instruction(opcode, *read[:2]))
        if len(wanted) > len(read[0]) and read[1]:  # scc and gds are operands where one is missing
            read = _read(rest, len(wanted))
    operands, modifiers = in_full(info, encoding, *read[:2])
    _check(mnemonic, info, Instruction(opcode, operands, modifiers, encoding), read[2])
    return opcode, operands, modifiers, encoding


def _read(rest: str, leading: int) -> tuple[tuple[Operand, ...], _Modifiers, list[str]]:
    """Operands, modifiers, and the operands' texts."""
    try:
        texts, tokens = split(rest, leading)
    except SplitError as error:
        raise LineError(str(error), ",") from None
    operands: list[Operand] = []
    for text in texts:
        try:
            operands.append(parse_operand(text))
        except OperandError as error:
            raise LineError(str(error), text.split()[0]) from None
    modifiers: list[tuple[str, ModifierValue]] = []
    for token in tokens:
        try:
            modifiers.append(parse_modifier(token))
        except ModifierError as error:
            raise LineError(str(error), token) from None
    return tuple(operands), tuple(modifiers), texts


def parse_unknown(
    text: str, arch: str, span: SourceSpan | None, source: SourceSpan | None, comment: str, why: str
) -> Instruction:
    """A line whose opcode, or this form of it, is not known: marked, its operands taken as they read.

    What is no operand is kept as text without meaning; ``why`` it is unknown becomes the comment's start.
    """
    parts = text.split(None, 1)
    opcode = parts[0]
    head, _, tail = opcode.rpartition("_")
    if tail in ENCODINGS and head:
        opcode = head
    operands: list[Operand] = []
    modifiers: list[tuple[str, ModifierValue]] = []
    try:
        texts, tokens = split(parts[1].strip() if len(parts) > 1 else "none:0")
    except SplitError:
        texts, tokens = [], []
    for operand_text in texts:
        for piece in operand_text.split():  # what stands behind an operand is a modifier of unknown name
            try:
                operands.append(parse_operand(piece))
            except OperandError:
                operands.append(Call("unknown", piece))
    for token in tokens:
        try:
            modifiers.append(parse_modifier(token))
        except ModifierError:
            continue
    note = f"{why}; {comment}" if comment else why
    return Instruction(marked(opcode), tuple(operands), tuple(modifiers), "", span, source, note)


def located(error: LineError | UnknownInstruction, line: str, span: SourceSpan | None) -> UserError:
    """``error`` as a UserError with file, line and the column of the text it stands at."""
    token = error.token if isinstance(error, LineError) else ""
    if span is not None:
        at = line.find(token) if token else len(line) - len(line.lstrip())
        span = SourceSpan(span.file, span.line, max(at, 0) + 1)
    if isinstance(error, LineError):
        return UserError(error.message, span, error.hint)
    return UnknownInstruction(error.message, span, error.hint)


def parse_instruction(text: str, arch: str, span: SourceSpan | None = None) -> Instruction:
    """One instruction from its text, as written in assembly, by a disassembler or in a trace's code listing.

    Args:
        text: the line; a comment (the encoding in a listing) is kept as the instruction's comment.
        arch: ``gfx90a``, ``gfx942`` or ``gfx950``.
        span: the place of the text, given to the instruction and to errors.

    Raises:
        UnknownInstruction: the opcode is not in the table or not on ``arch``.
        UserError: the text cannot be read.
    """
    code, comment = strip_comment(text)
    code = code.strip()
    if not code:
        raise UserError("an instruction is missing", span)
    if len(code) > _LONGEST_TEXT:
        raise LimitExceeded(f"an instruction of more than {_LONGEST_TEXT} characters", span)
    try:
        return parse_line(code, arch, span, None, comment.strip())
    except (LineError, UnknownInstruction) as error:
        raise located(error, text, span) from None
