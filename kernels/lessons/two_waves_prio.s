; Lesson 3, solution: as two_waves.s, but the waves from 4 on raise their priority.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
two_waves_prio:
	v_readfirstlane_b32 s1, v0               ; number of the wave's first lane in the workgroup
	s_cmp_lt_u32 s1, 256
	s_cbranch_scc1 .Lolder
	s_setprio 3
.Lolder:
	v_mov_b32_e32 v0, 0x3f803f80
	v_mov_b32_e32 v1, 0x3f803f80
	v_mov_b32_e32 v2, 0
	v_mov_b32_e32 v3, 1
	s_mov_b32 s0, 8
	s_nop 0
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], 0
.Lturn:
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_mfma_f32_16x16x16_bf16 a[0:3], v[0:1], v[0:1], a[0:3]
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	v_add_u32_e32 v2, v2, v3
	s_sub_u32 s0, s0, 1
	s_cmp_lg_u32 s0, 0
	s_cbranch_scc1 .Lturn
	s_endpgm
	.amdhsa_kernel two_waves_prio
		.amdhsa_next_free_vgpr 24
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 0
	.end_amdhsa_kernel
