"""Program, Instruction, operands, metadata and findings: the form that every source becomes."""

from __future__ import annotations

from wavesim.program.finding import Finding, Severity
from wavesim.program.operands import (
    Call,
    Immediate,
    Modified,
    Operand,
    Register,
    Special,
    Symbol,
    Waitcnt,
)
from wavesim.program.program import Constants, Instruction, KernelArgument, KernelMetadata, Program

__all__ = [
    "Call",
    "Constants",
    "Finding",
    "Immediate",
    "Instruction",
    "KernelArgument",
    "KernelMetadata",
    "Modified",
    "Operand",
    "Program",
    "Register",
    "Severity",
    "Special",
    "Symbol",
    "Waitcnt",
]
