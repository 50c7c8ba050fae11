"""LLVM's command-line tools: where they are, and assembling a text with them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.archs import ARCHITECTURES, DEFAULT_ARCH

VERSIONS = (22, 21, 20, 19)
"""Suffixes tried, newest first."""

_VERSIONED = "/usr/lib/llvm-{}/bin"
_FOLDERS = ("/opt/rocm/lib/llvm/bin", "/opt/rocm/llvm/bin", "/opt/rocm/bin")
_TIMEOUT_S = 120


class MissingTool(UserError):
    """A tool that is not installed; the message says what to install."""


def _candidates(name: str, oldest: int) -> list[str]:
    suffixed = [f"{name}-{version}" for version in VERSIONS if version >= oldest]
    folders = [f"{_VERSIONED.format(version)}/{name}" for version in VERSIONS if version >= oldest]
    return [*suffixed, *folders, *(f"{folder}/{name}" for folder in _FOLDERS), name]


@cache
def find_tool(name: str, arch: str = DEFAULT_ARCH) -> str:
    """Path of an LLVM tool (``llvm-mc``, ``clang``, ``ld.lld``, ``llvm-objdump``) that knows ``arch``.

    ``WAVESIM_LLVM`` names a folder that is searched first.

    Raises:
        MissingTool: there is none.
    """
    own = os.environ.get("WAVESIM_LLVM")
    known = ARCHITECTURES.get(arch)
    oldest = known.llvm_version if known is not None else VERSIONS[-1]
    for candidate in ([str(Path(own) / name)] if own else []) + _candidates(name, oldest):
        found = shutil.which(candidate)
        if found is not None:
            return found
    raise MissingTool(
        f"{name} is needed and was not found (LLVM {oldest} or newer for {arch})",
        None,
        "install it (Debian: apt-get install llvm-22 clang-22 lld-22; or ROCm) or set WAVESIM_LLVM",
    )


def run_tool(arguments: list[str], span: SourceSpan | None = None) -> bytes:
    """Runs a tool; its standard output.

    Raises:
        UserError: it fails (its first message is given) or takes too long.
    """
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(f"{arguments[0]} did not end within {_TIMEOUT_S} s", span) from None
    except OSError as error:
        raise MissingTool(f"{arguments[0]} cannot be run: {error.strerror}", span) from None
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip()
        raise UserError(f"{Path(arguments[0]).name} refused its input:\n{text[:2000]}", span)
    return done.stdout


def _zig(tool: str) -> list[str] | None:
    """The command of a tool of the wheel ``ziglang``, if that is installed."""
    if importlib.util.find_spec("ziglang") is None:
        return None
    return [sys.executable, "-m", "ziglang", tool]


def assembler(arch: str) -> list[str]:
    """The command that assembles for ``arch``, up to its input and output: llvm-mc, clang or ziglang's.

    Raises:
        MissingTool: none of them is here.
    """
    try:
        llvm_mc = find_tool("llvm-mc", arch)
    except MissingTool as missing:
        try:
            return clang_assembler(arch, "assembler")
        except MissingTool:
            raise missing from None
    return [llvm_mc, "-triple=amdgcn-amd-amdhsa", f"-mcpu={arch}", "-filetype=obj"]


_AS_WRITTEN = ("-g", "-Wa,-L")
"""Line tables of the assembly itself, and labels that begin with .L kept."""


def clang_assembler(arch: str, language: str) -> list[str]:
    """The command of clang (or ziglang's) that assembles for ``arch``, up to its input and output.

    Raises:
        MissingTool: neither is here.
    """
    try:
        command = [find_tool("clang", arch)]
    except MissingTool:
        zig = _zig("clang")
        if zig is None:
            raise
        command = zig
    return [*command, *assembling(arch, language)]


def assembling(arch: str, language: str = "assembler") -> list[str]:
    """Arguments for clang to assemble; ``assembler-with-cpp`` is the ``language`` with #define."""
    return ["-x", language, "-target", "amdgcn-amd-amdhsa", f"-mcpu={arch}", "-c"]


def assemble_with_lines(text: str, arch: str, folder: Path, language: str) -> tuple[bytes, str]:
    """The object that clang makes of ``text``, and the name that its line table has for the text.

    ``folder`` is where included files are searched.

    Raises:
        MissingTool: no clang.
        UserError: clang refuses the text.
    """
    command = [*clang_assembler(arch, language), *_AS_WRITTEN, f"-I{folder.absolute()}"]
    with tempfile.TemporaryDirectory(prefix="wavesim-") as scratch:
        source, target = Path(scratch) / "in.s", Path(scratch) / "out.o"
        source.write_text(text, encoding="utf-8")
        run_tool([*command, "-o", str(target), str(source)])
        return target.read_bytes(), str(source)


def linker(arch: str) -> list[str]:
    """The command that links code objects, up to its input and output: ld.lld or ziglang's.

    Raises:
        MissingTool: neither is here.
    """
    try:
        return [find_tool("ld.lld", arch), "-shared"]
    except MissingTool:
        zig = _zig("ld.lld")
        if zig is None:
            raise
        return [*zig, "-shared"]


def assemble_object(text: str, arch: str) -> bytes:
    """The ELF object that LLVM's assembler makes of a complete assembly ``text``.

    Raises:
        MissingTool: no assembler.
        UserError: the assembler refuses the text.
    """
    command = assembler(arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        source, target = Path(folder) / "in.s", Path(folder) / "out.o"
        source.write_text(text, encoding="utf-8")
        run_tool([*command, "-o", str(target), str(source)])
        return target.read_bytes()


def link(text: str, arch: str) -> bytes:
    """The code object (linked ELF) of a complete assembly ``text``.

    Raises:
        MissingTool: no assembler or linker.
        UserError: assembler or linker refuse it.
    """
    command = linker(arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        source, target = Path(folder) / "in.o", Path(folder) / "out.co"
        source.write_bytes(assemble_object(text, arch))
        run_tool([*command, "-o", str(target), str(source)])
        return target.read_bytes()


def elf_sections(image: bytes) -> dict[str, bytes]:
    """The named sections of a 64-bit little-endian ELF file with their contents.

    Raises:
        ValueError: it is no such file.
    """
    if image[:6] != b"\x7fELF\x02\x01" or len(image) < 64:
        raise ValueError("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", image, 0x28)
    entry_bytes, count, names_index = struct.unpack_from("<HHH", image, 0x3A)
    headers = []
    for index in range(count):
        at = table + index * entry_bytes
        if at + 64 > len(image):
            raise ValueError("section table outside of the file")
        name, kind, _, _, offset, size = struct.unpack_from("<IIQQQQ", image, at)
        headers.append((name, kind, offset, size))
    if names_index >= len(headers):
        raise ValueError("no section names")
    names_at = headers[names_index][2]
    found = {}
    for name, kind, offset, size in headers:
        end = image.find(b"\0", names_at + name)
        text = image[names_at + name : end].decode(errors="replace")
        found[text] = b"" if kind == 8 else image[offset : offset + size]  # 8: SHT_NOBITS
    return found


def code_bytes(text: str, arch: str) -> bytes:
    """The bytes of ``.text`` that LLVM's assembler makes of ``text``."""
    return elf_sections(assemble_object(text, arch)).get(".text", b"")


def instruction_sizes(lines: list[str], arch: str) -> list[int]:
    """Encoded bytes of each line of assembly (one instruction each), from LLVM's assembler.

    Raises:
        MissingTool: no llvm-mc.
        UserError: the assembler refuses a line.
    """
    labels = [f".Lsize{index}:\n\t{line}" for index, line in enumerate(lines)]
    table = [f"\t.long .Lsize{index + 1}-.Lsize{index}" for index in range(len(lines))]
    text = "\n".join([*labels, f".Lsize{len(lines)}:", '\t.section .sizes,"",@progbits', *table, ""])
    raw = elf_sections(assemble_object(text, arch))[".sizes"]
    return list(struct.unpack(f"<{len(lines)}I", raw))
