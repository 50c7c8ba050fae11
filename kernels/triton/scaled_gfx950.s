; Compiled by Triton 3.9.0 from kernels.py here (debug information left out).
	.amdgcn_target "amdgpu9.50-amd-amdhsa-unknown-gfx950"
	.amdhsa_code_object_version 5
	.text
	.globl	scaled_kernel                   ; -- Begin function scaled_kernel
	.p2align	8
	.type	scaled_kernel,@function
scaled_kernel:                          ; @scaled_kernel
; %bb.29:
	s_load_dwordx8 s[8:15], s[4:5], 0x0
	s_waitcnt lgkmcnt(0)
	s_branch .LBB0_0
	.p2align	8
; %bb.30:
.LBB0_0:
	v_and_b32_e32 v1, 0x3ff, v0
	s_load_dword s0, s[4:5], 0x28
	v_readfirstlane_b32 s1, v1
	s_bfe_u32 s18, s1, 0x20006
	s_lshl_b32 s7, s18, 6
	v_and_or_b32 v110, v0, 63, s7
	v_lshrrev_b32_e32 v0, 2, v110
	v_and_b32_e32 v2, 60, v0
	s_waitcnt lgkmcnt(0)
	s_lshr_b32 s1, s0, 31
	s_lshl_b32 s16, s16, 7
	v_or_b32_e32 v3, 1, v2
	s_add_i32 s1, s0, s1
	v_or_b32_e32 v4, s16, v2
	v_or_b32_e32 v5, s16, v3
	v_lshlrev_b32_e32 v6, 2, v1
	s_ashr_i32 s1, s1, 1
	v_and_b32_e32 v66, 60, v6
	s_add_i32 s6, s0, 0x7f
	v_mul_lo_u32 v4, v4, s1
	v_mul_lo_u32 v6, v5, s1
	v_ashrrev_i32_e32 v5, 31, v4
	v_ashrrev_i32_e32 v7, 31, v6
	s_cmpk_gt_i32 s6, 0x7f
	v_lshl_add_u64 v[4:5], s[8:9], 0, v[4:5]
	v_lshl_add_u64 v[6:7], s[8:9], 0, v[6:7]
	s_cselect_b64 s[2:3], -1, 0
	s_lshl_b32 s18, s18, 8
	v_mov_b32_e32 v67, 0
	s_cmpk_lt_i32 s6, 0x80
	v_lshl_add_u64 v[68:69], v[4:5], 0, v[66:67]
	v_lshl_add_u64 v[70:71], v[6:7], 0, v[66:67]
	s_cbranch_scc1 .LBB0_2
; %bb.1:
	s_mov_b32 m0, s18
	s_add_i32 s19, s18, 0x410
	global_load_lds_dword v[68:69], off
	s_mov_b32 m0, s19
	s_nop 0
	global_load_lds_dword v[70:71], off
.LBB0_2:                                ; %.critedge
	v_or_b32_e32 v4, 2, v2
	v_or_b32_e32 v5, 3, v0
	v_or_b32_e32 v6, s16, v4
	v_or_b32_e32 v7, s16, v5
	v_mul_lo_u32 v6, v6, s1
	v_mul_lo_u32 v8, v7, s1
	v_ashrrev_i32_e32 v7, 31, v6
	v_ashrrev_i32_e32 v9, 31, v8
	s_and_b64 s[20:21], s[2:3], exec
	v_lshl_add_u64 v[6:7], s[8:9], 0, v[6:7]
	v_lshl_add_u64 v[8:9], s[8:9], 0, v[8:9]
	s_cselect_b32 s19, 1, 0
	v_lshl_add_u64 v[72:73], v[6:7], 0, v[66:67]
	s_cmp_lg_u32 s19, 1
	v_lshl_add_u64 v[74:75], v[8:9], 0, v[66:67]
	s_cbranch_scc1 .LBB0_4
; %bb.3:
	s_add_i32 s19, s18, 0xc30
	s_add_i32 m0, s18, 0x820
	s_nop 0
	global_load_lds_dword v[72:73], off
	s_mov_b32 m0, s19
	s_nop 0
	global_load_lds_dword v[74:75], off
.LBB0_4:                                ; %.critedge4
	v_or_b32_e32 v6, 64, v2
	v_or_b32_e32 v7, 0x41, v2
	v_or_b32_e32 v8, s16, v6
	v_or_b32_e32 v9, s16, v7
	v_mul_lo_u32 v8, v8, s1
	v_mul_lo_u32 v10, v9, s1
	v_ashrrev_i32_e32 v9, 31, v8
	v_ashrrev_i32_e32 v11, 31, v10
	s_and_b64 s[20:21], s[2:3], exec
	v_lshl_add_u64 v[8:9], s[8:9], 0, v[8:9]
	v_lshl_add_u64 v[10:11], s[8:9], 0, v[10:11]
	s_cselect_b32 s19, 1, 0
	v_lshl_add_u64 v[76:77], v[8:9], 0, v[66:67]
	s_cmp_lg_u32 s19, 1
	v_lshl_add_u64 v[78:79], v[10:11], 0, v[66:67]
	s_cbranch_scc1 .LBB0_6
; %bb.5:
	s_add_i32 s19, s18, 0x1450
	s_add_i32 m0, s18, 0x1040
	s_nop 0
	global_load_lds_dword v[76:77], off
	s_mov_b32 m0, s19
	s_nop 0
	global_load_lds_dword v[78:79], off
.LBB0_6:                                ; %.critedge8
	v_or_b32_e32 v8, 0x42, v2
	v_or_b32_e32 v9, 0x43, v0
	v_or_b32_e32 v10, s16, v8
	v_or_b32_e32 v11, s16, v9
	v_mul_lo_u32 v10, v10, s1
	v_mul_lo_u32 v12, v11, s1
	v_ashrrev_i32_e32 v11, 31, v10
	v_ashrrev_i32_e32 v13, 31, v12
	v_lshl_add_u64 v[10:11], s[8:9], 0, v[10:11]
	v_lshl_add_u64 v[12:13], s[8:9], 0, v[12:13]
	s_and_b64 s[8:9], s[2:3], exec
	s_cselect_b32 s8, 1, 0
	v_lshl_add_u64 v[80:81], v[10:11], 0, v[66:67]
	s_cmp_lg_u32 s8, 1
	v_lshl_add_u64 v[82:83], v[12:13], 0, v[66:67]
	s_cbranch_scc1 .LBB0_8
; %bb.7:
	s_add_i32 s8, s18, 0x1c70
	s_add_i32 m0, s18, 0x1860
	s_nop 0
	global_load_lds_dword v[80:81], off
	s_mov_b32 m0, s8
	s_nop 0
	global_load_lds_dword v[82:83], off
.LBB0_8:                                ; %.critedge12
	s_lshl_b32 s8, s17, 7
	v_or_b32_e32 v2, s8, v2
	v_or_b32_e32 v3, s8, v3
	v_or_b32_e32 v4, s8, v4
	v_or_b32_e32 v5, s8, v5
	v_or_b32_e32 v6, s8, v6
	v_or_b32_e32 v7, s8, v7
	v_or_b32_e32 v8, s8, v8
	v_or_b32_e32 v9, s8, v9
	s_and_b64 s[20:21], s[2:3], exec
	v_mul_lo_u32 v84, v2, s1
	v_mul_lo_u32 v86, v3, s1
	v_mul_lo_u32 v88, v4, s1
	v_mul_lo_u32 v90, v5, s1
	v_mul_lo_u32 v92, v6, s1
	v_mul_lo_u32 v94, v7, s1
	v_mul_lo_u32 v96, v8, s1
	v_mul_lo_u32 v98, v9, s1
	s_cselect_b32 s1, 1, 0
	v_ashrrev_i32_e32 v89, 31, v88
	v_ashrrev_i32_e32 v91, 31, v90
	v_ashrrev_i32_e32 v93, 31, v92
	v_ashrrev_i32_e32 v95, 31, v94
	v_ashrrev_i32_e32 v97, 31, v96
	v_ashrrev_i32_e32 v99, 31, v98
	s_cmp_lg_u32 s1, 1
	v_ashrrev_i32_e32 v87, 31, v86
	v_ashrrev_i32_e32 v85, 31, v84
	; asyncmark
	s_cbranch_scc1 .LBB0_10
; %bb.9:                                ; %.critedge14
	v_lshl_add_u64 v[2:3], s[12:13], 0, v[66:67]
	v_lshl_add_u64 v[4:5], v[2:3], 0, v[98:99]
	v_lshl_add_u64 v[6:7], v[2:3], 0, v[96:97]
	v_lshl_add_u64 v[8:9], v[2:3], 0, v[94:95]
	v_lshl_add_u64 v[10:11], v[2:3], 0, v[92:93]
	v_lshl_add_u64 v[12:13], v[2:3], 0, v[90:91]
	v_lshl_add_u64 v[14:15], v[2:3], 0, v[88:89]
	s_add_i32 m0, s18, 0x40f0
	v_lshl_add_u64 v[16:17], v[2:3], 0, v[86:87]
	v_lshl_add_u64 v[2:3], v[2:3], 0, v[84:85]
	global_load_lds_dword v[2:3], off
	s_add_i32 m0, s18, 0x4500
	s_nop 0
	global_load_lds_dword v[16:17], off
	s_add_i32 m0, s18, 0x4910
	s_nop 0
	global_load_lds_dword v[14:15], off
	s_add_i32 m0, s18, 0x4d20
	s_nop 0
	global_load_lds_dword v[12:13], off
	s_add_i32 m0, s18, 0x5130
	s_nop 0
	global_load_lds_dword v[10:11], off
	s_add_i32 m0, s18, 0x5540
	s_nop 0
	global_load_lds_dword v[8:9], off
	s_add_i32 m0, s18, 0x5950
	s_nop 0
	global_load_lds_dword v[6:7], off
	s_add_i32 m0, s18, 0x5d60
	s_nop 0
	global_load_lds_dword v[4:5], off
.LBB0_10:                               ; %.critedge26
	s_ashr_i32 s1, s0, 31
	s_lshr_b32 s1, s1, 27
	s_add_i32 s0, s0, s1
	v_or_b32_e32 v2, s16, v0
	s_ashr_i32 s0, s0, 5
	v_mul_lo_u32 v2, v2, s0
	v_ashrrev_i32_e32 v3, 31, v2
	s_and_b64 s[20:21], s[2:3], exec
	v_lshl_add_u64 v[2:3], s[10:11], 0, v[2:3]
	v_and_b32_e32 v64, 3, v1
	v_mov_b32_e32 v65, 0
	s_cselect_b32 s1, 1, 0
	s_cmp_lg_u32 s1, 1
	v_lshl_add_u64 v[100:101], v[2:3], 0, v[64:65]
	; asyncmark
	s_cbranch_scc1 .LBB0_12
; %bb.11:
	global_load_ubyte v3, v[100:101], off
	s_branch .LBB0_13
.LBB0_12:
	v_mov_b32_e32 v3, v65
.LBB0_13:
	v_or_b32_e32 v2, 64, v0
	v_or_b32_e32 v4, s16, v2
	v_mul_lo_u32 v4, v4, s0
	v_ashrrev_i32_e32 v5, 31, v4
	v_lshl_add_u64 v[4:5], s[10:11], 0, v[4:5]
	s_and_b64 s[10:11], s[2:3], exec
	s_cselect_b32 s1, 1, 0
	s_cmp_lg_u32 s1, 1
	v_lshl_add_u64 v[102:103], v[4:5], 0, v[64:65]
	s_cbranch_scc1 .LBB0_15
; %bb.14:
	global_load_ubyte v4, v[102:103], off
	s_branch .LBB0_16
.LBB0_15:
	v_mov_b32_e32 v4, 0
.LBB0_16:
	v_or_b32_e32 v0, s8, v0
	v_mul_lo_u32 v6, v0, s0
	v_ashrrev_i32_e32 v7, 31, v6
	s_and_b64 s[10:11], s[2:3], exec
	v_lshl_add_u64 v[6:7], s[14:15], 0, v[6:7]
	s_cselect_b32 s1, 1, 0
	s_cmp_lg_u32 s1, 1
	v_lshl_add_u64 v[104:105], v[6:7], 0, v[64:65]
	s_cbranch_scc1 .LBB0_18
; %bb.17:
	global_load_ubyte v0, v[104:105], off
	s_branch .LBB0_19
.LBB0_18:
	v_mov_b32_e32 v0, 0
.LBB0_19:
	v_or_b32_e32 v2, s8, v2
	v_mul_lo_u32 v6, v2, s0
	v_ashrrev_i32_e32 v7, 31, v6
	s_and_b64 s[0:1], s[2:3], exec
	v_lshl_add_u64 v[6:7], s[14:15], 0, v[6:7]
	s_cselect_b32 s0, 1, 0
	s_cmp_lg_u32 s0, 1
	v_lshl_add_u64 v[106:107], v[6:7], 0, v[64:65]
	s_cbranch_scc1 .LBB0_21
; %bb.20:
	global_load_ubyte v2, v[106:107], off
	s_branch .LBB0_22
.LBB0_21:
	v_mov_b32_e32 v2, 0
.LBB0_22:
	s_load_dwordx2 s[0:1], s[4:5], 0x20
	v_and_b32_e32 v65, 31, v1
	s_and_b32 s9, s7, 0x80
	v_and_b32_e32 v67, 32, v1
	s_and_b32 s10, s7, 64
	s_mov_b32 s11, 0
	v_add_u32_e32 v5, 0, v110
	v_mov_b32_e32 v109, 0
	s_cmpk_lt_i32 s6, 0x100
	v_lshlrev_b32_e32 v113, 4, v1
	v_lshrrev_b32_e32 v111, 1, v67
	v_lshlrev_b32_e32 v112, 4, v64
	v_lshlrev_b32_e32 v114, 2, v65
	v_lshrrev_b32_e32 v115, 5, v67
	s_waitcnt vmcnt(0)
	ds_write_b8 v5, v3 offset:33248
	ds_write_b8 v5, v4 offset:33504
	ds_write_b8 v5, v0 offset:34272
	ds_write_b8 v5, v2 offset:34528
	s_cbranch_scc1 .LBB0_25
; %bb.23:                               ; %.lr.ph
	s_ashr_i32 s7, s6, 31
	s_lshr_b32 s7, s7, 25
	s_add_i32 s6, s6, s7
	s_ashr_i32 s6, s6, 7
	v_and_b32_e32 v0, 0x1c0, v113
	s_max_i32 s20, s6, 2
	v_mov_b32_e32 v48, 0
	s_lshl_b32 s15, s9, 2
	v_lshl_or_b32 v116, v64, 10, v0
	s_lshl_b32 s17, s10, 3
	s_lshl_b32 s19, s10, 1
	s_mov_b32 s7, 0
	s_movk_i32 s14, 0x40f0
	s_mov_b32 s25, 0x81e0
	s_mov_b32 s26, 0x85e0
	s_add_i32 s20, s20, -2
	s_mov_b32 s21, 0xc0c0004
	s_mov_b32 s22, 0
	v_mov_b32_e32 v49, v48
	v_mov_b32_e32 v50, v48
	v_mov_b32_e32 v51, v48
	v_mov_b32_e32 v52, v48
	v_mov_b32_e32 v53, v48
	v_mov_b32_e32 v54, v48
	v_mov_b32_e32 v55, v48
	v_mov_b32_e32 v56, v48
	v_mov_b32_e32 v57, v48
	v_mov_b32_e32 v58, v48
	v_mov_b32_e32 v59, v48
	v_mov_b32_e32 v60, v48
	v_mov_b32_e32 v61, v48
	v_mov_b32_e32 v62, v48
	v_mov_b32_e32 v63, v48
	v_mov_b32_e32 v32, v48
	v_mov_b32_e32 v33, v48
	v_mov_b32_e32 v34, v48
	v_mov_b32_e32 v35, v48
	v_mov_b32_e32 v36, v48
	v_mov_b32_e32 v37, v48
	v_mov_b32_e32 v38, v48
	v_mov_b32_e32 v39, v48
	v_mov_b32_e32 v40, v48
	v_mov_b32_e32 v41, v48
	v_mov_b32_e32 v42, v48
	v_mov_b32_e32 v43, v48
	v_mov_b32_e32 v44, v48
	v_mov_b32_e32 v45, v48
	v_mov_b32_e32 v46, v48
	v_mov_b32_e32 v47, v48
	v_mov_b32_e32 v16, v48
	v_mov_b32_e32 v17, v48
	v_mov_b32_e32 v18, v48
	v_mov_b32_e32 v19, v48
	v_mov_b32_e32 v20, v48
	v_mov_b32_e32 v21, v48
	v_mov_b32_e32 v22, v48
	v_mov_b32_e32 v23, v48
	v_mov_b32_e32 v24, v48
	v_mov_b32_e32 v25, v48
	v_mov_b32_e32 v26, v48
	v_mov_b32_e32 v27, v48
	v_mov_b32_e32 v28, v48
	v_mov_b32_e32 v29, v48
	v_mov_b32_e32 v30, v48
	v_mov_b32_e32 v31, v48
	v_mov_b32_e32 v0, v48
	v_mov_b32_e32 v1, v48
	v_mov_b32_e32 v2, v48
	v_mov_b32_e32 v3, v48
	v_mov_b32_e32 v4, v48
	v_mov_b32_e32 v5, v48
	v_mov_b32_e32 v6, v48
	v_mov_b32_e32 v7, v48
	v_mov_b32_e32 v8, v48
	v_mov_b32_e32 v9, v48
	v_mov_b32_e32 v10, v48
	v_mov_b32_e32 v11, v48
	v_mov_b32_e32 v12, v48
	v_mov_b32_e32 v13, v48
	v_mov_b32_e32 v14, v48
	v_mov_b32_e32 v15, v48
	s_mov_b32 s23, 0
.LBB0_24:                               ; =>This Inner Loop Header: Depth=1
	s_add_i32 s6, s22, 1
	s_cmp_lt_i32 s6, 2
	s_cselect_b32 s22, s6, 0
	s_lshl_b32 s27, s22, 13
	s_lshr_b32 s28, s27, 6
	s_mov_b32 s29, s11
	s_add_i32 s24, s23, 1
	s_add_i32 s11, s28, s27
	s_lshl_b32 s6, s24, 6
	s_add_i32 s27, s11, s18
	v_lshl_add_u64 v[118:119], v[68:69], 0, s[6:7]
	s_mov_b32 m0, s27
	; wait_asyncmark(0)
	s_waitcnt lgkmcnt(0)
	s_barrier
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[70:71], 0, s[6:7]
	s_add_i32 m0, s27, 0x410
	v_or_b32_e32 v108, s6, v66
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[72:73], 0, s[6:7]
	s_add_i32 m0, s27, 0x820
	v_lshl_add_u64 v[130:131], s[12:13], 0, v[108:109]
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[74:75], 0, s[6:7]
	s_add_i32 m0, s27, 0xc30
	s_add_i32 s25, s9, s25
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[76:77], 0, s[6:7]
	s_add_i32 m0, s27, 0x1040
	s_add_i32 s26, s19, s26
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[78:79], 0, s[6:7]
	s_add_i32 m0, s27, 0x1450
	s_nop 0
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[80:81], 0, s[6:7]
	s_add_i32 m0, s27, 0x1860
	s_nop 0
	global_load_lds_dword v[118:119], off
	v_lshl_add_u64 v[118:119], v[82:83], 0, s[6:7]
	s_add_i32 m0, s27, 0x1c70
	s_add_i32 s6, s15, s29
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x40f0
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[84:85]
	; asyncmark
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x4500
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[86:87]
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x4910
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[88:89]
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x4d20
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[90:91]
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x5130
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[92:93]
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x5540
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[94:95]
	global_load_lds_dword v[118:119], off
	s_add_i32 m0, s27, 0x5950
	v_lshl_add_u64 v[118:119], v[130:131], 0, v[96:97]
	global_load_lds_dword v[118:119], off
	v_add_u32_e32 v108, s6, v111
	s_lshl_b32 s6, s24, 2
	v_lshl_add_u64 v[130:131], v[130:131], 0, v[98:99]
	s_add_i32 m0, s27, 0x5d60
	v_add3_u32 v108, v108, v116, v112
	global_load_lds_dword v[130:131], off
	v_lshl_add_u64 v[130:131], v[100:101], 0, s[6:7]
	ds_read_b128 v[134:137], v108
	ds_read_b128 v[126:129], v108 offset:32
	ds_read_b128 v[122:125], v108 offset:4160
	ds_read_b128 v[118:121], v108 offset:4192
	; asyncmark
	global_load_ubyte v146, v[130:131], off
	v_lshl_add_u64 v[130:131], v[102:103], 0, s[6:7]
	global_load_ubyte v147, v[130:131], off
	v_lshl_add_u64 v[130:131], v[104:105], 0, s[6:7]
	global_load_ubyte v148, v[130:131], off
	v_lshl_add_u64 v[130:131], v[106:107], 0, s[6:7]
	global_load_ubyte v149, v[130:131], off
	v_add3_u32 v108, s25, v115, v114
	ds_read_u8 v117, v108 offset:258
	ds_read_u8 v130, v108 offset:256
	s_add_i32 s6, s17, s14
	s_add_i32 s14, s11, 0x40f0
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v117, v130, v117, s21
	ds_read_u8 v130, v108
	ds_read_u8 v108, v108 offset:2
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v108, v130, v108, s21
	v_add3_u32 v130, s26, v115, v114
	ds_read_u8 v131, v130 offset:258
	ds_read_u8 v132, v130 offset:256
	v_lshl_or_b32 v108, v117, 16, v108
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v131, v132, v131, s21
	ds_read_u8 v132, v130
	ds_read_u8 v130, v130 offset:2
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v130, v132, v130, s21
	v_lshl_or_b32 v117, v131, 16, v130
	v_add_u32_e32 v130, s6, v111
	v_add3_u32 v130, v130, v116, v112
	ds_read_b128 v[138:141], v130 offset:4160
	s_waitcnt lgkmcnt(0)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[0:15], v[138:141], v[122:125], v[0:15], v117, v108 op_sel_hi:[1,1,0] cbsz:4 blgp:4
	ds_read_b128 v[142:145], v130 offset:32
	s_lshl_b32 s6, s22, 9
	s_add_i32 s25, s6, 0x81e0
	s_add_i32 s26, s6, 0x85e0
	s_cmp_lg_u32 s23, s20
	s_mov_b32 s23, s24
	v_mfma_scale_f32_32x32x64_f8f6f4 v[32:47], v[138:141], v[134:137], v[32:47], v117, v108 op_sel_hi:[1,0,0] cbsz:4 blgp:4
	ds_read_b128 v[138:141], v130
	s_waitcnt lgkmcnt(0)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[48:63], v[138:141], v[134:137], v[48:63], v117, v108 op_sel_hi:[0,0,0] cbsz:4 blgp:4
	ds_read_b128 v[132:135], v130 offset:4192
	s_waitcnt lgkmcnt(0)
	s_barrier
	v_mfma_scale_f32_32x32x64_f8f6f4 v[16:31], v[138:141], v[122:125], v[16:31], v117, v108 op_sel_hi:[0,1,0] cbsz:4 blgp:4
	v_add_u32_e32 v122, s6, v110
	s_waitcnt vmcnt(3)
	ds_write_b8 v122, v146 offset:33248
	s_waitcnt vmcnt(2)
	ds_write_b8 v122, v147 offset:33504
	s_waitcnt vmcnt(1)
	ds_write_b8 v122, v148 offset:34272
	s_waitcnt vmcnt(0)
	ds_write_b8 v122, v149 offset:34528
	v_mfma_scale_f32_32x32x64_f8f6f4 v[32:47], v[132:135], v[126:129], v[32:47], v117, v108 op_sel:[1,1,0] op_sel_hi:[1,0,0] cbsz:4 blgp:4
	v_mfma_scale_f32_32x32x64_f8f6f4 v[48:63], v[142:145], v[126:129], v[48:63], v117, v108 op_sel:[1,1,0] op_sel_hi:[0,0,0] cbsz:4 blgp:4
	v_mfma_scale_f32_32x32x64_f8f6f4 v[16:31], v[142:145], v[118:121], v[16:31], v117, v108 op_sel:[1,1,0] op_sel_hi:[0,1,0] cbsz:4 blgp:4
	v_mfma_scale_f32_32x32x64_f8f6f4 v[0:15], v[132:135], v[118:121], v[0:15], v117, v108 op_sel:[1,1,0] op_sel_hi:[1,1,0] cbsz:4 blgp:4
	s_cbranch_scc1 .LBB0_24
	s_branch .LBB0_26
.LBB0_25:
	v_mov_b32_e32 v15, 0
	s_movk_i32 s14, 0x40f0
	s_mov_b32 s25, 0x81e0
	s_mov_b32 s26, 0x85e0
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
.LBB0_26:                               ; %Flow110
	s_load_dword s4, s[4:5], 0x2c
	s_and_b64 s[2:3], s[2:3], exec
	s_cselect_b32 s2, 1, 0
	s_cmp_lg_u32 s2, 1
	; wait_asyncmark(0)
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_cbranch_scc1 .LBB0_28
; %bb.27:
	s_lshl1_add_u32 s2, s10, s26
	v_add3_u32 v66, s2, v115, v114
	s_add_i32 s2, s9, s25
	v_add3_u32 v68, s2, v115, v114
	v_and_b32_e32 v69, 0x1c0, v113
	s_lshl3_add_u32 s2, s10, s14
	v_lshl_or_b32 v64, v64, 10, v69
	v_add_u32_e32 v69, s2, v111
	s_lshl2_add_u32 s2, s9, s11
	v_add_u32_e32 v70, s2, v111
	v_add3_u32 v69, v69, v64, v112
	v_add3_u32 v64, v70, v64, v112
	ds_read_u8 v70, v68 offset:258
	ds_read_u8 v71, v68 offset:256
	ds_read_u8 v72, v68
	ds_read_u8 v68, v68 offset:2
	ds_read_u8 v73, v66 offset:258
	ds_read_u8 v74, v66 offset:256
	ds_read_u8 v75, v66
	ds_read_u8 v66, v66 offset:2
	s_mov_b32 s2, 0xc0c0004
	s_waitcnt lgkmcnt(6)
	v_perm_b32 v70, v71, v70, s2
	s_waitcnt lgkmcnt(4)
	v_perm_b32 v68, v72, v68, s2
	v_lshl_or_b32 v68, v70, 16, v68
	s_waitcnt lgkmcnt(2)
	v_perm_b32 v70, v74, v73, s2
	s_waitcnt lgkmcnt(0)
	v_perm_b32 v66, v75, v66, s2
	v_lshl_or_b32 v66, v70, 16, v66
	ds_read_b128 v[70:73], v69 offset:4160
	ds_read_b128 v[76:79], v69
	ds_read_b128 v[80:83], v69 offset:32
	ds_read_b128 v[84:87], v64
	ds_read_b128 v[88:91], v64 offset:32
	s_waitcnt lgkmcnt(1)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[48:63], v[76:79], v[84:87], v[48:63], v66, v68 op_sel_hi:[0,0,0] cbsz:4 blgp:4
	v_mfma_scale_f32_32x32x64_f8f6f4 v[32:47], v[70:73], v[84:87], v[32:47], v66, v68 op_sel_hi:[1,0,0] cbsz:4 blgp:4
	ds_read_b128 v[84:87], v69 offset:4192
	s_waitcnt lgkmcnt(1)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[48:63], v[80:83], v[88:91], v[48:63], v66, v68 op_sel:[1,1,0] op_sel_hi:[0,0,0] cbsz:4 blgp:4
	s_waitcnt lgkmcnt(0)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[32:47], v[84:87], v[88:91], v[32:47], v66, v68 op_sel:[1,1,0] op_sel_hi:[1,0,0] cbsz:4 blgp:4
	ds_read_b128 v[88:91], v64 offset:4160
	s_waitcnt lgkmcnt(0)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[16:31], v[76:79], v[88:91], v[16:31], v66, v68 op_sel_hi:[0,1,0] cbsz:4 blgp:4
	ds_read_b128 v[74:77], v64 offset:4192
	v_mfma_scale_f32_32x32x64_f8f6f4 v[0:15], v[70:73], v[88:91], v[0:15], v66, v68 op_sel_hi:[1,1,0] cbsz:4 blgp:4
	s_waitcnt lgkmcnt(0)
	v_mfma_scale_f32_32x32x64_f8f6f4 v[16:31], v[80:83], v[74:77], v[16:31], v66, v68 op_sel:[1,1,0] op_sel_hi:[0,1,0] cbsz:4 blgp:4
	v_mfma_scale_f32_32x32x64_f8f6f4 v[0:15], v[84:87], v[74:77], v[0:15], v66, v68 op_sel:[1,1,0] op_sel_hi:[1,1,0] cbsz:4 blgp:4
.LBB0_28:                               ; %._crit_edge._crit_edge
	v_lshrrev_b32_e32 v64, 3, v67
	s_lshr_b32 s2, s10, 1
	v_or_b32_e32 v64, s2, v64
	s_lshr_b32 s2, s9, 2
	v_or_b32_e32 v65, s2, v65
	v_or_b32_e32 v65, s16, v65
	v_or_b32_e32 v64, s8, v64
	v_or_b32_e32 v67, 64, v65
	v_mul_lo_u32 v66, v65, s4
	v_mul_lo_u32 v68, v67, s4
	v_ashrrev_i32_e32 v67, 31, v66
	v_ashrrev_i32_e32 v65, 31, v64
	v_lshl_add_u64 v[66:67], v[66:67], 2, s[0:1]
	v_ashrrev_i32_e32 v69, 31, v68
	v_lshlrev_b64 v[64:65], 2, v[64:65]
	v_lshl_add_u64 v[68:69], v[68:69], 2, s[0:1]
	v_lshl_add_u64 v[66:67], v[66:67], 0, v[64:65]
	v_lshl_add_u64 v[64:65], v[68:69], 0, v[64:65]
	global_store_dwordx4 v[66:67], v[48:51], off
	global_store_dwordx4 v[66:67], v[52:55], off offset:32
	global_store_dwordx4 v[66:67], v[56:59], off offset:64
	global_store_dwordx4 v[66:67], v[60:63], off offset:96
	global_store_dwordx4 v[66:67], v[32:35], off offset:256
	global_store_dwordx4 v[66:67], v[36:39], off offset:288
	global_store_dwordx4 v[66:67], v[40:43], off offset:320
	global_store_dwordx4 v[66:67], v[44:47], off offset:352
	global_store_dwordx4 v[64:65], v[16:19], off
	global_store_dwordx4 v[64:65], v[20:23], off offset:32
	global_store_dwordx4 v[64:65], v[24:27], off offset:64
	global_store_dwordx4 v[64:65], v[28:31], off offset:96
	global_store_dwordx4 v[64:65], v[0:3], off offset:256
	global_store_dwordx4 v[64:65], v[4:7], off offset:288
	global_store_dwordx4 v[64:65], v[8:11], off offset:320
	global_store_dwordx4 v[64:65], v[12:15], off offset:352
	s_endpgm
	.size	scaled_kernel, .Lfunc_end0-scaled_kernel
	.section	.rodata,"a",@progbits
	.p2align	6, 0x0
	.amdhsa_kernel scaled_kernel
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
		.amdhsa_next_free_vgpr 150
		.amdhsa_next_free_sgpr 30
		.amdhsa_accum_offset 152
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
	.set .Lscaled_kernel.num_vgpr, 150
	.set .Lscaled_kernel.num_agpr, 0
	.set .Lscaled_kernel.numbered_sgpr, 30
	.set .Lscaled_kernel.num_named_barrier, 0
	.set .Lscaled_kernel.private_seg_size, 0
	.set .Lscaled_kernel.uses_vcc, 0
	.set .Lscaled_kernel.uses_flat_scratch, 0
	.set .Lscaled_kernel.has_dyn_sized_stack, 0
	.set .Lscaled_kernel.has_recursion, 0
	.set .Lscaled_kernel.has_indirect_call, 0
	.section	.AMDGPU.csdata,"",@progbits
; Kernel info:
; codeLenInByte = 3952
; TotalNumSgprs: 36
; NumVgprs: 150
; NumAgprs: 0
; TotalNumVgprs: 150
; ScratchSize: 0
; MemoryBound: 0
; FloatMode: 240
; IeeeMode: 1
; LDSByteSize: 0 bytes/workgroup (compile time only)
; SGPRBlocks: 4
; VGPRBlocks: 18
; NumSGPRsForWavesPerEU: 36
; NumVGPRsForWavesPerEU: 150
; AccumOffset: 152
; Occupancy: 3
; WaveLimiterHint : 1
; COMPUTE_PGM_RSRC2:SCRATCH_EN: 0
; COMPUTE_PGM_RSRC2:USER_SGPR: 16
; COMPUTE_PGM_RSRC2:TRAP_HANDLER: 0
; COMPUTE_PGM_RSRC2:TGID_X_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Y_EN: 1
; COMPUTE_PGM_RSRC2:TGID_Z_EN: 1
; COMPUTE_PGM_RSRC2:TIDIG_COMP_CNT: 2
; COMPUTE_PGM_RSRC3_GFX90A:ACCUM_OFFSET: 37
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
      - .address_space:  global
        .offset:         24
        .size:           8
        .value_kind:     global_buffer
      - .address_space:  global
        .offset:         32
        .size:           8
        .value_kind:     global_buffer
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
    .name:           scaled_kernel
    .private_segment_fixed_size: 0
    .sgpr_count:     36
    .sgpr_spill_count: 0
    .symbol:         scaled_kernel.kd
    .uniform_work_group_size: 1
    .uses_dynamic_stack: false
    .vgpr_count:     150
    .vgpr_spill_count: 0
    .wavefront_size: 64
amdhsa.target:   amdgpu9.50-amd-amdhsa-unknown-gfx950
amdhsa.version:
  - 1
  - 2
...
	.end_amdgpu_metadata
