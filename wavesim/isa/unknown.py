"""Opcodes without data: how one is marked, and what is assumed of it so that the rest can be timed.

An unknown opcode is written with a ``?`` before it (``?v_new_b32``), in programs and in reports: the mark
goes where the opcode goes. What it does is not known; how it is encoded and which unit takes it is guessed
from its name, or from the table where it exists on another architecture.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from wavesim.isa.kinds import LOAD_KINDS, VALU_KINDS, Kind
from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec

MARK = "?"
ANY = OperandSpec("src", "vasilwon", 0)
"""An operand of an unknown instruction: anything that can be written."""

_WIDTHS = {"x2": 8, "x3": 12, "x4": 16, "x8": 32, "x16": 64, "b64": 8, "b96": 12, "b128": 16}
_MEMORY = {"buffer": "MUBUF", "tbuffer": "MTBUF", "global": "GLOBAL", "flat": "FLAT", "scratch": "SCRATCH"}
_TRANSCENDENTAL = re.compile(r"v_(?:s_)?(exp|log|rcp|rsq|sqrt|sin|cos|tanh)_")
_INTERNAL = ("s_wait", "s_nop", "s_sleep", "s_clause", "s_delay", "s_set", "s_inst", "s_code", "s_barrier")
_STORES = ("store", "atomic", "red")


def marked(opcode: str) -> str:
    """``opcode`` as it stands in a program that may hold unknown ones."""
    return opcode if opcode.startswith(MARK) else MARK + opcode


def is_marked(opcode: str) -> bool:
    """Whether ``opcode`` stands for an unknown instruction."""
    return opcode.startswith(MARK)


def written_name(opcode: str) -> str:
    """The opcode as it was written, without the mark."""
    return opcode.removeprefix(MARK)


def _width_bytes(name: str) -> int:
    for word in reversed(name.split("_")):
        for ending, width in _WIDTHS.items():
            if word.endswith(ending):
                return width
        if word in ("ubyte", "sbyte", "u8", "i8", "b8"):
            return 1
        if word in ("ushort", "sshort", "u16", "i16", "b16"):
            return 2
    return 4


@cache
def guess(opcode: str, known: OpcodeInfo | None = None) -> OpcodeInfo:
    """What is assumed of the unknown ``opcode`` (marked or not).

    ``known`` is the table's entry of the same name, if it exists on other architectures only: its format,
    kind and widths are taken. Else: scalar ALU for ``s_``, matrix for ``v_mfma``, ``v_smfmac``, ``v_wmma``,
    plain VALU (8 bytes) for other ``v_``, LDS or global memory with the width at the end of the name;
    a name without such a beginning uses no unit.
    """
    name = written_name(opcode)
    if known is not None:
        return replace(known, flags=known.flags | {"unknown"}, archs=())
    head = name.partition("_")[0]
    layout, kind, width, lgkm, vm = "SOPP", Kind.INTERNAL, 0, 0, 0
    if head in _MEMORY:
        layout, width, vm = _MEMORY[head], _width_bytes(name), 1
        kind = Kind.VMEM_STORE if any(word in name for word in _STORES) else Kind.VMEM_LOAD
        lgkm = int(head == "flat")
    elif head == "ds":
        layout, width, lgkm = "DS", _width_bytes(name), 1
        kind = Kind.LDS_READ if "read" in name or "load" in name or "_rtn" in name else Kind.LDS_WRITE
    elif name.startswith(("v_mfma", "v_smfmac", "v_wmma", "v_swmmac")):
        layout, kind = "VOP3P", Kind.MFMA
    elif head == "v":
        layout, kind = "VOP3", Kind.TRANS if _TRANSCENDENTAL.match(name) else Kind.VALU
    elif name.startswith(("s_load", "s_buffer_load", "s_store", "s_buffer_store", "s_dcache")):
        layout, kind, width, lgkm = "SMEM", Kind.SMEM, _width_bytes(name), 1 if "load" in name else 0
    elif name.startswith("s_cbranch"):
        kind = Kind.COND_BRANCH
    elif name.startswith(("s_branch", "s_setpc", "s_call", "s_swappc")):
        kind = Kind.BRANCH
    elif name.startswith(_INTERNAL):
        kind = Kind.INTERNAL
    elif head == "s":
        layout, kind = "SOP2", Kind.SALU
    return OpcodeInfo(name, layout, kind, (), (), (), width, lgkm, vm, (), frozenset(("unknown",)))


def writes_first_operand(info: OpcodeInfo) -> bool:
    """Whether an unknown instruction's first operand is taken for its result."""
    if info.kind is Kind.SMEM:
        return bool(info.lgkm_increment)
    return info.kind in VALU_KINDS | LOAD_KINDS | {Kind.MFMA, Kind.SALU}


def specs_as_written(info: OpcodeInfo, count: int) -> tuple[OperandSpec, ...]:
    """Operand specs of an unknown instruction with ``count`` operands: the first is its result (whose old
    value it may read), where its kind has one."""
    first = "both" if writes_first_operand(info) else "src"
    return tuple(replace(ANY, role=first if place == 0 else "src") for place in range(count))
