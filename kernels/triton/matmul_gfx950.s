; Compiled by Triton 3.9.0 from kernels.py here (debug information left out).
	.amdgcn_target "amdgpu9.50-amd-amdhsa-unknown-gfx950"
	.amdhsa_code_object_version 5
	.text
	.globl	matmul_kernel                   ; -- Begin function matmul_kernel
	.p2align	8
	.type	matmul_kernel,@function
matmul_kernel:                          ; @matmul_kernel
; %bb.90:
	s_load_dwordx8 s[8:15], s[4:5], 0x0
	s_waitcnt lgkmcnt(0)
	s_branch .LBB0_0
	.p2align	8
; %bb.91:
.LBB0_0:
	s_load_dwordx2 s[2:3], s[4:5], 0x20
	v_and_b32_e32 v80, 0x3ff, v0
	v_lshlrev_b32_e32 v5, 3, v80
	v_readfirstlane_b32 s0, v80
	v_and_b32_e32 v81, 32, v0
	s_bfe_u32 s22, s0, 0x20006
	v_and_b32_e32 v1, 64, v5
	v_and_b32_e32 v4, 16, v0
	v_lshrrev_b32_e32 v82, 1, v81
	s_lshl_b32 s16, s16, 7
	v_and_b32_e32 v85, 63, v0
	v_lshlrev_b32_e32 v83, 1, v4
	v_or3_b32 v0, v1, s22, v82
	s_waitcnt lgkmcnt(0)
	s_add_i32 s21, s2, 63
	v_or3_b32 v7, v0, v83, s16
	s_cmp_gt_i32 s21, 63
	v_mul_lo_u32 v0, s3, v7
	v_and_b32_e32 v86, 56, v5
	s_cselect_b64 s[0:1], -1, 0
	s_cmp_lt_i32 s21, 64
	v_ashrrev_i32_e32 v1, 31, v0
	s_cselect_b64 s[6:7], -1, 0
	v_cmp_le_i32_e32 vcc, s2, v86
	s_mul_i32 s20, s22, 0x410
	v_lshl_add_u64 v[2:3], v[0:1], 1, s[8:9]
	v_mov_b32_e32 v1, 0
	v_lshlrev_b32_e32 v0, 1, v86
	s_or_b64 s[6:7], vcc, s[6:7]
	v_lshl_add_u32 v6, v85, 4, s20
	s_and_saveexec_b64 s[18:19], s[6:7]
	s_xor_b64 s[18:19], exec, s[18:19]
; %bb.1:                                ; %.critedge144
	v_mov_b32_e32 v8, v1
	v_mov_b32_e32 v9, v1
	v_mov_b32_e32 v10, v1
	v_mov_b32_e32 v11, v1
	ds_write_b128 v6, v[8:11] offset:34752
; %bb.2:                                ; %Flow111
	s_or_saveexec_b64 s[18:19], s[18:19]
	v_lshl_add_u64 v[64:65], v[2:3], 0, v[0:1]
	s_xor_b64 exec, exec, s[18:19]
	s_cbranch_execz .LBB0_4
; %bb.3:
	s_add_i32 m0, s20, 0x87c0
	s_nop 0
	global_load_lds_dwordx4 v[64:65], off
.LBB0_4:
	s_or_b64 exec, exec, s[18:19]
	v_or_b32_e32 v1, 4, v7
	v_mul_lo_u32 v2, s3, v1
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[8:9]
	v_mov_b32_e32 v1, 0
	s_and_saveexec_b64 s[18:19], s[6:7]
	s_xor_b64 s[18:19], exec, s[18:19]
; %bb.5:                                ; %.critedge146
	v_mov_b32_e32 v8, v1
	v_mov_b32_e32 v9, v1
	v_mov_b32_e32 v10, v1
	v_mov_b32_e32 v11, v1
	ds_write_b128 v6, v[8:11] offset:38912
; %bb.6:                                ; %Flow110
	s_or_saveexec_b64 s[18:19], s[18:19]
	v_lshl_add_u64 v[66:67], v[2:3], 0, v[0:1]
	s_xor_b64 exec, exec, s[18:19]
	s_cbranch_execz .LBB0_8
; %bb.7:
	s_add_i32 m0, s20, 0x9800
	s_nop 0
	global_load_lds_dwordx4 v[66:67], off
.LBB0_8:
	s_or_b64 exec, exec, s[18:19]
	v_or_b32_e32 v1, 8, v7
	v_mul_lo_u32 v2, s3, v1
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[8:9]
	v_mov_b32_e32 v1, 0
	s_and_saveexec_b64 s[18:19], s[6:7]
	s_xor_b64 s[18:19], exec, s[18:19]
; %bb.9:                                ; %.critedge148
	v_mov_b32_e32 v8, v1
	v_mov_b32_e32 v9, v1
	v_mov_b32_e32 v10, v1
	v_mov_b32_e32 v11, v1
	ds_write_b128 v6, v[8:11] offset:43072
; %bb.10:                               ; %Flow109
	s_or_saveexec_b64 s[18:19], s[18:19]
	v_lshl_add_u64 v[68:69], v[2:3], 0, v[0:1]
	s_xor_b64 exec, exec, s[18:19]
	s_cbranch_execz .LBB0_12
; %bb.11:
	s_add_i32 m0, s20, 0xa840
	s_nop 0
	global_load_lds_dwordx4 v[68:69], off
.LBB0_12:
	s_or_b64 exec, exec, s[18:19]
	v_or_b32_e32 v1, 12, v7
	v_mul_lo_u32 v2, s3, v1
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[8:9]
	v_mov_b32_e32 v1, 0
	s_and_saveexec_b64 s[8:9], s[6:7]
	s_xor_b64 s[6:7], exec, s[8:9]
; %bb.13:                               ; %.critedge150
	v_mov_b32_e32 v8, v1
	v_mov_b32_e32 v9, v1
	v_mov_b32_e32 v10, v1
	v_mov_b32_e32 v11, v1
	ds_write_b128 v6, v[8:11] offset:47232
; %bb.14:                               ; %Flow108
	s_or_saveexec_b64 s[6:7], s[6:7]
	s_load_dword s23, s[4:5], 0x28
	v_lshl_add_u64 v[70:71], v[2:3], 0, v[0:1]
	s_xor_b64 exec, exec, s[6:7]
	s_cbranch_execz .LBB0_16
; %bb.15:
	s_add_i32 m0, s20, 0xb880
	s_nop 0
	global_load_lds_dwordx4 v[70:71], off
.LBB0_16:
	s_or_b64 exec, exec, s[6:7]
	v_and_or_b32 v92, v80, 48, s22
	v_and_b32_e32 v84, 15, v80
	s_lshl_b32 s3, s17, 7
	s_waitcnt lgkmcnt(0)
	v_mul_lo_u32 v2, v92, s23
	v_lshl_or_b32 v0, v84, 3, s3
	v_ashrrev_i32_e32 v3, 31, v2
	v_cmp_le_i32_e32 vcc, s2, v92
	s_xor_b64 s[6:7], s[0:1], -1
	s_mul_i32 s19, s22, 0x440
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[10:11]
	v_ashrrev_i32_e32 v1, 31, v0
	s_or_b64 s[6:7], s[6:7], vcc
	v_lshl_add_u32 v6, v85, 4, s19
	; asyncmark
	s_and_saveexec_b64 s[8:9], s[6:7]
	s_xor_b64 s[8:9], exec, s[8:9]
; %bb.17:                               ; %.critedge152
	v_mov_b32_e32 v8, 0
	v_mov_b32_e32 v9, v8
	v_mov_b32_e32 v10, v8
	v_mov_b32_e32 v11, v8
	ds_write_b128 v6, v[8:11]
; %bb.18:                               ; %Flow106
	s_or_saveexec_b64 s[8:9], s[8:9]
	v_lshl_add_u64 v[72:73], v[0:1], 1, v[2:3]
	s_xor_b64 exec, exec, s[8:9]
	s_cbranch_execz .LBB0_20
; %bb.19:
	s_mov_b32 m0, s19
	s_nop 0
	global_load_lds_dwordx4 v[72:73], off
.LBB0_20:
	s_or_b64 exec, exec, s[8:9]
	v_or_b32_e32 v2, 4, v92
	v_mul_lo_u32 v2, v2, s23
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[10:11]
	s_and_saveexec_b64 s[8:9], s[6:7]
	s_xor_b64 s[8:9], exec, s[8:9]
; %bb.21:                               ; %.critedge154
	v_mov_b32_e32 v8, 0
	v_mov_b32_e32 v9, v8
	v_mov_b32_e32 v10, v8
	v_mov_b32_e32 v11, v8
	ds_write_b128 v6, v[8:11] offset:4352
; %bb.22:                               ; %Flow105
	s_or_saveexec_b64 s[8:9], s[8:9]
	v_lshl_add_u64 v[74:75], v[0:1], 1, v[2:3]
	s_xor_b64 exec, exec, s[8:9]
	s_cbranch_execz .LBB0_24
; %bb.23:
	s_add_i32 m0, s19, 0x1100
	s_nop 0
	global_load_lds_dwordx4 v[74:75], off
.LBB0_24:
	s_or_b64 exec, exec, s[8:9]
	v_or_b32_e32 v2, 8, v92
	v_mul_lo_u32 v2, v2, s23
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[10:11]
	s_and_saveexec_b64 s[8:9], s[6:7]
	s_xor_b64 s[8:9], exec, s[8:9]
; %bb.25:                               ; %.critedge156
	v_mov_b32_e32 v8, 0
	v_mov_b32_e32 v9, v8
	v_mov_b32_e32 v10, v8
	v_mov_b32_e32 v11, v8
	ds_write_b128 v6, v[8:11] offset:8704
; %bb.26:                               ; %Flow104
	s_or_saveexec_b64 s[8:9], s[8:9]
	v_lshl_add_u64 v[76:77], v[0:1], 1, v[2:3]
	s_xor_b64 exec, exec, s[8:9]
	s_cbranch_execz .LBB0_28
; %bb.27:
	s_add_i32 m0, s19, 0x2200
	s_nop 0
	global_load_lds_dwordx4 v[76:77], off
.LBB0_28:
	s_or_b64 exec, exec, s[8:9]
	v_or_b32_e32 v2, 12, v92
	v_mul_lo_u32 v2, v2, s23
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[10:11]
	s_and_saveexec_b64 s[8:9], s[6:7]
	s_xor_b64 s[6:7], exec, s[8:9]
; %bb.29:                               ; %.critedge158
	v_mov_b32_e32 v8, 0
	v_mov_b32_e32 v9, v8
	v_mov_b32_e32 v10, v8
	v_mov_b32_e32 v11, v8
	ds_write_b128 v6, v[8:11] offset:13056
; %bb.30:                               ; %Flow103
	s_or_saveexec_b64 s[6:7], s[6:7]
	v_lshl_add_u64 v[78:79], v[0:1], 1, v[2:3]
	s_xor_b64 exec, exec, s[6:7]
	s_cbranch_execz .LBB0_32
; %bb.31:
	s_add_i32 m0, s19, 0x3300
	s_nop 0
	global_load_lds_dwordx4 v[78:79], off
.LBB0_32:
	s_or_b64 exec, exec, s[6:7]
	s_lshl_b32 s8, s22, 6
	s_cmpk_gt_i32 s21, 0x7f
	v_lshlrev_b32_e32 v0, 8, v80
	v_and_b32_e32 v89, 24, v5
	; asyncmark
	s_cbranch_scc1 .LBB0_34
; %bb.33:                               ; %.._crit_edge_crit_edge
	v_and_b32_e32 v90, 0x2c00, v0
	v_lshrrev_b32_e32 v91, 4, v90
	s_mov_b64 s[6:7], 0
	s_branch .LBB0_35
.LBB0_34:
	s_mov_b64 s[6:7], -1
                                        ; implicit-def: $vgpr90
                                        ; implicit-def: $vgpr91
.LBB0_35:                               ; %Flow101
	s_and_b32 s18, s8, 0x80
	s_and_b32 s17, s8, 64
	s_and_b64 s[6:7], s[6:7], exec
	s_cselect_b32 s6, 1, 0
	s_cmp_lg_u32 s6, 1
	v_lshlrev_b32_e32 v87, 5, v4
	v_lshlrev_b32_e32 v88, 4, v84
	s_cbranch_scc1 .LBB0_70
; %bb.36:                               ; %.lr.ph
	s_ashr_i32 s6, s21, 31
	s_lshr_b32 s6, s6, 26
	s_add_i32 s21, s21, s6
	s_ashr_i32 s8, s21, 6
	s_lshl_b32 s6, s23, 6
	v_and_b32_e32 v90, 0x2c00, v0
	s_max_i32 s22, s8, 2
	v_mov_b32_e32 v96, 0
	s_ashr_i32 s7, s6, 31
	v_lshlrev_b32_e32 v93, 10, v84
	s_lshl_b32 s21, s18, 1
	v_lshrrev_b32_e32 v91, 4, v90
	s_mov_b32 s28, 0
	s_mov_b32 s24, 0x87c0
	s_add_i32 s22, s22, -2
	s_mov_b64 s[8:9], 0x80
	v_mov_b32_e32 v97, v96
	v_mov_b32_e32 v98, v96
	v_mov_b32_e32 v99, v96
	s_mov_b32 s23, 0
	v_mov_b32_e32 v48, v96
	v_mov_b32_e32 v49, v96
	v_mov_b32_e32 v50, v96
	v_mov_b32_e32 v51, v96
	v_mov_b32_e32 v52, v96
	v_mov_b32_e32 v53, v96
	v_mov_b32_e32 v54, v96
	v_mov_b32_e32 v55, v96
	v_mov_b32_e32 v56, v96
	v_mov_b32_e32 v57, v96
	v_mov_b32_e32 v58, v96
	v_mov_b32_e32 v59, v96
	v_mov_b32_e32 v60, v96
	v_mov_b32_e32 v61, v96
	v_mov_b32_e32 v62, v96
	v_mov_b32_e32 v63, v96
	v_mov_b32_e32 v32, v96
	v_mov_b32_e32 v33, v96
	v_mov_b32_e32 v34, v96
	v_mov_b32_e32 v35, v96
	v_mov_b32_e32 v36, v96
	v_mov_b32_e32 v37, v96
	v_mov_b32_e32 v38, v96
	v_mov_b32_e32 v39, v96
	v_mov_b32_e32 v40, v96
	v_mov_b32_e32 v41, v96
	v_mov_b32_e32 v42, v96
	v_mov_b32_e32 v43, v96
	v_mov_b32_e32 v44, v96
	v_mov_b32_e32 v45, v96
	v_mov_b32_e32 v46, v96
	v_mov_b32_e32 v47, v96
	v_mov_b32_e32 v16, v96
	v_mov_b32_e32 v17, v96
	v_mov_b32_e32 v18, v96
	v_mov_b32_e32 v19, v96
	v_mov_b32_e32 v20, v96
	v_mov_b32_e32 v21, v96
	v_mov_b32_e32 v22, v96
	v_mov_b32_e32 v23, v96
	v_mov_b32_e32 v24, v96
	v_mov_b32_e32 v25, v96
	v_mov_b32_e32 v26, v96
	v_mov_b32_e32 v27, v96
	v_mov_b32_e32 v28, v96
	v_mov_b32_e32 v29, v96
	v_mov_b32_e32 v30, v96
	v_mov_b32_e32 v31, v96
	v_mov_b32_e32 v0, v96
	v_mov_b32_e32 v1, v96
	v_mov_b32_e32 v2, v96
	v_mov_b32_e32 v3, v96
	v_mov_b32_e32 v4, v96
	v_mov_b32_e32 v5, v96
	v_mov_b32_e32 v6, v96
	v_mov_b32_e32 v7, v96
	v_mov_b32_e32 v8, v96
	v_mov_b32_e32 v9, v96
	v_mov_b32_e32 v10, v96
	v_mov_b32_e32 v11, v96
	v_mov_b32_e32 v12, v96
	v_mov_b32_e32 v13, v96
	v_mov_b32_e32 v14, v96
	v_mov_b32_e32 v15, v96
	s_mov_b32 s26, 0
	s_branch .LBB0_38
.LBB0_37:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_add_i32 s10, s28, s17
	v_add3_u32 v94, s10, v90, v89
	v_add3_u32 v94, v94, v83, v91
	; asyncmark
	ds_read_b64_tr_b16 v[134:135], v94 offset:4352
	ds_read_b64_tr_b16 v[132:133], v94
	ds_read_b64_tr_b16 v[136:137], v94 offset:256
	ds_read_b64_tr_b16 v[140:141], v94 offset:384
	ds_read_b64_tr_b16 v[144:145], v94 offset:128
	ds_read_b64_tr_b16 v[142:143], v94 offset:4736
	ds_read_b64_tr_b16 v[146:147], v94 offset:4480
	s_waitcnt lgkmcnt(5)
	v_mfma_f32_32x32x16_bf16 v[48:63], v[132:135], v[128:131], v[48:63]
	ds_read_b64_tr_b16 v[138:139], v94 offset:4608
	ds_read_b64_tr_b16 v[150:151], v94 offset:4864
	ds_read_b64_tr_b16 v[148:149], v94 offset:512
	ds_read_b64_tr_b16 v[152:153], v94 offset:768
	ds_read_b64_tr_b16 v[156:157], v94 offset:896
	ds_read_b64_tr_b16 v[160:161], v94 offset:640
	ds_read_b64_tr_b16 v[158:159], v94 offset:5248
	ds_read_b64_tr_b16 v[162:163], v94 offset:4992
	ds_read_b64_tr_b16 v[154:155], v94 offset:5120
	s_add_i32 s24, s29, 0x87c0
	s_cmp_lg_u32 s26, s22
	s_mov_b32 s28, s25
	s_mov_b32 s26, s27
	s_waitcnt lgkmcnt(9)
	v_mfma_f32_32x32x16_bf16 v[32:47], v[144:147], v[128:131], v[32:47]
	v_mfma_f32_32x32x16_bf16 v[16:31], v[132:135], v[112:115], v[16:31]
	v_mfma_f32_32x32x16_bf16 v[0:15], v[144:147], v[112:115], v[0:15]
	s_waitcnt lgkmcnt(8)
	v_mfma_f32_32x32x16_bf16 v[48:63], v[136:139], v[124:127], v[48:63]
	v_mfma_f32_32x32x16_bf16 v[32:47], v[140:143], v[124:127], v[32:47]
	v_mfma_f32_32x32x16_bf16 v[16:31], v[136:139], v[108:111], v[16:31]
	v_mfma_f32_32x32x16_bf16 v[0:15], v[140:143], v[108:111], v[0:15]
	s_waitcnt lgkmcnt(6)
	v_mfma_f32_32x32x16_bf16 v[48:63], v[148:151], v[120:123], v[48:63]
	s_waitcnt lgkmcnt(1)
	v_mfma_f32_32x32x16_bf16 v[32:47], v[160:163], v[120:123], v[32:47]
	v_mfma_f32_32x32x16_bf16 v[16:31], v[148:151], v[104:107], v[16:31]
	v_mfma_f32_32x32x16_bf16 v[0:15], v[160:163], v[104:107], v[0:15]
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x16_bf16 v[48:63], v[152:155], v[116:119], v[48:63]
	v_mfma_f32_32x32x16_bf16 v[32:47], v[156:159], v[116:119], v[32:47]
	v_mfma_f32_32x32x16_bf16 v[16:31], v[152:155], v[100:103], v[16:31]
	v_mfma_f32_32x32x16_bf16 v[0:15], v[156:159], v[100:103], v[0:15]
	s_cbranch_scc0 .LBB0_71
.LBB0_38:                               ; =>This Inner Loop Header: Depth=1
	s_add_i32 s10, s23, 1
	s_cmp_lt_i32 s10, 2
	s_cselect_b32 s23, s10, 0
	s_add_i32 s27, s26, 1
	s_lshl_b32 s10, s27, 6
	s_lshl_b32 s30, s23, 13
	s_sub_i32 s25, s2, s10
	s_lshl_b32 s31, s23, 14
	s_lshr_b32 s10, s30, 5
	s_add_i32 s29, s31, s10
	s_add_i32 s33, s29, s20
	v_cmp_le_i32_e32 vcc, s25, v86
	v_lshl_add_u32 v94, v85, 4, s33
	; wait_asyncmark(0)
	s_waitcnt vmcnt(0) lgkmcnt(0)
	s_barrier
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_55
; %bb.39:                               ; %Flow99
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[64:65], v[64:65], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_56
.LBB0_40:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_57
.LBB0_41:                               ; %Flow98
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[66:67], v[66:67], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_58
.LBB0_42:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_59
.LBB0_43:                               ; %Flow97
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[68:69], v[68:69], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_60
.LBB0_44:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_61
.LBB0_45:                               ; %Flow96
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[70:71], v[70:71], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_47
.LBB0_46:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s33, 0xb880
	s_nop 0
	global_load_lds_dwordx4 v[70:71], off
.LBB0_47:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	v_add_u32_e32 v94, s24, v93
	v_add3_u32 v94, v94, v87, v82
	v_add3_u32 v94, v94, s21, v88
	; asyncmark
	ds_read_b128 v[128:131], v94
	ds_read_b128 v[124:127], v94 offset:32
	ds_read_b128 v[120:123], v94 offset:64
	ds_read_b128 v[116:119], v94 offset:96
	ds_read_b128 v[112:115], v94 offset:128
	ds_read_b128 v[108:111], v94 offset:160
	ds_read_b128 v[104:107], v94 offset:192
	ds_read_b128 v[100:103], v94 offset:224
	s_lshr_b32 s10, s30, 3
	v_cmp_le_i32_e32 vcc, s25, v92
	s_add_i32 s25, s31, s10
	s_add_i32 s24, s25, s19
	v_lshl_add_u32 v94, v85, 4, s24
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_62
; %bb.48:                               ; %Flow95
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[72:73], s[6:7], 1, v[72:73]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_63
.LBB0_49:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_64
.LBB0_50:                               ; %Flow94
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[74:75], s[6:7], 1, v[74:75]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_65
.LBB0_51:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_66
.LBB0_52:                               ; %Flow93
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[76:77], s[6:7], 1, v[76:77]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_67
.LBB0_53:                               ;   in Loop: Header=BB0_38 Depth=1
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execnz .LBB0_68
.LBB0_54:                               ; %Flow
                                        ;   in Loop: Header=BB0_38 Depth=1
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[78:79], s[6:7], 1, v[78:79]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_37
	s_branch .LBB0_69
.LBB0_55:                               ; %.critedge160
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:34752
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[64:65], v[64:65], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_40
.LBB0_56:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s33, 0x87c0
	s_nop 0
	global_load_lds_dwordx4 v[64:65], off
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execz .LBB0_41
.LBB0_57:                               ; %.critedge162
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:38912
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[66:67], v[66:67], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_42
.LBB0_58:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s33, 0x9800
	s_nop 0
	global_load_lds_dwordx4 v[66:67], off
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execz .LBB0_43
.LBB0_59:                               ; %.critedge164
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:43072
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[68:69], v[68:69], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_44
.LBB0_60:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s33, 0xa840
	s_nop 0
	global_load_lds_dwordx4 v[68:69], off
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execz .LBB0_45
.LBB0_61:                               ; %.critedge166
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:47232
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[70:71], v[70:71], 0, s[8:9]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execnz .LBB0_46
	s_branch .LBB0_47
.LBB0_62:                               ; %.critedge168
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99]
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[72:73], s[6:7], 1, v[72:73]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_49
.LBB0_63:                               ;   in Loop: Header=BB0_38 Depth=1
	s_mov_b32 m0, s24
	s_nop 0
	global_load_lds_dwordx4 v[72:73], off
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execz .LBB0_50
.LBB0_64:                               ; %.critedge170
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:4352
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[74:75], s[6:7], 1, v[74:75]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_51
.LBB0_65:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s24, 0x1100
	s_nop 0
	global_load_lds_dwordx4 v[74:75], off
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execz .LBB0_52
.LBB0_66:                               ; %.critedge172
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:8704
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[76:77], s[6:7], 1, v[76:77]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_53
.LBB0_67:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s24, 0x2200
	s_nop 0
	global_load_lds_dwordx4 v[76:77], off
	s_or_b64 exec, exec, s[10:11]
	s_and_saveexec_b64 s[10:11], vcc
	s_xor_b64 s[10:11], exec, s[10:11]
	s_cbranch_execz .LBB0_54
.LBB0_68:                               ; %.critedge174
                                        ;   in Loop: Header=BB0_38 Depth=1
	ds_write_b128 v94, v[96:99] offset:13056
	s_or_saveexec_b64 s[10:11], s[10:11]
	v_lshl_add_u64 v[78:79], s[6:7], 1, v[78:79]
	s_xor_b64 exec, exec, s[10:11]
	s_cbranch_execz .LBB0_37
.LBB0_69:                               ;   in Loop: Header=BB0_38 Depth=1
	s_add_i32 m0, s24, 0x3300
	s_nop 0
	global_load_lds_dwordx4 v[78:79], off
	s_branch .LBB0_37
.LBB0_70:
	v_mov_b32_e32 v15, 0
	s_mov_b32 s25, 0
	s_mov_b32 s24, 0x87c0
	v_mov_b32_e32 v14, v15
	v_mov_b32_e32 v13, v15
	v_mov_b32_e32 v12, v15
	v_mov_b32_e32 v11, v15
	v_mov_b32_e32 v10, v15
	v_mov_b32_e32 v9, v15
	v_mov_b32_e32 v8, v15
	v_mov_b32_e32 v7, v15
	v_mov_b32_e32 v6, v15
	v_mov_b32_e32 v5, v15
	v_mov_b32_e32 v4, v15
	v_mov_b32_e32 v3, v15
	v_mov_b32_e32 v2, v15
	v_mov_b32_e32 v1, v15
	v_mov_b32_e32 v0, v15
	v_mov_b32_e32 v31, v15
	v_mov_b32_e32 v30, v15
	v_mov_b32_e32 v29, v15
	v_mov_b32_e32 v28, v15
	v_mov_b32_e32 v27, v15
	v_mov_b32_e32 v26, v15
	v_mov_b32_e32 v25, v15
	v_mov_b32_e32 v24, v15
	v_mov_b32_e32 v23, v15
	v_mov_b32_e32 v22, v15
	v_mov_b32_e32 v21, v15
	v_mov_b32_e32 v20, v15
	v_mov_b32_e32 v19, v15
	v_mov_b32_e32 v18, v15
	v_mov_b32_e32 v17, v15
	v_mov_b32_e32 v16, v15
	v_mov_b32_e32 v47, v15
	v_mov_b32_e32 v46, v15
	v_mov_b32_e32 v45, v15
	v_mov_b32_e32 v44, v15
	v_mov_b32_e32 v43, v15
	v_mov_b32_e32 v42, v15
	v_mov_b32_e32 v41, v15
	v_mov_b32_e32 v40, v15
	v_mov_b32_e32 v39, v15
	v_mov_b32_e32 v38, v15
	v_mov_b32_e32 v37, v15
	v_mov_b32_e32 v36, v15
	v_mov_b32_e32 v35, v15
	v_mov_b32_e32 v34, v15
	v_mov_b32_e32 v33, v15
	v_mov_b32_e32 v32, v15
	v_mov_b32_e32 v63, v15
	v_mov_b32_e32 v62, v15
	v_mov_b32_e32 v61, v15
	v_mov_b32_e32 v60, v15
	v_mov_b32_e32 v59, v15
	v_mov_b32_e32 v58, v15
	v_mov_b32_e32 v57, v15
	v_mov_b32_e32 v56, v15
	v_mov_b32_e32 v55, v15
	v_mov_b32_e32 v54, v15
	v_mov_b32_e32 v53, v15
	v_mov_b32_e32 v52, v15
	v_mov_b32_e32 v51, v15
	v_mov_b32_e32 v50, v15
	v_mov_b32_e32 v49, v15
	v_mov_b32_e32 v48, v15
.LBB0_71:                               ; %Flow102
	s_add_i32 s2, s25, s17
	v_add3_u32 v64, s2, v90, v89
	v_add3_u32 v78, v64, v83, v91
	; wait_asyncmark(0)
	s_waitcnt vmcnt(0) lgkmcnt(0)
	s_barrier
	ds_read_b64_tr_b16 v[94:95], v78
	ds_read_b64_tr_b16 v[90:91], v78 offset:256
	ds_read_b64_tr_b16 v[64:65], v78 offset:384
	ds_read_b64_tr_b16 v[68:69], v78 offset:128
	ds_read_b64_tr_b16 v[96:97], v78 offset:4352
	ds_read_b64_tr_b16 v[92:93], v78 offset:4608
	ds_read_b64_tr_b16 v[66:67], v78 offset:4736
	ds_read_b64_tr_b16 v[70:71], v78 offset:4480
	ds_read_b64_tr_b16 v[102:103], v78 offset:512
	ds_read_b64_tr_b16 v[98:99], v78 offset:768
	ds_read_b64_tr_b16 v[72:73], v78 offset:896
	ds_read_b64_tr_b16 v[76:77], v78 offset:640
	ds_read_b64_tr_b16 v[104:105], v78 offset:4864
	ds_read_b64_tr_b16 v[100:101], v78 offset:5120
	ds_read_b64_tr_b16 v[74:75], v78 offset:5248
	ds_read_b64_tr_b16 v[78:79], v78 offset:4992
	s_load_dword s8, s[4:5], 0x2c
	s_and_b64 s[0:1], s[0:1], exec
	s_cselect_b32 s0, 1, 0
	s_cmp_lg_u32 s0, 1
	s_cbranch_scc1 .LBB0_73
; %bb.72:
	v_lshl_add_u32 v83, v84, 10, s24
	s_lshl_b32 s0, s18, 1
	v_add3_u32 v82, v83, v87, v82
	v_add3_u32 v82, v82, s0, v88
	ds_read_b128 v[84:87], v82
	ds_read_b128 v[106:109], v82 offset:32
	ds_read_b128 v[110:113], v82 offset:64
	ds_read_b128 v[114:117], v82 offset:96
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x16_bf16 v[48:63], v[94:97], v[84:87], v[48:63]
	v_mfma_f32_32x32x16_bf16 v[32:47], v[68:71], v[84:87], v[32:47]
	ds_read_b128 v[84:87], v82 offset:128
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x16_bf16 v[16:31], v[94:97], v[84:87], v[16:31]
	ds_read_b128 v[94:97], v82 offset:160
	v_mfma_f32_32x32x16_bf16 v[0:15], v[68:71], v[84:87], v[0:15]
	v_mfma_f32_32x32x16_bf16 v[48:63], v[90:93], v[106:109], v[48:63]
	v_mfma_f32_32x32x16_bf16 v[32:47], v[64:67], v[106:109], v[32:47]
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x16_bf16 v[16:31], v[90:93], v[94:97], v[16:31]
	ds_read_b128 v[88:91], v82 offset:192
	v_mfma_f32_32x32x16_bf16 v[0:15], v[64:67], v[94:97], v[0:15]
	v_mfma_f32_32x32x16_bf16 v[48:63], v[102:105], v[110:113], v[48:63]
	v_mfma_f32_32x32x16_bf16 v[32:47], v[76:79], v[110:113], v[32:47]
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x16_bf16 v[16:31], v[102:105], v[88:91], v[16:31]
	ds_read_b128 v[102:105], v82 offset:224
	v_mfma_f32_32x32x16_bf16 v[0:15], v[76:79], v[88:91], v[0:15]
	v_mfma_f32_32x32x16_bf16 v[48:63], v[98:101], v[114:117], v[48:63]
	v_mfma_f32_32x32x16_bf16 v[32:47], v[72:75], v[114:117], v[32:47]
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x16_bf16 v[16:31], v[98:101], v[102:105], v[16:31]
	v_mfma_f32_32x32x16_bf16 v[0:15], v[72:75], v[102:105], v[0:15]
.LBB0_73:                               ; %._crit_edge._crit_edge
	s_lshr_b32 s0, s18, 2
	s_waitcnt lgkmcnt(0)
	v_and_or_b32 v64, v80, 31, s0
	v_lshrrev_b32_e32 v65, 3, v81
	s_lshr_b32 s0, s17, 1
	v_or_b32_e32 v68, s16, v64
	v_or_b32_e32 v65, s0, v65
	v_mul_lo_u32 v66, v68, s8
	v_or_b32_e32 v64, s3, v65
	v_ashrrev_i32_e32 v67, 31, v66
	v_lshl_add_u64 v[66:67], v[66:67], 2, s[12:13]
	v_ashrrev_i32_e32 v65, 31, v64
	v_cmp_gt_i32_e64 s[6:7], s14, v68
	v_cmp_gt_i32_e32 vcc, s15, v64
	v_lshl_add_u64 v[66:67], v[64:65], 2, v[66:67]
	s_and_b64 s[2:3], s[6:7], vcc
	s_and_saveexec_b64 s[0:1], s[2:3]
	s_cbranch_execz .LBB0_75
; %bb.74:
	global_store_dwordx4 v[66:67], v[48:51], off
	global_store_dwordx4 v[66:67], v[52:55], off offset:32
.LBB0_75:                               ; %.critedge
	s_or_b64 exec, exec, s[0:1]
	v_or_b32_e32 v48, 16, v64
	v_cmp_gt_i32_e64 s[0:1], s15, v48
	s_and_b64 s[4:5], s[6:7], s[0:1]
	s_and_saveexec_b64 s[2:3], s[4:5]
	s_cbranch_execz .LBB0_77
; %bb.76:
	global_store_dwordx4 v[66:67], v[56:59], off offset:64
	global_store_dwordx4 v[66:67], v[60:63], off offset:96
.LBB0_77:                               ; %.critedge2
	s_or_b64 exec, exec, s[2:3]
	v_or_b32_e32 v48, 64, v64
	v_cmp_gt_i32_e64 s[2:3], s15, v48
	s_and_b64 s[10:11], s[6:7], s[2:3]
	s_and_saveexec_b64 s[4:5], s[10:11]
	s_cbranch_execz .LBB0_79
; %bb.78:
	global_store_dwordx4 v[66:67], v[32:35], off offset:256
	global_store_dwordx4 v[66:67], v[36:39], off offset:288
.LBB0_79:                               ; %.critedge4
	s_or_b64 exec, exec, s[4:5]
	v_or_b32_e32 v32, 0x50, v64
	v_cmp_gt_i32_e64 s[4:5], s15, v32
	s_and_b64 s[10:11], s[6:7], s[4:5]
	s_and_saveexec_b64 s[6:7], s[10:11]
	s_cbranch_execz .LBB0_81
; %bb.80:
	global_store_dwordx4 v[66:67], v[40:43], off offset:320
	global_store_dwordx4 v[66:67], v[44:47], off offset:352
.LBB0_81:                               ; %.critedge6
	s_or_b64 exec, exec, s[6:7]
	v_or_b32_e32 v34, 64, v68
	v_mul_lo_u32 v32, v34, s8
	v_ashrrev_i32_e32 v33, 31, v32
	v_lshl_add_u64 v[32:33], v[32:33], 2, s[12:13]
	v_cmp_gt_i32_e64 s[6:7], s14, v34
	v_lshl_add_u64 v[32:33], v[64:65], 2, v[32:33]
	s_and_b64 s[10:11], vcc, s[6:7]
	s_and_saveexec_b64 s[8:9], s[10:11]
	s_cbranch_execnz .LBB0_86
; %bb.82:                               ; %.critedge8
	s_or_b64 exec, exec, s[8:9]
	s_and_b64 s[8:9], s[6:7], s[0:1]
	s_and_saveexec_b64 s[0:1], s[8:9]
	s_cbranch_execnz .LBB0_87
.LBB0_83:                               ; %.critedge10
	s_or_b64 exec, exec, s[0:1]
	s_and_b64 s[2:3], s[6:7], s[2:3]
	s_and_saveexec_b64 s[0:1], s[2:3]
	s_cbranch_execnz .LBB0_88
.LBB0_84:                               ; %.critedge12
	s_or_b64 exec, exec, s[0:1]
	s_and_b64 s[0:1], s[6:7], s[4:5]
	s_and_saveexec_b64 s[2:3], s[0:1]
	s_cbranch_execnz .LBB0_89
.LBB0_85:                               ; %.critedge14
	s_endpgm
.LBB0_86:
	global_store_dwordx4 v[32:33], v[16:19], off
	global_store_dwordx4 v[32:33], v[20:23], off offset:32
	s_or_b64 exec, exec, s[8:9]
	s_and_b64 s[8:9], s[6:7], s[0:1]
	s_and_saveexec_b64 s[0:1], s[8:9]
	s_cbranch_execz .LBB0_83
.LBB0_87:
	global_store_dwordx4 v[32:33], v[24:27], off offset:64
	global_store_dwordx4 v[32:33], v[28:31], off offset:96
	s_or_b64 exec, exec, s[0:1]
	s_and_b64 s[2:3], s[6:7], s[2:3]
	s_and_saveexec_b64 s[0:1], s[2:3]
	s_cbranch_execz .LBB0_84
.LBB0_88:
	global_store_dwordx4 v[32:33], v[0:3], off offset:256
	global_store_dwordx4 v[32:33], v[4:7], off offset:288
	s_or_b64 exec, exec, s[0:1]
	s_and_b64 s[0:1], s[6:7], s[4:5]
	s_and_saveexec_b64 s[2:3], s[0:1]
	s_cbranch_execz .LBB0_85
.LBB0_89:
	global_store_dwordx4 v[32:33], v[8:11], off offset:320
	global_store_dwordx4 v[32:33], v[12:15], off offset:352
	s_endpgm
	.size	matmul_kernel, .Lfunc_end0-matmul_kernel
	.section	.rodata,"a",@progbits
	.p2align	6, 0x0
	.amdhsa_kernel matmul_kernel
		.amdhsa_group_segment_fixed_size 0
		.amdhsa_private_segment_fixed_size 0
		.amdhsa_kernarg_size 320
		.amdhsa_user_sgpr_count 16
		.amdhsa_user_sgpr_dispatch_ptr 1
		.amdhsa_user_sgpr_queue_ptr 1
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_dispatch_id 1
		.amdhsa_user_sgpr_kernarg_preload_length 8
		.amdhsa_user_sgpr_kernarg_preload_offset 0
		.amdhsa_user_sgpr_private_segment_size 0
		.amdhsa_uses_dynamic_stack 0
		.amdhsa_enable_private_segment 0
		.amdhsa_system_sgpr_workgroup_id_x 1
		.amdhsa_system_sgpr_workgroup_id_y 1
		.amdhsa_system_sgpr_workgroup_id_z 1
		.amdhsa_system_sgpr_workgroup_info 0
		.amdhsa_system_vgpr_workitem_id 2
		.amdhsa_next_free_vgpr 164
		.amdhsa_next_free_sgpr 34
		.amdhsa_accum_offset 164
		.amdhsa_reserve_vcc 1
		.amdhsa_reserve_xnack_mask 1
		.amdhsa_float_round_mode_32 0
		.amdhsa_float_round_mode_16_64 0
		.amdhsa_float_denorm_mode_32 3
		.amdhsa_float_denorm_mode_16_64 3
		.amdhsa_dx10_clamp 1
		.amdhsa_ieee_mode 1
		.amdhsa_fp16_overflow 0
		.amdhsa_tg_split 0
		.amdhsa_exception_fp_ieee_invalid_op 0
		.amdhsa_exception_fp_denorm_src 0
		.amdhsa_exception_fp_ieee_div_zero 0
		.amdhsa_exception_fp_ieee_overflow 0
		.amdhsa_exception_fp_ieee_underflow 0
		.amdhsa_exception_fp_ieee_inexact 0
		.amdhsa_exception_int_div_zero 0
	.end_amdhsa_kernel
	.text
                                        ; -- End function
	.set .Lmatmul_kernel.num_vgpr, 164
	.set .Lmatmul_kernel.num_agpr, 0
	.set .Lmatmul_kernel.numbered_sgpr, 34
	.set .Lmatmul_kernel.num_named_barrier, 0
	.set .Lmatmul_kernel.private_seg_size, 0
	.set .Lmatmul_kernel.uses_vcc, 1
	.set .Lmatmul_kernel.uses_flat_scratch, 0
	.set .Lmatmul_kernel.has_dyn_sized_stack, 0
	.set .Lmatmul_kernel.has_recursion, 0
	.set .Lmatmul_kernel.has_indirect_call, 0
	.section	.AMDGPU.csdata,"",@progbits
; Kernel info:
; codeLenInByte = 4124
; TotalNumSgprs: 40
; NumVgprs: 164
; NumAgprs: 0
; TotalNumVgprs: 164
; ScratchSize: 0
; MemoryBound: 0
; FloatMode: 240
; IeeeMode: 1
; LDSByteSize: 0 bytes/workgroup (compile time only)
; SGPRBlocks: 4
; VGPRBlocks: 20
; NumSGPRsForWavesPerEU: 40
; NumVGPRsForWavesPerEU: 164
; AccumOffset: 164
; Occupancy: 3
; WaveLimiterHint : 0
; COMPUTE_PGM_RSRC2:SCRATCH_EN: 0
; COMPUTE_PGM_RSRC2:USER_SGPR: 16
; COMPUTE_PGM_RSRC2:TRAP_HANDLER: 0
; COMPUTE_PGM_RSRC2:TGID_X_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Y_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Z_EN: 1
; COMPUTE_PGM_RSRC2:TIDIG_COMP_CNT: 2
; COMPUTE_PGM_RSRC3_GFX90A:ACCUM_OFFSET: 40
; COMPUTE_PGM_RSRC3_GFX90A:TG_SPLIT: 0
	.text
	.p2alignl 6, 3212836864
	.fill 256, 4, 3212836864
	.section	.AMDGPU.gpr_maximums,"",@progbits
	.set amdgpu.max_num_vgpr, 0
	.set amdgpu.max_num_agpr, 0
	.set amdgpu.max_num_sgpr, 0
	.set amdgpu.max_num_named_barrier, 0
	.text
	.section	".note.GNU-stack","",@progbits
	.amdgpu_metadata
---
amdhsa.kernels:
  - .agpr_count:     0
    .args:
      - .address_space:  global
        .offset:         0
        .size:           8
        .value_kind:     global_buffer
      - .address_space:  global
        .offset:         8
        .size:           8
        .value_kind:     global_buffer
      - .address_space:  global
        .offset:         16
        .size:           8
        .value_kind:     global_buffer
      - .offset:         24
        .size:           4
        .value_kind:     by_value
      - .offset:         28
        .size:           4
        .value_kind:     by_value
      - .offset:         32
        .size:           4
        .value_kind:     by_value
      - .offset:         36
        .size:           4
        .value_kind:     by_value
      - .offset:         40
        .size:           4
        .value_kind:     by_value
      - .offset:         44
        .size:           4
        .value_kind:     by_value
      - .address_space:  global
        .offset:         48
        .size:           8
        .value_kind:     global_buffer
      - .address_space:  global
        .offset:         56
        .size:           8
        .value_kind:     global_buffer
      - .offset:         64
        .size:           4
        .value_kind:     hidden_block_count_x
      - .offset:         68
        .size:           4
        .value_kind:     hidden_block_count_y
      - .offset:         72
        .size:           4
        .value_kind:     hidden_block_count_z
      - .offset:         76
        .size:           2
        .value_kind:     hidden_group_size_x
      - .offset:         78
        .size:           2
        .value_kind:     hidden_group_size_y
      - .offset:         80
        .size:           2
        .value_kind:     hidden_group_size_z
      - .offset:         82
        .size:           2
        .value_kind:     hidden_remainder_x
      - .offset:         84
        .size:           2
        .value_kind:     hidden_remainder_y
      - .offset:         86
        .size:           2
        .value_kind:     hidden_remainder_z
      - .offset:         104
        .size:           8
        .value_kind:     hidden_global_offset_x
      - .offset:         112
        .size:           8
        .value_kind:     hidden_global_offset_y
      - .offset:         120
        .size:           8
        .value_kind:     hidden_global_offset_z
      - .offset:         128
        .size:           2
        .value_kind:     hidden_grid_dims
      - .offset:         144
        .size:           8
        .value_kind:     hidden_hostcall_buffer
      - .offset:         152
        .size:           8
        .value_kind:     hidden_multigrid_sync_arg
      - .offset:         160
        .size:           8
        .value_kind:     hidden_heap_v1
      - .offset:         168
        .size:           8
        .value_kind:     hidden_default_queue
      - .offset:         176
        .size:           8
        .value_kind:     hidden_completion_action
      - .offset:         184
        .size:           4
        .value_kind:     hidden_dynamic_lds_size
      - .offset:         264
        .size:           8
        .value_kind:     hidden_queue_ptr
    .group_segment_fixed_size: 0
    .kernarg_segment_align: 8
    .kernarg_segment_size: 320
    .max_flat_workgroup_size: 256
    .name:           matmul_kernel
    .private_segment_fixed_size: 0
    .sgpr_count:     40
    .sgpr_spill_count: 0
    .symbol:         matmul_kernel.kd
    .uniform_work_group_size: 1
    .uses_dynamic_stack: false
    .vgpr_count:     164
    .vgpr_spill_count: 0
    .wavefront_size: 64
amdhsa.target:   amdgpu9.50-amd-amdhsa-unknown-gfx950
amdhsa.version:
  - 1
  - 2
...
	.end_amdgpu_metadata
