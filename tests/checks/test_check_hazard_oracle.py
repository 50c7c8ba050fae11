"""Software wait states against LLVM: as many as llc's post-RA hazard recogniser puts between each pair.

Left out: a VALU write of EXEC before a memory access. LLVM counts EXEC among the SGPRs that the access reads;
the manuals do not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program

MODE = "implicit $mode, implicit $exec"
CMPX = "V_CMPX_EQ_I32_e32 $vgpr0, $vgpr1, implicit-def $exec, implicit-def $vcc, " + MODE
MFMA = (
    "$vgpr20_vgpr21_vgpr22_vgpr23 = V_MFMA_F32_16X16X4F32_vgprcd_e64 $vgpr8, $vgpr9, "
    "$vgpr20_vgpr21_vgpr22_vgpr23, 0, 0, 0, " + MODE
)
MFMA_TEXT = "v_mfma_f32_16x16x4_f32 v[20:23], v8, v9, v[20:23]"
DOT4 = "$vgpr4 = V_DOT4_I32_I8 8, $vgpr{}, 8, $vgpr2, 8, $vgpr{}, 0, 0, 0, implicit $exec"
DPP = "$vgpr6 = V_MOV_B32_dpp $vgpr6, $vgpr4, 273, 15, 15, 0, implicit $exec"
DPP_TEXT = "v_mov_b32_dpp v6, v4 row_shr:1 row_mask:0xf bank_mask:0xf"
LANE = "$sgpr4 = V_READFIRSTLANE_B32 $vgpr4, implicit $exec"
LANE_TEXT = "v_readfirstlane_b32 s4, v4"
MOV = "$vgpr{} = V_MOV_B32_e32 $vgpr5, implicit $exec"
DESCRIPTOR = "$sgpr0_sgpr1_sgpr2_sgpr3"
DWORDX4 = "$vgpr2_vgpr3_vgpr4_vgpr5"

PAIRS = {
    # name: (producer and consumer as machine IR, the same as assembly)
    "setreg-getreg": (
        (
            "S_SETREG_B32 $sgpr0, 1, implicit-def $mode, implicit $mode",
            "$sgpr1 = S_GETREG_B32 1, implicit $mode",
        ),
        ("s_setreg_b32 hwreg(HW_REG_MODE, 0, 1), s0", "s_getreg_b32 s1, hwreg(HW_REG_MODE, 0, 1)"),
    ),
    "exec-readlane": (
        (CMPX, "$sgpr1 = V_READLANE_B32 $vgpr4, 0"),
        ("v_cmpx_eq_i32 vcc, v0, v1", "v_readlane_b32 s1, v4, 0"),
    ),
    "exec-readfirstlane": (
        (CMPX, "$sgpr1 = V_READFIRSTLANE_B32 $vgpr4, implicit $exec"),
        ("v_cmpx_eq_i32 vcc, v0, v1", "v_readfirstlane_b32 s1, v4"),
    ),
    "exec-writelane": (
        (CMPX, "$vgpr4 = V_WRITELANE_B32 $sgpr1, 0, $vgpr4"),
        ("v_cmpx_eq_i32 vcc, v0, v1", "v_writelane_b32 v4, s1, 0"),
    ),
    "exec-valu": ((CMPX, MOV.format(4)), ("v_cmpx_eq_i32 vcc, v0, v1", "v_mov_b32 v4, v5")),
    "exec-mfma": ((CMPX, MFMA), ("v_cmpx_eq_i32 vcc, v0, v1", MFMA_TEXT)),
    "exec-dpp": ((CMPX, DPP), ("v_cmpx_eq_i32 vcc, v0, v1", DPP_TEXT)),
    "vcc-valu": (
        (
            "V_CMP_EQ_U32_e32 $vgpr0, $vgpr1, implicit-def $vcc, implicit $exec",
            "$vgpr4 = V_CNDMASK_B32_e32 $vgpr5, $vgpr6, implicit $vcc, implicit $exec",
        ),
        ("v_cmp_eq_u32 vcc, v0, v1", "v_cndmask_b32 v4, v5, v6, vcc"),
    ),
    "sgpr-valu": ((LANE, "$vgpr5 = V_MOV_B32_e32 $sgpr4, implicit $exec"), (LANE_TEXT, "v_mov_b32 v5, s4")),
    "sgpr-salu": ((LANE, "$sgpr5 = S_MOV_B32 $sgpr4"), (LANE_TEXT, "s_mov_b32 s5, s4")),
    "sgpr-smem": (
        (LANE, "$sgpr8 = S_LOAD_DWORD_IMM $sgpr4_sgpr5, 0, 0"),
        (LANE_TEXT, "s_load_dword s8, s[4:5], 0x0"),
    ),
    "sgpr-lane-select": (
        (LANE, "$sgpr5 = V_READLANE_B32 $vgpr9, $sgpr4"),
        (LANE_TEXT, "v_readlane_b32 s5, v9, s4"),
    ),
    "sgpr-writelane-select": (
        (LANE, "$vgpr9 = V_WRITELANE_B32 3, $sgpr4, $vgpr9"),
        (LANE_TEXT, "v_writelane_b32 v9, 3, s4"),
    ),
    "sgpr-writelane-data": (
        (LANE, "$vgpr9 = V_WRITELANE_B32 $sgpr4, 3, $vgpr9"),
        (LANE_TEXT, "v_writelane_b32 v9, s4, 3"),
    ),
    "sgpr-vmem": (
        (LANE, "$vgpr8 = GLOBAL_LOAD_DWORD_SADDR $sgpr4_sgpr5, $vgpr1, 0, 0, implicit $exec"),
        (LANE_TEXT, "global_load_dword v8, v1, s[4:5]"),
    ),
    "valu-readlane": (
        (MOV.format(4), "$sgpr5 = V_READLANE_B32 $vgpr4, 0"),
        ("v_mov_b32 v4, v5", "v_readlane_b32 s5, v4, 0"),
    ),
    "valu-dpp": ((MOV.format(4), DPP), ("v_mov_b32 v4, v5", DPP_TEXT)),
    "valu-mfma": ((MOV.format(8), MFMA), ("v_mov_b32 v8, v5", MFMA_TEXT)),
    "valu-mfma-c": ((MOV.format(20), MFMA), ("v_mov_b32 v20, v5", MFMA_TEXT)),
    "trans-valu": (
        (f"$vgpr1 = V_RCP_F32_e32 $vgpr0, {MODE}", f"$vgpr2 = V_MUL_F32_e32 $vgpr1, $vgpr2, {MODE}"),
        ("v_rcp_f32 v1, v0", "v_mul_f32 v2, v1, v2"),
    ),
    "trans-trans": (
        (f"$vgpr1 = V_RCP_F32_e32 $vgpr0, {MODE}", f"$vgpr2 = V_RCP_F32_e32 $vgpr1, {MODE}"),
        ("v_rcp_f32 v1, v0", "v_rcp_f32 v2, v1"),
    ),
    "m0-sendmsg": (
        ("$m0 = S_MOV_B32 0", "S_SENDMSG 3, implicit $exec, implicit $m0"),
        ("s_mov_b32 m0, 0", "s_sendmsg 3"),
    ),
    "m0-addtid": (
        ("$m0 = S_MOV_B32 0", "$vgpr0 = DS_READ_ADDTID_B32 0, 0, implicit $m0, implicit $exec"),
        ("s_mov_b32 m0, 0", "ds_read_addtid_b32 v0"),
    ),
    "m0-load-to-lds": (
        ("$m0 = S_MOV_B32 0", "GLOBAL_LOAD_LDS_DWORD $vgpr0_vgpr1, 0, 0, implicit $m0, implicit $exec"),
        ("s_mov_b32 m0, 0", "global_load_lds_dword v[0:1], off"),
    ),
    "store64-data": (
        ("GLOBAL_STORE_DWORDX2 $vgpr0_vgpr1, $vgpr2_vgpr3, 0, 0, implicit $exec", MOV.format(2)),
        ("global_store_dwordx2 v[0:1], v[2:3], off", "v_mov_b32 v2, v5"),
    ),
    "store128-data": (
        (f"GLOBAL_STORE_DWORDX4 $vgpr0_vgpr1, {DWORDX4}, 0, 0, implicit $exec", MOV.format(3)),
        ("global_store_dwordx4 v[0:1], v[2:5], off", "v_mov_b32 v3, v5"),
    ),
    "store128-other": (
        (f"GLOBAL_STORE_DWORDX4 $vgpr0_vgpr1, {DWORDX4}, 0, 0, implicit $exec", MOV.format(9)),
        ("global_store_dwordx4 v[0:1], v[2:5], off", "v_mov_b32 v9, v5"),
    ),
    "buffer-store128-data": (
        (
            f"BUFFER_STORE_DWORDX4_OFFEN {DWORDX4}, $vgpr0, {DESCRIPTOR}, 0, 0, 0, 0, implicit $exec",
            MOV.format(3),
        ),
        ("buffer_store_dwordx4 v[2:5], v0, s[0:3], 0 offen", "v_mov_b32 v3, v5"),
    ),
    "buffer-store128-sgpr-offset": (
        (
            f"BUFFER_STORE_DWORDX4_OFFEN {DWORDX4}, $vgpr0, {DESCRIPTOR}, $sgpr4, 0, 0, 0, implicit $exec",
            MOV.format(3),
        ),
        ("buffer_store_dwordx4 v[2:5], v0, s[0:3], s4 offen", "v_mov_b32 v3, v5"),
    ),
    "sdwa-moved": (
        (
            "$vgpr4 = V_ADD_U16_sdwa 0, $vgpr1, 0, $vgpr2, 0, 1, 0, 0, 0, implicit $exec",
            f"$vgpr6 = V_ADD_F32_e32 $vgpr4, $vgpr5, {MODE}",
        ),
        (
            "v_add_u16_sdwa v4, v1, v2 dst_sel:BYTE_1 dst_unused:UNUSED_PAD src0_sel:BYTE_0 src1_sel:BYTE_0",
            "v_add_f32 v6, v4, v5",
        ),
    ),
    "sdwa-in-place": (
        (
            "$vgpr4 = V_ADD_U16_sdwa 0, $vgpr1, 0, $vgpr2, 0, 6, 0, 0, 0, implicit $exec",
            f"$vgpr6 = V_ADD_F32_e32 $vgpr4, $vgpr5, {MODE}",
        ),
        (
            "v_add_u16_sdwa v4, v1, v2 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:BYTE_0 src1_sel:BYTE_0",
            "v_add_f32 v6, v4, v5",
        ),
    ),
    "opsel-moved": (
        (
            "$vgpr4 = V_MAD_U16_gfx9_e64 8, $vgpr1, 0, $vgpr2, 0, $vgpr4, 0, 0, implicit $exec",
            f"$vgpr6 = V_ADD_F32_e32 $vgpr4, $vgpr5, {MODE}",
        ),
        ("v_mad_u16 v4, v1, v2, v4 op_sel:[0,0,0,1]", "v_add_f32 v6, v4, v5"),
    ),
    "dot-same-c": (
        (DOT4.format(1, 4), DOT4.format(1, 4)),
        ("v_dot4_i32_i8 v4, v1, v2, v4", "v_dot4_i32_i8 v4, v1, v2, v4"),
    ),
    "dot-same-a": (
        (DOT4.format(1, 4), DOT4.format(4, 5).replace("$vgpr4 =", "$vgpr5 =")),
        ("v_dot4_i32_i8 v4, v1, v2, v4", "v_dot4_i32_i8 v5, v4, v2, v5"),
    ),
    "dot-other-c": (
        (DOT4.format(1, 4), DOT4.format(1, 4).replace("V_DOT4_I32_I8", "V_DOT8_I32_I4")),
        ("v_dot4_i32_i8 v4, v1, v2, v4", "v_dot8_i32_i4 v4, v1, v2, v4"),
    ),
    "dot-valu": (
        (DOT4.format(1, 4), f"$vgpr6 = V_ADD_F32_e32 $vgpr4, $vgpr5, {MODE}"),
        ("v_dot4_i32_i8 v4, v1, v2, v4", "v_add_f32 v6, v4, v5"),
    ),
    "dot-overwrite": (
        (DOT4.format(1, 4), MOV.format(4)),
        ("v_dot4_i32_i8 v4, v1, v2, v4", "v_mov_b32 v4, v5"),
    ),
    "dot-store": (
        (DOT4.format(1, 4), "GLOBAL_STORE_DWORD $vgpr0_vgpr1, $vgpr4, 0, 0, implicit $exec"),
        ("v_dot4_i32_i8 v4, v1, v2, v4", "global_store_dword v[0:1], v4, off"),
    ),
}


NEWER_THAN_LLVM_22 = {"buffer-store128-sgpr-offset": {"gfx942": 1, "gfx950": 1}}
"""Wait states that LLVM 22 does not put yet: pull requests 197267 and 203770 of 2026 (seen on gfx950)."""


@cache
def by_llvm(arch: str) -> dict[str, int]:
    tool = next((name for name in ("llc-22", "llc") if shutil.which(name)), None)
    if tool is None:
        pytest.skip("needs llc of LLVM 22")
    text = "".join(
        f"---\nname: p{number}\nbody: |\n  bb.0:\n    {producer}\n    {consumer}\n...\n"
        for number, ((producer, consumer), _) in enumerate(PAIRS.values())
    )
    command = [
        tool,
        "-mtriple=amdgcn",
        f"-mcpu={arch}",
        "-run-pass",
        "post-RA-hazard-rec",
        "-x",
        "mir",
        "-",
        "-o",
        "-",
    ]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert not done.returncode or tool != "llc-22", done.stderr[:2000]
    if done.returncode:
        pytest.skip(f"this llc does not read the pairs: {done.stderr[:200]}")
    functions = re.split(r"^name: +p\d+$", done.stdout, flags=re.MULTILINE)[1:]
    counts = [sum(int(each) + 1 for each in re.findall(r"S_NOP (\d+)", text)) for text in functions]
    return dict(zip(PAIRS, counts, strict=True))


def by_check(arch: str, producer: str, consumer: str) -> int:
    for count in range(25):
        nops = "\ts_nop 0\n" * count
        text = f"kernel:\n\t{producer}\n{nops}\t{consumer}\n\ts_endpgm\n"
        found, _ = check_program(parse_program(text, "pair.s", arch=arch))
        if not any(each.rule in ("wait-states", "mfma-hazard") for each in found):
            return count
    raise AssertionError(f"{producer}, {consumer}: never enough")


CASES = [
    (arch, name)
    for arch in ("gfx90a", "gfx942", "gfx950")
    for name in PAIRS
    if not (arch == "gfx90a" and "global_load_lds" in PAIRS[name][1][1])  # gfx90a has no such instruction
]


@pytest.mark.parametrize(("arch", "name"), CASES)
def test_as_many_as_llvm(arch: str, name: str) -> None:
    producer, consumer = PAIRS[name][1]
    if arch == "gfx90a":
        consumer = consumer.replace("16x16x4_f32", "16x16x4f32")
    newer = NEWER_THAN_LLVM_22.get(name, {}).get(arch, 0)
    assert by_check(arch, producer, consumer) == by_llvm(arch)[name] + newer


def test_nineteen_instructions_back_is_too_close_on_gfx950() -> None:
    """What LLVM's scan missed until September 2026 (pull request 222040), and Triton 3.9's kernels have: a
    16-pass MFMA's result stored behind exactly 19 other instructions."""
    mfma = "v_mfma_f32_32x32x64_f8f6f4 v[16:31], v[44:51], v[52:59], v[16:31]"
    store = "global_store_dwordx4 v[34:35], v[16:19], off"
    assert by_check("gfx950", mfma, store) == 20
