"""Sizes and round trips against LLVM, for every opcode and form it disassembles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from llvm_encodings import disassemble_everything

from wavesim.asm.layout import size_of
from wavesim.asm.llvm_lines import encode_lines
from wavesim.asm.printer import print_instruction
from wavesim.asm.text.instructions import parse_instruction
from wavesim.asm.tools import MissingTool, find_tool
from wavesim.isa.archs import ARCHS
from wavesim.isa.opcodes import aliases, lookup, opcode_table
from wavesim.trace.decode import code_entry


def needs_llvm(arch: str) -> None:
    try:
        find_tool("llvm-mc", arch)
    except MissingTool as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=ARCHS)
def disassembly(request: pytest.FixtureRequest) -> tuple[str, list[str], list[bytes | None]]:
    arch = request.param
    needs_llvm(arch)
    texts = disassemble_everything(arch)
    return arch, texts, encode_lines(texts, arch)


def base(text: str) -> str:
    return re.sub(r"_(e32|e64|dpp|sdwa)$", "", text.split()[0])


def test_the_table_has_every_opcode_of_each_architecture_and_no_other(
    disassembly: tuple[str, list[str], list[bytes | None]],
) -> None:
    arch, texts, _ = disassembly
    known = {name for name, info in opcode_table().items() if arch in info.archs}
    # the scaled MFMA have a 16-byte encoding of two halves, which the enumeration does not reach
    assert known - {base(text) for text in texts} == {
        name for name in known if name.startswith("v_mfma_scale_")
    }
    assert {base(text) for text in texts} <= known


def test_every_form_parses_with_llvms_size_and_prints_to_llvms_bytes(
    disassembly: tuple[str, list[str], list[bytes | None]],
) -> None:
    arch, texts, encodings = disassembly
    usable = [(text, code) for text, code in zip(texts, encodings, strict=True) if code is not None]
    assert len(usable) > 0.9 * len(texts)
    wrong = []
    printed = []
    for text, code in usable:
        instruction = parse_instruction(text, arch)
        size = size_of(instruction, lookup(instruction.opcode, arch))
        if size != len(code):
            wrong.append((text, len(code), size))
        code_entry(instruction, arch, 0, size)
        printed.append(print_instruction(instruction))
    assert wrong == []
    again = encode_lines(printed, arch)
    assert [
        (text, shown) for (text, code), shown, new in zip(usable, printed, again, strict=True) if new != code
    ] == []


HERE = Path(__file__).parent
CONSTANTS = """
0 64 65 -16 -17 1.0 0.5 -0.5 4.0 -4.0 3.0 0.15915494 0x3f800000 0x3c00 0xbc00 0xffffffff 0xfffffff0
0xffffffef 0x3e22f983 0x3118 0x123 0xffff 0xfff0 -1.0 0.0 1e10 0x7fff 0x8000 4294967295 0xc400
0x3f80 0xbf80
"""


def test_constants_are_inline_or_literal_as_llvm_has_them() -> None:
    needs_llvm("gfx950")
    places = (HERE / "constant_places.txt").read_text().splitlines()
    lines = [place.format(constant) for place in places for constant in CONSTANTS.split()]
    checked = 0
    for line, code in zip(lines, encode_lines(lines, "gfx950"), strict=True):
        if code is None:
            continue
        instruction = parse_instruction(line, "gfx950")
        assert (line, size_of(instruction, lookup(instruction.opcode, "gfx950"))) == (line, len(code))
        checked += 1
    assert checked > len(lines) * 3 // 4


@pytest.mark.parametrize("line", (HERE / "hand_written_forms.txt").read_text().splitlines())
def test_hand_written_forms(line: str) -> None:
    needs_llvm("gfx942")
    (code,) = encode_lines([line], "gfx942")
    assert code is not None, line
    instruction = parse_instruction(line, "gfx942")
    assert size_of(instruction, lookup(instruction.opcode, "gfx942")) == len(code)
    assert encode_lines([print_instruction(instruction)], "gfx942") == [code]


@pytest.mark.parametrize(
    "line",
    [
        "v_mfma_scale_f32_16x16x128_f8f6f4 v[0:3], v[4:7], v[8:11], v[0:3], v12, v13 "
        "op_sel_hi:[0,0,0] cbsz:4 blgp:4",
        "v_mfma_scale_f32_32x32x64_f8f6f4 v[0:15], v[16:23], v[24:29], v[0:15], v30, v31 blgp:2",
    ],
)
def test_scaled_mfma_is_sixteen_bytes(line: str) -> None:
    needs_llvm("gfx950")
    instruction = parse_instruction(line, "gfx950")
    assert size_of(instruction, lookup(instruction.opcode, "gfx950")) == 16
    codes = encode_lines([line, print_instruction(instruction)], "gfx950")
    assert codes[0] == codes[1]
    assert codes[0] is not None
    assert len(codes[0]) == 16


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_aliases_mean_what_the_assembler_means(arch: str) -> None:
    needs_llvm(arch)

    def text(name: str, opcode: str) -> str:
        registers = 32
        operands = []
        for spec in lookup(opcode, arch).operands:
            file = "v" if "v" in spec.kinds else "a"
            last = f":{registers + spec.dwords - 1}" if spec.dwords > 1 else ""
            operands.append(f"{file}[{registers}{last}]")
            registers += 32
        return f"{name} {', '.join(operands)}"

    names = aliases(arch)
    assert names
    lines = [text(name, opcode) for pair in names.items() for name, opcode in (pair, (pair[1], pair[1]))]
    codes = encode_lines(lines, arch)
    assert None not in codes
    assert codes[::2] == codes[1::2]
    for alias, opcode in names.items():
        assert parse_instruction(text(alias, opcode), arch).opcode == opcode
