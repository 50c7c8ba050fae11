"""Every field of CodeEntry, instruction by instruction."""

from __future__ import annotations

import pytest

from wavesim.asm.text.instructions import parse_instruction
from wavesim.asm.text.parse import parse_program
from wavesim.isa.kinds import Kind
from wavesim.trace.code import ALONE, SGPR_EXEC, SGPR_M0, SGPR_SCC, SGPR_VCC, CodeEntry, SlotShare
from wavesim.trace.decode import code_entries, code_entry


def entry(text: str, arch: str = "gfx942") -> CodeEntry:
    return code_entry(parse_instruction(text, arch), arch)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("v_add_f32 v0, v1, v2", Kind.VALU),
        ("v_accvgpr_read_b32 v0, a1", Kind.VALU),
        ("v_exp_f32 v0, v1", Kind.TRANS),
        ("v_rcp_f64 v[0:1], v[2:3]", Kind.TRANS),
        ("v_mfma_f32_32x32x8_f16 v[0:15], v[16:17], v[18:19], 0", Kind.MFMA),
        ("ds_read_b128 v[0:3], v4", Kind.LDS_READ),
        ("ds_bpermute_b32 v0, v1, v2", Kind.LDS_READ),
        ("ds_add_rtn_f32 v0, v1, v2", Kind.LDS_READ),
        ("ds_add_f32 v1, v2", Kind.LDS_WRITE),
        ("ds_write_b64 v0, v[2:3]", Kind.LDS_WRITE),
        ("global_load_dword v0, v[2:3], off", Kind.VMEM_LOAD),
        ("global_atomic_add v0, v[2:3], v4, off sc0", Kind.VMEM_LOAD),
        ("global_atomic_add v[2:3], v4, off", Kind.VMEM_STORE),
        ("buffer_store_dwordx4 v[0:3], v4, s[0:3], 0 offen", Kind.VMEM_STORE),
        ("s_add_u32 s0, s1, s2", Kind.SALU),
        ("s_load_dword s0, s[2:3], 0x0", Kind.SMEM),
        ("s_memtime s[0:1]", Kind.SMEM),
        ("s_branch 4", Kind.BRANCH),
        ("s_setpc_b64 s[0:1]", Kind.BRANCH),
        ("s_cbranch_execz 4", Kind.COND_BRANCH),
        ("s_waitcnt vmcnt(0)", Kind.WAIT),
        ("s_nop 3", Kind.NOP),
        ("s_barrier", Kind.BARRIER),
        ("s_setprio 1", Kind.SETPRIO),
        ("s_sleep 2", Kind.SLEEP),
        ("s_endpgm", Kind.ENDPGM),
        ("s_sethalt 1", Kind.INTERNAL),
    ],
)
def test_kinds(text: str, kind: Kind) -> None:
    assert entry(text).kind is kind


@pytest.mark.parametrize(
    ("text", "width_bytes", "lgkm", "vm", "to_lds"),
    [
        ("ds_read_b64 v[0:1], v2", 8, 1, 0, False),
        ("ds_read2st64_b64 v[0:3], v2", 16, 1, 0, False),
        ("ds_write_b8 v0, v1", 1, 1, 0, False),
        ("s_load_dword s0, s[2:3], 0x0", 4, 1, 0, False),
        ("s_load_dwordx8 s[0:7], s[2:3], 0x0", 32, 2, 0, False),
        ("s_buffer_load_dwordx2 s[0:1], s[4:7], 0x0", 8, 2, 0, False),
        ("s_memtime s[0:1]", 8, 2, 0, False),
        ("s_dcache_inv", 0, 0, 0, False),
        ("global_load_dwordx3 v[0:2], v[4:5], off", 12, 0, 1, False),
        ("flat_load_dword v0, v[4:5]", 4, 1, 1, False),
        ("flat_store_dwordx2 v[4:5], v[0:1]", 8, 1, 1, False),
        ("buffer_load_dword v4, s[0:3], 0 offen lds", 4, 0, 1, True),
        ("buffer_load_dword v0, v4, s[0:3], 0 offen", 4, 0, 1, False),
        ("global_load_lds_ushort v[4:5], off", 2, 0, 1, True),
        ("buffer_inv sc1", 0, 0, 1, False),
        ("v_add_f32 v0, v1, v2", 0, 0, 0, False),
    ],
)
def test_memory(text: str, width_bytes: int, lgkm: int, vm: int, to_lds: bool) -> None:
    found = entry(text)
    assert (found.width_bytes, found.lgkm_increment, found.vm_increment) == (width_bytes, lgkm, vm)
    assert found.to_lds is to_lds


def test_numbers_of_control_instructions() -> None:
    assert entry("s_nop 7").nop_slots == 8
    assert entry("s_nop 0").nop_slots == 1
    assert entry("s_setprio 3").priority == 3
    assert entry("s_sleep 0x7f").sleep_units == 127
    wait = entry("s_waitcnt vmcnt(5) lgkmcnt(15)")
    assert (wait.wait_vmcnt, wait.wait_lgkmcnt) == (5, None)


def test_matrix_fields() -> None:
    found = entry("v_mfma_f32_16x16x16_bf16 v[0:3], v[4:5], v[6:7], v[0:3]")
    assert (found.mfma, found.mfma_source_vgprs, found.mfma_format) == ("v_mfma_f32_16x16x16_bf16", 2, "")
    found = entry("v_smfmac_f32_16x16x32_f16 v[0:3], v[4:5], v[8:11], v12")
    assert found.mfma_source_vgprs == 4
    found = entry("v_mfma_f32_16x16x128_f8f6f4 v[0:3], v[4:11], v[12:17], v[0:3] blgp:2", "gfx950")
    assert (found.mfma_source_vgprs, found.mfma_format, found.scaled) == (8, "fp8", False)
    text = "v_mfma_scale_f32_16x16x128_f8f6f4 v[0:3], v[4:7], v[8:13], v[0:3], v14, v15 cbsz:4 blgp:3"
    found = entry(text, "gfx950")
    assert (found.mfma_source_vgprs, found.mfma_format, found.scaled) == (6, "fp4", True)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("v_fma_f32 v0, -v1, v2, v3", SlotShare(2, 2, even_reads=1, odd_reads=2, first_odd=True)),
        ("v_mul_f32 v0, s3, v2", SlotShare(2, 2, scalar_read=True, even_reads=1)),
        ("v_fmac_f32 v0, v1, v2", SlotShare(2, 2, even_reads=2, odd_reads=1, first_odd=True)),
        ("v_cmp_eq_u32 vcc, v1, v2", SlotShare(1, 1, False, True, 1, 1, False, True)),
        ("v_cndmask_b32 v0, v1, v3, vcc", SlotShare(1, 2, True, False, 0, 2, False, True)),
        ("v_lshl_add_u64 v[0:1], v[2:3], 0, s[0:1]", SlotShare(0, 1, True, False, 1, 1, True, True)),
        (
            "v_add_u32_sdwa v0, v1, v2 dst_sel:DWORD",
            SlotShare(1, 1, even_reads=1, odd_reads=1, first_odd=True),
        ),
        ("v_fma_f64 v[0:1], v[2:3], v[4:5], v[6:7]", ALONE),
        ("v_exp_f32 v0, v1", ALONE),
        ("v_pk_mul_f32 v[0:1], v[2:3], v[4:5]", ALONE),
        ("v_mov_b32_dpp v0, v1 row_shr:1 row_mask:0xf bank_mask:0xf", ALONE),
        ("ds_read_b32 v0, v1", ALONE),
    ],
)
def test_shared_slots(text: str, share: SlotShare) -> None:
    assert entry(text, "gfx950").share == share


@pytest.mark.parametrize(
    ("text", "packed", "multi_slot"),
    [
        ("v_pk_fma_f32 v[0:1], v[2:3], v[4:5], v[6:7]", True, False),
        ("v_pk_mov_b32 v[0:1], v[2:3], v[4:5]", False, False),
        ("v_permlane32_swap_b32 v0, v1", False, True),
        ("v_bitop3_b16 v0, v1, v2, v3 bitop3:0x6c", False, True),
        ("v_bitop3_b32 v0, v1, v2, v3 bitop3:0x6c", False, False),
    ],
)
def test_packed_f32_and_multi_slot_valu(text: str, packed: bool, multi_slot: bool) -> None:
    found = entry(text, "gfx950")
    assert (found.packed_f32, found.multi_slot) == (packed, multi_slot)


@pytest.mark.parametrize(
    ("text", "writes_sgpr", "reads", "writes"),
    [
        ("v_cmp_lt_u32 vcc, v1, v2", True, {SGPR_EXEC}, {SGPR_VCC}),
        ("v_cmp_lt_u32 s[4:5], s6, v2", True, {6, SGPR_EXEC}, {4, 5}),
        ("v_readfirstlane_b32 s3, v1", True, {SGPR_EXEC}, {3}),
        ("v_readlane_b32 m0, v1, 3", True, set(), {SGPR_M0}),
        ("v_add_co_u32 v0, vcc, v1, v2", True, {SGPR_EXEC}, {SGPR_VCC}),
        ("v_mad_u64_u32 v[0:1], s[0:1], v2, v3, 0", True, {SGPR_EXEC}, {0, 1}),
        ("v_add_u32 v0, s1, v2", False, {1, SGPR_EXEC}, set()),
        ("s_add_u32 s0, s1, s2", False, {1, 2}, {0, SGPR_SCC}),
        ("s_mov_b32 m0, s2", False, {2}, {SGPR_M0}),
        ("buffer_load_dword v4, s[0:3], s9 offen lds", False, {0, 1, 2, 3, 9, SGPR_M0, SGPR_EXEC}, set()),
        ("s_cbranch_scc1 3", False, {SGPR_SCC}, set()),
    ],
)
def test_scalar_registers(text: str, writes_sgpr: bool, reads: set[int], writes: set[int]) -> None:
    found = entry(text)
    assert found.writes_sgpr is writes_sgpr
    assert found.sgpr_reads == reads
    assert found.sgpr_writes == writes


def test_entries_stand_by_the_instructions() -> None:
    program = parse_program(
        "s_mov_b32 s0, 0x1234\nv_mov_b32 v0, s0\nds_read_b32 v1, v0\ns_endpgm\n", "a.s", "gfx942"
    )
    entries = code_entries(program)
    assert [item.address for item in entries] == [0, 8, 12, 20]
    assert [item.size_bytes for item in entries] == [8, 4, 8, 4]
    assert all(item.instruction is instruction for item, instruction in zip(entries, program, strict=True))
