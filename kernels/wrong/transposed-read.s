; A transposing read by the first eight lanes.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx950"
transposed_read:
	v_lshlrev_b32_e32 v1, 3, v0
	v_mov_b32_e32 v2, 0
	v_mov_b32_e32 v3, 0
	ds_write_b64 v1, v[2:3]
	s_waitcnt lgkmcnt(0)
	s_mov_b64 exec, 0xff
	ds_read_b64_tr_b16 v[4:5], v1
	s_waitcnt lgkmcnt(0)
	v_add_u32_e32 v4, v4, v5
	s_endpgm
	.amdhsa_kernel transposed_read
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 512
	.end_amdhsa_kernel
