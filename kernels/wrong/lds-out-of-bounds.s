; Half of the lanes read beyond the LDS that the workgroup has.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
lds_out_of_bounds:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	ds_write_b32 v1, v0
	ds_read_b32 v2, v1 offset:128            ; lanes 32 to 63 read past the 256 bytes
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v2, s[4:5]
	s_endpgm
	.amdhsa_kernel lds_out_of_bounds
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 256
	.end_amdhsa_kernel
