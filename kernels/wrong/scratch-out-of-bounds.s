; A spill beyond the private segment.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
scratch_out_of_bounds:
	v_mov_b32_e32 v1, 1
	scratch_store_dword off, v1, off offset:16           ; the lane's scratch has 16 bytes
	s_endpgm
	.amdhsa_kernel scratch_out_of_bounds
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_private_segment_fixed_size 16
		.amdhsa_enable_private_segment 1
	.end_amdhsa_kernel
