"""AMDGPU code objects as files: sections, symbols, notes of the ELF, and offload bundles around it.

Files are untrusted: every offset is checked, nothing is mapped or executed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from wavesim.asm.object import compressed
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.isa.archs import ARCHITECTURES
from wavesim.limits import MAX_INPUT_BYTES

EM_AMDGPU = 224
ET_REL = 1
SHT_SYMTAB, SHT_NOTE, SHT_NOBITS, SHT_DYNSYM = 2, 7, 8, 11
NT_AMDGPU_METADATA = 32
STT_NOTYPE, STT_FUNC = 0, 2
SHF_ALLOC, SHF_EXECINSTR = 2, 4

MACHINES = {each.elf_machine: each.name for each in ARCHITECTURES.values()}
"""EF_AMDGPU_MACH, the low byte of e_flags (LLVM's AMDGPU usage manual, table "ELF header")."""

BUNDLE = b"__CLANG_OFFLOAD_BUNDLE__"
MOST_ENTRIES = 1 << 20
"""Symbols, sections or bundle entries: more is refused."""


@dataclass(frozen=True, slots=True)
class Section:
    """``address`` is where it is loaded, ``offset`` where it lies in the file; all in bytes."""

    name: str
    kind: int
    address: int
    offset: int
    size: int
    link: int
    flags: int = 0

    @property
    def is_data(self) -> bool:
        """Whether it is loaded and holds no code."""
        return self.flags & (SHF_ALLOC | SHF_EXECINSTR) == SHF_ALLOC


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """``value`` is an address (in a relocatable file an offset in its section), ``size`` in bytes."""

    name: str
    value: int
    size: int
    section: int
    kind: int


@dataclass(frozen=True)
class Elf:
    """A 64-bit little-endian ELF file, its tables read and checked."""

    file: str
    image: bytes
    machine: int
    flags: int
    relocatable: bool
    sections: tuple[Section, ...]
    symbols: tuple[ElfSymbol, ...]

    @property
    def arch(self) -> str | None:
        """The architecture that e_flags name, if wavesim knows it."""
        return MACHINES.get(self.flags & 0xFF)

    def symbol(self, name: str) -> ElfSymbol | None:
        """The defined symbol ``name``."""
        return next((each for each in self.symbols if each.name == name and each.section), None)

    def content(self, section: Section) -> bytes:
        """A section's bytes."""
        if section.kind == SHT_NOBITS:
            return b""
        return _take(self.image, section.offset, section.size, self.file)

    def loaded(self, address: int, size: int) -> bytes:
        """The ``size`` bytes that stand at ``address`` once the file is loaded.

        Raises:
            UserError: no section has them.
        """
        for section in self.sections:
            inside = section.address <= address and address + size <= section.address + section.size
            if inside and section.address and section.kind != SHT_NOBITS:
                return _take(self.image, section.offset + address - section.address, size, self.file)
        raise UserError(f"no section has {size} bytes at address {address:#x}", SourceSpan(self.file))


def _take(image: bytes, offset: int, size: int, file: str) -> bytes:
    if offset < 0 or size < 0 or offset + size > len(image):
        raise UserError(
            f"{size} bytes at {offset:#x} are outside of the file ({len(image)} bytes)", SourceSpan(file)
        )
    return image[offset : offset + size]


def _text(table: bytes, at: int) -> str:
    end = table.find(b"\0", at)
    return table[at : end if end >= 0 else len(table)].decode(errors="replace") if at < len(table) else ""


def is_elf(image: bytes) -> bool:
    """Whether it begins like a 64-bit little-endian ELF file."""
    return image[:6] == b"\x7fELF\x02\x01"


def read_elf(image: bytes, file: str) -> Elf:
    """The tables of an ELF file.

    Raises:
        UserError: it is not a code object, or it is damaged.
        LimitExceeded: it is too large.
    """
    span = SourceSpan(file)
    if len(image) > MAX_INPUT_BYTES:
        raise LimitExceeded(f"the file has more than {MAX_INPUT_BYTES} bytes", span)
    if not is_elf(image):
        raise UserError("not a code object: no 64-bit little-endian ELF file", span)
    header = _take(image, 0, 64, file)
    kind, machine = struct.unpack_from("<HH", header, 16)
    (table,) = struct.unpack_from("<Q", header, 0x28)
    (machine_flags,) = struct.unpack_from("<I", header, 0x30)
    entry, count, names_at = struct.unpack_from("<HHH", header, 0x3A)
    if count and entry != 64:
        raise UserError(f"section headers of {entry} bytes, not 64", span)
    raw = []
    for index in range(count):
        fields = struct.unpack("<IIQQQQIIQQ", _take(image, table + 64 * index, 64, file))
        raw.append(fields)
    names = b""
    if names_at < len(raw):
        names = _take(image, raw[names_at][4], raw[names_at][5], file)
    sections = tuple(
        Section(_text(names, name), what, address, offset, size, link, flags)
        for name, what, flags, address, offset, size, link, _, _, _ in raw
    )
    return Elf(file, image, machine, machine_flags, kind == ET_REL, sections, _symbols(image, sections, file))


def _symbols(image: bytes, sections: tuple[Section, ...], file: str) -> tuple[ElfSymbol, ...]:
    """The symbols of .symtab, or of .dynsym where the file is stripped."""
    tables = {section.kind: section for section in sections if section.kind in (SHT_SYMTAB, SHT_DYNSYM)}
    table = tables.get(SHT_SYMTAB) or tables.get(SHT_DYNSYM)
    if table is None:
        return ()
    if table.size // 24 > MOST_ENTRIES:
        raise LimitExceeded(f"more than {MOST_ENTRIES} symbols", SourceSpan(file))
    names = b""
    if table.link < len(sections):
        names = _take(image, sections[table.link].offset, sections[table.link].size, file)
    found = []
    data = _take(image, table.offset, table.size // 24 * 24, file)
    for name, info, _, section, value, size in struct.iter_unpack("<IBBHQQ", data):
        found.append(ElfSymbol(_text(names, name), value, size, section, info & 0xF))
    return tuple(found)


def notes(elf: Elf) -> Iterator[tuple[str, int, bytes]]:
    """Owner, type and content of each note."""
    for section in elf.sections:
        if section.kind != SHT_NOTE:
            continue
        data, at = elf.content(section), 0
        while at + 12 <= len(data):
            name_size, size, kind = struct.unpack_from("<III", data, at)
            start = at + 12 + (name_size + 3) // 4 * 4
            owner = data[at + 12 : at + 12 + name_size].rstrip(b"\0").decode(errors="replace")
            if start + size > len(data):
                raise UserError("a note reaches past its section", SourceSpan(elf.file))
            yield owner, kind, data[start : start + size]
            at = start + (size + 3) // 4 * 4


def unbundled(image: bytes, arch: str | None, file: str) -> bytes:
    """The code object in ``image``: itself, or the one for ``arch`` of the offload bundle that it is or has
    in a section .hip_fatbin.

    Raises:
        UserError: no code object, or none for ``arch``; several, and no ``arch`` given; compressed in
            a way that is not known here.
    """
    span = SourceSpan(file)
    if is_elf(image):
        elf = read_elf(image, file)
        if elf.machine == EM_AMDGPU:
            return image
        fat = next((section for section in elf.sections if section.name == ".hip_fatbin"), None)
        if fat is None:
            raise UserError("an ELF file of another machine, without a section .hip_fatbin", span)
        image = elf.content(fat)
    if image.startswith(compressed.MAGIC):
        image = compressed.decompressed(image, file)
    if not image.startswith(BUNDLE):
        raise UserError("neither a code object (ELF) nor an offload bundle", span)
    found = {target: code for target, code in _entries(image, file) if code}
    wanted = {target: code for target, code in found.items() if _names(target, arch)}
    shown = ", ".join(sorted(found)) or "none"
    if not wanted:
        raise UserError(f"the bundle has no code object for {arch or 'a GPU'}", span, f"it has: {shown}")
    if len(wanted) > 1:
        raise UserError(f"{len(wanted)} code objects fit", span, f"choose with --arch one of: {shown}")
    return next(iter(wanted.values()))


def _names(target: str, arch: str | None) -> bool:
    """Whether a bundle entry (``hipv4-amdgcn-amd-amdhsa--gfx942:xnack-``) is for ``arch``."""
    if "amdgcn" not in target and "amdgpu" not in target:
        return False
    return arch is None or target.partition(":")[0].rpartition("-")[2] == arch


def _entries(image: bytes, file: str) -> Iterator[tuple[str, bytes]]:
    at = len(BUNDLE)
    (count,) = struct.unpack("<Q", _take(image, at, 8, file))
    if count > 1024:
        raise LimitExceeded(f"{count} entries in an offload bundle", SourceSpan(file))
    at += 8
    for _ in range(count):
        offset, size, length = struct.unpack("<QQQ", _take(image, at, 24, file))
        name = _take(image, at + 24, length, file).decode(errors="replace")
        yield name, _take(image, offset, size, file)
        at += 24 + length
