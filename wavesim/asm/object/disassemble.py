"""Machine code to assembly text: through llvm-objdump, or LLVM's library in the wheel rocm-llvm-python."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import posixpath
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wavesim.asm.tools import MissingTool, find_tool, run_tool
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.limits import MAX_INSTRUCTIONS_STATIC

_LINE = re.compile(
    r"\t(?P<text>.*?)\s*// (?P<address>[0-9A-F]{12,16}): (?P<words>[0-9A-F]{8}(?: [0-9A-F]{8})*)"
)
_SOURCE = re.compile(r"; (?P<file>.+):(?P<line>\d+)$")
_LONGEST_BYTES = 20
_WHEEL = "rocm.llvm.c"
_HINT = (
    "install llvm-objdump (Debian: apt-get install llvm-22; or ROCm), or the wheel rocm-llvm-python "
    "(pip install 'wavesim-cdna[code-objects]')"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One instruction: its address and size in bytes, its first dword, its text, its source line if known."""

    address: int
    size: int
    word: int
    text: str
    source: SourceSpan | None = None


Disassembler = Callable[[bytes, bytes, int, str, str], list[Decoded]]
"""Whole ELF file, the code wanted, its address, architecture, file name -> instructions."""


def disassemble(image: bytes, code: bytes, address: int, arch: str, file: str) -> list[Decoded]:
    """The instructions of ``code``, which stands at ``address`` of the linked code object ``image``.

    Raises:
        MissingTool: neither llvm-objdump nor rocm-llvm-python is here.
        UserError: bytes that are no instruction of ``arch``.
        LimitExceeded: more instructions than wavesim takes.
    """
    span = SourceSpan(file)
    if len(code) > MAX_INSTRUCTIONS_STATIC * _LONGEST_BYTES:
        raise LimitExceeded(f"a kernel of {len(code)} bytes", span)
    found = find_disassembler(arch)(image, code, address, arch, file)
    if len(found) > MAX_INSTRUCTIONS_STATIC:
        raise LimitExceeded(f"more than {MAX_INSTRUCTIONS_STATIC} instructions", span)
    place = address
    for each in found:
        if each.address != place:
            raise UserError(f"bytes at {place:#x} are no instruction of {arch}", span)
        place += each.size
    if place != address + len(code):
        raise UserError(f"bytes at {place:#x} are no instruction of {arch}", span)
    return found


def find_disassembler(arch: str) -> Disassembler:
    """llvm-objdump where there is one, else rocm-llvm-python.

    Raises:
        MissingTool: neither is here.
    """
    try:
        find_tool("llvm-objdump", arch)
    except MissingTool:
        if not has_wheel():
            raise MissingTool(f"nothing here can disassemble {arch}", None, _HINT) from None
        return with_wheel
    return with_objdump


def has_wheel() -> bool:
    """Whether rocm-llvm-python is installed."""
    try:
        return importlib.util.find_spec(_WHEEL) is not None
    except ModuleNotFoundError:
        return False


def with_objdump(image: bytes, code: bytes, address: int, arch: str, file: str) -> list[Decoded]:
    """Disassembles with llvm-objdump, which also reads the line tables."""
    tool = find_tool("llvm-objdump", arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        source = Path(folder) / "code.co"
        source.write_bytes(image)
        stop = address + len(code)
        output = run_tool(
            [tool, "-d", "-l", f"--start-address={address:#x}", f"--stop-address={stop:#x}", str(source)],
            SourceSpan(file),
        )
    found: list[Decoded] = []
    place: SourceSpan | None = None
    for line in output.decode(errors="replace").splitlines():
        if line.startswith("; "):
            match = _SOURCE.match(line)
            if match is not None:
                place = SourceSpan(posixpath.normpath(match["file"]), int(match["line"]))
            continue
        match = _LINE.match(line)
        if match is None:
            continue
        at, words, text = int(match["address"], 16), match["words"].split(), match["text"].strip()
        _refuse_data(text, at, arch, file)
        found.append(Decoded(at, 4 * len(words), int(words[0], 16), text, place))
    return found


def with_wheel(image: bytes, code: bytes, address: int, arch: str, file: str) -> list[Decoded]:
    """Disassembles with LLVM's C interface in rocm-llvm-python; there are no source lines then."""
    library = importlib.import_module(f"{_WHEEL}.disassembler")
    _initialise()
    context = library.LLVMCreateDisasmCPU(b"amdgcn-amd-amdhsa", arch.encode(), None, 0, None, None)
    data = ctypes.create_string_buffer(code, len(code))
    text = ctypes.create_string_buffer(1024)
    found = []
    at = 0
    try:
        while at < len(code):
            rest = ctypes.addressof(data) + at
            size = library.LLVMDisasmInstruction(
                context, rest, min(len(code) - at, _LONGEST_BYTES), address + at, text, len(text)
            )
            line = text.value.decode(errors="replace").strip() if size else "<unknown>"
            _refuse_data(line, address + at, arch, file)
            word = int.from_bytes(code[at : at + 4], "little")
            found.append(Decoded(address + at, size, word, line.partition("//")[0].strip()))
            at += size
    finally:
        library.LLVMDisasmDispose(context)
    return found


def _initialise() -> None:
    target = importlib.import_module(f"{_WHEEL}.target")
    target.LLVMInitializeAllTargetInfos()
    target.LLVMInitializeAllTargetMCs()
    target.LLVMInitializeAllDisassemblers()


def _refuse_data(text: str, address: int, arch: str, file: str) -> None:
    if not text or text.startswith(("<unknown>", ".long", ".byte", ".word")):
        raise UserError(f"bytes at {address:#x} are no instruction of {arch}", SourceSpan(file))
