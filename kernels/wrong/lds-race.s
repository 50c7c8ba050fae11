; Two waves exchange a word through LDS without a barrier.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
lds_race:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0              ; own word
	v_xor_b32_e32 v2, 0x100, v1              ; the other wave's word
	ds_write_b32 v1, v0
	s_waitcnt lgkmcnt(0)
	ds_read_b32 v3, v2                       ; s_barrier is missing before this line
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v3, s[4:5]
	s_endpgm
	.amdhsa_kernel lds_race
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 512
	.end_amdhsa_kernel
