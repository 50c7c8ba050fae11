; A column of a row-major tile: all lanes on one bank.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
bank_conflict:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 7, v0              ; 128 bytes from lane to lane: every lane meets the same bank
	v_lshlrev_b32_e32 v3, 2, v0
	ds_write_b32 v1, v0
	ds_read_b32 v2, v1
	s_waitcnt lgkmcnt(0)
	global_store_dword v3, v2, s[4:5]
	s_endpgm
	.amdhsa_kernel bank_conflict
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 8192
	.end_amdhsa_kernel
