"""Operand texts to operands: registers, constants, symbols, input modifiers, wait counts."""

from __future__ import annotations

import re
from functools import lru_cache

from wavesim.asm.text.expressions import ExpressionError, evaluate, parse_integer
from wavesim.program import Call, Immediate, Modified, Operand, Register, Special, Symbol, Waitcnt

SPECIALS = frozenset(
    (
        "vcc",
        "vcc_lo",
        "vcc_hi",
        "exec",
        "exec_lo",
        "exec_hi",
        "m0",
        "scc",
        "vccz",
        "execz",
        "off",
        "null",
        "flat_scratch",
        "flat_scratch_lo",
        "flat_scratch_hi",
        "xnack_mask",
        "xnack_mask_lo",
        "xnack_mask_hi",
        "src_vccz",
        "src_execz",
        "src_scc",
        "src_shared_base",
        "src_shared_limit",
        "src_private_base",
        "src_private_limit",
        "src_pops_exiting_wave_id",
        "pops_exiting_wave_id",
        "src_lds_direct",
        "lds_direct",
        "shared_base",
        "shared_limit",
        "private_base",
        "private_limit",
        "tba",
        "tba_lo",
        "tba_hi",
        "tma",
        "tma_lo",
        "tma_hi",
    )
)
"""Named registers and constant sources of gfx9."""

REGISTERS = {"v": 256, "a": 256, "s": 102}
"""Registers of each file that an instruction can name on gfx9."""

_REGISTER = re.compile(r"([vsa]|acc)(\d{1,4})$")
_LOOKS_LIKE_REGISTER = re.compile(r"[vsa]\d+$")
_RANGE = re.compile(r"([vsa]|acc|ttmp)\[([^\[\]:]+)(?::([^\[\]:]+))?\]$")
_TRAP = re.compile(r"ttmp(\d|1[0-5]|\[(\d|1[0-5])(?::(\d|1[0-5]))?\])$")
_SINGLE = re.compile(r"([vsa]|ttmp)(\d+)$")
_LISTED = re.compile(r"[\w.]+(?:\[[^\[\]]*\])?")
_FLOAT = re.compile(r"-?(\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)$")
_HEX_FLOAT = re.compile(r"-?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][-+]?\d{1,4}$")
_CALL = re.compile(r"(hwreg|sendmsg|gpr_idx)\s*\((.*)\)$", re.IGNORECASE)
_STRUCTURE = re.compile(r"\{(.*)\}$")
_LITERAL = re.compile(r"lit(?:64)?\((.*)\)$")
_SYMBOL = re.compile(r"([A-Za-z_.$][\w.$]*|\d+[bf]$)((?:@[\w@]+)?(?:\s*[-+*/]\s*[\w.$@()]+)*)$")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_.$]")
_OF_SYMBOLS = re.compile(
    r"[-+~!(\s]*(?:\d[\w.]*|[A-Za-z_.$][\w.$]*(?:@[\w@]+)?)"
    r"(?:[\s)]*(?:<<|>>|&&|\|\||[=!<>]=|[-+*/%&|^<>])[-+~!(\s]*(?:\d[\w.]*|[A-Za-z_.$][\w.$]*(?:@[\w@]+)?))*[\s)]*$"
)
_COUNT = re.compile(r"(vmcnt|expcnt|lgkmcnt)(_sat)?\s*\(\s*([^)]*?)\s*\)\s*[&,]?\s*")

VM_MAX, EXP_MAX, LGKM_MAX = 63, 7, 15
"""Largest values of the three wait counters' fields on gfx9 (CDNA3 ISA, S_WAITCNT)."""


class OperandError(ValueError):
    """A text that is no operand; the message says why."""


def _constant(text: str) -> Immediate | None:
    match = _LITERAL.match(text)
    digits = match.group(1).strip() if match else text
    integer = parse_integer(digits)
    if integer is not None:
        return Immediate(integer, text)
    if _FLOAT.match(digits):
        return Immediate(float(digits), text)
    if _HEX_FLOAT.match(digits):
        try:
            return Immediate(float.fromhex(digits), text)
        except (ValueError, OverflowError):
            return None
    if match is None and digits[:1] in "-+~!(0123456789'":
        try:
            value = evaluate(digits, {})
        except ExpressionError:
            return None
        return Immediate(value, str(value))
    return None


def _checked(file: str, first: int, last: int, text: str) -> Register:
    if last < first:
        raise OperandError(f"register range {text!r} ends before it begins")
    if last >= REGISTERS[file]:
        raise OperandError(f"{text} does not exist; the last is {file}{REGISTERS[file] - 1}")
    return Register(file, first, last - first + 1)  # type: ignore[arg-type]  # the patterns allow v, s, a only


def _number(text: str) -> int | None:
    """An index of a register, which may be an expression."""
    if text.isdigit():
        return int(text) if len(text) < 5 else None
    try:
        return evaluate(text, {})
    except ExpressionError:
        return None


def _register(text: str) -> Register | Special | None:
    match = _REGISTER.match(text)
    if match:
        file, first = match.groups()
        return _checked(file[0], int(first), int(first), text)
    match = _RANGE.match(text)
    if match is not None:
        file, begin, end = match.groups()
        start = _number(begin.strip())
        stop = start if end is None else _number(end.strip())
        if start is None or stop is None or start < 0:
            return None
        return _span_of(file, start, stop, text)
    if text.startswith("[") and text.endswith("]"):
        return _listed(text)
    return None


def _span_of(file: str, first: int, last: int, text: str) -> Register | Special | None:
    if file != "ttmp":
        return _checked(file[0], first, last, text)
    if not first <= last < 16:
        return None
    return Special(f"ttmp{first}" if first == last else f"ttmp[{first}:{last}]")


def _listed(text: str) -> Register | Special | None:
    """The registers of a list, such as ``[s0,s1]`` or ``[exec_lo,exec_hi]``, which must follow each other."""
    found = [_plain(name) for name in _LISTED.findall(text[1:-1])]
    parts = [part for part in found if isinstance(part, (Register, Special))]
    names = [str(part) for part in parts]
    if not parts or len(parts) < len(found):
        return None
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2 and names[0].endswith("_lo") and names[1] == names[0].removesuffix("lo") + "hi":
        return Special(names[0].removesuffix("_lo"))
    singles = [match for match in map(_SINGLE.match, names) if match is not None]
    if len(singles) < len(names):
        return None
    file, first = singles[0][1], int(singles[0][2])
    if names != [f"{file}{first + place}" for place in range(len(names))]:
        raise OperandError(f"the registers of {text} do not follow each other")
    return _span_of(file, first, first + len(names) - 1, text)


def _modified(text: str) -> Modified | None:
    """An operand with input modifiers, or None where there are none."""
    negate = absolute = sext = False
    inner = text
    if inner.startswith("-"):
        negate, inner = True, inner[1:].strip()
    elif inner.startswith("neg(") and inner.endswith(")"):
        negate, inner = True, inner[4:-1].strip()
    if inner.startswith("|") and inner.endswith("|") and len(inner) > 2:
        absolute, inner = True, inner[1:-1].strip()
    elif inner.startswith("abs(") and inner.endswith(")"):
        absolute, inner = True, inner[4:-1].strip()
    if inner.startswith("sext(") and inner.endswith(")"):
        sext, inner = True, inner[5:-1].strip()
    if not (negate or absolute or sext):
        return None
    operand = _plain(inner)
    if operand is None:
        if text[0] == "-" and not (absolute or sext):
            return None  # the negative of a symbol
        raise OperandError(f"{text!r}: an input modifier needs a register or a constant")
    return Modified(operand, negate, absolute, sext)


def _plain(text: str) -> Register | Special | Immediate | None:
    """A register, named register or constant without modifiers."""
    register = _register(text)
    if register is not None:
        return register
    if text in SPECIALS or _TRAP.match(text):
        return Special(text)
    return _constant(text)


def _structure(text: str) -> Call | None:
    """``{id: 1, offset: 0, size: 32}``, another way to write ``hwreg(1, 0, 32)``."""
    fields = {"id": "0", "offset": "0", "size": "32"}
    for part in text.split(",") if text.strip() else []:
        name, _, value = part.partition(":")
        if name.strip() not in fields or parse_integer(value.strip()) is None:
            return None
        fields[name.strip()] = value.strip()
    inner = ", ".join(fields.values())
    return Call("hwreg", f"hwreg({inner})")


@lru_cache(maxsize=65536)
def parse_operand(text: str) -> Operand:
    """The operand that ``text`` spells.

    Raises:
        OperandError: it spells none.
    """
    plain = _plain(text)
    if plain is not None:
        return plain
    call = _CALL.match(text)
    if call is not None:
        return Call(call.group(1).lower(), text)
    structure = _STRUCTURE.match(text)
    if structure is not None:
        found = _structure(structure.group(1))
        if found is not None:
            return found
    if text[:1] in "-|nas":
        modified = _modified(text)
        if modified is not None:
            return modified
    symbol = _SYMBOL.match(text)
    if symbol is not None:
        if _LOOKS_LIKE_REGISTER.match(text):
            raise OperandError(f"{text} does not exist; the last is {text[0]}{REGISTERS[text[0]] - 1}")
        return Symbol(symbol.group(1), symbol.group(2).replace(" ", ""))
    if _OF_SYMBOLS.match(text) and _NAME.search(text) and text.count("(") == text.count(")"):
        return Symbol(text)
    raise OperandError(f"{text!r} is not an operand")


def decode_waitcnt(value: int, text: str = "") -> Waitcnt:
    """The counts in ``s_waitcnt``'s 16 bits (gfx9): vmcnt [15:14][3:0], expcnt [6:4], lgkmcnt [11:8]."""
    vm = (value & 0xF) | (value >> 14 & 3) << 4
    exp = value >> 4 & 7
    lgkm = value >> 8 & 0xF
    return Waitcnt(
        None if vm == VM_MAX else vm,
        None if exp == EXP_MAX else exp,
        None if lgkm == LGKM_MAX else lgkm,
        text,
    )


@lru_cache(maxsize=4096)
def parse_waitcnt(text: str) -> Waitcnt:
    """The operand of ``s_waitcnt``, symbolic (``vmcnt(3) lgkmcnt(0)``) or numeric.

    Raises:
        OperandError: a counter that does not exist, or a count out of range.
    """
    number = parse_integer(text)
    if number is not None:
        if not -0x8000 <= number <= 0xFFFF:
            raise OperandError(f"{text} does not fit the 16 bits of s_waitcnt")
        return decode_waitcnt(number & 0xFFFF, text)
    counts: dict[str, int | None] = {}
    limits = {"vmcnt": VM_MAX, "expcnt": EXP_MAX, "lgkmcnt": LGKM_MAX}
    place = 0
    while place < len(text):
        match = _COUNT.match(text, place)
        if match is None:
            raise OperandError(f"{text[place:]!r} is not a wait count; vmcnt(n), expcnt(n), lgkmcnt(n) are")
        name, saturate, digits = match.groups()
        count = parse_integer(digits)
        if count is None or count < 0:
            raise OperandError(f"{digits!r} is not a count for {name}")
        if count > limits[name]:
            if not saturate:
                raise OperandError(f"{name}({count}) is too large; it counts to {limits[name]}")
            count = limits[name]
        if name in counts:
            raise OperandError(f"{name} stands twice")
        counts[name] = None if count == limits[name] else count
        place = match.end()
    if not counts:
        raise OperandError("s_waitcnt needs counts")
    return Waitcnt(counts.get("vmcnt"), counts.get("expcnt"), counts.get("lgkmcnt"), text)
