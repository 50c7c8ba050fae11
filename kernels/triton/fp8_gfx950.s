; Compiled by Triton 3.9.0 from kernels.py here (debug information left out).
	.amdgcn_target "amdgpu9.50-amd-amdhsa-unknown-gfx950"
	.amdhsa_code_object_version 5
	.text
	.globl	mm_kernel                       ; -- Begin function mm_kernel
	.p2align	8
	.type	mm_kernel,@function
mm_kernel:                              ; @mm_kernel
; %bb.11:
	s_load_dwordx8 s[8:15], s[4:5], 0x0
	s_waitcnt lgkmcnt(0)
	s_branch .LBB0_0
	.p2align	8
; %bb.12:
.LBB0_0:
	v_and_b32_e32 v40, 0x3ff, v0
	v_and_b32_e32 v1, 3, v0
	v_readfirstlane_b32 s0, v40
	s_bfe_u32 s20, s0, 0x20006
	v_lshlrev_b32_e32 v32, 4, v1
	v_mov_b32_e32 v33, 0
	s_cmp_lt_i32 s14, 1
	s_mov_b64 s[0:1], -1
	s_cbranch_scc0 .LBB0_2
; %bb.1:                                ; %.critedge96
	; asyncmark
	s_mov_b64 s[0:1], 0
.LBB0_2:                                ; %Flow41
	s_load_dword s21, s[4:5], 0x20
	s_lshl_b32 s2, s16, 7
	s_lshl_b32 s3, s17, 6
	s_and_b64 s[0:1], s[0:1], exec
	s_cselect_b32 s0, 1, 0
	v_and_b32_e32 v0, 60, v0
	s_cmp_lg_u32 s0, 1
	s_mul_i32 s16, s20, 0x410
	s_cbranch_scc1 .LBB0_4
; %bb.3:                                ; %.critedge
	v_or_b32_e32 v2, s20, v0
	v_or_b32_e32 v3, s2, v2
	v_or_b32_e32 v4, 64, v3
	v_or_b32_e32 v8, s3, v2
	v_mul_lo_u32 v2, v3, s15
	v_mul_lo_u32 v4, v4, s15
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], s[8:9], 0, v[2:3]
	v_ashrrev_i32_e32 v5, 31, v4
	s_mov_b32 m0, s16
	v_lshl_add_u64 v[4:5], s[8:9], 0, v[4:5]
	v_lshl_add_u64 v[2:3], v[2:3], 0, v[32:33]
	s_waitcnt lgkmcnt(0)
	v_mul_lo_u32 v8, v8, s21
	v_lshl_add_u64 v[4:5], v[4:5], 0, v[32:33]
	v_lshl_add_u64 v[6:7], s[10:11], 0, v[32:33]
	v_ashrrev_i32_e32 v9, 31, v8
	global_load_lds_dwordx4 v[2:3], off
	s_add_i32 m0, s16, 0x1040
	v_lshl_add_u64 v[6:7], v[6:7], 0, v[8:9]
	global_load_lds_dwordx4 v[4:5], off
	s_add_i32 m0, s16, 0x40f0
	; asyncmark
	s_nop 0
	global_load_lds_dwordx4 v[6:7], off
.LBB0_4:
	s_lshl_b32 s0, s20, 6
	s_and_b32 s6, s0, 0x80
	v_and_b32_e32 v41, 32, v40
	s_and_b32 s7, s0, 64
	s_sub_i32 s17, s14, 64
	s_cmp_lt_i32 s17, 1
	v_lshlrev_b32_e32 v42, 10, v1
	v_lshlrev_b32_e32 v44, 4, v40
	v_lshrrev_b32_e32 v43, 1, v41
	; asyncmark
	s_cbranch_scc1 .LBB0_7
; %bb.5:                                ; %.lr.ph
	s_add_i32 s0, s20, s3
	v_add_u32_e32 v1, s0, v0
	s_waitcnt lgkmcnt(0)
	v_mul_lo_u32 v2, s21, v1
	v_ashrrev_i32_e32 v3, 31, v2
	v_lshl_add_u64 v[2:3], v[32:33], 0, v[2:3]
	v_lshl_add_u64 v[2:3], s[10:11], 0, v[2:3]
	s_add_i32 s20, s20, s2
	v_lshl_add_u64 v[34:35], v[2:3], 0, 64
	v_add_u32_e32 v2, s20, v0
	v_add_u32_e32 v0, 64, v2
	v_mul_lo_u32 v0, s15, v0
	v_ashrrev_i32_e32 v1, 31, v0
	v_lshl_add_u64 v[0:1], v[32:33], 0, v[0:1]
	v_lshl_add_u64 v[0:1], s[8:9], 0, v[0:1]
	v_lshl_add_u64 v[36:37], v[0:1], 0, 64
	v_mul_lo_u32 v0, s15, v2
	v_ashrrev_i32_e32 v1, 31, v0
	v_lshl_add_u64 v[0:1], v[32:33], 0, v[0:1]
	v_lshl_add_u64 v[0:1], s[8:9], 0, v[0:1]
	v_mov_b32_e32 v16, 0
	v_and_b32_e32 v45, 0x1c0, v44
	s_lshl_b32 s18, s6, 2
	s_lshl_b32 s19, s7, 3
	v_lshl_add_u64 v[38:39], v[0:1], 0, 64
	s_mov_b32 s8, 0
	s_movk_i32 s9, 0x40f0
	s_mov_b64 s[0:1], 0
	s_mov_b32 s10, 0
	v_mov_b32_e32 v17, v16
	v_mov_b32_e32 v18, v16
	v_mov_b32_e32 v19, v16
	v_mov_b32_e32 v20, v16
	v_mov_b32_e32 v21, v16
	v_mov_b32_e32 v22, v16
	v_mov_b32_e32 v23, v16
	v_mov_b32_e32 v24, v16
	v_mov_b32_e32 v25, v16
	v_mov_b32_e32 v26, v16
	v_mov_b32_e32 v27, v16
	v_mov_b32_e32 v28, v16
	v_mov_b32_e32 v29, v16
	v_mov_b32_e32 v30, v16
	v_mov_b32_e32 v31, v16
	v_mov_b32_e32 v0, v16
	v_mov_b32_e32 v1, v16
	v_mov_b32_e32 v2, v16
	v_mov_b32_e32 v3, v16
	v_mov_b32_e32 v4, v16
	v_mov_b32_e32 v5, v16
	v_mov_b32_e32 v6, v16
	v_mov_b32_e32 v7, v16
	v_mov_b32_e32 v8, v16
	v_mov_b32_e32 v9, v16
	v_mov_b32_e32 v10, v16
	v_mov_b32_e32 v11, v16
	v_mov_b32_e32 v12, v16
	v_mov_b32_e32 v13, v16
	v_mov_b32_e32 v14, v16
	v_mov_b32_e32 v15, v16
.LBB0_6:                                ; =>This Inner Loop Header: Depth=1
	s_mov_b32 s11, s8
	s_add_i32 s8, s10, 1
	s_cmp_lt_i32 s8, 2
	s_cselect_b32 s10, s8, 0
	s_lshl_b32 s8, s10, 13
	s_lshr_b32 s20, s8, 6
	s_mov_b32 s15, s9
	s_lshl_b32 s9, s10, 12
	s_add_i32 s8, s8, s20
	s_lshr_b32 s21, s9, 6
	s_add_i32 s20, s8, s16
	v_lshl_add_u64 v[46:47], v[38:39], 0, s[0:1]
	s_add_i32 s9, s9, s21
	s_mov_b32 m0, s20
	; wait_asyncmark(0)
	s_waitcnt vmcnt(0)
	s_barrier
	v_lshl_add_u64 v[48:49], v[36:37], 0, s[0:1]
	s_addk_i32 s9, 0x40f0
	global_load_lds_dwordx4 v[46:47], off
	s_add_i32 m0, s20, 0x1040
	v_lshl_add_u64 v[50:51], v[34:35], 0, s[0:1]
	global_load_lds_dwordx4 v[48:49], off
	s_add_i32 m0, s9, s16
	; asyncmark
	s_add_i32 s11, s18, s11
	global_load_lds_dwordx4 v[50:51], off
	s_add_i32 s15, s19, s15
	v_add3_u32 v33, s11, v45, v42
	v_add3_u32 v46, s15, v43, v42
	v_add3_u32 v33, v33, v43, v32
	v_add3_u32 v46, v46, v45, v32
	ds_read_b128 v[48:51], v33
	ds_read_b128 v[52:55], v33 offset:32
	ds_read_b128 v[56:59], v33 offset:4160
	ds_read_b128 v[60:63], v33 offset:4192
	; asyncmark
	ds_read_b128 v[64:67], v46
	ds_read_b128 v[68:71], v46 offset:32
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x64_f8f6f4 v[16:31], v[64:71], v[48:55], v[16:31]
	s_add_u32 s0, s0, 64
	s_addc_u32 s1, s1, 0
	s_cmp_lt_i32 s0, s17
	v_mfma_f32_32x32x64_f8f6f4 v[0:15], v[64:71], v[56:63], v[0:15]
	s_cbranch_scc1 .LBB0_6
	s_branch .LBB0_8
.LBB0_7:
	v_mov_b32_e32 v15, 0
	s_mov_b32 s8, 0
	s_movk_i32 s9, 0x40f0
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
.LBB0_8:                                ; %Flow40
	s_load_dword s0, s[4:5], 0x24
	s_add_i32 s14, s14, 63
	s_cmp_lt_i32 s14, 64
	; wait_asyncmark(0)
	s_waitcnt vmcnt(0) lgkmcnt(0)
	s_barrier
	s_cbranch_scc1 .LBB0_10
; %bb.9:
	s_lshl3_add_u32 s1, s7, s9
	v_and_b32_e32 v33, 0x1c0, v44
	v_add3_u32 v34, s1, v43, v42
	s_lshl2_add_u32 s1, s6, s8
	v_add3_u32 v34, v34, v33, v32
	v_add3_u32 v33, s1, v33, v42
	v_add3_u32 v32, v33, v43, v32
	ds_read_b128 v[44:47], v34
	ds_read_b128 v[48:51], v34 offset:32
	ds_read_b128 v[52:55], v32
	ds_read_b128 v[56:59], v32 offset:32
	ds_read_b128 v[36:39], v32 offset:4192
	ds_read_b128 v[32:35], v32 offset:4160
	s_waitcnt lgkmcnt(2)
	v_mfma_f32_32x32x64_f8f6f4 v[16:31], v[44:51], v[52:59], v[16:31]
	s_waitcnt lgkmcnt(0)
	v_mfma_f32_32x32x64_f8f6f4 v[0:15], v[44:51], v[32:39], v[0:15]
.LBB0_10:                               ; %._crit_edge._crit_edge
	v_lshrrev_b32_e32 v32, 3, v41
	s_lshr_b32 s1, s7, 1
	v_or_b32_e32 v32, s1, v32
	s_lshr_b32 s1, s6, 2
	v_and_or_b32 v33, v40, 31, s1
	v_or_b32_e32 v33, s2, v33
	v_or_b32_e32 v32, s3, v32
	v_mul_lo_u32 v34, v33, s0
	v_lshl_add_u32 v36, s0, 6, v34
	v_ashrrev_i32_e32 v35, 31, v34
	v_ashrrev_i32_e32 v33, 31, v32
	v_lshl_add_u64 v[34:35], v[34:35], 2, s[12:13]
	v_ashrrev_i32_e32 v37, 31, v36
	v_lshlrev_b64 v[32:33], 2, v[32:33]
	v_lshl_add_u64 v[36:37], v[36:37], 2, s[12:13]
	v_lshl_add_u64 v[34:35], v[34:35], 0, v[32:33]
	v_lshl_add_u64 v[32:33], v[36:37], 0, v[32:33]
	global_store_dwordx4 v[34:35], v[16:19], off
	global_store_dwordx4 v[34:35], v[20:23], off offset:32
	global_store_dwordx4 v[34:35], v[24:27], off offset:64
	global_store_dwordx4 v[34:35], v[28:31], off offset:96
	global_store_dwordx4 v[32:33], v[0:3], off
	global_store_dwordx4 v[32:33], v[4:7], off offset:32
	global_store_dwordx4 v[32:33], v[8:11], off offset:64
	global_store_dwordx4 v[32:33], v[12:15], off offset:96
	s_endpgm
	.size	mm_kernel, .Lfunc_end0-mm_kernel
	.section	.rodata,"a",@progbits
	.p2align	6, 0x0
	.amdhsa_kernel mm_kernel
		.amdhsa_group_segment_fixed_size 0
		.amdhsa_private_segment_fixed_size 0
		.amdhsa_kernarg_size 312
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
		.amdhsa_next_free_vgpr 72
		.amdhsa_next_free_sgpr 22
		.amdhsa_accum_offset 72
		.amdhsa_reserve_vcc 0
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
	.set .Lmm_kernel.num_vgpr, 72
	.set .Lmm_kernel.num_agpr, 0
	.set .Lmm_kernel.numbered_sgpr, 22
	.set .Lmm_kernel.num_named_barrier, 0
	.set .Lmm_kernel.private_seg_size, 0
	.set .Lmm_kernel.uses_vcc, 0
	.set .Lmm_kernel.uses_flat_scratch, 0
	.set .Lmm_kernel.has_dyn_sized_stack, 0
	.set .Lmm_kernel.has_recursion, 0
	.set .Lmm_kernel.has_indirect_call, 0
	.section	.AMDGPU.csdata,"",@progbits
; Kernel info:
; codeLenInByte = 1540
; TotalNumSgprs: 28
; NumVgprs: 72
; NumAgprs: 0
; TotalNumVgprs: 72
; ScratchSize: 0
; MemoryBound: 0
; FloatMode: 240
; IeeeMode: 1
; LDSByteSize: 0 bytes/workgroup (compile time only)
; SGPRBlocks: 3
; VGPRBlocks: 8
; NumSGPRsForWavesPerEU: 28
; NumVGPRsForWavesPerEU: 72
; AccumOffset: 72
; Occupancy: 7
; WaveLimiterHint : 0
; COMPUTE_PGM_RSRC2:SCRATCH_EN: 0
; COMPUTE_PGM_RSRC2:USER_SGPR: 16
; COMPUTE_PGM_RSRC2:TRAP_HANDLER: 0
; COMPUTE_PGM_RSRC2:TGID_X_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Y_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Z_EN: 1
; COMPUTE_PGM_RSRC2:TIDIG_COMP_CNT: 2
; COMPUTE_PGM_RSRC3_GFX90A:ACCUM_OFFSET: 17
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
      - .address_space:  global
        .offset:         40
        .size:           8
        .value_kind:     global_buffer
      - .address_space:  global
        .offset:         48
        .size:           8
        .value_kind:     global_buffer
      - .offset:         56
        .size:           4
        .value_kind:     hidden_block_count_x
      - .offset:         60
        .size:           4
        .value_kind:     hidden_block_count_y
      - .offset:         64
        .size:           4
        .value_kind:     hidden_block_count_z
      - .offset:         68
        .size:           2
        .value_kind:     hidden_group_size_x
      - .offset:         70
        .size:           2
        .value_kind:     hidden_group_size_y
      - .offset:         72
        .size:           2
        .value_kind:     hidden_group_size_z
      - .offset:         74
        .size:           2
        .value_kind:     hidden_remainder_x
      - .offset:         76
        .size:           2
        .value_kind:     hidden_remainder_y
      - .offset:         78
        .size:           2
        .value_kind:     hidden_remainder_z
      - .offset:         96
        .size:           8
        .value_kind:     hidden_global_offset_x
      - .offset:         104
        .size:           8
        .value_kind:     hidden_global_offset_y
      - .offset:         112
        .size:           8
        .value_kind:     hidden_global_offset_z
      - .offset:         120
        .size:           2
        .value_kind:     hidden_grid_dims
      - .offset:         136
        .size:           8
        .value_kind:     hidden_hostcall_buffer
      - .offset:         144
        .size:           8
        .value_kind:     hidden_multigrid_sync_arg
      - .offset:         152
        .size:           8
        .value_kind:     hidden_heap_v1
      - .offset:         160
        .size:           8
        .value_kind:     hidden_default_queue
      - .offset:         168
        .size:           8
        .value_kind:     hidden_completion_action
      - .offset:         176
        .size:           4
        .value_kind:     hidden_dynamic_lds_size
      - .offset:         256
        .size:           8
        .value_kind:     hidden_queue_ptr
    .group_segment_fixed_size: 0
    .kernarg_segment_align: 8
    .kernarg_segment_size: 312
    .max_flat_workgroup_size: 256
    .name:           mm_kernel
    .private_segment_fixed_size: 0
    .sgpr_count:     28
    .sgpr_spill_count: 0
    .symbol:         mm_kernel.kd
    .uniform_work_group_size: 1
    .uses_dynamic_stack: false
    .vgpr_count:     72
    .vgpr_spill_count: 0
    .wavefront_size: 64
amdhsa.target:   amdgpu9.50-amd-amdhsa-unknown-gfx950
amdhsa.version:
  - 1
  - 2
...
	.end_amdgpu_metadata
