"""Integers and integer expressions (``0x10ul``, ``.set x, 4*y+1``, ``max(k.num_vgpr, 1)``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_NUMBER = r"(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)(?:[uU]?[lL]{0,2})(?!\w)|'(?:[^'\\]|\\.)'"
_INTEGER = re.compile(rf"-?(?:{_NUMBER})$")
_LONGEST_NUMBER = 80
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "b": 8, "f": 12}
_TOKEN = re.compile(rf"\s*({_NUMBER}|[A-Za-z_.$][\w.$]*|<<|>>|==|!=|<=|>=|&&|\|\||[-+*/%&|^~!()<>,])")
_PRECEDENCE = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3,
    "+": 4, "-": 4, "|": 5, "&": 5, "^": 5, "*": 6, "/": 6, "%": 6, "<<": 6, ">>": 6,
}  # fmt: skip
_MAX_DEPTH = 100


class ExpressionError(ValueError):
    """An expression that cannot be read or has an unknown symbol."""


def parse_integer(text: str) -> int | None:
    """The integer that ``text`` spells (decimal, hex, binary, octal, ``'c'``; C's suffixes), or None."""
    if len(text) > _LONGEST_NUMBER or not _INTEGER.match(text):
        return None
    digits = text.removeprefix("-")
    if digits[0] == "'":
        value = _ESCAPES.get(digits[2], ord(digits[2])) if digits[1] == "\\" else ord(digits[1])
    else:
        digits = digits.rstrip("uUlL")
        octal = len(digits) > 1 and digits[0] == "0" and digits[1:].isdigit()
        try:
            value = int(digits, 8 if octal else 0)
        except ValueError:  # 09
            return None
    return -value if text.startswith("-") else value


def _divide(left: int, right: int) -> int:
    if not right:
        raise ExpressionError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _shift(left: int, right: int) -> int:
    if not 0 <= right < 64:
        raise ExpressionError(f"shift by {right}")
    return left << right


_BINARY: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a or b)),
    "&&": lambda a, b: int(bool(a and b)),
    "==": lambda a, b: -int(a == b),
    "!=": lambda a, b: -int(a != b),
    "<": lambda a, b: -int(a < b),
    "<=": lambda a, b: -int(a <= b),
    ">": lambda a, b: -int(a > b),
    ">=": lambda a, b: -int(a >= b),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "|": lambda a, b: a | b,
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: a - b * _divide(a, b),
    "<<": _shift,
    ">>": lambda a, b: a >> b if 0 <= b < 64 else 0,
}


def _align(value: int, to: int) -> int:
    if to <= 0:
        raise ExpressionError(f"alignment to {to}")
    return -(-value // to) * to


def _total_vgprs(agprs: int, vgprs: int) -> int:
    """Unified VGPRs of a kernel with AGPRs: these begin at the next multiple of 4 (gfx90a and later)."""
    return _align(vgprs, 4) + agprs if agprs else vgprs


_FUNCTIONS: dict[str, Callable[..., int]] = {
    "max": max,
    "or": lambda *values: int(any(values)),
    "alignto": _align,
    "totalnumvgprs": _total_vgprs,
    "extrasgprs": lambda vcc, flat_scratch, xnack: 6 if flat_scratch else 4 if xnack else 2 if vcc else 0,
    "instprefsize": lambda *values: 0,
}


def _wrapped(value: int) -> int:
    """``value`` as the assembler's 64-bit integer."""
    return (value + (1 << 63) & (1 << 64) - 1) - (1 << 63)


class _Parser:
    def __init__(self, text: str, symbols: Mapping[str, int]) -> None:
        self.symbols = symbols
        self.tokens: list[str] = []
        self.place = 0
        self.depth = 0
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ExpressionError(f"{text[at:]!r} is not an expression")
            self.tokens.append(match.group(1))
            at = match.end()

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ExpressionError(f"{wanted or 'a value'} expected, not {token or 'the end'}")
        self.place += 1
        return token

    def expression(self, least: int = 1) -> int:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ExpressionError("nested too deeply")
        left = self.unary()
        while _PRECEDENCE.get(self.peek(), 0) >= least:
            operator = self.take()
            left = _wrapped(_BINARY[operator](left, self.expression(_PRECEDENCE[operator] + 1)))
        self.depth -= 1
        return left

    def unary(self) -> int:
        token = self.take()
        if token == "(":
            value = self.expression()
            self.take(")")
            return value
        if token in ("-", "+", "~", "!"):
            self.depth += 1
            if self.depth > _MAX_DEPTH:
                raise ExpressionError("nested too deeply")
            value = self.unary()
            self.depth -= 1
            return {"-": -value, "+": value, "~": ~value, "!": int(not value)}[token]
        number = parse_integer(token)
        if number is not None:
            return number
        if self.peek() == "(" and token in _FUNCTIONS:
            self.take("(")
            arguments = [self.expression()]
            while self.peek() == ",":
                self.take()
                arguments.append(self.expression())
            self.take(")")
            try:
                return _FUNCTIONS[token](*arguments)
            except TypeError:
                raise ExpressionError(f"{token} has the wrong number of arguments") from None
        if token in self.symbols:
            return self.symbols[token]
        raise ExpressionError(f"symbol {token!r} has no known value")


def evaluate(text: str, symbols: Mapping[str, int]) -> int:
    """Value of an integer expression; ``symbols`` are the absolute symbols defined so far.

    Raises:
        ExpressionError: unreadable, or it names an unknown symbol.
    """
    parser = _Parser(text, symbols)
    value = parser.expression()
    if parser.peek():
        raise ExpressionError(f"{parser.peek()!r} is one too many")
    return value
