"""The opcode table: loads isa/opcodes/*.yaml, in which every opcode is declared once.

A declaration is a group of opcodes with one shape (``names`` with ``{a,b}`` alternatives, ``operands`` in
a small language); docs/opcodes.md describes it. The table is read once per process, from its
built form (:mod:`wavesim.isa.built`) where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any

from wavesim.errors import SourceSpan, UnknownInstruction, UserError
from wavesim.isa.archs import ARCHS
from wavesim.isa.built import load_data
from wavesim.isa.kinds import Kind
from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec
from wavesim.isa.paths import data_dir
from wavesim.isa.unknown import guess, is_marked, written_name

FILES = ("scalar", "vector", "matrix", "memory")

_DEFAULT_KIND = {
    **dict.fromkeys(("SOP1", "SOP2", "SOPC", "SOPK", "SOPP"), Kind.SALU),
    **dict.fromkeys(("VOP1", "VOP2", "VOP3", "VOPC", "VOP3P"), Kind.VALU),
    "SMEM": Kind.SMEM,
}
_KEYS = {"format", "kind", "operands", "names", "reads", "writes", "width", "lgkm", "vm", "archs", "flags"}

_TYPE_WORD = re.compile(
    r"(?:(?<=[_\d])|^)(xf32|bf16|fp[468]|bf[68]|[iu]24|[fbiu](?:8|16|32|64)|i4|u4)(?=_|$)"
)
_OPERAND = re.compile(r"([=+]?)([vasilwon]+)(\d+|\?)?(?::(\w+))?$")
_ROLES: Mapping[str, str] = {"": "src", "=": "dst", "+": "both"}
_TYPE_DWORDS = {"b64": 2, "u64": 2, "i64": 2, "f64": 2}


def type_words(opcode: str) -> tuple[str, ...]:
    """The element types in an opcode's name, in order: ``("f32", "u32")`` of ``v_cvt_f32_u32``."""
    return tuple(_TYPE_WORD.findall(opcode))


@cache
def _spec(role: str, kinds: str, dwords: int, kind_of_value: str) -> OperandSpec:
    return OperandSpec(_ROLES[role], kinds, dwords, kind_of_value)


def expand(names: str) -> list[str]:
    """All opcodes of a ``names`` text: ``a_{x,y}`` stands for ``a_x`` and ``a_y``."""
    found = []
    for word in names.split():
        if "{" not in word:
            found.append(word)
            continue
        parts = [part.split(",") for part in re.split(r"[{}]", word)]
        found.extend("".join(choice) for choice in product(*parts))
    return found


@cache
def _operands(text: str, words: tuple[str, ...], file: str) -> tuple[OperandSpec, ...]:
    """Specs of an ``operands`` text, for opcodes whose names have the type words ``words``."""
    span = SourceSpan(file)
    specs = []
    for token in text.split():
        match = _OPERAND.match(token)
        if match is None:
            raise UserError(f"operand {token!r} cannot be read", span, "form: [=+]kinds[registers|?][:type]")
        role, kinds, dwords, of_type = match.groups()
        if of_type is None:
            of_type = "b32"
        elif of_type.isdigit():
            if not words:
                raise UserError(f"an opcode with operand {token!r} has no type in its name", span)
            of_type = words[min(int(of_type), len(words) - 1)]
        count = int(dwords.replace("?", "0")) if dwords else _TYPE_DWORDS.get(of_type, 1)
        specs.append(_spec(role, kinds, count, of_type))
    return tuple(specs)


def _declare(group: Mapping[str, Any], span: SourceSpan, table: dict[str, OpcodeInfo]) -> None:
    unknown = set(group) - _KEYS
    if unknown:
        raise UserError(
            f"unknown key {min(unknown)!r} in an opcode group", span, f"keys: {', '.join(sorted(_KEYS))}"
        )
    layout = str(group["format"])
    kind = Kind(group["kind"]) if "kind" in group else _DEFAULT_KIND[layout]
    operand_text = group["operands"]
    reads = tuple(group.get("reads", "").split())
    writes = tuple(group.get("writes", "").split())
    archs = tuple(group["archs"].split()) if "archs" in group else ARCHS
    flags = frozenset(group.get("flags", "").split())
    width, lgkm, vm = group.get("width", 0), group.get("lgkm", 0), group.get("vm", 0)
    typed = any(part in operand_text for part in (":0", ":1", ":2"))
    shared = None if typed else _operands(operand_text, (), span.file)
    for name in expand(group["names"]):
        if name in table:
            raise UserError(f"{name} is declared twice", span)
        operands = shared
        if operands is None:
            operands = _operands(operand_text, type_words(name), span.file)
        table[name] = OpcodeInfo(name, layout, kind, operands, reads, writes, width, lgkm, vm, archs, flags)


def _load(name: str) -> Any:
    return load_data(data_dir("isa") / "opcodes" / f"{name}.yaml")[0]


@cache
def opcode_table() -> Mapping[str, OpcodeInfo]:
    """Every known opcode by mnemonic without encoding suffix (``v_add_u32``).

    Raises:
        UserError: the data files are inconsistent (duplicate opcode, unreadable operand).
    """
    table: dict[str, OpcodeInfo] = {}
    for name in FILES:
        span = SourceSpan(str(data_dir("isa") / "opcodes" / f"{name}.yaml"))
        for group in _load(name)["opcodes"]:
            _declare(group, span, table)
    return MappingProxyType(table)


@cache
def aliases(arch: str) -> Mapping[str, str]:
    """Other names that the assembler takes for an opcode of ``arch``: alias -> opcode."""
    found: dict[str, str] = {}
    for group in _load("aliases")["aliases"]:
        if arch in group["archs"].split():
            for pair in group["names"].split():
                alias, _, opcode = pair.partition("=")
                found[alias] = opcode
    return MappingProxyType(found)


def lookup(opcode: str, arch: str, span: SourceSpan | None = None) -> OpcodeInfo:
    """The data of ``opcode`` (without encoding suffix) on ``arch``; assumptions for one marked unknown.

    Raises:
        UnknownInstruction: no such opcode, or not on this architecture.
    """
    table = opcode_table()
    if is_marked(opcode):
        return guess(opcode, table.get(written_name(opcode)))
    info = table.get(opcode)
    if info is None:
        near = get_close_matches(opcode, table, n=3, cutoff=0.6)
        hint = f"similar: {', '.join(near)}" if near else ""
        raise UnknownInstruction(f"unknown instruction {opcode!r}", span, hint)
    if arch not in info.archs:
        raise UnknownInstruction(
            f"instruction {opcode!r} does not exist on {arch}", span, f"it exists on {', '.join(info.archs)}"
        )
    return info
