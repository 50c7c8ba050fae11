"""Assembly that only LLVM reads: clang assembles it and the note says so; without clang, the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm import tools
from wavesim.asm.printer import print_instruction
from wavesim.asm.tools import MissingTool, find_tool
from wavesim.errors import UnknownInstruction, UserError
from wavesim.front.assembled import load_assembly, read_assembly
from wavesim.front.launch.file import LaunchOptions
from wavesim.program import Finding, Program, Severity

KERNEL = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
	.globl k
	.type k,@function
k:
{code}
	s_endpgm
.Lend:
	.size k, .Lend-k
	.rodata
	.p2align 6
	.amdhsa_kernel k
	.amdhsa_next_free_vgpr 8
	.amdhsa_next_free_sgpr 16
	.amdhsa_accum_offset 8
	.amdhsa_group_segment_fixed_size 256
	.end_amdhsa_kernel
"""


@pytest.fixture
def clang() -> None:
    try:
        find_tool("clang", "gfx942")
        find_tool("ld.lld", "gfx942")
        find_tool("llvm-objdump", "gfx942")
    except MissingTool as error:
        pytest.skip(str(error))


def read(tmp_path: Path, code: str) -> tuple[Program, tuple[Finding, ...]]:
    path = tmp_path / "k.s"
    path.write_text(KERNEL.format(code=code))
    return read_assembly(path.read_text(), path, "k.s", None, None)


def shown(program: Program) -> list[str]:
    return [print_instruction(each) for each in program]


@pytest.mark.usefixtures("clang")
@pytest.mark.parametrize(
    ("code", "reason", "instructions"),
    [
        ("s_nop 1\n.long 0x7e020280", "line 6: .long", ["s_nop 1", "v_mov_b32_e32 v1, 0"]),
        (".long 0x7e020280", "line 5: .long", ["v_mov_b32_e32 v1, 0"]),
        (".irpc d,12\ns_nop \\d\n.endr", "line 5: directive .irpc", ["s_nop 1", "s_nop 2"]),
        (".include \"part.inc\"\nten v3", "line 5: directive .include", ["v_mov_b32_e32 v3, 10"]),
        ("#define N 3\ns_nop N", "line 5: #define", ["s_nop 3"]),
        (
            ".Lfar:\ns_add_u32 s0, s0, (.Lend-.Lfar)&0xffff",
            "line 6: operand (.Lend-.Lfar)&0xffff",
            ["s_add_u32 s0, s0, lit(0xc)"],
        ),
    ],
)  # fmt: skip
def test_clang_assembles_what_is_not_read(
    tmp_path: Path, code: str, reason: str, instructions: list[str]
) -> None:
    (tmp_path / "part.inc").write_text(".macro ten r\nv_mov_b32 \\r, 10\n.endm\n")
    program, (note,) = read(tmp_path, code)
    assert shown(program) == [*instructions, "s_endpgm"]
    assert program.metadata.lds_bytes == 256
    assert note.severity is Severity.NOTE
    assert note.message.startswith(f"assembled by clang and read as an object, because {reason}")


@pytest.mark.usefixtures("clang")
def test_lines_and_labels_are_those_of_the_file(tmp_path: Path) -> None:
    program, _ = read(tmp_path, "s_nop 1\n.long 0xbf800001\n.Lloop:\ns_nop 2\ns_cbranch_scc0 .Lloop")
    assert [each.span.line if each.span else None for each in program] == [5, 5, 8, 9, 10]
    assert program.labels[".Lloop"] == 2


@pytest.mark.usefixtures("clang")
def test_code_without_a_kernel_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "words.s"
    path.write_text("s_nop 1\n.long 0xbf810000\n")
    kernel = load_assembly(path, "gfx950", {}, LaunchOptions(block=64))
    assert (kernel.name, shown(kernel.program)) == ("words", ["s_nop 1", "s_endpgm"])
    assert [finding.rule for finding in kernel.findings] == ["assembled"]


def test_data_behind_the_end_is_not_code(tmp_path: Path) -> None:
    text = "s_nop 1\ns_endpgm\n.long 5\n"
    program, notes = read_assembly(text, tmp_path / "k.s", "k.s", "gfx942", None)
    assert (shown(program), notes) == (["s_nop 1", "s_endpgm"], ())


@pytest.mark.usefixtures("clang")
def test_what_neither_reads_is_an_error_of_the_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"k\.s:5:15: 'ofset:4' is not an operand") as caught:
        read(tmp_path, "s_mov_b32 s1, ofset:4")
    assert "clang" not in str(caught.value)
    with pytest.raises(
        UserError, match=r"k\.s:5: directive \.irpc.*\n  clang takes that, and refuses line 8"
    ):
        read(tmp_path, ".irpc d,12\ns_nop \\d\n.endr\ns_nonsense 1")


def test_without_clang_the_message_is_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, arch: str = "gfx942") -> str:
        raise MissingTool(f"{name} is needed and was not found")

    monkeypatch.setattr(tools, "find_tool", missing)
    monkeypatch.setattr(tools, "_zig", lambda tool: None)
    command = r"clang -x assembler -target amdgcn-amd-amdhsa -mcpu=gfx942 -c k\.s -o k\.o \(clang is needed"
    with pytest.raises(UserError, match=rf"(?s)k\.s:5: \.long between instructions.*{command}"):
        read(tmp_path, ".long 0x7e020280")
    with pytest.raises(UnknownInstruction, match=rf"(?s)unknown instruction 'ten'.*{command}"):
        read(tmp_path, "ten v3")
    with pytest.raises(UnknownInstruction) as caught:  # of which LLVM knows no more
        read(tmp_path, "v_nonsense v3")
    assert "clang" not in str(caught.value)
