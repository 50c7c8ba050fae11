"""What follows a mnemonic, cut into operands and modifiers as LLVM's assembler cuts it.

Commas may be left out, and one may be too many at the end; blanks may stand around ``:`` and inside brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wavesim.asm.text.modifiers import FLAGS, is_modifier
from wavesim.asm.text.operands import SPECIALS

_COMMA = re.compile(r",(?![^\[(]*[\])])")
_NESTED = re.compile(r"\[[^\]]*\[|\([^)]*\(|\{")
_TOKEN = re.compile(
    r'(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\{[^{}]*\}|"[^"]*"|\'\\?.\'|[^\s])+'
)
_COLON = re.compile(r"\s*:\s*")
_OPEN = re.compile(r"\b([vsa]|acc|ttmp|abs|neg|sext|lit|hwreg|sendmsg|gpr_idx)\s+(?=[\[(])")
_BARS = re.compile(r"\|\s*([^|]*?)\s*\|")
_SIGN = re.compile(r"(^|[\s,(])-\s+(?=[|\w(])")
_CONTINUES = re.compile(r"[-+*/%&^<>=!]|\|(?![^|]+\|$)")
_UNFINISHED = re.compile(r"[-+*/%&^<>=(~!]$|(?<!\w)\|$")
_NOT_IN_EXPRESSIONS = re.compile(r"(?:[vsa]|acc|ttmp)(?:\d|\[)|[-|\[{]|neg\(|abs\(|sext\(")


class SplitError(ValueError):
    """An operand is missing between two commas."""


def split(rest: str, leading: int = 0) -> tuple[list[str], list[str]]:
    """Operand texts and modifier tokens of ``rest``.

    The first ``leading`` pieces are operands even where their name is that of a modifier (``scc``).

    Raises:
        SplitError: two commas with nothing between.
    """
    operands: list[str] = []
    modifiers: list[str] = []
    pieces = list(_pieces(rest)) if _NESTED.search(rest) else _COMMA.split(rest)
    for place, piece in enumerate(pieces):
        stripped = piece.strip()
        if not stripped:
            if place and place == len(pieces) - 1:
                break
            raise SplitError("an operand is missing between commas")
        if " " not in stripped and "\t" not in stripped:
            if is_modifier(stripped) and (len(operands) >= leading or stripped not in FLAGS):
                modifiers.append(stripped)
            else:
                operands.append(stripped)
            continue
        behind = False
        for token in _tokens(stripped):
            behind |= is_modifier(token) and (len(operands) >= leading or token not in FLAGS)
            (modifiers if behind else operands).append(token)
    return operands, modifiers


def _pieces(rest: str) -> Iterator[str]:
    """``rest`` cut at the commas outside of all brackets."""
    depth = start = 0
    for place, letter in enumerate(rest):
        if letter in "[({":
            depth += 1
        elif letter in "])}":
            depth -= 1
        elif letter == "," and depth <= 0:
            yield rest[start:place]
            start = place + 1
    yield rest[start:]


def _tokens(piece: str) -> Iterator[str]:
    """The words of a piece between commas; an expression with blanks in it is one."""
    text = _COLON.sub(":", piece)
    text = _SIGN.sub(r"\1-", _OPEN.sub(r"\1", text))
    if "|" in text:
        text = _BARS.sub(r"|\1|", text)
    open_word = ""
    for token in _TOKEN.findall(text):
        if open_word and _joins(open_word, token):
            open_word += token
            continue
        if open_word:
            yield open_word
        open_word = token
    if open_word:
        yield open_word


def _joins(before: str, token: str) -> bool:
    """Whether ``token`` goes on with the expression ``before``."""
    if _UNFINISHED.search(before):
        return True
    if _CONTINUES.match(token) is None or (token[0] == "|" and token[-1] == "|" and len(token) > 2):
        return False
    return not (_NOT_IN_EXPRESSIONS.match(before) or before in SPECIALS or is_modifier(before))
