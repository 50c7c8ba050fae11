"""What llvm-mc makes of single lines of assembly, and of single encodings: many at once, for comparison."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence

from wavesim.asm.tools import find_tool

_TRIPLE = "-triple=amdgcn-amd-amdhsa"
_SENTINEL = bytes.fromhex("77078dbf")  # s_sethalt 0x777, between two encodings
_SENTINEL_TEXT = "s_sethalt 0x777"
_BATCH = 4096
_LABEL = "wavesim_line_"
_ENCODING = re.compile(r"encoding: \[([^\]]*)\]")
_ERROR = re.compile(r"<stdin>:(\d+):\d+: error")


def _run(arguments: list[str], lines: Sequence[str]) -> tuple[str, str]:
    quiet = {**os.environ, "LLVM_DISABLE_SYMBOLIZATION": "1"}  # a crash's stack takes a minute to print
    text = "\n".join(lines)
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False, env=quiet)
    return done.stdout, done.stderr


def encode_lines(lines: Sequence[str], arch: str) -> list[bytes | None]:
    """LLVM's bytes of each line; None where it refuses the line, or it is not one instruction.

    Bytes that a relocation fills in are 0.

    Raises:
        MissingTool: no llvm-mc.
    """
    command = [find_tool("llvm-mc", arch), _TRIPLE, f"-mcpu={arch}", "--show-encoding"]
    marked = [text for place, line in enumerate(lines) for text in (f"{_LABEL}{place}:", line)]
    output, errors = _run(command, marked)
    bad = {int(match.group(1)) // 2 - 1 for match in _ERROR.finditer(errors)}
    found: list[bytes | None] = [None] * len(lines)
    for piece in output.split(f"\n{_LABEL}")[1:]:
        number, _, rest = piece.partition(":")
        encodings = _ENCODING.findall(rest)
        if int(number) not in bad and len(encodings) == 1:
            found[int(number)] = bytes(
                int(byte, 16) if byte[0] == "0" else 0 for byte in encodings[0].split(",")
            )
    return found


def decode(codes: Sequence[bytes], arch: str) -> list[str | None]:
    """The text that LLVM's disassembler prints for each encoding; None for what is not one instruction.

    Raises:
        MissingTool: no llvm-mc.
    """
    command = [find_tool("llvm-mc", arch), "--disassemble", _TRIPLE, f"-mcpu={arch}"]
    found: list[str | None] = []
    for start in range(0, len(codes), _BATCH):
        found += _decode(codes[start : start + _BATCH], command)
    return found


def _decode(codes: Sequence[bytes], command: list[str]) -> list[str | None]:
    """As :func:`decode`. LLVM 22's disassembler crashes on some encodings: those are searched by halves."""
    lines = [_hex(code) for each in codes for code in (each, _SENTINEL)]
    output, _ = _run(command, lines)
    found: list[str | None] = []
    group: list[str] = []
    for line in output.splitlines():
        text = line.strip()
        if text == _SENTINEL_TEXT:
            clear = len(group) == 1 and "/*" not in group[0]
            found.append(group[0].partition(";")[0].strip() if clear else None)
            group = []
        elif text and not text.startswith("."):
            group.append(text)
    if len(found) == len(codes):
        return found
    if len(codes) == 1:
        return [None]
    middle = len(codes) // 2
    return _decode(codes[:middle], command) + _decode(codes[middle:], command)


def _hex(code: bytes) -> str:
    return "[" + " ".join(f"0x{byte:02x}" for byte in code) + "]"
