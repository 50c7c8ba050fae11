"""Symbols and arithmetic in instructions, as generators write them: ``v[vgprA+0:vgprA+3]``, ``acc[0:15]``.

What evaluates with the absolute symbols known so far is put in as a number before the line is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from wavesim.asm.text.expressions import ExpressionError, evaluate, parse_integer
from wavesim.asm.text.modifiers import VALUES

_RANGE = re.compile(r"\b(acc|ttmp|[vsa])\[([^\[\]]*)\]")
_ACCUMULATOR = re.compile(r"\bacc(\d+)\b")
_MODIFIER = re.compile(rf"\b({'|'.join(sorted(VALUES, key=len, reverse=True))}):([^\s,\"\[]+)")
_COUNT = re.compile(r"\b(\w+cnt(?:_sat)?)\s*\(([^()]*)\)")
_MODIFIED = re.compile(r"(-?(?:neg|abs|sext))\(([^()]*)\)$")
_COMMA = re.compile(r",(?![^\[(]*[\])])")


def expand(code: str, symbols: Mapping[str, int]) -> str:
    """An instruction's text with its expressions evaluated; what cannot be is left as it is."""
    if not symbols and "acc" not in code:
        return code
    mnemonic, blank, rest = code.partition(" ")
    if not blank:
        mnemonic, blank, rest = code.partition("\t")
    if not rest:
        return code
    rest = _RANGE.sub(lambda match: _register(match, symbols), rest)
    rest = _ACCUMULATOR.sub(r"a\1", rest)
    rest = _MODIFIER.sub(lambda match: f"{match[1]}:{_value(match[2], symbols)}", rest)
    if mnemonic.lower() == "s_waitcnt" and "(" in rest:
        rest = _COUNT.sub(lambda match: f"{match[1]}({_value(match[2], symbols)})", rest)
    elif symbols:
        rest = ",".join(_operand(piece, symbols) for piece in _COMMA.split(rest))
    return f"{mnemonic} {rest}"


def _value(text: str, symbols: Mapping[str, int]) -> str:
    """The number that ``text`` evaluates to, or ``text``."""
    if parse_integer(text) is not None:
        return text
    try:
        return str(evaluate(text, symbols))
    except ExpressionError:
        return text


def _register(match: re.Match[str], symbols: Mapping[str, int]) -> str:
    file = "a" if match[1] == "acc" else match[1]
    parts = [_value(part.strip(), symbols) for part in match[2].split(":")]
    return f"{file}[{':'.join(parts)}]"


def _operand(piece: str, symbols: Mapping[str, int]) -> str:
    """The first word of an operand's text as a number, if it is an expression."""
    word, blank, rest = piece.strip().partition(" ")
    modified = _MODIFIED.match(word)
    if modified is not None:
        return f" {modified[1]}({_value(modified[2], symbols)}){blank}{rest}"
    return f" {_value(word, symbols)}{blank}{rest}" if word else piece
