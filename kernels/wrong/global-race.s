; Two waves exchange a word through global memory; the store may still be under way at the barrier.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
global_race:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0              ; own word
	v_xor_b32_e32 v2, 0x100, v1              ; the other wave's word
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v0, s[4:5]
	s_barrier                                ; s_waitcnt vmcnt(0) is missing before this line
	global_load_dword v3, v2, s[4:5]
	s_waitcnt vmcnt(0)
	global_store_dword v1, v3, s[6:7]
	s_endpgm
	.amdhsa_kernel global_race
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
