; C = A.T by three exchanges through global memory: of four waves each stores its four rows and loads four columns.
; Right as it is; benchmarks/mutations.py takes waits and barriers away. T has a piece for each of the first two.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
exchange:
	s_load_dwordx4 s[4:7], s[0:1], 0x0       ; A, T
	s_load_dwordx2 s[8:9], s[0:1], 0x10      ; C
	v_lshlrev_b32_e32 v1, 2, v0              ; own place: row, column
	v_and_b32_e32 v2, 15, v0
	v_lshlrev_b32_e32 v2, 4, v2
	v_lshrrev_b32_e32 v3, 4, v0
	v_or_b32_e32 v2, v2, v3
	v_lshlrev_b32_e32 v2, 2, v2              ; column, row
	s_waitcnt lgkmcnt(0)
	s_mov_b64 s[12:13], s[6:7]
	s_movk_i32 s14, 0x800
	s_mov_b32 s15, 0x20000
	v_mov_b32_e32 v7, s7
	v_add_co_u32_e32 v6, vcc, s6, v1
	s_nop 1
	v_addc_co_u32_e32 v7, vcc, 0, v7, vcc
	global_load_dword v4, v1, s[4:5]
	s_waitcnt vmcnt(0)
	global_store_dword v1, v4, s[6:7]
	s_waitcnt vmcnt(0)
	s_barrier
	global_load_dword v4, v2, s[6:7]
	s_waitcnt vmcnt(0)
	buffer_store_dword v4, v1, s[12:15], 0 offen offset:1024
	global_load_dword v5, v1, s[4:5]         ; younger than the store, so that a counted wait covers that
	s_waitcnt vmcnt(1)
	s_barrier
	buffer_load_dword v4, v2, s[12:15], 0 offen offset:1024
	s_waitcnt vmcnt(0)
	flat_store_dword v[6:7], v4
	s_waitcnt vmcnt(0) lgkmcnt(0)
	s_barrier
	global_load_dword v4, v2, s[6:7]
	s_waitcnt vmcnt(0)
	global_store_dword v1, v4, s[8:9]
	s_endpgm
	.amdhsa_kernel exchange
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 16
		.amdhsa_next_free_sgpr 24
		.amdhsa_accum_offset 16
		.amdhsa_group_segment_fixed_size 0
	.end_amdhsa_kernel
