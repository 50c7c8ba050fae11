; A third, rounded up by MODE; the reciprocal that it is made of is rounded to nearest in the model.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
float_mode:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 4), 5
	v_mov_b32_e32 v2, 0x40400000
	v_rcp_f32_e32 v2, v2
	s_nop 0
	v_add_f32_e32 v2, 0x33000000, v2
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v2, s[4:5]
	s_endpgm
	.amdhsa_kernel float_mode
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_ieee_mode 1
	.end_amdhsa_kernel
