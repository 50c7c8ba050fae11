"""Instruction modifiers: ``offset:16``, ``op_sel:[0,1]``, ``glc``, ``dst_sel:WORD_1``."""

from __future__ import annotations

import re
from functools import lru_cache

from wavesim.asm.text.expressions import ExpressionError, evaluate, parse_integer
from wavesim.program.dpp import DPP_MIRRORS, DPP_WORDS
from wavesim.program.program import ModifierValue

FLAGS = frozenset(
    (
        "offen",
        "idxen",
        "glc",
        "slc",
        "dlc",
        "scc",
        "sc0",
        "sc1",
        "nt",
        "lds",
        "gds",
        "tfe",
        "clamp",
        *DPP_MIRRORS,
    )
)
"""Modifiers that stand alone."""

VALUES = frozenset(
    (
        "offset",
        "offset0",
        "offset1",
        "op_sel",
        "op_sel_hi",
        "neg_lo",
        "neg_hi",
        "cbsz",
        "abid",
        "blgp",
        "neg",
        "mul",
        "div",
        *(DPP_WORDS - set(DPP_MIRRORS)),
        "row_share",
        "row_xmask",
        "fi",
        "dst_sel",
        "dst_unused",
        "src0_sel",
        "src1_sel",
        "bitop3",
        "format",
        "dfmt",
        "nfmt",
        "dim",
    )
)
"""Modifiers with a value after a colon."""

VOP3_ONLY = frozenset(("clamp", "mul", "div", "op_sel", "op_sel_hi", "neg_lo", "neg_hi"))
"""Modifiers that VOP1, VOP2 and VOPC can have in their 8-byte form only."""

SDWA = frozenset(("dst_sel", "dst_unused", "src0_sel", "src1_sel"))

_SWITCHED_OFF = frozenset(
    f"no{name}" for name in ("glc", "slc", "scc", "sc0", "sc1", "nt", "lds", "gds", "tfe", "clamp")
)
_NAME = re.compile(r"[a-z_]\w*")


class ModifierError(ValueError):
    """A text that is no modifier; the message says why."""


def is_modifier(token: str) -> bool:
    """Whether ``token`` begins like a modifier (known name; with a colon if it takes a value)."""
    if token in FLAGS or token in _SWITCHED_OFF:
        return True
    name, colon, _ = token.partition(":")
    return bool(colon) and name in VALUES


@lru_cache(maxsize=16384)
def parse_modifier(token: str) -> tuple[str, ModifierValue]:
    """Name and value of a modifier: True for a flag, an integer, a tuple of integers or a text.

    Raises:
        ModifierError: an unknown modifier or an unreadable value.
    """
    if token in FLAGS:
        return token, True
    if token in _SWITCHED_OFF:
        return token.removeprefix("no"), False
    name, colon, text = token.partition(":")
    if not colon or name not in VALUES:
        raise ModifierError(f"unknown modifier {token!r}")
    text = text.strip()
    if not text:
        raise ModifierError(f"modifier {name!r} needs a value")
    number = parse_integer(text)
    if number is not None:
        return name, number
    if text.startswith("[") and text.endswith("]"):
        items = [parse_integer(item.strip()) for item in text[1:-1].split(",")]
        if None not in items:
            return name, tuple(item for item in items if item is not None)
        return name, text
    try:
        return name, evaluate(text, {})
    except ExpressionError:
        pass
    if _NAME.match(text.lower()):
        return name, text
    raise ModifierError(f"modifier {name!r} cannot have the value {text!r}")


def print_modifier(name: str, value: ModifierValue) -> str:
    """The assembler's text of a modifier; empty for a flag that is off."""
    if value is True:
        return name
    if value is False:
        return ""
    if isinstance(value, tuple):
        return f"{name}:[{','.join(map(str, value))}]"
    if isinstance(value, int) and name in ("row_mask", "bank_mask", "bitop3"):
        return f"{name}:{value:#x}"
    return f"{name}:{value}"
