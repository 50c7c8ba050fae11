; An MFMA directly after the moves that give its operands.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
wait_states:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_mov_b32_e32 v2, 0x3f803f80             ; two bf16 ones
	v_lshlrev_b32_e32 v1, 4, v0
	v_mov_b32_e32 v3, 0x3f803f80
	v_mfma_f32_16x16x16_bf16 v[4:7], v[2:3], v[2:3], 0     ; s_nop 1 is missing before this line
	s_waitcnt lgkmcnt(0)
	s_nop 7
	global_store_dwordx4 v1, v[4:7], s[4:5]
	s_endpgm
	.amdhsa_kernel wait_states
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
