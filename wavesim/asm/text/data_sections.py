"""Data sections of an assembly file: constants that kernels read by address (a switch's tables, arrays)."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from wavesim.asm.text.expressions import ExpressionError, evaluate
from wavesim.errors import LimitExceeded, SourceSpan
from wavesim.limits import MAX_INPUT_BYTES
from wavesim.program import Constants

_SIZES = {
    **dict.fromkeys((".byte",), 1),
    **dict.fromkeys((".short", ".half", ".value", ".2byte"), 2),
    **dict.fromkeys((".long", ".int", ".word", ".4byte"), 4),
    **dict.fromkeys((".quad", ".8byte"), 8),
}
_FLOATS = {".float": "<f", ".single": "<f", ".double": "<d"}
_KEPT = (".rodata", ".data", ".bss", ".constant", ".lds_data")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class _Section:
    content: bytearray = field(default_factory=bytearray)
    labels: dict[str, int] = field(default_factory=dict)


class DataSections:
    """Collects the bytes and labels of the data sections as the file is read."""

    def __init__(self) -> None:
        self.sections: dict[str, _Section] = {}
        self.current: _Section | None = None

    def enter(self, name: str) -> None:
        """A section begins; only those that a kernel can read by address are kept."""
        kept = name.startswith(_KEPT)
        self.current = self.sections.setdefault(name, _Section()) if kept else None

    def label(self, name: str) -> None:
        """A label at the present place."""
        if self.current is not None:
            self.current.labels[name] = len(self.current.content)

    def directive(self, name: str, rest: str, symbols: Mapping[str, int], span: SourceSpan) -> None:
        """A data or alignment directive; what is no number (a relocation) counts as 0."""
        section = self.current
        if section is None:
            return
        content = section.content
        if name in _SIZES:
            for text in rest.split(","):
                value = _number(text, symbols) & (1 << 8 * _SIZES[name]) - 1
                content += value.to_bytes(_SIZES[name], "little")
        elif name in _FLOATS:
            for text in rest.split(","):
                content += struct.pack(_FLOATS[name], _float(text))
        elif name in (".zero", ".space", ".skip", ".fill"):
            numbers = [_number(text, symbols) for text in rest.split(",")]
            _extend(content, numbers, repeated=name == ".fill", span=span)
        elif name in (".ascii", ".asciz", ".string"):
            for text in _STRING.findall(rest):
                content += _unescaped(text) + (b"" if name == ".ascii" else b"\0")
        elif name.startswith((".p2align", ".balign", ".align")):
            first = _number(rest.partition(",")[0], symbols)
            step = first if name.startswith(".balign") else 1 << min(max(first, 0), 16)
            content += bytes(-len(content) % max(step, 1))
        if len(content) > MAX_INPUT_BYTES:
            raise LimitExceeded(f"a data section of more than {MAX_INPUT_BYTES} bytes", span)

    def constants(self, wanted: frozenset[str]) -> tuple[Constants, ...]:
        """Sections in which one of the symbols ``wanted`` stands."""
        return tuple(
            Constants(name, bytes(section.content), dict(section.labels))
            for name, section in self.sections.items()
            if section.content and wanted & section.labels.keys()
        )


def _extend(content: bytearray, numbers: list[int], *, repeated: bool, span: SourceSpan) -> None:
    """``.zero count[, byte]`` or ``.fill count[, size[, value]]``."""
    count = max(numbers[0], 0)
    size = numbers[1] if repeated and len(numbers) > 1 else 1
    value = numbers[-1] if len(numbers) > (2 if repeated else 1) else 0
    if not 0 <= size <= 8 or count * max(size, 1) > MAX_INPUT_BYTES:
        raise LimitExceeded(f"a data section of more than {MAX_INPUT_BYTES} bytes", span)
    content += (value & (1 << 8 * size) - 1).to_bytes(size, "little") * count if size else b""


def _number(text: str, symbols: Mapping[str, int]) -> int:
    try:
        return evaluate(text.strip(), symbols)
    except ExpressionError:
        return 0


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _unescaped(text: str) -> bytes:
    plain = re.sub(r"\\([0-7]{1,3})", lambda match: f"\\x{int(match[1], 8) & 255:02x}", text)
    return plain.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")
