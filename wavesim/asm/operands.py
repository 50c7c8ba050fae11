"""Operand texts to operands: registers, constants, symbols, input modifiers, wait counts."""

from __future__ import annotations

import re
from functools import lru_cache

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

_LONGEST_NUMBER = 80
_REGISTER = re.compile(r"([vsa])(\d{1,4})$")
_LOOKS_LIKE_REGISTER = re.compile(r"[vsa]\d+$")
_RANGE = re.compile(r"([vsa])\[\s*(\d{1,4})\s*(?::\s*(\d{1,4})\s*)?\]$")
_TRAP = re.compile(r"ttmp(\d|1[0-5]|\[(\d|1[0-5])(?::(\d|1[0-5]))?\])$")
_INTEGER = re.compile(r"-?(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)$")
_FLOAT = re.compile(r"-?(\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)$")
_CALL = re.compile(r"(hwreg|sendmsg|gpr_idx)\s*\((.*)\)$", re.IGNORECASE)
_LITERAL = re.compile(r"lit(?:64)?\((.*)\)$")
_SYMBOL = re.compile(r"([A-Za-z_.$][\w.$]*|\d+[bf]$)((?:@[\w@]+)?(?:\s*[-+*/]\s*[\w.$@()]+)*)$")
_COUNT = re.compile(r"(vmcnt|expcnt|lgkmcnt)(_sat)?\s*\(\s*([^)]*?)\s*\)\s*[&,]?\s*")

VM_MAX, EXP_MAX, LGKM_MAX = 63, 7, 15
"""Largest values of the three wait counters' fields on gfx9 (CDNA3 ISA, S_WAITCNT)."""


class OperandError(ValueError):
    """An operand text that is none; the message says why."""


def parse_integer(text: str) -> int | None:
    """The integer that ``text`` spells (decimal, hex, binary, octal), or None."""
    if len(text) > _LONGEST_NUMBER or not _INTEGER.match(text):
        return None
    digits = text.lstrip("-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1:].isdigit()
    try:
        value = int(digits, 8 if octal else 0)
    except ValueError:  # 09
        return None
    return -value if text.startswith("-") else value


def _constant(text: str) -> Immediate | None:
    match = _LITERAL.match(text)
    digits = match.group(1).strip() if match else text
    integer = parse_integer(digits)
    if integer is not None:
        return Immediate(integer, text)
    if _FLOAT.match(digits):
        return Immediate(float(digits), text)
    return None


def _checked(file: str, first: int, last: int, text: str) -> Register:
    if last < first:
        raise OperandError(f"register range {text!r} ends before it begins")
    if last >= REGISTERS[file]:
        raise OperandError(f"{text} does not exist; the last is {file}{REGISTERS[file] - 1}")
    return Register(file, first, last - first + 1)  # type: ignore[arg-type]  # the patterns allow v, s, a only


def _register(text: str) -> Register | None:
    match = _REGISTER.match(text)
    if match:
        file, first = match.groups()
        return _checked(file, int(first), int(first), text)
    match = _RANGE.match(text)
    if match is not None:
        file, first, last = match.groups()
        return _checked(file, int(first), int(first if last is None else last), text)
    if text.startswith("[") and text.endswith("]"):  # a list of single registers: [s0,s1]
        parts = [_REGISTER.match(part.strip()) for part in text[1:-1].split(",")]
        found = [(part.group(1), int(part.group(2))) for part in parts if part is not None]
        if len(found) == len(parts):
            file, start = found[0]
            if found != [(file, start + place) for place in range(len(found))]:
                raise OperandError(f"the registers of {text} do not follow each other")
            return _checked(file, start, start + len(found) - 1, text)
    return None


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
        raise OperandError(f"{text!r}: an input modifier needs a register or a constant")
    return Modified(operand, negate, absolute, sext)


def _plain(text: str) -> Register | Special | Immediate | None:
    """A register, named register or constant without modifiers."""
    register = _register(text)
    if register is not None:
        return register
    lower = text.lower()
    if lower in SPECIALS or _TRAP.match(lower):
        return Special(lower)
    return _constant(text)


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
    if text[:1] in "-|nas":
        modified = _modified(text)
        if modified is not None:
            return modified
    symbol = _SYMBOL.match(text)
    if symbol is not None:
        if _LOOKS_LIKE_REGISTER.match(text):
            raise OperandError(f"{text} does not exist; the last is {text[0]}{REGISTERS[text[0]] - 1}")
        return Symbol(symbol.group(1), symbol.group(2).replace(" ", ""))
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
