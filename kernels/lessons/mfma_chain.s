; Lesson 2: four MFMAs per turn that add to the same registers. The sum passes from one to the next inside the pipe.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
mfma_chain:
	v_mov_b32_e32 v0, 0x3f803f80             ; two bf16 ones
	v_mov_b32_e32 v1, 0x3f803f80
	s_mov_b32 s0, 16
	s_nop 0
	v_mfma_f32_16x16x16_bf16 v[4:7], v[0:1], v[0:1], 0
.Lturn:
	v_mfma_f32_16x16x16_bf16 v[4:7], v[0:1], v[0:1], v[4:7]
	v_mfma_f32_16x16x16_bf16 v[4:7], v[0:1], v[0:1], v[4:7]
	v_mfma_f32_16x16x16_bf16 v[4:7], v[0:1], v[0:1], v[4:7]
	v_mfma_f32_16x16x16_bf16 v[4:7], v[0:1], v[0:1], v[4:7]
	s_sub_u32 s0, s0, 1
	s_cmp_lg_u32 s0, 0
	s_cbranch_scc1 .Lturn
	s_endpgm
	.amdhsa_kernel mfma_chain
		.amdhsa_next_free_vgpr 24
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 24
		.amdhsa_group_segment_fixed_size 0
	.end_amdhsa_kernel
