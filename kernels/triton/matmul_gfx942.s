; Compiled by Triton 3.9.0 from kernels.py here (debug information left out).
	.amdgcn_target "amdgpu9.42-amd-amdhsa-unknown-gfx942"
	.amdhsa_code_object_version 5
	.text
	.globl	matmul_kernel                   ; -- Begin function matmul_kernel
	.p2align	8
	.type	matmul_kernel,@function
matmul_kernel:                          ; @matmul_kernel
; %bb.36:
	s_load_dwordx2 s[2:3], s[0:1], 0x0
	s_load_dwordx8 s[4:11], s[0:1], 0x8
	s_load_dwordx4 s[12:15], s[0:1], 0x28
	s_waitcnt lgkmcnt(0)
	s_branch .LBB0_0
	.p2align	8
; %bb.37:
.LBB0_0:
	v_readfirstlane_b32 s21, v0
	s_and_b32 s23, s21, 0xc0
	v_and_b32_e32 v35, 63, v0
	v_or_b32_e32 v4, s23, v35
	s_lshl_b32 s18, s16, 6
	v_lshrrev_b32_e32 v2, 2, v4
	v_or_b32_e32 v2, s18, v2
	v_lshlrev_b32_e32 v1, 3, v0
	v_mul_lo_u32 v2, v2, s11
	s_add_i32 s22, s10, 31
	v_ashrrev_i32_e32 v3, 31, v2
	v_and_b32_e32 v28, 24, v1
	v_mov_b32_e32 v6, 0
	s_cmp_gt_i32 s22, 31
	v_lshl_add_u64 v[2:3], v[2:3], 1, s[2:3]
	v_lshlrev_b32_e32 v8, 1, v28
	v_mov_b32_e32 v9, v6
	s_cselect_b64 s[0:1], -1, 0
	v_cmp_gt_i32_e32 vcc, s10, v28
	v_lshl_add_u64 v[2:3], v[2:3], 0, v[8:9]
	s_and_b64 s[24:25], vcc, s[0:1]
	v_mov_b32_e32 v10, 0
	v_mov_b32_e32 v11, 0
	v_mov_b32_e32 v12, 0
	v_mov_b32_e32 v13, 0
	s_and_saveexec_b64 s[14:15], s[24:25]
	s_cbranch_execz .LBB0_2
; %bb.1:
	global_load_dwordx4 v[10:13], v[2:3], off
.LBB0_2:
	s_or_b64 exec, exec, s[14:15]
	v_lshrrev_b32_e32 v29, 3, v4
	v_and_b32_e32 v36, 56, v1
	s_lshl_b32 s19, s17, 6
	v_mul_lo_u32 v22, v29, s12
	v_or_b32_e32 v8, s19, v36
	v_ashrrev_i32_e32 v23, 31, v22
	v_lshl_add_u64 v[14:15], v[22:23], 1, s[4:5]
	v_ashrrev_i32_e32 v9, 31, v8
	v_cmp_gt_i32_e32 vcc, s10, v29
	v_lshl_add_u64 v[18:19], v[8:9], 1, v[14:15]
	s_and_b64 s[16:17], s[0:1], vcc
	v_mov_b32_e32 v7, 0
	v_mov_b32_e32 v8, 0
	v_mov_b32_e32 v9, 0
	s_and_saveexec_b64 s[14:15], s[16:17]
	s_cbranch_execz .LBB0_4
; %bb.3:
	global_load_dwordx4 v[6:9], v[18:19], off
.LBB0_4:
	s_or_b64 exec, exec, s[14:15]
	v_lshlrev_b32_e32 v4, 4, v4
	v_and_b32_e32 v5, 56, v0
	v_xor_b32_e32 v5, v4, v5
	s_and_b32 s20, s21, 0x80
	s_and_b32 s21, s21, 64
	v_add_u32_e32 v25, 0, v5
	v_xor_b32_e32 v5, 8, v5
	v_and_b32_e32 v1, 31, v0
	v_and_b32_e32 v24, 32, v0
	v_add_u32_e32 v26, 0, v5
	v_add_u32_e32 v27, 0, v4
	s_cmp_lt_i32 s22, 64
	s_waitcnt vmcnt(0)
	ds_write_b64 v25, v[10:11]
	ds_write_b64 v26, v[12:13]
	ds_write_b128 v27, v[6:9] offset:4096
	s_cbranch_scc1 .LBB0_21
; %bb.5:                                ; %.lr.ph
	s_sub_i32 s16, s10, 32
	v_lshl_add_u64 v[20:21], v[2:3], 0, 64
	v_cmp_gt_u32_e32 vcc, s16, v28
	v_mov_b32_e32 v38, 0
	v_mov_b32_e32 v42, 0
	v_mov_b32_e32 v43, 0
	v_mov_b32_e32 v44, 0
	v_mov_b32_e32 v45, 0
	s_and_saveexec_b64 s[14:15], vcc
	s_cbranch_execz .LBB0_7
; %bb.6:
	global_load_dwordx4 v[42:45], v[20:21], off
.LBB0_7:
	s_or_b64 exec, exec, s[14:15]
	v_lshlrev_b32_e32 v3, 2, v0
	v_and_b32_e32 v3, 56, v3
	v_lshrrev_b32_e32 v4, 2, v24
	s_lshl_b32 s14, s12, 5
	v_lshlrev_b32_e32 v2, 6, v1
	s_lshl_b32 s12, s20, 4
	v_xor_b32_e32 v3, v3, v4
	v_or3_b32 v2, s12, v2, v3
	v_xor_b32_e32 v3, 16, v2
	v_xor_b32_e32 v4, 32, v2
	v_xor_b32_e32 v5, 48, v2
	v_add_u32_e32 v31, 0, v2
	s_waitcnt lgkmcnt(0)
	s_barrier
	v_add_u32_e32 v32, 0, v3
	v_add_u32_e32 v33, 0, v4
	v_add_u32_e32 v34, 0, v5
	ds_read_b64 v[52:53], v31
	ds_read_b64 v[50:51], v32
	ds_read_b64 v[48:49], v33
	ds_read_b64 v[46:47], v34
	s_ashr_i32 s15, s14, 31
	v_cmp_gt_u32_e32 vcc, s16, v29
	v_mov_b32_e32 v39, 0
	v_mov_b32_e32 v40, 0
	v_mov_b32_e32 v41, 0
	s_and_saveexec_b64 s[16:17], vcc
	s_cbranch_execz .LBB0_9
; %bb.8:
	v_lshl_add_u64 v[2:3], s[14:15], 1, v[18:19]
	global_load_dwordx4 v[38:41], v[2:3], off
.LBB0_9:
	s_or_b64 exec, exec, s[16:17]
	v_lshlrev_b32_e32 v2, 1, v1
	v_lshlrev_b32_e32 v3, 4, v24
	v_add3_u32 v2, 0, v3, v2
	v_add_u32_e32 v30, s21, v2
	ds_read_u16 v2, v30 offset:4096
	ds_read_u16 v3, v30 offset:4224
	ds_read_u16 v4, v30 offset:4352
	ds_read_u16 v5, v30 offset:4480
	ds_read_u16 v37, v30 offset:5120
	ds_read_u16 v56, v30 offset:5248
	ds_read_u16 v57, v30 offset:5376
	ds_read_u16 v58, v30 offset:5504
	s_mov_b32 s12, 0x5040100
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v55, v5, v4, s12
	v_perm_b32 v54, v3, v2, s12
	s_cmpk_lt_i32 s22, 0x60
	s_nop 0
	v_mfma_f32_32x32x8_bf16 v[2:17], v[54:55], v[52:53], 0
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v53, v58, v57, s12
	v_perm_b32 v52, v56, v37, s12
	s_nop 1
	v_mfma_f32_32x32x8_bf16 v[2:17], v[52:53], v[50:51], v[2:17]
	ds_read_u16 v37, v30 offset:6144
	ds_read_u16 v50, v30 offset:6272
	ds_read_u16 v51, v30 offset:6400
	ds_read_u16 v52, v30 offset:6528
	ds_read_u16 v53, v30 offset:7168
	ds_read_u16 v54, v30 offset:7296
	ds_read_u16 v55, v30 offset:7424
	ds_read_u16 v56, v30 offset:7552
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v51, v52, v51, s12
	v_perm_b32 v50, v50, v37, s12
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_waitcnt vmcnt(0)
	ds_write_b64 v25, v[42:43]
	ds_write_b64 v26, v[44:45]
	v_mfma_f32_32x32x8_bf16 v[2:17], v[50:51], v[48:49], v[2:17]
	v_perm_b32 v49, v56, v55, s12
	v_perm_b32 v48, v54, v53, s12
	s_mov_b32 s12, 1
	ds_write_b128 v27, v[38:41] offset:4096
	v_mfma_f32_32x32x8_bf16 v[2:17], v[48:49], v[46:47], v[2:17]
	s_cbranch_scc1 .LBB0_22
; %bb.10:                               ; %.peel.next
	s_add_i32 s16, s10, 0xffffffbf
	s_cmp_lt_u32 s16, 32
	s_cbranch_scc1 .LBB0_29
; %bb.11:                               ; %.peel.next.new
	s_lshl_b64 s[16:17], s[14:15], 1
	v_lshl_add_u64 v[18:19], v[22:23], 1, s[16:17]
	v_add_u32_e32 v20, s19, v36
	v_add_u32_e32 v22, s23, v35
	v_ashrrev_i32_e32 v21, 31, v20
	v_lshrrev_b32_e32 v22, 2, v22
	s_ashr_i32 s12, s22, 31
	v_lshl_add_u64 v[18:19], v[20:21], 1, v[18:19]
	v_add_u32_e32 v22, s18, v22
	s_lshr_b32 s12, s12, 27
	v_lshl_add_u64 v[20:21], s[4:5], 0, v[18:19]
	v_and_b32_e32 v18, 3, v0
	v_mul_lo_u32 v22, s11, v22
	s_add_i32 s22, s22, s12
	v_lshlrev_b32_e32 v18, 4, v18
	v_mov_b32_e32 v19, 0
	v_ashrrev_i32_e32 v23, 31, v22
	s_ashr_i32 s12, s22, 5
	v_lshl_add_u64 v[18:19], v[22:23], 1, v[18:19]
	s_max_i32 s22, s12, 2
	v_lshl_add_u64 v[18:19], s[2:3], 0, v[18:19]
	s_mov_b64 s[2:3], 0xc0
	v_lshl_add_u64 v[22:23], v[18:19], 0, s[2:3]
	s_and_b32 s2, s22, 0x3fffffe
	s_mov_b32 s12, 1
	s_lshl_b64 s[4:5], s[14:15], 2
	s_add_i32 s11, s10, 0xffffffa0
	s_sub_i32 s23, 0, s2
	s_mov_b32 s24, 0x5040100
	s_mov_b64 s[2:3], 0x80
	s_branch .LBB0_13
.LBB0_12:                               ;   in Loop: Header=BB0_13 Depth=1
	s_or_b64 exec, exec, s[16:17]
	ds_read_u16 v35, v30 offset:4096
	ds_read_u16 v52, v30 offset:4224
	ds_read_u16 v53, v30 offset:4352
	ds_read_u16 v54, v30 offset:4480
	ds_read_u16 v55, v30 offset:5120
	ds_read_u16 v56, v30 offset:5248
	ds_read_u16 v57, v30 offset:5376
	ds_read_u16 v58, v30 offset:5504
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v53, v54, v53, s24
	v_perm_b32 v52, v52, v35, s24
	s_add_i32 s12, s12, 2
	s_sub_i32 s11, s11, 64
	s_add_i32 s16, s23, s12
	v_mfma_f32_32x32x8_bf16 v[2:17], v[52:53], v[50:51], v[2:17]
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v51, v58, v57, s24
	v_perm_b32 v50, v56, v55, s24
	v_lshl_add_u64 v[20:21], v[20:21], 0, s[4:5]
	s_cmp_lg_u32 s16, -1
	v_lshl_add_u64 v[22:23], v[22:23], 0, s[2:3]
	v_mfma_f32_32x32x8_bf16 v[2:17], v[50:51], v[48:49], v[2:17]
	ds_read_u16 v35, v30 offset:6144
	ds_read_u16 v48, v30 offset:6272
	ds_read_u16 v49, v30 offset:6400
	ds_read_u16 v50, v30 offset:6528
	ds_read_u16 v51, v30 offset:7168
	ds_read_u16 v52, v30 offset:7296
	ds_read_u16 v53, v30 offset:7424
	ds_read_u16 v54, v30 offset:7552
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v49, v50, v49, s24
	v_perm_b32 v48, v48, v35, s24
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_waitcnt vmcnt(0)
	ds_write_b64 v25, v[36:37]
	ds_write_b64 v26, v[38:39]
	ds_write_b128 v27, v[40:43] offset:4096
	v_mfma_f32_32x32x8_bf16 v[2:17], v[48:49], v[46:47], v[2:17]
	v_perm_b32 v47, v54, v53, s24
	v_perm_b32 v46, v52, v51, s24
	s_nop 1
	v_mfma_f32_32x32x8_bf16 v[2:17], v[46:47], v[44:45], v[2:17]
	s_cbranch_scc0 .LBB0_30
.LBB0_13:                               ; =>This Inner Loop Header: Depth=1
	s_add_i32 s25, s11, 32
	v_cmp_gt_i32_e32 vcc, s25, v28
	v_mov_b32_e32 v38, 0
	v_mov_b32_e32 v39, 0
	v_mov_b32_e32 v40, 0
	v_mov_b32_e32 v41, 0
	s_and_saveexec_b64 s[16:17], vcc
	s_cbranch_execz .LBB0_15
; %bb.14:                               ;   in Loop: Header=BB0_13 Depth=1
	global_load_dwordx4 v[38:41], v[22:23], off offset:-64
.LBB0_15:                               ;   in Loop: Header=BB0_13 Depth=1
	s_or_b64 exec, exec, s[16:17]
	s_waitcnt lgkmcnt(0)
	s_barrier
	ds_read_b64 v[52:53], v31
	ds_read_b64 v[50:51], v32
	ds_read_b64 v[48:49], v33
	ds_read_b64 v[46:47], v34
	v_lshl_add_u64 v[18:19], s[14:15], 1, v[20:21]
	v_cmp_gt_i32_e32 vcc, s25, v29
	v_mov_b32_e32 v36, 0
	v_mov_b32_e32 v42, 0
	v_mov_b32_e32 v43, 0
	v_mov_b32_e32 v44, 0
	v_mov_b32_e32 v45, 0
	s_and_saveexec_b64 s[16:17], vcc
	s_cbranch_execz .LBB0_17
; %bb.16:                               ;   in Loop: Header=BB0_13 Depth=1
	global_load_dwordx4 v[42:45], v[18:19], off
.LBB0_17:                               ;   in Loop: Header=BB0_13 Depth=1
	s_or_b64 exec, exec, s[16:17]
	ds_read_u16 v35, v30 offset:4096
	ds_read_u16 v37, v30 offset:4224
	ds_read_u16 v54, v30 offset:4352
	ds_read_u16 v55, v30 offset:4480
	ds_read_u16 v56, v30 offset:5120
	ds_read_u16 v57, v30 offset:5248
	ds_read_u16 v58, v30 offset:5376
	ds_read_u16 v59, v30 offset:5504
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v55, v55, v54, s24
	v_perm_b32 v54, v37, v35, s24
	v_cmp_gt_i32_e32 vcc, s11, v28
	s_nop 0
	v_mfma_f32_32x32x8_bf16 v[2:17], v[54:55], v[52:53], v[2:17]
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v53, v59, v58, s24
	v_perm_b32 v52, v57, v56, s24
	s_nop 1
	v_mfma_f32_32x32x8_bf16 v[2:17], v[52:53], v[50:51], v[2:17]
	ds_read_u16 v35, v30 offset:6144
	ds_read_u16 v37, v30 offset:6272
	ds_read_u16 v50, v30 offset:6400
	ds_read_u16 v51, v30 offset:6528
	ds_read_u16 v52, v30 offset:7168
	ds_read_u16 v53, v30 offset:7296
	ds_read_u16 v54, v30 offset:7424
	ds_read_u16 v55, v30 offset:7552
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v51, v51, v50, s24
	v_perm_b32 v50, v37, v35, s24
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_waitcnt vmcnt(0)
	ds_write_b64 v25, v[38:39]
	ds_write_b64 v26, v[40:41]
	ds_write_b128 v27, v[42:45] offset:4096
	v_mfma_f32_32x32x8_bf16 v[2:17], v[50:51], v[48:49], v[2:17]
	v_perm_b32 v49, v55, v54, s24
	v_perm_b32 v48, v53, v52, s24
	v_mov_b32_e32 v37, 0
	v_mov_b32_e32 v38, 0
	v_mov_b32_e32 v39, 0
	v_mfma_f32_32x32x8_bf16 v[2:17], v[48:49], v[46:47], v[2:17]
	s_and_saveexec_b64 s[16:17], vcc
	s_cbranch_execz .LBB0_19
; %bb.18:                               ;   in Loop: Header=BB0_13 Depth=1
	global_load_dwordx4 v[36:39], v[22:23], off
.LBB0_19:                               ;   in Loop: Header=BB0_13 Depth=1
	s_or_b64 exec, exec, s[16:17]
	s_waitcnt lgkmcnt(0)
	s_barrier
	ds_read_b64 v[50:51], v31
	ds_read_b64 v[48:49], v32
	ds_read_b64 v[46:47], v33
	ds_read_b64 v[44:45], v34
	v_cmp_gt_i32_e32 vcc, s11, v29
	v_mov_b32_e32 v40, 0
	v_mov_b32_e32 v41, 0
	v_mov_b32_e32 v42, 0
	v_mov_b32_e32 v43, 0
	s_and_saveexec_b64 s[16:17], vcc
	s_cbranch_execz .LBB0_12
; %bb.20:                               ;   in Loop: Header=BB0_13 Depth=1
	v_lshl_add_u64 v[40:41], s[14:15], 1, v[18:19]
	global_load_dwordx4 v[40:43], v[40:41], off
	s_branch .LBB0_12
.LBB0_21:
	v_mov_b32_e32 v17, 0
	v_mov_b32_e32 v16, v17
	v_mov_b32_e32 v15, v17
	v_mov_b32_e32 v14, v17
	v_mov_b32_e32 v13, v17
	v_mov_b32_e32 v12, v17
	v_mov_b32_e32 v11, v17
	v_mov_b32_e32 v10, v17
	v_mov_b32_e32 v9, v17
	v_mov_b32_e32 v8, v17
	v_mov_b32_e32 v7, v17
	v_mov_b32_e32 v6, v17
	v_mov_b32_e32 v5, v17
	v_mov_b32_e32 v4, v17
	v_mov_b32_e32 v3, v17
	v_mov_b32_e32 v2, v17
.LBB0_22:                               ; %._crit_edge
	s_and_b64 s[0:1], s[0:1], exec
	s_cselect_b32 s0, 1, 0
	s_cmp_lg_u32 s0, 1
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_cbranch_scc1 .LBB0_24
; %bb.23:
	v_lshlrev_b32_e32 v18, 1, v1
	v_lshl_add_u32 v19, v24, 4, 0
	v_add3_u32 v22, v19, v18, s21
	ds_read_u16 v18, v22 offset:4480
	ds_read_u16 v19, v22 offset:4352
	ds_read_u16 v20, v22 offset:4224
	ds_read_u16 v21, v22 offset:4096
	v_lshlrev_b32_e32 v0, 2, v0
	v_and_b32_e32 v0, 56, v0
	v_lshrrev_b32_e32 v25, 2, v24
	v_lshlrev_b32_e32 v23, 6, v1
	s_lshl_b32 s0, s20, 4
	v_xor_b32_e32 v0, v0, v25
	v_or3_b32 v0, s0, v23, v0
	v_add_u32_e32 v23, 0, v0
	s_mov_b32 s0, 0x5040100
	ds_read_b64 v[28:29], v23
	s_waitcnt lgkmcnt(3)
	v_perm_b32 v19, v18, v19, s0
	s_waitcnt lgkmcnt(1)
	v_perm_b32 v18, v20, v21, s0
	v_xad_u32 v26, v0, 16, 0
	ds_read_b64 v[30:31], v26
	ds_read_u16 v20, v22 offset:5504
	ds_read_u16 v21, v22 offset:5376
	ds_read_u16 v23, v22 offset:5248
	ds_read_u16 v25, v22 offset:5120
	s_waitcnt lgkmcnt(5)
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[28:29], v[2:17]
	s_waitcnt lgkmcnt(2)
	v_perm_b32 v21, v20, v21, s0
	v_xad_u32 v26, v0, 32, 0
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v20, v23, v25, s0
	ds_read_u16 v18, v22 offset:6528
	ds_read_u16 v19, v22 offset:6400
	ds_read_u16 v23, v22 offset:6272
	ds_read_u16 v25, v22 offset:6144
	ds_read_b64 v[26:27], v26
	v_xad_u32 v0, v0, 48, 0
	s_waitcnt lgkmcnt(3)
	v_perm_b32 v19, v18, v19, s0
	v_mfma_f32_32x32x8_bf16 v[2:17], v[20:21], v[30:31], v[2:17]
	s_waitcnt lgkmcnt(1)
	v_perm_b32 v18, v23, v25, s0
	ds_read_u16 v20, v22 offset:7552
	ds_read_u16 v21, v22 offset:7424
	ds_read_u16 v23, v22 offset:7296
	ds_read_u16 v22, v22 offset:7168
	s_waitcnt lgkmcnt(4)
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[26:27], v[2:17]
	ds_read_b64 v[26:27], v0
	s_waitcnt lgkmcnt(3)
	v_perm_b32 v19, v20, v21, s0
	s_waitcnt lgkmcnt(1)
	v_perm_b32 v18, v23, v22, s0
	s_waitcnt lgkmcnt(0)
	s_nop 0
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[26:27], v[2:17]
.LBB0_24:                               ; %._crit_edge._crit_edge
	s_lshr_b32 s0, s20, 2
	v_lshrrev_b32_e32 v0, 3, v24
	s_lshr_b32 s1, s21, 1
	s_or_b32 s0, s0, s18
	v_or_b32_e32 v0, s1, v0
	v_or_b32_e32 v20, s0, v1
	v_or_b32_e32 v18, s19, v0
	v_mul_lo_u32 v0, v20, s13
	v_ashrrev_i32_e32 v1, 31, v0
	v_lshl_add_u64 v[0:1], v[0:1], 2, s[6:7]
	v_ashrrev_i32_e32 v19, 31, v18
	v_cmp_gt_i32_e32 vcc, s8, v20
	v_cmp_gt_i32_e64 s[0:1], s9, v18
	v_lshl_add_u64 v[0:1], v[18:19], 2, v[0:1]
	s_and_b64 s[2:3], vcc, s[0:1]
	s_and_saveexec_b64 s[0:1], s[2:3]
	s_cbranch_execz .LBB0_26
; %bb.25:
	global_store_dwordx4 v[0:1], v[2:5], off
	global_store_dwordx4 v[0:1], v[6:9], off offset:32
.LBB0_26:                               ; %.critedge
	s_or_b64 exec, exec, s[0:1]
	v_or_b32_e32 v2, 16, v18
	v_cmp_gt_i32_e64 s[0:1], s9, v2
	s_and_b64 s[0:1], vcc, s[0:1]
	s_and_saveexec_b64 s[2:3], s[0:1]
	s_cbranch_execz .LBB0_28
; %bb.27:
	global_store_dwordx4 v[0:1], v[10:13], off offset:64
	global_store_dwordx4 v[0:1], v[14:17], off offset:96
.LBB0_28:                               ; %.critedge2
	s_endpgm
.LBB0_29:
	s_cbranch_execz .LBB0_22
	s_branch .LBB0_31
.LBB0_30:                               ; %._crit_edge.loopexit.unr-lcssa
	s_movk_i32 s2, 0xff80
	s_mov_b32 s3, -1
	s_bitcmp1_b32 s22, 0
	v_lshl_add_u64 v[20:21], v[22:23], 0, s[2:3]
	s_cselect_b64 s[2:3], -1, 0
	s_and_b64 vcc, exec, s[2:3]
	s_cbranch_vccz .LBB0_22
.LBB0_31:                               ; %.epil.preheader
	s_lshl_b32 s2, s12, 5
	s_sub_i32 s2, s10, s2
	s_sub_i32 s4, s2, 32
	v_cmp_gt_i32_e32 vcc, s4, v28
	v_mov_b32_e32 v40, 0
	v_mov_b32_e32 v36, 0
	v_mov_b32_e32 v37, 0
	v_mov_b32_e32 v38, 0
	v_mov_b32_e32 v39, 0
	s_and_saveexec_b64 s[2:3], vcc
	s_cbranch_execz .LBB0_33
; %bb.32:
	global_load_dwordx4 v[36:39], v[20:21], off offset:64
.LBB0_33:
	s_or_b64 exec, exec, s[2:3]
	s_waitcnt lgkmcnt(0)
	s_barrier
	ds_read_b64 v[46:47], v31
	ds_read_b64 v[44:45], v32
	ds_read_b64 v[22:23], v33
	ds_read_b64 v[20:21], v34
	v_cmp_gt_i32_e32 vcc, s4, v29
	v_mov_b32_e32 v41, 0
	v_mov_b32_e32 v42, 0
	v_mov_b32_e32 v43, 0
	s_and_saveexec_b64 s[2:3], vcc
	s_cbranch_execz .LBB0_35
; %bb.34:
	s_lshl_b64 s[4:5], s[14:15], 1
	v_lshl_add_u64 v[18:19], v[18:19], 0, s[4:5]
	v_lshl_add_u64 v[18:19], v[18:19], 0, s[4:5]
	global_load_dwordx4 v[40:43], v[18:19], off
.LBB0_35:                               ; %._crit_edge.loopexit.epilog-lcssa
	s_or_b64 exec, exec, s[2:3]
	ds_read_u16 v18, v30 offset:4096
	ds_read_u16 v28, v30 offset:4224
	ds_read_u16 v19, v30 offset:4352
	ds_read_u16 v29, v30 offset:4480
	ds_read_u16 v31, v30 offset:5120
	ds_read_u16 v32, v30 offset:5248
	ds_read_u16 v33, v30 offset:5376
	ds_read_u16 v34, v30 offset:5504
	s_mov_b32 s2, 0x5040100
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v19, v29, v19, s2
	v_perm_b32 v18, v28, v18, s2
	s_nop 1
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[46:47], v[2:17]
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v19, v34, v33, s2
	v_perm_b32 v18, v32, v31, s2
	s_nop 1
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[44:45], v[2:17]
	ds_read_u16 v18, v30 offset:6144
	ds_read_u16 v28, v30 offset:6272
	ds_read_u16 v19, v30 offset:6400
	ds_read_u16 v29, v30 offset:6528
	ds_read_u16 v31, v30 offset:7168
	ds_read_u16 v32, v30 offset:7296
	ds_read_u16 v33, v30 offset:7424
	ds_read_u16 v30, v30 offset:7552
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v19, v29, v19, s2
	v_perm_b32 v18, v28, v18, s2
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_waitcnt vmcnt(0)
	ds_write_b64 v25, v[36:37]
	ds_write_b64 v26, v[38:39]
	ds_write_b128 v27, v[40:43] offset:4096
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[22:23], v[2:17]
	v_perm_b32 v19, v30, v33, s2
	v_perm_b32 v18, v32, v31, s2
	s_nop 1
	v_mfma_f32_32x32x8_bf16 v[2:17], v[18:19], v[20:21], v[2:17]
	s_branch .LBB0_22
	.size	matmul_kernel, .Lfunc_end0-matmul_kernel
	.section	.rodata,"a",@progbits
	.p2align	6, 0x0
	.amdhsa_kernel matmul_kernel
		.amdhsa_group_segment_fixed_size 0
		.amdhsa_private_segment_fixed_size 0
		.amdhsa_kernarg_size 64
		.amdhsa_user_sgpr_count 16
		.amdhsa_user_sgpr_dispatch_ptr 0
		.amdhsa_user_sgpr_queue_ptr 0
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_dispatch_id 0
		.amdhsa_user_sgpr_kernarg_preload_length 14
		.amdhsa_user_sgpr_kernarg_preload_offset 0
		.amdhsa_user_sgpr_private_segment_size 0
		.amdhsa_uses_dynamic_stack 0
		.amdhsa_enable_private_segment 0
		.amdhsa_system_sgpr_workgroup_id_x 1
		.amdhsa_system_sgpr_workgroup_id_y 1
		.amdhsa_system_sgpr_workgroup_id_z 0
		.amdhsa_system_sgpr_workgroup_info 0
		.amdhsa_system_vgpr_workitem_id 0
		.amdhsa_next_free_vgpr 60
		.amdhsa_next_free_sgpr 26
		.amdhsa_accum_offset 60
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
	.set .Lmatmul_kernel.num_vgpr, 60
	.set .Lmatmul_kernel.num_agpr, 0
	.set .Lmatmul_kernel.numbered_sgpr, 26
	.set .Lmatmul_kernel.num_named_barrier, 0
	.set .Lmatmul_kernel.private_seg_size, 0
	.set .Lmatmul_kernel.uses_vcc, 1
	.set .Lmatmul_kernel.uses_flat_scratch, 0
	.set .Lmatmul_kernel.has_dyn_sized_stack, 0
	.set .Lmatmul_kernel.has_recursion, 0
	.set .Lmatmul_kernel.has_indirect_call, 0
	.section	.AMDGPU.csdata,"",@progbits
; Kernel info:
; codeLenInByte = 3252
; TotalNumSgprs: 32
; NumVgprs: 60
; NumAgprs: 0
; TotalNumVgprs: 60
; ScratchSize: 0
; MemoryBound: 1
; FloatMode: 240
; IeeeMode: 1
; LDSByteSize: 0 bytes/workgroup (compile time only)
; SGPRBlocks: 3
; VGPRBlocks: 7
; NumSGPRsForWavesPerEU: 32
; NumVGPRsForWavesPerEU: 60
; AccumOffset: 60
; Occupancy: 8
; WaveLimiterHint : 0
; COMPUTE_PGM_RSRC2:SCRATCH_EN: 0
; COMPUTE_PGM_RSRC2:USER_SGPR: 16
; COMPUTE_PGM_RSRC2:TRAP_HANDLER: 0
; COMPUTE_PGM_RSRC2:TGID_X_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Y_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Z_EN: 0
; COMPUTE_PGM_RSRC2:TIDIG_COMP_CNT: 0
; COMPUTE_PGM_RSRC3_GFX90A:ACCUM_OFFSET: 14
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
    .group_segment_fixed_size: 0
    .kernarg_segment_align: 8
    .kernarg_segment_size: 64
    .max_flat_workgroup_size: 256
    .name:           matmul_kernel
    .private_segment_fixed_size: 0
    .sgpr_count:     32
    .sgpr_spill_count: 0
    .symbol:         matmul_kernel.kd
    .uniform_work_group_size: 1
    .uses_dynamic_stack: false
    .vgpr_count:     60
    .vgpr_spill_count: 0
    .wavefront_size: 64
amdhsa.target:   amdgpu9.42-amd-amdhsa-unknown-gfx942
amdhsa.version:
  - 1
  - 2
...
	.end_amdgpu_metadata
