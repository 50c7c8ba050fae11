; 512 registers for each wave of a workgroup with two waves per SIMD.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
register_overflow:
	v_mov_b32_e32 v1, 0
	s_endpgm
	.amdhsa_kernel register_overflow
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 512
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 256
	.end_amdhsa_kernel
