; One write and eighteen reads of LDS before a wait; lgkmcnt counts fifteen.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
counter_overflow:
	v_lshlrev_b32_e32 v1, 2, v0
	ds_write2_b32 v1, v0, v0 offset1:64
	ds_read_b32 v2, v1 offset:0
	ds_read_b32 v3, v1 offset:4
	ds_read_b32 v4, v1 offset:8
	ds_read_b32 v5, v1 offset:12
	ds_read_b32 v6, v1 offset:16
	ds_read_b32 v7, v1 offset:20
	ds_read_b32 v8, v1 offset:24
	ds_read_b32 v9, v1 offset:28
	ds_read_b32 v10, v1 offset:32
	ds_read_b32 v11, v1 offset:36
	ds_read_b32 v12, v1 offset:40
	ds_read_b32 v13, v1 offset:44
	ds_read_b32 v14, v1 offset:48
	ds_read_b32 v15, v1 offset:52
	ds_read_b32 v16, v1 offset:56
	ds_read_b32 v17, v1 offset:60
	ds_read_b32 v18, v1 offset:64
	ds_read_b32 v19, v1 offset:68
	s_waitcnt lgkmcnt(0)
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v4
	v_add_u32_e32 v2, v2, v5
	v_add_u32_e32 v2, v2, v6
	v_add_u32_e32 v2, v2, v7
	v_add_u32_e32 v2, v2, v8
	v_add_u32_e32 v2, v2, v9
	v_add_u32_e32 v2, v2, v10
	v_add_u32_e32 v2, v2, v11
	v_add_u32_e32 v2, v2, v12
	v_add_u32_e32 v2, v2, v13
	v_add_u32_e32 v2, v2, v14
	v_add_u32_e32 v2, v2, v15
	v_add_u32_e32 v2, v2, v16
	v_add_u32_e32 v2, v2, v17
	v_add_u32_e32 v2, v2, v18
	v_add_u32_e32 v2, v2, v19
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v2, s[4:5]
	s_endpgm
	.amdhsa_kernel counter_overflow
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 24
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 24
		.amdhsa_group_segment_fixed_size 512
	.end_amdhsa_kernel
