; A loop that loads one turn ahead, and then waits for that load at once.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
wait_too_strong:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_mov_b32_e32 v4, 0
	s_mov_b32 s8, 16
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
loop:
	global_load_dword v3, v1, s[4:5]         ; the value of the next turn
	s_waitcnt vmcnt(0)                       ; for v2; waits for v3 too
	v_add_f32_e32 v4, v4, v2
	s_sleep 8                                ; 512 clocks of work, during which v3 could arrive
	s_waitcnt vmcnt(0)
	v_mov_b32_e32 v2, v3
	s_sub_u32 s8, s8, 1
	s_cmp_lg_u32 s8, 0
	s_cbranch_scc1 loop
	global_store_dword v1, v4, s[6:7]
	s_endpgm
	.amdhsa_kernel wait_too_strong
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
