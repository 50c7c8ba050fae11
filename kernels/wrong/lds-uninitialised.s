; Half of an LDS buffer is filled, all of it is read.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
lds_uninitialised:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_cmp_gt_u32_e32 vcc, 32, v0
	s_and_saveexec_b64 s[6:7], vcc
	ds_write_b32 v1, v0                      ; lanes 0 to 31 only
	s_mov_b64 exec, s[6:7]
	ds_read_b32 v2, v1                       ; lanes 32 to 63 read what nobody wrote
	s_waitcnt lgkmcnt(0)
	global_store_dword v1, v2, s[4:5]
	s_endpgm
	.amdhsa_kernel lds_uninitialised
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 256
	.end_amdhsa_kernel
