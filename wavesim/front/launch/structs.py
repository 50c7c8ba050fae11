"""Structs that a kernel takes by value, laid out as C does: each field at a multiple of its alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Packed:
    """A value as it lies in the kernarg segment, with its name. ``structs`` are those that it is a field of,
    the outermost first."""

    name: str
    structs: tuple[str, ...]
    content: bytes
    alignment_bytes: int


def one_each(values: Sequence[Packed]) -> Iterator[Packed]:
    """One value for each name: neighbours in the same outermost struct become that struct."""
    for name, group in groupby(values, lambda each: each.structs[:1]):
        fields = list(group)
        if not name:
            yield from fields
            continue
        inner = [Packed(each.name, each.structs[1:], each.content, each.alignment_bytes) for each in fields]
        yield _struct(name[0], list(one_each(inner)))


def _struct(name: str, fields: Sequence[Packed]) -> Packed:
    content = bytearray()
    alignment = max(each.alignment_bytes for each in fields)
    for each in fields:
        content += bytes(-len(content) % each.alignment_bytes) + each.content
    content += bytes(-len(content) % alignment)
    return Packed(name, (), bytes(content), alignment)
