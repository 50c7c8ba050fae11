"""Forms that LLVM's assembler takes: each is read, has LLVM's size, and prints to LLVM's bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from operand_classes import lines_of_every_class

from wavesim.asm.layout import size_of
from wavesim.asm.llvm_lines import decode, encode_lines
from wavesim.asm.printer import print_instruction
from wavesim.asm.text.instructions import parse_instruction
from wavesim.asm.tools import MissingTool, find_tool
from wavesim.errors import UserError
from wavesim.isa.archs import ARCHS
from wavesim.isa.opcodes import lookup

SHEET = Path(__file__).with_name("assembler_forms.txt")


def forms(arch: str) -> Iterator[str]:
    chosen = False
    for line in SHEET.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            chosen = arch in line[1:].partition("]")[0].split()
        elif chosen and not line.startswith("#"):
            yield line


def differences(lines: list[str], codes: list[bytes | None], arch: str) -> list[str]:
    """Lines that are refused, or do not come out as LLVM's bytes."""
    wrong, printed = [], []
    for line, code in zip(lines, codes, strict=True):
        assert code is not None, f"LLVM refuses {line}"
        try:
            instruction = parse_instruction(line, arch)
        except UserError as error:
            wrong.append(f"{line}: {error.message}")
            continue
        size = size_of(instruction, lookup(instruction.opcode, arch))
        if size != len(code):
            wrong.append(f"{line}: {size} bytes, not {len(code)}")
        printed.append((line, code, print_instruction(instruction)))
    again = encode_lines([text for _, _, text in printed], arch)
    return wrong + [
        f"{line} prints {text}" for (line, code, text), new in zip(printed, again, strict=True) if new != code
    ]


@pytest.fixture(params=ARCHS)
def arch(request: pytest.FixtureRequest) -> str:
    try:
        find_tool("llvm-mc", request.param)
    except MissingTool as error:
        pytest.skip(str(error))
    return str(request.param)


def test_every_form_has_llvms_bytes_as_written_and_as_disassembled(arch: str) -> None:
    lines = list(forms(arch))
    codes = encode_lines(lines, arch)
    assert differences(lines, codes, arch) == []
    shown = [
        (text, code)
        for text, code in zip(decode([code for code in codes if code], arch), codes, strict=True)
        if text is not None
    ]
    assert len(shown) >= 0.9 * len(lines)
    assert differences([text for text, _ in shown], [code for _, code in shown], arch) == []


NOT_READ = re.compile(
    r"\boff\b"  # for LLVM a symbol wherever it is no address
    r"|^v_mfma.*\b(scc|src_\w+)"  # special registers as SrcC: nobody says what they give
)


def test_every_operand_class_of_every_opcode(arch: str) -> None:
    """What LLVM takes at each operand, wavesim takes too, with the same size and bytes."""
    lines = lines_of_every_class(arch)
    taken = [(line, code) for line, code in zip(lines, encode_lines(lines, arch), strict=True) if code]
    assert len(taken) > 10_000
    wrong = differences([line for line, _ in taken], [code for _, code in taken], arch)
    assert [line for line in wrong if not NOT_READ.search(line)] == []


def test_names_of_registers_are_lower_case(arch: str) -> None:
    """LLVM takes VCC_LO for a symbol, a literal that the linker fills in."""
    line = "s_mov_b32 s0, VCC_LO"
    assert differences([line], encode_lines([line], arch), arch) == []
