"""Names, types and layout of a HIP kernel's parameters, from the debug information of its LLVM IR.

The IR is text, and clang alone makes it. What is read of it: ``DISubprogram``, ``DILocalVariable`` (with
``arg:``) and the types that they lead to (LLVM Language Reference, "Specialized Metadata Nodes").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

POINTER_BYTES = 8
_NODE = re.compile(r"^(!\d+) = (?:distinct )?(!.*)$", re.MULTILINE)
_FIELD = re.compile(r'(\w+): ("(?:[^"\\]|\\.)*"|[^,()]+)')
_OTHER_NAME = re.compile(r"DW_TAG_(?:typedef|const_type|volatile_type|restrict_type|atomic_type)")
_POINTER = re.compile(r"DW_TAG_(?:pointer|reference|rvalue_reference)_type")
_DEEPEST = 16
_NAMED = {
    **{"__half": "f16", "__hip_bfloat16": "bf16", "hip_bfloat16": "bf16", "__bf16": "bf16"},
    **{"__hip_fp8_e4m3": "e4m3", "__hip_fp8_e5m2": "e5m2"},
    **{"__hip_fp8_e4m3_fnuz": "e4m3fnuz", "__hip_fp8_e5m2_fnuz": "e5m2fnuz"},
}
"""Types that go by their name, whatever they are made of."""
_LETTERS = {"DW_ATE_float": "f", "DW_ATE_signed": "i", "DW_ATE_signed_char": "i", "DW_ATE_boolean": "u"}


@dataclass(frozen=True)
class Parameter:
    """A parameter or a field.

    Attributes:
        name: as the source has it.
        dtype: a type of launch files, of the value or of what the pointer leads to; empty if not known.
        pointer: it is an address.
        const: what it leads to is not written through it.
        size_bytes: its size, 0 where it is not known.
        offset_bytes: from the start of its struct.
        fields: those of a struct passed by value; of an array its element, once.
        count: elements of an array, 0 for what is none.
    """

    name: str
    dtype: str = ""
    pointer: bool = False
    const: bool = False
    size_bytes: int = 0
    offset_bytes: int = 0
    fields: tuple[Parameter, ...] = ()
    count: int = 0

    @property
    def alignment_bytes(self) -> int:
        """Alignment by C's rules, as a launch file lays it out: ``alignas`` is not counted."""
        if self.fields:
            return max(each.alignment_bytes for each in self.fields)
        return max(1, self.size_bytes)


def parameters(ir: str, kernel: str) -> tuple[Parameter, ...]:
    """The parameters of the kernel with this symbol; none where the IR does not define it."""
    nodes = dict(_NODE.findall(ir))
    function = next((name for name, text in nodes.items() if _defines(text, kernel)), None)
    if function is None:
        return ()
    read = _Types(nodes)
    found = {}
    for text in nodes.values():
        if text.startswith("!DILocalVariable(") and "arg: " in text:
            fields = _fields(text)
            if fields.get("scope") == function:
                found[int(fields["arg"])] = replace(read.type(fields.get("type", "")), name=fields["name"])
    declared = read.items(_fields(nodes.get(_fields(nodes[function])["type"], "")).get("types", ""))
    unnamed = enumerate(declared[1:], 1)  # the first is what it returns
    return tuple(found.get(number) or read.type(reference) for number, reference in unnamed)


def _defines(text: str, kernel: str) -> bool:
    if not text.startswith("!DISubprogram(") or "DISPFlagDefinition" not in text or kernel not in text:
        return False
    fields = _fields(text)
    return fields.get("linkageName", fields["name"]) == kernel


def _fields(text: str) -> dict[str, str]:
    return {key: value.strip('"') for key, value in _FIELD.findall(text.partition("(")[2])}


class _Types:
    """Types of the IR's metadata nodes as parameters without a name."""

    def __init__(self, nodes: Mapping[str, str]) -> None:
        self.nodes = nodes

    def items(self, reference: str) -> list[str]:
        """The members of a tuple node ``!{!1, null, !2}``."""
        return [each for each in self.nodes.get(reference, "")[2:-1].split(", ") if each]

    def type(self, reference: str, depth: int = 0) -> Parameter:
        text = self.nodes.get(reference, "")
        node = _fields(text)
        tag, base = node.get("tag", ""), node.get("baseType", "")
        size = int(node.get("size", "0")) // 8
        if depth > _DEEPEST:
            return Parameter("", size_bytes=size)
        if node.get("name") in _NAMED:
            named = self.type(base, depth + 1) if base else Parameter("", size_bytes=size)
            return Parameter("", _NAMED[node["name"]], size_bytes=named.size_bytes)
        if text.startswith("!DIBasicType("):
            letter = "u" if node["name"] == "char8_t" else _LETTERS.get(node.get("encoding", ""), "u")
            return Parameter("", f"{letter}{8 * size}" if size in (1, 2, 4, 8) else "", size_bytes=size)
        if _OTHER_NAME.match(tag):
            return self.type(base, depth + 1)
        if _POINTER.match(tag):
            target = self.type(base, depth + 1) if base else Parameter("")
            const = "DW_TAG_const_type" in self.nodes.get(base, "")
            return Parameter("", _element(target), True, const, POINTER_BYTES)
        if tag == "DW_TAG_array_type":
            return self._array(node, base, depth)
        if tag == "DW_TAG_enumeration_type":
            return self.type(base, depth + 1) if base else Parameter("", f"u{8 * size}", size_bytes=size)
        fields = self._union(node, depth) if tag == "DW_TAG_union_type" else tuple(self._members(node, depth))
        empty = not fields and size == 1 and tag in ("DW_TAG_structure_type", "DW_TAG_class_type")
        return Parameter("", "u8" if empty else "", size_bytes=size, fields=fields)

    def _array(self, node: Mapping[str, str], base: str, depth: int) -> Parameter:
        found = self.type(base, depth + 1)
        for each in reversed(self.items(node["elements"])):
            count = _fields(self.nodes[each]).get("count", "0")
            if not count.isdigit() or int(count) == 0:
                return Parameter("")
            size = int(count) * found.size_bytes
            found = Parameter("", size_bytes=size, fields=(found,), count=int(count))
        return found

    def _members(self, node: Mapping[str, str], depth: int) -> Iterator[Parameter]:
        """The fields of a struct by their offsets; bases come first, as fields. A bit field is bytes."""
        end = 0
        for reference in self.items(node.get("elements", "")):
            text = self.nodes.get(reference, "")
            member = _fields(text)
            inherited = member.get("tag") == "DW_TAG_inheritance"
            if not inherited and (member.get("tag") != "DW_TAG_member" or "DIFlagStaticMember" in text):
                continue
            offset_bits, size_bits = int(member.get("offset", "0")), int(member.get("size", "0"))
            found = self.type(member["baseType"], depth + 1)
            offset = offset_bits // 8
            if "DIFlagBitField" in text:
                size = -(-(offset_bits + size_bits) // 8) - offset
                byte = Parameter("", "u8", size_bytes=1)
                found = Parameter("", size_bytes=size, fields=(byte,), count=size)
            if offset < end or (inherited and not found.fields):
                continue  # bits of a byte that is there already, an empty base
            end = offset + found.size_bytes
            yield replace(found, name=member.get("name", "base" if inherited else ""), offset_bytes=offset)

    def _union(self, node: Mapping[str, str], depth: int) -> tuple[Parameter, ...]:
        """Of a union its largest member."""
        members = [
            replace(self.type(member["baseType"], depth + 1), name=member.get("name", ""))
            for each in self.items(node.get("elements", ""))
            if (member := _fields(self.nodes.get(each, ""))).get("tag") == "DW_TAG_member"
        ]
        return (max(members, key=lambda each: each.size_bytes),) if members else ()


def _element(target: Parameter) -> str:
    """The type of the elements behind a pointer: of a struct (float4) that of its fields, if it is one."""
    if target.pointer:
        return ""
    if not target.fields:
        return target.dtype
    types = {_element(each) for each in target.fields}
    return types.pop() if len(types) == 1 else ""
