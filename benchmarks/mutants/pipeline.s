; C[t] = the sum of row t of A, column by column through three buffers that loads to LDS fill two columns ahead.
; Each wave sums the rows that another wave loads. Right as it is; benchmarks/mutations.py raises its counts.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
pipeline:
	s_load_dwordx4 s[4:7], s[0:1], 0x0       ; A, C
	v_lshlrev_b32_e32 v1, 5, v0              ; own row: 8 columns
	v_lshlrev_b32_e32 v2, 2, v0
	v_xor_b32_e32 v2, 0x100, v2              ; the row that is summed
	v_mov_b32_e32 v4, 0
	v_readfirstlane_b32 s8, v0
	s_lshl_b32 s8, s8, 2                     ; the wave's part of a buffer
	s_waitcnt lgkmcnt(0)
	s_add_u32 m0, s8, 0
	v_add_u32_e32 v3, 0, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 0
	s_add_u32 m0, s8, 1024
	v_add_u32_e32 v3, 4, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 1
	s_waitcnt vmcnt(1)
	s_barrier
	s_add_u32 m0, s8, 2048
	v_add_u32_e32 v3, 8, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 2
	ds_read_b32 v5, v2
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(1)
	s_barrier
	s_add_u32 m0, s8, 0
	v_add_u32_e32 v3, 12, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 3
	ds_read_b32 v5, v2 offset:1024
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(1)
	s_barrier
	s_add_u32 m0, s8, 1024
	v_add_u32_e32 v3, 16, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 4
	ds_read_b32 v5, v2 offset:2048
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(1)
	s_barrier
	s_add_u32 m0, s8, 2048
	v_add_u32_e32 v3, 20, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 5
	ds_read_b32 v5, v2
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(1)
	s_barrier
	s_add_u32 m0, s8, 0
	v_add_u32_e32 v3, 24, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 6
	ds_read_b32 v5, v2 offset:1024
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(1)
	s_barrier
	s_add_u32 m0, s8, 1024
	v_add_u32_e32 v3, 28, v1
	s_nop 0
	global_load_lds_dword v3, s[4:5]         ; column 7
	ds_read_b32 v5, v2 offset:2048
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(1)
	s_barrier
	ds_read_b32 v5, v2
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	s_waitcnt vmcnt(0)
	s_barrier
	ds_read_b32 v5, v2 offset:1024
	s_waitcnt lgkmcnt(0)
	v_add_f32_e32 v4, v4, v5
	global_store_dword v2, v4, s[6:7]
	s_endpgm
	.amdhsa_kernel pipeline
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 16
		.amdhsa_next_free_sgpr 24
		.amdhsa_accum_offset 16
		.amdhsa_group_segment_fixed_size 3072
	.end_amdhsa_kernel
