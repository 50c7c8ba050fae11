; Part of a foreign kernel: no launch, no arguments, an LDS tile that other code filled, and an instruction
; that no gfx950 has. docs/unknowns.md times and checks it all the same.
	.amdgcn_target "amdgcn-amd-amdhsa--gfx950"
	.text
	.globl	piece
	.p2align	8
	.type	piece,@function
piece:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	s_load_dword s6, s[0:1], 0x8
	v_and_b32_e32 v1, 15, v0                ; row of the fragment
	v_lshrrev_b32_e32 v2, 4, v0
	v_lshlrev_b32_e32 v1, 7, v1             ; 128 bytes from row to row
	v_lshl_or_b32 v1, v2, 4, v1
	v_mov_b32_e32 v3, 0
	s_waitcnt lgkmcnt(0)
.Lloop:
	ds_read_b128 v[8:11], v1
	ds_read_b128 v[12:15], v1 offset:2048
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_16x16x32_bf16 v[16:19], v[8:11], v[12:15], 0
	s_nop 7
	v_max3_f32 v3, v16, v17, v3
	v_softcap_f32 v20, v16, v3              ; not an instruction of gfx950
	v_exp_f32_e32 v21, v20
	global_store_dword v1, v21, s[4:5]
	s_sub_u32 s6, s6, 1
	s_cmp_lg_u32 s6, 0
	s_cbranch_scc1 .Lloop
.Ldone:
	s_endpgm
.Lend:
	.size	piece, .Lend-piece
	.section	.rodata,"a",@progbits
	.p2align	6
	.amdhsa_kernel piece
		.amdhsa_group_segment_fixed_size 4096
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_kernarg_size 12
		.amdhsa_next_free_vgpr 24
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 24
	.end_amdhsa_kernel
