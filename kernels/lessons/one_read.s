; Lesson 1: one wave writes 8 bytes per lane to the LDS, reads them back, waits, and multiplies.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
one_read:
	v_lshlrev_b32_e32 v0, 3, v0              ; byte address: lane * 8
	v_mov_b32_e32 v2, 0x3f803f80             ; two bf16 ones
	v_mov_b32_e32 v3, 0x3f803f80
	ds_write_b64 v0, v[2:3]
	s_waitcnt lgkmcnt(0)
	ds_read_b64 v[4:5], v0
	s_waitcnt lgkmcnt(0)                     ; without this line v[4:5] are not there yet
	v_mfma_f32_32x32x8_bf16 a[0:15], v[4:5], v[4:5], 0
	s_endpgm
	.amdhsa_kernel one_read
		.amdhsa_next_free_vgpr 24
		.amdhsa_next_free_sgpr 8
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 512
	.end_amdhsa_kernel
