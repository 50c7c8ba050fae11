"""Structs that a kernel takes by value, laid out as C does: each field at a multiple of its alignment.

Where a compiler leaves more room (``alignas``, empty members), a field of bytes fills it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from wavesim.front.launch.signature import Parameter


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


def filled(struct: Parameter) -> Sequence[Parameter] | None:
    """The fields of a struct with bytes between them (``pad_8``, at byte 8) wherever C's rules would place
    the next field too early; ``None`` where no such bytes help (a packed struct)."""
    found: list[Parameter] = []
    end = 0
    for field in (*struct.fields, Parameter("", offset_bytes=struct.size_bytes)):
        last = not field.name and field.offset_bytes == struct.size_bytes
        alignment = struct.alignment_bytes if last else field.alignment_bytes
        if field.offset_bytes < end or field.offset_bytes % alignment:
            return None
        if -(-end // alignment) * alignment != field.offset_bytes:
            size = field.offset_bytes - end
            byte = (Parameter("", "u8", size_bytes=1),)
            found.append(Parameter(f"pad_{end}", "", False, False, size, end, byte, size))
        if not last:
            found.append(field)
        end = field.offset_bytes + field.size_bytes
    return found
