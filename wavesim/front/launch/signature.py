"""Names and types of a HIP kernel's parameters, as its source states them, as far as they are simple.

This reads the text for a launch skeleton. It is no compiler: macros and templates are not followed. What
it does not understand it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MANGLED = re.compile(r"_ZN?K?(\d+)")
_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict|__restrict__|__restrict|struct|std::)\b|::")
_PARAMETER = re.compile(r"(?P<type>[\w\s]+?)\s*(?P<pointer>[*&\s]*)\b(?P<name>\w+)$")
_TYPES = {
    **{"float": "f32", "double": "f64", "half": "f16", "__half": "f16", "_Float16": "f16"},
    **{"__bf16": "bf16", "__hip_bfloat16": "bf16", "hip_bfloat16": "bf16", "bf16": "bf16"},
    **{"int": "i32", "int32_t": "i32", "unsigned": "u32", "unsigned int": "u32", "uint32_t": "u32"},
    **{"long": "i64", "long long": "i64", "int64_t": "i64", "size_t": "u64", "uint64_t": "u64"},
    **{"short": "i16", "int16_t": "i16", "uint16_t": "u16", "unsigned short": "u16"},
    **{"char": "i8", "int8_t": "i8", "uint8_t": "u8", "unsigned char": "u8"},
}


@dataclass(frozen=True)
class Parameter:
    """A parameter or a field. ``dtype`` is a type of launch files, empty where it is not known; ``fields``
    are those of a struct passed by value."""

    name: str
    dtype: str
    pointer: bool
    const: bool
    fields: tuple[Parameter, ...] = ()


def parameters(source: str, kernel: str) -> tuple[Parameter, ...]:
    """The parameters of the kernel with this symbol; none where the source has no such signature."""
    text = _COMMENT.sub(" ", source)
    found = re.search(
        rf"(?:__global__|amdgpu_kernel|__attribute__\(\(global\b)[^;{{}}]*?\b{re.escape(_plain(kernel))}\s*\(",
        text,
    )
    if found is None:
        return ()
    inside = _closed(text, found.end())
    if not inside.strip():
        return ()
    return tuple(_parameter(part, text, 0) or Parameter("", "", False, False) for part in inside.split(","))


def _plain(symbol: str) -> str:
    """``axpy`` of ``_Z4axpyPf``."""
    match = _MANGLED.match(symbol)
    return symbol[match.end() :][: int(match[1])] if match else symbol


def _closed(text: str, start: int) -> str:
    """From ``start`` to the parenthesis that closes."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return text[start:place]
    return ""


def _parameter(text: str, source: str, depth: int) -> Parameter | None:
    const = "const" in text.split("*")[0].split()
    match = _PARAMETER.match(" ".join(_QUALIFIERS.sub(" ", text).split()))
    if match is None or "&" in match["pointer"]:
        return None
    kind, pointer = match["type"].strip(), "*" in match["pointer"]
    fields = () if pointer or kind in _TYPES or depth > 4 else _fields(kind, source, depth)
    return Parameter(match["name"], _TYPES.get(kind, ""), pointer, const, tuple(fields))


def _fields(struct: str, source: str, depth: int) -> Sequence[Parameter]:
    """The fields of a plain struct; none where one of them is not understood."""
    found = re.search(
        rf"\bstruct\s+{re.escape(struct)}\s*\{{([^{{}}()]*)\}}|\bstruct\s*\{{([^{{}}()]*)\}}\s*{re.escape(struct)}\s*;",
        source,
    )
    if found is None:
        return ()
    parts = [part.strip() for part in (found[1] or found[2] or "").split(";") if part.strip()]
    fields: list[Parameter] = []
    for part in parts:
        first, *others = (each.strip() for each in part.split(","))
        field = _parameter(first, source, depth + 1)
        if field is None or (others and field.pointer):
            return ()
        fields.append(field)
        for name in others:
            if not re.fullmatch(r"\w+", name):
                return ()
            fields.append(Parameter(name, field.dtype, False, field.const, field.fields))
    return fields
