"""Macros, repetitions and conditions: the same bytes as LLVM's assembler makes of them."""

from __future__ import annotations

import pytest

from wavesim.asm.printer import print_instruction, print_program
from wavesim.asm.text.parse import parse_program
from wavesim.asm.tools import MissingTool, assemble_object, elf_sections, find_tool
from wavesim.errors import LimitExceeded, UserError

TEXT = """\
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.text
.set vgprX, 4
.set UNROLL, 2
.macro DIVIDE to, dividend, number, shift
    v_mul_hi_u32 v[\\to+1], \\dividend, \\number
    v_lshrrev_b32 v[\\to+0], \\shift, v[\\to+1]
.endm
.macro STEP buf=0 base:req
.if \\buf == 0
  v_mfma_f32_16x16x16_f16 v[\\base:\\base+3], v[40:41], v[42:43], v[\\base:\\base+3]
.else
  v_mfma_f32_16x16x16_bf16 v[\\base+0:\\base+3], v[40:41], v[42:43], 0
.endif
.endm
.macro WAIT n
  s_waitcnt lgkmcnt(\\n)
  label_\\@\\()_x:
.endm
kern:
  DIVIDE vgprX, v20, s4, s5
.rept UNROLL
  STEP 0, 8
  STEP buf=1 base=16
.endr
.irp r, 1, 2, 3
  v_mov_b32 v\\r, \\r*2
.endr
  WAIT 0
  WAIT 3
.ifdef NOT_THERE
  garbage here
.elseif UNROLL == 2
  s_nop 1
.else
  more garbage
.endif
.ifndef NOT_THERE
  s_nop 2
.endif
  s_endpgm
"""


def test_expansion_has_llvms_bytes() -> None:
    try:
        find_tool("llvm-mc", "gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    expected = elf_sections(assemble_object(TEXT, "gfx942"))[".text"]
    got = elf_sections(assemble_object(print_program(parse_program(TEXT, "k.s")), "gfx942"))[".text"]
    assert got[: len(expected)] == expected


def test_lines_and_texts() -> None:
    program = parse_program(TEXT, "k.s")
    texts = [print_instruction(each) for each in program]
    assert texts[:2] == ["v_mul_hi_u32 v5, v20, s4", "v_lshrrev_b32 v4, s5, v5"]
    assert texts[6:9] == ["v_mov_b32 v1, 2", "v_mov_b32 v2, 4", "v_mov_b32 v3, 6"]
    assert texts[-3:] == ["s_nop 1", "s_nop 2", "s_endpgm"]
    lines = [each.span.line for each in program if each.span is not None]
    assert lines[:2] == [21, 21]  # a macro's lines are the line that calls it
    assert lines[2:6] == [23, 24, 23, 24]  # a repetition's are their own
    assert [name for name in program.labels if name.endswith("_x")] == ["label_5_x", "label_6_x"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".macro A\n s_nop 0\n", ".macro has no end"),
        (".if 1\n s_nop 0\n", ".if has no .endif"),
        (".else\n.if 0\n.endif", ".else without .if"),
        (".macro A x\n s_nop \\x\n.endm\n A 1, 2\n", "takes 1 arguments, not 2"),
        (".if unknown_symbol\n.endif\n", "unknown_symbol"),
        (".rept x\n s_nop 0\n.endr\n", "'x'"),
    ],
)
def test_unreadable_macros(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", "\\(")) as caught:
        parse_program(text + "\n s_endpgm", "k.s", "gfx942")
    assert caught.value.span is not None


@pytest.mark.parametrize("text", [".macro A\n A\n A\n.endm\n A\n", ".rept 100000000\n s_nop 0\n.endr\n"])
def test_expansions_without_end(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wavesim.asm.text.macros.MAX_LINES", 10_000)
    with pytest.raises(LimitExceeded):
        parse_program(text, "k.s", "gfx942")


SYMBOLS = """\
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.set two, 2
four = 4
.set row_shl, 1
k:
s_not_b32 s0, -two
v_and_b32 v0, -(four+1), v0
s_sub_u32 s0, s0, -2+four
v_mov_b32 v[two] v[four*2]
v_mov_b32 v0, v1 row_shl:row_shl row_mask:four+1 bank_mask:two
buffer_load_dword v1, off, s[four:two*2+3], s1 offset:two*4+1
global_load_dword v[two*2+1], v[four:four+1], off offset:-four
ds_read2_b32 v[2:3], v[two] offset0:two offset1:four
s_waitcnt vmcnt(two) & lgkmcnt(four-1)
s_load_dword s1, s[two:two+1], four*4
v_add_f32 v0, |v[two]|, -v[four]
v_add_f32 v0, neg(two), v1
v_mfma_f32_4x4x1f32 a[0:two+1], v[two], v[four], acc[0:3] cbsz:two abid:four-3
s_nop 2u+two
s_endpgm
"""


def test_symbols_stand_wherever_numbers_do() -> None:
    try:
        find_tool("llvm-mc", "gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    expected = elf_sections(assemble_object(SYMBOLS, "gfx942"))[".text"]
    got = elf_sections(assemble_object(print_program(parse_program(SYMBOLS, "k.s")), "gfx942"))[".text"]
    assert got.startswith(expected)
