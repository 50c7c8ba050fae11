"""Registers read and written, implicit ones included."""

from __future__ import annotations

import pytest

from wavesim.asm.text.instructions import parse_instruction
from wavesim.program.dataflow import effects


def names(text: str) -> set[tuple[str, int]]:
    """``v0 s2 vcc`` as effects name them."""
    found = set()
    for word in text.split():
        file = word.rstrip("0123456789") if word[0] in "vsa" and word[-1].isdigit() else word
        found.add((file, int(word[len(file) :] or 0)) if file in ("v", "s", "a") else (word, 0))
    return found


@pytest.mark.parametrize(
    ("arch", "text", "reads", "writes"),
    [
        ("gfx942", "s_add_u32 s0, s1, 4", "s1", "s0 scc"),
        ("gfx942", "s_addc_u32 s0, s1, s2", "s1 s2 scc", "s0 scc"),
        ("gfx942", "s_mov_b64 s[2:3], exec", "exec", "s2 s3"),
        ("gfx942", "s_and_saveexec_b64 s[0:1], vcc", "vcc exec", "s0 s1 exec scc"),
        ("gfx942", "s_cmp_lt_u32 s0, 64", "s0", "scc"),
        ("gfx942", "s_cbranch_vccnz 1", "vcc", ""),
        ("gfx942", "s_load_dwordx2 s[4:5], s[0:1], s6", "s0 s1 s6", "s4 s5"),
        ("gfx942", "s_waitcnt vmcnt(0)", "", ""),
        ("gfx942", "v_add_f32 v0, v1, s2", "v1 s2 exec", "v0"),
        ("gfx942", "v_fmac_f32 v0, v1, -v2", "v0 v1 v2 exec", "v0"),
        ("gfx942", "v_cmp_lt_u32_e32 vcc, s0, v1", "s0 v1 exec", "vcc"),
        ("gfx942", "v_cmpx_lt_u32_e64 s[4:5], s0, v1", "s0 v1 exec", "s4 s5 exec"),
        ("gfx942", "v_cndmask_b32 v0, v1, v2, s[4:5]", "v1 v2 s4 s5 exec", "v0"),
        ("gfx942", "v_addc_co_u32 v0, vcc, v1, v2, vcc", "v1 v2 vcc exec", "v0 vcc"),
        ("gfx942", "v_div_fmas_f32 v0, v1, v2, v3", "v1 v2 v3 vcc exec", "v0"),
        ("gfx942", "v_readfirstlane_b32 s0, v1", "v1 exec", "s0"),
        ("gfx942", "v_readlane_b32 s0, v1, s2", "v1 s2", "s0"),
        ("gfx942", "v_writelane_b32 v0, s1, 3", "v0 s1", "v0"),
        ("gfx942", "v_swap_b32 v0, v1", "v0 v1 exec", "v0 v1"),
        ("gfx942", "v_accvgpr_write_b32 a3, v1", "v1 exec", "a3"),
        ("gfx942", "v_mfma_f32_16x16x16_bf16 a[0:3], v[4:5], v[6:7], a[0:3]",
         "v4 v5 v6 v7 a0 a1 a2 a3", "a0 a1 a2 a3"),
        ("gfx942", "v_mfma_f32_4x4x4_16b_f16 v[0:3], v[4:5], v[6:7], 0", "v4 v5 v6 v7", "v0 v1 v2 v3"),
        ("gfx942", "v_smfmac_f32_16x16x32_f16 v[0:3], v[4:5], v[8:11], v12",
         "v0 v1 v2 v3 v4 v5 v8 v9 v10 v11 v12", "v0 v1 v2 v3"),
        ("gfx942", "v_mov_b32_sdwa v0, v1 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:DWORD",
         "v0 v1 exec", "v0"),
        ("gfx942", "v_mov_b32_sdwa v0, v1 dst_sel:WORD_1 dst_unused:UNUSED_PAD src0_sel:DWORD",
         "v1 exec", "v0"),
        ("gfx942", "v_fma_f16 v0, v1, v2, v3 op_sel:[0,0,0,1]", "v0 v1 v2 v3 exec", "v0"),
        ("gfx942", "v_cvt_pk_fp8_f32 v0, v1, v2 op_sel:[0,0,1]", "v0 v1 v2 exec", "v0"),
        ("gfx942", "ds_read_b64 v[0:1], v2 offset:8", "v2 exec", "v0 v1"),
        ("gfx942", "ds_read_u16_d16_hi v0, v2", "v0 v2 exec", "v0"),
        ("gfx942", "ds_write2_b32 v0, v1, a2 offset1:4", "v0 v1 a2 exec", ""),
        ("gfx942", "ds_add_rtn_u32 v0, v1, v2", "v1 v2 exec", "v0"),
        ("gfx942", "buffer_load_dwordx4 v[0:3], v4, s[8:11], s12 offen",
         "v4 s8 s9 s10 s11 s12 exec", "v0 v1 v2 v3"),
        ("gfx942", "buffer_load_dword v4, s[8:11], 0 offen lds", "v4 s8 s9 s10 s11 m0 exec", ""),
        ("gfx942", "buffer_store_dword v0, off, s[8:11], 0", "v0 s8 s9 s10 s11 exec", ""),
        ("gfx942", "buffer_atomic_add v0, v4, s[8:11], 0 offen sc0", "v0 v4 s8 s9 s10 s11 exec", "v0"),
        ("gfx942", "buffer_atomic_add v0, v4, s[8:11], 0 offen", "v0 v4 s8 s9 s10 s11 exec", ""),
        ("gfx942", "global_load_dwordx2 v[0:1], v2, s[4:5]", "v2 s4 s5 exec", "v0 v1"),
        ("gfx942", "global_store_dword v[0:1], a2, off", "v0 v1 a2 exec", ""),
        ("gfx942", "global_atomic_add v[0:1], v2, off", "v0 v1 v2 exec", ""),
        ("gfx942", "global_atomic_add v5, v[0:1], v2, off sc0", "v0 v1 v2 exec", "v5"),
        ("gfx90a", "global_atomic_cmpswap v5, v[0:1], v[2:3], off glc", "v0 v1 v2 v3 exec", "v5"),
        ("gfx942", "global_load_lds_dword v[0:1], off", "v0 v1 m0 exec", ""),
        ("gfx950", "v_permlane32_swap_b32 v0, v1", "v0 v1 exec", "v0 v1"),
        ("gfx942", "s_mov_b32 flat_scratch_lo, ttmp4", "s112", "s102"),
    ],
)  # fmt: skip
def test_effects(arch: str, text: str, reads: str, writes: str) -> None:
    found = effects(parse_instruction(text, arch), arch)
    assert found.reads == names(reads)
    assert found.writes == names(writes)
