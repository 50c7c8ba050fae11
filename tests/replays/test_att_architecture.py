"""The architecture of a trace: all of its listing tells, then what stands in and beside it, then a guess."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from trace_folders import LISTING, code_rows, edit, four_waves, write_folder

from wavesim.errors import UserError
from wavesim.isa.opcodes import opcode_table
from wavesim.replays.att.architecture import archs_of, detect_arch, find_arch
from wavesim.replays.att.folder import CodeRow, read_folder
from wavesim.replays.att.importer import import_trace

COMMON = [f"v_add_u32_e32 v{number % 8}, v1, v2" for number in range(3000)]


def rows(*texts: str) -> tuple[CodeRow, ...]:
    return tuple(CodeRow(text, "", 1, 4096 + 8 * at) for at, text in enumerate(texts))


@pytest.mark.parametrize(
    "text",
    [
        "v_cvt_pk_f16_f32 v0, v1, v2",
        "v_maximum3_f32 v0, v1, v2, v3",
        "v_minimum3_f32 v0, v1, v2, v3",
        "v_pk_maximum3_f16 v0, v1, v2, v3",
        "v_dot2_f32_bf16 v0, v1, v2, v3",
        "v_dot2c_f32_bf16_dpp v0, v1, v2 quad_perm:[0,1,2,3] row_mask:0xf bank_mask:0xf",
        "v_prng_b32_e32 v0, v1",
        "ds_read_b96_tr_b6 v[0:2], v3",
        "buffer_load_dwordx3 v0, s[0:3], 0 offen lds",
        "v_mfma_f32_32x32x16_f16 v[0:15], v[16:19], v[20:23], v[0:15]",
    ],
)
def test_an_instruction_of_gfx950_anywhere_tells(text: str) -> None:
    """As the last of three thousand, behind one that gfx942 and gfx950 share."""
    shared = "v_mfma_f32_16x16x16_bf16 v[0:3], v[4:5], v[6:7], v[0:3]"
    assert detect_arch(rows(*LISTING, shared, *COMMON, text))[0] == "gfx950"


def test_the_table_knows_every_opcode_of_one_architecture_alone() -> None:
    for opcode, info in opcode_table().items():
        assert archs_of(f"{opcode} v0, v1") <= set(info.archs), opcode
        if len(info.archs) == 1 and not opcode.startswith("v_smfmac"):
            assert archs_of(f"{opcode} v0, v1") == set(info.archs), opcode


def test_a_guess_says_that_it_is_one_and_what_else_it_may_be() -> None:
    arch, note = detect_arch(rows("v_lshl_add_u64 v[0:1], v[2:3], 3, v[4:5]", "v_frobnicate_b32 v0, v1"))
    assert arch == "gfx942"
    assert "gfx942 and gfx950 run this code" in note
    assert "assumed (--arch says otherwise)" in note


def code_object(machine: int) -> bytes:
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<H", header, 18, 224)
    struct.pack_into("<I", header, 0x30, 0x500 | machine)
    return bytes(header)


@pytest.mark.parametrize(
    ("name", "content", "who"),
    [
        ("t/filenames.json", {"gfx_target": "gfx950"}, "filenames.json"),
        ("t/filenames.json", {"agent": {"name": "amdgcn-amd-amdhsa--gfx950:sramecc+"}}, "filenames.json"),
        ("t/code.json", {"isa": "gfx950"}, "code.json"),
        ("7_code_object_id_4.out", code_object(0x4F), "7_code_object_id_4.out"),
        ("t/gfx_code_object_id_4.out", code_object(0x4F), "gfx_code_object_id_4.out"),
        ("7_agent_info.csv", b'"Agent 1","CPU","EPYC"\n"Agent 2","GPU","gfx950"\n', "7_agent_info.csv"),
    ],
)
def test_what_the_trace_says_of_itself_is_taken(tmp_path: Path, name: str, content: Any, who: str) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    if isinstance(content, dict):
        edit(tmp_path / name, **content)
    else:
        (tmp_path / name).write_bytes(content)
    imported = import_trace(root)
    assert imported.arch == "gfx950"
    assert f"architecture gfx950 as {who} says" in imported.notes


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("; Cijk_Alik_Bljk_BBS_BH_MT256x224x64_ISA950_IU1", "gfx950"),
        ("; _ZN5aiter12fmoe_gfx950_bf16E", "gfx950"),
        ("; ISA9500_xgfx950", "gfx942"),
    ],
)
def test_a_kernel_name_that_says_it(name: str, arch: str, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "code.json", code=code_rows([name, *LISTING[1:]]))
    imported = import_trace(root)
    assert imported.arch == arch
    assert ("architecture gfx950 as the kernel's name says" in imported.notes) == (arch == "gfx950")


def test_instructions_outweigh_what_is_said_and_disagreement_says_nothing(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "filenames.json", gfx_target="gfx942")
    edit(root / "code.json", code=code_rows([*LISTING, "v_prng_b32_e32 v0, v1"]))
    imported = import_trace(root)
    assert imported.arch == "gfx950"
    assert any("(though filenames.json says gfx942)" in note for note in imported.notes)
    edit(root / "filenames.json", gfx_target="gfx90a", other="gfx950")
    edit(root / "code.json", code=code_rows())
    assert find_arch(read_folder(root).code, root)[0] == "gfx942"


def test_an_executed_instruction_of_neither_is_refused(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "code.json", code=code_rows([*LISTING[:2], "v_frobnicate_b32 v0, v1", *LISTING[3:]]))
    with pytest.raises(UserError, match="v_frobnicate"):
        import_trace(root)
