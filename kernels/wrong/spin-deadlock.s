; Wave 1 polls for a flag that wave 0 stores at another place.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
spin_deadlock:
	v_lshrrev_b32_e32 v1, 6, v0
	v_mov_b32_e32 v2, 0
	v_mov_b32_e32 v3, 1
	v_readfirstlane_b32 s4, v1               ; the wave's number
	s_cmp_eq_u32 s4, 0
	s_cbranch_scc0 ready
	ds_write_b32 v2, v2                      ; wave 0 clears the flag
ready:
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_cbranch_scc0 other
	ds_write_b32 v2, v3 offset:4             ; the flag is at offset 0
	s_waitcnt lgkmcnt(0)
	s_endpgm
other:
	ds_read_b32 v4, v2
	s_waitcnt lgkmcnt(0)
	v_readfirstlane_b32 s5, v4
	s_cmp_eq_u32 s5, 1
	s_cbranch_scc0 other
	s_endpgm
	.amdhsa_kernel spin_deadlock
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 256
	.end_amdhsa_kernel
