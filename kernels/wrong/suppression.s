; Two reads of LDS that nothing was written to. The first is allowed, the second without a reason.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
suppression:
	v_lshlrev_b32_e32 v1, 2, v0
	; wavesim: allow lds-uninitialised: the values are thrown away, only the time counts
	ds_read_b32 v2, v1
	ds_read_b32 v3, v1 offset:1024   ; wavesim: allow lds-uninitialised
	s_endpgm
	.amdhsa_kernel suppression
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
		.amdhsa_group_segment_fixed_size 2048
	.end_amdhsa_kernel
