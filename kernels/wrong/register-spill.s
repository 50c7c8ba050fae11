; A register that is kept in scratch memory through a loop.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
register_spill:
	v_mov_b32_e32 v1, 1.0
	s_mov_b32 s4, 4
	scratch_store_dword off, v1, off                     ; v1 is needed for something else
.Lloop:
	v_mov_b32_e32 v1, 0
	scratch_load_dword v2, off, off
	s_waitcnt vmcnt(0)
	v_add_f32_e32 v2, v2, v1
	scratch_store_dword off, v2, off
	s_sub_u32 s4, s4, 1
	s_cmp_lg_u32 s4, 0
	s_cbranch_scc1 .Lloop
	s_endpgm
	.amdhsa_kernel register_spill
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 64
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 64
		.amdhsa_private_segment_fixed_size 16
		.amdhsa_enable_private_segment 1
	.end_amdhsa_kernel
