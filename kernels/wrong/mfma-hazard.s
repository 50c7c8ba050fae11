; The result of an MFMA is stored before it is there.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
mfma_hazard:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 4, v0
	v_mov_b32_e32 v2, 0x3f803f80             ; two bf16 ones
	v_mov_b32_e32 v3, 0x3f803f80
	s_waitcnt lgkmcnt(0)
	s_nop 1
	v_mfma_f32_16x16x16_bf16 v[4:7], v[2:3], v[2:3], 0
	s_nop 4                                  ; five wait states
	global_store_dwordx4 v1, v[4:7], s[4:5]
	s_endpgm
	.amdhsa_kernel mfma_hazard
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
