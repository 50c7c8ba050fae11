; Two stages of 32 KiB and a flag: four bytes more than there are.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
lds_overflow:
	v_mov_b32_e32 v1, 0
	ds_write_b32 v1, v1
	s_endpgm
	.amdhsa_kernel lds_overflow
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 65540
	.end_amdhsa_kernel
