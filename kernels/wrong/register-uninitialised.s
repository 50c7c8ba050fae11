; A sum whose first addend was never set.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
register_uninitialised:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_add_u32_e32 v4, v4, v0                 ; nobody has set the sum in v4 to 0
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v4, s[4:5]
	s_endpgm
	.amdhsa_kernel register_uninitialised
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
