"""Operands of an instruction, as the assembler writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RegisterFile = Literal["v", "s", "a"]
"""VGPR, SGPR or accumulation VGPR (AGPR)."""


@dataclass(frozen=True, slots=True)
class Register:
    """A range of ``count`` 32-bit registers: ``v3`` or ``s[2:5]``."""

    file: RegisterFile
    index: int
    count: int = 1

    def __str__(self) -> str:
        if self.count == 1:
            return f"{self.file}{self.index}"
        return f"{self.file}[{self.index}:{self.index + self.count - 1}]"


@dataclass(frozen=True, slots=True)
class Special:
    """A named register or constant source: ``vcc``, ``vcc_lo``, ``exec``, ``m0``, ``scc``, ``off``,
    ``src_shared_base``, ``null`` ..."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Immediate:
    """An inline constant or literal.

    ``value`` is the number as written (float for ``1.0``); ``text`` is how it was written, kept so that
    printing gives the same bytes. :attr:`bits` (helpers in asm/emulate) depend on the operand's type.
    """

    value: int | float
    text: str = ""

    def __str__(self) -> str:
        return self.text or str(self.value)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A label or symbol, with relocation suffix and addend as written (``foo@rel32@lo+4``)."""

    name: str
    suffix: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Waitcnt:
    """The counts of an ``s_waitcnt``; ``None`` where the counter is not waited for (its maximum).

    ``text`` is how it was written (symbolic or numeric).
    """

    vmcnt: int | None = None
    expcnt: int | None = None
    lgkmcnt: int | None = None
    text: str = ""

    def __str__(self) -> str:
        if self.text:
            return self.text
        parts = [
            f"{name}({value})"
            for name, value in (
                ("vmcnt", self.vmcnt),
                ("expcnt", self.expcnt),
                ("lgkmcnt", self.lgkmcnt),
            )
            if value is not None
        ]
        return " ".join(parts) if parts else "0xcf7f"


@dataclass(frozen=True, slots=True)
class Modified:
    """A source with input modifiers: ``-v1``, ``|v1|``, ``-|v1|``, ``sext(v1)``, ``neg(1)``.

    ``-1`` is a constant of its own, not this.
    """

    operand: Register | Special | Immediate
    negate: bool = False
    absolute: bool = False
    sext: bool = False

    def __str__(self) -> str:
        text = str(self.operand)
        if self.sext:
            text = f"sext({text})"
        if self.absolute:
            text = f"|{text}|"
        elif self.negate and isinstance(self.operand, Immediate):
            return f"neg({text})"
        return f"-{text}" if self.negate else text


@dataclass(frozen=True, slots=True)
class Call:
    """A symbolic operand with arguments: ``hwreg(HW_REG_MODE, 0, 4)``, ``sendmsg(MSG_INTERRUPT)``."""

    name: str
    text: str

    def __str__(self) -> str:
        return self.text


Operand = Register | Special | Immediate | Symbol | Waitcnt | Modified | Call
