; A workgroup that leaves no room for a second one.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
occupancy:
	v_lshlrev_b32_e32 v1, 2, v0
	ds_write_b32 v1, v0
	s_endpgm
	.amdhsa_kernel occupancy
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 128
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 128
		.amdhsa_group_segment_fixed_size 40960
	.end_amdhsa_kernel
