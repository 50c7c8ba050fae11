"""Parsing assembly text: forms that compilers print, and errors with their place."""

from __future__ import annotations

import pytest

from wavesim.asm.printer import print_instruction, print_program
from wavesim.asm.text.instructions import parse_instruction
from wavesim.asm.text.parse import parse_program
from wavesim.errors import SourceSpan, UnknownInstruction, UserError
from wavesim.program import Immediate, Modified, Register, Special, Symbol, Waitcnt

HEAD = '\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\n'


def test_registers_constants_and_modifiers() -> None:
    found = parse_instruction("v_fma_f32 v1, -|v2|, s[4], 0.5 clamp", "gfx942")
    assert found.operands == (
        Register("v", 1),
        Modified(Register("v", 2), negate=True, absolute=True),
        Register("s", 4),
        Immediate(0.5, "0.5"),
    )
    assert found.modifiers == (("clamp", True),)
    found = parse_instruction("buffer_load_dwordx4 v[0:3], v4, s[8:11], 0 offen offset:4080 sc0 nt", "gfx942")
    assert found.modifier("offset") == 4080
    assert found.modifier("nt") is True
    found = parse_instruction("v_pk_fma_f32 v[0:1], v[2:3], v[4:5], v[6:7] op_sel_hi:[1,0,1]", "gfx942")
    assert found.modifier("op_sel_hi") == (1, 0, 1)


def test_encoding_suffix_is_kept_apart() -> None:
    found = parse_instruction("v_add_u32_e32 v0, 1, v1", "gfx942")
    assert (found.opcode, found.encoding) == ("v_add_u32", "e32")
    found = parse_instruction("v_mov_b32_dpp v0, v1 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf", "gfx942")
    assert (found.opcode, found.encoding) == ("v_mov_b32", "dpp")
    assert found.modifier("quad_perm") == (1, 0, 3, 2)
    found = parse_instruction(
        "v_add_u32_sdwa v2, v2, sext(v3) dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:DWORD src1_sel:WORD_0",
        "gfx942",
    )
    assert found.operands[2] == Modified(Register("v", 3), sext=True)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("vmcnt(3)", (3, None, None)),
        ("lgkmcnt(0)", (None, None, 0)),
        ("vmcnt(0) expcnt(0) lgkmcnt(0)", (0, 0, 0)),
        ("vmcnt(63) lgkmcnt(15)", (None, None, None)),
        ("vmcnt(0) & lgkmcnt(1)", (0, None, 1)),
        ("0", (0, 0, 0)),
        ("0xc07f", (None, None, 0)),
        ("0xcf7f", (None, None, None)),
        ("3952", (0, None, None)),
        ("0x4f71", (17, None, None)),
        ("65535", (None, None, None)),
    ],
)
def test_wait_counts(text: str, counts: tuple[int | None, ...]) -> None:
    wait = parse_instruction(f"s_waitcnt {text}", "gfx942").operands[0]
    assert isinstance(wait, Waitcnt)
    assert (wait.vmcnt, wait.expcnt, wait.lgkmcnt) == counts


def test_a_listing_with_encoding_comments() -> None:
    found = parse_instruction("\ts_add_u32 s0, s1, s2   // 000000001904: 80000201", "gfx942")
    assert found.opcode == "s_add_u32"
    assert found.comment == "000000001904: 80000201"


def test_snippet_without_kernel_is_a_program() -> None:
    program = parse_program(
        "s_nop 0\nloop: s_sub_u32 s0, s0, 1\ns_cbranch_scc0 loop\ns_endpgm\n", "a.s", "gfx942"
    )
    assert program.name == "a"
    assert dict(program.labels) == {"loop": 1}
    assert program.addresses == (0, 4, 8, 12)
    assert program.instructions[2].operands == (Symbol("loop"),)


def test_numeric_labels_of_inline_assembly() -> None:
    text = HEAD + ";APP\n1: s_nop 0\ns_branch 1f\n1:\ns_cbranch_scc1 1b\n;NO_APP\ns_endpgm\n"
    program = parse_program(text, "a.s")
    targets = [program.labels[str(program.instructions[at].operands[0])] for at in (1, 2)]
    assert targets == [2, 2]


def test_symbols_set_to_numbers_are_numbers() -> None:
    text = HEAD + ".set base, 4\ncount = base * 4 + 1\ns_mov_b32 s0, count\ns_endpgm\n"
    assert parse_program(text, "a.s").instructions[0].operands[1] == Immediate(17, "17")


def test_alignment_inside_code_is_the_nops_llvm_writes() -> None:
    program = parse_program("s_nop 3\n.p2align 4\nhead:\ns_endpgm\n", "a.s", "gfx942")
    assert [item.opcode for item in program] == ["s_nop"] * 4 + ["s_endpgm"]
    assert program.labels["head"] == 4


def test_locations_follow_loc_and_file() -> None:
    text = HEAD + '.file 1 "/tmp" "k.hip" md5 0x1\n.loc 1 12 3\ns_nop 0\n.loc 1 0 0\ns_endpgm\n'
    first, last = parse_program(text, "a.s")
    assert first.source == SourceSpan("/tmp/k.hip", 12, 3)
    assert first.span == SourceSpan("a.s", 4)
    assert last.source is None


def test_expressions_of_directives() -> None:
    text = (
        HEAD
        + """
k:
\ts_endpgm
\t.set k.num_vgpr, 21
\t.set k.num_agpr, 8
\t.amdhsa_kernel k
\t\t.amdhsa_next_free_vgpr max(totalnumvgprs(k.num_agpr, k.num_vgpr), 1)
\t\t.amdhsa_next_free_sgpr (8+extrasgprs(1, 0, 1))
\t\t.amdhsa_accum_offset ((((((alignto(max(1, k.num_vgpr), 4))/4)-1)&(~65536))&63)+1)*4
\t.end_amdhsa_kernel
"""
    )
    metadata = parse_program(text, "a.s").metadata
    assert (metadata.vgprs, metadata.sgprs, metadata.accum_offset) == (32, 12, 24)


TWO = HEAD + "".join(
    f"{name}:\n s_nop {value}\n s_endpgm\n.size {name}, 8\n.amdhsa_kernel {name}\n .amdhsa_next_free_vgpr 1\n"
    f" .amdhsa_next_free_sgpr 1\n .amdhsa_accum_offset 4\n.end_amdhsa_kernel\n"
    for name, value in (("first", 1), ("second", 2))
)


def test_one_of_several_kernels() -> None:
    program = parse_program(TWO, "two.s", kernel="second")
    assert program.instructions[0].operands == (Immediate(2, "2"),)
    assert len(program) == 2
    with pytest.raises(UserError, match=r"choose one with --kernel: first, second"):
        parse_program(TWO, "two.s")
    with pytest.raises(UserError, match=r"no kernel 'third'"):
        parse_program(TWO, "two.s", kernel="third")


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("\tv_add_u33 v0, v1, v2", 2, "unknown instruction 'v_add_u33'"),
        ("\tv_mov_b64_e32 v[0:1], q7+", 24, "'q7+' is not an operand"),
        ("\tv_add_f32 v0, v1", 16, "v_add_f32 takes 3 operands here, not 2"),
        ("\tds_read_b64 v1, v2", 14, "operand 'v1' of ds_read_b64 must be a VGPR or an AGPR (2 registers)"),
        ("\ts_add_u32 s0, v1, s2", 16, "operand 'v1' of s_add_u32 must be an SGPR or a constant"),
        ("\ts_add_u32 s0, , s2", 14, "an operand is missing between commas"),
        ("\tds_read_b32 v1, v2 ofset:4", 21, "'ofset:4' is not an operand"),
        ("\tds_read_b32 v1, v2 offset:", 21, "modifier 'offset' needs a value"),
        ("\tglobal_load_dword v1, v[2:3], off glc foo", 40, "unknown modifier 'foo'"),
        ("\ts_waitcnt vmcnt(64)", 12, "vmcnt(64) is too large; it counts to 63"),
        ("\ts_waitcnt vscnt(0)", 12, "'vscnt(0)' is not a wait count"),
        ("\ts_waitcnt 0x12345", 12, "0x12345 does not fit the 16 bits of s_waitcnt"),
        ("\tv_mov_b32 v0, v[3:2]", 16, "register range 'v[3:2]' ends before it begins"),
        ("\t.long 12", 0, ".long between instructions"),
        ("\t.irpc x, 12", 0, "directive .irpc is not supported"),
        ("\ts_branch nowhere", 0, "label 'nowhere' is not in this kernel"),
    ],
)
def test_errors_name_file_line_and_column(line: str, column: int, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_program(f"{HEAD}s_nop 0\n{line}\ns_endpgm\n", "bad.s")
    assert message in str(caught.value)
    assert caught.value.span == SourceSpan("bad.s", 3, column)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s_nop 0\n", "a.s:1: the file does not name its architecture"),
        ('.amdgcn_target "amdgcn-amd-amdhsa--gfx1100"\n', "a.s:1: architecture gfx1100 is not supported"),
        (
            '.amdgcn_target "amdgcn-amd-amdhsa--gfx12-5-generic"\n',
            "a.s:1: architecture gfx12-5-generic is not supported",
        ),
        (HEAD, "a.s: there are no instructions"),
        (HEAD + "x:\ns_nop 0\nx:\ns_endpgm\n", "a.s:4: label x stands twice"),
        (
            HEAD + ".amdhsa_kernel k\n.amdhsa_next_free_vgpr 1\n",
            "a.s:2: .amdhsa_kernel k has no .end_amdhsa_kernel",
        ),
        (HEAD + ".amdhsa_kernel k\ns_nop 0\n", "a.s:3: s_nop inside .amdhsa_kernel"),
        (
            HEAD + ".amdhsa_kernel k\n.amdhsa_next_free_vgpr oops\n",
            "a.s:3: .amdhsa_next_free_vgpr: symbol 'oops'",
        ),
        (HEAD + ".amdhsa_kernel k\n.end_amdhsa_kernel\n", "a.s:2: kernel 'k' has no code"),
        (
            HEAD + "s_endpgm\n.amdgpu_metadata\na: [\n.end_amdgpu_metadata\n",
            "a.s:5: .amdgpu_metadata is no YAML",
        ),
        (HEAD + "s_endpgm\n.amdgpu_metadata\n---\n", "a.s:3: .amdgpu_metadata has no .end_amdgpu_metadata"),
        (HEAD + ".section .rodata\ns_nop 0\n", "a.s:3: an instruction outside of .text"),
    ],
)
def test_faults_of_a_file(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_program(text, "a.s")
    assert str(caught.value).startswith(message)


def test_an_opcode_of_another_architecture() -> None:
    with pytest.raises(UnknownInstruction, match=r"does not exist on gfx942\n  it exists on gfx950"):
        parse_instruction("v_mfma_f32_16x16x32_bf16 v[0:3], v[4:7], v[8:11], v[0:3]", "gfx942")


def test_the_architecture_must_agree() -> None:
    with pytest.raises(UserError, match=r"the file is for gfx942, not for gfx950"):
        parse_program(HEAD + "s_endpgm\n", "a.s", "gfx950")


def test_special_registers_print_as_written() -> None:
    text = "s_endpgm\n"
    assert "s_endpgm" in print_program(parse_program(text, "a.s", "gfx942"))
    assert parse_instruction("s_mov_b64 exec, vcc", "gfx942").operands == (Special("exec"), Special("vcc"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v_mov_b32 v256, 0", "v256 does not exist; the last is v255"),
        ("s_load_dwordx4 s[100:103], s[0:1], 0", "s[100:103] does not exist; the last is s101"),
        ("v_mov_b32 v0, v99999999999999999999", "v99999999999999999999 does not exist"),
        ("s_mov_b64 [s0,s2], 0", "the registers of [s0,s2] do not follow each other"),
        ("v_mov_b32 v0, " + "neg(" * 700 + "v0" + ")" * 700, "an input modifier needs"),
        ("s_mov_b32 s0, " + "9" * 4000, "is not an operand"),
        ("s_mov_b32 s0, 09", "'09' is not an operand"),
        ("s_mov_b32 s0, " + "," * 5000, "more than 4096 characters"),
    ],
)
def test_hostile_operands_are_refused_by_message(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_instruction(text, "gfx942")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value", ["(" * 5000, "-" * 5000, "1" + "<<63" * 500, "max(1)", "1/0", "alignto(1, 0)"]
)
def test_hostile_expressions(value: str) -> None:
    parse_program(f"{HEAD}.set x, {value}\ns_endpgm\n", "a.s")
    with pytest.raises(UserError):
        parse_program(f"{HEAD}k: s_endpgm\n.amdhsa_kernel k\n.amdhsa_kernarg_size {value} y\n", "a.s")


def test_register_lists() -> None:
    assert parse_instruction("s_mov_b64 [s4, s5], 0", "gfx942").operands[0] == Register("s", 4, 2)


GENERATED = """
 .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
 .set vgprA, 16
 .set sgprLoop, 20
 .set tile, 8192
 s_mov_b32 s[sgprLoop+1], tile*2+16
 buffer_load_dwordx4 v[vgprA+0:vgprA+0+3], v4, s[8:11], s[sgprLoop] offen offset:tile/8
 v_mfma_f32_32x32x8_f16 acc[0:15], v[vgprA:vgprA+1], v[18:19], acc[0:15]
 v_accvgpr_read_b32 v1, acc3
 v_add_f32_dpp v1, v2, v3 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf
 s_waitcnt vmcnt(0) & lgkmcnt(0)
 s_endpgm
"""


def test_expressions_of_assembly_generators() -> None:
    """Symbols and arithmetic in registers, constants and offsets, and ``acc`` for AGPRs, as llvm-mc reads."""
    program = parse_program(GENERATED, "generated.s")
    texts = [print_instruction(instruction) for instruction in program]
    assert texts[:4] == [
        "s_mov_b32 s21, 16400",
        "buffer_load_dwordx4 v[16:19], v4, s[8:11], s20 offen offset:1024",
        "v_mfma_f32_32x32x8_f16 a[0:15], v[16:17], v[18:19], a[0:15]",
        "v_accvgpr_read_b32 v1, a3",
    ]
    assert "quad_perm:[1,0,3,2]" in texts[4]
    with pytest.raises(UserError, match=r"generated.s:6:.*nowhere"):
        parse_program(GENERATED.replace("sgprLoop+1", "nowhere+1"), "generated.s")


@pytest.mark.parametrize(
    "triple",
    ["amdgcn-amd-amdhsa--gfx950", "amdgcn-amd-amdhsa-unknown-gfx950", "amdgpu9.50-amd-amdhsa-unknown-gfx950"],
)
def test_targets_as_llvm_names_them(triple: str) -> None:
    assert parse_program(f'\t.amdgcn_target "{triple}"\nk:\n\ts_endpgm\n', "a.s").arch == "gfx950"
