; Lesson 9: eight reads, then each MFMA waits for its own read only.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
stepwise_waits:
	v_and_b32_e32 v0, 63, v0
	v_lshlrev_b32_e32 v0, 3, v0              ; byte address: lane * 8
	v_mov_b32_e32 v2, 0x3f803f80
	v_mov_b32_e32 v3, 0x3f803f80
	ds_write_b64 v0, v[2:3]
	ds_write_b64 v0, v[2:3] offset:512
	ds_write_b64 v0, v[2:3] offset:1024
	ds_write_b64 v0, v[2:3] offset:1536
	ds_write_b64 v0, v[2:3] offset:2048
	ds_write_b64 v0, v[2:3] offset:2560
	ds_write_b64 v0, v[2:3] offset:3072
	ds_write_b64 v0, v[2:3] offset:3584
	s_waitcnt lgkmcnt(0)
	s_barrier
	v_mfma_f32_16x16x16_bf16 a[0:3], v[2:3], v[2:3], 0
	v_mfma_f32_16x16x16_bf16 a[4:7], v[2:3], v[2:3], 0
	v_mfma_f32_16x16x16_bf16 a[8:11], v[2:3], v[2:3], 0
	v_mfma_f32_16x16x16_bf16 a[12:15], v[2:3], v[2:3], 0
	s_mov_b32 s0, 8
.Lturn:
	ds_read_b64 v[4:5], v0
	ds_read_b64 v[6:7], v0 offset:512
	ds_read_b64 v[8:9], v0 offset:1024
	ds_read_b64 v[10:11], v0 offset:1536
	ds_read_b64 v[12:13], v0 offset:2048
	ds_read_b64 v[14:15], v0 offset:2560
	ds_read_b64 v[16:17], v0 offset:3072
	ds_read_b64 v[18:19], v0 offset:3584
	s_waitcnt lgkmcnt(7)
	v_mfma_f32_16x16x16_bf16 a[0:3], v[4:5], v[2:3], a[0:3]
	s_waitcnt lgkmcnt(6)
	v_mfma_f32_16x16x16_bf16 a[4:7], v[6:7], v[2:3], a[4:7]
	s_waitcnt lgkmcnt(5)
	v_mfma_f32_16x16x16_bf16 a[8:11], v[8:9], v[2:3], a[8:11]
	s_waitcnt lgkmcnt(4)
	v_mfma_f32_16x16x16_bf16 a[12:15], v[10:11], v[2:3], a[12:15]
	s_waitcnt lgkmcnt(3)
	v_mfma_f32_16x16x16_bf16 a[0:3], v[12:13], v[2:3], a[0:3]
	s_waitcnt lgkmcnt(2)
	v_mfma_f32_16x16x16_bf16 a[4:7], v[14:15], v[2:3], a[4:7]
	s_waitcnt lgkmcnt(1)
	v_mfma_f32_16x16x16_bf16 a[8:11], v[16:17], v[2:3], a[8:11]
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_16x16x16_bf16 a[12:15], v[18:19], v[2:3], a[12:15]
	s_sub_u32 s0, s0, 1
	s_cmp_lg_u32 s0, 0
	s_cbranch_scc1 .Lturn
	s_endpgm
	.amdhsa_kernel stepwise_waits
		.amdhsa_next_free_vgpr 40
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 24
		.amdhsa_group_segment_fixed_size 4096
	.end_amdhsa_kernel
