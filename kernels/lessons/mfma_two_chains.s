; Lesson 2, solution: an independent MFMA in every gap. The pipe works in what were idle clocks.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
mfma_two_chains:
	v_mov_b32_e32 v0, 0x3f803f80             ; two bf16 ones
	v_mov_b32_e32 v1, 0x3f803f80
	s_mov_b32 s0, 16
	s_nop 0
	v_mfma_f32_16x16x16_bf16 v[8:11], v[0:1], v[0:1], 0
	v_mfma_f32_16x16x16_bf16 v[12:15], v[0:1], v[0:1], 0
.Lturn:
	s_nop 5
	v_mfma_f32_16x16x16_bf16 v[4:7], v[8:9], v[0:1], 0
	v_mfma_f32_16x16x16_bf16 v[16:19], v[12:13], v[0:1], 0
	s_nop 5
	v_mfma_f32_16x16x16_bf16 v[8:11], v[4:5], v[0:1], 0
	v_mfma_f32_16x16x16_bf16 v[12:15], v[16:17], v[0:1], 0
	s_sub_u32 s0, s0, 1
	s_cmp_lg_u32 s0, 0
	s_cbranch_scc1 .Lturn
	s_endpgm
	.amdhsa_kernel mfma_two_chains
		.amdhsa_next_free_vgpr 24
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 24
		.amdhsa_group_segment_fixed_size 0
	.end_amdhsa_kernel
